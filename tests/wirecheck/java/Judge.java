import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;

/**
 * Reads lines of message, version and hexadecimal bytes; writes each again with what Kafka's class makes of it:
 * "ok", the bytes left, and the message written again; or "refused".
 */
public final class Judge {
    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            short version = Short.parseShort(words[1]);
            ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(words[2]));
            String verdict;
            try {
                Message message = (Message) Golden.find(words[0]).getConstructor().newInstance();
                message.read(new ByteBufferAccessor(bytes), version);
                verdict = "ok " + bytes.remaining() + " " + again(message, version);
            } catch (RuntimeException e) {
                verdict = "refused " + String.valueOf(e.getMessage()).replaceAll("\\s+", "_");
            }
            out.println(line + " " + verdict);
        }
        out.flush();
    }

    /** Kafka reads unknown tags in any order and refuses to write them so. */
    private static String again(Message message, short version) {
        try {
            return Golden.bytes(message, version);
        } catch (RuntimeException e) {
            return "unwritable";
        }
    }
}

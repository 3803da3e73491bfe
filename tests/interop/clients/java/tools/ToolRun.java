import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Base64;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs many of Kafka's command-line tools in one process, which saves a start of Java for each. A line of input is
 * a class and its arguments, separated by tabs; a line of output is the exit code and the tool's output in base64.
 */
public final class ToolRun {
    /** Thrown where the tool would end; what the tool prints after it has caught this does not count. */
    private static final class Ended extends RuntimeException {
    }

    private static Integer first;
    private static byte[] heardAtEnd;

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        ByteArrayOutputStream heard = new ByteArrayOutputStream();
        PrintStream ear = new PrintStream(heard, true);
        System.setOut(ear);
        System.setErr(ear);
        Exit.Procedure end = (code, message) -> {
            ear.flush();
            if (first == null) {
                first = code;
                heardAtEnd = heard.toByteArray();
            }
            throw new Ended();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t", -1);
            first = null;
            int code = run(words[0], Arrays.copyOfRange(words, 1, words.length), ear);
            ear.flush();
            byte[] text = first == null ? heard.toByteArray() : heardAtEnd;
            answers.println((first == null ? code : first) + "\t" + Base64.getEncoder().encodeToString(text));
            answers.flush();
            heard.reset();
        }
        System.exit(0);
    }

    private static int run(String tool, String[] args, PrintStream ear) throws Exception {
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) args);
            return 0;
        } catch (InvocationTargetException failure) {
            if (first == null) {
                ear.println("Exception " + failure.getCause());
            }
            return 1;
        }
    }
}

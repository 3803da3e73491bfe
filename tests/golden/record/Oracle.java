// Asks Kafka's own log what it makes of produced batches. Reads lines "CASE name settings hex" and prints
// "name settings hex error detail": the detail is the list of faulty records, or the bytes stored.

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse.RecordError;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

public class Oracle {
    static final long NOW = 1700000000000L;

    public static void main(String[] args) throws Exception {
        Time time = (Time) Proxy.newProxyInstance(Oracle.class.getClassLoader(), new Class<?>[] {Time.class},
            (proxy, method, given) ->
                method.getName().equals("milliseconds") ? (Object) NOW : method.invoke(Time.SYSTEM, given));
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        File root = Files.createTempDirectory("oracle").toFile();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        String line;
        for (int number = 0; (line = input.readLine()) != null; number++) {
            String[] fields = line.split(" ", -1);
            Map<String, String> settings = new HashMap<>();
            for (String setting : fields[2].equals("-") ? new String[0] : fields[2].split(",")) {
                settings.put(setting.split("=")[0], setting.split("=")[1]);
            }
            File directory = new File(root, "case-" + number);
            directory.mkdirs();
            UnifiedLog log = UnifiedLog.create(directory, new LogConfig(settings), 0L, 0L, scheduler,
                new BrokerTopicStats(), time, 900000, new ProducerStateManagerConfig(86400000, false), 600000,
                new LogDirFailureChannel(10), true, Optional.of(Uuid.randomUuid()));
            String verdict = append(log, directory, HexFormat.of().parseHex(fields[3]));
            System.out.println(fields[1] + " " + fields[2] + " " + fields[3] + " " + verdict);
            log.close();
        }
        scheduler.shutdown();
    }

    static String append(UnifiedLog log, File directory, byte[] bytes) {
        try {
            MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
            ProduceRequest.validateRecords((short) 12, records);
            log.appendAsLeader(records, 0);
            log.flush(true);
            byte[] stored = Files.readAllBytes(new File(directory, "00000000000000000000.log").toPath());
            return "NONE " + HexFormat.of().formatHex(stored);
        } catch (RecordValidationException refused) {
            String at = refused.recordErrors().stream().map(Oracle::index).collect(Collectors.joining(","));
            return Errors.forException(refused.invalidException()).name() + " " + at;
        } catch (Throwable refused) {
            return Errors.forException(refused).name() + " -";
        }
    }

    static String index(RecordError error) {
        try {
            return String.valueOf(RecordError.class.getField("batchIndex").getInt(error));
        } catch (ReflectiveOperationException changed) {
            throw new IllegalStateException(changed);
        }
    }
}

import java.io.BufferedWriter;
import java.io.FileWriter;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * An idempotent producer that goes on while its broker is killed: unique, increasing values, acks=all. Each
 * acknowledgement becomes a line `partition offset value`, each failure a line `failed reason value`.
 * KillLoop ADDRESS TOPIC PARTITIONS FILE, until standard input ends.
 */
public final class KillLoop {
    private static volatile boolean ended;

    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("acks", "all");
        settings.put("enable.idempotence", "true");
        settings.put("linger.ms", "2");
        settings.put("delivery.timeout.ms", "180000");
        settings.put("request.timeout.ms", "10000");
        settings.put("max.block.ms", "60000");
        settings.put("retry.backoff.ms", "20");
        settings.put("retry.backoff.max.ms", "100");
        settings.put("reconnect.backoff.ms", "20");
        settings.put("reconnect.backoff.max.ms", "100");
        int partitions = Integer.parseInt(args[2]);
        Thread end = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    Thread.onSpinWait();
                }
            } catch (Exception closed) {
                // The same as the end of input.
            }
            ended = true;
        });
        end.setDaemon(true);
        end.start();
        Semaphore window = new Semaphore(1000);
        try (BufferedWriter acks = new BufferedWriter(new FileWriter(args[3]));
                KafkaProducer<String, String> producer =
                        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (long next = 0; !ended; next++) {
                window.acquire();
                String value = "java-" + next;
                var record = new ProducerRecord<String, String>(args[1], (int) (next % partitions), null, value);
                producer.send(record, (at, error) -> {
                    window.release();
                    try {
                        acks.write(error == null ? at.partition() + " " + at.offset() + " " + value + "\n"
                                : "failed " + error.getClass().getSimpleName() + " " + value + "\n");
                        acks.flush();
                    } catch (Exception unwritten) {
                        System.exit(3);
                    }
                });
                if (next % 4 == 0) {
                    Thread.sleep(1);
                }
            }
            producer.flush();
        }
    }
}

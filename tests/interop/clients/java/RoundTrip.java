import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Java's producer and consumer over files of records (the format is in kit/crate.py).
 * produce ADDRESS TOPIC CODEC FILE, or consume ADDRESS TOPIC END,END,... FILE; no groups.
 */
public final class RoundTrip {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("produce")) {
            produce(args[1], args[2], args[3], args[4]);
        } else {
            consume(args[1], args[2], args[3].split(","), args[4]);
        }
    }

    private static byte[] readBlob(DataInputStream in) throws Exception {
        int size = in.readInt();
        return size < 0 ? null : in.readNBytes(size);
    }

    private static void writeBlob(DataOutputStream out, byte[] blob) throws Exception {
        out.writeInt(blob == null ? -1 : blob.length);
        if (blob != null) {
            out.write(blob);
        }
    }

    private static void produce(String address, String topic, String codec, String file) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", address);
        settings.put("compression.type", codec);
        settings.put("delivery.timeout.ms", "60000");
        settings.put("request.timeout.ms", "20000");
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
                var in = new DataInputStream(new BufferedInputStream(new FileInputStream(file), 1 << 20))) {
            while (in.available() > 0) {
                byte[] key = readBlob(in);
                byte[] value = readBlob(in);
                List<Header> headers = new ArrayList<>();
                for (int left = in.readInt(); left > 0; left--) {
                    headers.add(new RecordHeader(new String(readBlob(in), "UTF-8"), readBlob(in)));
                }
                var record = new ProducerRecord<>(topic, null, null, key, value, headers);
                producer.send(record, (at, error) -> failure.compareAndSet(null, error));
            }
            producer.flush();
        }
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    private static void consume(String address, String topic, String[] ends, String file) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", address);
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "none");
        settings.put("check.crcs", "true");
        Map<TopicPartition, Long> open = new HashMap<>();
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                var out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(file), 1 << 20))) {
            for (int partition = 0; partition < ends.length; partition++) {
                if (Long.parseLong(ends[partition]) > 0) {
                    open.put(new TopicPartition(topic, partition), Long.parseLong(ends[partition]));
                }
            }
            consumer.assign(open.keySet());
            consumer.seekToBeginning(open.keySet());
            while (!open.isEmpty()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                    out.writeInt(record.partition());
                    out.writeLong(record.offset());
                    writeBlob(out, record.key());
                    writeBlob(out, record.value());
                    out.writeInt(record.headers().toArray().length);
                    for (Header header : record.headers()) {
                        writeBlob(out, header.key().getBytes("UTF-8"));
                        writeBlob(out, header.value());
                    }
                }
                open.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
            }
        }
    }
}

import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Fills a broker with one of everything that a log can hold: each codec, headers, nulls, transactions that end both
 * ways, keys that repeat and go on a compacted topic, committed offsets, a front that was cut.
 * Segments roll by the records' times, because Kafka takes no small segment.bytes; markers have the broker's time, so
 * transactions take theirs from the clock.
 * ForeignLog fill ADDRESS TRANSACTIONS, or ForeignLog newest ADDRESS TOPIC... for the newest committed value of each
 * key, a line `topic key value` with key and value in base64.
 */
public final class ForeignLog {
    private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    private static final long START = 1_700_000_000_000L;
    private static String address;
    private static long time = START;

    public static void main(String[] args) throws Exception {
        address = args[1];
        if (args[0].equals("newest")) {
            for (String topic : List.of(args).subList(2, args.length)) {
                newest(topic);
            }
            return;
        }
        boolean transactions = Boolean.parseBoolean(args[2]);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
            admin.createTopics(List.of(
                topic("plain", Map.of("segment.ms", "20000", "index.interval.bytes", "512")),
                topic("stamped", Map.of("message.timestamp.type", "LogAppendTime")),
                topic("transactions", Map.of("segment.ms", "100")),
                topic("cleaned", compacted("20000")),
                topic("cleaned-transactions", compacted("100")))).all().get();
            plain();
            if (transactions) {
                inTransactions("transactions");
                inTransactions("cleaned-transactions");
            }
            changing("cleaned");
            commit("readers", "plain", 7);
            commit("others", "cleaned", 40);
            admin.deleteRecords(Map.of(new TopicPartition("plain", 0), RecordsToDelete.beforeOffset(25))).all().get();
        }
    }

    private static NewTopic topic(String name, Map<String, String> configs) {
        return new NewTopic(name, 1, (short) 1).configs(configs);
    }

    private static Map<String, String> compacted(String segmentMs) {
        return Map.of("cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.01", "segment.ms", segmentMs,
            "delete.retention.ms", "60000", "index.interval.bytes", "512");
    }

    private static KafkaProducer<byte[], byte[]> producer(String codec, Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", address, "acks", "all",
            "compression.type", codec, "linger.ms", 200, "batch.size", 4000));
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, String key, String value) {
        time += 700;
        byte[] keyBytes = key == null ? null : key.getBytes();
        boolean ownTime = topic.equals("plain") || topic.equals("cleaned");
        return new ProducerRecord<>(topic, 0, ownTime ? time : null, keyBytes,
            value == null ? null : value.getBytes());
    }

    private static void plain() throws Exception {
        for (String topic : List.of("plain", "stamped")) {
            for (String codec : CODECS) {
                for (boolean idempotent : new boolean[] {true, false}) {
                    try (var producer = producer(codec, Map.of("enable.idempotence", idempotent))) {
                        for (int at = 0; at < 40; at++) {
                            var record = record(topic, at % 5 == 0 ? null : codec + at,
                                at % 7 == 0 ? null : ("value " + at + " ").repeat(1 + at % 30));
                            if (at % 3 == 0) {
                                record.headers().add("codec", codec.getBytes()).add("none", null)
                                    .add("bytes", new byte[] {(byte) 0xff, 0, 10});
                            }
                            producer.send(record);
                        }
                    }
                }
            }
        }
    }

    private static void inTransactions(String topic) throws Exception {
        try (var first = producer("zstd", Map.of("transactional.id", topic + "-1"));
             var second = producer("none", Map.of("transactional.id", topic + "-2"))) {
            first.initTransactions();
            second.initTransactions();
            for (int round = 0; round < 6; round++) {
                Thread.sleep(150);
                first.beginTransaction();
                second.beginTransaction();
                for (int at = 0; at < 15; at++) {
                    first.send(record(topic, "key" + at, "first " + round + " " + at));
                    second.send(record(topic, "key" + (at + 10), round == 3 ? null : "second " + round + " " + at));
                }
                first.flush();
                second.flush();
                if (round % 3 == 1) {
                    first.abortTransaction();
                } else {
                    first.commitTransaction();
                }
                if (round % 3 == 2) {
                    second.abortTransaction();
                } else {
                    second.commitTransaction();
                }
            }
        }
    }

    private static void changing(String topic) throws Exception {
        for (int round = 0; round < 20; round++) {
            try (var producer = producer(CODECS[round % CODECS.length], Map.of())) {
                for (int at = 0; at < 50; at += 1 + round % 3) {
                    boolean gone = round > 3 && at % 11 == 3;
                    producer.send(record(topic, "key" + at, gone ? null : ("round " + round + " ").repeat(10)));
                }
            }
        }
    }

    private static void commit(String group, String topic, long offset) {
        Map<String, Object> settings = Map.of("bootstrap.servers", address, "group.id", group,
            "enable.auto.commit", false, "auto.offset.reset", "earliest");
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            for (int turn = 0; turn < 100 && consumer.assignment().isEmpty(); turn++) {
                consumer.poll(Duration.ofMillis(100));
            }
            consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(offset, "by hand")));
        }
    }

    private static void newest(String topic) {
        Map<String, Object> settings = Map.of("bootstrap.servers", address, "isolation.level", "read_committed",
            "enable.auto.commit", false, "auto.offset.reset", "none");
        var partition = new TopicPartition(topic, 0);
        Map<String, String> values = new TreeMap<>();
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    String key = Base64.getEncoder().encodeToString(record.key());
                    if (record.value() == null) {
                        values.remove(key);
                    } else {
                        values.put(key, Base64.getEncoder().encodeToString(record.value()));
                    }
                }
            }
        }
        values.forEach((key, value) -> System.out.println(topic + " " + key + " " + value));
    }
}

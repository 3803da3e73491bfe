import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** One member of a group; kit/members.py states the settings, the commands and the events. */
public final class GroupMember {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> ASSIGNORS = Map.of(
            "range", "org.apache.kafka.clients.consumer.RangeAssignor",
            "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");

    public static void main(String[] args) throws Exception {
        JsonNode settings = JSON.readTree(args[0]);
        ConcurrentLinkedQueue<String> commands = new ConcurrentLinkedQueue<>();
        Thread ear = new Thread(() -> {
            var lines = new BufferedReader(new InputStreamReader(System.in));
            lines.lines().forEach(commands::add);
            commands.add("close");
        });
        ear.setDaemon(true);
        ear.start();
        try (var consumer = new KafkaConsumer<>(properties(settings), new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            subscribe(consumer, settings);
            for (String command = null; !"close".equals(command); command = commands.poll()) {
                if ("commit".equals(command)) {
                    commit(consumer);
                }
                var records = consumer.poll(Duration.ofMillis(50));
                for (TopicPartition part : records.partitions()) {
                    var list = records.records(part);
                    tell("records", "topic", part.topic(), "partition", part.partition(),
                            "first", list.get(0).offset(), "last", list.get(list.size() - 1).offset(),
                            "count", list.size());
                }
            }
        }
        tell("closed");
    }

    private static Properties properties(JsonNode settings) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", settings.get("address").asText());
        properties.put("group.id", settings.get("group").asText());
        properties.put("client.id", settings.get("client").asText());
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.put("metadata.max.age.ms", "2000");
        properties.put("reconnect.backoff.max.ms", "200");
        properties.put("group.protocol", settings.get("protocol").asText());
        String assignor = settings.get("assignor").asText();
        if (settings.get("protocol").asText().equals("classic")) {
            properties.put("partition.assignment.strategy", ASSIGNORS.get(assignor));
            properties.put("session.timeout.ms", settings.get("session").asText());
            properties.put("heartbeat.interval.ms", "500");
        } else {
            properties.put("group.remote.assignor", assignor);
        }
        if (settings.hasNonNull("instance")) {
            properties.put("group.instance.id", settings.get("instance").asText());
        }
        return properties;
    }

    private static void subscribe(KafkaConsumer<byte[], byte[]> consumer, JsonNode settings) {
        ConsumerRebalanceListener listener = new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> parts) {
                tell("assigned", "partitions", plain(parts));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> parts) {
                tell("revoked", "partitions", plain(parts));
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> parts) {
                tell("lost", "partitions", plain(parts));
            }
        };
        if (settings.hasNonNull("pattern")) {
            consumer.subscribe(new SubscriptionPattern(settings.get("pattern").asText()), listener);
        } else {
            consumer.subscribe(List.of(settings.get("topic").asText()), listener);
        }
    }

    private static void commit(KafkaConsumer<byte[], byte[]> consumer) {
        Map<TopicPartition, OffsetAndMetadata> positions = new TreeMap<>(
                java.util.Comparator.comparing(TopicPartition::toString));
        List<List<Object>> told = new ArrayList<>();
        for (TopicPartition part : consumer.assignment()) {
            long position = consumer.position(part);
            positions.put(part, new OffsetAndMetadata(position));
            told.add(List.of(part.topic(), part.partition(), position));
        }
        try {
            consumer.commitSync(positions);
            tell("committed", "offsets", told);
        } catch (Exception error) {
            tell("failed", "what", "commit", "error", error.toString());
        }
    }

    private static List<List<Object>> plain(Collection<TopicPartition> parts) {
        List<List<Object>> plain = new ArrayList<>();
        for (TopicPartition part : parts) {
            plain.add(List.of(part.topic(), part.partition()));
        }
        return plain;
    }

    /** Prints one event; the rest are pairs of a name and a value. */
    private static synchronized void tell(String event, Object... pairs) {
        Map<String, Object> line = new TreeMap<>(Map.of("event", event));
        for (int at = 0; at < pairs.length; at += 2) {
            line.put((String) pairs[at], pairs[at + 1]);
        }
        try {
            System.out.println(JSON.writeValueAsString(line));
        } catch (Exception impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

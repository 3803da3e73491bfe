import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A script of AdminClient calls. Each step prints its name, a tab, and what can be compared between brokers:
 * the class of the error, or values without ids and times. AdminSteps ADDRESS
 */
public final class AdminSteps {
    private static final long STAMP = 1_700_000_000_000L;
    private static Admin admin;
    private static String node;

    public static void main(String[] args) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", args[0]);
        settings.put("default.api.timeout.ms", "5000");
        settings.put("request.timeout.ms", "4000");
        admin = Admin.create(settings);
        node = String.valueOf(get(admin.describeCluster().nodes()).iterator().next().id());
        createSteps();
        describeSteps();
        configSteps();
        partitionSteps();
        recordSteps(args[0]);
        deleteSteps();
        clusterSteps();
        admin.close();
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    /** Runs one step and prints its value, or the class of the error that the future or the call ended with. */
    private static void step(String name, Callable<Object> work) {
        String answer;
        try {
            answer = String.valueOf(work.call());
        } catch (ExecutionException failure) {
            answer = "error " + failure.getCause().getClass().getSimpleName();
        } catch (Exception failure) {
            answer = "thrown " + failure.getClass().getSimpleName();
        }
        System.out.println(name + "\t" + answer.replace("\n", " "));
    }

    private static NewTopic topic(String name, int partitions, String... configs) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < configs.length; i += 2) {
            map.put(configs[i], configs[i + 1]);
        }
        return new NewTopic(name, partitions, (short) 1).configs(map);
    }

    private static Object create(NewTopic topic) throws Exception {
        get(admin.createTopics(List.of(topic)).all());
        settle(topic.name());
        return "created";
    }

    /** A controller answers before its broker knows the topic; waits until every partition has a leader. */
    private static void settle(String name) throws Exception {
        for (int round = 0; round < 200; round++) {
            try {
                TopicDescription found = get(admin.describeTopics(List.of(name)).allTopicNames()).get(name);
                if (found.partitions().stream().allMatch(p -> p.leader() != null)) {
                    return;
                }
            } catch (ExecutionException notYet) {
                // The next round asks again.
            }
            Thread.sleep(20);
        }
    }

    private static void createSteps() {
        step("create", () -> create(topic("adm-a", 3)));
        step("create again", () -> create(topic("adm-a", 3)));
        step("create with configs", () -> create(topic("adm-b", 1, "retention.ms", "60000", "cleanup.policy", "compact")));
        step("create by defaults", () -> create(new NewTopic("adm-d", Optional.empty(), Optional.empty())));
        step("create by assignment", () -> create(new NewTopic("adm-e",
                Map.of(0, List.of(Integer.valueOf(node)), 1, List.of(Integer.valueOf(node))))));
        step("create on an unknown broker", () -> create(new NewTopic("adm-x", Map.of(0, List.of(99)))));
        for (String name : new String[] {"", ".", "..", "a b", "a/b", "x".repeat(250)}) {
            step("create invalid name " + (name.length() > 9 ? "of 250" : "'" + name + "'"), () -> create(topic(name, 1)));
        }
        step("create replication factor 3", () -> create(new NewTopic("adm-x", 1, (short) 3)));
        step("create 0 partitions", () -> create(topic("adm-x", 0)));
        step("create unknown config", () -> create(topic("adm-x", 1, "no.such.config", "1")));
        step("create bad config", () -> create(topic("adm-x", 1, "retention.ms", "soon")));
        step("create config out of range", () -> create(topic("adm-x", 1, "segment.bytes", "5")));
        step("create colliding name", () -> { create(topic("adm.p", 1)); return create(topic("adm_p", 1)); });
        step("validate only", () -> {
            CreateTopicsResult result = admin.createTopics(List.of(topic("adm-v", 4, "retention.ms", "5")),
                    new CreateTopicsOptions().validateOnly(true));
            get(result.all());
            return get(result.numPartitions("adm-v")) + " " + get(result.replicationFactor("adm-v")) + " "
                    + get(result.config("adm-v")).get("retention.ms").value() + " "
                    + get(admin.listTopics().names()).contains("adm-v");
        });
        step("validate only of an existing topic", () ->
                get(admin.createTopics(List.of(topic("adm-a", 1)), new CreateTopicsOptions().validateOnly(true)).all()));
        step("create answers with configs", () -> {
            CreateTopicsResult result = admin.createTopics(List.of(topic("adm-c", 2, "segment.ms", "9000")));
            Config config = get(result.config("adm-c"));
            return config.get("segment.ms").value() + " " + config.get("segment.ms").source() + " "
                    + config.get("retention.ms").value() + " " + config.get("retention.ms").source() + " "
                    + !get(result.topicId("adm-c")).equals(Uuid.ZERO_UUID);
        });
    }

    private static String shape(TopicDescription topic) {
        StringBuilder out = new StringBuilder(topic.name() + " internal=" + topic.isInternal());
        topic.partitions().forEach(p -> out.append(' ').append(p.partition()).append(':')
                .append(String.valueOf(p.leader().id()).equals(node)).append(p.replicas().size()).append(p.isr().size()));
        return out + " operations=" + topic.authorizedOperations();
    }

    private static void describeSteps() {
        step("list", () -> {
            List<String> names = new ArrayList<>(get(admin.listTopics().names()));
            Collections.sort(names);
            return names;
        });
        step("list internal too", () -> get(admin.listTopics(new ListTopicsOptions().listInternal(true)).names())
                .containsAll(List.of("adm-a", "adm-b")));
        step("describe", () -> shape(get(admin.describeTopics(List.of("adm-a")).allTopicNames()).get("adm-a")));
        step("describe with operations", () -> {
            TopicDescription found = get(admin.describeTopics(List.of("adm-a"),
                    new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames()).get("adm-a");
            return found.authorizedOperations() == null ? "none" : new TreeMap<>(Map.of("operations",
                    found.authorizedOperations().stream().map(Object::toString).sorted().toList()));
        });
        step("describe by id", () -> {
            Uuid id = get(admin.describeTopics(List.of("adm-a")).allTopicNames()).get("adm-a").topicId();
            return shape(get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds()).get(id));
        });
        step("describe page of 1", () -> shape(get(admin.describeTopics(List.of("adm-a", "adm-c"),
                new DescribeTopicsOptions().partitionSizeLimitPerResponse(1)).allTopicNames()).get("adm-a")));
        step("describe unknown", () -> get(admin.describeTopics(List.of("adm-none")).allTopicNames()));
        step("describe invalid", () -> get(admin.describeTopics(List.of("a b")).allTopicNames()));
        step("describe unknown id", () -> get(admin.describeTopics(
                TopicCollection.ofTopicIds(List.of(new Uuid(5, 6)))).allTopicIds()));
    }

    private static String entry(ConfigEntry entry) {
        return entry.name() + "=" + entry.value() + " " + entry.source() + " " + entry.type() + " ro=" + entry.isReadOnly()
                + " secret=" + entry.isSensitive() + " synonyms=" + entry.synonyms().stream()
                .map(s -> s.name() + "=" + s.value() + "/" + s.source()).toList();
    }

    private static Object describe(ConfigResource resource, String... keys) throws Exception {
        Config config = get(admin.describeConfigs(List.of(resource),
                new DescribeConfigsOptions().includeSynonyms(true)).all()).get(resource);
        return Arrays.stream(keys).map(key -> config.get(key) == null ? key + " absent" : entry(config.get(key))).toList();
    }

    private static Object alter(ConfigResource resource, String key, String value, AlterConfigOp.OpType type) throws Exception {
        Collection<AlterConfigOp> ops = List.of(new AlterConfigOp(new ConfigEntry(key, value), type));
        get(admin.incrementalAlterConfigs(Map.of(resource, ops)).all());
        Thread.sleep(250);
        return describe(resource, key);
    }

    private static void configSteps() {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "adm-b");
        ConfigResource unknown = new ConfigResource(ConfigResource.Type.TOPIC, "adm-none");
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, node);
        ConfigResource brokers = new ConfigResource(ConfigResource.Type.BROKER, "");
        step("configs", () -> describe(topic, "retention.ms", "cleanup.policy", "max.message.bytes", "segment.bytes"));
        step("configs of an unknown topic", () -> describe(unknown, "retention.ms"));
        step("set", () -> alter(topic, "retention.ms", "70000", AlterConfigOp.OpType.SET));
        step("append", () -> alter(topic, "cleanup.policy", "delete", AlterConfigOp.OpType.APPEND));
        step("subtract", () -> alter(topic, "cleanup.policy", "compact", AlterConfigOp.OpType.SUBTRACT));
        step("delete config", () -> alter(topic, "cleanup.policy", "", AlterConfigOp.OpType.DELETE));
        step("append to a number", () -> alter(topic, "retention.ms", "1", AlterConfigOp.OpType.APPEND));
        step("set unknown config", () -> alter(topic, "no.such", "1", AlterConfigOp.OpType.SET));
        step("set bad value", () -> alter(topic, "retention.ms", "x", AlterConfigOp.OpType.SET));
        step("set on an unknown topic", () -> alter(unknown, "retention.ms", "1", AlterConfigOp.OpType.SET));
        step("alter validate only", () -> {
            Map<ConfigResource, Collection<AlterConfigOp>> ops = Map.of(topic, List.of(
                    new AlterConfigOp(new ConfigEntry("retention.ms", "5"), AlterConfigOp.OpType.SET)));
            get(admin.incrementalAlterConfigs(ops, new AlterConfigsOptions().validateOnly(true)).all());
            return describe(topic, "retention.ms");
        });
        step("alter validate only, bad value", () -> {
            Map<ConfigResource, Collection<AlterConfigOp>> ops = Map.of(topic, List.of(
                    new AlterConfigOp(new ConfigEntry("retention.ms", "x"), AlterConfigOp.OpType.SET)));
            return get(admin.incrementalAlterConfigs(ops, new AlterConfigsOptions().validateOnly(true)).all());
        });
        step("broker configs", () -> describe(broker, "message.max.bytes", "log.retention.hours", "num.partitions",
                "auto.create.topics.enable", "log.segment.bytes"));
        step("set on the broker", () -> alter(broker, "message.max.bytes", "1048600", AlterConfigOp.OpType.SET));
        step("topic sees the broker", () -> describe(topic, "max.message.bytes"));
        step("set on all brokers", () -> alter(brokers, "message.max.bytes", "1048601", AlterConfigOp.OpType.SET));
        step("both levels on the broker", () -> describe(broker, "message.max.bytes"));
        step("delete on the broker", () -> alter(broker, "message.max.bytes", "", AlterConfigOp.OpType.DELETE));
        step("delete on all brokers", () -> {
            Collection<AlterConfigOp> ops = List.of(new AlterConfigOp(new ConfigEntry("message.max.bytes", ""),
                    AlterConfigOp.OpType.DELETE));
            get(admin.incrementalAlterConfigs(Map.of(brokers, ops)).all());
            Thread.sleep(250);
            return describe(topic, "max.message.bytes");
        });
        step("set read-only on the broker", () -> alter(broker, "log.dirs", "elsewhere", AlterConfigOp.OpType.SET));
        step("list config resources", () -> get(admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC),
                new org.apache.kafka.clients.admin.ListConfigResourcesOptions()).all()).stream()
                .map(ConfigResource::name).sorted().toList());
    }

    private static Object grow(String name, NewPartitions wanted) throws Exception {
        get(admin.createPartitions(Map.of(name, wanted)).all());
        for (int round = 0; round < 100; round++) {
            if (get(admin.describeTopics(List.of(name)).allTopicNames()).get(name).partitions().size()
                    == wanted.totalCount()) {
                break;
            }
            Thread.sleep(20);
        }
        return get(admin.describeTopics(List.of(name)).allTopicNames()).get(name).partitions().size();
    }

    private static void partitionSteps() {
        step("grow", () -> grow("adm-a", NewPartitions.increaseTo(5)));
        step("grow by assignment", () -> grow("adm-a", NewPartitions.increaseTo(6, List.of(List.of(Integer.valueOf(node))))));
        step("shrink", () -> grow("adm-a", NewPartitions.increaseTo(2)));
        step("grow to the same", () -> grow("adm-a", NewPartitions.increaseTo(6)));
        step("grow unknown", () -> grow("adm-none", NewPartitions.increaseTo(6)));
    }

    private static Object offset(String topic, OffsetSpec spec) throws Exception {
        var info = get(admin.listOffsets(Map.of(new TopicPartition(topic, 0), spec)).all()).get(new TopicPartition(topic, 0));
        return info.offset() + " at " + info.timestamp() + " epoch " + info.leaderEpoch();
    }

    private static Object trim(String topic, int partition, long before) throws Exception {
        TopicPartition at = new TopicPartition(topic, partition);
        return get(admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(before))).lowWatermarks().get(at)).lowWatermark();
    }

    private static void recordSteps(String address) {
        step("produce", () -> {
            create(topic("adm-r", 2, "retention.ms", "-1"));
            try (var producer = new KafkaProducer<>(Map.<String, Object>of("bootstrap.servers", address, "linger.ms", 0),
                    new StringSerializer(), new StringSerializer())) {
                for (int i = 0; i < 10; i++) {
                    producer.send(new ProducerRecord<>("adm-r", 0, STAMP + (i == 4 ? 99 : i), "k" + i, "v" + i)).get();
                }
            }
            return "produced";
        });
        Map<String, OffsetSpec> specs = new TreeMap<>();
        specs.put("latest", OffsetSpec.latest());
        specs.put("earliest", OffsetSpec.earliest());
        specs.put("max timestamp", OffsetSpec.maxTimestamp());
        specs.put("earliest local", OffsetSpec.earliestLocal());
        specs.put("latest tiered", OffsetSpec.latestTiered());
        specs.put("earliest pending upload", OffsetSpec.earliestPendingUpload());
        specs.put("for timestamp", OffsetSpec.forTimestamp(STAMP + 6));
        specs.put("after all", OffsetSpec.forTimestamp(STAMP + 5000));
        specs.forEach((name, spec) -> step("offset " + name, () -> offset("adm-r", spec)));
        step("offset of an unknown topic", () -> offset("adm-none", OffsetSpec.latest()));
        step("trim", () -> trim("adm-r", 0, 4));
        step("trim below the start", () -> trim("adm-r", 0, 2));
        step("trim beyond the end", () -> trim("adm-r", 0, 11));
        step("trim to the end", () -> trim("adm-r", 0, -1));
        step("trim an unknown partition", () -> trim("adm-r", 7, 1));
        step("offset earliest after the trim", () -> offset("adm-r", OffsetSpec.earliest()));
        step("log dirs", () -> {
            var dirs = get(admin.describeLogDirs(List.of(Integer.valueOf(node))).allDescriptions()).get(Integer.valueOf(node));
            var found = dirs.values().iterator().next();
            return dirs.size() + " " + found.error() + " " + found.replicaInfos().containsKey(new TopicPartition("adm-r", 0))
                    + " " + found.totalBytes().isPresent() + " " + found.usableBytes().isPresent();
        });
    }

    private static void deleteSteps() {
        step("delete", () -> get(admin.deleteTopics(List.of("adm-d")).all()));
        step("delete unknown", () -> get(admin.deleteTopics(List.of("adm-none")).all()));
        step("delete by id", () -> {
            Uuid id = get(admin.describeTopics(List.of("adm-e")).allTopicNames()).get("adm-e").topicId();
            get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
            Thread.sleep(300);
            return get(admin.listTopics().names()).contains("adm-e");
        });
        step("delete by unknown id", () -> get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(new Uuid(7, 8)))).all()));
        step("describe after delete", () -> get(admin.describeTopics(List.of("adm-d")).allTopicNames()));
    }

    private static void clusterSteps() {
        step("cluster", () -> {
            var cluster = admin.describeCluster();
            return get(cluster.nodes()).size() + " " + String.valueOf(get(cluster.controller()).id()).equals(node) + " "
                    + get(cluster.clusterId()).length() + " " + get(cluster.authorizedOperations());
        });
        step("features", () -> get(admin.describeFeatures().featureMetadata()).supportedFeatures().keySet().size() >= 0);
    }
}

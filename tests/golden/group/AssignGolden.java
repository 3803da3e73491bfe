import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.*;
import org.apache.kafka.coordinator.group.modern.*;
import org.apache.kafka.timeline.*;

/** Random groups through Kafka's own assignors, as lines for src/group/consumer/assign/tests.rs. */
public class AssignGolden {
    static final Random random = new Random(440);
    static final SnapshotRegistry registry = new SnapshotRegistry(new org.apache.kafka.common.utils.internals.LogContext());

    static class Member { String instance; TreeSet<Integer> topics = new TreeSet<>(); Map<Uuid, Set<Integer>> assigned = new HashMap<>(); }

    static List<String> names = new ArrayList<>();
    static List<Uuid> topics = new ArrayList<>();
    static List<Integer> counts = new ArrayList<>();
    static TreeMap<String, Member> members = new TreeMap<>();
    static boolean alike;

    static void join() {
        Member member = new Member();
        if (random.nextInt(4) == 0) member.instance = "i-" + random.nextInt(100000);
        if (alike && !members.isEmpty()) member.topics.addAll(members.firstEntry().getValue().topics);
        else for (int i = 0; i < topics.size(); i++) if (random.nextInt(3) > 0) member.topics.add(i);
        members.put(new UUID(random.nextLong(), random.nextLong()).toString().substring(0, 3 + random.nextInt(20)), member);
    }

    static void change() {
        List<String> ids = new ArrayList<>(members.keySet());
        switch (random.nextInt(6)) {
            case 0: case 1: for (int i = random.nextInt(3); i >= 0; i--) join(); break;
            case 2: case 3: for (int i = random.nextInt(3); i >= 0 && members.size() > 1; i--) { members.remove(ids.remove(random.nextInt(ids.size()))); } break;
            case 4: {
                int topic = random.nextInt(topics.size());
                boolean add = random.nextBoolean();
                Collection<Member> who = alike ? members.values() : List.of(members.get(ids.get(random.nextInt(ids.size()))));
                for (Member member : who) { if (add) member.topics.add(topic); else member.topics.remove(topic); }
                break;
            }
            default: { int topic = random.nextInt(topics.size()); counts.set(topic, counts.get(topic) + random.nextInt(5)); }
        }
    }

    static final TopicIds.TopicResolver resolver = new TopicIds.TopicResolver() {
        public org.apache.kafka.coordinator.common.runtime.CoordinatorMetadataImage image() { return null; }
        public String name(Uuid id) { int at = topics.indexOf(id); return at < 0 ? null : names.get(at); }
        public Uuid id(String name) { int at = names.indexOf(name); return at < 0 ? null : topics.get(at); }
        public void clear() { }
    };

    static void run(String assignor, boolean first) {
        TimelineHashMap<String, MemberSubscriptionAndAssignmentImpl> history = new TimelineHashMap<>(registry, 0);
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        StringBuilder out = new StringBuilder();
        Set<TreeSet<Integer>> kinds = new HashSet<>();
        for (Map.Entry<String, Member> entry : members.entrySet()) {
            Member member = entry.getValue();
            kinds.add(member.topics);
            // As the broker does when it replays the record of a member, and looks its topics up.
            List<String> sorted = new ArrayList<>();
            for (int topic : member.topics) sorted.add(names.get(topic));
            Collections.sort(sorted);
            Set<Uuid> subscribed = new TopicIds(new HashSet<>(sorted), resolver);
            history.put(entry.getKey(), new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.ofNullable(member.instance), subscribed, new Assignment(member.assigned)));
            member.assigned.forEach((topic, partitions) -> partitions.forEach(p -> inverted.computeIfAbsent(topic, k -> new HashMap<>()).put(p, entry.getKey())));
        }
        SubscriptionType type = kinds.size() == 1 ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        Map<String, MemberSubscriptionAndAssignmentImpl> specs = new HashMap<>();
        history.forEach(specs::put);
        ConsumerGroupPartitionAssignor kafka = assignor.equals("range") ? new RangeAssignor() : new UniformAssignor();
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            public int numPartitions(Uuid id) { return counts.get(topics.indexOf(id)); }
            public Set<String> racksForPartition(Uuid id, int partition) { return Set.of(); }
        };
        Map<String, MemberAssignment> result = kafka.assign(new GroupSpecImpl(specs, type, inverted), describer).members();
        out.append(first ? "new " : "next ").append(assignor);
        for (int i = 0; i < topics.size(); i++) out.append(' ').append(names.get(i)).append(':').append(topics.get(i)).append(':').append(counts.get(i));
        out.append('\n');
        for (Map.Entry<String, Member> entry : members.entrySet()) {
            MemberAssignment assignment = result.get(entry.getKey());
            Map<Uuid, Set<Integer>> partitions = assignment == null ? Map.of() : assignment.partitions();
            Member member = entry.getValue();
            out.append(entry.getKey()).append(' ').append(member.instance == null ? "-" : member.instance).append(' ').append(ints(member.topics)).append(' ').append(show(partitions)).append('\n');
            // As the broker does when it replays the record of a target.
            Map<Uuid, Set<Integer>> next = new HashMap<>();
            partitions.forEach((topic, numbers) -> next.put(topic, new HashSet<>(new ArrayList<>(numbers))));
            entry.getValue().assigned = next;
        }
        System.out.print(out);
    }

    static String ints(Collection<Integer> numbers) {
        if (numbers.isEmpty()) return "-";
        StringJoiner joiner = new StringJoiner(",");
        for (int n : numbers) joiner.add("" + n);
        return joiner.toString();
    }

    /** topic:first-last+first-last;... */
    static String show(Map<Uuid, Set<Integer>> assignment) {
        StringJoiner topicsOut = new StringJoiner(";");
        for (int i = 0; i < topics.size(); i++) {
            Set<Integer> set = assignment.get(topics.get(i));
            if (set == null) continue;
            List<Integer> sorted = new ArrayList<>(new TreeSet<>(set));
            StringJoiner ranges = new StringJoiner("+");
            for (int at = 0; at < sorted.size(); ) {
                int end = at;
                while (end + 1 < sorted.size() && sorted.get(end + 1) == sorted.get(end) + 1) end++;
                ranges.add(end == at ? "" + sorted.get(at) : sorted.get(at) + "-" + sorted.get(end));
                at = end + 1;
            }
            topicsOut.add(i + ":" + ranges);
        }
        return topicsOut.length() == 0 ? "-" : topicsOut.toString();
    }

    public static void main(String[] args) {
        int chains = Integer.parseInt(args[0]);
        int big = Integer.parseInt(args[1]);
        for (int chain = 0; chain < chains; chain++) {
            topics.clear(); names.clear(); counts.clear(); members.clear();
            alike = random.nextBoolean();
            int topicCount = 1 + random.nextInt(random.nextBoolean() ? 3 : 12);
            for (int i = 0; i < topicCount; i++) { names.add(new String[] {"t", "orders-", "eu.payments.", "x"}[random.nextInt(4)] + i); topics.add(new Uuid(random.nextLong(), random.nextLong())); counts.add(1 + random.nextInt(random.nextBoolean() ? 6 : big)); }
            for (int i = random.nextInt(random.nextBoolean() ? 4 : 25); i >= 0; i--) join();
            String assignor = random.nextInt(4) == 0 ? "range" : "uniform";
            for (int step = 0; step < 5; step++) {
                if (step > 0) change();
                run(assignor, step == 0);
            }
        }
    }
}

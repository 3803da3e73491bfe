// Prints records of groups as Kafka's group coordinator writes them: name, key and value in hex, `-` for no value.

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordHelpers;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.OffsetAndMetadata;
import org.apache.kafka.coordinator.group.classic.ClassicGroup;
import org.apache.kafka.coordinator.group.classic.ClassicGroupMember;
import org.apache.kafka.coordinator.group.classic.ClassicGroupState;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue;
import org.apache.kafka.coordinator.group.generated.GroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.LegacyOffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.apache.kafka.coordinator.group.modern.MemberState;
import org.apache.kafka.coordinator.group.modern.consumer.ConsumerGroupMember;
import org.apache.kafka.coordinator.group.modern.consumer.ResolvedRegularExpression;
import org.apache.kafka.server.common.ApiMessageAndVersion;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

public class GroupRecords {
    static final long NOW = 1700000000000L;
    static final Uuid A = new Uuid(0x0101010101010101L, 0x0101010101010101L);
    static final Uuid B = new Uuid(0x0202020202020202L, 0x0202020202020202L);

    public static void main(String[] args) {
        offsets();
        classic();
        consumer();
        old();
    }

    static void offsets() {
        put("offset", GroupCoordinatorRecordHelpers.newOffsetCommitRecord("g", "orders", 3,
            new OffsetAndMetadata(42, OptionalInt.of(7), "note \u00e9", NOW, OptionalLong.empty(), A)));
        put("offset-bare", GroupCoordinatorRecordHelpers.newOffsetCommitRecord("g", "orders", 0,
            new OffsetAndMetadata(0, OptionalInt.empty(), "", NOW, OptionalLong.empty(), Uuid.ZERO_UUID)));
        put("offset-expires", GroupCoordinatorRecordHelpers.newOffsetCommitRecord("g", "orders", 3,
            new OffsetAndMetadata(42, OptionalInt.empty(), "note", NOW, OptionalLong.of(NOW + 60000), Uuid.ZERO_UUID)));
        put("offset-gone", GroupCoordinatorRecordHelpers.newOffsetCommitTombstoneRecord("g", "orders", 3));
    }

    static void classic() {
        ClassicGroup empty = new ClassicGroup(new LogContext(), "g", ClassicGroupState.EMPTY, Time.SYSTEM, 3,
            Optional.of("consumer"), Optional.empty(), Optional.empty(), Optional.of(NOW));
        put("classic-empty", GroupCoordinatorRecordHelpers.newGroupMetadataRecord(empty, Map.of()));
        put("classic-never", GroupCoordinatorRecordHelpers.newEmptyGroupMetadataRecord(empty));
        ClassicGroup one = new ClassicGroup(new LogContext(), "g", ClassicGroupState.STABLE, Time.SYSTEM, 4,
            Optional.of("consumer"), Optional.of("range"), Optional.of("m-1"), Optional.of(NOW));
        JoinGroupRequestProtocolCollection protocols = new JoinGroupRequestProtocolCollection();
        protocols.add(new JoinGroupRequestProtocol().setName("range").setMetadata(new byte[] {1, 2}));
        one.add(new ClassicGroupMember("m-1", Optional.of("i-1"), "app", "/127.0.0.1", 300000, 45000, "consumer",
            protocols, new byte[] {3, 4, 5}));
        put("classic", GroupCoordinatorRecordHelpers.newGroupMetadataRecord(one, Map.of("m-1", new byte[] {3, 4, 5})));
        put("classic-gone", GroupCoordinatorRecordHelpers.newGroupMetadataTombstoneRecord("g"));
    }

    static void consumer() {
        put("epoch", GroupCoordinatorRecordHelpers.newConsumerGroupEpochRecord("g", 5, 0x0123456789abcdefL));
        put("epoch-no-hash", GroupCoordinatorRecordHelpers.newConsumerGroupEpochRecord("g", 5, 0));
        put("epoch-gone", GroupCoordinatorRecordHelpers.newConsumerGroupEpochTombstoneRecord("g"));
        ConsumerGroupMember.Builder builder = new ConsumerGroupMember.Builder("m-1").setClientId("app")
            .setClientHost("/127.0.0.1").setRebalanceTimeoutMs(300000).setSubscribedTopicNames(List.of("b", "a"));
        put("member", GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionRecord("g", builder.build()));
        builder.setInstanceId("i-1").setRackId("r-1").setServerAssignorName("range").setSubscribedTopicRegex("ord.*")
            .setClassicMemberMetadata(new ConsumerGroupMemberMetadataValue.ClassicMemberMetadata()
                .setSessionTimeoutMs(45000).setSupportedProtocols(List.of(
                    new ConsumerGroupMemberMetadataValue.ClassicProtocol().setName("range").setMetadata(new byte[] {1}))));
        put("member-full", GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionRecord("g", builder.build()));
        put("member-gone", GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionTombstoneRecord("g", "m-1"));
        put("target-epoch", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentMetadataRecord("g", 5, NOW));
        put("target-epoch-no-time", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentMetadataRecord("g", 5, 0));
        put("target-epoch-gone", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentMetadataTombstoneRecord("g"));
        Map<Uuid, Set<Integer>> target = new LinkedHashMap<>();
        target.put(A, new LinkedHashSet<>(List.of(0, 1)));
        target.put(B, new LinkedHashSet<>(List.of(2)));
        put("target", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentRecord("g", "m-1", target));
        put("target-none", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentRecord("g", "m-1", Map.of()));
        put("target-gone", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentTombstoneRecord("g", "m-1"));
        Map<Integer, Integer> epochs = new LinkedHashMap<>();
        epochs.put(0, 3);
        epochs.put(1, 5);
        put("current", GroupCoordinatorRecordHelpers.newConsumerGroupCurrentAssignmentRecord("g", builder
            .setMemberEpoch(5).setPreviousMemberEpoch(4).setState(MemberState.UNREVOKED_PARTITIONS)
            .setAssignedPartitions(Map.of(A, epochs)).setPartitionsPendingRevocation(Map.of(B, Map.of(2, 4))).build()));
        put("current-away", GroupCoordinatorRecordHelpers.newConsumerGroupCurrentAssignmentRecord("g", builder
            .setMemberEpoch(-2).setPreviousMemberEpoch(5).setState(MemberState.STABLE)
            .setAssignedPartitions(Map.of()).setPartitionsPendingRevocation(Map.of()).build()));
        put("current-gone", GroupCoordinatorRecordHelpers.newConsumerGroupCurrentAssignmentTombstoneRecord("g", "m-1"));
        put("regex", GroupCoordinatorRecordHelpers.newConsumerGroupRegularExpressionRecord("g", "ord.*",
            new ResolvedRegularExpression(Set.of("orders", "ord"), 12, NOW)));
        put("regex-gone", GroupCoordinatorRecordHelpers.newConsumerGroupRegularExpressionTombstone("g", "ord.*"));
    }

    // What older releases left behind; read, and written anew in today's versions.
    static void old() {
        for (short version : new short[] {0, 1, 2, 3}) {
            put("old-offset-" + version, CoordinatorRecord.record(
                new OffsetCommitKey().setGroup("g").setTopic("orders").setPartition(3),
                new ApiMessageAndVersion(new OffsetCommitValue().setOffset(42).setMetadata("note").setCommitTimestamp(NOW)
                    .setLeaderEpoch(version == 3 ? 7 : -1), version)));
            GroupMetadataValue group = new GroupMetadataValue().setProtocolType("consumer").setGeneration(4)
                .setProtocol("range").setLeader("m-1").setMembers(List.of(new GroupMetadataValue.MemberMetadata()
                    .setMemberId("m-1").setClientId("app").setClientHost("/127.0.0.1").setSessionTimeout(45000)
                    .setSubscription(new byte[] {1, 2}).setAssignment(new byte[] {3, 4, 5})));
            put("old-classic-" + version, CoordinatorRecord.record(new GroupMetadataKey().setGroup("g"),
                new ApiMessageAndVersion(group, version)));
        }
        put("old-current", CoordinatorRecord.record(
            new ConsumerGroupCurrentMemberAssignmentKey().setGroupId("g").setMemberId("m-1"),
            new ApiMessageAndVersion(new ConsumerGroupCurrentMemberAssignmentValue().setMemberEpoch(5)
                .setPreviousMemberEpoch(4).setAssignedPartitions(List.of(
                    new ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions().setTopicId(A)
                        .setPartitions(List.of(0, 1)))), (short) 0)));
        put("old-legacy-offset-gone", CoordinatorRecord.tombstone(
            new LegacyOffsetCommitKey().setGroup("g").setTopic("orders").setPartition(3)));
    }

    static void put(String name, CoordinatorRecord record) {
        GroupCoordinatorRecordSerde serde = new GroupCoordinatorRecordSerde();
        byte[] value = serde.serializeValue(record);
        HexFormat hex = HexFormat.of();
        System.out.println(name + " " + hex.formatHex(serde.serializeKey(record)) + " "
            + (value == null ? "-" : hex.formatHex(value)));
    }
}

//! The settings of a group (ConfigResource GROUP): all 27 keys of Kafka 4.4.0 (`GroupConfig`). Rows only.

use super::setting::{Check, Kind, Setting, boolean, int, list, long, text, unset};

/// Settings of a group.
// Rows are kept as rows.
#[rustfmt::skip]
pub const GROUP: &[Setting] = &[
    int("consumer.assignment.interval.ms", "1000", "Shortest time between two assignments of a consumer group.")
        .least(0).ms().from(&[("group.consumer.assignment.interval.ms", 1)]),
    boolean("consumer.assignor.offload.enable", "true", "Whether assignments are computed beside the group's own work.")
        .internal().shown(),
    int("consumer.heartbeat.interval.ms", "5000", "How often members of a consumer group report.").least(1).ms()
        .from(&[("group.consumer.heartbeat.interval.ms", 1)]),
    int("consumer.session.timeout.ms", "45000", "Silence after which a member of a consumer group is gone.")
        .least(1).ms().from(&[("group.consumer.session.timeout.ms", 1)]),
    boolean("errors.deadletterqueue.copy.record.enable", "false",
        "Whether dead letters carry key, value and headers of the record, or only where it came from.").shown(),
    text("errors.deadletterqueue.topic.name", "", "Topic for records that the share group gave up; empty for none.").shown(),
    int("share.assignment.interval.ms", "1000", "Shortest time between two assignments of a share group.")
        .least(0).ms().from(&[("group.share.assignment.interval.ms", 1)]).shown(),
    boolean("share.assignor.offload.enable", "true", "Whether assignments are computed beside the group's own work.")
        .internal().shown(),
    text("share.auto.offset.reset", "latest", "Where a share group starts on a partition it has not read.")
        .check(Check::OffsetReset).shown(),
    int("share.delivery.count.limit", "5", "Deliveries after which a record is given up.").least(2)
        .from(&[("group.share.delivery.count.limit", 1)]).shown(),
    int("share.heartbeat.interval.ms", "5000", "How often members of a share group report.").least(1).ms()
        .from(&[("group.share.heartbeat.interval.ms", 1)]).shown(),
    text("share.isolation.level", "read_uncommitted", "Whether records of open transactions are delivered.")
        .check(Check::Words(&["read_committed", "read_uncommitted"])).shown(),
    int("share.partition.max.record.locks", "2000", "Records of one partition that may be out at once.").least(100)
        .from(&[("group.share.partition.max.record.locks", 1)]).shown(),
    int("share.record.lock.duration.ms", "30000", "How long a delivered record waits for its acknowledgement.")
        .least(1000).ms().from(&[("group.share.record.lock.duration.ms", 1)]).shown(),
    boolean("share.renew.acknowledge.enable", "true", "Whether a member may prolong the lock of a record.").shown(),
    int("share.session.timeout.ms", "45000", "Silence after which a member of a share group is gone.").least(1).ms()
        .from(&[("group.share.session.timeout.ms", 1)]).shown(),
    long("streams.acceptable.recovery.lag", "10000", "Records a task may lag and still count as caught up.")
        .least(0).internal().shown(),
    int("streams.assignment.interval.ms", "1000", "Shortest time between two assignments of a streams group.")
        .least(0).ms().from(&[("group.streams.assignment.interval.ms", 1)]).shown(),
    unset("streams.assignor.name", Kind::Text, "Assignor of a streams group.").shown(),
    boolean("streams.assignor.offload.enable", "true", "Whether assignments are computed beside the group's own work.")
        .internal().shown(),
    int("streams.heartbeat.interval.ms", "5000", "How often members of a streams group report.").least(1).ms()
        .from(&[("group.streams.heartbeat.interval.ms", 1)]).shown(),
    int("streams.initial.rebalance.delay.ms", "3000", "How long a new streams group waits for more members.")
        .least(0).ms().from(&[("group.streams.initial.rebalance.delay.ms", 1)]).shown(),
    int("streams.num.standby.replicas", "0", "Standby copies of each task.").least(0)
        .from(&[("group.streams.num.standby.replicas", 1)]).shown(),
    int("streams.num.warmup.replicas", "2", "Tasks that may warm up elsewhere at once.").least(0).internal().shown(),
    list("streams.rack.aware.assignment.tags", "", "Client tags over which standby tasks are spread.")
        .from(&[("group.streams.rack.aware.assignment.tags", 1)]).shown(),
    int("streams.session.timeout.ms", "45000", "Silence after which a member of a streams group is gone.")
        .least(1).ms().from(&[("group.streams.session.timeout.ms", 1)]).shown(),
    int("streams.task.offset.interval.ms", "60000", "How often members report the offsets of their tasks.")
        .least(1).ms().internal().shown(),
];

//! The settings of the broker, by area: what it honours, and what Kafka's tools look at. Rows only.

use super::setting::{Check, Kind, Setting, boolean, double, int, list, long, short, text, unset};
use super::topic_table::{COMPRESSIONS, POLICIES, RECORD_BYTES_MAX, TIMESTAMP_TYPES};
use super::units::Unit;

const PROTOCOLS: &str = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT";

/// Who the broker is and where it is reached.
// Rows are kept as rows.
#[rustfmt::skip]
pub const IDENTITY: &[Setting] = &[
    list("advertised.listeners", "auto",
        "Addresses that clients are told; `auto` tells each client the address by which it came.").kafka(None),
    int("broker.id", "1", "Kafka's older name of `node.id`; always the same number.").kafka(Some("-1")).shown(),
    unset("broker.rack", Kind::Text, "Rack or zone of this broker, told to clients."),
    list("controller.listener.names", "", "Kept for tools: there are no controllers.").kafka(None).shown(),
    unset("inter.broker.listener.name", Kind::Text, "Kept for tools: brokers do not talk to each other.").shown(),
    text("listener.security.protocol.map", PROTOCOLS, "Which protocol each listener name stands for.").per_broker(),
    list("listeners", "PLAINTEXT://127.0.0.1:9092", "Addresses to listen on: `name://host:port` or `host:port`.")
        .kafka(Some("PLAINTEXT://:9092")),
    int("node.id", "1", "Id of this broker.").least(0).kafka(None),
    list("process.roles", "broker", "Kept for tools: this is a broker.")
        .check(Check::ListOf(&["broker", "controller"])).kafka(None).shown(),
    text("security.inter.broker.protocol", "PLAINTEXT", "Kept for tools: brokers do not talk to each other.")
        .check(Check::Words(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])).shown(),
];

/// Where logs are kept and how they are looked after.
#[rustfmt::skip]
pub const STORAGE: &[Setting] = &[
    list("log.dir", "./logboom-data", "Directory of the data, where `log.dirs` is not set.").kafka(Some("/tmp/kafka-logs")),
    unset("log.dirs", Kind::List, "Directories of the data; the first holds the catalog of a new broker."),
    int("log.open.files.max", "512", "Segment files kept open at once; the least recently used are closed.")
        .least(16).ours(),
    long("log.scrub.interval.ms", "604800000",
        "Within this time every sealed segment is read and compared with its seal; 0 for never.").least(0).ms().ours(),
    long("log.scrub.io.max.bytes.per.second", "33554432", "Most bytes a second that are read for it.")
        .least(1).bytes().ours(),
    int("log.flush.offset.checkpoint.interval.ms", "60000", "How often the durable marks are written.").least(0).ms().shown(),
    int("log.flush.start.offset.checkpoint.interval.ms", "60000", "How often log start offsets are written.")
        .least(0).ms().shown(),
    long("log.dir.reserve.bytes", "4194304",
        "Room kept in each log directory for when its disk is full: deletions and marks use it; 0 for none.")
        .least(0).bytes().ours(),
    long("log.initial.task.delay.ms", "30000", "How long after the start old segments are looked for first.")
        .least(0).ms().internal(),
    long("log.retention.check.interval.ms", "300000", "How often old segments are looked for.").least(1).ms(),
    long("log.retention.clock.jump.ms", "3600000",
        "A wall clock that moves by more than this against the time that passed has jumped: age removes nothing then.")
        .least(1000).ms().dynamic().ours(),
    long("log.retention.clock.grace.ms", "86400000",
        "How long a wall clock that jumped ahead is doubted; then what is old goes, in parts.")
        .least(0).ms().dynamic().ours(),
    int("num.recovery.threads.per.data.dir", "2", "Threads that recover logs after a crash.").least(1).dynamic().shown(),
    boolean("log.cleaner.enable", "true", "Whether compacted topics are compacted."),
    int("log.cleaner.threads", "1", "Threads that compact.").least(0).dynamic(),
    long("log.cleaner.dedupe.buffer.size", "134217728", "Most memory for the key maps of compaction.")
        .bytes().dynamic(),
    int("log.cleaner.io.buffer.size", "524288", "Read buffer of compaction.").least(0).bytes().dynamic(),
    double("log.cleaner.io.buffer.load.factor", "0.9", "How full the key map of compaction may get.").dynamic(),
    double("log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308", "Most bytes a second that compaction moves.")
        .dynamic(),
    long("log.cleaner.backoff.ms", "15000", "How long compaction sleeps when there is nothing to compact.")
        .least(0).ms().dynamic(),
];

/// Topics: how they come into being, and the defaults of their settings.
#[rustfmt::skip]
pub const TOPICS: &[Setting] = &[
    boolean("auto.create.topics.enable", "true", "Whether a topic is created when a client asks for it by name."),
    int("num.partitions", "1", "Partitions of a topic where its creator does not say.").least(1),
    int("default.replication.factor", "1", "Replicas of a topic where its creator does not say; one broker has one."),
    boolean("delete.topic.enable", "true", "Whether topics may be deleted."),
    int("compression.gzip.level", "-1", "Default of the topic setting.").check(Check::RangeOrDefault(1, 9)).dynamic(),
    int("compression.lz4.level", "9", "Default of the topic setting.").range(1, 17).dynamic(),
    text("compression.type", "producer", "Default of the topic setting.").check(Check::Words(COMPRESSIONS)).dynamic(),
    int("compression.zstd.level", "3", "Default of the topic setting.").range(-131_072, 22).dynamic(),
    long("log.cleaner.delete.retention.ms", "86400000", "Default of `delete.retention.ms`.").least(0).ms().dynamic(),
    long("log.cleaner.max.compaction.lag.ms", "9223372036854775807", "Default of `max.compaction.lag.ms`.")
        .least(1).ms().dynamic(),
    double("log.cleaner.min.cleanable.ratio", "0.5", "Default of `min.cleanable.dirty.ratio`.").check(Check::Ratio).dynamic(),
    long("log.cleaner.min.compaction.lag.ms", "0", "Default of `min.compaction.lag.ms`.").least(0).ms().dynamic(),
    list("log.cleanup.policy", "delete", "Default of `cleanup.policy`.").check(Check::ListOf(POLICIES)).dynamic(),
    long("log.flush.interval.messages", "1", "Default of `flush.messages`.")
        .least(1).kafka(Some("9223372036854775807")).dynamic(),
    unset("log.flush.interval.ms", Kind::Long, "Default of `flush.ms`.").ms().dynamic(),
    long("log.flush.scheduler.interval.ms", "9223372036854775807", "Default of `flush.ms` where nothing else is set.").ms(),
    int("log.index.interval.bytes", "4096", "Default of `index.interval.bytes`.").least(0).bytes().dynamic(),
    int("log.index.size.max.bytes", "10485760", "Default of `segment.index.bytes`.").least(4).bytes().dynamic(),
    long("log.local.retention.bytes", "-2", "Kept for tools: tiered storage is not offered.")
        .least(-2).bytes().dynamic().shown(),
    long("log.local.retention.ms", "-2", "Kept for tools: tiered storage is not offered.").least(-2).ms().dynamic().shown(),
    long("log.message.timestamp.after.max.ms", "3600000", "Default of `message.timestamp.after.max.ms`.")
        .least(0).ms().dynamic(),
    long("log.message.timestamp.before.max.ms", "9223372036854775807", "Default of `message.timestamp.before.max.ms`.")
        .least(0).ms().dynamic(),
    text("log.message.timestamp.type", "CreateTime", "Default of `message.timestamp.type`.")
        .check(Check::Words(TIMESTAMP_TYPES)).dynamic(),
    boolean("log.preallocate", "false", "Default of `preallocate`, which has no effect.").dynamic().shown(),
    long("log.remote.copy.lag.bytes", "-1", "Kept for tools: tiered storage is not offered.")
        .least(-1).bytes().dynamic().shown(),
    long("log.remote.copy.lag.ms", "0", "Kept for tools: tiered storage is not offered.").least(-1).ms().dynamic().shown(),
    long("log.retention.bytes", "-1", "Default of `retention.bytes`.").bytes().dynamic(),
    int("log.retention.hours", "168", "Default of `retention.ms`, in hours.").unit(Unit::Hours),
    unset("log.retention.minutes", Kind::Int, "Default of `retention.ms`, in minutes.").unit(Unit::Minutes),
    unset("log.retention.ms", Kind::Long, "Default of `retention.ms`.").ms().dynamic(),
    int("log.roll.hours", "168", "Default of `segment.ms`, in hours.").least(1).unit(Unit::Hours),
    int("log.roll.jitter.hours", "0", "Default of `segment.jitter.ms`, in hours.").least(0).unit(Unit::Hours),
    unset("log.roll.jitter.ms", Kind::Long, "Default of `segment.jitter.ms`.").ms().dynamic(),
    unset("log.roll.ms", Kind::Long, "Default of `segment.ms`.").ms().dynamic(),
    int("log.segment.bytes", "1073741824", "Default of `segment.bytes`.").least(1_048_576).bytes().dynamic(),
    long("log.segment.delete.delay.ms", "60000", "Default of `file.delete.delay.ms`.").least(0).ms().dynamic(),
    int("max.decompressed.message.bytes", "2147483639", "Default of the topic setting.")
        .range(1, RECORD_BYTES_MAX).bytes().dynamic(),
    int("message.max.bytes", "1048588", "Default of `max.message.bytes`: largest batch as it is stored.")
        .least(0).bytes().dynamic(),
    int("min.insync.replicas", "1", "Default of the topic setting.").least(1).dynamic(),
    boolean("unclean.leader.election.enable", "false", "Kept for tools: a lone broker elects nobody.").dynamic().shown(),
    boolean("remote.log.storage.system.enable", "false", "Kept for tools: tiered storage is not offered.").shown(),
];

/// What one connection, one client address and all of them together may take.
#[rustfmt::skip]
pub const NETWORK: &[Setting] = &[
    int("connection.max.inflight.requests", "64",
        "Requests of one connection in work at once; the next is read when one is answered.").range(1, 10_000).ours(),
    long("connections.max.idle.ms", "600000", "A connection without traffic for so long is closed; -1 for never.").ms(),
    int("max.connection.creation.rate", "2147483647", "Most new connections a second.").least(0).dynamic().shown(),
    int("max.connections", "4096", "Most connections at once; one more is closed at once.")
        .least(0).kafka(Some("2147483647")).dynamic(),
    int("max.connections.per.ip", "2147483647", "Most connections of one address.").least(0).dynamic(),
    text("max.connections.per.ip.overrides", "", "Exceptions from `max.connections.per.ip`: `address:number,...`.").dynamic(),
    int("max.request.partition.size.limit", "2000", "Most partitions in one answer of DescribeTopicPartitions.").least(1),
    int("num.io.threads", "8", "Kept for tools: threads follow the number of processors.").least(1).dynamic().shown(),
    int("num.network.threads", "3", "Kept for tools: threads follow the number of processors.")
        .least(1).dynamic().shown(),
    int("queued.max.requests", "500", "Kept for tools: `queued.max.request.bytes` bounds what is in work.")
        .least(1).shown(),
    long("queued.max.request.bytes", "100663296", "Most bytes of requests in memory at once; more wait in the sockets.")
        .least(1_048_576).bytes().kafka(Some("-1")),
    int("request.timeout.ms", "30000", "Longest time a request may ask the broker to wait.").ms().shown(),
    int("socket.listen.backlog.size", "1024", "Connections that the kernel keeps while the broker is busy.")
        .least(1).kafka(Some("50")).shown(),
    int("socket.receive.buffer.bytes", "102400", "Kept for tools: the kernel tunes its buffers.").bytes().shown(),
    int("socket.request.max.bytes", "104857600", "Largest request.").least(1).bytes(),
    int("socket.send.buffer.bytes", "102400", "Kept for tools: the kernel tunes its buffers.").bytes().shown(),
];

/// Reading.
#[rustfmt::skip]
pub const FETCH: &[Setting] = &[
    int("fetch.max.bytes", "57671680", "Most bytes of one fetch answer, whatever the client asks for.").least(1024).bytes(),
    int("max.incremental.fetch.session.cache.slots", "1000", "Most fetch sessions kept.").least(0),
    unset("replica.selector.class", Kind::Text, "Kept for tools: a lone broker has no other replica to read from.").shown(),
];

/// Groups, offsets, producers and transactions.
#[rustfmt::skip]
pub const COORDINATORS: &[Setting] = &[
    list("group.coordinator.rebalance.protocols", "classic,consumer,streams", "Group protocols on offer.")
        .check(Check::ListOf(&["consumer", "classic", "share", "streams"])).shown(),
    int("group.initial.rebalance.delay.ms", "0", "How long a new group waits for more members.")
        .ms().kafka(Some("3000")),
    int("group.min.session.timeout.ms", "6000", "Shortest session timeout that a member may ask for.").ms(),
    int("group.max.session.timeout.ms", "1800000", "Longest session timeout that a member may ask for.").ms(),
    int("group.max.size", "2147483647", "Most members of a classic group.").least(1),
    list("group.consumer.assignors", "uniform,range", "Assignors of consumer groups, the first is the default."),
    int("group.consumer.assignment.interval.ms", "1000", "Default of `consumer.assignment.interval.ms`.")
        .least(0).ms().dynamic(),
    int("group.consumer.min.assignment.interval.ms", "0", "Least `consumer.assignment.interval.ms` of a group.")
        .least(0).ms(),
    int("group.consumer.max.assignment.interval.ms", "15000", "Most `consumer.assignment.interval.ms` of a group.")
        .least(0).ms(),
    int("group.consumer.heartbeat.interval.ms", "5000", "Default of `consumer.heartbeat.interval.ms`.").least(1).ms(),
    int("group.consumer.min.heartbeat.interval.ms", "5000", "Least `consumer.heartbeat.interval.ms` of a group.")
        .least(1).ms(),
    int("group.consumer.max.heartbeat.interval.ms", "15000", "Most `consumer.heartbeat.interval.ms` of a group.")
        .least(1).ms(),
    int("group.consumer.max.size", "2147483647", "Most members of a consumer group.").least(1),
    text("group.consumer.migration.policy", "bidirectional", "Which group may change its protocol while it lives.")
        .check(Check::WordsAnyCase(&["disabled", "downgrade", "upgrade", "bidirectional"])),
    int("group.consumer.regex.refresh.interval.ms", "600000", "Age at which topics are matched anew.")
        .least(10_000).ms().internal(),
    int("group.consumer.session.timeout.ms", "45000", "Default of `consumer.session.timeout.ms`.").least(1).ms(),
    int("group.consumer.min.session.timeout.ms", "45000", "Least `consumer.session.timeout.ms` of a group.")
        .least(1).ms(),
    int("group.consumer.max.session.timeout.ms", "60000", "Most `consumer.session.timeout.ms` of a group.")
        .least(1).ms(),
    int("offset.metadata.max.bytes", "4096", "Largest note that goes with a committed offset.").bytes(),
    int("offsets.commit.timeout.ms", "5000", "How long a commit may take.").least(1).ms(),
    long("offsets.retention.check.interval.ms", "600000", "How often expired offsets are looked for.").least(1).ms(),
    int("offsets.retention.minutes", "10080", "How long committed offsets outlive their group.")
        .least(1).unit(Unit::Minutes),
    int("offsets.topic.compression.codec", "0", "Kept for tools.").shown(),
    int("offsets.topic.num.partitions", "8", "Logs that groups are spread over, fixed once there is a group. \
        Each has syncs of its own, so one broker gains nothing from Kafka's 50.").least(1).kafka(Some("50")),
    short("offsets.topic.replication.factor", "1", "Replicas of the topic of committed offsets.")
        .least(1).kafka(Some("3")).shown(),
    int("offsets.topic.segment.bytes", "104857600", "`segment.bytes` of the topic of committed offsets.")
        .least(1).bytes(),
    int("producer.id.expiration.ms", "86400000", "How long the broker remembers an idle producer of a partition.")
        .least(1).ms().dynamic(),
    int("transaction.max.timeout.ms", "900000", "Longest timeout that a transaction may ask for.").least(1).ms().shown(),
    int("transaction.state.log.min.isr", "1", "`min.insync.replicas` of the topic of transactions.")
        .least(1).kafka(Some("2")).shown(),
    int("transaction.state.log.num.partitions", "50", "Partitions of the topic of transactions.").least(1).shown(),
    short("transaction.state.log.replication.factor", "1", "Replicas of the topic of transactions.")
        .least(1).kafka(Some("3")).shown(),
    int("transaction.state.log.segment.bytes", "104857600", "`segment.bytes` of the topic of transactions.")
        .least(1).bytes().shown(),
    int("transactional.id.expiration.ms", "604800000", "How long an idle transactional id is remembered.")
        .least(1).ms().shown(),
];

/// All settings of the broker.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    [IDENTITY, STORAGE, TOPICS, NETWORK, FETCH, COORDINATORS].into_iter().flatten()
}

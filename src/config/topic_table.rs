//! The settings of a topic: all 38 keys of Kafka 4.4.0 (`LogConfig`), in the alphabet's order like the answers of
//! DescribeConfigs. Rows only.

use super::setting::{Check, Kind, Setting, boolean, double, int, list, long, text, unset};

pub(super) const COMPRESSIONS: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];
pub(super) const POLICIES: &[&str] = &["compact", "delete"];
pub(super) const TIMESTAMP_TYPES: &[&str] = &["CreateTime", "LogAppendTime"];
/// Largest array of a Java virtual machine: Kafka's "no limit" for one record.
pub(super) const RECORD_BYTES_MAX: i64 = 2_147_483_639;

/// Settings of a topic.
// Rows are kept as rows: one glance per key is worth more than the formatter's lines.
#[rustfmt::skip]
pub const TOPIC: &[Setting] = &[
    list("cleanup.policy", "delete",
        "What happens to old segments: `delete` drops them by age or size, `compact` keeps the newest record of each \
         key, both do both, an empty list keeps everything.")
        .check(Check::ListOf(POLICIES)).from(&[("log.cleanup.policy", 1)]),
    int("compression.gzip.level", "-1", "Level of gzip where the broker compresses; -1 is gzip's own default.")
        .check(Check::RangeOrDefault(1, 9)).from(&[("compression.gzip.level", 1)]),
    int("compression.lz4.level", "9", "Level of lz4 where the broker compresses.")
        .range(1, 17).from(&[("compression.lz4.level", 1)]),
    text("compression.type", "producer",
        "How batches are stored: `producer` keeps them as they came, any other word compresses them anew if needed.")
        .check(Check::Words(COMPRESSIONS)).from(&[("compression.type", 1)]),
    int("compression.zstd.level", "3", "Level of zstd where the broker compresses.")
        .range(-131_072, 22).from(&[("compression.zstd.level", 1)]),
    long("delete.retention.ms", "86400000",
        "How long compaction keeps the marker of a deleted key, so that slow readers still learn of the deletion.")
        .least(0).ms().from(&[("log.cleaner.delete.retention.ms", 1)]),
    boolean("errors.deadletterqueue.group.enable", "false", "Whether share groups may use the topic for dead letters.")
        .shown(),
    long("file.delete.delay.ms", "60000", "How long a segment taken out of the log stays on disk under `.deleted`.")
        .least(0).ms().from(&[("log.segment.delete.delay.ms", 1)]),
    long("flush.messages", "1",
        "Records after which the log is synced to disk. 1: nothing is acknowledged or readable before it is durable.")
        .least(1).kafka(Some("9223372036854775807")).from(&[("log.flush.interval.messages", 1)]),
    long("flush.ms", "9223372036854775807", "Longest time records stay unsynced where `flush.messages` is above 1.")
        .least(0).ms().from(&[("log.flush.interval.ms", 1), ("log.flush.scheduler.interval.ms", 1)]),
    list("follower.replication.throttled.replicas", "", "Kept for tools: a lone broker has no followers to slow down.")
        .check(Check::ThrottledReplicas).shown(),
    int("index.interval.bytes", "4096", "An entry goes to the offset index once more than this was appended.")
        .least(0).bytes().from(&[("log.index.interval.bytes", 1)]),
    unset("internal.segment.bytes", Kind::Int, "Stands in for `segment.bytes` without its lower limit, for tests.")
        .bytes().internal(),
    list("leader.replication.throttled.replicas", "", "Kept for tools: a lone broker has no followers to slow down.")
        .check(Check::ThrottledReplicas).shown(),
    long("local.retention.bytes", "-2", "Kept for tools: size of the local part of a tiered topic; -2 follows retention.")
        .least(-2).bytes().from(&[("log.local.retention.bytes", 1)]).shown(),
    long("local.retention.ms", "-2", "Kept for tools: age of the local part of a tiered topic; -2 follows retention.")
        .least(-2).ms().from(&[("log.local.retention.ms", 1)]).shown(),
    long("max.compaction.lag.ms", "9223372036854775807",
        "Longest time a record of a compacted topic waits for compaction; closes the active segment if need be.")
        .least(1).ms().from(&[("log.cleaner.max.compaction.lag.ms", 1)]),
    int("max.decompressed.message.bytes", "2147483639", "Largest record after decompression.")
        .range(1, RECORD_BYTES_MAX).bytes().from(&[("max.decompressed.message.bytes", 1)]),
    int("max.message.bytes", "1048588", "Largest batch as it is stored, header included.")
        .least(0).bytes().from(&[("message.max.bytes", 1)]),
    long("message.timestamp.after.max.ms", "3600000", "How far ahead of the broker's clock a producer's timestamp may be.")
        .least(0).ms().from(&[("log.message.timestamp.after.max.ms", 1)]),
    long("message.timestamp.before.max.ms", "9223372036854775807",
        "How far behind the broker's clock a producer's timestamp may be.")
        .least(0).ms().from(&[("log.message.timestamp.before.max.ms", 1)]),
    text("message.timestamp.type", "CreateTime", "Whose time records carry: the producer's or the broker's.")
        .check(Check::Words(TIMESTAMP_TYPES)).from(&[("log.message.timestamp.type", 1)]),
    double("min.cleanable.dirty.ratio", "0.5", "Part of a log that must be uncompacted before compaction runs again.")
        .check(Check::Ratio).from(&[("log.cleaner.min.cleanable.ratio", 1)]),
    long("min.compaction.lag.ms", "0", "Shortest time a record stays uncompacted.")
        .least(0).ms().from(&[("log.cleaner.min.compaction.lag.ms", 1)]),
    int("min.insync.replicas", "1", "Replicas that must have a record before acks=all is answered; one broker is one.")
        .least(1).from(&[("min.insync.replicas", 1)]),
    boolean("preallocate", "false", "Kept for tools: segments never carry a tail of zeros, which Kafka's tools stumble on.")
        .from(&[("log.preallocate", 1)]).shown(),
    long("remote.copy.lag.bytes", "-1", "Kept for tools: tiered storage is not offered.")
        .least(-1).bytes().from(&[("log.remote.copy.lag.bytes", 1)]).shown(),
    long("remote.copy.lag.ms", "0", "Kept for tools: tiered storage is not offered.")
        .least(-1).ms().from(&[("log.remote.copy.lag.ms", 1)]).shown(),
    boolean("remote.log.copy.disable", "false", "Kept for tools: tiered storage is not offered.").shown(),
    boolean("remote.log.delete.on.disable", "false", "Kept for tools: tiered storage is not offered.").shown(),
    boolean("remote.storage.enable", "false", "Tiered storage is not offered: only `false` is taken.").shown(),
    long("retention.bytes", "-1", "Size of a partition above which its oldest segments are dropped; -1 for no limit.")
        .bytes().from(&[("log.retention.bytes", 1)]),
    long("retention.ms", "604800000", "Age of its newest record after which a segment is dropped; -1 keeps all.")
        .least(-1).ms()
        .from(&[("log.retention.ms", 1), ("log.retention.minutes", 60_000), ("log.retention.hours", 3_600_000)]),
    int("segment.bytes", "1073741824", "A segment is closed before it would grow larger than this.")
        .least(1_048_576).bytes().from(&[("log.segment.bytes", 1)]),
    int("segment.index.bytes", "10485760", "Size at which an index is full, which closes its segment.")
        .least(4).bytes().from(&[("log.index.size.max.bytes", 1)]),
    long("segment.jitter.ms", "0", "Up to this much, by chance, is taken off `segment.ms`, so that not all roll at once.")
        .least(0).ms().from(&[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", 3_600_000)]),
    long("segment.ms", "604800000", "A segment is closed once its records span this much time.")
        .least(1).ms().from(&[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)]),
    boolean("unclean.leader.election.enable", "false", "Kept for tools: a lone broker elects nobody.")
        .from(&[("unclean.leader.election.enable", 1)]).shown(),
];

//! Every bound of the Kafka door, with its reason. What can be set comes from the settings; the rest is fixed here.

use std::time::Duration;

/// Bounds of the door. The number of connections is not among them: it may change while the broker runs, and is
/// looked up in the settings.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest frame taken, bytes (`socket.request.max.bytes`).
    pub frame_bytes_max: usize,
    /// Requests of one connection that wait for their answer; more are left in the socket.
    pub in_flight_max: usize,
    /// Bytes of all requests read and not yet answered (`queued.max.request.bytes`); reserved before a body is read.
    pub queued_bytes_max: usize,
    /// A connection without traffic is closed after this time (`connections.max.idle.ms`). Also the time a reader
    /// may let a half-written answer stand.
    pub idle: Duration,
    /// A frame that has begun must go on within this time.
    pub stall: Duration,
}

/// Answers owed to one connection where nothing is set. Clients pipeline 5 (Java) to some dozens (librdkafka) of
/// requests; more queue in the socket, where they cost us nothing.
pub const IN_FLIGHT_MAX: usize = 64;

/// Requests in memory at once where nothing is set: with one of the largest frames beyond it, and all else that the
/// broker holds, it stays below 256 MiB.
pub const QUEUED_BYTES_MAX: usize = 96 << 20;

/// Long answers in memory at once: some dozens of those that name 10,000 partitions.
pub const ANSWERS_HELD_BYTES_MAX: usize = 16 << 20;

/// Nobody who means well pauses inside a frame for so long.
pub const STALL: Duration = Duration::from_secs(30);

/// A frame must arrive at this rate, bytes a second, beyond the first [`STALL`].
pub const FRAME_BYTES_PER_SECOND_MIN: usize = 64 << 10;

/// What is allocated for a frame before any of it has arrived; beyond it the buffer grows with what came.
pub const FRAME_FIRST_BYTES: usize = 128 << 10;

/// Bytes of a connection read before it is known what they are: some dozens of small requests, and little to copy of
/// a large one. Not part of the budget of requests; memory is held only while such bytes wait for their turn.
pub const READ_AHEAD_BYTES: usize = 4 << 10;

/// Bytes of a file read for one write: large enough that the call is noise, small enough for the cache.
pub const FILE_CHUNK_BYTES: usize = 128 << 10;

/// Pieces of one vectored write.
pub const WRITE_PARTS_MAX: usize = 64;

/// Bytes of small answers that are gathered for one write.
pub const ANSWERS_BYTES_MAX: usize = 64 << 10;

/// Bytes of requests of one connection that wait for their answers, with what works on them; beyond it no more are
/// read. Some usual ones, so that a thousand connections that take no answers do not hold the memory of all. Produced
/// records are not counted, since they do not wait in memory.
pub const WAITING_BYTES_MAX: usize = 16 << 10;

/// Partitions remembered by all fetch sessions together: some 100 bytes each. Beyond it no session is made and
/// clients fetch without one.
pub const SESSION_PARTITIONS_MAX: usize = 200_000;

/// A session unused for so long gives its slot to a new one (Kafka's `min.incremental.fetch.session.eviction.ms`).
pub const SESSION_IDLE: Duration = Duration::from_secs(120);

impl Default for Limits {
    /// Kafka's defaults where Kafka has the setting.
    fn default() -> Limits {
        Limits {
            frame_bytes_max: 100 << 20,
            in_flight_max: IN_FLIGHT_MAX,
            queued_bytes_max: QUEUED_BYTES_MAX,
            idle: Duration::from_secs(600),
            stall: STALL,
        }
    }
}

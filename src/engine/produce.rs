//! Producing: order is fixed at once, in the caller's thread; durability is waited for on what is returned.

use super::registry::Served;
use super::{Engine, Refusal, TopicRef};
use crate::log::Ticket;
use crate::record::{BatchHeader, check_produced};
use crate::sys::Clock;
use crate::types::{ErrorCode, MonoNs, Offset, TimestampMs};
use bytes::BytesMut;

/// When a producer wants to hear of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// Never.
    None,
    /// Once they are written.
    Leader,
    /// Once they are durable as the topic's settings say.
    All,
}

/// Records for one partition, in one batch.
#[derive(Debug)]
pub struct Produce {
    /// The topic.
    pub topic: TopicRef,
    /// The partition.
    pub partition: i32,
    /// One record batch as the producer sent it; checked and stamped in place.
    pub records: BytesMut,
}

/// Records that are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Produced {
    /// Offset of the first record.
    pub first: Offset,
    /// Time given by the broker; -1 if the producer's were kept.
    pub log_append_time: TimestampMs,
    /// Log start offset.
    pub start: Offset,
}

/// Records that are not in the log, or, for `REQUEST_TIMED_OUT` and `KAFKA_STORAGE_ERROR`, may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotProduced {
    /// What the client acts on.
    pub code: ErrorCode,
    /// What a person reads.
    pub message: String,
    /// Log start offset, where it is told; -1 else.
    pub start: Offset,
    /// Positions of faulty records in the batch with what is wrong (KIP-467).
    pub record_errors: Vec<(i32, String)>,
}

/// Records whose place is fixed.
#[derive(Debug)]
pub struct Appended {
    produced: Produced,
    ticket: Ticket,
}

impl NotProduced {
    fn new(code: ErrorCode, message: impl Into<String>) -> NotProduced {
        NotProduced { code, message: message.into(), start: Offset(-1), record_errors: Vec::new() }
    }
}

impl From<Refusal> for NotProduced {
    fn from(refusal: Refusal) -> NotProduced {
        NotProduced::new(refusal.code, refusal.message)
    }
}

impl Engine {
    /// Appends records to a partition that is open (see [`Engine::open_all`]); does not wait.
    pub fn append(&self, produce: Produce) -> Result<Appended, NotProduced> {
        let served = self.served_now((&produce.topic).into(), produce.partition)?;
        self.append_to(&served, produce.records)
    }

    /// Appends records, one batch, to an open partition; does not wait.
    pub fn append_to(&self, served: &Served, records: BytesMut) -> Result<Appended, NotProduced> {
        let partition = &served.partition;
        let rules = served.rules.load();
        if rules.is_own {
            let why = "the broker alone writes to this topic";
            return Err(NotProduced::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why));
        }
        // Kafka tells the log start offset where the log refuses, and not where it is not asked.
        let whole = BatchHeader::parse(&records).is_ok_and(|header| header.size == records.len());
        let batches = check_produced(records, &rules.append, self.clock.wall()).map_err(|rejected| {
            let told =
                whole && !matches!(rejected.error, ErrorCode::MESSAGE_TOO_LARGE | ErrorCode::CORRUPT_MESSAGE);
            NotProduced {
                code: rejected.error,
                message: rejected.message,
                start: if told { partition.marks().start } else { Offset(-1) },
                record_errors: rejected.record_errors,
            }
        })?;
        let accepted = partition.append(batches).map_err(|refused| {
        if refused.error == ErrorCode::KAFKA_STORAGE_ERROR
            && let Some(held_back) = self.quiet.allow(self.clock.mono())
        {
            tracing::warn!(partition = %partition.id(), error = %refused.message, held_back, "cannot append");
        }
        NotProduced { start: partition.marks().start, ..NotProduced::new(refused.error, refused.message) }
    })?;
        Ok(Appended {
            produced: Produced {
                first: accepted.first,
                log_append_time: accepted.log_append_time,
                start: accepted.start,
            },
            ticket: accepted.ticket,
        })
    }
}

impl Appended {
    /// What happened, without waiting for durability.
    pub fn written(&self) -> Produced {
        self.produced
    }

    /// True if [`Appended::durable`] would not wait.
    pub fn is_durable(&self) -> bool {
        self.ticket.is_done()
    }

    /// Waits until the records are durable, but not beyond `deadline`.
    pub async fn durable(self, clock: &dyn Clock, deadline: MonoNs) -> Result<Produced, NotProduced> {
        let Appended { produced, ticket } = self;
        if ticket.is_done() {
            return Ok(produced);
        }
        let done = tokio::select! {
            biased;
            done = ticket.done() => Some(done),
            () = clock.sleep_until(deadline) => None,
        };
        match done {
            Some(Ok(())) => Ok(produced),
            Some(Err(failed)) => Err(NotProduced::new(ErrorCode::KAFKA_STORAGE_ERROR, failed.to_string())),
            None => Err(NotProduced::new(
                ErrorCode::REQUEST_TIMED_OUT,
                "the records were written, and not yet durable when the request's time was over",
            )),
        }
    }
}

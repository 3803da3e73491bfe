//! Produce, 3-13: appends records.
//!
//! - below 7: no zstd
//! - 8: positions of faulty records and a sentence (KIP-467); older versions leave them out
//! - 9: flexible; 13: topics by id
//!
//! Records are appended in phase one, so that the requests of a connection keep their order; phase two waits for
//! durability. The bytes of the records stay in the frame they came in.

use super::*;
use crate::engine::{Acks, Appended, Engine, NotProduced, Produce, Produced};
use crate::record::{BatchHeader, Codec};
use crate::sys::Clock;
use crate::types::{MonoNs, Offset};
use crate::wire::Records;
use crate::wire::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceResponse,
};
use bytes::BytesMut;
use std::ops::Range;
use std::time::Duration;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = ProduceRequest;
    const VERSIONS: RangeInclusive<i16> = 3..=13;
    const KEEPS_FRAME: bool = false;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let asked = Asked::read(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        let places = asked.parts.iter().map(|part| (&part.topic, part.partition));
        let Some(opening) = engine.open_all(places) else { return Ok(asked.append(cx, head)?) };
        let cx = cx.clone();
        Ok(Answer::First(Box::pin(async move {
            opening.await;
            asked.append(&cx, head)
        })))
    }
}

/// Final for every client, as where it asks for the coordinator.
const NO_TRANSACTIONS: &str = "Transactions are not served by this broker.";

/// A request taken apart.
struct Asked {
    acks: i16,
    transactional: bool,
    timeout_ms: i32,
    parts: Vec<Part>,
}

/// Records of one partition.
struct Part {
    topic: TopicRef,
    /// The topic as the answer repeats it.
    name: Str,
    id: Uuid,
    partition: i32,
    records: BytesMut,
}

/// Where the records of a partition lie in the body.
struct Placed {
    name: Str,
    id: Uuid,
    partition: i32,
    at: Range<usize>,
}

/// An append on its way.
type Outcome = Result<Appended, NotProduced>;

impl Asked {
    fn read(head: Head, body: Bytes) -> Result<Asked, BadRequest> {
        let request: ProduceRequest = decode(head, body.clone())?;
        let start = body.as_ptr() as usize;
        let mut placed = Vec::new();
        for topic in &request.topic_data {
            for part in &topic.partition_data {
                let at = match &part.records {
                    Some(Records::Bytes(bytes)) => {
                        let at = (bytes.as_ptr() as usize).saturating_sub(start);
                        at..at.saturating_add(bytes.len())
                    }
                    _ => 0..0,
                };
                // Copies, so that nothing holds the frame below.
                placed.push(Placed {
                    name: topic.name.detached(),
                    id: topic.topic_id,
                    partition: part.index,
                    at,
                });
            }
        }
        let ProduceRequest { acks, timeout_ms, transactional_id, topic_data } = request;
        drop(topic_data);
        let by_id = head.version >= 13;
        let parts = cut_out(body, placed, by_id);
        Ok(Asked { acks, transactional: transactional_id.is_some(), timeout_ms, parts })
    }

    /// Fixes the order of the records and says how the answer comes about.
    fn append(self, cx: &ConnCx, head: Head) -> Result<Answer, Close> {
        let engine = &cx.door.engine;
        let refusal = self.refusal();
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            let outcome = match &refusal {
                Some(refusal) => Err(refusal.clone()),
                None => append_one(engine, &part.topic, part.partition, part.records, head.version),
            };
            parts.push((part.name, part.id, part.partition, outcome));
        }
        let acks = match self.acks {
            0 => return silent(&parts),
            1 => Acks::Leader,
            _ => Acks::All,
        };
        let clock = Arc::clone(&cx.door.clock);
        let span = Duration::from_millis(u64::try_from(self.timeout_ms).unwrap_or(0));
        let deadline = clock.mono().after(span);
        Ok(later(head, async move { respond(parts, acks, &*clock, deadline).await }))
    }

    /// Why all of the request is refused.
    fn refusal(&self) -> Option<NotProduced> {
        let (code, message) = if !(-1..=1).contains(&self.acks) {
            (ErrorCode::INVALID_REQUIRED_ACKS, "acks must be 0, 1 or -1")
        } else if self.transactional {
            (ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NO_TRANSACTIONS)
        } else {
            return None;
        };
        Some(refused(code, message))
    }
}

fn refused(code: ErrorCode, message: &str) -> NotProduced {
    NotProduced { code, message: message.to_owned(), start: Offset(-1), record_errors: Vec::new() }
}

/// Splits the records out of the body in place; copies only if somebody else still holds the frame.
fn cut_out(body: Bytes, placed: Vec<Placed>, by_id: bool) -> Vec<Part> {
    let mut body = body.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    let mut done = 0;
    let cut = |Placed { name, id, partition, at }| {
        // Ranges come in the order of decoding, so each starts where the one before it ended or later.
        let skip = at.start.saturating_sub(done).min(body.len());
        let records = if at.is_empty() {
            BytesMut::new()
        } else {
            drop(body.split_to(skip));
            let records = body.split_to(at.len().min(body.len()));
            done = at.end;
            records
        };
        Part { topic: topic_ref(&name, id, by_id), name, id, partition, records }
    };
    placed.into_iter().map(cut).collect()
}

fn append_one(engine: &Engine, topic: &TopicRef, partition: i32, records: BytesMut, version: i16) -> Outcome {
    let header = BatchHeader::parse(&records).ok();
    if header.is_some_and(|header| header.is_transactional()) {
        return Err(refused(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NO_TRANSACTIONS));
    }
    if version < 7 && header.is_some_and(|header| header.codec() == Ok(Codec::Zstd)) {
        let why = "zstd batches may be produced from version 7 of the Produce API on";
        return Err(refused(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, why));
    }
    engine.append(Produce { topic: topic.clone(), partition, records })
}

/// With acks=0 nothing is answered; a failure is told by closing the connection, as Kafka does, so that the client
/// looks up its metadata again.
fn silent(parts: &[(Str, Uuid, i32, Outcome)]) -> Result<Answer, Close> {
    match parts
        .iter()
        .find_map(|(name, _, partition, outcome)| Some((name, partition, outcome.as_ref().err()?)))
    {
        Some((name, partition, error)) => {
            Err(Close(format!("produce with acks=0 to {name}-{partition} failed: {}", error.code)))
        }
        None => Ok(Answer::Silent),
    }
}

async fn respond(
    parts: Vec<(Str, Uuid, i32, Outcome)>,
    acks: Acks,
    clock: &dyn Clock,
    deadline: MonoNs,
) -> ProduceResponse {
    let mut responses: Vec<TopicProduceResponse> = Vec::new();
    for (name, topic_id, index, outcome) in parts {
        let outcome = match (outcome, acks) {
            (Ok(appended), Acks::All) => appended.durable(clock, deadline).await,
            (outcome, _) => outcome.map(|appended| appended.written()),
        };
        let answer = partition_response(index, outcome);
        match responses.last_mut() {
            Some(topic) if topic.topic_id == topic_id && topic.name == name => {
                topic.partition_responses.push(answer);
            }
            _ => responses.push(TopicProduceResponse { name, topic_id, partition_responses: vec![answer] }),
        }
    }
    ProduceResponse { responses, ..Default::default() }
}

fn partition_response(index: i32, outcome: Result<Produced, NotProduced>) -> PartitionProduceResponse {
    match outcome {
        Ok(produced) => PartitionProduceResponse {
            index,
            base_offset: produced.first.0,
            log_append_time_ms: produced.log_append_time.0,
            log_start_offset: produced.start.0,
            ..Default::default()
        },
        Err(failed) => PartitionProduceResponse {
            index,
            error_code: failed.code,
            base_offset: -1,
            log_start_offset: failed.start.0,
            record_errors: failed
                .record_errors
                .into_iter()
                .map(|(batch_index, text)| BatchIndexAndErrorMessage {
                    batch_index,
                    batch_index_error_message: Some(Str::from(text)),
                })
                .collect(),
            error_message: (!failed.message.is_empty()).then(|| Str::from(failed.message)),
            ..Default::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::produce::{PartitionProduceData, TopicProduceData};
    use crate::wire::{ApiKey, frame};

    #[test]
    fn records_stay_where_the_frame_was_read() {
        let data = |index: i32, bytes: &'static [u8]| PartitionProduceData {
            index,
            records: Some(Records::Bytes(Bytes::from_static(bytes))),
        };
        let topic = TopicProduceData {
            name: Str::from("orders"),
            partition_data: vec![data(0, b"first"), data(1, b""), data(2, b"third")],
            ..Default::default()
        };
        let request = ProduceRequest { topic_data: vec![topic], ..Default::default() };
        let sent = frame::encode_request(&request, 9, 1, None).unwrap().to_bytes().unwrap();
        // As the connection reads it: into a buffer of its own.
        let mut buffer = BytesMut::with_capacity(sent.len());
        buffer.extend_from_slice(&sent[4..]);
        let place = buffer.as_ptr() as usize..buffer.as_ptr() as usize + buffer.len();
        let mut reader = crate::wire::Reader::new(buffer.freeze());
        drop(frame::decode_request_header(&mut reader).unwrap());
        let body = reader.rest();
        drop(reader);
        let head = Head { key: ApiKey::PRODUCE, version: 9, correlation: 1 };
        let parts = Asked::read(head, body).unwrap().parts;
        let records: Vec<&[u8]> = parts.iter().map(|part| &part.records[..]).collect();
        assert_eq!(records, [&b"first"[..], b"", b"third"]);
        for part in parts.iter().filter(|part| !part.records.is_empty()) {
            assert!(place.contains(&(part.records.as_ptr() as usize)), "records were copied");
        }
    }
}

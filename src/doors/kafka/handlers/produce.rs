//! Produce, 3-13: appends records.
//!
//! - below 7: no zstd
//! - 8: positions of faulty records and a sentence (KIP-467); older versions leave them out
//! - 9: flexible; 13: topics by id
//!
//! Records are appended in phase one, so that the requests of a connection keep their order; phase two waits for
//! durability. The bytes of the records stay in the frame they came in.

use super::*;
use crate::engine::{Acks, Appended, Engine, Looked, NotProduced, Opening, Produced, Served, TopicName};
use crate::record::{BatchHeader, Codec};
use crate::sys::Clock;
use crate::types::{MonoNs, Offset};
use crate::wire::Records;
use crate::wire::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceResponse,
};
use bytes::{Buf as _, BytesMut};
use futures_util::future::join_all;
use std::ops::Range;
use std::time::Duration;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = ProduceRequest;
    const VERSIONS: RangeInclusive<i16> = 3..=13;
    const KEEPS_FRAME: bool = false;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let mut asked = Asked::read(head, body)?;
        let openings = asked.look(&cx.door.engine);
        if openings.is_empty() {
            return Ok(asked.append(cx, head)?);
        }
        let cx = cx.clone();
        Ok(Answer::First(Box::pin(async move {
            join_all(openings).await;
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
    by_id: bool,
    parts: Vec<Part>,
    body: Body,
}

/// Records for one partition.
struct Part {
    /// The topic as the answer repeats it.
    name: Str,
    id: Uuid,
    partition: i32,
    /// Where the records lie in the body.
    at: Range<usize>,
    /// What a look found; none if it has to be done once what is being opened is open.
    found: Option<Result<Arc<Served>, Refusal>>,
}

impl Part {
    fn topic(&self, by_id: bool) -> TopicName<'_> {
        if by_id { TopicName::Id(self.id) } else { TopicName::Name(&self.name) }
    }
}

impl Asked {
    fn read(head: Head, body: Bytes) -> Result<Asked, BadRequest> {
        let request: ProduceRequest = decode(head, body.clone())?;
        let start = body.as_ptr() as usize;
        let mut parts =
            Vec::with_capacity(request.topic_data.iter().map(|topic| topic.partition_data.len()).sum());
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
                let (name, id) = (topic.name.detached(), topic.topic_id);
                parts.push(Part { name, id, partition: part.index, at, found: None });
            }
        }
        let ProduceRequest { acks, timeout_ms, transactional_id, topic_data } = request;
        let transactional = transactional_id.is_some();
        drop((topic_data, transactional_id));
        let body = Body::new(body, &parts);
        Ok(Asked { acks, transactional, timeout_ms, by_id: head.version >= 13, parts, body })
    }

    /// Looks for all partitions once; what has to be opened first.
    fn look(&mut self, engine: &Engine) -> Vec<Opening> {
        let mut openings = Vec::new();
        for part in &mut self.parts {
            part.found = match engine.look(part.topic(self.by_id), part.partition) {
                Looked::Open(served) => Some(Ok(served)),
                Looked::Refused(refusal) => Some(Err(refusal)),
                Looked::Opening(wait) => {
                    openings.push(wait);
                    None
                }
            };
        }
        if !openings.is_empty() {
            // Until those are open, the others may have been closed.
            self.parts.iter_mut().for_each(|part| part.found = None);
        }
        openings
    }

    /// Fixes the order of the records and says how the answer comes about.
    fn append(mut self, cx: &ConnCx, head: Head) -> Result<Answer, Close> {
        let engine = &cx.door.engine;
        let refusal = self.refusal();
        let mut answered = Answered::default();
        for mut part in self.parts {
            let records = self.body.cut(part.at.clone());
            let found = part.found.take();
            let outcome = match &refusal {
                Some(refusal) => Err(refusal.clone()),
                None => found
                    .unwrap_or_else(|| engine.served_now(part.topic(self.by_id), part.partition))
                    .map_err(NotProduced::from)
                    .and_then(|served| append_one(engine, &served, records, head.version)),
            };
            answered.add(part, outcome);
        }
        let acks = match self.acks {
            0 => return answered.silent(),
            1 => Acks::Leader,
            _ => Acks::All,
        };
        if acks == Acks::Leader || answered.waits.is_empty() {
            return encode(head, &answered.response).map(Answer::Now);
        }
        let clock = Arc::clone(&cx.door.clock);
        let span = Duration::from_millis(u64::try_from(self.timeout_ms).unwrap_or(0));
        let deadline = clock.mono().after(span);
        Ok(later(head, async move { answered.durable(&*clock, deadline).await }))
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

/// The bytes of a request, of which records are cut off in place, in the order in which they lie there.
struct Body {
    bytes: BytesMut,
    /// Bytes gone at the front.
    gone: usize,
    /// Where the last records end.
    end: usize,
}

impl Body {
    /// Copies only if somebody else still holds the frame.
    fn new(body: Bytes, parts: &[Part]) -> Body {
        let bytes = body.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        Body { bytes, gone: 0, end: parts.iter().map(|part| part.at.end).max().unwrap_or(0) }
    }

    fn cut(&mut self, at: Range<usize>) -> BytesMut {
        if at.is_empty() {
            return BytesMut::new();
        }
        self.bytes.advance(at.start.saturating_sub(self.gone).min(self.bytes.len()));
        self.gone = at.end;
        let len = at.len().min(self.bytes.len());
        if at.end < self.end {
            return self.bytes.split_to(len);
        }
        // The last ones need not share the frame with any.
        let mut last = std::mem::take(&mut self.bytes);
        last.truncate(len);
        last
    }
}

fn append_one(
    engine: &Engine,
    served: &Served,
    records: BytesMut,
    version: i16,
) -> Result<Appended, NotProduced> {
    let header = BatchHeader::parse(&records).ok();
    if header.is_some_and(|header| header.is_transactional()) {
        return Err(refused(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NO_TRANSACTIONS));
    }
    if version < 7 && header.is_some_and(|header| header.codec() == Ok(Codec::Zstd)) {
        let why = "zstd batches may be produced from version 7 of the Produce API on";
        return Err(refused(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, why));
    }
    engine.append_to(served, records)
}

/// The answer as it is if all becomes durable, and what it waits for.
#[derive(Default)]
struct Answered {
    response: ProduceResponse,
    waits: Vec<Wait>,
    /// The first failure, for whoever gets no answer.
    failed: Option<Close>,
}

/// Records that are not durable yet, and where the response tells of them.
struct Wait {
    appended: Appended,
    topic: usize,
    part: usize,
}

impl Answered {
    fn add(&mut self, part: Part, outcome: Result<Appended, NotProduced>) {
        let Part { name, id, partition, .. } = part;
        if let Err(error) = &outcome
            && self.failed.is_none()
        {
            let why = format!("produce with acks=0 to {name}-{partition} failed: {}", error.code);
            self.failed = Some(Close(why));
        }
        let responses = &mut self.response.responses;
        if responses.last().is_none_or(|topic| topic.topic_id != id || topic.name != name) {
            responses.push(TopicProduceResponse { name, topic_id: id, partition_responses: Vec::new() });
        }
        let at = responses.len().saturating_sub(1);
        let Some(topic) = responses.last_mut() else { return };
        let answer = match outcome {
            Ok(appended) => {
                let written = appended.written();
                if !appended.is_durable() {
                    self.waits.push(Wait { appended, topic: at, part: topic.partition_responses.len() });
                }
                Ok(written)
            }
            Err(failed) => Err(failed),
        };
        topic.partition_responses.push(partition_response(partition, answer));
    }

    /// With acks=0 nothing is answered; a failure is told by closing the connection, as Kafka does, so that the client
    /// looks up its metadata again.
    fn silent(self) -> Result<Answer, Close> {
        self.failed.map_or(Ok(Answer::Silent), Err)
    }

    /// Waits until all is durable, or known not to be.
    async fn durable(self, clock: &dyn Clock, deadline: MonoNs) -> ProduceResponse {
        let Answered { mut response, waits, .. } = self;
        for Wait { appended, topic, part } in waits {
            let Err(failed) = appended.durable(clock, deadline).await else { continue };
            let topic = response.responses.get_mut(topic);
            if let Some(told) = topic.and_then(|topic| topic.partition_responses.get_mut(part)) {
                *told = partition_response(told.index, Err(failed));
            }
        }
        response
    }
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
        let Asked { parts, mut body, .. } = Asked::read(head, body).unwrap();
        let records: Vec<BytesMut> = parts.iter().map(|part| body.cut(part.at.clone())).collect();
        assert_eq!(records, [&b"first"[..], b"", b"third"]);
        for records in records.iter().filter(|records| !records.is_empty()) {
            assert!(place.contains(&(records.as_ptr() as usize)), "records were copied");
        }
    }
}

//! Fetch, 4-18: reads records.
//!
//! - 7: sessions (KIP-227); 9: leader epochs (KIP-320); below 10: no zstd; 11: rack; 12: flexible, diverging epochs
//!   (KIP-595); 13: topics by id; 15-18: for followers, of which there are none
//!
//! The answer is encoded around holes, which the connection fills from memory and files as it sends.

use super::*;
use crate::doors::kafka::sessions::{Context, Key, NO_SESSION, News, Told, Want};
use crate::engine::{Fetch, FetchOutcome, FetchPartition, Fetched, Isolation, NotFetched};
use crate::log::{Piece, ReadPlan};
use crate::record::{BatchHeader, Codec};
use crate::types::{Epoch, Offset};
use crate::wire::Records;
use crate::wire::messages::fetch::{
    EpochEndOffset, FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData,
};
use parking_lot::Mutex;
use std::time::Duration;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = FetchRequest;
    const VERSIONS: RangeInclusive<i16> = 4..=18;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: FetchRequest = decode(head, body)?;
        let by_id = head.version >= 13;
        let wants = wants(&request, by_id);
        let forgotten = forgotten(&request, by_id);
        let begun =
            cx.door.sessions.begin(request.session_id, request.session_epoch, by_id, &wants, &forgotten);
        let context = match begun {
            Ok(context) => context,
            Err(error_code) => {
                let response = FetchResponse { error_code, ..Default::default() };
                return Ok(Answer::Now(encode(head, &response)?));
            }
        };
        let wants = match &context {
            Context::Full { .. } => wants,
            Context::Incremental(session) => session.lock().wants(),
        };
        let fetch = command(cx, &request, &wants);
        let cx = cx.clone();
        Ok(Answer::Later(Box::pin(async move {
            let mut outcome = cx.door.engine.fetch(&fetch).await;
            if head.version < 10 {
                hide_zstd(&mut outcome);
            }
            let committed = fetch.isolation == Isolation::ReadCommitted;
            Answered { head, by_id, committed }.respond(&cx, context, wants, outcome)
        })))
    }
}

fn wants(request: &FetchRequest, by_id: bool) -> Vec<(Key, Want)> {
    let mut wants: Vec<(Key, Want)> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for topic in &request.topics {
        let topic_key = topic_ref(&topic.topic, topic.topic_id, by_id);
        for part in &topic.partitions {
            let key = (topic_key.clone(), part.partition);
            let want = Want {
                offset: Offset(part.fetch_offset),
                bytes_max: part.partition_max_bytes,
                current_epoch: Epoch(part.current_leader_epoch),
                last_fetched_epoch: Epoch(part.last_fetched_epoch),
            };
            // Named twice, the second one counts, in the place of the first.
            match seen.get(&key) {
                Some(at) => {
                    let at: usize = *at;
                    if let Some((_, slot)) = wants.get_mut(at) {
                        *slot = want;
                    }
                }
                None => {
                    seen.insert(key.clone(), wants.len());
                    wants.push((key, want));
                }
            }
        }
    }
    wants
}

fn forgotten(request: &FetchRequest, by_id: bool) -> Vec<Key> {
    let topics = request.forgotten_topics_data.iter();
    let keys = topics.flat_map(|topic| {
        let key = topic_ref(&topic.topic, topic.topic_id, by_id);
        topic.partitions.iter().map(move |partition| (key.clone(), *partition))
    });
    keys.collect()
}

fn command(cx: &ConnCx, request: &FetchRequest, wants: &[(Key, Want)]) -> Fetch {
    let engine = &cx.door.engine;
    let bytes = |count: i32| usize::try_from(count).unwrap_or(0);
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let partition = |((topic, partition), want): &(Key, Want)| FetchPartition {
        topic: topic.clone(),
        partition: *partition,
        offset: want.offset,
        bytes_max: bytes(want.bytes_max),
        current_epoch: want.current_epoch,
        last_fetched_epoch: want.last_fetched_epoch,
    };
    Fetch {
        partitions: wants.iter().map(partition).collect(),
        bytes_min: bytes(request.min_bytes),
        deadline: cx.door.clock.mono().after(wait),
        bytes_max: bytes(request.max_bytes).min(engine.settings().fetch_bytes_max),
        isolation: match request.isolation_level {
            1 => Isolation::ReadCommitted,
            _ => Isolation::ReadUncommitted,
        },
    }
}

/// A client that fetches in a version below 10 does not know zstd: it gets an error where a batch has it (KIP-110).
fn hide_zstd(outcome: &mut FetchOutcome) {
    for one in outcome {
        let Ok(fetched) = one else { continue };
        if first_codec(&fetched.plan) == Some(Codec::Zstd) {
            let why = "zstd batches may be fetched from version 10 of the Fetch API on";
            let refusal = Refusal::new(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, why);
            *one = Err(NotFetched { refusal, known: true });
        }
    }
}

fn first_codec(plan: &ReadPlan) -> Option<Codec> {
    let mut head = [0; BatchHeader::SIZE];
    match plan.pieces.first()? {
        Piece::Memory(bytes) => head = *bytes.first_chunk()?,
        Piece::File { file, at, .. } => {
            file.read_at(&mut head, *at).ok()?;
        }
    }
    BatchHeader::parse(&head).ok()?.codec().ok()
}

/// What shapes the answer.
struct Answered {
    head: Head,
    by_id: bool,
    committed: bool,
}

impl Answered {
    fn respond(
        &self,
        cx: &ConnCx,
        context: Context,
        wants: Vec<(Key, Want)>,
        outcome: FetchOutcome,
    ) -> Result<Frame, Close> {
        let session_id = match &context {
            Context::Full { make: true } => {
                let answered = wants.iter().zip(&outcome);
                let answered = answered.map(|((key, want), one)| (key.clone(), want.clone(), news(one)));
                cx.door.sessions.make(self.by_id, answered.collect())
            }
            Context::Full { make: false } => NO_SESSION,
            Context::Incremental(session) => session.lock().id(),
        };
        let mut responses: Vec<FetchableTopicResponse> = Vec::new();
        let mut holes = Vec::new();
        for ((key, _), one) in wants.into_iter().zip(outcome) {
            if let Context::Incremental(session) = &context
                && !tell(session, &key, &one)
            {
                continue;
            }
            let data = self.partition(key.1, one, &mut holes);
            push(&mut responses, &key.0, data);
        }
        let response = FetchResponse { session_id, responses, ..Default::default() };
        dispatch::encode_with(self.head, &response, holes)
    }

    fn partition(
        &self,
        partition_index: i32,
        one: Result<Fetched, NotFetched>,
        holes: &mut Vec<Vec<Piece>>,
    ) -> PartitionData {
        match one {
            Ok(fetched) => {
                let len = fetched.plan.len();
                if len > 0 {
                    holes.push(fetched.plan.pieces);
                }
                PartitionData {
                    partition_index,
                    high_watermark: fetched.high_watermark.0,
                    last_stable_offset: fetched.last_stable.0,
                    log_start_offset: fetched.start.0,
                    diverging_epoch: diverging(fetched.diverging),
                    aborted_transactions: self.committed.then(Vec::new),
                    // No records are zero bytes and never null: librdkafka takes null for a broken answer.
                    records: Some(if len > 0 { Records::Hole(len) } else { Records::Bytes(Bytes::new()) }),
                    ..Default::default()
                }
            }
            Err(NotFetched { refusal, known }) => PartitionData {
                partition_index,
                error_code: refusal.code,
                high_watermark: -1,
                last_stable_offset: -1,
                log_start_offset: -1,
                aborted_transactions: (!known).then(Vec::new),
                records: Some(Records::Bytes(Bytes::new())),
                ..Default::default()
            },
        }
    }
}

fn diverging(found: Option<(Epoch, Offset)>) -> EpochEndOffset {
    match found {
        Some((epoch, end)) => EpochEndOffset { epoch: epoch.0, end_offset: end.0 },
        None => EpochEndOffset::default(),
    }
}

fn news(one: &Result<Fetched, NotFetched>) -> News {
    match one {
        Ok(fetched) => News {
            told: Told { high_watermark: fetched.high_watermark, start: fetched.start },
            bytes: fetched.plan.len(),
            error: ErrorCode::NONE,
            diverging: fetched.diverging.is_some(),
        },
        Err(failed) => News {
            told: Told { high_watermark: Offset(-1), start: Offset(-1) },
            bytes: 0,
            error: failed.refusal.code,
            diverging: false,
        },
    }
}

fn tell(
    session: &Mutex<crate::doors::kafka::sessions::Session>,
    key: &Key,
    one: &Result<Fetched, NotFetched>,
) -> bool {
    session.lock().tell(key, &news(one))
}

/// Adds a partition to the answer; those of one topic that follow each other share an entry.
fn push(responses: &mut Vec<FetchableTopicResponse>, topic: &TopicRef, data: PartitionData) {
    let (name, id) = match topic {
        TopicRef::Name(name) => (Str::from(&**name), Uuid::ZERO),
        TopicRef::Id(id) => (Str::EMPTY, *id),
    };
    match responses.last_mut() {
        Some(last) if last.topic_id == id && last.topic == name => last.partitions.push(data),
        _ => responses.push(FetchableTopicResponse { topic: name, topic_id: id, partitions: vec![data] }),
    }
}

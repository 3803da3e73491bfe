//! Fetching: shares the bytes of an answer out among partitions, and waits for more where there is too little. It
//! answers with plans; the data is read on the way to the socket.

use super::registry::Served;
use super::{Engine, Refusal, TopicRef};
use crate::log::{LogMarks, LogState, Piece, ReadPlan};
use crate::partition::{Fetched, Isolation};
use crate::record::peek_size;
use crate::types::{Epoch, ErrorCode, MonoNs, Offset};
use futures_util::future::select_all;
use std::sync::Arc;

/// A fetch of some partitions.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// In the order in which they are served.
    pub partitions: Vec<FetchPartition>,
    /// Wait for so many bytes...
    pub bytes_min: usize,
    /// ...until this time.
    pub deadline: MonoNs,
    /// Most bytes of all partitions; a first batch larger than that comes whole.
    pub bytes_max: usize,
    /// What is seen of transactions.
    pub isolation: Isolation,
}

/// What is wanted of one partition.
#[derive(Debug, Clone)]
pub struct FetchPartition {
    /// The topic.
    pub topic: TopicRef,
    /// The partition.
    pub partition: i32,
    /// First offset wanted.
    pub offset: Offset,
    /// Most bytes.
    pub bytes_max: usize,
    /// Leader epoch that the client knows; -1 for none.
    pub current_epoch: Epoch,
    /// Epoch of the last record the client has; -1 for unknown (KIP-595).
    pub last_fetched_epoch: Epoch,
}

/// Why one partition gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFetched {
    /// What the client acts on.
    pub refusal: Refusal,
    /// The partition is known here; the refusal is about what was asked of it.
    pub known: bool,
}

/// One entry per partition asked for, in that order.
pub type FetchOutcome = Vec<Result<Fetched, NotFetched>>;

/// A partition found, or why not.
type Target = Result<Arc<Served>, NotFetched>;

impl Engine {
    /// Reads from all partitions, at the latest at the deadline or when the broker stops.
    pub async fn fetch(&self, fetch: &Fetch) -> FetchOutcome {
        // All at once: after a restart a consumer of many partitions must not wait for each in turn.
        if let Some(opening) = self.open_all(fetch.partitions.iter().map(|one| (&one.topic, one.partition))) {
            opening.await;
        }
        let mut targets = Vec::with_capacity(fetch.partitions.len());
        for wanted in &fetch.partitions {
            let found = self.served(&wanted.topic, wanted.partition).await;
            targets.push(found.map_err(|refusal| NotFetched { refusal, known: false }));
        }
        loop {
            // Taken before the look, so that nothing that comes after it is missed.
            let watches = targets.iter().filter_map(|target| {
                let mut watch = target.as_ref().ok()?.partition.watch();
                let seen = *watch.borrow_and_update();
                Some((watch, seen))
            });
            let watches: Vec<_> = watches.collect();
            let (outcome, enough) = read_all(fetch, &targets);
            if enough || self.clock.mono() >= fetch.deadline {
                return outcome;
            }
            let moved = watches.into_iter().map(|(mut watch, seen)| {
                Box::pin(async move {
                    // What was seen once does not wake again: a log that has failed stays failed for a while. An
                    // error means that the log is gone; the next look tells.
                    let _ = watch.wait_for(|marks| is_news(&seen, marks)).await;
                })
            });
            let moved: Vec<_> = moved.collect();
            if moved.is_empty() {
                return outcome;
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return outcome,
                _ = select_all(moved) => {}
                () = self.clock.sleep_until(fetch.deadline) => return read_all(fetch, &targets).0,
            }
        }
    }
}

/// Whether a reader could find something else than before.
fn is_news(seen: &LogMarks, now: &LogMarks) -> bool {
    seen.high_watermark != now.high_watermark || seen.start != now.start || seen.state != now.state
}

/// One look at all partitions; true if it is not worth waiting.
fn read_all(fetch: &Fetch, targets: &[Target]) -> (FetchOutcome, bool) {
    let mut left = fetch.bytes_max;
    let mut first = true;
    let mut total = 0usize;
    let mut enough = fetch.partitions.is_empty();
    let mut outcome = Vec::with_capacity(targets.len());
    for (wanted, target) in fetch.partitions.iter().zip(targets) {
        let read = target.clone().and_then(|served| {
            served.check_dir().map_err(|refusal| NotFetched { refusal, known: true })?;
            if served.partition.marks().state == LogState::Closed {
                // Deleted while it was waited for.
                return Err(NotFetched { refusal: unknown_partition(), known: false });
            }
            read(&served, wanted, left, first, fetch.isolation)
                .map_err(|refusal| NotFetched { refusal, known: true })
        });
        match &read {
            Ok(fetched) => {
                let bytes = fetched.plan.len();
                total = total.saturating_add(bytes);
                left = left.saturating_sub(bytes);
                first &= bytes == 0;
                enough |= fetched.diverging.is_some();
            }
            Err(_) => enough = true,
        }
        outcome.push(read);
    }
    (outcome, enough || total >= fetch.bytes_min)
}

fn read(
    served: &Served,
    wanted: &FetchPartition,
    left: usize,
    first: bool,
    isolation: Isolation,
) -> Result<Fetched, Refusal> {
    let mut fetched = served
        .partition
        .fetch(
            wanted.offset,
            wanted.bytes_max.min(left),
            first,
            isolation,
            wanted.current_epoch,
            wanted.last_fetched_epoch,
        )
        .map_err(|refused| Refusal::new(refused.error, refused.message))?;
    if !first && !holds_a_batch(&fetched.plan) {
        // A piece of a batch is of no use to anyone; it will be the first of a later answer.
        fetched.plan = ReadPlan::default();
    }
    Ok(fetched)
}

/// Whether the plan reaches to the end of its first batch.
fn holds_a_batch(plan: &ReadPlan) -> bool {
    let mut head = [0; 12];
    match plan.pieces.first() {
        Some(Piece::Memory(bytes)) => match bytes.first_chunk() {
            Some(chunk) => head = *chunk,
            None => return false,
        },
        Some(Piece::File { file, at, .. }) => {
            if !matches!(file.read_at(&mut head, *at), Ok(12)) {
                return false;
            }
        }
        None => return true,
    }
    matches!(peek_size(&head), Ok((_, size)) if size <= plan.len())
}

impl From<crate::partition::Refused> for Refusal {
    fn from(refused: crate::partition::Refused) -> Refusal {
        Refusal::new(refused.error, refused.message)
    }
}

/// The code for a partition that is not there.
pub(super) fn unknown_partition() -> Refusal {
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into()
}

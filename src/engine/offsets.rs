//! Finding offsets: by time, by name, by leader epoch; and deleting records from the front.

use super::{Engine, Refusal, TopicRef};
use crate::partition::{At, Cut, Isolation, Position};
use crate::types::{Epoch, ErrorCode, Offset};

/// A place to find in one partition.
#[derive(Debug, Clone)]
pub struct FindOffset {
    /// The topic.
    pub topic: TopicRef,
    /// The partition.
    pub partition: i32,
    /// Leader epoch that the client knows; -1 for none.
    pub current_epoch: Epoch,
    /// What is looked for.
    pub at: At,
}

/// End of a leader epoch to find in one partition.
#[derive(Debug, Clone)]
pub struct FindEpochEnd {
    /// The topic.
    pub topic: TopicRef,
    /// The partition.
    pub partition: i32,
    /// Leader epoch that the client knows; -1 for none.
    pub current_epoch: Epoch,
    /// The epoch asked about.
    pub epoch: Epoch,
}

/// Records to delete from one partition.
#[derive(Debug, Clone)]
pub struct DeleteRecords {
    /// The topic.
    pub topic: TopicRef,
    /// The partition.
    pub partition: i32,
    /// Up to where.
    pub cut: Cut,
}

impl Engine {
    /// Finds an offset. Searches by time read the disk, on a background thread.
    pub async fn find_offset(&self, find: &FindOffset, isolation: Isolation) -> Result<Position, Refusal> {
        let served = self.served(&find.topic, find.partition).await?;
        let FindOffset { at, current_epoch, .. } = *find;
        match at {
            At::Earliest | At::Latest => {
                let mut found = served.partition.find(at, isolation, current_epoch)?;
                // Where there is no record yet, the next one's epoch is the present one.
                if found.epoch == Epoch::NONE {
                    found.epoch = served.partition.epoch();
                }
                Ok(found)
            }
            At::MaxTimestamp | At::Time(_) => {
                let search = move || served.partition.find(at, isolation, current_epoch);
                Ok(self.workers.run("find-time", search).await.map_err(lost)??)
            }
        }
    }

    /// The largest epoch not above the one asked about, and the end of its records; `(-1, -1)` for none (KIP-320).
    pub async fn find_epoch_end(&self, find: &FindEpochEnd) -> Result<(Epoch, Offset), Refusal> {
        let served = self.served(&find.topic, find.partition).await?;
        Ok(served.partition.epoch_end(find.current_epoch, find.epoch)?)
    }

    /// Deletes records from the front; returns the new log start offset once it is durable.
    pub async fn delete_records(&self, delete: &DeleteRecords) -> Result<Offset, Refusal> {
        let served = self.served(&delete.topic, delete.partition).await?;
        if !served.rules.load().records_may_go {
            let why = "Records of a topic can only be deleted if its cleanup.policy has delete.";
            return Err(Refusal::new(ErrorCode::POLICY_VIOLATION, why));
        }
        let cut = delete.cut;
        let job = move || served.partition.cut_front(cut);
        Ok(self.workers.run("delete-records", job).await.map_err(lost)??)
    }
}

/// A job that did not finish says nothing of the disk, but the client can only try again.
pub(super) fn lost(lost: super::workers::JobLost) -> Refusal {
    Refusal::new(ErrorCode::KAFKA_STORAGE_ERROR, lost.to_string())
}

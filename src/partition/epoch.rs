//! The leader epoch that all partitions of this broker share (one number, since there is one broker). Must not know
//! why it rises.

use crate::types::Epoch;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// The present leader epoch. Clones share one number, which only rises.
#[derive(Clone, Debug)]
pub struct LeaderEpoch(Arc<AtomicI32>);

impl LeaderEpoch {
    /// A cell that holds `epoch`.
    pub fn new(epoch: Epoch) -> LeaderEpoch {
        LeaderEpoch(Arc::new(AtomicI32::new(epoch.0)))
    }

    /// The epoch that appends carry from now on.
    pub fn get(&self) -> Epoch {
        Epoch(self.0.load(Ordering::Acquire))
    }

    /// Moves on to `epoch`, which must be durable in the catalog by now; a lower one changes nothing.
    pub fn raise(&self, epoch: Epoch) {
        self.0.fetch_max(epoch.0, Ordering::AcqRel);
    }
}

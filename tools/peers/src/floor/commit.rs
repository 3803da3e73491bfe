//! When the floor syncs. With rounds, one thread syncs all files that were written since it last began, and then lets
//! go everybody who had written by then.

use super::Sync;
use super::store::Partition;
use anyhow::{Context, Result, anyhow};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Files that are synced at once.
const SYNCS: usize = 8;

/// The rule, and its thread if it needs one.
pub struct Commit {
    sync: Sync,
    rounds: Arc<Rounds>,
}

#[derive(Default)]
struct Rounds {
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    dirty: Vec<Arc<Partition>>,
    /// The round being filled, the last one that somebody waits for, and the last one that is durable.
    filling: u64,
    asked: u64,
    durable: u64,
}

impl Commit {
    /// Starts the thread if the rule is [`Sync::Round`].
    pub fn start(sync: Sync) -> Result<Commit> {
        let rounds = Arc::new(Rounds::default());
        rounds.state.lock().unwrap_or_else(PoisonError::into_inner).filling = 1;
        if sync == Sync::Round {
            let rounds = rounds.clone();
            std::thread::Builder::new().name("commit".to_owned()).spawn(move || {
                if let Err(error) = rounds.run() {
                    // Nobody may be told that something is durable any more.
                    eprintln!("floor: a sync failed: {error:#}");
                    std::process::exit(1);
                }
            })?;
        }
        Ok(Commit { sync, rounds })
    }

    /// Whether answers wait for a round.
    pub fn in_rounds(&self) -> bool {
        self.sync == Sync::Round
    }

    /// After a batch was written: syncs it at once, or puts the partition into the round.
    pub fn wrote(&self, partition: &Arc<Partition>) -> Result<()> {
        match self.sync {
            Sync::None => Ok(()),
            Sync::Each => partition.sync().context("sync"),
            Sync::Round => {
                if partition.soil() {
                    let mut state = self.rounds.state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.dirty.push(partition.clone());
                }
                Ok(())
            }
        }
    }

    /// Before the replies: returns when all is durable that the caller wrote, if that is the rule.
    pub fn wait(&self) {
        if self.sync != Sync::Round {
            return;
        }
        let mut state = self.rounds.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = state.filling;
        state.asked = mine;
        self.rounds.work.notify_one();
        while state.durable < mine {
            state = self.rounds.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Rounds {
    fn run(&self) -> Result<()> {
        loop {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            // A round may be empty: what somebody waits for was synced by the round before.
            while state.asked < state.filling {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let round = state.filling;
            state.filling += 1;
            let dirty = std::mem::take(&mut state.dirty);
            for partition in &dirty {
                partition.dirty.store(false, Ordering::Release);
            }
            drop(state);
            sync_all(&dirty)?;
            self.state.lock().unwrap_or_else(PoisonError::into_inner).durable = round;
            self.done.notify_all();
        }
    }
}

/// Syncs files side by side: the file system puts into one commit of its journal what it is asked for meanwhile.
fn sync_all(dirty: &[Arc<Partition>]) -> Result<()> {
    let each = dirty.len().div_ceil(SYNCS).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = dirty
            .chunks(each)
            .map(|part| scope.spawn(move || part.iter().try_for_each(|partition| partition.sync())))
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a sync panicked"))?)
    })
}

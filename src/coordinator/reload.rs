//! How a shard comes to the state that its log holds: at its start, and again after a failure. Must not handle calls;
//! those that come meanwhile are refused.

use super::core::{Core, Output};
use super::handle::Input;
use super::load::{LoadError, replay};
use super::outlet::{Outlet, run_blocking};
use super::shard::{Shard, Turn};
use super::{CallError, Load, Machine};
use crate::log::{LogState, ReadError};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// First and longest wait between attempts to come back after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Longest wait where bytes in the log cannot be understood: time does not mend them, and each attempt reads all of it.
const BACKOFF_UNREADABLE: Duration = Duration::from_secs(60);

impl<M: Machine, O: Outlet<M>> Shard<M, O> {
    /// At the start, or after a failure: lets go what is durable, fails all other calls, drops the state, and replays.
    /// Tries until it works or the log is closed; meanwhile calls are refused.
    pub(super) async fn come_back(&mut self) -> Turn {
        self.drain().await;
        self.fail_calls();
        let mut longest = BACKOFF.1;
        loop {
            if self.log.marks().state == LogState::Closed || self.back_off(longest).await == Turn::Stop {
                return Turn::Stop;
            }
            match self.reopen().await {
                Ok(turn) => return turn,
                Err(error) => {
                    tracing::error!(shard = %self.options.name, %error, "cannot load the coordinator");
                    longest = match error {
                        LoadError::Batch { .. } | LoadError::Record { .. } => BACKOFF_UNREADABLE,
                        _ => BACKOFF.1,
                    };
                }
            }
        }
    }

    async fn reopen(&mut self) -> Result<Turn, LoadError> {
        if self.rewriter.is_cutting() {
            // It works on the log that is to be reopened, or replayed from the start that it moves.
            let done = refusing(&mut self.inbox, &mut self.stop, self.rewriter.cut_done()).await;
            let Some(done) = done else { return Ok(Turn::Stop) };
            self.front_cut(done);
        }
        if self.log.marks().state == LogState::Failed {
            let ready = self.outlet.before_reopen();
            if refusing(&mut self.inbox, &mut self.stop, ready).await.is_none() {
                return Ok(Turn::Stop);
            }
            let log = Arc::clone(&self.log);
            let reopened = run_blocking(&mut self.outlet, move || log.reopen());
            match refusing(&mut self.inbox, &mut self.stop, reopened).await {
                Some(done) => done.map_err(|_| LoadError::Gone)?.map_err(ReadError::Storage)?,
                None => return Ok(Turn::Stop),
            }
            self.reason = Load::Reopened;
        }
        if self.load().await? == Turn::Stop {
            return Ok(Turn::Stop);
        }
        self.reason = Load::Again;
        Ok(Turn::GoOn)
    }

    /// Waits before another attempt, at once the first time, refusing calls.
    async fn back_off(&mut self, longest: Duration) -> Turn {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        if failures == 0 {
            return Turn::GoOn;
        }
        let wait = BACKOFF.0.saturating_mul(1 << (failures - 1).min(16)).min(longest);
        let over = self.time.clock().sleep(wait);
        match refusing(&mut self.inbox, &mut self.stop, over).await {
            Some(()) => Turn::GoOn,
            None => Turn::Stop,
        }
    }

    /// Replays the log into an empty machine; what it says then waits until the log as it is now is durable.
    pub(super) async fn load(&mut self) -> Result<Turn, LoadError> {
        let start = self.time.clock().mono();
        let seed = self.options.seed.wrapping_add(self.life);
        self.life += 1;
        let core = Core::new(self.log.marks().start, seed);
        let (log, (done, wait)) = (Arc::clone(&self.log), oneshot::channel());
        let job = move || {
            let loaded = replay(core, log.as_ref(), &|| done.is_closed());
            // The shard may be gone when it is done.
            let _ = done.send(loaded);
        };
        self.outlet.run_blocking(Box::new(job)).map_err(ReadError::Storage)?;
        let Some(loaded) = refusing(&mut self.inbox, &mut self.stop, wait).await else {
            return Ok(Turn::Stop);
        };
        let (core, bytes) = loaded.map_err(|_| LoadError::Gone)??;
        self.core = core;
        self.rewriter.loaded(bytes);
        self.time.forget();
        self.put_off = 0;
        self.held.clear();
        self.hold(self.log.ticket(self.core.next().plus(-1)), Output::default());
        let ms = self.time.seen().since(start).as_millis();
        tracing::info!(shard = %self.options.name, end = %self.core.next(), bytes, ms, "loaded");
        self.core.loaded(self.time.now(), self.reason);
        match self.flush() {
            Turn::Broken => Err(LoadError::NotDurable),
            turn => Ok(turn),
        }
    }
}

/// Waits for `work`, refusing calls meanwhile; `None` if the shard is to end.
async fn refusing<M: Machine, T>(
    inbox: &mut mpsc::Receiver<Input<M>>,
    stop: &mut Option<oneshot::Sender<()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            input = inbox.recv() => match input {
                Some(Input::Call(_, caller)) => {
                    // A caller that went away needs no answer.
                    let _ = caller.send(Err(CallError::Loading));
                }
                Some(Input::Stop(done)) => {
                    *stop = Some(done);
                    return None;
                }
                None => return None,
            }
        }
    }
}

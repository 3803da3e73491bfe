//! How others call a machine. Must not know what the shard does with a call.

use super::Machine;
use tokio::sync::{mpsc, oneshot};

/// What reaches a shard.
pub(super) enum Input<M: Machine> {
    /// A command and where its reply goes.
    Call(M::Command, oneshot::Sender<Result<M::Reply, CallError>>),
    /// Finish what is under way, then end.
    Stop(oneshot::Sender<()>),
}

/// Why a call has no reply. Clients are told `NOT_COORDINATOR` (`NOT_CONTROLLER` for the catalog), or
/// `COORDINATOR_LOAD_IN_PROGRESS` where it says so, and try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Nothing of it happened: the log is being loaded, for the first time or after a failure
    /// (`COORDINATOR_LOAD_IN_PROGRESS`).
    #[error("the coordinator is being loaded")]
    Loading,
    /// Nothing of it happened: the log did not take the records.
    #[error("the coordinator's log does not take records")]
    DidNotHappen,
    /// The records were written but could not be made durable; they may or may not be there.
    #[error("the coordinator's log failed: the change may be lost")]
    MayHaveHappened,
    /// The shard has stopped.
    #[error("the coordinator has stopped")]
    Stopped,
}

/// A way to call a shard. Clones call the same shard; it ends when all are gone.
pub struct ShardHandle<M: Machine> {
    pub(super) inbox: mpsc::Sender<Input<M>>,
}

impl<M: Machine> Clone for ShardHandle<M> {
    fn clone(&self) -> ShardHandle<M> {
        ShardHandle { inbox: self.inbox.clone() }
    }
}

impl<M: Machine> ShardHandle<M> {
    /// Hands the command over and waits for its reply. Commands of one caller are handled in the order of the first
    /// polls. Waits if the shard's queue is full. Dropping the future does not take the command back.
    pub async fn call(&self, command: M::Command) -> Result<M::Reply, CallError> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Input::Call(command, reply)).await.map_err(|_| CallError::Stopped)?;
        answer.await.unwrap_or(Err(CallError::Stopped))
    }

    /// Ends the shard once everything handed over before is answered. The log stays open.
    pub async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        if self.inbox.send(Input::Stop(done)).await.is_ok() {
            // An error means that the shard is gone, which is what was asked for.
            let _ = wait.await;
        }
    }
}

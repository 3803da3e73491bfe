//! Work that blocks (opening a log, searching by time, deleting) on threads of its own, a few at a time, so that
//! connections are served meanwhile. It does not know what the work is.

use crate::sys::spawn_thread;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Jobs at once. They wait for the disk, which gains nothing from more.
const JOBS_MAX: usize = 4;

/// Runs blocking jobs.
pub(super) struct Workers {
    permits: Arc<Semaphore>,
}

/// The machine gave no thread, or the job failed; it was logged.
#[derive(Debug, thiserror::Error)]
#[error("a background job did not finish")]
pub(super) struct JobLost;

impl Workers {
    pub(super) fn new() -> Workers {
        Workers { permits: Arc::new(Semaphore::new(JOBS_MAX)) }
    }

    /// Runs `job` on a thread named `name` and waits for it. The job goes on if the caller stops waiting.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        name: &str,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobLost> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| JobLost)?;
        let (done, wait) = oneshot::channel();
        let spawned = spawn_thread(name, move || {
            // Nobody may be waiting any more.
            let _ = done.send(job());
            drop(permit);
        });
        if let Err(error) = spawned {
            tracing::error!(%error, name, "cannot start a thread");
            return Err(JobLost);
        }
        wait.await.map_err(|_| JobLost)
    }
}

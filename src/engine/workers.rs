//! Work that blocks (opening a log, searching by time, deleting) on threads of its own, a few at a time, so that
//! connections are served meanwhile. It does not know what the work is.

use crate::sys::spawn_thread;
use std::io;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Jobs at once. They wait for the disk, which gains nothing from more.
const JOBS_MAX: usize = 4;

/// Runs blocking jobs.
#[derive(Clone)]
pub(super) struct Workers {
    permits: Arc<Semaphore>,
    /// Jobs run where they are asked for: a simulated broker has one thread.
    inline: bool,
}

/// The machine gave no thread, or the job failed; it was logged.
#[derive(Debug, thiserror::Error)]
#[error("a background job did not finish")]
pub(super) struct JobLost;

impl Workers {
    pub(super) fn new(inline: bool) -> Workers {
        Workers { permits: Arc::new(Semaphore::new(JOBS_MAX)), inline }
    }

    /// Starts a job of which there are few, each of which tells by itself how it ended.
    pub(super) fn start(&self, name: &str, job: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        if self.inline {
            job();
            return Ok(());
        }
        spawn_thread(name, job).map(drop)
    }

    /// Runs a job that takes long, on a thread beside those of the others, and waits for it. The caller bounds their
    /// number.
    pub(super) async fn run_alone<T: Send + 'static>(
        &self,
        name: &str,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobLost> {
        let (done, wait) = oneshot::channel();
        let work = move || {
            // Nobody may be waiting any more.
            let _ = done.send(job());
        };
        if let Err(error) = self.start(name, Box::new(work)) {
            tracing::error!(%error, name, "cannot start a thread");
            return Err(JobLost);
        }
        wait.await.map_err(|_| JobLost)
    }

    /// Runs `job` on a thread named `name` and waits for it. The job goes on if the caller stops waiting.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        name: &str,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobLost> {
        if self.inline {
            return Ok(job());
        }
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

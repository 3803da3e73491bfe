//! Ctrl-C as a question that long work asks now and then, so that it ends between two steps.

use super::super::failure::Failure;
use super::super::signals::Signals;
use crate::sys::spawn_thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Builder;

/// Whether somebody asked the work to end.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on SIGINT and SIGTERM ask instead of ending the process. A second one finds no listener and ends it.
    pub fn listen() -> Result<Stop, Failure> {
        let stop = Stop::default();
        let asked = Arc::clone(&stop.0);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(super::super::no_runtime)?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::listen().map_err(super::super::no_runtime)?
        };
        let work = move || {
            runtime.block_on(signals.first());
            asked.store(true, Ordering::Relaxed);
            runtime.block_on(signals.first());
            std::process::exit(130);
        };
        spawn_thread("signals", work).map_err(super::super::no_runtime)?;
        Ok(stop)
    }

    /// True once somebody asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

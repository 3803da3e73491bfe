//! What is shown of the results: tables, verdicts on the goals, a chart, and JSON of everything.

mod goals;
mod json;
mod svg;
mod table;

pub use goals::goals;
pub use json::json;
pub use svg::svg;
pub use table::{number, table};

use crate::sample::Results;
use crate::scenario::{DISK, Scenario};

/// All that a report is made of.
pub struct Run<'a> {
    /// What was run.
    pub scenarios: &'a [&'a Scenario],
    /// Names of the brokers, in order.
    pub peers: Vec<String>,
    /// What came of it.
    pub results: &'a Results,
    /// What is known of the machine, the versions and the settings: name and text.
    pub facts: &'a [(&'static str, String)],
}

impl Run<'_> {
    /// The brokers, and the disk behind them.
    fn rows(&self) -> impl Iterator<Item = &str> {
        self.peers.iter().map(String::as_str).chain([DISK])
    }
}

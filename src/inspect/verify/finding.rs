//! What a check found, and how bad that is. Must not know the checks.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Most findings of one file that are kept; a file that is wrong from end to end says no more with a million.
pub const FINDINGS_MAX: usize = 200;

/// How bad something is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Good to know; nothing is wrong.
    Note,
    /// A file beside the batches is wrong; it can be made anew from them, and nothing is lost.
    Rebuildable,
    /// Bytes that were promised are missing or wrong.
    Damage,
}

/// One thing found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The file, or the directory of a partition.
    pub file: PathBuf,
    /// How bad.
    pub grade: Grade,
    /// First byte, and first byte behind.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<(u64, u64)>,
    /// First offset, and first offset behind.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offsets: Option<(i64, i64)>,
    /// What is wrong.
    pub why: String,
}

impl Finding {
    /// About a file as a whole.
    pub fn new(file: &Path, grade: Grade, why: impl Into<String>) -> Finding {
        Finding { file: file.to_owned(), grade, bytes: None, offsets: None, why: why.into() }
    }

    /// About these bytes of it.
    pub fn at(self, from: u64, until: u64) -> Finding {
        Finding { bytes: Some((from, until)), ..self }
    }

    /// About the records of these offsets.
    pub fn of(self, from: i64, until: i64) -> Finding {
        Finding { offsets: Some((from, until)), ..self }
    }
}

/// Findings of one file, of which the first few are kept.
#[derive(Default)]
pub struct Findings {
    list: Vec<Finding>,
    more: usize,
}

impl Findings {
    /// Takes one.
    pub fn push(&mut self, finding: Finding) {
        match self.list.len() < FINDINGS_MAX {
            true => self.list.push(finding),
            false => self.more += 1,
        }
    }

    /// What was taken; if not all was kept, the last says how many were not.
    pub fn take(mut self) -> Vec<Finding> {
        if let (more @ 1.., Some(last)) = (self.more, self.list.last_mut()) {
            last.why = format!("{}; and {more} more of this file", last.why);
        }
        self.list
    }
}

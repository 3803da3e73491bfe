//! What a long work has done so far, in a file that it can go on from. A report counts if the file that it is about
//! is still as long as it was.

use super::super::failure::Failure;
use crate::sys::{Fs, write_atomically};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes read between two writes of the file: it is written whole.
const EVERY_BYTES: u64 = 256 << 20;
/// Reports of more segments than anybody has are not read.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The file and its content.
pub struct State<R> {
    fs: Arc<dyn Fs>,
    path: Option<PathBuf>,
    kept: Kept<R>,
    unwritten: u64,
}

#[derive(Serialize, Deserialize)]
struct Kept<R> {
    /// What the reports are of, so that those of another work are not taken for its own.
    work: String,
    /// By path of the `.log` file: its size and the report.
    segments: BTreeMap<PathBuf, (u64, R)>,
}

impl<R: Serialize + DeserializeOwned + Clone> State<R> {
    /// Goes on from the file if it is there; without a path nothing is kept.
    pub fn open(fs: Arc<dyn Fs>, path: Option<&Path>, work: &str) -> Result<State<R>, Failure> {
        let fresh = Kept { work: work.to_owned(), segments: BTreeMap::new() };
        let kept = match path.filter(|path| fs.exists(path)) {
            None => fresh,
            Some(path) => read(fs.as_ref(), path, work)?,
        };
        Ok(State { fs, path: path.map(Path::to_owned), kept, unwritten: 0 })
    }

    /// The report of a file that is still as long.
    pub fn done(&self, path: &Path, size: u64) -> Option<R> {
        let (was, report) = self.kept.segments.get(path)?;
        (*was == size).then(|| report.clone())
    }

    /// Takes a report; now and then the file is written.
    pub fn keep(&mut self, path: &Path, size: u64, report: &R) {
        if self.path.is_none() {
            return;
        }
        self.kept.segments.insert(path.to_owned(), (size, report.clone()));
        self.unwritten += size;
        if self.unwritten >= EVERY_BYTES {
            // The last write says whether it works.
            let _ = self.write();
        }
    }

    /// Writes the file; what to say if the work goes on later.
    pub fn write(&mut self) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        self.unwritten = 0;
        let text = serde_json::to_vec(&self.kept).map_err(|error| bad(path, &error.to_string()))?;
        let path = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new(".").join(path),
            _ => path.clone(),
        };
        write_atomically(self.fs.as_ref(), &path, &text).map_err(|error| bad(&path, &error.to_string()))
    }

    /// The path, if it was named.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

fn read<R: DeserializeOwned>(fs: &dyn Fs, path: &Path, work: &str) -> Result<Kept<R>, Failure> {
    let file = fs.open(path, crate::sys::OpenHow::Read).map_err(|error| bad(path, &error.to_string()))?;
    if file.size().map_err(|error| bad(path, &error.to_string()))? > FILE_BYTES_MAX {
        return Err(bad(path, "it is larger than 1 GiB"));
    }
    let bytes = fs.read(path).map_err(|error| bad(path, &error.to_string()))?;
    let kept: Kept<R> = serde_json::from_slice(&bytes).map_err(|error| bad(path, &error.to_string()))?;
    match kept.work == work {
        true => Ok(kept),
        false => Err(bad(path, &format!("it is of `{}`, and this is `{work}`", kept.work))),
    }
}

fn bad(path: &Path, why: &str) -> Failure {
    Failure::new("LB0705", format!("cannot use {} as state: {why}", path.display()))
}

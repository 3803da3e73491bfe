//! What the demo streams: records of a file that people have, in memory, so that what comes back can be compared byte
//! by byte.

use crate::cli::failure::Failure;
use crate::cli::lines::FileStream;
use crate::sys::{Fs, OpenHow};
use bytes::Bytes;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Most bytes held: the index of Debian main is about a quarter of it.
const CORPUS_BYTES_MAX: u64 = 256 << 20;
/// Where Debian keeps what its package manager knows.
const LISTS: &str = "/var/lib/apt/lists";
/// What is installed, on a machine that has fetched no lists.
const STATUS: &str = "/var/lib/dpkg/status";
/// Files of a directory looked at, and how deep.
const FILES_MAX: usize = 2000;
const DEPTH_MAX: usize = 6;

/// Records in the order of their source.
pub struct Corpus {
    /// What it is, for people.
    pub name: String,
    /// Each record's key, if it has one, and value.
    pub records: Vec<(Option<Bytes>, Bytes)>,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Something was left out because it was too much.
    pub cut: bool,
}

impl Corpus {
    fn of(name: String, records: Vec<(Option<Bytes>, Bytes)>, cut: bool) -> Corpus {
        let size = |(key, value): &(Option<Bytes>, Bytes)| key.as_ref().map_or(0, Bytes::len) + value.len();
        let bytes = records.iter().map(size).sum::<usize>() as u64;
        Corpus { name, records, bytes, cut }
    }
}

/// The file that was named, or the best that this machine has.
pub fn gather(named: Option<&Path>, fs: &dyn Fs) -> Result<Corpus, Failure> {
    let path = match named {
        Some(path) => Some(path.to_owned()),
        None => usual(fs),
    };
    let corpus = match path {
        Some(path) => file(&path, fs)?,
        None => directory(Path::new("."), fs),
    };
    match corpus.records.is_empty() {
        true => Err(Failure::new("LB0402", format!("there is nothing to stream in {}", corpus.name))
            .help("name a file:  logboom demo FILE")
            .usage()),
        false => Ok(corpus),
    }
}

fn usual(fs: &dyn Fs) -> Option<PathBuf> {
    let lists = fs.list(Path::new(LISTS)).unwrap_or_default();
    let is_index = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with("_Packages") || name.ends_with("_Packages.lz4")
    };
    let size = |path: &PathBuf| fs.open(path, OpenHow::Read).and_then(|file| file.size()).unwrap_or(0);
    let largest = lists.into_iter().filter(is_index).max_by_key(size);
    let status = Some(PathBuf::from(STATUS)).filter(|path| fs.exists(path));
    largest.or(status)
}

fn file(path: &Path, fs: &dyn Fs) -> Result<Corpus, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new("LB0204", format!("cannot read {}: {error}", path.display())).usage()
    };
    let stream = FileStream::new(fs.open(path, OpenHow::Read).map_err(cannot)?);
    let mut content = Vec::new();
    let read = match path.extension().is_some_and(|extension| extension == "lz4") {
        true => lz4_flex::frame::FrameDecoder::new(stream).take(CORPUS_BYTES_MAX).read_to_end(&mut content),
        false => stream.take(CORPUS_BYTES_MAX).read_to_end(&mut content),
    };
    let cut = read.map_err(cannot)? as u64 == CORPUS_BYTES_MAX;
    Ok(Corpus::of(path.display().to_string(), records(content.into()), cut))
}

fn records(content: Bytes) -> Vec<(Option<Bytes>, Bytes)> {
    if !content.starts_with(b"Package: ") {
        let lines = pieces(&content, b"\n").into_iter();
        return lines.map(|range| (None, content.slice(range))).collect();
    }
    let paragraphs = pieces(&content, b"\n\n").into_iter().filter(|range| !range.is_empty());
    paragraphs
        .map(|range| {
            let value = content.slice(range);
            let end = value.iter().position(|byte| *byte == b'\n').unwrap_or(value.len());
            let name = value.get(..end).and_then(|line| line.strip_prefix(b"Package: "));
            (name.map(|name| value.slice_ref(name)), value)
        })
        .collect()
}

/// What stands between the marks, without what follows the last one if it is empty.
fn pieces(content: &[u8], mark: &[u8]) -> Vec<Range<usize>> {
    let (mut ranges, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(rest) = content.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.iter().position(|byte| mark.first() == Some(byte)) {
            None => break,
            Some(found) if content.get(at + found..).is_some_and(|tail| tail.starts_with(mark)) => {
                ranges.push(start..at + found);
                start = at + found + mark.len();
                at = start;
            }
            Some(found) => at += found + 1,
        }
    }
    if start < content.len() {
        ranges.push(start..content.len());
    }
    ranges
}

/// Lines of the files below a directory, keyed by the name of their file.
fn directory(root: &Path, fs: &dyn Fs) -> Corpus {
    let (mut records, mut bytes, mut files) = (Vec::new(), 0, 0);
    let mut waiting = vec![(root.to_owned(), 0)];
    let mut cut = false;
    while let Some((path, depth)) = waiting.pop() {
        let hidden =
            depth > 0 && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // `target` is where cargo puts what it builds.
        if hidden || path.ends_with("target") || path.ends_with("logboom-data") {
            continue;
        }
        if fs.is_dir(&path) {
            if depth < DEPTH_MAX {
                let inside = fs.list(&path).unwrap_or_default();
                waiting.extend(inside.into_iter().rev().map(|path| (path, depth + 1)));
            }
            continue;
        }
        if files == FILES_MAX || bytes >= CORPUS_BYTES_MAX {
            cut = true;
            break;
        }
        let size = fs.open(&path, OpenHow::Read).and_then(|file| file.size()).unwrap_or(u64::MAX);
        // Texts that people write are smaller; anything larger is data of some program.
        if size > 1 << 20 {
            continue;
        }
        let Ok(content) = fs.read(&path).map(Bytes::from) else { continue };
        let key = Bytes::from(path.display().to_string());
        let lines = pieces(&content, b"\n").into_iter();
        records.extend(lines.map(|range| (Some(key.clone()), content.slice(range))));
        files += 1;
        bytes += size;
    }
    Corpus::of(format!("{files} files below {}", root.display()), records, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(content: &'static str) -> Vec<(Option<String>, String)> {
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let records = records(Bytes::from_static(content.as_bytes())).into_iter();
        records.map(|(key, value)| (key.map(text), text(value))).collect()
    }

    #[test]
    fn a_debian_index_is_cut_into_paragraphs_keyed_by_package() {
        let got = texts("Package: a\nSize: 1\n\nPackage: bb\nSize: 2\n\n\nPackage: c\n");
        let expect = [("a", "Package: a\nSize: 1"), ("bb", "Package: bb\nSize: 2"), ("c", "\nPackage: c\n")];
        assert_eq!(got.len(), 3);
        assert_eq!(
            got[..2].iter().map(|(key, value)| (key.as_deref().unwrap(), value.as_str())).collect::<Vec<_>>(),
            expect[..2]
        );
        assert_eq!(got[2].1, expect[2].1);
    }

    #[test]
    fn any_other_file_is_cut_into_lines_and_empty_ones_count() {
        let values: Vec<String> = texts("one\n\ntwo").into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["one", "", "two"]);
        assert_eq!(texts("one\n").len(), 1);
    }
}

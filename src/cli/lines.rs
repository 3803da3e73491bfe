//! Lines of a file or of standard input, read on a thread of their own so that waiting for a pipe holds nothing up.

use crate::sys::{File, spawn_thread};
use std::io::{self, BufRead as _, BufReader, Read};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Lines read ahead. With the longest line they bound what waits in memory.
const LINES_AHEAD: usize = 1024;
/// Longest line; a broker takes no record near that size.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// A file as a stream.
pub struct FileStream {
    file: Arc<dyn File>,
    at: u64,
}

impl FileStream {
    /// From the first byte on.
    pub fn new(file: Arc<dyn File>) -> FileStream {
        FileStream { file, at: 0 }
    }
}

impl Read for FileStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(buf, self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

/// Starts reading; lines come without their ends, and the channel closes after the last or after an error.
pub fn read_lines(source: impl Read + Send + 'static) -> io::Result<mpsc::Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD);
    let work = move || {
        let mut source = BufReader::with_capacity(256 << 10, source);
        while let Some(line) = next_line(&mut source).transpose() {
            let failed = line.is_err();
            if sender.blocking_send(line).is_err() || failed {
                return;
            }
        }
    };
    spawn_thread("lines", work)?;
    Ok(receiver)
}

fn next_line(source: &mut BufReader<impl Read>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let got = source.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if got == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if got as u64 == LINE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 64 MiB"));
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_without_their_ends_and_the_last_needs_none() {
        let (runtime, bytes) =
            (tokio::runtime::Builder::new_current_thread().build().unwrap(), "a\n\r\nb\r\nc");
        let mut lines = read_lines(io::Cursor::new(bytes)).unwrap();
        let mut all = Vec::new();
        while let Some(line) = runtime.block_on(lines.recv()) {
            all.push(String::from_utf8(line.unwrap()).unwrap());
        }
        assert_eq!(all, ["a", "", "b", "c"]);
    }
}

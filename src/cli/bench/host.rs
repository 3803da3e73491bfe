//! The machine that a run was made on, as far as its figures depend on it.

use crate::sys::{Fs, OpenHow};
use serde::Serialize;
use std::path::Path;

/// More than the longest file that is read here has on a machine of a thousand processors.
const FILE_BYTES_MAX: usize = 4 << 20;
/// Ticks of a second in which the kernel counts the time of processes, on every Linux.
const TICKS: f64 = 100.0;

/// A machine.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// Processors that this process may use.
    pub cpus: usize,
    /// What they are called.
    pub cpu_model: Option<String>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// The kernel.
    pub kernel: Option<String>,
    /// `linux-x86_64`
    pub platform: String,
}

impl Host {
    /// This machine.
    pub fn here(fs: &dyn Fs) -> Host {
        let text = |path: &str| read(fs, path);
        let field = |text: Option<String>, name: &str| field(&text?, name);
        let memory = field(text("/proc/meminfo"), "MemTotal");
        let memory = memory.and_then(|text| text.strip_suffix(" kB")?.trim().parse::<u64>().ok());
        Host {
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            cpu_model: field(text("/proc/cpuinfo"), "model name"),
            memory_bytes: memory.map(|kib| kib * 1024),
            kernel: text("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

/// Seconds of processor time that this process has used.
pub fn cpu_seconds(fs: &dyn Fs) -> Option<f64> {
    ticks(&read(fs, "/proc/self/stat")?).map(|ticks| ticks / TICKS)
}

/// Ticks in user and kernel mode: fields 14 and 15, of which the second is a name that may hold blanks.
fn ticks(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11).map(|field| field.parse::<f64>().ok());
    Some(fields.next()?? + fields.next()??)
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn read(fs: &dyn Fs, path: &str) -> Option<String> {
    let file = fs.open(Path::new(path), OpenHow::Read).ok()?;
    let (mut bytes, mut part) = (Vec::new(), vec![0; 64 << 10]);
    // Files of /proc have no size to ask for.
    while bytes.len() < FILE_BYTES_MAX {
        match file.read_at(&mut part, bytes.len() as u64).ok()? {
            0 => break,
            got => bytes.extend_from_slice(part.get(..got)?),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_kernel_are_found() {
        let info = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t: a b\n";
        assert_eq!(field(info, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(field(info, "model"), None);
        let stat = "12 (a ) b) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1";
        assert_eq!(ticks(stat), Some(300.0));
        assert_eq!(ticks("12 (x"), None);
    }
}

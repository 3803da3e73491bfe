//! The broker under test: the real binary on a directory, with its default settings but for sizes. It must not know
//! what is asked of it.

use crate::client::Client;
use crate::ground;
use anyhow::{Context, Result, bail};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// A start that takes longer than this failed.
const START_MAX: Duration = Duration::from_secs(30);
/// Fewer partitions of groups than Kafka makes, for smaller disks, and compaction and retention as often as a life of a
/// second needs; nothing that decides about durability.
const SETTINGS: [&str; 4] = [
    "offsets.topic.num.partitions=3",
    "log.cleaner.backoff.ms=50",
    "log.initial.task.delay.ms=100",
    "log.retention.check.interval.ms=150",
];

/// Binaries of a run.
#[derive(Clone)]
pub struct Binaries {
    /// `logboom`.
    pub logboom: PathBuf,
    /// `powercut`, which starts it.
    pub powercut: PathBuf,
}

impl Binaries {
    /// What `LOGBOOM_BIN` names, or the newest that was built.
    ///
    /// # Errors
    /// None was built.
    pub fn find(powercut: &Path) -> Result<Binaries> {
        let powercut = powercut.to_owned();
        if let Some(named) = env::var_os("LOGBOOM_BIN") {
            return Ok(Binaries { logboom: PathBuf::from(named), powercut });
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let built = ["release", "debug"].map(|profile| root.join("target").join(profile).join("logboom"));
        let newest = built.into_iter().filter_map(|path| {
            let made = fs::metadata(&path).and_then(|meta| meta.modified()).ok()?;
            Some((made, path))
        });
        let (_, logboom) = newest.max().context("no logboom binary: build it, or set LOGBOOM_BIN")?;
        Ok(Binaries { logboom, powercut })
    }
}

/// A running broker; killed when dropped.
pub struct Broker {
    child: Child,
    address: SocketAddr,
    output: PathBuf,
}

impl Broker {
    /// Starts it and waits until it takes connections. With `honest` false its syncs do nothing.
    ///
    /// # Errors
    /// It ends or takes too long; with the last lines of its output, which is kept in `output`.
    pub fn start(binaries: &Binaries, data: &Path, output: &Path, honest: bool) -> Result<Broker> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = fs::File::create(output)?;
        let mut command = Command::new(&binaries.powercut);
        command.arg("exec").args((!honest).then_some("--broken")).arg("--").arg(&binaries.logboom);
        command.arg("serve").arg("--data").arg(data).arg("--listen").arg(address.to_string());
        command.args(SETTINGS.iter().flat_map(|setting| ["--set", setting]));
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"LOGBOOM_")) {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
        ground::remember(child.id());
        let mut broker = Broker { child, address, output: output.to_owned() };
        broker.wait_ready()?;
        Ok(broker)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        while Client::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the broker ended with {status}: {}", self.last_output());
            }
            if begun.elapsed() > START_MAX {
                bail!("the broker was not ready in {START_MAX:?}: {}", self.last_output());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last lines that it printed.
    pub fn last_output(&self) -> String {
        last_lines(&self.output)
    }

    /// Stops it in good order; returns whether it ended with 0.
    ///
    /// # Errors
    /// It cannot be asked, or takes too long.
    pub fn stop(mut self) -> Result<bool> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.context("no process")?, rustix::process::Signal::TERM)?;
        let begun = Instant::now();
        while begun.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the broker did not stop: {}", self.last_output())
    }
}

/// The end of what a broker printed into this file.
pub fn last_lines(output: &Path) -> String {
    let text = fs::read(output).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        ground::forget(self.child.id());
    }
}

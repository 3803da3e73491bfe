//! Runs the binary as a user does: a broker on a free port of loopback, and verbs against it.

use logboom::sys::{Fs, RealFs, spawn_thread};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// A directory of its own for one test, removed at its end.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("logboom-it-{}-{number}", std::process::id()));
        RealFs.create_dir_all(&path).unwrap();
        Scratch(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A test that failed has other things to say.
        let _ = RealFs.remove_dir_all(&self.0);
    }
}

/// A broker in a process of its own; killed if the test forgets it.
pub struct Broker {
    process: Child,
    pub address: String,
}

impl Broker {
    /// Starts one on a free port and returns when it is ready.
    pub fn start(data: &Path) -> Broker {
        Broker::start_at(data, "127.0.0.1:0")
    }

    /// Starts one at an address, where clients of the one before find it.
    pub fn start_at(data: &Path, address: &str) -> Broker {
        Broker::start_on(&[data], address)
    }

    /// Starts one with several directories.
    pub fn start_on(data: &[&Path], address: &str) -> Broker {
        let mut process = command(&["serve", "--listen", address, "--json"])
            .args(data.iter().flat_map(|dir| [OsStr::new("--data"), dir.as_os_str()]))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut banner = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut banner).unwrap();
        let banner: serde_json::Value = serde_json::from_str(&banner).expect("a banner in JSON");
        Broker { process, address: banner["listen"].as_str().unwrap().to_owned() }
    }

    /// Runs a verb against it.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.fed(arguments, "")
    }

    /// Runs a verb against it with something on standard input.
    pub fn fed(&self, arguments: &[&str], input: &str) -> Ran {
        logboom_fed(&[&["--bootstrap", &self.address], arguments].concat(), input)
    }

    /// Starts a verb that goes on until it is told to end.
    pub fn begin(&self, arguments: &[&str]) -> Begun {
        let mut process = command(&[&["--bootstrap", &self.address], arguments].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, receiver) = std::sync::mpsc::channel();
        spawn_thread("lines of a verb", move || {
            // A test that has seen enough does not listen any more.
            lines.map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
        })
        .unwrap();
        Begun { process, lines: receiver }
    }

    /// The exit code, if it has ended.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        self.process.try_wait().unwrap().map(|status| status.code())
    }

    /// As a power cut of the process: no handler runs.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// As a service manager does it; gives the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A verb under way; killed if the test forgets it.
pub struct Begun {
    process: Child,
    lines: Receiver<String>,
}

impl Begun {
    /// The next lines of standard output, waited for a minute at most.
    pub fn lines(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.lines.recv_timeout(Duration::from_secs(60)).unwrap()).collect()
    }

    /// Sends a signal by name, waits for the end and gives the exit code and standard error.
    pub fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let mut err = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.process.wait().unwrap().code(), err)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a verb did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output of a verb that must have succeeded.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }
}

/// Runs the binary.
pub fn logboom(arguments: &[&str]) -> Ran {
    logboom_fed(arguments, "")
}

/// Runs the binary with something on standard input.
pub fn logboom_fed(arguments: &[&str], input: &str) -> Ran {
    let piped =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = piped.unwrap();
    // Inputs of tests fit the pipe, and a verb that does not read is no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logboom"));
    // What the machine that runs the tests has set must not matter.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOGBOOM_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(std::env::temp_dir());
    command
}

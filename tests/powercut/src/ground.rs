//! Where a run stands: a directory in memory, mounts below it, processes that use them. Everything is taken down when
//! it is dropped, on a panic and on Ctrl-C; what a killed run left is taken down by the next one.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Once};
use std::thread::sleep;
use std::time::Duration;

/// Names of the directories, before the process id.
const PREFIX: &str = "logboom-powercut-";
/// How often a busy mount is tried again, 50 ms apart: a loop device lets go of its file a moment after its last user.
const TRIES_MAX: u32 = 100;

/// Children that Ctrl-C must take along.
static CHILDREN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
static SIGNALS: Once = Once::new();

/// A directory of this process; mounts go below it.
pub struct Ground {
    root: PathBuf,
}

/// A mounted file system.
pub struct Mounted {
    /// Where.
    pub at: PathBuf,
}

/// Why a power cut cannot be tried on this machine; `None` if it can.
pub fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("mounting needs root".to_owned());
    }
    for device in ["/dev/fuse", "/dev/loop-control"] {
        if !Path::new(device).exists() {
            return Some(format!("there is no {device}"));
        }
    }
    let tools = ["mount", "umount", "mkfs.ext4", "e2fsck"];
    let lacks = |tool: &&&str| Command::new(tool).arg("-V").output().is_err();
    tools.iter().find(lacks).map(|tool| format!("there is no {tool}"))
}

impl Ground {
    /// Makes the directory, in memory if the machine has room for that; `POWERCUT_DIR` names another place.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(name: &str) -> Result<Ground> {
        SIGNALS.call_once(take_down_on_signals);
        let base = base();
        sweep_the_dead(&base);
        let root = base.join(format!("{PREFIX}{}", std::process::id())).join(name);
        fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        Ok(Ground { root })
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A new directory in it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn dir(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Mounts the ext4 in an image through a loop device, which goes when it is unmounted.
    ///
    /// # Errors
    /// What `mount` says.
    pub fn mount(&self, image: &Path, name: &str) -> Result<Mounted> {
        let at = self.dir(name)?;
        // Ordered data and barriers are the defaults; they are named because everything here hangs on them.
        run("mount", &["-t", "ext4", "-o", "loop,data=ordered,barrier=1,noatime", path(image)?, path(&at)?])?;
        Ok(Mounted { at })
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        unmount_below(&self.root);
        // What cannot be removed is below a mount that is still there, which the next run takes down.
        let _ = fs::remove_dir_all(&self.root);
        if let Some(parent) = self.root.parent() {
            let _ = fs::remove_dir(parent);
        }
    }
}

impl Mounted {
    /// Unmounts, waiting for users that are about to go.
    ///
    /// # Errors
    /// It stays busy.
    pub fn unmount(self) -> Result<()> {
        let mut last = None;
        for _ in 0..TRIES_MAX {
            match run("umount", &[path(&self.at)?]) {
                Ok(_) => {
                    std::mem::forget(self);
                    return Ok(());
                }
                Err(error) => last = Some(error),
            }
            sleep(Duration::from_millis(50));
        }
        Err(last.context("not tried")?)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Ok(at) = path(&self.at) {
            let _ = run("umount", &["-l", at]);
        }
    }
}

/// Runs a tool and gives what it printed.
///
/// # Errors
/// It is not there, or it failed: what it said.
pub fn run(tool: &str, arguments: &[&str]) -> Result<String> {
    let done = Command::new(tool).args(arguments).output().with_context(|| format!("cannot run {tool}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !done.status.success() {
        bail!("{tool} {}: {} {}", arguments.join(" "), said(&done.stdout), said(&done.stderr));
    }
    Ok(said(&done.stdout))
}

/// A path as text.
///
/// # Errors
/// It is not Unicode.
pub fn path(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not Unicode", path.display()))
}

/// Remembers a child, so that a signal takes it along.
pub fn remember(child: u32) {
    CHILDREN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(child);
}

/// The child has ended.
pub fn forget(child: u32) {
    CHILDREN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&child);
}

/// A fresh ext4 with a small journal, as bytes. Nothing is left for the kernel to do in the background.
///
/// # Errors
/// What `mkfs.ext4` says.
pub fn fresh_disk(ground: &Ground, bytes: u64) -> Result<Vec<u8>> {
    let image = ground.path("fresh");
    fs::File::create(&image)?.set_len(bytes)?;
    let extended = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";
    run("mkfs.ext4", &["-q", "-F", "-b", "4096", "-m", "0", "-J", "size=8", "-E", extended, path(&image)?])?;
    let disk = fs::read(&image)?;
    ensure!(disk.len() as u64 == bytes, "the image has another size");
    fs::remove_file(&image)?;
    Ok(disk)
}

/// Where the directories are: memory, if there is some.
fn base() -> PathBuf {
    match std::env::var_os("POWERCUT_DIR") {
        Some(dir) => PathBuf::from(dir),
        None if Path::new("/dev/shm").is_dir() => PathBuf::from("/dev/shm"),
        None => std::env::temp_dir(),
    }
}

fn take_down_on_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    std::thread::spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        for child in CHILDREN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
            kill(*child);
        }
        sweep(&base().join(format!("{PREFIX}{}", std::process::id())));
        std::process::exit(128 + signal);
    });
}

fn kill(child: u32) {
    if let Some(pid) = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// Takes down what runs that were killed have left.
fn sweep_the_dead(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            sweep(&entry.path());
        }
    }
}

fn sweep(root: &Path) {
    unmount_below(root);
    let _ = fs::remove_dir_all(root);
}

/// Unmounts everything below a directory, the last mounted first; what is busy goes when its users do.
fn unmount_below(root: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(Path::new);
    let ours: Vec<&Path> = places.filter(|place| place.starts_with(root)).collect();
    for place in ours.iter().rev() {
        if let Ok(place) = path(place) {
            let _ = run("umount", &["-l", place]);
        }
    }
}

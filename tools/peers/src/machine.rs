//! What the numbers belong to: the machine, the kernel, the disk, the versions and the settings.

use crate::peer::{KAFKA_JVM, KAFKA_PROPERTIES, OURS};
use crate::scenario::Settings;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Facts by name, in the order in which they are shown.
pub fn facts(settings: &Settings, rounds: usize) -> Vec<(&'static str, String)> {
    let status =
        said(Command::new("git").args(["status", "--porcelain"]).current_dir(env!("CARGO_MANIFEST_DIR")));
    let commit =
        said(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR")));
    let changed = if status.is_empty() { "" } else { ", and changes on top" };
    let mut facts = vec![
        ("machine", machine()),
        ("kernel", said(Command::new("uname").args(["-sr"]))),
        ("disk", disk(&settings.install.work)),
        ("commit", format!("{commit}{changed}")),
        ("logboom", said(Command::new(&settings.install.logboom).arg("--version"))),
        (
            "settings of logboom",
            format!("defaults and {}; relaxed: {}", OURS.join(", "), crate::peer::RELAXED),
        ),
    ];
    if let Some(jars) = &settings.install.kafka {
        let version = fs::read_dir(jars).ok().and_then(|files| {
            let mut names = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned());
            names.find_map(|name| Some(name.strip_prefix("kafka-server-4")?.strip_suffix(".jar")?.to_owned()))
        });
        let java = Command::new("java").arg("-version").output();
        let java = java.map(|done| String::from_utf8_lossy(&done.stderr).into_owned()).unwrap_or_default();
        let properties = KAFKA_PROPERTIES.lines().filter(|line| !line.contains('{'));
        facts.extend([
            ("kafka", version.map_or("?".to_owned(), |rest| format!("4{rest}"))),
            ("java", java.lines().nth(1).or(java.lines().next()).unwrap_or("?").trim().to_owned()),
            ("JVM settings of kafka", KAFKA_JVM.join(" ")),
            ("settings of kafka", properties.collect::<Vec<_>>().join(", ")),
        ]);
    }
    facts.push(("rounds", format!("{rounds}, interleaved; medians, spread in parentheses")));
    facts.push((
        "window",
        format!(
            "{:?} after {:?} of warming up, or {} MiB",
            settings.window,
            settings.warm,
            settings.bytes_max >> 20
        ),
    ));
    facts.push(("CPU", "of the broker's process by its CPU clock (user and system, all threads)".to_owned()));
    facts
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    let gib = kib.map_or(0.0, |kib: f64| kib / f64::from(1 << 20));
    format!("{cores} x {}, {gib:.1} GiB", model.map_or("unknown processor", |(_, name)| name))
}

fn disk(work: &Path) -> String {
    let line = said(Command::new("df").args(["--output=source,fstype"]).arg(work));
    line.lines().last().unwrap_or("?").split_whitespace().collect::<Vec<_>>().join(", ")
}

/// The first line that a program says, or all of it where there are more; a question mark if it cannot be asked.
fn said(command: &mut Command) -> String {
    let done = command.output().ok().filter(|done| done.status.success());
    done.map_or("?".to_owned(), |done| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

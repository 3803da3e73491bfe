//! A recording of a broker at work on a disk, and the power cuts that are tried on it.

use crate::broker::{Binaries, Broker, last_lines};
use crate::check::{Findings, check, open_all};
use crate::cut::{Cut, Replay, Tail};
use crate::disk;
use crate::ground::{self, Ground};
use crate::history::History;
use crate::stream::{Event, Stream};
use crate::work::{self, Site, WORKERS, Worker};
use anyhow::{Context, Result, ensure};
use logboom::sys::{Rng, SeededRng};
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Size of the disk.
const DISK_BYTES: u64 = 192 << 20;
/// Bytes of records in one recording: every cut reads what is left of them.
const BUDGET_BYTES: usize = 12 << 20;
/// How long each life of the broker lasts at least, and at most where a busy machine gets less than half of its records
/// sent in that time.
const LIFE: (Duration, Duration) = (Duration::from_millis(1200), Duration::from_secs(20));
/// Lives: the first is stopped in good order, the second is killed, in the third the power fails.
const LIVES: u32 = 3;
/// One cut in so many is followed by another one while the broker comes up.
const AGAIN_EVERY: u64 = 5;
/// Pieces of an image that hold only zeros are not written.
const PIECE: usize = 64 << 10;

/// What is broken on purpose, so that the rig can show that it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The broker's syncs answer and do nothing.
    NeverSyncs,
    /// The broker acknowledges while its last flush is still on the way: a cut takes that flush back.
    AcksEarly,
}

/// What is tried.
#[derive(Clone)]
pub struct Plan {
    /// What is run.
    pub binaries: Binaries,
    /// Power cuts.
    pub cuts: u32,
    /// Decides what chance decides.
    pub seed: u64,
    /// What is broken.
    pub fault: Option<Fault>,
    /// Say what happens.
    pub loud: bool,
}

/// What came of one recording.
#[derive(Debug, Default)]
pub struct Report {
    /// Cuts that were tried.
    pub cuts: u32,
    /// Cuts after which something was lost or wrong.
    pub bad: u32,
    /// Cuts that were followed by a second one.
    pub again: u32,
    /// Acknowledged records that were lost, over all cuts.
    pub lost: u64,
    /// Records that were there twice, over all cuts.
    pub doubled: u64,
    /// Acknowledged records that a cut could have lost, over all cuts.
    pub promised: u64,
    /// What the broker had done by itself before the cuts.
    pub upkeep: Upkeep,
    /// The first things that were wrong.
    pub wrong: Vec<String>,
    /// Longest time from start to the first connection.
    pub start_max: Duration,
}

impl Report {
    /// Adds another one.
    pub fn add(&mut self, other: Report) {
        self.cuts += other.cuts;
        self.bad += other.bad;
        self.again += other.again;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.promised += other.promised;
        self.upkeep.add(&other.upkeep);
        self.wrong.extend(other.wrong);
        self.wrong.truncate(40);
        self.start_max = self.start_max.max(other.start_max);
    }
}

/// Traces of what a broker does by itself, on the disks of cuts and in the looks at them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upkeep {
    /// Cuts that fell between the first and the last step of a swap.
    pub amid_swaps: u32,
    /// Seals of segments.
    pub seals: u64,
    /// Files on their way out.
    pub leaving: u64,
    /// Acknowledged records that compaction took.
    pub compacted: u64,
    /// Keys that compaction took with their tombstones.
    pub keys_gone: u64,
    /// Records that retention took.
    pub retained: u64,
}

impl Upkeep {
    fn add(&mut self, other: &Upkeep) {
        self.amid_swaps += other.amid_swaps;
        self.seals += other.seals;
        self.leaving += other.leaving;
        self.compacted += other.compacted;
        self.keys_gone += other.keys_gone;
        self.retained += other.retained;
    }

    /// What stands on a disk before the broker comes up.
    fn seen_on(&mut self, data: &Path) -> Result<()> {
        // A cut may come before there is anything.
        let Ok(entries) = std::fs::read_dir(data) else { return Ok(()) };
        let mut swapping = false;
        for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
            for file in std::fs::read_dir(entry.path())? {
                match file?.path().extension().and_then(|extension| extension.to_str()) {
                    Some("swap" | "cleaned") => swapping = true,
                    Some("seal") => self.seals += 1,
                    Some("deleted") => self.leaving += 1,
                    _ => {}
                }
            }
        }
        self.amid_swaps += u32::from(swapping);
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { cuts, again, bad, lost, promised, doubled, upkeep, .. } = self;
        writeln!(
            f,
            "{cuts} cuts, {again} of them twice: {bad} bad, {lost} of {promised} acknowledged records lost, \
             {doubled} doubled, slowest start {} ms",
            self.start_max.as_millis()
        )?;
        let Upkeep { amid_swaps, seals, leaving, compacted, keys_gone, retained } = upkeep;
        write!(
            f,
            "on the disks: {amid_swaps} cuts amid a swap, {seals} seals, {leaving} files on their way out; \
             {compacted} records and {keys_gone} keys gone by compaction, {retained} by retention"
        )
    }
}

struct Recording {
    blank: Vec<u8>,
    events: Vec<Event>,
    history: History,
}

/// Records a broker at work and cuts the power of its disk, again and again, each time at another point.
///
/// # Errors
/// The rig fails; what the broker does wrong is in the report.
pub fn run(plan: &Plan) -> Result<Report> {
    let ground = Ground::new(&format!("{:x}", plan.seed))?;
    let begun = Instant::now();
    let recording = record(plan, &ground)?;
    let history = &recording.history;
    let writes = recording.events.iter().filter(|event| matches!(event, Event::Write { .. })).count();
    if plan.loud {
        println!(
            "seed {:#x}: {writes} writes, {} flushes, {} batches, {} topics, {} commits, {} fronts in {:.1} s",
            plan.seed,
            recording.events.len() - writes,
            history.batches.len(),
            history.topics.len(),
            history.commits.len(),
            history.fronts.len(),
            begun.elapsed().as_secs_f64()
        );
    }
    ensure!(writes < recording.events.len(), "no flush reached the disk");
    let mut replay = Replay::new(recording.blank, plan.fault == Some(Fault::AcksEarly));
    let mut report = Report::default();
    for cut in choose(plan, history, recording.events.len()) {
        let mut disk = replay.disk_after(&recording.events, cut);
        if cut.again {
            disk = cut_again(plan, &ground, disk, history, cut)?;
        }
        let started = Instant::now();
        let (findings, start) = try_cut(plan, &ground, &disk, history, cut, &mut report.upkeep);
        report.cuts += 1;
        report.again += u32::from(cut.again);
        report.doubled += findings.doubled;
        report.promised += history.promised_records(cut.at);
        report.lost += findings.lost;
        report.start_max = report.start_max.max(start);
        if plan.loud {
            println!(
                "  {cut}: {} promised, {} read, {} lost, {} wrong, up in {} ms, {:.2} s",
                history.promised_records(cut.at),
                findings.read,
                findings.lost,
                findings.wrong.len(),
                start.as_millis(),
                started.elapsed().as_secs_f64()
            );
        }
        if !findings.is_good() {
            report.bad += 1;
            let told = findings.wrong.into_iter().take(5);
            report.wrong.extend(told.map(|what| format!("run {:#x}, {cut}: {what}", plan.seed)));
        }
    }
    Ok(report)
}

/// Half of the cuts fall anywhere, half where something had just been acknowledged; if something is broken all of them
/// there, and with all lost that was not flushed, since that is what has to be seen.
fn choose(plan: &Plan, history: &History, end: usize) -> Vec<Cut> {
    let rng = SeededRng::new(plan.seed ^ 0xc7);
    let acked: Vec<usize> = history.acknowledgements().into_iter().filter(|at| *at <= end).collect();
    let mut cuts: Vec<Cut> = (0..plan.cuts)
        .map(|number| {
            let anywhere = 1 + rng.below(end as u64) as usize;
            let after_an_ack = acked.get(rng.below(acked.len() as u64) as usize).copied();
            let at = if number % 2 == 0 && plan.fault.is_none() {
                anywhere
            } else {
                after_an_ack.unwrap_or(anywhere)
            };
            let tail = Tail::pick(&rng);
            let tail = if plan.fault.is_none() { tail } else { Tail::Lost };
            Cut { at, tail, seed: rng.next_u64(), again: rng.below(AGAIN_EVERY) == 0 }
        })
        .collect();
    cuts.sort_by_key(|cut| cut.at);
    cuts
}

fn record(plan: &Plan, ground: &Ground) -> Result<Recording> {
    let blank = ground::fresh_disk(ground, DISK_BYTES)?;
    let stream = Arc::new(Stream::new(blank.clone()));
    let shown = ground.dir("shown")?;
    let session = disk::show(Arc::clone(&stream), &shown)?;
    let mounted = ground.mount(&shown.join(disk::NAME), "recorded")?;
    let site = Site {
        seed: plan.seed,
        stream: Arc::clone(&stream),
        history: Mutex::default(),
        budget: AtomicUsize::new(0),
        ending: AtomicBool::new(false),
    };
    let mut workers: Vec<Worker> = (0..WORKERS).map(|number| Worker::new(plan.seed, number)).collect();
    let mut end = 0;
    for life in 0..LIVES {
        let output = ground.path(&format!("life-{life}.log"));
        let broker = Broker::start(
            &plan.binaries,
            &mounted.at.join("data"),
            &output,
            plan.fault != Some(Fault::NeverSyncs),
        )?;
        if life == 0 {
            work::prepare(&site, broker.address())?;
        }
        site.budget.store(BUDGET_BYTES / LIVES as usize, Ordering::Release);
        end = live(&site, &mut workers, broker, life == 0)
            .with_context(|| format!("the broker said: {}", last_lines(&output)))?;
    }
    mounted.unmount()?;
    session.umount_and_join().context("FUSE")?;
    let history = site.history.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(Recording { blank, events: stream.take(end), history })
}

/// One life of the broker, under work; the position at which it ended.
fn live(site: &Site, workers: &mut [Worker], broker: Broker, in_good_order: bool) -> Result<usize> {
    site.ending.store(false, Ordering::Release);
    let address = broker.address();
    std::thread::scope(|scope| {
        let working: Vec<_> =
            workers.iter_mut().map(|worker| scope.spawn(|| worker.work(site, address))).collect();
        let begun = Instant::now();
        let enough = BUDGET_BYTES / LIVES as usize / 2;
        while begun.elapsed() < LIFE.0
            || begun.elapsed() < LIFE.1 && site.budget.load(Ordering::Acquire) > enough
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        site.ending.store(true, Ordering::Release);
        let end = site.stream.position();
        let mut broker = Some(broker);
        if !in_good_order {
            // Killed while requests are under way.
            broker = None;
        }
        for worker in working {
            worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        if let Some(broker) = broker {
            ensure!(broker.stop()?, "the broker did not stop in good order");
            return Ok(site.stream.position());
        }
        Ok(end)
    })
}

/// The disk after a second cut, at some moment of the start after the first.
fn cut_again(plan: &Plan, ground: &Ground, disk: Vec<u8>, history: &History, cut: Cut) -> Result<Vec<u8>> {
    let stream = Arc::new(Stream::new(disk.clone()));
    let shown = ground.dir("shown")?;
    let session = disk::show(Arc::clone(&stream), &shown)?;
    let mounted = ground.mount(&shown.join(disk::NAME), "recorded")?;
    let output = ground.path("again.log");
    if let Ok(broker) = Broker::start(&plan.binaries, &mounted.at.join("data"), &output, true) {
        // What goes wrong here is found by the look after the second cut.
        let _ = open_all(history, broker.address());
    }
    let end = stream.position();
    mounted.unmount()?;
    session.umount_and_join().context("FUSE")?;
    let rng = SeededRng::new(cut.seed ^ 0xa9);
    let at = rng.below(end as u64 + 1) as usize;
    let second = Cut { at, tail: Tail::pick(&rng), seed: rng.next_u64(), again: false };
    Ok(Replay::new(disk, false).disk_after(&stream.take(end), second))
}

/// Starts the broker on a disk as the cut left it and looks.
fn try_cut(
    plan: &Plan,
    ground: &Ground,
    disk: &[u8],
    history: &History,
    cut: Cut,
    upkeep: &mut Upkeep,
) -> (Findings, Duration) {
    let mut start = Duration::ZERO;
    let mut looked = || -> Result<Findings> {
        let image = ground.path("image");
        write_image(&image, disk)?;
        let mounted = ground.mount(&image, "after")?;
        upkeep.seen_on(&mounted.at.join("data"))?;
        let begun = Instant::now();
        let broker =
            Broker::start(&plan.binaries, &mounted.at.join("data"), &ground.path("after.log"), true)?;
        start = begun.elapsed();
        let findings = check(history, plan.seed, cut.at, broker.address())
            .with_context(|| format!("the broker said: {}", broker.last_output()))?;
        drop(broker);
        mounted.unmount()?;
        // If the file system itself were damaged, the rig would be wrong and not the broker.
        ground::run("e2fsck", &["-fn", ground::path(&image)?])?;
        Ok(findings)
    };
    let findings = looked()
        .unwrap_or_else(|error| Findings { wrong: vec![format!("{error:#}")], ..Findings::default() });
    upkeep.compacted += findings.compacted;
    upkeep.keys_gone += findings.keys_gone;
    upkeep.retained += findings.retained;
    (findings, start)
}

fn write_image(path: &Path, disk: &[u8]) -> Result<()> {
    // Anew each time: a loop device that has not let go yet keeps the old file, not the name.
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let file = File::create(path)?;
    file.set_len(disk.len() as u64)?;
    let zeros = vec![0; PIECE];
    for (i, piece) in disk.chunks(PIECE).enumerate() {
        if piece != &zeros[..piece.len()] {
            file.write_all_at(piece, (i * PIECE) as u64)?;
        }
    }
    Ok(())
}

//! The power is cut, or the process killed, at every change that a whole broker makes to its disk while random work
//! is done, and again while it recovers: it always starts, nothing acknowledged is lost, nothing deleted is back,
//! nothing is there twice, and it goes on.
//!
//! A workload runs once; before each change of the disk a picture is taken of what a crash then would leave. Each
//! picture is then started, checked, used and started again. By environment: `CRASH_CUTS` (how many in all),
//! `CRASH_SEED` (of the first workload), `CRASH_AT` (only this change of that workload), `CRASH_THREADS`.

pub mod broker;
mod compacted;
mod disk;
mod ledger;
mod ops;
pub mod verify;
mod world;

use broker::Setup;
use disk::{Disk, Lie, Watcher};
use ledger::Ledger;
use logboom::record::Codec;
use logboom::sys::{SeededRng, SimFs, spawn_thread};
use ops::{NAMES, Op, Plan, Shape};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use world::{Finding, World};

/// Steps of a workload: with these a run makes some hundred changes.
const STEPS: u64 = 24;
/// How far into a recovery a second crash may come; a later one strikes what clients do then.
const SECOND_WITHIN: u64 = 60;

/// What a finding begins with for which no crash was needed but those among the operations.
const UNCRASHED: &str = "without a crash";

/// How a crash happens.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Crash {
    /// The power fails; the number draws what the disk keeps.
    Power(u64),
    /// The process is killed.
    Kill,
}

/// What a crash left, and what was known outside by then.
struct Picture {
    /// Changes before it.
    at: u64,
    crash: Crash,
    fs: SimFs,
    ledger: Ledger,
    /// Draws what comes after it.
    seed: u64,
}

type Pictures = Arc<Mutex<Vec<Picture>>>;

/// Takes a picture before each change, or before those that `wanted` names.
fn watcher(
    ledger: &Arc<Mutex<Ledger>>,
    seed: u64,
    wanted: impl Fn(u64, bool) -> bool + Send + 'static,
) -> (Watcher, Pictures) {
    let pictures = Pictures::default();
    let (shown, ledger) = (Arc::clone(&pictures), Arc::clone(ledger));
    let watch = move |at: u64, is_lying: bool, sim: &SimFs| {
        let rng = SeededRng::new(seed.wrapping_mul(1_000_003).wrapping_add(at));
        let draw = rng.below(u64::MAX);
        if !wanted(at, is_lying) {
            return;
        }
        let crash = if rng.below(8) == 0 { Crash::Kill } else { Crash::Power(draw) };
        let fs = match crash {
            Crash::Kill => sim.kill(),
            Crash::Power(seed) => sim.crash(seed),
        };
        let mut ledger = ledger.lock().snapshot();
        if rng.below(4) > 0 {
            ledger.wall = ledger.latest;
        }
        shown.lock().push(Picture { at, crash, fs, ledger, seed: draw });
    };
    (Box::new(watch), pictures)
}

fn setup(rng: &SeededRng) -> Setup {
    Setup {
        mark_ms: [0, 5, 5000][rng.below(3) as usize],
        mark_bytes: [1 << 20, 1500][rng.below(2) as usize],
        reserve_bytes: [0, 0, 8192][rng.below(3) as usize],
        cleaner_ms: Some([20, 300][rng.below(2) as usize]),
        scrub_ms: [1000, 5000][rng.below(2) as usize],
        journal: ([0, 1, 1, 2][rng.below(4) as usize], [12 << 10, 64 << 10][rng.below(2) as usize]),
    }
}

/// Runs a workload; the pictures of its crash points, or what went wrong without any crash.
fn pictures(seed: u64, lie: Option<Lie>, only: Option<u64>) -> (Vec<Op>, Result<Vec<Picture>, Finding>) {
    let rng = SeededRng::new(seed);
    let setup = setup(&rng);
    let mut ops = ops::draw(&rng, STEPS);
    if lie.is_some_and(Lie::keeps_starts) {
        ops.iter_mut().for_each(Op::keep_starts);
    }
    let dirs = 1 + rng.below(4) as usize / 3;
    let ledger = Arc::new(Mutex::new(Ledger { wall: 1_700_000_000_000, dirs, ..Ledger::default() }));
    let is_brief = lie.is_some_and(Lie::is_brief);
    let (watch, pictures) = watcher(&ledger, seed, move |at, is_lying| {
        only.is_none_or(|only| only == at) && (is_lying || !is_brief)
    });
    let disk = Disk::new(SimFs::new(seed), lie, watch);
    let mut world = World::new(disk, ledger, setup, seed);
    let mut work = || {
        world.start()?;
        ops.iter().try_for_each(|op| world.run(op).map_err(|finding| format!("at {op:?}: {finding}")))?;
        verify::all(&mut world)?;
        world.close();
        Ok(())
    };
    let done = work();
    drop(world);
    let taken = std::mem::take(&mut *pictures.lock());
    (ops, done.map(|()| taken))
}

/// Starts what a crash left, checks it, works on it and starts it again; every fourth time it crashes once more.
fn survive(picture: Picture, lie: Option<Lie>, depth: u32) -> Result<(), Finding> {
    let rng = SeededRng::new(picture.seed);
    let setup = setup(&rng);
    // A kill leaves what only the cache has, which the power may still take.
    let twice = picture.crash == Crash::Kill || rng.below(4) == 0;
    let second = (depth == 0 && twice).then(|| rng.below(SECOND_WITHIN));
    let ledger = Arc::new(Mutex::new(picture.ledger));
    let (watch, again) = watcher(&ledger, picture.seed, move |at, _| second == Some(at));
    let disk = Disk::new(picture.fs, lie, watch);
    let mut world = World::new(disk, ledger, setup, picture.seed);
    world.ledger.lock().lossy |= picture.crash != Crash::Kill;
    world.start()?;
    verify::all(&mut world)?;
    verify::come_back(&mut world)?;
    go_on(&mut world)?;
    world.close();
    world.start().map_err(|finding| format!("second start: {finding}"))?;
    verify::all(&mut world).map_err(|finding| format!("second start: {finding}"))?;
    world.close();
    drop(world);
    let again = std::mem::take(&mut *again.lock());
    for mut next in again {
        next.seed = next.seed.wrapping_add(1);
        let (at, crash) = (next.at, next.crash);
        survive(next, lie, depth + 1)
            .map_err(|finding| format!("second crash, {crash:?} at change {at}: {finding}"))?;
    }
    Ok(())
}

/// Clients go on: every partition takes records, and a name that is free is taken again.
fn go_on(world: &mut World) -> Result<(), Finding> {
    let plan = |producer| Plan { producer, records: 2, value_bytes: 20, codec: Codec::None, tombstones: 0 };
    for (id, index) in verify::places(world) {
        world.produce(id, index, &[plan(None), plan(Some(0))], false)?;
    }
    let shape = Shape {
        segment_bytes: 300,
        segment_ms: None,
        index_interval_bytes: 100,
        index_bytes: None,
        flush_messages: 1,
        delete_delay_ms: 0,
        retention_bytes: None,
        retention_ms: None,
        compaction: None,
    };
    for name in NAMES {
        if world.ledger.lock().named(name).is_none() {
            world.create(name, 1, shape)?;
            let id = world.ledger.lock().named(name).unwrap();
            verify::partition(world, id, 0)?;
            world.produce(id, 0, &[plan(None)], false)?;
            break;
        }
    }
    Ok(())
}

/// Says how to see a failure again, should the code below panic.
struct Repeat(u64, u64);

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", repeat(self.0, self.1));
        }
    }
}

fn repeat(seed: u64, at: u64) -> String {
    format!("again: CRASH_SEED={seed} CRASH_AT={at} cargo test --test it crash_engine::cuts_asked_for")
}

/// All crash points of one workload: the number of those that were survived, and the first defect.
fn check(seed: u64, lie: Option<Lie>, only: Option<u64>) -> (u64, Result<(), String>) {
    let running = Repeat(seed, u64::MAX);
    let (ops, taken) = pictures(seed, lie, only);
    drop(running);
    let told = |finding: &str, at: u64| {
        let list: Vec<String> = ops.iter().map(|op| format!("  {op:?}")).collect();
        format!("{finding}\n{}\nworkload {seed}:\n{}", repeat(seed, at), list.join("\n"))
    };
    let taken = match taken {
        Ok(taken) => taken,
        Err(finding) => return (0, Err(told(&format!("{UNCRASHED}: {finding}"), u64::MAX))),
    };
    let mut cuts = 0;
    for picture in taken {
        let (at, crash) = (picture.at, picture.crash);
        let _running = Repeat(seed, at);
        let files = picture.fs.files();
        if let Err(finding) = survive(picture, lie, 0) {
            let left: Vec<String> =
                files.iter().map(|(path, len)| format!("  {} {len}", path.display())).collect();
            let finding = format!("{crash:?} at change {at}: {finding}\nleft:\n{}", left.join("\n"));
            return (cuts, Err(told(&finding, at)));
        }
        cuts += 1;
    }
    (cuts, Ok(()))
}

/// Workloads from `seed` on until so many cuts are done; a line now and then if `loud`.
fn check_many(seed: u64, cuts: u64, threads: u64, loud: bool) {
    let (next, done) = (Arc::new(AtomicU64::new(seed)), Arc::new(AtomicU64::new(0)));
    let failures: Arc<Mutex<Vec<String>>> = Arc::default();
    let work = || {
        let (next, done, failures) = (Arc::clone(&next), Arc::clone(&done), Arc::clone(&failures));
        move || {
            while done.load(Ordering::Relaxed) < cuts {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let (more, checked) = check(seed, None, None);
                let all = done.fetch_add(more, Ordering::Relaxed) + more;
                match checked {
                    Ok(()) => {
                        if loud {
                            eprintln!(
                                "{all} of {cuts} cuts clean, workload {seed}, {} failed",
                                failures.lock().len()
                            );
                        }
                    }
                    Err(failure) => {
                        if loud {
                            eprintln!("{failure}");
                        }
                        failures.lock().push(failure);
                        if failures.lock().len() >= 5 {
                            return;
                        }
                    }
                }
            }
        }
    };
    let running: Vec<_> = (0..threads).map(|_| spawn_thread("crash", work()).unwrap()).collect();
    let ended: Vec<bool> = running.into_iter().map(|thread| thread.join().is_ok()).collect();
    let failures = std::mem::take(&mut *failures.lock());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(ended.into_iter().all(|well| well), "a workload panicked");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[test]
fn what_was_promised_holds_at_500_cuts_from_workload_1() {
    check_many(1, 500, 1, false);
}

#[test]
fn what_was_promised_holds_at_500_cuts_from_workload_1001() {
    check_many(1001, 500, 1, false);
}

#[test]
fn what_was_promised_holds_at_500_cuts_from_workload_2001() {
    check_many(2001, 500, 1, false);
}

#[test]
fn what_was_promised_holds_at_500_cuts_from_workload_3001() {
    check_many(3001, 500, 1, false);
}

/// Many more, or one again, as the environment says; nothing without it.
#[test]
fn cuts_asked_for() {
    let seed = number("CRASH_SEED");
    if let (Some(seed), Some(at)) = (seed, number("CRASH_AT")) {
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_test_writer().init();
        check(seed, None, Some(at)).1.unwrap_or_else(|failure| panic!("{failure}"));
    } else if let Some(cuts) = number("CRASH_CUTS") {
        check_many(seed.unwrap_or(1), cuts, number("CRASH_THREADS").unwrap_or(2), true);
    }
}

#[test]
fn a_workload_is_the_same_each_time() {
    let look = || {
        let (_, taken) = pictures(7, None, None);
        let taken = taken.unwrap();
        let disks: Vec<_> =
            taken.iter().map(|picture| (picture.at, picture.crash, picture.fs.files())).collect();
        (disks, taken.last().map(|picture| (picture.ledger.sent, picture.ledger.wall)))
    };
    assert!(look() == look(), "the broker does not depend on the seed alone");
}

/// A harness that sees nothing proves nothing.
fn catches(lie: Lie, cuts: u64) {
    let mut tried = 0;
    for seed in 1.. {
        let (survived, checked) = check(seed, Some(lie), None);
        tried += survived;
        if let Err(finding) = checked {
            // A process that is killed among the operations of the workload is enough to show stale marks.
            let is_its_own = lie == Lie::MarksNotWritten || !finding.starts_with(UNCRASHED);
            assert!(is_its_own, "{finding}");
            println!("{lie:?} is seen after {tried} cuts: {finding}");
            return;
        }
        assert!(tried < cuts, "{lie:?} is not seen in {tried} cuts");
    }
}

#[test]
fn a_broker_that_acknowledges_before_the_sync_is_caught() {
    catches(Lie::AckBeforeSync, 1000);
}

#[test]
fn a_broker_that_forgets_the_old_segment_at_a_roll_is_caught() {
    catches(Lie::OldSegmentForgotten, 2000);
}

#[test]
fn a_broker_that_does_not_sync_the_name_of_a_new_segment_is_caught() {
    catches(Lie::NoDirSyncAfterRoll, 2000);
}

#[test]
fn a_broker_that_shows_a_start_before_its_mark_is_durable_is_caught() {
    catches(Lie::StartBeforeMarks, 2000);
}

#[test]
fn a_recovery_that_shows_what_only_the_cache_has_is_caught() {
    catches(Lie::RecoveryWithoutSync, 4000);
}

#[test]
fn a_cleaner_that_does_not_sync_what_it_wrote_is_caught() {
    catches(Lie::CleanedNotSynced, 4000);
}

#[test]
fn a_swap_whose_names_are_not_synced_before_the_old_segments_go_is_caught() {
    catches(Lie::SwapNotCommitted, 4000);
}

#[test]
fn a_swap_that_is_taken_for_done_too_early_is_caught() {
    catches(Lie::SwapNotFinished, 4000);
}

#[test]
fn segments_replaced_before_a_mark_behind_them_is_written_are_caught() {
    catches(Lie::MarksNotWritten, 4000);
}

//! Cuts the power at every call that changes the disk, in several ways each: first the work runs undisturbed and its
//! calls are counted, then it runs once for each of them on a fresh copy of the disk.

use logboom::sys::SimFs;

/// Where and how the power was cut; it is in the message of a check that fails, and says how to see it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// Changing calls that had returned.
    pub calls: u64,
    /// What `SimFs::crash` was given.
    pub seed: u64,
}

/// Runs `work` on copies of `prepared` until the power fails, and `check` on what is left. `work` returns what it was
/// promised by then, and must end when the disk fails. The last round lets the work end and cuts the power after it.
/// Returns the number of crash points.
pub fn at_every_crash_point<Promised>(
    prepared: &SimFs,
    seeds: u64,
    work: impl Fn(&SimFs) -> Promised,
    check: impl Fn(&SimFs, &Promised, CrashPoint),
) -> u64 {
    let counted = prepared.kill();
    work(&counted);
    for calls in 0..=counted.calls() {
        let fs = prepared.kill();
        fs.stop_after(calls);
        let promised = work(&fs);
        assert_eq!(fs.power_is_off(), calls < counted.calls(), "the work is not the same each time");
        for seed in 0..seeds {
            let point = CrashPoint { calls, seed };
            check(&fs.crash(seed), &promised, point);
        }
    }
    counted.calls()
}

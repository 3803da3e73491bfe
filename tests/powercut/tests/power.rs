//! Power cuts, as many as `POWERCUT_CUTS` says, from the seed `POWERCUT_SEED`; 20 and 1 without. Where power cannot be
//! cut nothing is tried, which is a failure in CI.

use logboom_powercut::broker::Binaries;
use logboom_powercut::run::{Fault, Plan, Upkeep};
use logboom_powercut::{ground, night, run};
use std::path::Path;
use std::sync::Mutex;

/// One at a time: each uses the whole machine.
static TURN: Mutex<()> = Mutex::new(());

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// `None` where this machine cannot do it.
fn plan() -> Option<Plan> {
    if let Some(why) = ground::missing() {
        assert!(std::env::var_os("CI").is_none(), "no power was cut: {why}");
        eprintln!("skipped, no power was cut: {why}");
        return None;
    }
    let binaries = Binaries::find(Path::new(env!("CARGO_BIN_EXE_powercut"))).unwrap();
    let cuts = u32::try_from(number("POWERCUT_CUTS", 20)).unwrap();
    let loud = std::env::var_os("POWERCUT_CUTS").is_some();
    Some(Plan { binaries, cuts, seed: number("POWERCUT_SEED", 1), fault: None, loud })
}

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(plan) = plan() else { return };
    let report = night(&plan).unwrap();
    if plan.loud {
        println!("{report}");
    }
    assert!(report.bad == 0, "{report:#?}");
    assert!(report.promised > 0, "nothing was acknowledged: {report:#?}");
    let Upkeep { seals, compacted, keys_gone, retained, .. } = report.upkeep;
    let all = seals > 0 && compacted > 0 && keys_gone > 0 && retained > 0;
    assert!(all, "the broker did not seal, compact and clear away: {report:#?}");
}

#[test]
fn a_broker_that_acknowledges_without_a_sync_is_caught() {
    caught(Fault::NeverSyncs);
}

#[test]
fn a_broker_that_acknowledges_one_flush_early_is_caught() {
    caught(Fault::AcksEarly);
}

fn caught(fault: Fault) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(plan) = plan() else { return };
    let report = run::run(&Plan { cuts: 12, fault: Some(fault), ..plan }).unwrap();
    assert!(report.lost > 0, "it was not caught: {report:#?}");
}

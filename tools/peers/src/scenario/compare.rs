//! The whole comparison: all brokers run at once and are asked in turn, round by round, so that what changes on the
//! machine meanwhile meets them all.

use super::disk::{DISK, sequential, syncs};
use super::{How, Scenario, Settings, fetch, produce};
use crate::account;
use crate::peer::{Peer, Spec};
use crate::sample::{Results, Sample};
use anyhow::{Context, Result};

/// Runs the scenarios with the brokers, so many rounds of each.
///
/// # Errors
/// The first thing that goes wrong: half a comparison is none.
pub fn run(settings: &Settings, scenarios: &[&Scenario], specs: &[Spec], rounds: usize) -> Result<Results> {
    let mut results = Results::default();
    let mut peers = Vec::new();
    if scenarios.iter().any(|scenario| !matches!(scenario.how, How::Fresh(_))) {
        for spec in specs {
            let peer =
                spec.start(&settings.install, "main").with_context(|| format!("start {}", spec.name))?;
            eprintln!("peers: {} listens on {}", spec.name, peer.address);
            peers.push(peer);
        }
    }
    for peer in peers.iter().filter(|_| !settings.heat.is_zero()) {
        heat(settings, peer).with_context(|| peer.last_output())?;
    }
    for scenario in scenarios {
        for round in 1..=rounds {
            match scenario.how {
                How::Running(ask) => each(settings, scenario, &peers, ask, round, &mut results)?,
                How::BesideDisk(ask) => {
                    each(settings, scenario, &peers, ask, round, &mut results)?;
                    let disk =
                        if scenario.name == "produce" { sequential(settings) } else { syncs(settings) };
                    took(scenario, DISK, round, disk, &mut results)?;
                }
                How::Fresh(ask) => {
                    for spec in specs.iter().filter(|spec| (scenario.takes)(spec.kind)) {
                        took(scenario, &spec.name, round, ask(settings, spec), &mut results)?;
                    }
                }
            }
        }
    }
    Ok(results)
}

/// Work of the kinds that are measured, a third of the time each.
fn heat(settings: &Settings, peer: &Peer) -> Result<()> {
    let mut settings = settings.clone();
    settings.warm = settings.heat / 3;
    settings.window = std::time::Duration::from_millis(1);
    // Many bytes make nothing warmer.
    produce::small(&settings, peer)?;
    produce::rated(&settings, peer)?;
    fetch::one(&settings, peer)?;
    Ok(())
}

fn each(
    settings: &Settings,
    scenario: &Scenario,
    peers: &[Peer],
    ask: fn(&Settings, &Peer) -> Result<Sample>,
    round: usize,
    results: &mut Results,
) -> Result<()> {
    for peer in peers.iter().filter(|peer| (scenario.takes)(peer.spec.kind)) {
        if settings.settle {
            account::settle()?;
        }
        let sample = ask(settings, peer).with_context(|| peer.last_output());
        took(scenario, &peer.spec.name, round, sample, results)?;
    }
    Ok(())
}

/// Takes what was measured, and says so.
fn took(
    scenario: &Scenario,
    name: &str,
    round: usize,
    sample: Result<Sample>,
    results: &mut Results,
) -> Result<()> {
    let sample = sample.with_context(|| format!("{} with {name}, round {round}", scenario.name))?;
    let shown = scenario.metrics.iter().filter_map(|metric| {
        let value = sample.get(metric.name)?;
        Some(format!("{} {}", crate::report::number(*value), metric.name))
    });
    let shown: Vec<String> = shown.collect();
    eprintln!("peers: {} {round} {name}: {}", scenario.name, shown.join(", "));
    results.add(scenario.name, name, sample);
    Ok(())
}

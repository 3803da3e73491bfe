//! `peers`: see `tools/peers/run`, which builds and installs what it needs.

use anyhow::{Context, Result, bail};
use clap::Parser;
use logboom_peers::args::{Args, Compare, Verb};
use logboom_peers::report::{Run, goals, json, svg, table};
use logboom_peers::scenario::{self, SCENARIOS};
use logboom_peers::{floor, machine};
use rustix::process::{Resource, Rlimit, Signal};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() -> Result<()> {
    match Args::parse().command {
        Verb::Compare(options) => compare(&options),
        Verb::Floor { listen, data, sync, together } => floor::serve(listen, &data, sync, together),
        Verb::Exec { program } => {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            let (name, arguments) = program.split_first().context("a program")?;
            let error = Command::new(name).args(arguments).exec();
            bail!("{}: {error}", name.display())
        }
    }
}

fn compare(options: &Compare) -> Result<()> {
    if options.list {
        for scenario in SCENARIOS {
            println!("{:<12} {}", scenario.name, scenario.about);
        }
        return Ok(());
    }
    let (scenarios, specs, settings) = (options.chosen()?, options.specs()?, options.settings()?);
    // Ten thousand connections, and as many partitions of Kafka with three files each; inherited by what is started.
    let limit = rustix::process::getrlimit(Resource::Nofile);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    fs::create_dir_all(&options.work)?;
    let facts = machine::facts(&settings, options.rounds());
    let results = scenario::run(&settings, &scenarios, &specs, options.rounds());
    // A run that failed leaves nothing behind either.
    let removed = fs::remove_dir_all(&options.work);
    let results = results?;
    removed?;
    let peers = specs.into_iter().map(|spec| spec.name).collect();
    let run = Run { scenarios: &scenarios, peers, results: &results, facts: &facts };
    let mut text = table(&run);
    let goals = goals(&run);
    if !goals.is_empty() {
        text.push_str(&format!("\n### goals\n\n{goals}"));
    }
    println!("{text}");
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("results.md"), &text)?;
    fs::write(options.out.join("results.json"), format!("{:#}\n", json(&run)))?;
    if let Some(chart) = svg(&run) {
        fs::write(options.out.join("results.svg"), chart)?;
    }
    eprintln!("peers: results.md, results.svg and results.json are in {}", options.out.display());
    Ok(())
}

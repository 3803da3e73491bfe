//! Power cuts by hand and by night: `powercut [--cuts N] [--seed S] [--broken never|early [--runs N]]`. `powercut exec`
//! is how brokers are started.

use anyhow::{Context, Result, bail, ensure};
use logboom_powercut::broker::Binaries;
use logboom_powercut::run::{Fault, Plan};
use logboom_powercut::{ground, lie, night, run};
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let done = match arguments.first().and_then(|first| first.to_str()) {
        Some("exec") => exec(&arguments[1..]),
        _ => cut(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("powercut: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `exec [--broken] -- PROGRAM ARGUMENT...`
fn exec(arguments: &[OsString]) -> Result<()> {
    let (options, program) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => bail!("exec [--broken] -- PROGRAM ARGUMENT..."),
    };
    let (program, arguments) = program.split_first().context("no program")?;
    lie::become_program(program, arguments, !options.contains(&"--broken".into()))
}

fn cut(arguments: &[OsString]) -> Result<()> {
    let binaries = Binaries::find(&std::env::current_exe()?)?;
    let mut plan = Plan { binaries, cuts: 20, seed: 1, fault: None, loud: true };
    let mut runs = 1;
    let mut words = arguments.iter().map(|word| word.to_str().unwrap_or_default());
    while let Some(word) = words.next() {
        let mut number =
            || words.next().and_then(|text| text.parse::<u64>().ok()).context("a number is missing");
        match word {
            "--cuts" => plan.cuts = u32::try_from(number()?)?,
            "--seed" => plan.seed = number()?,
            "--runs" => runs = number()?,
            "--broken" => {
                plan.fault = Some(match words.next() {
                    Some("never") => Fault::NeverSyncs,
                    Some("early") => Fault::AcksEarly,
                    _ => bail!("--broken never|early"),
                });
            }
            _ => bail!("powercut [--cuts N] [--seed S] [--broken never|early [--runs N]]"),
        }
    }
    if let Some(why) = ground::missing() {
        bail!("cannot cut power here: {why}");
    }
    println!("broker: {}", plan.binaries.logboom.display());
    if plan.fault.is_none() {
        let report = night(&plan)?;
        report.wrong.iter().for_each(|what| println!("{what}"));
        println!("{report}");
        ensure!(report.bad == 0, "something was lost or wrong");
        return Ok(());
    }
    let mut missed = 0;
    for number in 0..runs {
        let report = run::run(&Plan { seed: plan.seed + number, ..plan.clone() })?;
        println!(
            "broken run {number}: {} of {} cuts bad, {} records lost",
            report.bad, report.cuts, report.lost
        );
        missed += u64::from(report.lost == 0);
    }
    println!("{} of {runs} broken runs caught", runs - missed);
    ensure!(missed == 0, "a broken broker was not caught");
    Ok(())
}

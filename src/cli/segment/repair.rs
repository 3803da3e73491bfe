//! `logboom segment repair`

use super::super::Machine;
use super::super::failure::Failure;
use super::super::output::Output;
use super::args::RepairArgs;
use super::stop::Stop;
use super::verify::log_bytes;
use super::{cannot_read, interrupted, lock_around, progress};
use crate::inspect::place::{PartitionPlace, Target};
use crate::inspect::repair::{Asked, RepairError, Step, apply, plan};
use crate::inspect::verify::{Work, judge_partition, known_around};
use crate::types::Offset;
use serde_json::json;
use std::ops::ControlFlow;

/// What a dry run ends with.
const NOTHING_CHANGED: &str = "nothing was changed; do it with --apply";

/// Plans, and does what was planned if the arguments say so.
pub fn run(args: &RepairArgs, output: Output, machine: &Machine) -> Result<(), Failure> {
    let fs = machine.fs.as_ref();
    let partition = match Target::of(fs, &args.path).map_err(|error| cannot_read(&args.path, &error))? {
        Target::Partition(partition) => partition,
        Target::File(_) | Target::Log(_) => {
            return Err(Failure::new(
                "LB0101",
                format!("{} is no directory of a partition", args.path.display()),
            )
            .help("partitions are put right one by one:  logboom segment repair DATA/orders-0")
            .usage());
        }
    };
    let _lock = if args.apply { lock_around(fs, &partition.path)? } else { None };
    let steps = look(args, &partition, output, machine)?;
    if !args.apply {
        return print(&steps, false, output);
    }
    for step in &steps {
        // Files may have gone with the step before.
        let partition =
            PartitionPlace::read(fs, &partition.path).map_err(|error| cannot_read(&args.path, &error))?;
        apply(fs, &partition, step).map_err(failed)?;
    }
    print(&steps, true, output)
}

fn look(
    args: &RepairArgs,
    partition: &PartitionPlace,
    output: Output,
    machine: &Machine,
) -> Result<Vec<Step>, Failure> {
    let fs = machine.fs.as_ref();
    let stop = Stop::listen()?;
    let known = known_around(fs, partition).map_err(|error| cannot_read(&args.path, &error))?;
    let bar = progress::bar(log_bytes(fs, std::slice::from_ref(&args.path))?, "looking", output);
    let mut work = Work {
        fs,
        deep: true,
        pace: &mut |bytes| {
            bar.inc(bytes);
            if stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
        done: &|_, _| None,
        keep: &mut |_| {},
    };
    let report = judge_partition(&mut work, partition, &known);
    bar.finish_and_clear();
    let report = report.map_err(|error| cannot_read(&args.path, &error))?.ok_or_else(interrupted)?;
    let asked = Asked { quarantine: args.quarantine, truncate_at: args.truncate_at.map(Offset) };
    plan(fs, partition, &report, asked, machine.clock.wall()).map_err(failed)
}

fn failed(error: RepairError) -> Failure {
    let failure = Failure::new("LB0706", error.to_string());
    match error {
        RepairError::Cut(_) => failure.usage(),
        RepairError::Storage(_) | RepairError::Seal(_) => failure.help("what is on disk is sound; try again"),
    }
}

fn print(steps: &[Step], done: bool, output: Output) -> Result<(), Failure> {
    if output.json {
        let steps: Vec<String> = steps.iter().map(Step::to_string).collect();
        return output.line(&json!({ "applied": done, "steps": steps }).to_string());
    }
    if steps.is_empty() {
        return output.line("there is nothing to put right, or nothing that was asked for");
    }
    for step in steps {
        output.line(&step.to_string())?;
    }
    if !done {
        output.say(NOTHING_CHANGED);
    }
    Ok(())
}

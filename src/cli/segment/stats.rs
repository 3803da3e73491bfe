//! `logboom segment stats`

use super::super::Machine;
use super::super::failure::Failure;
use super::super::output::{Output, thousands};
use super::args::StatsArgs;
use super::state::State;
use super::stop::Stop;
use super::verify::log_bytes;
use super::{cannot_read, interrupted, progress};
use crate::inspect::dump::files_of;
use crate::inspect::place::{FileKind, size_of};
use crate::inspect::stats::{Weight, weigh};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Weighs what the arguments name.
pub fn run(args: &StatsArgs, output: Output, machine: &Machine) -> Result<(), Failure> {
    let stop = Stop::listen()?;
    let work = if args.shallow { "stats --shallow" } else { "stats" };
    let mut state = State::<Weight>::open(Arc::clone(&machine.fs), args.resume.as_deref(), work)?;
    let bar = progress::bar(log_bytes(machine.fs.as_ref(), &args.paths)?, "weighing", output);
    let fs = machine.fs.as_ref();
    let mut segments: BTreeMap<PathBuf, Weight> = BTreeMap::new();
    for path in &args.paths {
        for file in files_of(fs, path).map_err(|error| cannot_read(path, &error))? {
            if !matches!(FileKind::of(&file).0, FileKind::Log | FileKind::MetadataSnapshot) {
                continue;
            }
            let size = size_of(fs, &file).map_err(|error| cannot_read(&file, &error))?.unwrap_or(0);
            if let Some(weight) = state.done(&file, size) {
                bar.inc(size);
                segments.insert(file, weight);
                continue;
            }
            let mut pace = |bytes| {
                bar.inc(bytes);
                if stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            match weigh(fs, &file, !args.shallow, &mut pace) {
                Ok(Some(weight)) => {
                    state.keep(&file, size, &weight);
                    segments.insert(file, weight);
                }
                Ok(None) => {
                    bar.finish_and_clear();
                    state.write()?;
                    let failure = interrupted();
                    return Err(match state.path() {
                        Some(path) => {
                            failure.help(format!("go on:  the same call with --resume {}", path.display()))
                        }
                        None => failure.help("with --resume FILE it could go on from here"),
                    });
                }
                // Retention or compaction of a running broker took it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(cannot_read(&file, &error)),
            }
        }
    }
    bar.finish_and_clear();
    state.write()?;
    print(&segments, args, output)
}

fn print(segments: &BTreeMap<PathBuf, Weight>, args: &StatsArgs, output: Output) -> Result<(), Failure> {
    let mut partitions: BTreeMap<&Path, Weight> = BTreeMap::new();
    let mut total = Weight::default();
    for (path, weight) in segments {
        partitions.entry(path.parent().unwrap_or(Path::new(""))).or_default().join(weight);
        total.join(weight);
    }
    if output.json {
        let list = |path: &Path, weight: &Weight| {
            let mut one = weight_json(weight, !args.shallow);
            if let Value::Object(object) = &mut one {
                object.insert("path".to_owned(), json!(path.display().to_string()));
            }
            one
        };
        let by_partition: Vec<Value> = partitions.iter().map(|(path, weight)| list(path, weight)).collect();
        let by_segment = segments.iter().filter(|_| args.segments).map(|(path, weight)| list(path, weight));
        let all = json!({
            "total": weight_json(&total, !args.shallow),
            "partitions": by_partition,
            "segments": by_segment.collect::<Vec<_>>(),
        });
        return output.line(&all.to_string());
    }
    let row = |name: String, weight: &Weight| {
        let stored: u64 = weight.codecs.values().map(|codec| codec.stored).sum();
        let plain: u64 = weight.codecs.values().map(|codec| codec.plain).sum();
        vec![
            name,
            weight.segments.to_string(),
            thousands(weight.size),
            thousands(weight.batches),
            thousands(weight.records),
            weight.codecs.keys().cloned().collect::<Vec<_>>().join(","),
            if plain > 0 { format!("{:.2}", plain as f64 / stored.max(1) as f64) } else { "-".to_owned() },
            thousands(weight.keyed),
            thousands(weight.distinct_keys.estimate()),
            thousands(weight.compaction_gain()),
        ]
    };
    let head =
        ["path", "segments", "bytes", "batches", "records", "codecs", "ratio", "keyed", "keys", "compaction"];
    let mut rows = Vec::new();
    if args.segments {
        rows.extend(segments.iter().map(|(path, weight)| row(path.display().to_string(), weight)));
    }
    rows.extend(partitions.iter().map(|(path, weight)| row(path.display().to_string(), weight)));
    rows.push(row("total".to_owned(), &total));
    output.line(&output.table(&head, rows))?;
    output.line("")?;
    output.line(&detail(&total))
}

/// What a line of a table has no room for.
fn detail(total: &Weight) -> String {
    let mut lines = vec![format!(
        "{} batches of idempotent producers (about {} producers), {} of transactions, {} control; \
         {} tombstones; {} headers; times {}..{}",
        thousands(total.idempotent),
        thousands(total.distinct_producers.estimate()),
        thousands(total.transactional),
        thousands(total.control),
        thousands(total.tombstones),
        thousands(total.headers),
        total.first_time.unwrap_or(-1),
        total.last_time.unwrap_or(-1)
    )];
    for (name, codec) in &total.codecs {
        let ratio = match codec.plain {
            0 => String::new(),
            plain => format!(
                ", {} plain, ratio {:.2}",
                thousands(plain),
                plain as f64 / codec.stored.max(1) as f64
            ),
        };
        lines.push(format!(
            "{name}: {} batches, {} bytes{ratio}",
            thousands(codec.batches),
            thousands(codec.stored)
        ));
    }
    let histogram = |buckets: Vec<(u64, u64)>| {
        let shown: Vec<String> = buckets.iter().map(|(below, count)| format!("<{below}: {count}")).collect();
        shown.join("  ")
    };
    lines.push(format!("records a batch  {}", histogram(total.records_per_batch.buckets().collect())));
    lines.push(format!("bytes a batch    {}", histogram(total.bytes_per_batch.buckets().collect())));
    if total.damaged > 0 || total.unread > 0 {
        lines.push(format!(
            "{} bytes are no sound batch, and records of {} batches cannot be read: see  logboom segment verify",
            thousands(total.damaged),
            thousands(total.unread)
        ));
    }
    lines.join("\n")
}

fn weight_json(weight: &Weight, deep: bool) -> Value {
    let histogram = |buckets: Vec<(u64, u64)>| -> Vec<Value> {
        buckets.iter().map(|(below, count)| json!({ "below": below, "count": count })).collect()
    };
    let mut all = json!({
        "segments": weight.segments,
        "bytes": weight.size,
        "batches": weight.batches,
        "records": weight.records,
        "control_batches": weight.control,
        "transactional_batches": weight.transactional,
        "idempotent_batches": weight.idempotent,
        "producers_estimate": weight.distinct_producers.estimate(),
        "damaged_bytes": weight.damaged,
        "codecs": weight.codecs,
        "max_timestamp": weight.last_time,
        "records_per_batch": histogram(weight.records_per_batch.buckets().collect()),
        "bytes_per_batch": histogram(weight.bytes_per_batch.buckets().collect()),
    });
    if let (true, Value::Object(object)) = (deep, &mut all) {
        let more = json!({
            "unread_batches": weight.unread,
            "keyed_records": weight.keyed,
            "distinct_keys_estimate": weight.distinct_keys.estimate(),
            "tombstones": weight.tombstones,
            "key_bytes": weight.key_bytes,
            "value_bytes": weight.value_bytes,
            "headers": weight.headers,
            "header_bytes": weight.header_bytes,
            "min_timestamp": weight.first_time,
            "compaction_gain_estimate": weight.compaction_gain(),
        });
        if let Value::Object(more) = more {
            object.extend(more);
        }
    }
    all
}

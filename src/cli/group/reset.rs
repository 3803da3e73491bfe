//! `logboom group reset`

use super::args::{ResetArgs, TopicChoice};
use super::plan::{Move, Where, summary};
use super::{NOTHING_CHANGED, dash, file, has_members};
use crate::cli::Machine;
use crate::cli::client::{Client, ClientError, EARLIEST, LATEST, PartitionKey, Topic};
use crate::cli::consume::resolve;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::types::{ErrorCode, TimestampMs};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Where each partition shall be: a rule, or an offset for each.
enum Wanted {
    Where(Where),
    Offsets(BTreeMap<PartitionKey, i64>),
}

/// Moves the offsets of a group, or shows what would be moved.
pub async fn run(args: ResetArgs, client: &Client, output: Output, machine: &Machine) -> Result<(), Failure> {
    let wanted = match (&args.file, args.to) {
        (Some(path), _) => Wanted::Offsets(file::read(machine.fs.as_ref(), path, &args.group)?),
        (None, Some(to)) => Wanted::Where(to),
        (None, None) => return Err(Failure::new("LB0101", "say where to:  --to WHERE").usage()),
    };
    let names_partitions = args.file.is_some() || !args.topic.is_empty();
    match client.describe_group(&args.group).await {
        Ok(view) if view.members.is_empty() => {}
        Ok(view) => return Err(has_members(&args.group, &view, "its offsets cannot be reset")),
        // As with Kafka's own tool, a group can get its offsets before its first member comes.
        Err(error @ ClientError::NoGroup { kind: None, .. }) if names_partitions => {
            output.say(&format!("{error}; a reset makes it"));
        }
        Err(error) => return Err(error.into()),
    }
    let committed = client.group_offsets(&args.group, None).await?;
    let chosen = choose(&args, &wanted, client, &committed, output).await?;
    let (mut moves, mut offsets) = (Vec::new(), Vec::new());
    for (topic, partitions) in &chosen {
        let ways = ways(client, topic, partitions, &wanted, &committed, machine.clock.wall()).await?;
        offsets.push((topic, ways.iter().map(|way| (way.partition, way.new)).collect()));
        moves.extend(ways);
    }
    if args.yes && !offsets.is_empty() {
        apply(&args.group, client, &offsets).await?;
    }
    show(&args, &moves, output)
}

/// The partitions that are meant, by topic.
async fn choose(
    args: &ResetArgs,
    wanted: &Wanted,
    client: &Client,
    committed: &BTreeMap<PartitionKey, i64>,
    output: Output,
) -> Result<Vec<(Topic, Vec<i32>)>, Failure> {
    let mut topics: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    let by_name = match wanted {
        Wanted::Offsets(offsets) => offsets,
        Wanted::Where(_) => committed,
    };
    if args.topic.is_empty() {
        for (topic, partition) in by_name.keys() {
            topics.entry(topic.clone()).or_default().insert(*partition);
        }
    }
    for TopicChoice { topic, .. } in &args.topic {
        topics.entry(topic.clone()).or_default();
    }
    if topics.is_empty() {
        return Err(match wanted {
            Wanted::Offsets(_) => {
                Failure::new("LB0503", format!("the file has no offset for `{}`", args.group))
            }
            Wanted::Where(_) => {
                Failure::new("LB0601", format!("group `{}` has not committed any offset", args.group))
                    .help("name the topics:  --topic TOPIC")
            }
        });
    }
    let mut chosen = Vec::new();
    for (name, mut partitions) in topics {
        let topic = match client.topic(&name, false).await {
            // Offsets of a topic that was deleted since.
            Err(error) if args.topic.is_empty() && is_absent(&error) && args.file.is_none() => {
                output.say(&format!("{error}; left out"));
                continue;
            }
            other => other?,
        };
        for choice in args.topic.iter().filter(|choice| choice.topic == name) {
            partitions.extend(choice.partitions.clone().unwrap_or_else(|| topic.partitions()));
        }
        if let Some(absent) = partitions.iter().find(|partition| !topic.leaders.contains_key(partition)) {
            let last = topic.leaders.len().saturating_sub(1);
            let message = format!("there is no {name}-{absent}: the topic has partitions 0 to {last}");
            return Err(Failure::new("UNKNOWN_TOPIC_OR_PARTITION", message));
        }
        chosen.push((topic, partitions.into_iter().collect()));
    }
    Ok(chosen)
}

async fn ways(
    client: &Client,
    topic: &Topic,
    partitions: &[i32],
    wanted: &Wanted,
    committed: &BTreeMap<PartitionKey, i64>,
    now: TimestampMs,
) -> Result<Vec<Move>, Failure> {
    let starts = client.offsets(topic, partitions, EARLIEST).await?;
    let ends = client.offsets(topic, partitions, LATEST).await?;
    let places = match wanted {
        Wanted::Where(Where::Place(place)) => resolve(*place, client, topic, partitions, now).await?,
        _ => BTreeMap::new(),
    };
    let mut moves = Vec::new();
    for partition in partitions.iter().copied() {
        let key = (topic.name.clone(), partition);
        let current = committed.get(&key).copied();
        let target = match wanted {
            Wanted::Offsets(offsets) => offsets.get(&key).copied(),
            Wanted::Where(Where::Place(_)) => places.get(&partition).copied(),
            Wanted::Where(Where::Shift(by)) => current.map(|offset| offset.saturating_add(*by)),
        };
        let target = target.ok_or_else(|| {
            let message = format!("{}-{partition} has no committed offset from which to shift", topic.name);
            Failure::new("LB0601", message).help("name the partitions that have one:  --topic TOPIC:P,...")
        })?;
        let at = |offsets: &BTreeMap<i32, i64>| offsets.get(&partition).copied().unwrap_or(0);
        moves.push(Move::within(&topic.name, partition, current, target, (at(&starts), at(&ends))));
    }
    Ok(moves)
}

async fn apply(
    group: &str,
    client: &Client,
    offsets: &[(&Topic, BTreeMap<i32, i64>)],
) -> Result<(), Failure> {
    let codes = client.commit_offsets(group, None, offsets).await?;
    let Some(((topic, partition), code)) = codes.iter().find(|(_, code)| !code.is_none()) else {
        return Ok(());
    };
    if matches!(*code, ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION) {
        // Somebody joined since we looked.
        let view = client.describe_group(group).await?;
        return Err(has_members(group, &view, "its offsets were not reset"));
    }
    let what = format!("cannot reset {topic}-{partition}");
    Err(ClientError::Refused { code: *code, what, message: None }.into())
}

fn show(args: &ResetArgs, moves: &[Move], output: Output) -> Result<(), Failure> {
    let summary = summary(moves);
    if output.json {
        let way = |way: &Move| {
            json!({
                "topic": way.topic,
                "partition": way.partition,
                "now": way.now,
                "new": way.new,
                "change": way.change(),
                "note": way.note,
            })
        };
        let partitions: Vec<_> = moves.iter().map(way).collect();
        let done = json!({ "group": args.group, "applied": args.yes, "partitions": partitions });
        return output.line(&done.to_string());
    }
    let has_notes = moves.iter().any(|way| way.note.is_some());
    let mut names = vec!["topic", "partition", "now", "new", "change"];
    names.extend(has_notes.then_some("note"));
    let row = |way: &Move| {
        let change = way.change().map(|by| if by > 0 { format!("+{by}") } else { by.to_string() });
        let mut row = vec![way.topic.clone(), way.partition.to_string(), dash(way.now), way.new.to_string()];
        row.push(dash(change));
        row.extend(has_notes.then(|| way.note.clone().unwrap_or_default()));
        row
    };
    output.line(&output.table(&names, moves.iter().map(row).collect()))?;
    match args.yes {
        true => output.say(&format!("reset group {}: {summary}", args.group)),
        false => output.say(&format!("{summary}; {NOTHING_CHANGED}")),
    }
    Ok(())
}

fn is_absent(error: &ClientError) -> bool {
    error.code() == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
}

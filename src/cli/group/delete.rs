//! `logboom group delete`: groups with all they have committed, or some offsets of one.

use super::args::{DeleteArgs, TopicChoice};
use super::{NOTHING_CHANGED, has_members, shown};
use crate::cli::client::{Client, ClientError, GroupView, PartitionKey};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use serde_json::json;
use std::collections::BTreeMap;

/// Deletes what the arguments say, or shows what would be deleted.
pub async fn run(args: DeleteArgs, client: &Client, output: Output) -> Result<(), Failure> {
    if args.offsets.is_empty() {
        return groups(&args, client, output).await;
    }
    match args.groups.as_slice() {
        [group] => offsets(group, &args, client, output).await,
        _ => Err(Failure::new("LB0101", "--offsets goes with one group").usage()),
    }
}

/// Looks at all of them before any is deleted, so that a misspelled name stops it early.
async fn groups(args: &DeleteArgs, client: &Client, output: Output) -> Result<(), Failure> {
    let mut found: Vec<(&String, GroupView, usize)> = Vec::new();
    for group in &args.groups {
        let view = client.describe_group(group).await?;
        if !view.members.is_empty() {
            return Err(has_members(group, &view, "it cannot be deleted"));
        }
        let offsets = client.group_offsets(group, None).await?;
        found.push((group, view, offsets.len()));
    }
    if args.yes {
        for (group, _, _) in &found {
            client.delete_group(group).await?;
            if !output.json {
                output.line(&format!("deleted group {group}"))?;
            }
        }
    }
    if output.json {
        return found.iter().try_for_each(|(group, _, offsets)| {
            output.line(&json!({ "group": group, "deleted": args.yes, "offsets": offsets }).to_string())
        });
    }
    if !args.yes {
        let row = |(group, view, offsets): &(&String, GroupView, usize)| {
            vec![shown(group), shown(&view.state), offsets.to_string()]
        };
        let rows = found.iter().map(row).collect();
        output.line(&output.table(&["group to delete", "state", "committed offsets"], rows))?;
        output.say(NOTHING_CHANGED);
    }
    Ok(())
}

async fn offsets(group: &str, args: &DeleteArgs, client: &Client, output: Output) -> Result<(), Failure> {
    let view = client.describe_group(group).await?;
    let is_meant = |topic: &str| args.offsets.iter().any(|choice| choice.topic == topic);
    if view.members.iter().any(|member| member.subscribed.iter().any(|topic| is_meant(topic))) {
        return Err(has_members(group, &view, "offsets of what they read cannot be deleted"));
    }
    let committed = client.group_offsets(group, None).await?;
    let mut chosen: BTreeMap<PartitionKey, i64> = BTreeMap::new();
    for choice in &args.offsets {
        let of_choice = of_choice(choice, &committed);
        if of_choice.is_empty() {
            let message = format!("group `{group}` has not committed any offset of {}", choice.topic);
            return Err(
                Failure::new("LB0601", message).help(format!("see what it has:  logboom group show {group}"))
            );
        }
        chosen.extend(of_choice);
    }
    if args.yes {
        let keys: Vec<PartitionKey> = chosen.keys().cloned().collect();
        let codes = client.delete_offsets(group, &keys).await?;
        if let Some(((topic, partition), code)) = codes.iter().find(|(_, code)| !code.is_none()) {
            let what = format!("cannot delete the offset of {topic}-{partition}");
            return Err(ClientError::Refused { code: *code, what, message: None }.into());
        }
    }
    if output.json {
        let mut partitions = Vec::new();
        for ((topic, partition), offset) in &chosen {
            partitions.push(json!({ "topic": topic, "partition": partition, "committed": offset }));
        }
        return output
            .line(&json!({ "group": group, "deleted": args.yes, "partitions": partitions }).to_string());
    }
    let row = |((topic, partition), offset): (&PartitionKey, &i64)| {
        vec![topic.clone(), partition.to_string(), offset.to_string()]
    };
    output.line(&output.table(&["topic", "partition", "committed"], chosen.iter().map(row).collect()))?;
    let count = match chosen.len() {
        1 => "1 offset".to_owned(),
        count => format!("{count} offsets"),
    };
    match args.yes {
        true => output.say(&format!("deleted {count} of group {group}")),
        false => output.say(&format!("{count} to delete; {NOTHING_CHANGED}")),
    }
    Ok(())
}

fn of_choice(choice: &TopicChoice, committed: &BTreeMap<PartitionKey, i64>) -> BTreeMap<PartitionKey, i64> {
    let meant = committed.iter().filter(|((topic, partition), _)| choice.means(topic, *partition));
    meant.map(|(key, offset)| (key.clone(), *offset)).collect()
}

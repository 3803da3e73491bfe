//! `logboom group`

mod args;
mod delete;
mod file;
mod lag;
mod list;
mod plan;
mod reset;
mod show;

pub use args::GroupVerb;

use super::Machine;
use super::client::{Client, GroupView, MemberView};
use super::failure::Failure;
use super::output::{Output, harmless};
use std::collections::BTreeMap;

/// Members that a refusal names; the rest are counted.
const NAMED_MAX: usize = 10;
/// What a dry run ends with.
const NOTHING_CHANGED: &str = "nothing was changed; do it with --yes";

/// Does what the arguments say.
pub async fn run(verb: GroupVerb, client: &Client, output: Output, machine: &Machine) -> Result<(), Failure> {
    match verb {
        GroupVerb::List { state, kind, members } => list::run(client, &state, &kind, members, output).await,
        GroupVerb::Show { group } => show::run(client, &group, machine.clock.wall(), output).await,
        GroupVerb::Reset(args) => reset::run(args, client, output, machine).await,
        GroupVerb::Delete(args) => delete::run(args, client, output).await,
    }
}

/// That a group has members, and who they are.
fn has_members(group: &str, view: &GroupView, so: &str) -> Failure {
    let who = |member: &MemberView| {
        let reads = match partitions_text(&member.assigned) {
            text if text.is_empty() => "no partition".to_owned(),
            text => text,
        };
        let (client, host) = (harmless(member.client.as_bytes()), harmless(member.host.as_bytes()));
        format!("  {client} at {host} reads {reads}  (member {})", harmless(member.member.as_bytes()))
    };
    let mut lines: Vec<String> = view.members.iter().take(NAMED_MAX).map(who).collect();
    if let more @ 1.. = view.members.len().saturating_sub(NAMED_MAX) {
        lines.push(format!("  and {more} more"));
    }
    let count = match view.members.len() {
        1 => "a member".to_owned(),
        count => format!("{count} members"),
    };
    Failure {
        detail: Some(lines.join("\n")),
        ..Failure::new("NON_EMPTY_GROUP", format!("group `{group}` has {count}, so {so}"))
    }
    .help("stop its members first")
}

/// `orders 0-2,5; users 1`
fn partitions_text(topics: &BTreeMap<String, Vec<i32>>) -> String {
    let one = |(topic, partitions): (&String, &Vec<i32>)| format!("{topic} {}", ranges(partitions));
    topics.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn ranges(sorted: &[i32]) -> String {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for partition in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.saturating_add(1) == *partition => *last = *partition,
            _ => runs.push((*partition, *partition)),
        }
    }
    let run = |(first, last): &(i32, i32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(",")
}

/// A number, or a dash where there is none.
fn dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A dash where there is nothing to see.
fn shown(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { harmless(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_written_as_ranges() {
        let check = |partitions: &[i32], expect: &str| assert_eq!(ranges(partitions), expect);
        check(&[], "");
        check(&[3], "3");
        check(&[0, 1], "0,1");
        check(&[0, 1, 2, 5, 7, 8, 9], "0-2,5,7-9");
        let topics = BTreeMap::from([("b".to_owned(), vec![1]), ("a".to_owned(), vec![0, 1, 2])]);
        assert_eq!(partitions_text(&topics), "a 0-2; b 1");
    }
}

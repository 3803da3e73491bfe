//! `logboom group show`

use super::lag::{Standing, age, standings};
use super::{dash, partitions_text, shown};
use crate::cli::client::{Client, GroupView, MemberView};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::types::TimestampMs;
use serde_json::json;

/// Shows a group, if it is now `now`.
pub async fn run(client: &Client, group: &str, now: TimestampMs, output: Output) -> Result<(), Failure> {
    let view = client.describe_group(group).await?;
    let committed = client.group_offsets(group, None).await?;
    let standings = standings(client, &view, &committed, now).await?;
    let lag = standings.iter().filter_map(|one| one.lag).sum::<i64>();
    let behind = standings.iter().filter_map(|one| one.behind_seconds).reduce(f64::max);
    if output.json {
        let shown = json!({
            "group": group,
            "type": view.kind,
            "state": view.state,
            "protocol_type": view.protocol_type,
            "assignor": view.assignor,
            "epoch": view.epoch,
            "coordinator": view.coordinator,
            "members": view.members,
            "partitions": standings,
            "lag": lag,
            "behind_seconds": behind,
        });
        return output.line(&shown.to_string());
    }
    head(group, &view, lag, behind, output)?;
    if !standings.is_empty() {
        output.line("")?;
        partitions(&standings, output)?;
    }
    if !view.members.is_empty() {
        output.line("")?;
        members(&view, output)?;
    }
    Ok(())
}

fn head(group: &str, view: &GroupView, lag: i64, behind: Option<f64>, output: Output) -> Result<(), Failure> {
    let kind = json!(view.kind);
    // A group of programs that are no consumers says what they are.
    let kind = match (kind.as_str().unwrap_or_default(), view.protocol_type.as_str()) {
        (kind, "" | "consumer") => kind.to_owned(),
        (kind, other) => format!("{kind} ({})", shown(other)),
    };
    let row = vec![
        shown(group),
        kind,
        shown(&view.state),
        shown(&view.assignor),
        shown(&view.coordinator.address),
        view.members.len().to_string(),
        lag.to_string(),
        dash(behind.map(age)),
    ];
    let names = ["group", "type", "state", "assignor", "coordinator", "members", "lag", "behind"];
    output.line(&output.table(&names, vec![row]))
}

fn partitions(standings: &[Standing], output: Output) -> Result<(), Failure> {
    let has_notes = standings.iter().any(|one| one.note.is_some());
    let mut names = vec!["topic", "partition", "committed", "end", "lag", "behind", "member"];
    names.extend(has_notes.then_some("note"));
    let row = |one: &Standing| {
        let mut row = vec![
            one.topic.clone(),
            one.partition.to_string(),
            dash(one.committed),
            dash(one.end),
            dash(one.lag),
            dash(one.behind_seconds.map(age)),
            one.member.as_deref().map_or_else(|| "-".to_owned(), shown),
        ];
        row.extend(has_notes.then(|| one.note.clone().unwrap_or_default()));
        row
    };
    output.line(&output.table(&names, standings.iter().map(row).collect()))
}

fn members(view: &GroupView, output: Output) -> Result<(), Failure> {
    let has_instances = view.members.iter().any(|member| member.instance.is_some());
    let mut names = vec!["member", "client", "host"];
    names.extend(has_instances.then_some("instance"));
    names.push("partitions");
    let row = |member: &MemberView| {
        let mut row = vec![shown(&member.member), shown(&member.client), shown(&member.host)];
        row.extend(has_instances.then(|| shown(member.instance.as_deref().unwrap_or_default())));
        row.push(shown(&partitions_text(&member.assigned)));
        row
    };
    output.line(&output.table(&names, view.members.iter().map(row).collect()))
}

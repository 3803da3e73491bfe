//! `logboom group list`: one call to each broker and none to coordinators, however many groups there are, unless their
//! members are to be counted.

use super::{dash, shown};
use crate::cli::client::{Client, ClientError, GroupSummary};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use serde_json::json;

/// Lists groups in these states and of these types; all, where none is given.
pub async fn run(
    client: &Client,
    states: &[String],
    types: &[String],
    count_members: bool,
    output: Output,
) -> Result<(), Failure> {
    let groups = client.list_groups(states, types).await?;
    let mut counts: Vec<Option<usize>> = Vec::new();
    if count_members {
        for group in &groups {
            counts.push(members(client, &group.group).await?);
        }
    }
    if output.json {
        for (at, group) in groups.iter().enumerate() {
            let mut line = json!(group);
            if let (Some(count), Some(object)) = (counts.get(at), line.as_object_mut()) {
                object.insert("members".to_owned(), json!(count));
            }
            output.line(&line.to_string())?;
        }
        return Ok(());
    }
    if groups.is_empty() {
        let such = if states.is_empty() && types.is_empty() { "groups" } else { "such groups" };
        output.say(&format!("there are no {such}; make one:  logboom consume TOPIC --group NAME"));
        return Ok(());
    }
    let mut names = vec!["group", "type", "protocol", "state"];
    names.extend(count_members.then_some("members"));
    let row = |(at, group): (usize, &GroupSummary)| {
        let mut row =
            [&group.group, &group.kind, &group.protocol_type, &group.state].map(|text| shown(text)).to_vec();
        row.extend(counts.get(at).map(|count| dash(*count)));
        row
    };
    output.line(&output.table(&names, groups.iter().enumerate().map(row).collect()))
}

/// None for a group that is no group of consumers, or that went away since it was listed.
async fn members(client: &Client, group: &str) -> Result<Option<usize>, ClientError> {
    match client.describe_group(group).await {
        Ok(view) => Ok(Some(view.members.len())),
        Err(ClientError::NoGroup { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

//! `logboom topic`

use super::args::TopicVerb;
use super::client::{Client, EARLIEST, LATEST};
use super::failure::Failure;
use super::output::Output;
use crate::config::{Family, find};
use serde_json::json;
use std::collections::BTreeMap;

/// Does what the arguments say.
pub async fn run(verb: TopicVerb, client: &Client, output: Output) -> Result<(), Failure> {
    match verb {
        TopicVerb::Create { topic, partitions, set } => {
            let configs = set.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
            let made = client.create_topic(&topic, partitions, &configs).await?;
            output.either(
                || json!({ "topic": topic, "partitions": made }),
                || format!("created topic {topic} ({})", partitions_text(made)),
            )
        }
        TopicVerb::List { internal } => list(client, internal, output).await,
        TopicVerb::Describe { topic, all } => describe(client, &topic, all, output).await,
        TopicVerb::Alter { topic, set, reset, partitions } => {
            let mut changes = Vec::new();
            for pair in &set {
                let (key, value) = plain(pair)?;
                changes.push((key, Some(value)));
            }
            changes.extend(reset.into_iter().map(|key| (key, None)));
            alter(client, &topic, changes, partitions, output).await
        }
        TopicVerb::Delete { topic } => {
            // Asked first, so that a misspelled name is answered with the one that was meant.
            client.topic(&topic, false).await?;
            client.delete_topic(&topic).await?;
            output.either(|| json!({ "topic": topic, "deleted": true }), || format!("deleted topic {topic}"))
        }
    }
}

/// Sizes and times as people write them become the bare numbers of the protocol. Keys that we do not know go as they
/// are: the broker may be another one, and it has the last word.
fn plain((key, value): &(String, String)) -> Result<(String, String), Failure> {
    match find(Family::Topic, key) {
        Ok(setting) => match setting.parse_for_people(value) {
            Ok(value) => Ok((key.clone(), value)),
            Err(bad) => Err(Failure::new("LB0203", bad.message).usage()),
        },
        Err(_) => Ok((key.clone(), value.clone())),
    }
}

fn partitions_text(count: i32) -> String {
    match count {
        1 => "1 partition".to_owned(),
        // Brokers before CreateTopics 5 do not say.
        -1 => "partitions as the broker chose".to_owned(),
        count => format!("{count} partitions"),
    }
}

async fn list(client: &Client, internal: bool, output: Output) -> Result<(), Failure> {
    let mut topics = client.list_topics().await?;
    topics.retain(|topic| internal || !topic.internal);
    if output.json {
        for topic in topics {
            output.line(&json!(topic).to_string())?;
        }
        return Ok(());
    }
    if topics.is_empty() {
        output.say("there are no topics; make one:  logboom topic create hello");
        return Ok(());
    }
    let row = |topic: super::client::TopicSummary| {
        vec![topic.name, topic.partitions.to_string(), topic.replicas.to_string(), topic.id]
    };
    let rows = topics.into_iter().map(row).collect();
    output.line(&output.table(&["topic", "partitions", "replicas", "id"], rows))
}

async fn describe(client: &Client, name: &str, all: bool, output: Output) -> Result<(), Failure> {
    // The number by which brokers mark values that nobody set.
    const DEFAULT: i8 = 5;
    let topic = client.topic(name, false).await?;
    let partitions = topic.partitions();
    let starts = client.offsets(&topic, &partitions, EARLIEST).await?;
    let ends = client.offsets(&topic, &partitions, LATEST).await?;
    let mut configs = client.topic_configs(name).await?;
    configs.retain(|config| all || config.source != DEFAULT);
    let offset =
        |offsets: &BTreeMap<i32, i64>, partition: &i32| offsets.get(partition).copied().unwrap_or(-1);
    if output.json {
        let partition = |partition: &i32| {
            json!({
                "partition": partition,
                "leader": topic.leaders.get(partition),
                "start": offset(&starts, partition),
                "end": offset(&ends, partition),
            })
        };
        let configs: serde_json::Map<_, _> =
            configs.iter().map(|config| (config.name.clone(), json!(config.value))).collect();
        let partitions: Vec<_> = partitions.iter().map(partition).collect();
        return output
            .line(&json!({ "topic": name, "partitions": partitions, "configs": configs }).to_string());
    }
    let row = |partition: &i32| {
        let leader = topic.leaders.get(partition).cloned().unwrap_or_default();
        let (start, end) = (offset(&starts, partition), offset(&ends, partition));
        vec![partition.to_string(), leader, start.to_string(), end.to_string(), (end - start).to_string()]
    };
    let rows = partitions.iter().map(row).collect();
    output.line(&output.table(&["partition", "leader", "start", "end", "offsets"], rows))?;
    let row = |config: &super::client::ConfigEntry| {
        vec![
            config.name.clone(),
            config.value.clone().unwrap_or_else(|| "-".to_owned()),
            origin(config.source),
        ]
    };
    match configs.is_empty() {
        true => Ok(()),
        false => {
            output.line("")?;
            output.line(&output.table(&["setting", "value", "set by"], configs.iter().map(row).collect()))
        }
    }
}

/// Who set a value, by the number that brokers send.
fn origin(source: i8) -> String {
    match source {
        1 => "topic".to_owned(),
        2 => "broker, while running".to_owned(),
        3 => "all brokers, while running".to_owned(),
        4 => "broker, at start".to_owned(),
        5 => "default".to_owned(),
        other => format!("source {other}"),
    }
}

async fn alter(
    client: &Client,
    topic: &str,
    changes: Vec<(String, Option<String>)>,
    partitions: Option<i32>,
    output: Output,
) -> Result<(), Failure> {
    if changes.is_empty() && partitions.is_none() {
        return Err(Failure::new("LB0101", "nothing to change")
            .help("say what:  --set KEY=VALUE, --reset KEY or --partitions N")
            .usage());
    }
    client.topic(topic, false).await?;
    if !changes.is_empty() {
        client.alter_topic(topic, &changes).await?;
    }
    if let Some(partitions) = partitions {
        client.grow_topic(topic, partitions).await?;
    }
    output.either(
        || {
            let configs: serde_json::Map<_, _> =
                changes.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            json!({ "topic": topic, "configs": configs, "partitions": partitions })
        },
        || format!("altered topic {topic}"),
    )
}

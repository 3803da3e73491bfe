//! Topics: create, list, describe, alter, delete.

use super::error::check;
use super::{Client, ClientError};
use crate::wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use crate::wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use crate::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use crate::wire::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use crate::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

/// How long a broker may take for a change.
const CHANGE_MS_MAX: i32 = 30_000;
/// Number of a topic among the resources of configuration calls.
const TOPIC: i8 = 2;

/// A topic in a list.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TopicSummary {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: usize,
    /// Number of replicas of the first partition.
    pub replicas: usize,
    /// Whether it belongs to the broker itself.
    pub internal: bool,
    /// Its id.
    pub id: String,
}

/// A setting as the broker describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The key.
    pub name: String,
    /// The value; none for null and for secrets.
    pub value: Option<String>,
    /// Number of who said it.
    pub source: i8,
}

impl Client {
    /// All topics, by name.
    pub async fn list_topics(&self) -> Result<Vec<TopicSummary>, ClientError> {
        let answer = self.all_topics().await?;
        let mut topics: Vec<TopicSummary> = answer
            .topics
            .iter()
            .map(|topic| TopicSummary {
                name: topic.name.as_deref().unwrap_or_default().to_owned(),
                partitions: topic.partitions.len(),
                replicas: topic.partitions.first().map_or(0, |partition| partition.replica_nodes.len()),
                internal: topic.is_internal,
                id: topic.topic_id.to_string(),
            })
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// Makes a topic; -1 partitions leaves the number to the broker. Returns how many it got.
    pub async fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        configs: &[(String, String)],
    ) -> Result<i32, ClientError> {
        let config = |(key, value): &(String, String)| CreatableTopicConfig {
            name: key.as_str().into(),
            value: Some(value.as_str().into()),
        };
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: -1,
            configs: configs.iter().map(config).collect(),
            ..CreatableTopic::default()
        };
        let ask =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: CHANGE_MS_MAX, validate_only: false };
        let answer = self.seed().await?.call(&ask).await?;
        for result in &answer.topics {
            let what = || format!("cannot create topic `{name}`");
            check(result.error_code, what, result.error_message.as_deref())?;
        }
        Ok(answer.topics.first().map_or(-1, |result| result.num_partitions))
    }

    /// Deletes a topic with all its records.
    pub async fn delete_topic(&self, name: &str) -> Result<(), ClientError> {
        let ask = DeleteTopicsRequest {
            topics: vec![DeleteTopicState { name: Some(name.into()), ..DeleteTopicState::default() }],
            topic_names: vec![name.into()],
            timeout_ms: CHANGE_MS_MAX,
        };
        let answer = self.seed().await?.call(&ask).await?;
        for result in &answer.responses {
            let what = || format!("cannot delete topic `{name}`");
            check(result.error_code, what, result.error_message.as_deref())?;
        }
        Ok(())
    }

    /// Gives a topic more partitions.
    pub async fn grow_topic(&self, name: &str, partitions: i32) -> Result<(), ClientError> {
        let topic = CreatePartitionsTopic { name: name.into(), count: partitions, assignments: None };
        let ask =
            CreatePartitionsRequest { topics: vec![topic], timeout_ms: CHANGE_MS_MAX, validate_only: false };
        let answer = self.seed().await?.call(&ask).await?;
        for result in &answer.results {
            let what = || format!("cannot give topic `{name}` {partitions} partitions");
            check(result.error_code, what, result.error_message.as_deref())?;
        }
        Ok(())
    }

    /// Sets (`Some`) or takes back (`None`) settings of a topic.
    pub async fn alter_topic(
        &self,
        name: &str,
        changes: &[(String, Option<String>)],
    ) -> Result<(), ClientError> {
        let change = |(key, value): &(String, Option<String>)| AlterableConfig {
            name: key.as_str().into(),
            // SET and DELETE of KIP-339.
            config_operation: if value.is_some() { 0 } else { 1 },
            value: value.as_deref().map(Into::into),
        };
        let resource = AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: name.into(),
            configs: changes.iter().map(change).collect(),
        };
        let ask = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        let answer = self.seed().await?.call(&ask).await?;
        for result in &answer.responses {
            let what = || format!("cannot alter topic `{name}`");
            check(result.error_code, what, result.error_message.as_deref())?;
        }
        Ok(())
    }

    /// Settings of a topic.
    pub async fn topic_configs(&self, name: &str) -> Result<Vec<ConfigEntry>, ClientError> {
        let resource = DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: name.into(),
            configuration_keys: None,
        };
        let ask = DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() };
        let answer = self.seed().await?.call(&ask).await?;
        let mut entries = Vec::new();
        for result in &answer.results {
            let what = || format!("cannot describe topic `{name}`");
            check(result.error_code, what, result.error_message.as_deref())?;
            entries.extend(result.configs.iter().map(|config| ConfigEntry {
                name: config.name.to_string(),
                value: config.value.as_ref().map(|value| value.to_string()),
                source: config.config_source,
            }));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

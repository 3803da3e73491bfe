//! Finding topics, their leaders and their offsets.

use super::error::check;
use super::{Client, ClientError, TRIES_MAX};
use crate::types::{ErrorCode, TopicId};
use crate::wire::Str;
use crate::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use crate::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseTopic,
};
use std::collections::BTreeMap;

/// Instead of a time: the end of the partition.
pub const LATEST: i64 = -1;
/// Instead of a time: the first record kept.
pub const EARLIEST: i64 = -2;

/// A topic as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id; zero where the broker does not say (before Kafka 2.8).
    pub id: TopicId,
    /// Address of the leader of each partition.
    pub leaders: BTreeMap<i32, String>,
}

impl Topic {
    /// Its partitions, in order.
    pub fn partitions(&self) -> Vec<i32> {
        self.leaders.keys().copied().collect()
    }

    /// Its partitions by leader, so that one call serves each.
    pub(super) fn by_leader(&self, partitions: &[i32]) -> Result<BTreeMap<String, Vec<i32>>, ClientError> {
        let mut groups: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for partition in partitions {
            groups.entry(self.leader(*partition)?.to_owned()).or_default().push(*partition);
        }
        Ok(groups)
    }

    /// Address of a partition's leader.
    pub(super) fn leader(&self, partition: i32) -> Result<&str, ClientError> {
        self.leaders.get(&partition).map(String::as_str).ok_or_else(|| ClientError::Refused {
            code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            what: format!("{}-{partition}", self.name),
            message: Some(format!("the topic has partitions 0 to {}", self.leaders.len().saturating_sub(1))),
        })
    }
}

impl Client {
    /// A topic with a leader for every partition; asks again for a while where one is being elected. With `create`,
    /// the broker may make the topic.
    pub async fn topic(&self, name: &str, create: bool) -> Result<Topic, ClientError> {
        let mut tries = 0;
        loop {
            match self.try_topic(name, create).await {
                Err(error) if error.is_passing() && tries < TRIES_MAX && (create || !is_absent(&error)) => {
                    tries += 1;
                    self.pause(tries).await;
                }
                Err(error) if is_absent(&error) => return Err(self.no_topic(name).await),
                other => return other,
            }
        }
    }

    async fn try_topic(&self, name: &str, create: bool) -> Result<Topic, ClientError> {
        let wanted = MetadataRequestTopic { name: Some(name.into()), ..MetadataRequestTopic::default() };
        let answer = self
            .seed()
            .await?
            .call(&MetadataRequest {
                topics: Some(vec![wanted]),
                allow_auto_topic_creation: create,
                ..MetadataRequest::default()
            })
            .await?;
        let what = || format!("topic `{name}`");
        check(answer.error_code, what, None)?;
        let topic = answer.topics.first().ok_or_else(|| ClientError::Refused {
            code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            what: what(),
            message: None,
        })?;
        check(topic.error_code, what, None)?;
        Ok(Topic { name: name.to_owned(), id: topic.topic_id, leaders: leaders(&answer, topic)? })
    }

    /// Says that a topic is not there, with the one that was probably meant.
    async fn no_topic(&self, name: &str) -> ClientError {
        let names = self.topic_names().await.unwrap_or_default();
        ClientError::NoTopic {
            topic: name.to_owned(),
            address: self.bootstrap().to_owned(),
            near: nearest(name, names),
        }
    }

    /// Names of all topics.
    pub(super) async fn topic_names(&self) -> Result<Vec<String>, ClientError> {
        let answer = self.all_topics().await?;
        Ok(answer.topics.into_iter().filter_map(|topic| topic.name).map(|name| name.to_string()).collect())
    }

    pub(super) async fn all_topics(&self) -> Result<MetadataResponse, ClientError> {
        let ask =
            MetadataRequest { topics: None, allow_auto_topic_creation: false, ..MetadataRequest::default() };
        let answer = self.seed().await?.call(&ask).await?;
        check(answer.error_code, || "cannot list topics".to_owned(), None)?;
        Ok(answer)
    }

    /// Offset of the first record at or after a time (milliseconds), or `LATEST` or `EARLIEST`; the end of the
    /// partition where no record is that late.
    pub async fn offsets(
        &self,
        topic: &Topic,
        partitions: &[i32],
        timestamp: i64,
    ) -> Result<BTreeMap<i32, i64>, ClientError> {
        let mut found = BTreeMap::new();
        let mut too_late = Vec::new();
        for (address, partitions) in topic.by_leader(partitions)? {
            for (partition, offset) in self.offsets_of_leader(&address, topic, &partitions, timestamp).await?
            {
                match offset {
                    -1 => too_late.push(partition),
                    offset => drop(found.insert(partition, offset)),
                }
            }
        }
        if !too_late.is_empty() {
            found.extend(Box::pin(self.offsets(topic, &too_late, LATEST)).await?);
        }
        Ok(found)
    }

    async fn offsets_of_leader(
        &self,
        address: &str,
        topic: &Topic,
        partitions: &[i32],
        timestamp: i64,
    ) -> Result<BTreeMap<i32, i64>, ClientError> {
        let ask_one = |partition: &i32| ListOffsetsPartition {
            partition_index: *partition,
            timestamp,
            ..ListOffsetsPartition::default()
        };
        let ask = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: Str::from(topic.name.as_str()),
                partitions: partitions.iter().map(ask_one).collect(),
            }],
            timeout_ms: 30_000,
            ..ListOffsetsRequest::default()
        };
        let mut tries = 0;
        loop {
            let result = async {
                let answer = self.link(address).await?.call(&ask).await?;
                let mut offsets = BTreeMap::new();
                for entry in answer.topics.iter().flat_map(|topic| &topic.partitions) {
                    let what = || format!("offsets of {}-{}", topic.name, entry.partition_index);
                    check(entry.error_code, what, None)?;
                    offsets.insert(entry.partition_index, entry.offset);
                }
                Ok(offsets)
            };
            match result.await {
                Err(error @ ClientError::Refused { .. }) if error.is_passing() && tries < TRIES_MAX => {
                    tries += 1;
                    self.pause(tries).await;
                }
                other => return other,
            }
        }
    }
}

fn is_absent(error: &ClientError) -> bool {
    error.code() == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
}

fn leaders(
    answer: &MetadataResponse,
    topic: &MetadataResponseTopic,
) -> Result<BTreeMap<i32, String>, ClientError> {
    let mut leaders = BTreeMap::new();
    for partition in &topic.partitions {
        let broker = answer.brokers.iter().find(|broker| broker.node_id == partition.leader_id);
        let code = match (partition.error_code, broker) {
            (code, Some(_)) => code,
            (_, None) => ErrorCode::LEADER_NOT_AVAILABLE,
        };
        let name = topic.name.as_deref().unwrap_or_default();
        check(code, || format!("{name}-{} has no leader", partition.partition_index), None)?;
        if let Some(broker) = broker {
            leaders.insert(partition.partition_index, address(&broker.host, broker.port));
        }
    }
    Ok(leaders)
}

/// `host:port`, with brackets around an address of IPv6.
pub(super) fn address(host: &str, port: i32) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// The name that was probably meant.
pub(super) fn nearest(name: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    // Below this likeness a guess is noise.
    const LIKENESS_MIN: f64 = 0.8;
    let scored = known.into_iter().map(|known| (strsim::jaro(name, &known), known));
    let near = scored.filter(|(score, _)| *score >= LIKENESS_MIN).max_by(|a, b| a.0.total_cmp(&b.0));
    near.map(|(_, known)| known)
}

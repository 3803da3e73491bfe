//! Offsets that a group has committed: read, written and deleted, by a member or from outside.

use super::coordinator::{is_about_coordinator, refuse};
use super::{Client, ClientError, Topic};
use crate::types::ErrorCode;
use crate::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use crate::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use crate::wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponse};
use std::collections::BTreeMap;

/// First version of OffsetFetch that asks for several groups (KIP-709).
const SEVERAL_GROUPS: i16 = 8;
/// First version of OffsetFetch that can wait for transactions to end (KIP-447).
const STABLE: i16 = 7;

/// A topic's name and a partition.
pub type PartitionKey = (String, i32);
/// What was said of each partition.
pub type OffsetCodes = BTreeMap<PartitionKey, ErrorCode>;

impl Client {
    /// Everything a group has committed. With a member id and epoch it is that member who asks, and it waits for
    /// offsets in open transactions.
    pub async fn group_offsets(
        &self,
        group: &str,
        member: Option<(&str, i32)>,
    ) -> Result<BTreeMap<PartitionKey, i64>, ClientError> {
        let build = |version: i16| {
            let mut ask = OffsetFetchRequest {
                require_stable: version >= STABLE && member.is_some(),
                ..OffsetFetchRequest::default()
            };
            // No topics means all of them.
            match version >= SEVERAL_GROUPS {
                true => {
                    ask.groups = vec![OffsetFetchRequestGroup {
                        group_id: group.into(),
                        member_id: member.map(|(id, _)| id.into()),
                        member_epoch: member.map_or(-1, |(_, epoch)| epoch),
                        topics: None,
                    }];
                }
                false => (ask.group_id, ask.topics) = (group.into(), None),
            }
            ask
        };
        let judge = |answer: &OffsetFetchResponse| {
            refuse(group, answer.error_code, None)?;
            answer.groups.iter().try_for_each(|found| refuse(group, found.error_code, None))?;
            codes(answer).try_for_each(|code| refuse(group, code, None))
        };
        let (_, answer) = self.ask_coordinator(group, build, judge).await?;
        Ok(offsets(&answer).filter(|(_, offset)| *offset >= 0).collect())
    }

    /// Commits offsets: as a member with its epoch, or from outside, which only a group without members accepts.
    /// What is wrong with single partitions is in the result.
    pub async fn commit_offsets(
        &self,
        group: &str,
        member: Option<(&str, i32)>,
        offsets: &[(&Topic, BTreeMap<i32, i64>)],
    ) -> Result<OffsetCodes, ClientError> {
        let partition = |(partition, offset): (&i32, &i64)| OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_metadata: Some("".into()),
            ..OffsetCommitRequestPartition::default()
        };
        // By name or by id, as the version has it.
        let topic = |(topic, offsets): &(&Topic, BTreeMap<i32, i64>)| OffsetCommitRequestTopic {
            name: topic.name.as_str().into(),
            topic_id: topic.id,
            partitions: offsets.iter().map(partition).collect(),
        };
        let ask = OffsetCommitRequest {
            group_id: group.into(),
            generation_id_or_member_epoch: member.map_or(-1, |(_, epoch)| epoch),
            member_id: member.map_or("", |(id, _)| id).into(),
            topics: offsets.iter().map(topic).collect(),
            ..OffsetCommitRequest::default()
        };
        let judge = |answer: &OffsetCommitResponse| {
            let mut codes =
                answer.topics.iter().flat_map(|topic| &topic.partitions).map(|entry| entry.error_code);
            codes.find(|code| is_about_coordinator(*code)).map_or(Ok(()), |code| refuse(group, code, None))
        };
        let (_, answer) = self.ask_coordinator(group, |_| ask.clone(), judge).await?;
        let mut said = OffsetCodes::new();
        for topic in &answer.topics {
            let by_id = offsets.iter().find(|(asked, _)| topic.name.is_empty() && asked.id == topic.topic_id);
            let name = by_id.map_or(&*topic.name, |(asked, _)| asked.name.as_str());
            for entry in &topic.partitions {
                said.insert((name.to_owned(), entry.partition_index), entry.error_code);
            }
        }
        Ok(said)
    }

    /// Deletes committed offsets; the group must not be subscribed to the topics. What is wrong with single
    /// partitions is in the result.
    pub async fn delete_offsets(
        &self,
        group: &str,
        partitions: &[PartitionKey],
    ) -> Result<OffsetCodes, ClientError> {
        let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for (topic, partition) in partitions {
            let one = OffsetDeleteRequestPartition { partition_index: *partition };
            topics.entry(topic).or_default().push(one);
        }
        let topic =
            |(name, partitions): (&str, Vec<_>)| OffsetDeleteRequestTopic { name: name.into(), partitions };
        let ask =
            OffsetDeleteRequest { group_id: group.into(), topics: topics.into_iter().map(topic).collect() };
        let judge = |answer: &<OffsetDeleteRequest as crate::wire::Request>::Response| {
            refuse(group, answer.error_code, None)
        };
        let (_, answer) = self.ask_coordinator(group, |_| ask.clone(), judge).await?;
        let said = answer.topics.iter().flat_map(|topic| {
            let key = |partition| (topic.name.to_string(), partition);
            topic.partitions.iter().map(move |entry| (key(entry.partition_index), entry.error_code))
        });
        Ok(said.collect())
    }
}

fn codes(answer: &OffsetFetchResponse) -> impl Iterator<Item = ErrorCode> {
    let old = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|entry| entry.error_code);
    let topics = answer.groups.iter().flat_map(|group| &group.topics);
    old.chain(topics.flat_map(|topic| &topic.partitions).map(|entry| entry.error_code))
}

fn offsets(answer: &OffsetFetchResponse) -> impl Iterator<Item = (PartitionKey, i64)> {
    let old = answer.topics.iter().flat_map(|topic| {
        let key = |partition| (topic.name.to_string(), partition);
        topic.partitions.iter().map(move |entry| (key(entry.partition_index), entry.committed_offset))
    });
    let topics = answer.groups.iter().flat_map(|group| &group.topics);
    old.chain(topics.flat_map(|topic| {
        let key = |partition| (topic.name.to_string(), partition);
        topic.partitions.iter().map(move |entry| (key(entry.partition_index), entry.committed_offset))
    }))
}

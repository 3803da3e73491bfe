//! ConsumerGroupDescribe, 0-1: consumer groups with their members (KIP-848). 1: which protocol a member speaks.

use super::*;
use crate::engine::Engine;
use crate::group::{ConsumerDescribed, ConsumerMemberDescribed};
use crate::types::TopicId;
use crate::wire::messages::consumer_group_describe::{
    Assignment, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup, Member,
    TopicPartitions,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = ConsumerGroupDescribeRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: ConsumerGroupDescribeRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let mut groups = Vec::with_capacity(request.group_ids.len());
            for group in &request.group_ids {
                groups.push(describe(&engine, group, request.include_authorized_operations).await);
            }
            ConsumerGroupDescribeResponse { groups, ..Default::default() }
        }))
    }
}

async fn describe(engine: &Engine, group: &Str, with_operations: bool) -> DescribedGroup {
    let described = match group.is_empty() {
        true => Err(ErrorCode::INVALID_GROUP_ID.into()),
        false => engine.describe_consumer_group(text(group)).await,
    };
    match described {
        Ok(described) => shown_group(group, &described, with_operations),
        Err(refusal) => DescribedGroup {
            error_code: refusal.code,
            error_message: message(&refusal),
            group_id: group.clone(),
            ..Default::default()
        },
    }
}

fn shown_group(group: &Str, described: &ConsumerDescribed, with_operations: bool) -> DescribedGroup {
    DescribedGroup {
        group_id: group.clone(),
        group_state: Str::from_static(described.state),
        group_epoch: described.epoch,
        assignment_epoch: described.target_epoch,
        assignor_name: shown(&described.assignor),
        members: described.members.iter().map(shown_member).collect(),
        authorized_operations: if with_operations { GROUP_OPERATIONS } else { OPERATIONS_NOT_ASKED },
        ..Default::default()
    }
}

fn shown_member(member: &ConsumerMemberDescribed) -> Member {
    Member {
        member_id: shown(&member.member),
        instance_id: maybe_shown(member.instance.as_ref()),
        rack_id: maybe_shown(member.rack.as_ref()),
        member_epoch: member.epoch,
        client_id: shown(&member.client.id),
        client_host: shown(&member.client.host),
        subscribed_topic_names: member.topics.iter().map(shown).collect(),
        subscribed_topic_regex: maybe_shown(member.regex.as_ref()),
        assignment: shown_assignment(&member.assignment),
        target_assignment: shown_assignment(&member.target),
        member_type: member.member_type,
    }
}

fn shown_assignment(topics: &[(TopicId, Arc<str>, Vec<i32>)]) -> Assignment {
    let topic_partitions = topics.iter().map(|(id, name, partitions)| TopicPartitions {
        topic_id: *id,
        topic_name: shown(name),
        partitions: partitions.clone(),
    });
    Assignment { topic_partitions: topic_partitions.collect() }
}

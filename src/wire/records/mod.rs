//! The records Kafka keeps in its own log and files.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

pub mod config_record;
pub mod consumer_group_current_member_assignment_key;
pub mod consumer_group_current_member_assignment_value;
pub mod consumer_group_member_metadata_key;
pub mod consumer_group_member_metadata_value;
pub mod consumer_group_metadata_key;
pub mod consumer_group_metadata_value;
pub mod consumer_group_regular_expression_key;
pub mod consumer_group_regular_expression_value;
pub mod consumer_group_target_assignment_member_key;
pub mod consumer_group_target_assignment_member_value;
pub mod consumer_group_target_assignment_metadata_key;
pub mod consumer_group_target_assignment_metadata_value;
pub mod consumer_protocol_assignment;
pub mod consumer_protocol_subscription;
pub mod feature_level_record;
pub mod group_metadata_key;
pub mod group_metadata_value;
pub mod legacy_offset_commit_key;
pub mod offset_commit_key;
pub mod offset_commit_value;
pub mod partition_record;
pub mod producer_ids_record;
pub mod producer_snapshot;
pub mod register_broker_record;
pub mod remove_topic_record;
pub mod topic_record;

use super::field::Versions;
use super::kind::{Kind, boxed};

/// Every kind of message here.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "RegisterBrokerRecord",
        versions: Versions(0, 4),
        decode: boxed::<register_broker_record::RegisterBrokerRecord>,
    },
    Kind { name: "TopicRecord", versions: Versions(0, 0), decode: boxed::<topic_record::TopicRecord> },
    Kind {
        name: "PartitionRecord",
        versions: Versions(0, 2),
        decode: boxed::<partition_record::PartitionRecord>,
    },
    Kind { name: "ConfigRecord", versions: Versions(0, 0), decode: boxed::<config_record::ConfigRecord> },
    Kind {
        name: "RemoveTopicRecord",
        versions: Versions(0, 0),
        decode: boxed::<remove_topic_record::RemoveTopicRecord>,
    },
    Kind {
        name: "ProducerIdsRecord",
        versions: Versions(0, 0),
        decode: boxed::<producer_ids_record::ProducerIdsRecord>,
    },
    Kind {
        name: "FeatureLevelRecord",
        versions: Versions(0, 0),
        decode: boxed::<feature_level_record::FeatureLevelRecord>,
    },
    Kind {
        name: "ProducerSnapshot",
        versions: Versions(1, 1),
        decode: boxed::<producer_snapshot::ProducerSnapshot>,
    },
    Kind {
        name: "ConsumerProtocolSubscription",
        versions: Versions(0, 3),
        decode: boxed::<consumer_protocol_subscription::ConsumerProtocolSubscription>,
    },
    Kind {
        name: "ConsumerProtocolAssignment",
        versions: Versions(0, 3),
        decode: boxed::<consumer_protocol_assignment::ConsumerProtocolAssignment>,
    },
    Kind {
        name: "OffsetCommitKey",
        versions: Versions(0, 0),
        decode: boxed::<offset_commit_key::OffsetCommitKey>,
    },
    Kind {
        name: "LegacyOffsetCommitKey",
        versions: Versions(0, 0),
        decode: boxed::<legacy_offset_commit_key::LegacyOffsetCommitKey>,
    },
    Kind {
        name: "OffsetCommitValue",
        versions: Versions(0, 4),
        decode: boxed::<offset_commit_value::OffsetCommitValue>,
    },
    Kind {
        name: "GroupMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<group_metadata_key::GroupMetadataKey>,
    },
    Kind {
        name: "GroupMetadataValue",
        versions: Versions(0, 4),
        decode: boxed::<group_metadata_value::GroupMetadataValue>,
    },
    Kind {
        name: "ConsumerGroupMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_metadata_key::ConsumerGroupMetadataKey>,
    },
    Kind {
        name: "ConsumerGroupMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_metadata_value::ConsumerGroupMetadataValue>,
    },
    Kind {
        name: "ConsumerGroupMemberMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_member_metadata_key::ConsumerGroupMemberMetadataKey>,
    },
    Kind {
        name: "ConsumerGroupMemberMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_member_metadata_value::ConsumerGroupMemberMetadataValue>,
    },
    Kind {
        name: "ConsumerGroupTargetAssignmentMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<
            consumer_group_target_assignment_metadata_key::ConsumerGroupTargetAssignmentMetadataKey,
        >,
    },
    Kind {
        name: "ConsumerGroupTargetAssignmentMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<
            consumer_group_target_assignment_metadata_value::ConsumerGroupTargetAssignmentMetadataValue,
        >,
    },
    Kind {
        name: "ConsumerGroupTargetAssignmentMemberKey",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_target_assignment_member_key::ConsumerGroupTargetAssignmentMemberKey>,
    },
    Kind {
        name: "ConsumerGroupTargetAssignmentMemberValue",
        versions: Versions(0, 0),
        decode: boxed::<
            consumer_group_target_assignment_member_value::ConsumerGroupTargetAssignmentMemberValue,
        >,
    },
    Kind {
        name: "ConsumerGroupCurrentMemberAssignmentKey",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_current_member_assignment_key::ConsumerGroupCurrentMemberAssignmentKey>,
    },
    Kind {
        name: "ConsumerGroupCurrentMemberAssignmentValue",
        versions: Versions(0, 0),
        decode: boxed::<
            consumer_group_current_member_assignment_value::ConsumerGroupCurrentMemberAssignmentValue,
        >,
    },
    Kind {
        name: "ConsumerGroupRegularExpressionKey",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_regular_expression_key::ConsumerGroupRegularExpressionKey>,
    },
    Kind {
        name: "ConsumerGroupRegularExpressionValue",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_regular_expression_value::ConsumerGroupRegularExpressionValue>,
    },
];

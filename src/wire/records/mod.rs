//! The records Kafka keeps in its own log and files.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

pub mod abort_transaction_record;
pub mod access_control_entry_record;
pub mod begin_transaction_record;
pub mod broker_registration_change_record;
pub mod clear_elr_record;
pub mod client_quota_record;
pub mod config_record;
pub mod consumer_group_current_member_assignment_key;
pub mod consumer_group_current_member_assignment_value;
pub mod consumer_group_member_metadata_key;
pub mod consumer_group_member_metadata_value;
pub mod consumer_group_metadata_key;
pub mod consumer_group_metadata_value;
pub mod consumer_group_partition_metadata_key;
pub mod consumer_group_partition_metadata_value;
pub mod consumer_group_regular_expression_key;
pub mod consumer_group_regular_expression_value;
pub mod consumer_group_target_assignment_member_key;
pub mod consumer_group_target_assignment_member_value;
pub mod consumer_group_target_assignment_metadata_key;
pub mod consumer_group_target_assignment_metadata_value;
pub mod consumer_protocol_assignment;
pub mod consumer_protocol_subscription;
pub mod delegation_token_record;
pub mod end_transaction_record;
pub mod feature_level_record;
pub mod fence_broker_record;
pub mod group_metadata_key;
pub mod group_metadata_value;
pub mod leader_change_message;
pub mod legacy_offset_commit_key;
pub mod no_op_record;
pub mod offset_commit_key;
pub mod offset_commit_value;
pub mod partition_change_record;
pub mod partition_record;
pub mod producer_ids_record;
pub mod producer_snapshot;
pub mod register_broker_record;
pub mod register_controller_record;
pub mod remove_access_control_entry_record;
pub mod remove_delegation_token_record;
pub mod remove_topic_record;
pub mod remove_user_scram_credential_record;
pub mod share_group_current_member_assignment_key;
pub mod share_group_current_member_assignment_value;
pub mod share_group_member_metadata_key;
pub mod share_group_member_metadata_value;
pub mod share_group_metadata_key;
pub mod share_group_metadata_value;
pub mod share_group_state_partition_metadata_key;
pub mod share_group_state_partition_metadata_value;
pub mod share_group_target_assignment_member_key;
pub mod share_group_target_assignment_member_value;
pub mod share_group_target_assignment_metadata_key;
pub mod share_group_target_assignment_metadata_value;
pub mod share_snapshot_key;
pub mod share_snapshot_value;
pub mod share_update_key;
pub mod share_update_value;
pub mod snapshot_footer_record;
pub mod snapshot_header_record;
pub mod streams_group_current_member_assignment_key;
pub mod streams_group_current_member_assignment_value;
pub mod streams_group_member_metadata_key;
pub mod streams_group_member_metadata_value;
pub mod streams_group_metadata_key;
pub mod streams_group_metadata_value;
pub mod streams_group_target_assignment_member_key;
pub mod streams_group_target_assignment_member_value;
pub mod streams_group_target_assignment_metadata_key;
pub mod streams_group_target_assignment_metadata_value;
pub mod streams_group_topology_key;
pub mod streams_group_topology_value;
pub mod topic_record;
pub mod transaction_log_key;
pub mod transaction_log_value;
pub mod unfence_broker_record;
pub mod unregister_broker_record;
pub mod unregister_controller_record;
pub mod user_scram_credential_record;
pub mod zk_migration_state_record;

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
    Kind {
        name: "AbortTransactionRecord",
        versions: Versions(0, 0),
        decode: boxed::<abort_transaction_record::AbortTransactionRecord>,
    },
    Kind {
        name: "AccessControlEntryRecord",
        versions: Versions(0, 0),
        decode: boxed::<access_control_entry_record::AccessControlEntryRecord>,
    },
    Kind {
        name: "BeginTransactionRecord",
        versions: Versions(0, 0),
        decode: boxed::<begin_transaction_record::BeginTransactionRecord>,
    },
    Kind {
        name: "BrokerRegistrationChangeRecord",
        versions: Versions(0, 3),
        decode: boxed::<broker_registration_change_record::BrokerRegistrationChangeRecord>,
    },
    Kind {
        name: "ClearElrRecord",
        versions: Versions(0, 0),
        decode: boxed::<clear_elr_record::ClearElrRecord>,
    },
    Kind {
        name: "ClientQuotaRecord",
        versions: Versions(0, 0),
        decode: boxed::<client_quota_record::ClientQuotaRecord>,
    },
    Kind {
        name: "DelegationTokenRecord",
        versions: Versions(0, 0),
        decode: boxed::<delegation_token_record::DelegationTokenRecord>,
    },
    Kind {
        name: "EndTransactionRecord",
        versions: Versions(0, 0),
        decode: boxed::<end_transaction_record::EndTransactionRecord>,
    },
    Kind {
        name: "FenceBrokerRecord",
        versions: Versions(0, 0),
        decode: boxed::<fence_broker_record::FenceBrokerRecord>,
    },
    Kind { name: "NoOpRecord", versions: Versions(0, 0), decode: boxed::<no_op_record::NoOpRecord> },
    Kind {
        name: "PartitionChangeRecord",
        versions: Versions(0, 2),
        decode: boxed::<partition_change_record::PartitionChangeRecord>,
    },
    Kind {
        name: "RegisterControllerRecord",
        versions: Versions(0, 0),
        decode: boxed::<register_controller_record::RegisterControllerRecord>,
    },
    Kind {
        name: "RemoveAccessControlEntryRecord",
        versions: Versions(0, 0),
        decode: boxed::<remove_access_control_entry_record::RemoveAccessControlEntryRecord>,
    },
    Kind {
        name: "RemoveDelegationTokenRecord",
        versions: Versions(0, 0),
        decode: boxed::<remove_delegation_token_record::RemoveDelegationTokenRecord>,
    },
    Kind {
        name: "RemoveUserScramCredentialRecord",
        versions: Versions(0, 0),
        decode: boxed::<remove_user_scram_credential_record::RemoveUserScramCredentialRecord>,
    },
    Kind {
        name: "UnfenceBrokerRecord",
        versions: Versions(0, 0),
        decode: boxed::<unfence_broker_record::UnfenceBrokerRecord>,
    },
    Kind {
        name: "UnregisterBrokerRecord",
        versions: Versions(0, 0),
        decode: boxed::<unregister_broker_record::UnregisterBrokerRecord>,
    },
    Kind {
        name: "UnregisterControllerRecord",
        versions: Versions(0, 0),
        decode: boxed::<unregister_controller_record::UnregisterControllerRecord>,
    },
    Kind {
        name: "UserScramCredentialRecord",
        versions: Versions(0, 0),
        decode: boxed::<user_scram_credential_record::UserScramCredentialRecord>,
    },
    Kind {
        name: "ZkMigrationStateRecord",
        versions: Versions(0, 0),
        decode: boxed::<zk_migration_state_record::ZkMigrationStateRecord>,
    },
    Kind {
        name: "LeaderChangeMessage",
        versions: Versions(0, 1),
        decode: boxed::<leader_change_message::LeaderChangeMessage>,
    },
    Kind {
        name: "SnapshotHeaderRecord",
        versions: Versions(0, 0),
        decode: boxed::<snapshot_header_record::SnapshotHeaderRecord>,
    },
    Kind {
        name: "SnapshotFooterRecord",
        versions: Versions(0, 0),
        decode: boxed::<snapshot_footer_record::SnapshotFooterRecord>,
    },
    Kind {
        name: "ConsumerGroupPartitionMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_partition_metadata_key::ConsumerGroupPartitionMetadataKey>,
    },
    Kind {
        name: "ConsumerGroupPartitionMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<consumer_group_partition_metadata_value::ConsumerGroupPartitionMetadataValue>,
    },
    Kind {
        name: "ShareGroupCurrentMemberAssignmentKey",
        versions: Versions(0, 0),
        decode: boxed::<share_group_current_member_assignment_key::ShareGroupCurrentMemberAssignmentKey>,
    },
    Kind {
        name: "ShareGroupCurrentMemberAssignmentValue",
        versions: Versions(0, 0),
        decode: boxed::<share_group_current_member_assignment_value::ShareGroupCurrentMemberAssignmentValue>,
    },
    Kind {
        name: "ShareGroupMemberMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<share_group_member_metadata_key::ShareGroupMemberMetadataKey>,
    },
    Kind {
        name: "ShareGroupMemberMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<share_group_member_metadata_value::ShareGroupMemberMetadataValue>,
    },
    Kind {
        name: "ShareGroupMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<share_group_metadata_key::ShareGroupMetadataKey>,
    },
    Kind {
        name: "ShareGroupMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<share_group_metadata_value::ShareGroupMetadataValue>,
    },
    Kind {
        name: "ShareGroupStatePartitionMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<share_group_state_partition_metadata_key::ShareGroupStatePartitionMetadataKey>,
    },
    Kind {
        name: "ShareGroupStatePartitionMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<share_group_state_partition_metadata_value::ShareGroupStatePartitionMetadataValue>,
    },
    Kind {
        name: "ShareGroupTargetAssignmentMemberKey",
        versions: Versions(0, 0),
        decode: boxed::<share_group_target_assignment_member_key::ShareGroupTargetAssignmentMemberKey>,
    },
    Kind {
        name: "ShareGroupTargetAssignmentMemberValue",
        versions: Versions(0, 0),
        decode: boxed::<share_group_target_assignment_member_value::ShareGroupTargetAssignmentMemberValue>,
    },
    Kind {
        name: "ShareGroupTargetAssignmentMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<share_group_target_assignment_metadata_key::ShareGroupTargetAssignmentMetadataKey>,
    },
    Kind {
        name: "ShareGroupTargetAssignmentMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<share_group_target_assignment_metadata_value::ShareGroupTargetAssignmentMetadataValue>,
    },
    Kind {
        name: "StreamsGroupCurrentMemberAssignmentKey",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_current_member_assignment_key::StreamsGroupCurrentMemberAssignmentKey>,
    },
    Kind {
        name: "StreamsGroupCurrentMemberAssignmentValue",
        versions: Versions(0, 0),
        decode: boxed::<
            streams_group_current_member_assignment_value::StreamsGroupCurrentMemberAssignmentValue,
        >,
    },
    Kind {
        name: "StreamsGroupMemberMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_member_metadata_key::StreamsGroupMemberMetadataKey>,
    },
    Kind {
        name: "StreamsGroupMemberMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_member_metadata_value::StreamsGroupMemberMetadataValue>,
    },
    Kind {
        name: "StreamsGroupMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_metadata_key::StreamsGroupMetadataKey>,
    },
    Kind {
        name: "StreamsGroupMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_metadata_value::StreamsGroupMetadataValue>,
    },
    Kind {
        name: "StreamsGroupTargetAssignmentMemberKey",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_target_assignment_member_key::StreamsGroupTargetAssignmentMemberKey>,
    },
    Kind {
        name: "StreamsGroupTargetAssignmentMemberValue",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_target_assignment_member_value::StreamsGroupTargetAssignmentMemberValue>,
    },
    Kind {
        name: "StreamsGroupTargetAssignmentMetadataKey",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_target_assignment_metadata_key::StreamsGroupTargetAssignmentMetadataKey>,
    },
    Kind {
        name: "StreamsGroupTargetAssignmentMetadataValue",
        versions: Versions(0, 0),
        decode: boxed::<
            streams_group_target_assignment_metadata_value::StreamsGroupTargetAssignmentMetadataValue,
        >,
    },
    Kind {
        name: "StreamsGroupTopologyKey",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_topology_key::StreamsGroupTopologyKey>,
    },
    Kind {
        name: "StreamsGroupTopologyValue",
        versions: Versions(0, 0),
        decode: boxed::<streams_group_topology_value::StreamsGroupTopologyValue>,
    },
    Kind {
        name: "TransactionLogKey",
        versions: Versions(0, 0),
        decode: boxed::<transaction_log_key::TransactionLogKey>,
    },
    Kind {
        name: "TransactionLogValue",
        versions: Versions(0, 1),
        decode: boxed::<transaction_log_value::TransactionLogValue>,
    },
    Kind {
        name: "ShareSnapshotKey",
        versions: Versions(0, 0),
        decode: boxed::<share_snapshot_key::ShareSnapshotKey>,
    },
    Kind {
        name: "ShareSnapshotValue",
        versions: Versions(0, 0),
        decode: boxed::<share_snapshot_value::ShareSnapshotValue>,
    },
    Kind {
        name: "ShareUpdateKey",
        versions: Versions(0, 0),
        decode: boxed::<share_update_key::ShareUpdateKey>,
    },
    Kind {
        name: "ShareUpdateValue",
        versions: Versions(0, 0),
        decode: boxed::<share_update_value::ShareUpdateValue>,
    },
];

//! The key of every API with its stable versions.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::api_key::{Api, ApiKey};

#[allow(missing_docs, reason = "the names are Kafka's own")]
impl ApiKey {
    pub const PRODUCE: ApiKey = ApiKey(0);
    pub const FETCH: ApiKey = ApiKey(1);
    pub const LIST_OFFSETS: ApiKey = ApiKey(2);
    pub const METADATA: ApiKey = ApiKey(3);
    pub const OFFSET_COMMIT: ApiKey = ApiKey(8);
    pub const OFFSET_FETCH: ApiKey = ApiKey(9);
    pub const FIND_COORDINATOR: ApiKey = ApiKey(10);
    pub const JOIN_GROUP: ApiKey = ApiKey(11);
    pub const HEARTBEAT: ApiKey = ApiKey(12);
    pub const LEAVE_GROUP: ApiKey = ApiKey(13);
    pub const SYNC_GROUP: ApiKey = ApiKey(14);
    pub const DESCRIBE_GROUPS: ApiKey = ApiKey(15);
    pub const LIST_GROUPS: ApiKey = ApiKey(16);
    pub const SASL_HANDSHAKE: ApiKey = ApiKey(17);
    pub const API_VERSIONS: ApiKey = ApiKey(18);
    pub const CREATE_TOPICS: ApiKey = ApiKey(19);
    pub const DELETE_TOPICS: ApiKey = ApiKey(20);
    pub const DELETE_RECORDS: ApiKey = ApiKey(21);
    pub const INIT_PRODUCER_ID: ApiKey = ApiKey(22);
    pub const OFFSET_FOR_LEADER_EPOCH: ApiKey = ApiKey(23);
    pub const ADD_PARTITIONS_TO_TXN: ApiKey = ApiKey(24);
    pub const ADD_OFFSETS_TO_TXN: ApiKey = ApiKey(25);
    pub const END_TXN: ApiKey = ApiKey(26);
    pub const WRITE_TXN_MARKERS: ApiKey = ApiKey(27);
    pub const TXN_OFFSET_COMMIT: ApiKey = ApiKey(28);
    pub const DESCRIBE_ACLS: ApiKey = ApiKey(29);
    pub const CREATE_ACLS: ApiKey = ApiKey(30);
    pub const DELETE_ACLS: ApiKey = ApiKey(31);
    pub const DESCRIBE_CONFIGS: ApiKey = ApiKey(32);
    pub const ALTER_CONFIGS: ApiKey = ApiKey(33);
    pub const ALTER_REPLICA_LOG_DIRS: ApiKey = ApiKey(34);
    pub const DESCRIBE_LOG_DIRS: ApiKey = ApiKey(35);
    pub const SASL_AUTHENTICATE: ApiKey = ApiKey(36);
    pub const CREATE_PARTITIONS: ApiKey = ApiKey(37);
    pub const CREATE_DELEGATION_TOKEN: ApiKey = ApiKey(38);
    pub const RENEW_DELEGATION_TOKEN: ApiKey = ApiKey(39);
    pub const EXPIRE_DELEGATION_TOKEN: ApiKey = ApiKey(40);
    pub const DESCRIBE_DELEGATION_TOKEN: ApiKey = ApiKey(41);
    pub const DELETE_GROUPS: ApiKey = ApiKey(42);
    pub const ELECT_LEADERS: ApiKey = ApiKey(43);
    pub const INCREMENTAL_ALTER_CONFIGS: ApiKey = ApiKey(44);
    pub const ALTER_PARTITION_REASSIGNMENTS: ApiKey = ApiKey(45);
    pub const LIST_PARTITION_REASSIGNMENTS: ApiKey = ApiKey(46);
    pub const OFFSET_DELETE: ApiKey = ApiKey(47);
    pub const DESCRIBE_CLIENT_QUOTAS: ApiKey = ApiKey(48);
    pub const ALTER_CLIENT_QUOTAS: ApiKey = ApiKey(49);
    pub const DESCRIBE_USER_SCRAM_CREDENTIALS: ApiKey = ApiKey(50);
    pub const ALTER_USER_SCRAM_CREDENTIALS: ApiKey = ApiKey(51);
    pub const VOTE: ApiKey = ApiKey(52);
    pub const BEGIN_QUORUM_EPOCH: ApiKey = ApiKey(53);
    pub const END_QUORUM_EPOCH: ApiKey = ApiKey(54);
    pub const DESCRIBE_QUORUM: ApiKey = ApiKey(55);
    pub const ALTER_PARTITION: ApiKey = ApiKey(56);
    pub const UPDATE_FEATURES: ApiKey = ApiKey(57);
    pub const ENVELOPE: ApiKey = ApiKey(58);
    pub const FETCH_SNAPSHOT: ApiKey = ApiKey(59);
    pub const DESCRIBE_CLUSTER: ApiKey = ApiKey(60);
    pub const DESCRIBE_PRODUCERS: ApiKey = ApiKey(61);
    pub const BROKER_REGISTRATION: ApiKey = ApiKey(62);
    pub const BROKER_HEARTBEAT: ApiKey = ApiKey(63);
    pub const UNREGISTER_BROKER: ApiKey = ApiKey(64);
    pub const DESCRIBE_TRANSACTIONS: ApiKey = ApiKey(65);
    pub const LIST_TRANSACTIONS: ApiKey = ApiKey(66);
    pub const ALLOCATE_PRODUCER_IDS: ApiKey = ApiKey(67);
    pub const CONSUMER_GROUP_HEARTBEAT: ApiKey = ApiKey(68);
    pub const CONSUMER_GROUP_DESCRIBE: ApiKey = ApiKey(69);
    pub const CONTROLLER_REGISTRATION: ApiKey = ApiKey(70);
    pub const GET_TELEMETRY_SUBSCRIPTIONS: ApiKey = ApiKey(71);
    pub const PUSH_TELEMETRY: ApiKey = ApiKey(72);
    pub const ASSIGN_REPLICAS_TO_DIRS: ApiKey = ApiKey(73);
    pub const LIST_CONFIG_RESOURCES: ApiKey = ApiKey(74);
    pub const DESCRIBE_TOPIC_PARTITIONS: ApiKey = ApiKey(75);
    pub const SHARE_GROUP_HEARTBEAT: ApiKey = ApiKey(76);
    pub const SHARE_GROUP_DESCRIBE: ApiKey = ApiKey(77);
    pub const SHARE_FETCH: ApiKey = ApiKey(78);
    pub const SHARE_ACKNOWLEDGE: ApiKey = ApiKey(79);
    pub const ADD_RAFT_VOTER: ApiKey = ApiKey(80);
    pub const REMOVE_RAFT_VOTER: ApiKey = ApiKey(81);
    pub const UPDATE_RAFT_VOTER: ApiKey = ApiKey(82);
    pub const INITIALIZE_SHARE_GROUP_STATE: ApiKey = ApiKey(83);
    pub const READ_SHARE_GROUP_STATE: ApiKey = ApiKey(84);
    pub const WRITE_SHARE_GROUP_STATE: ApiKey = ApiKey(85);
    pub const DELETE_SHARE_GROUP_STATE: ApiKey = ApiKey(86);
    pub const READ_SHARE_GROUP_STATE_SUMMARY: ApiKey = ApiKey(87);
    pub const STREAMS_GROUP_HEARTBEAT: ApiKey = ApiKey(88);
    pub const STREAMS_GROUP_DESCRIBE: ApiKey = ApiKey(89);
    pub const DESCRIBE_SHARE_GROUP_OFFSETS: ApiKey = ApiKey(90);
    pub const ALTER_SHARE_GROUP_OFFSETS: ApiKey = ApiKey(91);
    pub const DELETE_SHARE_GROUP_OFFSETS: ApiKey = ApiKey(92);
    pub const STREAMS_GROUP_TOPOLOGY_DESCRIPTION_UPDATE: ApiKey = ApiKey(93);
    pub const UNREGISTER_CONTROLLER: ApiKey = ApiKey(94);
}

/// Every API, by key.
pub static APIS: &[Api] = &[
    api(0, "Produce", 3, 13, 9, true),
    api(1, "Fetch", 4, 18, 12, true),
    api(2, "ListOffsets", 1, 11, 6, true),
    api(3, "Metadata", 0, 13, 9, true),
    api(8, "OffsetCommit", 2, 10, 8, true),
    api(9, "OffsetFetch", 1, 10, 6, true),
    api(10, "FindCoordinator", 0, 6, 3, true),
    api(11, "JoinGroup", 0, 9, 6, true),
    api(12, "Heartbeat", 0, 4, 4, true),
    api(13, "LeaveGroup", 0, 5, 4, true),
    api(14, "SyncGroup", 0, 5, 4, true),
    api(15, "DescribeGroups", 0, 6, 5, true),
    api(16, "ListGroups", 0, 5, 3, true),
    api(17, "SaslHandshake", 0, 1, i16::MAX, true),
    api(18, "ApiVersions", 0, 5, 3, true),
    api(19, "CreateTopics", 2, 7, 5, true),
    api(20, "DeleteTopics", 1, 6, 4, true),
    api(21, "DeleteRecords", 0, 2, 2, true),
    api(22, "InitProducerId", 0, 5, 2, true),
    api(23, "OffsetForLeaderEpoch", 2, 4, 4, true),
    api(24, "AddPartitionsToTxn", 0, 5, 3, true),
    api(25, "AddOffsetsToTxn", 0, 4, 3, true),
    api(26, "EndTxn", 0, 5, 3, true),
    api(27, "WriteTxnMarkers", 1, 2, 1, true),
    api(28, "TxnOffsetCommit", 0, 6, 3, true),
    api(29, "DescribeAcls", 1, 3, 2, true),
    api(30, "CreateAcls", 1, 3, 2, true),
    api(31, "DeleteAcls", 1, 3, 2, true),
    api(32, "DescribeConfigs", 1, 4, 4, true),
    api(33, "AlterConfigs", 0, 2, 2, true),
    api(34, "AlterReplicaLogDirs", 1, 2, 2, true),
    api(35, "DescribeLogDirs", 1, 5, 2, true),
    api(36, "SaslAuthenticate", 0, 2, 2, true),
    api(37, "CreatePartitions", 0, 3, 2, true),
    api(38, "CreateDelegationToken", 1, 3, 2, true),
    api(39, "RenewDelegationToken", 1, 2, 2, true),
    api(40, "ExpireDelegationToken", 1, 2, 2, true),
    api(41, "DescribeDelegationToken", 1, 3, 2, true),
    api(42, "DeleteGroups", 0, 3, 2, true),
    api(43, "ElectLeaders", 0, 2, 2, true),
    api(44, "IncrementalAlterConfigs", 0, 1, 1, true),
    api(45, "AlterPartitionReassignments", 0, 1, 0, true),
    api(46, "ListPartitionReassignments", 0, 0, 0, true),
    api(47, "OffsetDelete", 0, 0, i16::MAX, true),
    api(48, "DescribeClientQuotas", 0, 1, 1, true),
    api(49, "AlterClientQuotas", 0, 1, 1, true),
    api(50, "DescribeUserScramCredentials", 0, 0, 0, true),
    api(51, "AlterUserScramCredentials", 0, 0, 0, true),
    api(52, "Vote", 0, 2, 0, false),
    api(53, "BeginQuorumEpoch", 0, 1, 1, false),
    api(54, "EndQuorumEpoch", 0, 1, 1, false),
    api(55, "DescribeQuorum", 0, 2, 0, true),
    api(56, "AlterPartition", 2, 3, 0, false),
    api(57, "UpdateFeatures", 0, 2, 0, true),
    api(58, "Envelope", 0, 0, 0, false),
    api(59, "FetchSnapshot", 0, 1, 0, false),
    api(60, "DescribeCluster", 0, 2, 0, true),
    api(61, "DescribeProducers", 0, 0, 0, true),
    api(62, "BrokerRegistration", 0, 4, 0, false),
    api(63, "BrokerHeartbeat", 0, 2, 0, false),
    api(64, "UnregisterBroker", 0, 0, 0, true),
    api(65, "DescribeTransactions", 0, 0, 0, true),
    api(66, "ListTransactions", 0, 2, 0, true),
    api(67, "AllocateProducerIds", 0, 0, 0, false),
    api(68, "ConsumerGroupHeartbeat", 0, 1, 0, true),
    api(69, "ConsumerGroupDescribe", 0, 1, 0, true),
    api(70, "ControllerRegistration", 0, 0, 0, false),
    api(71, "GetTelemetrySubscriptions", 0, 0, 0, true),
    api(72, "PushTelemetry", 0, 0, 0, true),
    api(73, "AssignReplicasToDirs", 0, 0, 0, false),
    api(74, "ListConfigResources", 0, 1, 0, true),
    api(75, "DescribeTopicPartitions", 0, 0, 0, true),
    api(76, "ShareGroupHeartbeat", 1, 1, 0, true),
    api(77, "ShareGroupDescribe", 1, 1, 0, true),
    api(78, "ShareFetch", 1, 2, 0, true),
    api(79, "ShareAcknowledge", 1, 2, 0, true),
    api(80, "AddRaftVoter", 0, 1, 0, true),
    api(81, "RemoveRaftVoter", 0, 0, 0, true),
    api(82, "UpdateRaftVoter", 0, 0, 0, false),
    api(83, "InitializeShareGroupState", 0, 0, 0, true),
    api(84, "ReadShareGroupState", 0, 0, 0, true),
    api(85, "WriteShareGroupState", 0, 1, 0, true),
    api(86, "DeleteShareGroupState", 0, 0, 0, true),
    api(87, "ReadShareGroupStateSummary", 0, 1, 0, true),
    api(88, "StreamsGroupHeartbeat", 0, 1, 0, true),
    api(89, "StreamsGroupDescribe", 0, 1, 0, true),
    api(90, "DescribeShareGroupOffsets", 0, 1, 0, true),
    api(91, "AlterShareGroupOffsets", 0, 0, 0, true),
    api(92, "DeleteShareGroupOffsets", 0, 0, 0, true),
    api(93, "StreamsGroupTopologyDescriptionUpdate", 0, 0, 0, true),
    api(94, "UnregisterController", 0, 0, 0, true),
];

const fn api(
    key: i16,
    name: &'static str,
    version_min: i16,
    version_max: i16,
    flexible_from: i16,
    broker: bool,
) -> Api {
    Api { key: ApiKey(key), name, version_min, version_max, flexible_from, broker }
}

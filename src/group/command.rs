//! What is asked of groups and what is answered, in plain data. What differs between versions of the protocol comes in
//! as a field that says what the client can do.

use super::refused::Refused;
use super::settings::GroupSettings;
use super::state::{Assignment, ClassicProtocol, Committed};
use super::topics::TopicTable;
use crate::types::{Epoch, ErrorCode, Offset, TopicId};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is asked.
pub enum Command {
    /// Topics or settings changed; also the first command after each load, before which all others are refused with
    /// `COORDINATOR_LOAD_IN_PROGRESS`. Answered with [`Reply::Done`].
    Context(Context),
    /// Joins a group of the classic protocol: [`Reply::Joined`], often much later.
    Join(Join),
    /// Gives or asks for an assignment: [`Reply::Synced`], often later.
    Sync(Sync),
    /// A member of the classic protocol is alive: [`Reply::Heartbeat`].
    Heartbeat(Heartbeat),
    /// Members of the classic protocol go, or are taken out: [`Reply::Left`].
    Leave(Leave),
    /// A member of the consumer protocol joins, is alive, or goes (KIP-848): [`Reply::ConsumerHeartbeat`].
    ConsumerHeartbeat(ConsumerHeartbeat),
    /// Commits offsets: [`Reply::Committed`].
    Commit(Commit),
    /// Reads committed offsets: [`Reply::Offsets`].
    FetchOffsets(FetchOffsets),
    /// Forgets committed offsets: [`Reply::OffsetsDeleted`].
    DeleteOffsets(DeleteOffsets),
    /// Lists groups: [`Reply::Listed`].
    List(List),
    /// Describes a group in the words of the classic protocol: [`Reply::ClassicDescribed`].
    DescribeClassic(Arc<str>),
    /// Describes a group of the consumer protocol: [`Reply::ConsumerDescribed`].
    DescribeConsumer(Arc<str>),
    /// Deletes a group without members, with its offsets: [`Reply::Deleted`].
    Delete(Arc<str>),
}

/// What is answered; each command says its kind.
pub enum Reply {
    /// Carried out.
    Done,
    /// No command but [`Command::Context`] is taken yet.
    Loading,
    /// To [`Command::Join`].
    Joined(Result<Joined, NotJoined>),
    /// To [`Command::Sync`].
    Synced(Result<Synced, Refused>),
    /// To [`Command::Heartbeat`].
    Heartbeat(Result<(), Refused>),
    /// To [`Command::Leave`]: one for each member, in order.
    Left(Result<Vec<Left>, Refused>),
    /// To [`Command::ConsumerHeartbeat`].
    ConsumerHeartbeat(Result<ConsumerHeartbeatAnswer, Refused>),
    /// To [`Command::Commit`]: a code for each partition, in order.
    Committed(Result<Vec<ErrorCode>, Refused>),
    /// To [`Command::FetchOffsets`].
    Offsets(Result<Vec<TopicOffsets>, Refused>),
    /// To [`Command::DeleteOffsets`]: a code for each partition, in order.
    OffsetsDeleted(Result<Vec<ErrorCode>, Refused>),
    /// To [`Command::List`].
    Listed(Vec<Listed>),
    /// To [`Command::DescribeClassic`].
    ClassicDescribed(Result<ClassicDescribed, Refused>),
    /// To [`Command::DescribeConsumer`].
    ConsumerDescribed(Result<ConsumerDescribed, Refused>),
    /// To [`Command::Delete`].
    Deleted(Result<(), Refused>),
}

/// What rules groups from outside.
#[derive(Clone)]
pub struct Context {
    /// The topics there are.
    pub topics: Arc<dyn TopicTable>,
    /// The settings.
    pub settings: Arc<GroupSettings>,
}

/// Who a request came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// As the client calls itself.
    pub id: Arc<str>,
    /// Its address, as Kafka writes it: `/127.0.0.1`.
    pub host: Arc<str>,
}

/// JoinGroup.
#[derive(Clone, Debug)]
pub struct Join {
    /// Id of the group.
    pub group: Arc<str>,
    /// The member's id; empty for a new one.
    pub member: Arc<str>,
    /// `group.instance.id` of a static member (KIP-345).
    pub instance: Option<Arc<str>>,
    /// Who asks.
    pub client: Client,
    /// `consumer`, `connect`, ...
    pub protocol_type: Arc<str>,
    /// The protocols it can, in its order.
    pub protocols: Vec<ClassicProtocol>,
    /// Silence after which it is gone, ms.
    pub session_timeout_ms: i32,
    /// Time it takes to rejoin, ms.
    pub rebalance_timeout_ms: i32,
    /// A new member without an instance is given an id and asked to join again with it (KIP-394; from version 4).
    pub must_know_its_id: bool,
    /// The leader can be told to leave the assignment as it is (KIP-814; from version 9).
    pub can_skip_assignment: bool,
    /// Why it joins, for the log.
    pub reason: Option<Arc<str>>,
}

/// A member has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Number of the rebalance.
    pub generation: i32,
    /// `consumer`, `connect`, ...
    pub protocol_type: Option<Arc<str>>,
    /// The protocol chosen.
    pub protocol: Option<Arc<str>>,
    /// Id of the leader.
    pub leader: Arc<str>,
    /// The leader keeps the assignment as it is.
    pub skip_assignment: bool,
    /// Id of the member.
    pub member: Arc<str>,
    /// All members, for the leader; empty for the others.
    pub members: Vec<JoinedMember>,
}

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member: Arc<str>,
    /// Its instance.
    pub instance: Option<Arc<str>>,
    /// Its metadata for the chosen protocol.
    pub metadata: Bytes,
}

/// A member has not joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJoined {
    /// Why.
    pub refused: Refused,
    /// The member's id, a new one with `MEMBER_ID_REQUIRED`; empty if it has none.
    pub member: Arc<str>,
}

/// SyncGroup.
#[derive(Clone, Debug)]
pub struct Sync {
    /// Id of the group.
    pub group: Arc<str>,
    /// The member's id.
    pub member: Arc<str>,
    /// Its instance.
    pub instance: Option<Arc<str>>,
    /// The generation it joined.
    pub generation: i32,
    /// The type of protocol it thinks of (from version 5).
    pub protocol_type: Option<Arc<str>>,
    /// The protocol it thinks of (from version 5).
    pub protocol: Option<Arc<str>>,
    /// What the leader assigns to members.
    pub assignments: Vec<(Arc<str>, Bytes)>,
}

/// An assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// `consumer`, `connect`, ...
    pub protocol_type: Option<Arc<str>>,
    /// The protocol chosen.
    pub protocol: Option<Arc<str>>,
    /// What the leader assigned.
    pub assignment: Bytes,
}

/// Heartbeat.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Id of the group.
    pub group: Arc<str>,
    /// The member's id.
    pub member: Arc<str>,
    /// Its instance.
    pub instance: Option<Arc<str>>,
    /// The generation it is in.
    pub generation: i32,
}

/// LeaveGroup.
#[derive(Clone, Debug)]
pub struct Leave {
    /// Id of the group.
    pub group: Arc<str>,
    /// Who goes.
    pub members: Vec<Leaving>,
}

/// A member that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Its id; may be empty for a static member that an operator takes out.
    pub member: Arc<str>,
    /// Its instance.
    pub instance: Option<Arc<str>>,
    /// Why, for the log.
    pub reason: Option<Arc<str>>,
}

/// What became of a member that was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its id as asked.
    pub member: Arc<str>,
    /// Its instance as asked.
    pub instance: Option<Arc<str>>,
    /// Whether it is gone.
    pub code: ErrorCode,
}

/// ConsumerGroupHeartbeat (KIP-848). `None` means "as before".
#[derive(Clone, Debug)]
pub struct ConsumerHeartbeat {
    /// Id of the group.
    pub group: Arc<str>,
    /// The member's id; empty for one that wants to be given an id (version 0 only).
    pub member: Arc<str>,
    /// The client makes its own id, so an empty one is refused (from version 1).
    pub makes_its_id: bool,
    /// 0 to join, -1 to leave, -2 to leave for a while as a static member, else the epoch it is in.
    pub epoch: i32,
    /// `group.instance.id`
    pub instance: Option<Arc<str>>,
    /// `client.rack`
    pub rack: Option<Arc<str>>,
    /// Who asks.
    pub client: Client,
    /// Time it takes to give up partitions, ms; -1 for "as before".
    pub rebalance_timeout_ms: i32,
    /// Topics by name.
    pub topics: Option<Vec<Arc<str>>>,
    /// Topics by regular expression; empty for none.
    pub regex: Option<Arc<str>>,
    /// The assignor it wants.
    pub assignor: Option<Arc<str>>,
    /// What it owns.
    pub owned: Option<Assignment>,
}

/// What a member of a consumer group is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerHeartbeatAnswer {
    /// Its id.
    pub member: Arc<str>,
    /// Its epoch.
    pub epoch: i32,
    /// When to report again, ms.
    pub heartbeat_interval_ms: i32,
    /// What it may own; `None` if it knows.
    pub assignment: Option<Assignment>,
}

/// OffsetCommit, the topics known to exist.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Id of the group.
    pub group: Arc<str>,
    /// Id of the member; empty for one who is no member.
    pub member: Arc<str>,
    /// Its instance.
    pub instance: Option<Arc<str>>,
    /// Its generation, or epoch; -1 for one who is no member.
    pub generation: i32,
    /// The client can tell `STALE_MEMBER_EPOCH` (from version 9).
    pub knows_epochs: bool,
    /// How long to keep them, ms, if the client says so (old versions only).
    pub retention_ms: Option<i64>,
    /// What is committed.
    pub partitions: Vec<CommitPartition>,
}

/// One offset to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPartition {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Its id.
    pub topic_id: TopicId,
    /// Number of the partition.
    pub partition: i32,
    /// The next record to be read.
    pub offset: Offset,
    /// Leader epoch of the last one read.
    pub leader_epoch: Epoch,
    /// What the client wants to remember.
    pub metadata: Option<Arc<str>>,
}

/// OffsetFetch of one group.
#[derive(Clone, Debug)]
pub struct FetchOffsets {
    /// Id of the group.
    pub group: Arc<str>,
    /// Id of the member, if one asks (from version 9).
    pub member: Option<Arc<str>>,
    /// Its epoch; -1 for none.
    pub epoch: i32,
    /// The partitions; `None` for all that are committed.
    pub topics: Option<Vec<(Arc<str>, Vec<i32>)>>,
}

/// Committed offsets of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicOffsets {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Number of the partition and what is committed for it.
    pub partitions: Vec<(i32, Option<Committed>)>,
}

/// OffsetDelete.
#[derive(Clone, Debug)]
pub struct DeleteOffsets {
    /// Id of the group.
    pub group: Arc<str>,
    /// Partitions.
    pub partitions: Vec<(Arc<str>, i32)>,
}

/// The two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
    /// JoinGroup and SyncGroup.
    Classic,
    /// ConsumerGroupHeartbeat (KIP-848).
    Consumer,
}

/// ListGroups; empty sets mean "all". States compare without case.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Names of states.
    pub states: BTreeSet<String>,
    /// Kinds.
    pub kinds: BTreeSet<GroupKind>,
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub group: Arc<str>,
    /// `consumer`, `connect`, ...; may be empty.
    pub protocol_type: Arc<str>,
    /// Kafka's name of its state.
    pub state: &'static str,
    /// Its protocol.
    pub kind: GroupKind,
}

/// DescribeGroups of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicDescribed {
    /// Kafka's name of its state.
    pub state: &'static str,
    /// `consumer`, `connect`, ...
    pub protocol_type: Arc<str>,
    /// The protocol chosen; empty unless it is stable.
    pub protocol: Arc<str>,
    /// Its members.
    pub members: Vec<ClassicMemberDescribed>,
}

/// A member in [`ClassicDescribed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicMemberDescribed {
    /// Its id.
    pub member: Arc<str>,
    /// Its instance.
    pub instance: Option<Arc<str>>,
    /// Who it is.
    pub client: Client,
    /// Its metadata for the chosen protocol.
    pub metadata: Bytes,
    /// What it was assigned.
    pub assignment: Bytes,
}

/// ConsumerGroupDescribe of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerDescribed {
    /// Kafka's name of its state.
    pub state: &'static str,
    /// The group's epoch.
    pub epoch: i32,
    /// The epoch of the target assignment.
    pub target_epoch: i32,
    /// The assignor in use.
    pub assignor: Arc<str>,
    /// Its members.
    pub members: Vec<ConsumerMemberDescribed>,
}

/// A member in [`ConsumerDescribed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerMemberDescribed {
    /// Its id.
    pub member: Arc<str>,
    /// Its instance.
    pub instance: Option<Arc<str>>,
    /// `client.rack`
    pub rack: Option<Arc<str>>,
    /// Its epoch.
    pub epoch: i32,
    /// Who it is.
    pub client: Client,
    /// Topics by name.
    pub topics: Vec<Arc<str>>,
    /// Topics by regular expression.
    pub regex: Option<Arc<str>>,
    /// What it owns, topics that are gone left out.
    pub assignment: Vec<(TopicId, Arc<str>, Vec<i32>)>,
    /// What it is to own.
    pub target: Vec<(TopicId, Arc<str>, Vec<i32>)>,
    /// -1 unknown, 0 of the classic protocol, 1 of the consumer protocol.
    pub member_type: i8,
}

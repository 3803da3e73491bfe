//! Layer 5: the machine of groups: who is a member, who reads which partition, and how far each group has read. One
//! machine serves all groups whose ids fall on one partition of `__consumer_offsets`. Must not know the protocol's
//! versions, the catalog or the settings' table: topics and settings come in as data.
//!
//! Three parts share the state of a group: `offsets` (what is committed), `classic` (the protocol of JoinGroup and
//! SyncGroup) and `consumer` (KIP-848, and classic members inside such groups). `machine` hands each command to the
//! part that the group's present kind asks for.

mod bounds;
mod classic;
mod command;
mod consumer;
mod machine;
mod offsets;
mod records;
mod refused;
mod rewrite;
mod settings;
#[cfg(test)]
mod simulation;
mod state;
mod topics;

pub use command::*;
pub use machine::{Effect, Groups, Soft, Timer};
pub use records::{ConsumerRecord, GroupRecord};
pub use refused::Refused;
pub use settings::{ConsumerTimes, GroupSettings, MigrationPolicy};
pub use state::{
    Assignment, ClassicGroup, ClassicMember, ClassicProtocol, ClassicSide, Committed, ConsumerGroup,
    ConsumerMember, Current, Group, GroupEpoch, GroupsHard, MemberMetadata, MemberState, ResolvedRegex,
    TargetEpoch,
};
pub use topics::{Topic, TopicTable};

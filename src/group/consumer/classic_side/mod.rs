//! Members of the classic protocol in consumer groups, and what turns a group of one protocol into one of the other
//! while it has members (KIP-848, online migration). A classic member is a member like all others: its JoinGroup is a
//! heartbeat that brings a subscription, the member's epoch is its generation, and its SyncGroup asks what it may own.
//! It is told to join again whenever there is something to be given up or to be had.

mod downgrade;
mod embedded;
mod join;
mod leave;
mod stay;
#[cfg(test)]
mod tests;
mod upgrade;

pub(super) use downgrade::downgrade_without;
pub use join::join;
pub use leave::leave;
pub use stay::{heartbeat, sync};
pub(super) use upgrade::{check_upgrade, upgrade};

/// The only type of classic group that can become a consumer group.
const CONSUMER: &str = "consumer";

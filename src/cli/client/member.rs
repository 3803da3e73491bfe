//! A member of a group under KIP-848 as a pure machine: what it says to the coordinator, and what the answers mean.
//! It must not know how calls travel or what is done with partitions.

use crate::types::{ErrorCode, Uuid};
use crate::wire::Str;
use crate::wire::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Partitions by topic id.
pub type Owned = BTreeSet<(Uuid, i32)>;

/// Epoch that asks to join.
const JOINING: i32 = 0;
/// Epoch that says goodbye.
const LEAVING: i32 = -1;
/// How long the member may take to give partitions up, in milliseconds. It writes what it has and commits, so it
/// needs no more than its reader takes.
const REBALANCE_MS: i32 = 60_000;
/// Pause between heartbeats until the coordinator says another, and the least one whatever it says.
const INTERVAL: Duration = Duration::from_secs(3);
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// What an answer means for the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It may go on; nothing new.
    Same,
    /// Its partitions or its epoch are others now.
    Changed,
    /// It is no member any more, has nothing, and joins again.
    Fenced,
    /// The coordinator is elsewhere or not ready.
    Later,
    /// There is no place for it.
    Refused,
}

/// The state of a member.
#[derive(Clone, Debug)]
pub(super) struct MemberState {
    group: String,
    topics: Vec<String>,
    /// Its id, made by itself (KIP-1082).
    pub(super) id: String,
    /// Its epoch; 0 until it has joined.
    pub(super) epoch: i32,
    /// Counts how often it lost everything, so that what was held before is not taken for held now.
    pub(super) life: u32,
    /// What it should have.
    pub(super) target: Owned,
    /// What it has.
    held: Owned,
    /// What the coordinator was last told that it has; none if it is to be told everything again.
    told: Option<Owned>,
    /// Pause between heartbeats.
    pub(super) interval: Duration,
}

impl MemberState {
    /// A member that has not joined yet.
    pub(super) fn new(group: &str, topics: &[String], id: Uuid) -> MemberState {
        MemberState {
            group: group.to_owned(),
            topics: topics.to_vec(),
            id: id.to_string(),
            epoch: JOINING,
            life: 0,
            target: Owned::new(),
            held: Owned::new(),
            told: None,
            interval: INTERVAL,
        }
    }

    /// The next heartbeat: everything when joining or after a failure, otherwise only what has changed.
    pub(super) fn heartbeat(&self) -> ConsumerGroupHeartbeatRequest {
        let joining = self.epoch == JOINING;
        let mut ask = ConsumerGroupHeartbeatRequest {
            group_id: self.group.as_str().into(),
            member_id: self.id.as_str().into(),
            member_epoch: self.epoch,
            ..ConsumerGroupHeartbeatRequest::default()
        };
        if joining || self.told.is_none() {
            let topics = self.topics.iter().map(|topic| Str::from(topic.as_str()));
            ask.subscribed_topic_names = Some(topics.collect());
            ask.rebalance_timeout_ms = REBALANCE_MS;
        }
        if joining {
            ask.topic_partitions = Some(Vec::new());
        } else if self.told.as_ref() != Some(&self.held) {
            ask.topic_partitions = Some(by_topic(&self.held));
        }
        ask
    }

    /// The last heartbeat.
    pub(super) fn goodbye(&self) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group_id: self.group.as_str().into(),
            member_id: self.id.as_str().into(),
            member_epoch: LEAVING,
            ..ConsumerGroupHeartbeatRequest::default()
        }
    }

    /// Takes the answer to a heartbeat.
    pub(super) fn hear(
        &mut self,
        asked: &ConsumerGroupHeartbeatRequest,
        answer: &ConsumerGroupHeartbeatResponse,
    ) -> Heard {
        if asked.member_epoch != self.epoch {
            // It answers what the member no longer is: it was fenced since, and joins anew.
            return Heard::Same;
        }
        match answer.error_code {
            ErrorCode::NONE => {}
            ErrorCode::FENCED_MEMBER_EPOCH | ErrorCode::UNKNOWN_MEMBER_ID => {
                self.lose_everything();
                return Heard::Fenced;
            }
            code if code.is_retriable() => {
                self.told = None;
                return Heard::Later;
            }
            _ => return Heard::Refused,
        }
        if let Some(said) = &asked.topic_partitions {
            let pairs = said.iter().flat_map(|topic| topic.partitions.iter().map(|p| (topic.topic_id, *p)));
            self.told = Some(pairs.collect());
        }
        let interval = Duration::from_millis(u64::try_from(answer.heartbeat_interval_ms).unwrap_or(0));
        self.interval = interval.max(INTERVAL_MIN);
        let before = self.epoch;
        self.epoch = answer.member_epoch;
        let mut heard = if before == self.epoch { Heard::Same } else { Heard::Changed };
        if let Some(assignment) = &answer.assignment {
            let topics = assignment.topic_partitions.iter();
            let target = topics.flat_map(|topic| topic.partitions.iter().map(|p| (topic.topic_id, *p)));
            self.target = target.collect();
            heard = Heard::Changed;
        }
        heard
    }

    /// The next heartbeat says everything: the one before may not have arrived.
    pub(super) fn say_all_again(&mut self) {
        self.told = None;
    }

    /// Whether the coordinator has yet to hear what the member has.
    pub(super) fn has_news(&self) -> bool {
        self.epoch != JOINING && self.told.as_ref() != Some(&self.held)
    }

    /// What the member has now, if this is still the life in which it got it.
    pub(super) fn hold(&mut self, life: u32, held: &Owned) {
        if life == self.life {
            self.held.clone_from(held);
        }
    }

    /// The group goes on without it: what it has may be another's already.
    pub(super) fn lose_everything(&mut self) {
        self.epoch = JOINING;
        self.life = self.life.wrapping_add(1);
        self.target.clear();
        self.held.clear();
        self.told = None;
    }
}

fn by_topic(owned: &Owned) -> Vec<TopicPartitions> {
    let mut topics: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
    for (topic_id, partition) in owned {
        topics.entry(*topic_id).or_default().push(*partition);
    }
    topics.into_iter().map(|(topic_id, partitions)| TopicPartitions { topic_id, partitions }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::consumer_group_heartbeat::Assignment;

    const ORDERS: Uuid = Uuid([7; 16]);

    fn member() -> MemberState {
        MemberState::new("billing", &["orders".to_owned()], Uuid([1; 16]))
    }

    fn answer(epoch: i32, partitions: Option<&[i32]>) -> ConsumerGroupHeartbeatResponse {
        let assignment = partitions.map(|partitions| Assignment {
            topic_partitions: vec![TopicPartitions { topic_id: ORDERS, partitions: partitions.to_vec() }],
        });
        ConsumerGroupHeartbeatResponse {
            member_epoch: epoch,
            heartbeat_interval_ms: 5000,
            assignment,
            ..Default::default()
        }
    }

    fn refusal(code: ErrorCode) -> ConsumerGroupHeartbeatResponse {
        ConsumerGroupHeartbeatResponse { error_code: code, ..Default::default() }
    }

    fn owned(partitions: &[i32]) -> Owned {
        partitions.iter().map(|partition| (ORDERS, *partition)).collect()
    }

    /// One heartbeat with its answer.
    fn beat(member: &mut MemberState, answer: &ConsumerGroupHeartbeatResponse) -> Heard {
        let asked = member.heartbeat();
        member.hear(&asked, answer)
    }

    #[test]
    fn the_first_heartbeat_says_everything_and_the_later_ones_only_what_changed() {
        let mut member = member();
        let join = member.heartbeat();
        assert_eq!((join.member_epoch, join.rebalance_timeout_ms), (0, REBALANCE_MS));
        assert_eq!(join.topic_partitions.as_deref(), Some(&[][..]));
        assert_eq!(join.subscribed_topic_names.as_deref(), Some(&[Str::from("orders")][..]));
        assert_eq!(member.hear(&join, &answer(1, Some(&[0, 1]))), Heard::Changed);
        assert_eq!((member.epoch, &member.target), (1, &owned(&[0, 1])));
        assert_eq!(member.interval, Duration::from_secs(5));
        assert_eq!(member.heartbeat().topic_partitions, None);

        member.hold(0, &owned(&[0, 1]));
        assert!(member.has_news());
        let acknowledges = member.heartbeat();
        assert_eq!(acknowledges.topic_partitions.as_ref().map(Vec::len), Some(1));
        assert_eq!(acknowledges.subscribed_topic_names, None);
        assert_eq!(member.hear(&acknowledges, &answer(1, None)), Heard::Same);
        assert!(!member.has_news());
        assert_eq!(member.heartbeat().topic_partitions, None);
    }

    #[test]
    fn partitions_to_give_up_are_still_claimed_until_they_are_let_go() {
        let mut member = member();
        beat(&mut member, &answer(1, Some(&[0, 1])));
        member.hold(0, &owned(&[0, 1]));
        beat(&mut member, &answer(1, None));
        assert_eq!(beat(&mut member, &answer(1, Some(&[0]))), Heard::Changed);
        assert_eq!(member.heartbeat().topic_partitions, None, "nothing was let go yet");
        member.hold(0, &owned(&[0]));
        let said = member.heartbeat().topic_partitions.unwrap();
        assert_eq!(said, [TopicPartitions { topic_id: ORDERS, partitions: vec![0] }]);
    }

    #[test]
    fn a_fenced_member_has_nothing_and_joins_again_under_its_id() {
        for code in [ErrorCode::FENCED_MEMBER_EPOCH, ErrorCode::UNKNOWN_MEMBER_ID] {
            let mut member = member();
            let id = member.id.clone();
            beat(&mut member, &answer(4, Some(&[0])));
            member.hold(0, &owned(&[0]));
            assert_eq!(beat(&mut member, &refusal(code)), Heard::Fenced);
            assert_eq!((member.life, member.target.len()), (1, 0));
            let join = member.heartbeat();
            assert_eq!((join.member_epoch, &*join.member_id), (0, id.as_str()));
            assert_eq!(join.topic_partitions.as_deref(), Some(&[][..]));
            // What the first life held is no claim of the second.
            member.hold(0, &owned(&[0]));
            beat(&mut member, &answer(5, Some(&[])));
            assert!(!member.has_news());
        }
    }

    #[test]
    fn an_answer_to_a_life_before_does_not_count() {
        let mut member = member();
        beat(&mut member, &answer(4, Some(&[0])));
        let asked = member.heartbeat();
        member.lose_everything();
        assert_eq!(member.hear(&asked, &answer(4, None)), Heard::Same);
        assert_eq!((member.epoch, member.heartbeat().member_epoch), (0, 0));
    }

    #[test]
    fn after_a_failure_everything_is_said_again_under_the_same_epoch() {
        for fail in [true, false] {
            let mut member = member();
            beat(&mut member, &answer(2, Some(&[3])));
            member.hold(0, &owned(&[3]));
            beat(&mut member, &answer(2, None));
            if fail {
                let loading = refusal(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
                assert_eq!(beat(&mut member, &loading), Heard::Later);
            } else {
                member.say_all_again();
            }
            let again = member.heartbeat();
            assert_eq!((again.member_epoch, again.rebalance_timeout_ms), (2, REBALANCE_MS));
            assert_eq!(again.topic_partitions.map(|topics| topics[0].partitions.clone()), Some(vec![3]));
        }
    }

    #[test]
    fn what_cannot_be_helped_ends_the_membership() {
        for code in [ErrorCode::GROUP_MAX_SIZE_REACHED, ErrorCode::GROUP_ID_NOT_FOUND] {
            assert_eq!(beat(&mut member(), &refusal(code)), Heard::Refused);
        }
    }
}

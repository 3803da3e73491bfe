//! Who may commit offsets.

use super::super::check_commit;
use super::*;
use crate::group::records::GroupRecord;
use crate::group::state::Committed;
use crate::types::{Epoch, Offset, TimestampMs};

fn commit(member: &str, generation: i32) -> Commit {
    Commit {
        group: "g".into(),
        member: member.into(),
        instance: None,
        generation,
        knows_epochs: false,
        retention_ms: None,
        partitions: Vec::new(),
    }
}

impl Kit {
    fn commits(&mut self, commit: Commit) -> ErrorCode {
        code(self.rig.step(|cx| check_commit(cx, &commit)))
    }

    /// Writes an offset, as a commit does.
    pub(super) fn write_offset(&mut self) {
        let committed = Committed {
            offset: Offset(5),
            leader_epoch: Epoch::NONE,
            metadata: "".into(),
            at: TimestampMs(1),
            expires: None,
            topic_id: TopicId::ZERO,
        };
        let (group, topic) = ("g".into(), "t".into());
        let record = GroupRecord::Offset { group, topic, partition: 0, committed: Some(committed) };
        self.rig.step(|cx| cx.emit(record));
    }
}

#[test]
fn anyone_outside_may_commit_to_a_group_without_members() {
    let mut kit = Kit::new();
    assert_eq!(kit.commits(commit("", -1)), ErrorCode::NONE);
    assert_eq!(kit.commits(commit("m", -1)), ErrorCode::NONE);
    kit.write_offset();
    assert_eq!(kit.commits(commit("", -1)), ErrorCode::NONE);
    let ids = kit.stable(1);
    kit.leave(&[(&ids[0], None)]);
    assert_eq!(kit.commits(commit(&ids[0], -1)), ErrorCode::NONE);
    assert_eq!(kit.commits(commit(&ids[0], 2)), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_generation_of_no_group_is_illegal() {
    let mut kit = Kit::new();
    assert_eq!(kit.commits(commit("m", 1)), ErrorCode::ILLEGAL_GENERATION);
    let new = Commit { knows_epochs: true, ..commit("m", 1) };
    assert_eq!(kit.commits(new), ErrorCode::GROUP_ID_NOT_FOUND);
}

#[test]
fn members_commit_in_their_generation() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    assert_eq!(kit.commits(commit(&ids[0], 1)), ErrorCode::NONE);
    assert_eq!(kit.commits(commit("", -1)), ErrorCode::UNKNOWN_MEMBER_ID, "one who is no member");
    assert_eq!(kit.commits(commit("m", 1)), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.commits(commit(&ids[0], 0)), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(kit.commits(commit(&ids[0], -1)), ErrorCode::ILLEGAL_GENERATION);
    let instance = Commit { instance: Some("i".into()), ..commit(&ids[0], 1) };
    assert_eq!(kit.commits(instance), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_fenced_instance_does_not_commit() {
    let mut kit = Kit::new();
    let old = kit.joins(instance("i", "")).unwrap().member;
    kit.syncs(assigning(&old, 1, &[])).unwrap();
    kit.joins(instance("i", "")).unwrap();
    let fenced = Commit { instance: Some("i".into()), ..commit(&old, 1) };
    assert_eq!(kit.commits(fenced), ErrorCode::FENCED_INSTANCE_ID);
}

#[test]
fn members_may_commit_before_they_join_again_but_not_before_they_are_assigned() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let call = kit.join(known(&ids[0]));
    assert_eq!(kit.commits(commit(&ids[1], 2)), ErrorCode::NONE);
    kit.joins(known(&ids[1])).unwrap();
    kit.joined(call).unwrap();
    assert_eq!(kit.commits(commit(&ids[1], 3)), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.commits(commit(&ids[1], 2)), ErrorCode::ILLEGAL_GENERATION);
}

#[test]
fn a_commit_is_a_sign_of_life() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    for _ in 0..5 {
        kit.wait(9_000);
        assert_eq!(kit.commits(commit(&ids[0], 1)), ErrorCode::NONE);
    }
    kit.wait(10_000);
    assert_eq!(kit.state(), "Empty");
}

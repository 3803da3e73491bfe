//! Deletion, and the way to and from the consumer protocol.

use super::super::{Roster, RosterMember, adopt, delete, dissolve, roster};
use super::*;
use crate::group::records::GroupRecord;

impl Kit {
    fn roster(&mut self) -> Option<Roster> {
        self.rig.step(|cx| {
            let (hard, soft) = cx.state();
            roster(hard, &soft.classic, "g")
        })
    }

    fn dissolve(&mut self, code: ErrorCode) {
        self.rig.step(|cx| dissolve(cx, &"g".into(), code));
        self.gather();
    }
}

fn member(instance: Option<&str>, names: &[&str]) -> RosterMember {
    RosterMember {
        instance: instance.map(Arc::from),
        client: Client { id: "c".into(), host: "/h".into() },
        rebalance_timeout_ms: 60_000,
        session_timeout_ms: 10_000,
        protocols: names.iter().map(|name| protocol(name, name)).collect(),
        assignment: Bytes::new(),
    }
}

fn members() -> BTreeMap<Id, RosterMember> {
    [("x".into(), member(None, &["range", "sticky"])), ("y".into(), member(Some("i"), &["sticky"]))].into()
}

#[test]
fn a_deleted_group_is_gone_with_ids_and_timers() {
    let mut kit = Kit::new();
    let pending = kit.new_id();
    kit.rig.step(|cx| delete(cx, &"g".into()));
    assert_eq!(kit.state(), "Dead");
    assert!(matches!(kit.rig.records().last(), Some(GroupRecord::Classic { state: None, .. })));
    assert_eq!(kit.joins(known(&pending)).unwrap_err().0, ErrorCode::UNKNOWN_MEMBER_ID);
    kit.wait(100_000);
    assert_eq!(kit.state(), "Dead");
}

#[test]
fn what_was_not_written_needs_no_tombstone() {
    let mut kit = Kit::new();
    kit.rig.step(|cx| delete(cx, &"g".into()));
    kit.write_offset();
    kit.rig.step(|cx| delete(cx, &"g".into()));
    assert_eq!(kit.rig.records().len(), 1);
}

#[test]
fn parked_calls_of_a_dissolved_group_are_answered() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let join = kit.join(known(&ids[0]));
    kit.dissolve(ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.joined(join).unwrap_err(), (ErrorCode::REBALANCE_IN_PROGRESS, ids[0].to_string()));
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let leader = kit.join(known(&ids[0]));
    kit.joins(known(&ids[1])).unwrap();
    kit.joined(leader).unwrap();
    let sync = kit.sync(asking(&ids[1], 3));
    kit.dissolve(ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.synced(sync).unwrap_err(), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.written(), None);
    kit.wait(100_000);
    assert_eq!(kit.state(), "Dead");
}

#[test]
fn a_roster_has_all_that_members_said() {
    let mut kit = Kit::new();
    assert_eq!(kit.roster(), None);
    let two = Join { protocols: vec![protocol("a", "1"), protocol("b", "2")], ..instance("i", "") };
    let id = kit.joins(two).unwrap().member;
    kit.syncs(assigning(&id, 1, &[Arc::clone(&id)])).unwrap();
    let roster = kit.roster().unwrap();
    assert_eq!((roster.generation, roster.protocol.as_deref()), (1, Some("a")));
    assert_eq!(roster.protocol_type.as_deref(), Some("consumer"));
    let member = &roster.members[&id];
    assert_eq!((&*member.metadata("b"), member.instance.as_deref()), (&b"2"[..], Some("i")));
    assert_eq!(member.assignment, format!("to-{id}"));
}

#[test]
fn a_group_of_the_consumer_protocol_goes_on_as_a_classic_one() {
    let mut kit = Kit::new();
    let mut roster = Roster::elect(7, members());
    assert_eq!(roster.protocol.as_deref(), Some("sticky"));
    for (id, member) in &mut roster.members {
        member.assignment = Bytes::from(format!("to-{id}"));
    }
    kit.rig.step(|cx| adopt(cx, &"g".into(), roster, None));
    assert_eq!(kit.state(), "Stable");
    assert_eq!(kit.beat("x", 7), ErrorCode::NONE);
    assert_eq!(kit.syncs(asking("y", 7)).unwrap().assignment, "to-y");
    assert_eq!(kit.written().unwrap().members[&Id::from("x")].subscription, "sticky");
    kit.restart();
    assert_eq!(kit.beat_as("y", Some("i"), 7), ErrorCode::NONE);
    kit.wait(10_000);
    assert_eq!(kit.state(), "Empty", "sessions run");
}

#[test]
fn members_of_a_group_that_comes_over_may_have_to_join_again_at_once() {
    let mut kit = Kit::new();
    kit.rig.step(|cx| adopt(cx, &"g".into(), Roster::elect(7, members()), Some("a member left")));
    assert_eq!(kit.state(), "PreparingRebalance");
    assert_eq!(kit.beat("x", 7), ErrorCode::REBALANCE_IN_PROGRESS);
    let rejoin = |id: &str| Join { protocols: vec![protocol("sticky", "")], ..known(id) };
    let call = kit.join(rejoin("x"));
    assert_eq!(kit.joins(rejoin("y")).unwrap().generation, 8);
    assert_eq!(kit.joined(call).unwrap().generation, 8);
}

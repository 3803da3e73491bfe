//! What is left of a group after a crash.

use super::*;

#[test]
fn a_stable_group_goes_on_where_it_was() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    kit.restart();
    assert_eq!(kit.state(), "Stable");
    for id in &ids {
        assert_eq!(kit.beat(id, 2), ErrorCode::NONE);
        assert_eq!(kit.syncs(asking(id, 2)).unwrap().assignment, format!("to-{id}"));
    }
    let told = kit.joins(known(&ids[1])).unwrap();
    assert_eq!((told.generation, &told.leader), (2, &ids[0]));
}

#[test]
fn members_have_a_session_to_report_again() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    kit.wait(9_000);
    kit.restart();
    kit.wait(9_999);
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::NONE);
    kit.wait(1);
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::REBALANCE_IN_PROGRESS, "the other did not");
}

#[test]
fn a_crash_in_a_rebalance_goes_back_to_what_was_durable() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let leader = kit.join(known(&ids[0]));
    kit.joins(known(&ids[1])).unwrap();
    kit.joined(leader).unwrap();
    let parked = kit.sync(asking(&ids[1], 3));
    kit.restart();
    assert!(kit.is_parked(parked), "the runtime fails it");
    assert_eq!(kit.state(), "Stable");
    assert_eq!(kit.beat(&ids[0], 3), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::NONE);
}

#[test]
fn newcomers_that_were_never_written_begin_again() {
    let mut kit = Kit::new();
    let id = kit.new_id();
    kit.joins(known(&id)).unwrap();
    kit.restart();
    assert_eq!(kit.state(), "Empty");
    assert_eq!(kit.beat(&id, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.joins(known(&id)).unwrap_err().0, ErrorCode::UNKNOWN_MEMBER_ID);
    kit.stable(1);
}

#[test]
fn an_instance_keeps_its_id_and_may_still_replace_it() {
    let mut kit = Kit::new();
    let old = kit.joins(instance("i", "")).unwrap().member;
    kit.syncs(assigning(&old, 1, &[Arc::clone(&old)])).unwrap();
    kit.restart();
    assert_eq!(kit.beat_as(&old, Some("i"), 1), ErrorCode::NONE);
    let back = kit.joins(instance("i", "")).unwrap();
    assert_eq!(back.generation, 1);
    assert_eq!(kit.beat_as(&old, Some("i"), 1), ErrorCode::FENCED_INSTANCE_ID);
    kit.restart();
    assert_eq!(kit.syncs(asking(&back.member, 1)).unwrap().assignment, format!("to-{old}"));
}

#[test]
fn an_empty_group_keeps_its_generation() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    kit.leave(&[(&ids[0], None)]);
    kit.restart();
    assert_eq!(kit.state(), "Empty");
    let id = kit.new_id();
    assert_eq!(kit.joins(known(&id)).unwrap().generation, 3);
}

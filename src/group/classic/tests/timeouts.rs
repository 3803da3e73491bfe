//! Sessions, times to join and times to ask for assignments.

use super::*;

#[test]
fn a_silent_member_is_out_and_the_others_rebalance() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    kit.wait(9_999);
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::NONE);
    kit.wait(1);
    assert_eq!(kit.state(), "PreparingRebalance");
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.beat(&ids[1], 2), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.joins(known(&ids[0])).unwrap().members.len(), 1);
    assert_eq!(kit.joins(known(&ids[1])).unwrap_err().0, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn the_last_silent_member_leaves_an_empty_group_of_the_next_generation() {
    let mut kit = Kit::new();
    kit.stable(1);
    kit.wait(10_000);
    assert_eq!(kit.state(), "Empty");
    let written = kit.written().unwrap();
    assert_eq!((written.generation, &*written.protocol_type), (2, "consumer"));
    assert_eq!((written.protocol.as_ref(), written.leader.as_ref()), (None, None));
    assert!(written.members.is_empty());
}

#[test]
fn heartbeats_are_checked() {
    let mut kit = Kit::new();
    assert_eq!(kit.beat("m", 1), ErrorCode::UNKNOWN_MEMBER_ID, "no group");
    let ids = kit.stable(1);
    assert_eq!(kit.beat("m", 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.beat(&ids[0], 0), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(kit.beat_as(&ids[0], Some("i"), 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.beat(&ids[0], 1), ErrorCode::NONE);
    kit.leave(&[(&ids[0], None)]);
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::UNKNOWN_MEMBER_ID, "an empty group");
    let pending = kit.new_id();
    assert_eq!(kit.beat(&pending, 2), ErrorCode::UNKNOWN_MEMBER_ID, "an id is no member");
}

#[test]
fn a_heartbeat_is_good_while_the_rebalance_completes() {
    let mut kit = Kit::new();
    let id = kit.new_id();
    kit.joins(known(&id)).unwrap();
    assert_eq!(kit.state(), "CompletingRebalance");
    assert_eq!(kit.beat(&id, 1), ErrorCode::NONE);
}

#[test]
fn an_id_that_is_not_used_expires() {
    let mut kit = Kit::new();
    let id = kit.new_id();
    kit.wait(9_999);
    let late = kit.new_id();
    kit.wait(1);
    assert_eq!(kit.joins(known(&id)).unwrap_err().0, ErrorCode::UNKNOWN_MEMBER_ID);
    assert!(kit.joins(known(&late)).is_ok());
}

#[test]
fn who_does_not_join_in_time_is_out() {
    let mut kit = Kit::new();
    let ids = kit.stable(3);
    let quick = Join { rebalance_timeout_ms: 5_000, ..known(&ids[0]) };
    let call = kit.join(quick);
    // All the time that the slowest member may take.
    for _ in 0..11 {
        kit.wait(5_000);
        assert_eq!(kit.beat(&ids[1], 2), ErrorCode::REBALANCE_IN_PROGRESS);
        assert_eq!(kit.beat(&ids[2], 2), ErrorCode::REBALANCE_IN_PROGRESS);
    }
    assert!(kit.is_parked(call));
    kit.wait(5_000);
    assert_eq!(kit.joined(call).unwrap().members.len(), 1);
    assert_eq!(kit.beat(&ids[1], 3), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_leader_that_does_not_join_makes_way() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let other = Join { protocols: vec![protocol("range", "x")], ..known(&ids[1]) };
    let call = kit.join(other);
    kit.wait(60_000);
    let joined = kit.joined(call).unwrap();
    assert_eq!((&joined.leader, joined.members.len()), (&ids[1], 1));
}

#[test]
fn a_member_that_waits_for_the_others_is_not_silent() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let call = kit.join(known(&ids[0]));
    for _ in 0..5 {
        kit.wait(9_000);
        kit.beat(&ids[1], 2);
    }
    assert!(kit.is_parked(call));
    kit.joins(known(&ids[1])).unwrap();
    assert_eq!(kit.joined(call).unwrap().generation, 3);
}

#[test]
fn a_newcomer_that_waits_too_long_is_out() {
    let mut kit = Kit::new();
    let slow = |join| Join { rebalance_timeout_ms: 1_000_000, ..join };
    let ids = kit.stable(1);
    kit.joins(slow(known(&ids[0]))).unwrap();
    kit.syncs(assigning(&ids[0], 2, &ids)).unwrap();
    let new = kit.new_id();
    let call = kit.join(slow(known(&new)));
    for _ in 0..60 {
        assert!(kit.is_parked(call));
        assert_eq!(kit.beat(&ids[0], 2), ErrorCode::REBALANCE_IN_PROGRESS);
        kit.wait(5_000);
    }
    assert_eq!(kit.joined(call).unwrap_err(), (ErrorCode::UNKNOWN_MEMBER_ID, String::new()));
    assert_eq!(kit.joins(known(&ids[0])).unwrap().members.len(), 1);
}

#[test]
fn who_does_not_ask_for_its_assignment_is_out() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let leader = kit.join(known(&ids[0]));
    kit.joins(known(&ids[1])).unwrap();
    kit.joined(leader).unwrap();
    kit.syncs(assigning(&ids[0], 3, &ids)).unwrap();
    for _ in 0..11 {
        kit.wait(5_000);
        assert_eq!(kit.beat(&ids[0], 3), ErrorCode::NONE);
        assert_eq!(kit.beat(&ids[1], 3), ErrorCode::NONE);
    }
    kit.wait(5_000);
    assert_eq!(kit.state(), "PreparingRebalance");
    assert_eq!(kit.beat(&ids[0], 3), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.beat(&ids[1], 3), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn followers_that_wait_for_a_lost_leader_are_sent_to_join() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let leader = kit.join(known(&ids[0]));
    kit.joins(known(&ids[1])).unwrap();
    kit.joined(leader).unwrap();
    let follower = kit.sync(asking(&ids[1], 3));
    kit.wait(9_999);
    assert!(kit.is_parked(follower));
    kit.wait(1);
    assert_eq!(kit.synced(follower).unwrap_err(), ErrorCode::REBALANCE_IN_PROGRESS);
    let joined = kit.joins(known(&ids[1])).unwrap();
    assert_eq!((&joined.leader, joined.generation), (&ids[1], 4));
}

#[test]
fn a_leader_that_beats_but_never_assigns_is_out() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let leader = kit.join(known(&ids[0]));
    kit.joins(known(&ids[1])).unwrap();
    kit.joined(leader).unwrap();
    let follower = kit.sync(asking(&ids[1], 3));
    for _ in 0..12 {
        assert!(kit.is_parked(follower));
        assert_eq!(kit.beat(&ids[0], 3), ErrorCode::NONE);
        kit.wait(5_000);
    }
    assert_eq!(kit.synced(follower).unwrap_err(), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.beat(&ids[0], 3), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.joins(known(&ids[1])).unwrap().leader, ids[1]);
}

#[test]
fn the_first_rebalance_ends_at_once_when_all_who_came_are_lost() {
    let mut kit = Kit::with(|settings| settings.initial_rebalance_delay = Duration::from_secs(900));
    let call = kit.join(Join { must_know_its_id: false, rebalance_timeout_ms: 2_000_000, ..newcomer() });
    kit.wait(299_999);
    assert_eq!(kit.state(), "PreparingRebalance");
    kit.wait(1);
    assert_eq!(kit.joined(call).unwrap_err().0, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.state(), "Empty");
    assert_eq!(kit.written().unwrap().generation, 1);
}

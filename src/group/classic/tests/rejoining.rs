//! Members that join again.

use super::*;

fn with(member: &str, metadata: &str) -> Join {
    Join { protocols: vec![protocol("range", metadata)], ..known(member) }
}

#[test]
fn the_leader_of_a_stable_group_sets_off_a_rebalance() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let call = kit.join(known(&ids[0]));
    assert!(kit.is_parked(call));
    assert_eq!(kit.state(), "PreparingRebalance");
    assert_eq!(kit.joins(known(&ids[1])).unwrap().generation, 3);
    assert_eq!(kit.joined(call).unwrap().generation, 3);
}

#[test]
fn a_follower_with_the_same_metadata_is_told_the_present_generation() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let told = kit.joins(known(&ids[1])).unwrap();
    assert_eq!((told.generation, &told.leader), (2, &ids[0]));
    assert!(told.members.is_empty() && !told.skip_assignment);
    assert_eq!(kit.state(), "Stable");
}

#[test]
fn a_follower_with_other_metadata_sets_off_a_rebalance() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let call = kit.join(with(&ids[1], "more topics"));
    assert!(kit.is_parked(call));
    let leader = kit.joins(known(&ids[0])).unwrap();
    let metadata: Vec<&Bytes> = leader.members.iter().map(|member| &member.metadata).collect();
    assert!(metadata.contains(&&Bytes::from("more topics")));
    assert_eq!(kit.joined(call).unwrap().generation, 3);
}

#[test]
fn the_order_of_protocols_is_metadata_too() {
    let mut kit = Kit::new();
    let both = |id: &str, names: [&str; 2]| Join {
        protocols: names.map(|name| protocol(name, "")).to_vec(),
        must_know_its_id: false,
        ..known(id)
    };
    let joined = kit.joins(both("", ["a", "b"])).unwrap();
    assert_eq!(kit.joins(both(&joined.member, ["a", "b"])).unwrap().generation, 1);
    assert_eq!(kit.joins(both(&joined.member, ["b", "a"])).unwrap().generation, 2);
}

#[test]
fn who_lost_the_answer_is_told_again_while_the_rebalance_completes() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let follower = kit.join(with(&ids[1], "x"));
    kit.joins(known(&ids[0])).unwrap();
    kit.joined(follower).unwrap();
    assert_eq!(kit.state(), "CompletingRebalance");
    let leader = kit.joins(known(&ids[0])).unwrap();
    assert_eq!((leader.generation, leader.members.len()), (3, 2));
    let follower = kit.joins(with(&ids[1], "x")).unwrap();
    assert_eq!((follower.generation, follower.members.len()), (3, 0));
    assert_eq!(kit.state(), "CompletingRebalance");
}

#[test]
fn other_metadata_while_the_rebalance_completes_begins_it_anew() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let follower = kit.join(with(&ids[1], "x"));
    kit.joins(known(&ids[0])).unwrap();
    kit.joined(follower).unwrap();
    let sync = kit.sync(asking(&ids[1], 3));
    assert!(kit.is_parked(sync));
    let leader = kit.join(with(&ids[0], "y"));
    assert_eq!(kit.synced(sync).unwrap_err(), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(kit.joins(with(&ids[1], "x")).unwrap().generation, 4);
    assert_eq!(kit.joined(leader).unwrap().generation, 4);
}

#[test]
fn a_join_that_was_given_up_is_answered_when_the_member_asks_again() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let lost = kit.join(known(&ids[0]));
    let again = kit.join(known(&ids[0]));
    assert_eq!(kit.joined(lost).unwrap_err(), (ErrorCode::REBALANCE_IN_PROGRESS, ids[0].to_string()));
    kit.joins(known(&ids[1])).unwrap();
    assert_eq!(kit.joined(again).unwrap().generation, 3);
}

#[test]
fn timeouts_are_taken_from_the_last_join() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    let slow = Join { session_timeout_ms: 30_000, rebalance_timeout_ms: 90_000, ..known(&ids[0]) };
    kit.joins(slow).unwrap();
    kit.syncs(assigning(&ids[0], 2, &ids)).unwrap();
    let member = &kit.written().unwrap().members[&ids[0]];
    assert_eq!((member.session_timeout_ms, member.rebalance_timeout_ms), (30_000, 90_000));
    kit.wait(29_999);
    assert_eq!(kit.beat(&ids[0], 2), ErrorCode::NONE);
}

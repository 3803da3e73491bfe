//! SyncGroup.

use super::*;

/// Two members in generation 2, which the leader, the first, has not assigned yet.
fn completing(kit: &mut Kit) -> Vec<Id> {
    let ids: Vec<Id> = (0..2).map(|_| kit.new_id()).collect();
    let first = kit.join(known(&ids[0]));
    kit.joined(first).unwrap();
    let second = kit.join(known(&ids[1]));
    assert_eq!(kit.joins(known(&ids[0])).unwrap().generation, 2);
    kit.joined(second).unwrap();
    ids
}

#[test]
fn assignments_are_written_and_reach_who_waits_for_them() {
    let mut kit = Kit::new();
    let ids = completing(&mut kit);
    let follower = kit.sync(asking(&ids[1], 2));
    assert!(kit.is_parked(follower));
    let records = kit.rig.records().len();
    let leader = kit.syncs(assigning(&ids[0], 2, &ids)).unwrap();
    assert_eq!(leader.assignment, format!("to-{}", ids[0]));
    assert_eq!(leader.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(leader.protocol.as_deref(), Some("range"));
    assert_eq!(kit.synced(follower).unwrap().assignment, format!("to-{}", ids[1]));
    assert_eq!(kit.rig.records().len(), records + 1);
    let written = kit.written().unwrap();
    assert_eq!((written.generation, written.leader.as_ref()), (2, Some(&ids[0])));
    let member = &written.members[&ids[1]];
    assert_eq!(member.assignment, format!("to-{}", ids[1]));
    assert_eq!(member.subscription, "topics");
    assert_eq!((&*member.client_id, &*member.client_host), ("me", "/127.0.0.1"));
    assert_eq!(kit.state(), "Stable");
}

#[test]
fn a_late_follower_finds_its_assignment() {
    let mut kit = Kit::new();
    let ids = completing(&mut kit);
    kit.syncs(assigning(&ids[0], 2, &ids)).unwrap();
    assert_eq!(kit.syncs(asking(&ids[1], 2)).unwrap().assignment, format!("to-{}", ids[1]));
    assert_eq!(kit.syncs(asking(&ids[1], 2)).unwrap().assignment, format!("to-{}", ids[1]));
}

#[test]
fn whom_the_leader_forgot_is_assigned_nothing_and_strangers_do_not_count() {
    let mut kit = Kit::new();
    let ids = completing(&mut kit);
    kit.syncs(assigning(&ids[0], 2, &[Arc::clone(&ids[0]), "stranger".into()])).unwrap();
    assert_eq!(kit.syncs(asking(&ids[1], 2)).unwrap().assignment, "");
    assert_eq!(kit.written().unwrap().members.len(), 2);
}

#[test]
fn a_follower_does_not_assign() {
    let mut kit = Kit::new();
    let ids = completing(&mut kit);
    let call = kit.sync(assigning(&ids[1], 2, &ids));
    assert!(kit.is_parked(call));
    assert_eq!(kit.state(), "CompletingRebalance");
}

#[test]
fn requests_that_do_not_fit_are_refused() {
    let mut kit = Kit::new();
    assert_eq!(kit.syncs(asking("m", 1)).unwrap_err(), ErrorCode::UNKNOWN_MEMBER_ID, "no group");
    kit.new_id();
    assert_eq!(kit.syncs(asking("m", 0)).unwrap_err(), ErrorCode::UNKNOWN_MEMBER_ID, "an empty group");
    let mut kit = Kit::new();
    let ids = completing(&mut kit);
    let refused = [
        (asking("m", 2), ErrorCode::UNKNOWN_MEMBER_ID),
        (asking(&ids[0], 1), ErrorCode::ILLEGAL_GENERATION),
        (asking(&ids[0], 3), ErrorCode::ILLEGAL_GENERATION),
        (Sync { instance: Some("i".into()), ..asking(&ids[0], 2) }, ErrorCode::UNKNOWN_MEMBER_ID),
        (
            Sync { protocol_type: Some("connect".into()), ..asking(&ids[0], 2) },
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
        (
            Sync { protocol: Some("other".into()), ..asking(&ids[0], 2) },
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
    ];
    for (sync, code) in refused {
        assert_eq!(kit.syncs(sync).unwrap_err(), code);
    }
    let fits = Sync {
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        ..assigning(&ids[0], 2, &ids)
    };
    kit.syncs(fits).unwrap();
}

#[test]
fn a_sync_during_a_rebalance_is_sent_to_join() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    kit.join(known(&ids[0]));
    assert_eq!(kit.syncs(asking(&ids[1], 2)).unwrap_err(), ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn a_sync_that_was_given_up_is_answered_when_the_member_asks_again() {
    let mut kit = Kit::new();
    let ids = completing(&mut kit);
    let lost = kit.sync(asking(&ids[1], 2));
    let again = kit.sync(asking(&ids[1], 2));
    assert_eq!(kit.synced(lost).unwrap_err(), ErrorCode::REBALANCE_IN_PROGRESS);
    assert!(kit.is_parked(again));
}

#[test]
fn a_group_too_large_to_be_written_is_told_so() {
    let mut kit = Kit::new();
    let ids = completing(&mut kit);
    let follower = kit.sync(asking(&ids[1], 2));
    let huge = vec![(Arc::clone(&ids[1]), Bytes::from(vec![0; 9 << 20]))];
    let leader = kit.sync(Sync { assignments: huge, ..asking(&ids[0], 2) });
    assert_eq!(kit.synced(leader).unwrap_err(), ErrorCode::UNKNOWN_SERVER_ERROR);
    assert_eq!(kit.synced(follower).unwrap_err(), ErrorCode::UNKNOWN_SERVER_ERROR);
    assert_eq!(kit.state(), "PreparingRebalance");
    assert!(kit.written().unwrap().members.is_empty());
}

//! Static members (KIP-345, KIP-814).

use super::*;

const FENCED: ErrorCode = ErrorCode::FENCED_INSTANCE_ID;

/// A stable group of the instances `a`, which leads, and `b`, in generation 2.
fn stable(kit: &mut Kit) -> [Id; 2] {
    let a = kit.joins(instance("a", "")).unwrap().member;
    let call = kit.join(instance("b", ""));
    assert_eq!(kit.joins(instance("a", &a)).unwrap().generation, 2);
    let b = kit.joined(call).unwrap().member;
    let ids = [a, b];
    kit.syncs(assigning(&ids[0], 2, &ids)).unwrap();
    kit.syncs(asking(&ids[1], 2)).unwrap();
    ids
}

#[test]
fn an_instance_that_comes_back_to_a_stable_group_does_not_make_it_rebalance() {
    let mut kit = Kit::new();
    let [a, b] = stable(&mut kit);
    let back = kit.joins(instance("b", "")).unwrap();
    assert_ne!(back.member, b);
    assert_eq!((back.generation, &back.leader, back.members.len()), (2, &a, 0));
    assert!(!back.skip_assignment);
    assert_eq!(kit.state(), "Stable");
    // The id is written before it is told, with the old assignment.
    let written = kit.written().unwrap();
    assert_eq!(written.members[&back.member].assignment, format!("to-{b}"));
    assert!(!written.members.contains_key(&b));
    assert_eq!(kit.syncs(asking(&back.member, 2)).unwrap().assignment, format!("to-{b}"));
    assert_eq!(kit.beat_as(&b, Some("b"), 2), FENCED);
    assert_eq!(kit.beat(&b, 2), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.beat_as(&back.member, Some("b"), 2), ErrorCode::NONE);
}

#[test]
fn a_leader_that_comes_back_is_told_to_keep_the_assignment() {
    let mut kit = Kit::new();
    stable(&mut kit);
    let back = kit.joins(instance("a", "")).unwrap();
    assert_eq!(back.leader, back.member);
    assert!(back.skip_assignment);
    assert_eq!(back.members.len(), 2);
    assert_eq!(kit.written().unwrap().leader, Some(back.member));
}

#[test]
fn an_old_leader_that_comes_back_is_told_that_it_does_not_lead() {
    let mut kit = Kit::new();
    let [a, _] = stable(&mut kit);
    let back = kit.joins(Join { can_skip_assignment: false, ..instance("a", "") }).unwrap();
    assert_eq!(back.leader, a);
    assert!(!back.skip_assignment && back.members.is_empty());
    assert_eq!(kit.written().unwrap().leader, Some(back.member.clone()));
    // It leads all the same: joining again with its id sets off a rebalance.
    let call = kit.join(instance("a", &back.member));
    assert!(kit.is_parked(call));
}

#[test]
fn an_instance_that_comes_back_with_another_protocol_makes_the_group_rebalance() {
    let mut kit = Kit::new();
    let both = |join: Join, names: [&str; 2]| Join {
        protocols: names.map(|name| protocol(name, "")).to_vec(),
        ..join
    };
    let a = kit.joins(both(instance("a", ""), ["x", "y"])).unwrap();
    assert_eq!(a.protocol.as_deref(), Some("x"));
    kit.syncs(assigning(&a.member, 1, &[])).unwrap();
    let back = kit.joins(both(instance("a", ""), ["y", "x"])).unwrap();
    assert_eq!((back.generation, back.protocol.as_deref()), (2, Some("y")));
    assert!(!back.skip_assignment);
    assert_eq!(kit.state(), "CompletingRebalance");
}

#[test]
fn other_metadata_for_the_same_protocol_is_not_a_reason_to_rebalance() {
    let mut kit = Kit::new();
    stable(&mut kit);
    let other = Join { protocols: vec![protocol("range", "other")], ..instance("b", "") };
    let back = kit.joins(other).unwrap();
    assert_eq!(back.generation, 2);
    assert_eq!(kit.written().unwrap().members[&back.member].subscription, "other");
}

#[test]
fn parked_calls_of_the_fenced_member_are_answered() {
    let mut kit = Kit::new();
    let [a, b] = stable(&mut kit);
    let join = kit.join(instance("a", &a));
    let back = kit.join(instance("a", ""));
    assert_eq!(kit.joined(join).unwrap_err(), (FENCED, a.to_string()));
    assert!(kit.is_parked(back), "b is missed");
    kit.joins(instance("b", &b)).unwrap();
    let leader = kit.joined(back).unwrap();
    assert_eq!((leader.generation, &leader.leader), (3, &leader.member));
    let sync = kit.sync(Sync { instance: Some("b".into()), ..asking(&b, 3) });
    let back = kit.join(instance("b", ""));
    assert_eq!(kit.synced(sync).unwrap_err(), FENCED);
    assert_eq!(kit.state(), "PreparingRebalance", "the rebalance begins anew");
    assert_eq!(kit.joins(instance("a", &leader.member)).unwrap().generation, 4);
    assert_eq!(kit.joined(back).unwrap().generation, 4);
}

#[test]
fn a_fenced_id_is_refused_in_every_request() {
    let mut kit = Kit::new();
    let [a, b] = stable(&mut kit);
    assert_eq!(kit.joins(instance("a", &b)).unwrap_err(), (FENCED, b.to_string()));
    assert_eq!(kit.syncs(Sync { instance: Some("a".into()), ..asking(&b, 2) }).unwrap_err(), FENCED);
    assert_eq!(kit.beat_as(&b, Some("a"), 2), FENCED);
    assert_eq!(kit.leave(&[(&b, Some("a"))]), [FENCED]);
    assert_eq!(kit.joins(instance("c", &a)).unwrap_err().0, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_static_member_that_does_not_join_in_time_is_kept() {
    let mut kit = Kit::new();
    let long = |join| Join { session_timeout_ms: 100_000, ..join };
    let a = kit.joins(long(instance("a", ""))).unwrap().member;
    let call = kit.join(long(instance("b", "")));
    kit.wait(60_000);
    let joined = kit.joined(call).unwrap();
    assert_eq!((&joined.leader, joined.members.len()), (&joined.member, 2), "who joined leads");
    let ids = [a, joined.member];
    kit.syncs(assigning(&ids[1], 2, &ids)).unwrap();
    assert_eq!(kit.beat_as(&ids[0], Some("a"), 2), ErrorCode::NONE);
}

#[test]
fn a_rebalance_that_no_static_member_joins_goes_on_waiting() {
    let mut kit = Kit::new();
    let long = |join| Join { session_timeout_ms: 100_000, ..join };
    let a = kit.joins(long(instance("a", ""))).unwrap().member;
    let call = kit.join(newcomer());
    let id: Id = kit.joined(call).unwrap_err().1.into();
    kit.join(known(&id));
    kit.leave(&[(&id, None)]);
    kit.wait(60_000);
    assert_eq!(kit.state(), "PreparingRebalance");
    assert_eq!(kit.joins(instance("a", &a)).unwrap().generation, 2);
}

#[test]
fn an_operator_takes_out_an_instance() {
    let mut kit = Kit::new();
    let [a, b] = stable(&mut kit);
    assert_eq!(kit.leave(&[("", Some("a"))]), [ErrorCode::NONE]);
    assert_eq!(kit.beat_as(&a, Some("a"), 2), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(kit.joins(instance("b", &b)).unwrap().leader, b);
}

#[test]
fn a_member_that_comes_back_has_its_own_time_to_ask_for_the_assignment() {
    let mut kit = Kit::new();
    let a = kit.joins(instance("a", "")).unwrap().member;
    let call = kit.join(instance("b", ""));
    kit.joins(instance("a", &a)).unwrap();
    kit.joined(call).unwrap();
    kit.syncs(assigning(&a, 2, &[])).unwrap();
    // `b` never asked, comes back, and asks: nobody is late.
    let b = kit.joins(instance("b", "")).unwrap().member;
    kit.syncs(asking(&b, 2)).unwrap();
    for _ in 0..20 {
        kit.wait(5_000);
        assert_eq!(kit.beat(&a, 2), ErrorCode::NONE);
        assert_eq!(kit.beat(&b, 2), ErrorCode::NONE);
    }
    assert_eq!(kit.state(), "Stable");
}

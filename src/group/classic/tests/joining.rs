//! Newcomers and the first rebalance.

use super::*;

#[test]
fn a_newcomer_is_given_an_id_and_asked_to_join_with_it() {
    let mut kit = Kit::new();
    let (code, id) = kit.joins(newcomer()).unwrap_err();
    assert_eq!(code, ErrorCode::MEMBER_ID_REQUIRED);
    assert!(id.starts_with("me-") && id.len() == "me-".len() + 36, "{id}");
    let joined = kit.joins(known(&id)).unwrap();
    assert_eq!(joined.generation, 1);
    assert_eq!(*joined.leader, id);
    assert_eq!(*joined.member, id);
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(joined.protocol.as_deref(), Some("range"));
    assert!(!joined.skip_assignment);
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.members[0].metadata, "topics");
    assert_eq!(kit.state(), "CompletingRebalance");
}

#[test]
fn an_old_client_joins_without_knowing_its_id() {
    let mut kit = Kit::new();
    let joined = kit.joins(Join { must_know_its_id: false, ..newcomer() }).unwrap();
    assert!(joined.member.starts_with("me-"));
    assert_eq!(joined.generation, 1);
}

#[test]
fn a_static_member_joins_without_knowing_its_id() {
    let mut kit = Kit::new();
    let joined = kit.joins(instance("i", "")).unwrap();
    assert!(joined.member.starts_with("i-"));
    assert_eq!(joined.members[0].instance.as_deref(), Some("i"));
}

#[test]
fn requests_are_checked_before_the_group_is_looked_at() {
    let mut kit = Kit::new();
    let no_group = Join { group: "".into(), ..known("m") };
    assert_eq!(kit.joins(no_group).unwrap_err(), (ErrorCode::INVALID_GROUP_ID, "m".into()));
    for ms in [5_999, 1_800_001, -1] {
        let session = Join { session_timeout_ms: ms, ..known("m") };
        assert_eq!(kit.joins(session).unwrap_err(), (ErrorCode::INVALID_SESSION_TIMEOUT, "m".into()));
    }
    let none = asking("m", 1);
    assert_eq!(kit.syncs(Sync { group: "".into(), ..none }).unwrap_err(), ErrorCode::INVALID_GROUP_ID);
    let beat = Heartbeat { group: "".into(), member: "m".into(), instance: None, generation: 0 };
    let Reply::Heartbeat(answer) = kit.ask(Command::Heartbeat(beat)) else { panic!() };
    assert_eq!(code(answer), ErrorCode::INVALID_GROUP_ID);
    let Reply::Left(answer) = kit.ask(Command::Leave(Leave { group: "".into(), members: vec![] })) else {
        panic!()
    };
    assert_eq!(code(answer), ErrorCode::INVALID_GROUP_ID);
    assert!(kit.rig.records().is_empty());
}

#[test]
fn an_id_nobody_gave_out_is_unknown() {
    let mut kit = Kit::new();
    assert_eq!(kit.joins(known("m")).unwrap_err(), (ErrorCode::UNKNOWN_MEMBER_ID, "m".into()));
    assert_eq!(kit.state(), "Dead");
    kit.stable(1);
    assert_eq!(kit.joins(known("m")).unwrap_err(), (ErrorCode::UNKNOWN_MEMBER_ID, "m".into()));
    assert_eq!(kit.joins(instance("i", "m")).unwrap_err(), (ErrorCode::UNKNOWN_MEMBER_ID, "m".into()));
}

#[test]
fn a_pending_id_does_not_join_under_an_instance() {
    let mut kit = Kit::new();
    let id = kit.new_id();
    let answer = kit.joins(instance("i", &id)).unwrap_err();
    assert_eq!(answer, (ErrorCode::UNKNOWN_SERVER_ERROR, String::new()));
    assert!(kit.joins(known(&id)).is_ok());
}

#[test]
fn a_group_is_written_when_the_first_newcomer_asks_even_if_it_is_refused() {
    let mut kit = Kit::new();
    let nothing = Join { protocols: vec![], ..newcomer() };
    let answer = kit.joins(nothing).unwrap_err();
    assert_eq!(answer, (ErrorCode::INCONSISTENT_GROUP_PROTOCOL, String::new()));
    let written = kit.written().unwrap();
    assert_eq!((written.generation, &*written.protocol_type), (0, ""));
    assert_eq!((written.protocol.as_ref(), written.leader.as_ref()), (None, None));
    assert_eq!(kit.state(), "Empty");
    kit.new_id();
    assert_eq!(kit.rig.records().len(), 1);
}

#[test]
fn protocols_must_fit_those_of_the_members() {
    let mut kit = Kit::new();
    let untyped = Join { protocol_type: "".into(), ..newcomer() };
    assert_eq!(kit.joins(untyped).unwrap_err().0, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let ids = kit.stable(1);
    let connect = Join { protocol_type: "connect".into(), ..newcomer() };
    assert_eq!(kit.joins(connect).unwrap_err().0, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let other = |join| Join { protocols: vec![protocol("other", "")], ..join };
    assert_eq!(kit.joins(other(newcomer())).unwrap_err().0, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    // Kafka counts the member itself among those who cannot.
    let again = kit.joins(other(known(&ids[0]))).unwrap_err();
    assert_eq!(again, (ErrorCode::INCONSISTENT_GROUP_PROTOCOL, ids[0].to_string()));
}

#[test]
fn an_empty_group_takes_another_type_of_protocol() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    kit.leave(&[(&ids[0], None)]);
    assert_eq!(kit.describe().unwrap().protocol_type.as_ref(), "consumer");
    let connect = Join { protocol_type: "connect".into(), must_know_its_id: false, ..newcomer() };
    let joined = kit.joins(connect).unwrap();
    assert_eq!(joined.protocol_type.as_deref(), Some("connect"));
    assert_eq!(joined.generation, 3, "leaving took one");
}

#[test]
fn the_protocol_is_chosen_by_vote_among_those_all_can() {
    let mut kit = Kit::with(|settings| settings.initial_rebalance_delay = Duration::from_secs(3));
    let with = |names: &[&str]| Join {
        protocols: names.iter().map(|name| protocol(name, name)).collect(),
        must_know_its_id: false,
        ..newcomer()
    };
    let calls: Vec<CallId> = [&["a", "b", "c"][..], &["c", "b"], &["d", "b", "c"]]
        .into_iter()
        .map(|names| kit.join(with(names)))
        .collect();
    kit.wait(10_000);
    for call in calls {
        assert_eq!(kit.joined(call).unwrap().protocol.as_deref(), Some("b"), "b has two votes");
    }
}

#[test]
fn the_first_rebalance_waits_as_long_as_members_come() {
    let mut kit = Kit::with(|settings| settings.initial_rebalance_delay = Duration::from_secs(3));
    let join = || Join { must_know_its_id: false, ..newcomer() };
    let first = kit.join(join());
    assert_eq!(kit.state(), "PreparingRebalance");
    kit.wait(2_000);
    let second = kit.join(join());
    kit.wait(1_500);
    assert!(kit.is_parked(first), "somebody came, so it waits once more");
    kit.wait(2_499);
    assert!(kit.is_parked(first));
    kit.wait(1);
    let (first, second) = (kit.joined(first).unwrap(), kit.joined(second).unwrap());
    assert_eq!((first.generation, second.generation), (1, 1));
    assert_eq!(first.leader, second.leader);
    assert_eq!(first.leader, first.member, "who comes first leads");
    assert_eq!((first.members.len(), second.members.len()), (2, 0));
}

#[test]
fn the_first_rebalance_waits_no_longer_than_the_rebalance_timeout() {
    let mut kit = Kit::with(|settings| settings.initial_rebalance_delay = Duration::from_secs(3));
    let join = || Join { must_know_its_id: false, rebalance_timeout_ms: 10_000, ..newcomer() };
    let first = kit.join(join());
    let mut waited = 0;
    while kit.is_parked(first) {
        kit.join(join());
        kit.wait(500);
        waited += 500;
    }
    assert_eq!(waited, 10_000);
}

#[test]
fn a_newcomer_makes_a_stable_group_rebalance() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    let id = kit.new_id();
    assert_eq!(kit.state(), "Stable", "an id alone changes nothing");
    let call = kit.join(known(&id));
    assert_eq!(kit.state(), "PreparingRebalance");
    assert!(kit.is_parked(call));
    assert_eq!(kit.beat(&ids[0], 1), ErrorCode::REBALANCE_IN_PROGRESS);
    let leader = kit.joins(known(&ids[0])).unwrap();
    let joined = kit.joined(call).unwrap();
    assert_eq!((leader.generation, joined.generation), (2, 2));
    assert_eq!(joined.leader, ids[0]);
    assert_eq!((leader.members.len(), joined.members.len()), (2, 0));
}

#[test]
fn a_pending_id_holds_up_a_rebalance_until_it_is_used_or_expires() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    kit.new_id();
    let first = kit.join(known(&ids[0]));
    let second = kit.join(known(&ids[1]));
    assert!(kit.is_parked(first) && kit.is_parked(second), "the newcomer is missed");
    kit.wait(10_000);
    assert_eq!(kit.joined(first).unwrap().members.len(), 2);
    assert!(kit.joined(second).is_ok());
}

#[test]
fn ids_given_out_are_bounded() {
    let mut kit = Kit::new();
    for _ in 0..10_000 {
        let call = kit.rig.call(Command::Join(newcomer()));
        assert_eq!(kit.rig.replies()[0].0, call);
    }
    let answer = kit.joins(newcomer()).unwrap_err();
    assert_eq!(answer, (ErrorCode::GROUP_MAX_SIZE_REACHED, String::new()));
    kit.wait(10_000);
    kit.new_id();
}

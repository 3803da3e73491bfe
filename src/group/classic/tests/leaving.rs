//! LeaveGroup.

use super::*;

const NONE: ErrorCode = ErrorCode::NONE;
const UNKNOWN: ErrorCode = ErrorCode::UNKNOWN_MEMBER_ID;

#[test]
fn the_others_rebalance_when_a_member_leaves() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    assert_eq!(kit.leave(&[(&ids[0], None)]), [NONE]);
    assert_eq!(kit.state(), "PreparingRebalance");
    let joined = kit.joins(known(&ids[1])).unwrap();
    assert_eq!((joined.generation, &joined.leader), (3, &ids[1]));
}

#[test]
fn the_last_member_leaves_an_empty_group_of_the_next_generation() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    assert_eq!(kit.leave(&[(&ids[0], None)]), [NONE]);
    assert_eq!(kit.state(), "Empty");
    assert_eq!(kit.written().unwrap().generation, 2);
    assert_eq!(kit.leave(&[(&ids[0], None)]), [UNKNOWN]);
}

#[test]
fn each_of_many_is_answered_for_itself() {
    let mut kit = Kit::new();
    assert_eq!(kit.leave(&[("m", None), ("", Some("i"))]), [UNKNOWN, UNKNOWN], "no group");
    let ids = kit.stable(3);
    let pending = kit.new_id();
    let fixed = kit.join(instance("i", ""));
    for id in &ids {
        kit.join(known(id));
    }
    kit.join(known(&pending));
    let fixed = kit.joined(fixed).unwrap().member;
    let pending = kit.new_id();
    let codes = kit.leave(&[
        (&ids[0], None),
        (&ids[0], None),
        ("", None),
        ("", Some("nobody")),
        ("wrong", Some("i")),
        (&ids[1], Some("nobody")),
        (&pending, None),
        ("", Some("i")),
        (&fixed, Some("i")),
        (&ids[1], None),
    ]);
    let fenced = ErrorCode::FENCED_INSTANCE_ID;
    assert_eq!(codes, [NONE, UNKNOWN, UNKNOWN, UNKNOWN, fenced, UNKNOWN, NONE, NONE, UNKNOWN, NONE]);
    assert_eq!(kit.joins(known(&pending)).unwrap_err().0, UNKNOWN);
}

#[test]
fn nothing_moves_if_nobody_left() {
    let mut kit = Kit::new();
    kit.stable(1);
    assert_eq!(kit.leave(&[("m", None)]), [UNKNOWN]);
    assert_eq!(kit.state(), "Stable");
}

#[test]
fn calls_of_a_member_that_leaves_are_answered() {
    let mut kit = Kit::new();
    let ids = kit.stable(3);
    let join = kit.join(known(&ids[0]));
    assert_eq!(kit.leave(&[(&ids[0], None)]), [NONE]);
    assert_eq!(kit.joined(join).unwrap_err(), (UNKNOWN, String::new()));
    let first = kit.join(known(&ids[1]));
    kit.joins(known(&ids[2])).unwrap();
    let leader = kit.joined(first).unwrap().leader;
    let follower = if leader == ids[1] { &ids[2] } else { &ids[1] };
    let sync = kit.sync(asking(follower, 3));
    assert_eq!(kit.leave(&[(follower, None)]), [NONE]);
    assert_eq!(kit.synced(sync).unwrap_err(), UNKNOWN);
}

#[test]
fn leaving_can_be_what_a_rebalance_waits_for() {
    let mut kit = Kit::new();
    let ids = kit.stable(2);
    let call = kit.join(known(&ids[0]));
    assert_eq!(kit.leave(&[(&ids[1], None)]), [NONE]);
    assert_eq!(kit.joined(call).unwrap().members.len(), 1);
}

#[test]
fn the_first_rebalance_keeps_to_its_delay_when_all_leave() {
    let mut kit = Kit::with(|settings| settings.initial_rebalance_delay = Duration::from_secs(3));
    kit.join(instance("i", ""));
    assert_eq!(kit.leave(&[("", Some("i"))]), [NONE]);
    assert_eq!(kit.state(), "PreparingRebalance");
    kit.wait(3_000);
    assert_eq!(kit.state(), "Empty");
    assert_eq!(kit.written().unwrap().generation, 1);
}

//! `group.max.size`.

use super::*;

fn full(code: ErrorCode) -> (ErrorCode, String) {
    assert_eq!(code, ErrorCode::GROUP_MAX_SIZE_REACHED);
    (code, String::new())
}

#[test]
fn a_full_group_takes_no_newcomer() {
    let mut kit = Kit::with(|settings| settings.classic_size_max = 2);
    let ids = kit.stable(2);
    let answer = full(ErrorCode::GROUP_MAX_SIZE_REACHED);
    assert_eq!(kit.joins(newcomer()).unwrap_err(), answer);
    assert_eq!(kit.joins(instance("i", "")).unwrap_err(), answer);
    assert_eq!(kit.state(), "Stable");
    assert!(kit.joins(known(&ids[1])).is_ok(), "members may join again");
    kit.leave(&[(&ids[1], None)]);
    kit.new_id();
}

#[test]
fn a_full_group_refuses_an_id_given_out_before() {
    let mut kit = Kit::with(|settings| settings.classic_size_max = 2);
    let late = kit.new_id();
    let calls: Vec<Id> = (0..2).map(|_| kit.new_id()).collect();
    let first = kit.join(known(&calls[0]));
    kit.joined(first).unwrap();
    kit.join(known(&calls[1]));
    kit.join(known(&calls[0]));
    let refused = kit.joins(known(&late)).unwrap_err();
    assert_eq!(refused, full(ErrorCode::GROUP_MAX_SIZE_REACHED));
    // Its id is worth nothing from now on.
    assert!(kit.leave(&[(&late, None)]) == [ErrorCode::UNKNOWN_MEMBER_ID]);
}

#[test]
fn in_a_rebalance_those_who_come_first_have_the_places() {
    let mut kit = Kit::with(|settings| settings.classic_size_max = 2);
    let ids = kit.stable(2);
    let leader = kit.join(known(&ids[0]));
    let new = kit.new_id();
    let new_call = kit.join(known(&new));
    assert!(kit.is_parked(new_call), "one place was free");
    let answer = kit.joins(known(&ids[1])).unwrap_err();
    assert_eq!(answer, full(ErrorCode::GROUP_MAX_SIZE_REACHED));
    let again = kit.join(known(&ids[0]));
    assert!(!kit.is_parked(leader), "who has a place may ask again");
    let told = kit.joined(again).unwrap();
    assert_eq!(told.members.len(), 2);
    assert!(kit.joined(new_call).is_ok());
}

#[test]
fn a_group_loaded_with_too_many_members_rebalances() {
    let mut kit = Kit::new();
    let ids = kit.stable(3);
    kit.settings.classic_size_max = 2;
    kit.restart();
    assert_eq!(kit.state(), "PreparingRebalance");
    let first = kit.join(known(&ids[2]));
    let second = kit.join(known(&ids[1]));
    assert_eq!(kit.joins(known(&ids[0])).unwrap_err(), full(ErrorCode::GROUP_MAX_SIZE_REACHED));
    kit.wait(60_000);
    assert_eq!(kit.joined(first).unwrap().generation, 3);
    assert!(kit.joined(second).is_ok());
}

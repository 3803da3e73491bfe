//! Members go, for good or for a while, and static members come back.

use super::world::*;
use crate::group::{Assignment, ConsumerHeartbeat, ConsumerHeartbeatAnswer, MemberState};
use crate::types::ErrorCode;

fn of_static(member: &str, instance: &str, epoch: i32) -> ConsumerHeartbeat {
    ConsumerHeartbeat { instance: Some(instance.into()), ..keep(member, epoch) }
}

#[test]
fn what_a_leaver_had_goes_to_the_others() {
    let mut world = World::new(&[("a", 2)]);
    world.joins("m", &["a"]);
    world.joins("n", &["a"]);
    let answer = world.beat(keep("m", -1));
    let gone =
        ConsumerHeartbeatAnswer { member: "m".into(), epoch: -1, heartbeat_interval_ms: 0, assignment: None };
    assert_eq!(answer, gone);
    assert_eq!(world.state(), "Assigning");
    let answer = world.beat(keep("n", 3));
    assert_eq!((answer.epoch, answer.assignment), (4, Some(world.partitions(&[("a", &[0, 1])]))));
    assert_eq!(world.refused(keep("m", 2)), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn an_empty_group_goes_on_counting() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    world.beat(keep("m", -1));
    assert_eq!((world.state(), world.epochs()), ("Empty", (3, 3)));
    assert_eq!(world.joins("m", &["a"]), 4);
}

#[test]
fn an_empty_group_is_deleted_without_a_trace() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    let delete =
        |world: &mut World| world.rig.step(|cx| crate::group::consumer::delete_if_empty(cx, &GROUP.into()));
    assert!(!delete(&mut world));
    world.beat(keep("m", -1));
    assert!(delete(&mut world));
    assert!(world.rig.hard().groups.is_empty());
    world.check();
    assert_eq!(world.joins("m", &["a"]), 2);
}

#[test]
fn a_static_member_that_left_for_a_while_keeps_its_partitions() {
    let mut world = World::new(&[("a", 2)]);
    world.beat(join_static("m", "i", &["a"]));
    world.joins("n", &["a"]);
    let kept = world.beat(of_static("m", "i", 2)).assignment.unwrap();
    let beat = ConsumerHeartbeat { owned: Some(kept.clone()), ..of_static("m", "i", 2) };
    world.beat(beat);
    world.beat(keep("n", 3));
    let left = world.beat(of_static("m", "i", -2));
    assert_eq!((left.epoch, left.assignment), (-2, None));
    assert_eq!(world.epochs(), (3, 3), "nobody else notices");
    assert_eq!(world.beat(keep("n", 3)).assignment, None);
    let back = world.beat(join_static("m2", "i", &["a"]));
    assert_eq!((back.epoch, back.assignment), (3, Some(kept)));
    assert_eq!(world.members(), ["m2", "n"]);
    assert_eq!((world.epochs(), world.state()), ((3, 3), "Stable"));
    assert_eq!(world.refused(of_static("m", "i", 3)), ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(world.refused(keep("m", 3)), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_static_member_may_come_back_under_its_old_id() {
    let mut world = World::new(&[("a", 2)]);
    let first = world.beat(join_static("m", "i", &["a"]));
    world.beat(of_static("m", "i", -2));
    let back = world.beat(join_static("m", "i", &["a"]));
    assert_eq!(back, first);
    assert_eq!(
        world.kinds(0)[6..],
        ["-current", "-target", "-member", "member", "target", "current", "current"]
    );
}

#[test]
fn a_static_member_that_does_not_come_back_is_gone_after_its_session() {
    let mut world = World::new(&[("a", 2)]);
    world.beat(join_static("m", "i", &["a"]));
    world.wait(10_000);
    world.beat(of_static("m", "i", -2));
    world.wait(34_999);
    assert_eq!(world.members(), ["m"]);
    world.wait(1);
    assert!(world.members().is_empty());
}

#[test]
fn leaving_for_a_while_in_the_middle_of_giving_up_frees_what_was_to_be_given_up() {
    let mut world = World::new(&[("a", 2)]);
    world.beat(join_static("m", "i", &["a"]));
    world.joins("n", &["a"]);
    world.beat(of_static("m", "i", 2));
    world.beat(of_static("m", "i", -2));
    assert!(world.beat(keep("n", 3)).assignment.is_some_and(|given| given != Assignment::new()));
    world.wait(31_000);
    assert_eq!(world.members(), ["m", "n"], "no rebalance timeout for one that is away");
    let back = world.beat(join_static("m2", "i", &["a"]));
    assert_eq!(back.epoch, 3);
    let group = world.rig.hard().consumer(GROUP).unwrap();
    assert_eq!(group.members["m2"].current.as_ref().unwrap().state, MemberState::Stable);
}

#[test]
fn an_instance_in_use_is_not_given_to_another() {
    let mut world = World::new(&[("a", 2)]);
    world.beat(join_static("m", "i", &["a"]));
    assert_eq!(world.refused(join_static("n", "i", &["a"])), ErrorCode::UNRELEASED_INSTANCE_ID);
    assert_eq!(world.refused(join_static("m", "i", &["a"])), ErrorCode::UNRELEASED_INSTANCE_ID);
    assert_eq!(world.refused(of_static("n", "i", 2)), ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(world.refused(of_static("n", "i", -2)), ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(world.refused(of_static("n", "i", -1)), ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(world.refused(of_static("m", "j", 2)), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.refused(of_static("m", "j", -1)), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.beat(of_static("m", "i", 2)).epoch, 2);
}

#[test]
fn a_static_member_may_leave_for_good() {
    let mut world = World::new(&[("a", 2)]);
    world.beat(join_static("m", "i", &["a"]));
    assert_eq!(world.beat(of_static("m", "i", -1)).epoch, -1);
    assert!(world.members().is_empty());
    assert_eq!(world.beat(join_static("n", "i", &["a"])).epoch, 4);
}

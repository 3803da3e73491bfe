//! Partitions move from one member to another: first given up, then given.

use super::world::*;
use crate::group::{Assignment, ConsumerHeartbeat, MemberState};
use crate::types::ErrorCode;

/// A member with both partitions of `a`, and one that waits for its share.
fn waiting() -> World {
    let mut world = World::new(&[("a", 2)]);
    world.joins("m", &["a"]);
    let answer = world.beat(join("n", &["a"]));
    assert_eq!((answer.epoch, answer.assignment), (3, Some(Assignment::new())));
    assert_eq!(world.state(), "Reconciling");
    world
}

fn stand(world: &World, member: &str) -> (i32, i32, MemberState) {
    let group = world.rig.hard().consumer(GROUP).unwrap();
    let current = group.members[member].current.as_ref().unwrap();
    (current.epoch, current.previous_epoch, current.state)
}

#[test]
fn a_partition_is_given_only_after_its_owner_gave_it_up() {
    let mut world = waiting();
    assert_eq!(stand(&world, "n"), (3, 0, MemberState::UnreleasedPartitions));
    let kept = world.beat(keep("m", 2));
    assert_eq!(kept.epoch, 2, "it stays in its epoch until it gave up");
    let kept = kept.assignment.unwrap();
    assert_eq!(kept.values().map(|partitions| partitions.len()).sum::<usize>(), 1);
    assert_eq!(stand(&world, "m"), (2, 2, MemberState::UnrevokedPartitions));
    assert_eq!(world.beat(keep("n", 3)).assignment, None);
    let answer = world.beat(keep_with("m", 2, kept));
    assert_eq!((answer.epoch, answer.assignment), (3, None));
    let given = world.beat(keep("n", 3));
    assert_eq!(given.assignment.unwrap().values().map(|partitions| partitions.len()).sum::<usize>(), 1);
    assert_eq!((stand(&world, "m").2, stand(&world, "n").2), (MemberState::Stable, MemberState::Stable));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn a_member_that_does_not_say_what_it_owns_has_not_given_up() {
    let mut world = waiting();
    world.beat(keep("m", 2));
    let both = world.partitions(&[("a", &[0, 1])]);
    for beat in [keep("m", 2), keep_with("m", 2, both), keep("m", 2)] {
        assert_eq!(world.beat(beat).epoch, 2);
        assert_eq!(world.beat(keep("n", 3)).assignment, None);
    }
}

#[test]
fn a_member_that_owns_nothing_gives_up_at_once() {
    let mut world = waiting();
    assert_eq!(world.beat(keep_with("m", 2, Assignment::new())).epoch, 3);
    assert!(world.beat(keep("n", 3)).assignment.is_some());
}

#[test]
fn who_does_not_give_up_in_its_rebalance_timeout_is_fenced() {
    let mut world = waiting();
    world.beat(keep("m", 2));
    for _ in 0..5 {
        world.wait(5_000);
        world.beat(keep("m", 2));
        world.beat(keep("n", 3));
    }
    assert_eq!(world.members(), ["m", "n"]);
    world.wait(5_000);
    assert_eq!(world.members(), ["n"]);
    assert_eq!(world.refused(keep("m", 2)), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.beat(keep("n", 3)).assignment, Some(world.partitions(&[("a", &[0, 1])])));
}

#[test]
fn who_gave_up_in_time_is_not_fenced() {
    let mut world = waiting();
    let kept = world.beat(keep("m", 2)).assignment.unwrap();
    world.wait(29_000);
    world.beat(keep_with("m", 2, kept));
    world.beat(keep("n", 3));
    world.wait(29_000);
    assert_eq!(world.members(), ["m", "n"]);
}

#[test]
fn who_is_silent_for_its_session_is_fenced() {
    let mut world = waiting();
    world.wait(44_999);
    world.beat(keep("n", 3));
    world.wait(1);
    assert_eq!(world.members(), ["n"]);
    world.wait(44_998);
    assert_eq!(world.members(), ["n"]);
    world.wait(1);
    assert!(world.members().is_empty());
    assert_eq!((world.state(), world.epochs()), ("Empty", (5, 5)));
}

#[test]
fn a_member_ahead_or_behind_is_fenced() {
    let mut world = waiting();
    assert_eq!(world.refused(keep("m", 3)), ErrorCode::FENCED_MEMBER_EPOCH);
    assert_eq!(world.refused(keep("m", 1)), ErrorCode::FENCED_MEMBER_EPOCH);
    assert_eq!(world.refused(keep("n", 2)), ErrorCode::FENCED_MEMBER_EPOCH);
}

#[test]
fn the_epoch_before_is_right_for_who_owns_nothing_it_was_not_given() {
    let mut world = waiting();
    let kept = world.beat(keep("m", 2)).assignment.unwrap();
    assert_eq!(world.beat(keep_with("m", 2, kept.clone())).epoch, 3);
    assert_eq!(world.beat(keep_with("m", 2, kept)).epoch, 3, "the answer before was lost");
    let both = world.partitions(&[("a", &[0, 1])]);
    assert_eq!(world.refused(keep_with("m", 2, both)), ErrorCode::FENCED_MEMBER_EPOCH);
    assert_eq!(world.refused(keep("m", 2)), ErrorCode::FENCED_MEMBER_EPOCH);
}

#[test]
fn what_a_member_reads_no_more_is_taken_away_before_there_is_a_new_target() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.settings.consumer.assignment_interval = std::time::Duration::from_secs(10);
    world.tell();
    world.joins("m", &["a", "b"]);
    let fewer = ConsumerHeartbeat { topics: Some(vec!["b".into()]), ..keep("m", 2) };
    let answer = world.beat(fewer);
    assert_eq!((answer.epoch, answer.assignment), (2, Some(world.partitions(&[("b", &[0])]))));
    assert_eq!(stand(&world, "m").2, MemberState::UnrevokedPartitions);
    assert_eq!(world.epochs(), (3, 2));
    let owned = world.partitions(&[("b", &[0])]);
    world.wait(10_000);
    assert_eq!(world.beat(keep_with("m", 2, owned)).epoch, 3);
    assert_eq!(world.state(), "Stable");
}

#[test]
fn a_partition_keeps_the_epoch_in_which_it_was_given() {
    let mut world = waiting();
    let kept = world.beat(keep("m", 2)).assignment.unwrap();
    world.beat(keep_with("m", 2, kept));
    world.beat(keep("n", 3));
    let group = world.rig.hard().consumer(GROUP).unwrap();
    let since = |member: &str| {
        let current = group.members[member].current.as_ref().unwrap();
        current.assigned.values().flat_map(|partitions| partitions.values().copied()).collect::<Vec<_>>()
    };
    assert_eq!((since("m"), since("n")), (vec![2], vec![3]));
}

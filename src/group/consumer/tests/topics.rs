//! Topics change under a group.

use super::world::*;

fn owned(world: &mut World, member: &str) -> usize {
    let described = world.describe();
    let member = described.members.iter().find(|known| &*known.member == member).unwrap();
    member.assignment.iter().map(|(_, _, partitions)| partitions.len()).sum()
}

#[test]
fn a_topic_that_is_made_is_given_with_the_next_heartbeat() {
    let mut world = World::new(&[]);
    world.joins("m", &["a"]);
    world.set_topic("a", 2);
    let answer = world.beat(keep("m", 2));
    assert_eq!((answer.epoch, answer.assignment), (3, Some(world.partitions(&[("a", &[0, 1])]))));
}

#[test]
fn new_partitions_are_given_with_the_next_heartbeat() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    world.set_topic("a", 3);
    assert_eq!(world.beat(keep("m", 2)).epoch, 3);
    assert_eq!(owned(&mut world, "m"), 3);
}

#[test]
fn a_topic_that_is_gone_is_taken_away_with_the_next_heartbeat() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.joins("m", &["a", "b"]);
    world.table.delete("a");
    world.tell();
    let answer = world.beat(keep("m", 2));
    assert_eq!(answer.assignment, Some(world.partitions(&[("b", &[0])])));
    assert_eq!(answer.epoch, 2, "it has to say that it gave up what is gone");
    let left = world.partitions(&[("b", &[0])]);
    assert_eq!(world.beat(keep_with("m", 2, left)).epoch, 3);
}

#[test]
fn a_topic_made_again_is_another() {
    let mut world = World::new(&[("a", 2)]);
    world.joins("m", &["a"]);
    world.table.delete("a");
    world.set_topic("a", 2);
    assert_eq!(world.beat(keep("m", 2)).epoch, 2);
    let answer = world.beat(keep_with("m", 2, Default::default()));
    assert_eq!((answer.epoch, answer.assignment), (3, Some(world.partitions(&[("a", &[0, 1])]))));
}

#[test]
fn other_topics_move_nothing() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    let from = world.rig.records().len();
    world.set_topic("b", 1);
    world.beat(keep("m", 2));
    assert_eq!(world.rig.records().len(), from);
}

#[test]
fn a_topic_that_only_a_leaver_read_moves_the_epoch_once() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.joins("m", &["a"]);
    world.joins("n", &["b"]);
    world.beat(keep("n", -1));
    assert_eq!(world.epochs(), (4, 3));
    assert_eq!(world.beat(keep("m", 2)).epoch, 4);
    assert_eq!(world.epochs(), (4, 4));
}

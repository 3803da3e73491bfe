//! Offsets of topics that are gone.

use super::*;

#[test]
fn offsets_of_a_deleted_topic_are_forgotten() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.commit("g", "b", 0, 2);
    world.set_topic("a", None);
    world.tell();
    assert_eq!(world.committed("g"), [named("b", 0, 2)]);
}

#[test]
fn a_topic_made_again_under_its_name_is_not_read_from_where_the_former_one_was_left() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.set_topic("a", Some(id(9)));
    world.tell();
    assert_eq!(world.committed("g"), []);
    world.commit("g", "a", 0, 3);
    world.tell();
    assert_eq!(world.committed("g"), [named("a", 0, 3)]);
}

#[test]
fn a_topic_deleted_just_before_a_crash_is_forgotten_at_the_next_start() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.commit("g", "b", 0, 2);
    world.set_topic("a", None);
    world.set_topic("b", Some(id(9)));
    world.rig.advance(MINUTE);
    world.restart();
    assert!(world.rig.hard().groups.is_empty());
}

#[test]
fn offsets_that_do_not_say_which_topic_they_are_of_go_with_the_topic_of_that_name() {
    let mut world = World::new();
    for group in ["gone", "again"] {
        let topic = if group == "gone" { "a" } else { "b" };
        let mut commit = world.a_commit(group, topic, 0, 1);
        commit.partitions[0].topic_id = TopicId::ZERO;
        world.try_commit(commit).unwrap();
    }
    // A look at the topics, so that the ids of both are known.
    world.set_topic("c", Some(id(3)));
    world.tell();
    world.rig.advance(MINUTE);
    assert_eq!(world.rig.hard().groups.len(), 2);
    world.set_topic("a", None);
    world.set_topic("b", Some(id(9)));
    world.tell();
    assert!(world.rig.hard().groups.is_empty());
}

// A commit may know of a new topic before the machine is told of it, and must not be lost for that.
#[test]
fn a_commit_that_is_ahead_of_the_table_of_topics_stays() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    let mut ahead = world.a_commit("g", "a", 1, 2);
    ahead.partitions[0].topic_id = id(9);
    world.try_commit(ahead).unwrap();
    world.set_topic("a", None);
    world.tell();
    assert_eq!(world.committed("g"), [named("a", 1, 2)]);
    world.set_topic("a", Some(id(9)));
    world.tell();
    assert_eq!(world.committed("g"), [named("a", 1, 2)]);
    world.set_topic("a", None);
    world.tell();
    assert!(world.rig.hard().groups.is_empty());
}

#[test]
fn a_change_of_other_topics_or_of_settings_writes_nothing() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    let records = world.rig.records().len();
    world.set_topic("c", Some(id(3)));
    world.tell();
    world.settings.offsets_retention = DAY;
    world.tell();
    assert_eq!(world.rig.records().len(), records);
}

#[test]
fn a_topic_of_very_many_offsets_is_forgotten_in_turns_and_hidden_at_once() {
    let mut world = World::new();
    for group in ["g", "h"] {
        let mut commit = world.a_commit(group, "a", 0, 1);
        let one = commit.partitions[0].clone();
        commit.partitions = (0..9000).map(|partition| CommitPartition { partition, ..one.clone() }).collect();
        world.try_commit(commit).unwrap();
    }
    let all = world.rig.records().len();
    world.set_topic("a", Some(id(9)));
    world.tell();
    let first = world.rig.records().len() - all;
    assert!((1..18_000).contains(&first), "{first} in the first turn");
    assert_eq!(world.committed("h"), []);
    world.commit("h", "a", 0, 5);
    // Another change finishes what is left of the first.
    world.set_topic("c", Some(id(3)));
    world.tell();
    assert_eq!(world.committed("h"), [named("a", 0, 5)]);
    assert_eq!(world.rig.hard().groups.len(), 1);
}

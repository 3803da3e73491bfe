//! Regular expressions: matched after the heartbeat that brings them, and again when topics are made or time has
//! passed.

use super::world::*;
use crate::group::{Assignment, ConsumerHeartbeat};
use crate::types::ErrorCode;

fn patterns(world: &World) -> Vec<(String, usize)> {
    let group = world.rig.hard().consumer(GROUP).unwrap();
    group.regexes.iter().map(|(pattern, resolved)| (pattern.to_string(), resolved.topics.len())).collect()
}

fn with_regex(beat: ConsumerHeartbeat, regex: &str) -> ConsumerHeartbeat {
    ConsumerHeartbeat { regex: Some(regex.into()), ..beat }
}

#[test]
fn a_new_expression_gives_partitions_with_the_second_heartbeat() {
    let mut world = World::new(&[("a1", 1), ("a2", 1), ("b", 1), ("__a", 1)]);
    let answer = world.beat(join_regex("m", "a.*"));
    assert_eq!((answer.epoch, answer.assignment), (1, Some(Assignment::new())));
    assert_eq!(patterns(&world), [("a.*".to_owned(), 2)]);
    assert_eq!(world.kinds(0), ["member", "current", "regex", "epoch"]);
    let answer = world.beat(keep("m", 1));
    assert_eq!((answer.epoch, answer.assignment), (2, Some(world.partitions(&[("a1", &[0]), ("a2", &[0])]))));
}

#[test]
fn an_expression_that_others_have_is_known_at_once() {
    let mut world = World::new(&[("a", 2)]);
    world.beat(join_regex("m", "a.*"));
    world.beat(keep("m", 1));
    assert_eq!(world.beat(join_regex("n", "a.*")).epoch, 3);
}

#[test]
fn an_expression_that_is_none_is_refused_and_nothing_is_written() {
    let mut world = World::new(&[("a", 2)]);
    assert_eq!(world.refused(join_regex("m", "a[")), ErrorCode::INVALID_REGULAR_EXPRESSION);
    assert!(world.rig.hard().groups.is_empty());
    world.joins("m", &["a"]);
    let from = world.rig.records().len();
    assert_eq!(world.refused(with_regex(keep("m", 2), "a[")), ErrorCode::INVALID_REGULAR_EXPRESSION);
    assert_eq!(world.rig.records().len(), from);
}

#[test]
fn a_new_topic_is_matched_ten_seconds_after_the_last_look() {
    let mut world = World::new(&[("a1", 1)]);
    world.beat(join_regex("m", "a.*"));
    world.beat(keep("m", 1));
    world.set_topic("a2", 1);
    world.wait(10_000);
    world.beat(keep("m", 2));
    assert_eq!(patterns(&world), [("a.*".to_owned(), 1)]);
    world.wait(1);
    world.beat(keep("m", 2));
    assert_eq!(patterns(&world), [("a.*".to_owned(), 2)]);
    assert_eq!(world.beat(keep("m", 2)).epoch, 3);
}

#[test]
fn expressions_are_looked_up_again_after_the_refresh_interval() {
    let mut world = World::new(&[("a1", 1)]);
    world.beat(join_regex("m", "a.*"));
    let look = |world: &World| world.rig.hard().consumer(GROUP).unwrap().regexes["a.*"].at;
    let first = look(&world);
    let mut epoch = world.beat(keep("m", 1)).epoch;
    for _ in 0..20 {
        world.wait(30_000);
        epoch = world.beat(keep("m", epoch)).epoch;
    }
    assert_eq!(look(&world), first);
    world.wait(1);
    world.beat(keep("m", epoch));
    assert!(look(&world) > first);
    assert_eq!(world.epochs(), (2, 2), "it matches the same");
}

#[test]
fn an_expression_is_forgotten_with_its_last_subscriber() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.beat(join_regex("m", "a.*"));
    world.beat(join_regex("n", "a.*"));
    world.beat(keep("m", -1));
    assert_eq!(patterns(&world).len(), 1);
    world.wait(20_000);
    world.beat(with_regex(keep("n", 3), "b.*"));
    assert_eq!(patterns(&world), [("b.*".to_owned(), 1)]);
    let from = world.rig.records().len();
    world.beat(keep("n", -1));
    assert!(patterns(&world).is_empty());
    let order = ["-current", "-target", "-member", "-regex", "epoch", "target epoch"];
    assert_eq!(world.kinds(from), order);
}

#[test]
fn names_and_an_expression_add_up() {
    let mut world = World::new(&[("a", 1), ("b", 1), ("c", 1)]);
    world.beat(with_regex(join("m", &["b"]), "a.*"));
    let answer = world.beat(keep("m", 2));
    assert_eq!(answer.assignment, Some(world.partitions(&[("a", &[0]), ("b", &[0])])));
    let plain = world.beat(with_regex(keep("m", 3), ""));
    assert_eq!(plain.assignment, Some(world.partitions(&[("b", &[0])])));
    assert!(patterns(&world).is_empty());
    assert!(
        !world.rig.hard().consumer(GROUP).unwrap().members["m"].metadata.as_ref().unwrap().topics.is_empty()
    );
}

#[test]
fn what_was_matched_survives_a_restart() {
    let mut world = World::new(&[("a", 1)]);
    world.beat(join_regex("m", "a.*"));
    world.beat(keep("m", 1));
    let from = world.rig.records().len();
    world.restart();
    world.wait(11_000);
    world.beat(keep("m", 2));
    assert_eq!(world.rig.records().len(), from);
    assert!(world.rig.step(|cx| {
        let (hard, soft) = cx.state();
        crate::group::consumer::is_subscribed(hard, &soft.consumer, GROUP, "a")
    }));
}

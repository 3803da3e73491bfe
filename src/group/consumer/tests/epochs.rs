//! What moves the epoch of a group, and what the group is called on the way.

use super::world::*;
use crate::group::{Command, ConsumerHeartbeat, Refused, Reply};
use crate::types::ErrorCode;

fn with_assignor(beat: ConsumerHeartbeat, assignor: &str) -> ConsumerHeartbeat {
    ConsumerHeartbeat { assignor: Some(assignor.into()), ..beat }
}

#[test]
fn the_assignor_that_most_ask_for_is_used() {
    let mut world = World::new(&[("a", 3), ("b", 3)]);
    world.beat(with_assignor(join("m", &["a", "b"]), "uniform"));
    world.beat(with_assignor(join("n", &["a", "b"]), "range"));
    assert_eq!(&*world.describe().assignor, "uniform", "as many ask for each: the first in the settings");
    world.beat(with_assignor(join("o", &["a", "b"]), "range"));
    assert_eq!(&*world.describe().assignor, "range");
    let before = world.epochs().0;
    world.beat(with_assignor(keep("n", 3), "uniform"));
    assert_eq!((&*world.describe().assignor, world.epochs().0), ("uniform", before + 1));
    world.beat(with_assignor(keep("o", 4), "uniform"));
    assert_eq!(world.epochs().0, before + 1, "the majority is the same");
}

#[test]
fn without_a_wish_the_first_assignor_is_used() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    assert_eq!(&*world.describe().assignor, "uniform");
}

#[test]
fn what_does_not_matter_to_others_moves_nothing() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    let from = world.rig.records().len();
    world.beat(ConsumerHeartbeat {
        rack: Some("east".into()),
        rebalance_timeout_ms: 7,
        topics: Some(vec!["a".into()]),
        ..keep("m", 2)
    });
    assert_eq!(world.kinds(from), ["member"]);
    assert_eq!(world.epochs(), (2, 2));
}

#[test]
fn other_topics_by_name_move_the_epoch() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.joins("m", &["a"]);
    let more = ConsumerHeartbeat { topics: Some(vec!["a".into(), "b".into()]), ..keep("m", 2) };
    let answer = world.beat(more);
    assert_eq!((answer.epoch, answer.assignment), (3, Some(world.partitions(&[("a", &[0]), ("b", &[0])]))));
}

#[test]
fn a_group_that_is_not_there_cannot_be_described() {
    let mut world = World::new(&[]);
    let reply = world.rig.ask(Command::DescribeConsumer(GROUP.into()));
    let refused = Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, "there is no group group");
    assert!(matches!(reply, Reply::ConsumerDescribed(Err(why)) if why == refused));
}

#[test]
fn a_description_shows_what_is_owned_and_what_is_to_be_owned() {
    let mut world = World::new(&[("a", 2)]);
    let beat = ConsumerHeartbeat { rack: Some("r".into()), ..join_static("m", "i", &["a"]) };
    world.beat(beat);
    world.joins("n", &["a"]);
    world.beat(ConsumerHeartbeat { instance: Some("i".into()), ..keep("m", 2) });
    let described = world.describe();
    assert_eq!((described.state, described.epoch, described.target_epoch), ("Reconciling", 3, 3));
    let member = &described.members[0];
    assert_eq!((member.instance.as_deref(), member.rack.as_deref()), (Some("i"), Some("r")));
    assert_eq!((member.epoch, member.member_type, member.regex.as_deref()), (2, 1, Some("")));
    assert_eq!(member.topics, ["a".into()]);
    assert_eq!((&*member.client.id, &*member.client.host), ("client", "/127.0.0.1"));
    let id = world.table.id("a");
    assert_eq!(member.assignment, [(id, "a".into(), vec![0, 1])], "with what it has still to give up");
    assert_eq!(member.target.len(), 1);
    assert_eq!(member.target[0].2.len(), 1);
}

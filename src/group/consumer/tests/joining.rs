//! Members come: what they have to say, what they are given, who is turned away.

use super::world::*;
use crate::group::{Assignment, ConsumerHeartbeat};
use crate::types::ErrorCode;
use std::time::Duration;

#[test]
fn the_first_member_is_given_all_partitions_in_epoch_2() {
    let mut world = World::new(&[("a", 3), ("b", 1)]);
    let answer = world.beat(join("m", &["a", "b"]));
    assert_eq!((&*answer.member, answer.epoch, answer.heartbeat_interval_ms), ("m", 2, 5000));
    assert_eq!(answer.assignment, Some(world.partitions(&[("a", &[0, 1, 2]), ("b", &[0])])));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn records_come_in_the_order_of_kafka() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    assert_eq!(world.kinds(0), ["member", "epoch", "target", "target epoch", "current"]);
    let from = world.rig.records().len();
    world.beat(keep("m", -1));
    assert_eq!(world.kinds(from), ["-current", "-target", "-member", "epoch", "target epoch"]);
}

#[test]
fn a_member_without_topics_is_in_epoch_1_and_moves_nothing() {
    let mut world = World::new(&[("a", 1)]);
    let answer = world.beat(join("m", &[]));
    assert_eq!((answer.epoch, answer.assignment), (1, Some(Assignment::new())));
    assert_eq!(world.kinds(0), ["member", "current"]);
    assert_eq!((world.epochs(), world.state()), ((1, 1), "Stable"));
}

#[test]
fn a_topic_that_is_not_there_moves_the_epoch_and_gives_nothing() {
    let mut world = World::new(&[]);
    let answer = world.beat(join("m", &["a"]));
    assert_eq!((answer.epoch, answer.assignment), (2, Some(Assignment::new())));
}

#[test]
fn a_member_of_version_0_may_be_given_an_id() {
    let mut world = World::new(&[("a", 1)]);
    let nameless = ConsumerHeartbeat { makes_its_id: false, ..join("", &["a"]) };
    let id = world.beat(nameless.clone()).member;
    assert_eq!(id.len(), 22);
    assert_ne!(world.beat(nameless).member, id);
    assert_eq!(world.members().len(), 2);
    assert_eq!(world.refused(join("", &["a"])), ErrorCode::INVALID_REQUEST);
}

#[test]
fn requests_that_make_no_sense_are_refused_for_their_first_fault() {
    let mut world = World::new(&[("a", 1)]);
    let good = || join("m", &["a"]);
    let owns = Some(world.partitions(&[("a", &[0])]));
    let cases: Vec<(ConsumerHeartbeat, &str)> = vec![
        (ConsumerHeartbeat { member: " ".into(), group: "".into(), ..good() }, "the member id is empty"),
        (ConsumerHeartbeat { group: "".into(), rack: Some("".into()), ..good() }, "the group id is empty"),
        (ConsumerHeartbeat { instance: Some("".into()), ..good() }, "the instance id is empty"),
        (ConsumerHeartbeat { rack: Some(" ".into()), ..good() }, "the rack is empty"),
        (
            ConsumerHeartbeat { rebalance_timeout_ms: -1, owned: None, ..good() },
            "a member that joins gives its rebalance timeout",
        ),
        (
            ConsumerHeartbeat { owned: None, topics: None, ..good() },
            "a member that joins owns nothing, and says so",
        ),
        (ConsumerHeartbeat { owned: owns, ..good() }, "a member that joins owns nothing, and says so"),
        (
            ConsumerHeartbeat { topics: None, ..good() },
            "a member that joins subscribes by name or by regular expression",
        ),
        (keep("m", -2), "only a static member leaves for a while"),
        (keep("m", -3), "there are no epochs below -2"),
        (ConsumerHeartbeat { makes_its_id: false, ..keep("", -1) }, "the member id is empty"),
        (ConsumerHeartbeat { makes_its_id: false, ..keep("", 7) }, "the member id is empty"),
    ];
    for (beat, why) in cases {
        let refused = world.try_beat(beat).unwrap_err();
        assert_eq!((refused.code, &*refused.why), (ErrorCode::INVALID_REQUEST, why));
    }
    let refused =
        world.try_beat(ConsumerHeartbeat { assignor: Some("sticky".into()), ..good() }).unwrap_err();
    assert_eq!(refused.code, ErrorCode::UNSUPPORTED_ASSIGNOR);
    assert_eq!(refused.why, "the assignor sticky is none of uniform, range");
    assert!(world.rig.records().is_empty());
}

#[test]
fn who_is_not_known_has_to_join() {
    let mut world = World::new(&[("a", 1)]);
    assert_eq!(world.refused(keep("m", 1)), ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(world.refused(keep("m", -1)), ErrorCode::GROUP_ID_NOT_FOUND);
    world.joins("m", &["a"]);
    assert_eq!(world.refused(keep("n", 2)), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.refused(keep("n", -1)), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_full_group_takes_no_newcomers_but_keeps_its_members() {
    let mut world = World::new(&[("a", 2)]);
    world.settings.consumer_size_max = 2;
    world.tell();
    world.joins("m", &["a"]);
    world.beat(join_static("s", "i", &["a"]));
    assert_eq!(world.refused(join("n", &["a"])), ErrorCode::GROUP_MAX_SIZE_REACHED);
    assert_eq!(world.refused(join_static("n", "j", &["a"])), ErrorCode::GROUP_MAX_SIZE_REACHED);
    world.joins("m", &["a"]);
    world.beat(ConsumerHeartbeat { instance: Some("i".into()), ..keep("s", -2) });
    world.beat(join_static("t", "i", &["a"]));
    assert_eq!(world.members(), ["m", "t"]);
}

#[test]
fn joining_again_is_told_everything_once_more() {
    let mut world = World::new(&[("a", 2)]);
    let first = world.beat(join("m", &["a"]));
    let from = world.rig.records().len();
    assert_eq!(world.beat(join("m", &["a"])), first);
    assert_eq!(world.rig.records().len(), from);
}

#[test]
fn an_answer_holds_the_assignment_only_where_it_is_news_or_was_asked_for() {
    let mut world = World::new(&[("a", 1)]);
    world.joins("m", &["a"]);
    let owned = world.partitions(&[("a", &[0])]);
    assert_eq!(world.beat(keep("m", 2)).assignment, None);
    assert_eq!(world.beat(keep_with("m", 2, owned.clone())).assignment, None);
    let full = ConsumerHeartbeat { owned: Some(owned.clone()), epoch: 2, ..join("m", &["a"]) };
    assert_eq!(world.beat(full).assignment, Some(owned));
}

#[test]
fn a_second_member_within_the_assignment_interval_waits_for_a_later_heartbeat() {
    let mut world = World::new(&[("a", 2)]);
    world.settings.consumer.assignment_interval = Duration::from_secs(1);
    world.tell();
    world.joins("m", &["a"]);
    let answer = world.beat(join("n", &["a"]));
    assert_eq!((answer.epoch, answer.assignment), (2, Some(Assignment::new())));
    assert_eq!((world.epochs(), world.state()), ((3, 2), "Assigning"));
    world.wait(999);
    assert_eq!(world.beat(keep("n", 2)).epoch, 2);
    world.wait(1);
    assert_eq!(world.beat(keep("n", 2)).epoch, 3);
    assert_eq!((world.epochs(), world.state()), ((3, 3), "Reconciling"));
}

#[test]
fn a_member_may_read_topics_of_its_own() {
    let mut world = World::new(&[("a", 2), ("b", 1)]);
    world.joins("m", &["a"]);
    let answer = world.beat(join("n", &["b"]));
    assert_eq!(answer.assignment, Some(world.partitions(&[("b", &[0])])));
}

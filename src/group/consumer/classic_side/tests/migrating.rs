//! A group of one protocol becomes one of the other while it has members.

use super::clients::*;
use crate::group::consumer::tests::world::{self, GROUP, World};
use crate::group::settings::MigrationPolicy;
use crate::group::{Command, ConsumerHeartbeat, GroupRecord, Join, Reply};
use crate::types::ErrorCode;

fn world() -> World {
    let mut world = World::new(&[("t", 4)]);
    world.settings.initial_rebalance_delay = std::time::Duration::ZERO;
    world.tell();
    world
}

fn classic_state(world: &mut World) -> &'static str {
    let reply = world.rig.ask(Command::DescribeClassic(GROUP.into()));
    let Reply::ClassicDescribed(described) = reply else { panic!("another reply") };
    described.unwrap().state
}

#[test]
fn a_member_of_the_consumer_protocol_turns_a_classic_group_around() {
    let mut world = world();
    let [a, b] = world.classic_group();
    let before = world.rig.records().len();
    let answer = world.beat(world::join("m3", &["t"]));
    assert_eq!(answer.epoch, 3, "the generation was 2");
    assert!(matches!(world.rig.records()[before], GroupRecord::Classic { state: None, .. }));
    let kinds = world.kinds(before + 1);
    let converted = ["member", "member", "epoch", "target", "target", "target epoch", "current", "current"];
    assert_eq!(&kinds[..8], converted);
    assert_eq!(world.named(&world.assigned(&a)), [("t".to_string(), vec![0, 1])]);
    assert_eq!(world.named(&world.assigned(&b)), [("t".to_string(), vec![2, 3])]);

    // One of the two gives up a partition; the other only moves to the new epoch.
    for id in [&a, &b] {
        assert_eq!(world.classic_beat(id, 2), ErrorCode::REBALANCE_IN_PROGRESS);
        let mut owned = world.named(&world.assigned(id));
        for _ in 0..2 {
            let owns: Vec<(&str, &[i32])> =
                owned.iter().map(|(topic, numbers)| (&**topic, &**numbers)).collect();
            let generation = world.classic_join(join(id, &["t"], &owns)).generation;
            owned = read(world.classic_sync(id, generation)).1;
        }
        assert_eq!(world.classic_beat(id, 3), ErrorCode::NONE);
    }
    let told = world.beat(world::keep("m3", 3)).assignment.unwrap();
    assert_eq!(told.values().next().unwrap().len(), 1);
    assert_eq!(world.state(), "Stable");
    world.restart();
    assert_eq!(world.classic_beat(&a, 3), ErrorCode::NONE);
    world.wait(10_001);
    assert_eq!(world.members(), ["m3"], "sessions of classic members are their own");
}

#[test]
fn members_come_over_one_by_one_and_back() {
    let mut world = world();
    let [a, b] = world.classic_group();
    world.joins("m3", &["t"]);
    world.classic_leave(&[(&a, None)]);
    world.classic_leave(&[(&b, None)]);
    assert_eq!(world.members(), ["m3"]);
    world.beat(world::keep("m3", 3));

    let c = world.classic_join(join("", &["t"], &[])).member;
    world.beat(world::keep("m3", -1));
    assert!(world.rig.hard().consumer(GROUP).is_none());
    assert_eq!(classic_state(&mut world), "PreparingRebalance");
    let generation = world.classic_join(join(&c, &["t"], &[])).generation;
    assert_eq!(generation, 7, "one more than the epoch of the group");
    world.check();
}

#[test]
fn those_who_wait_are_told_to_join_again() {
    let mut world = world();
    let [a, _] = world.classic_group();
    world.call_join(join("", &["t"], &[]));
    world.rig.replies();
    world.call_join(join(&a, &["t"], &[]));
    assert!(world.joined_later().is_empty(), "they wait for the other one");
    world.joins("m3", &["t"]);
    let answers = world.joined_later();
    assert_eq!(answers, [Err(ErrorCode::REBALANCE_IN_PROGRESS), Err(ErrorCode::REBALANCE_IN_PROGRESS)]);
    assert_eq!(world.members().len(), 4);
    world.check();
}

#[test]
fn a_group_that_waits_for_its_first_generation_comes_over_with_nothing() {
    let mut world = world();
    world.settings.initial_rebalance_delay = std::time::Duration::from_secs(3);
    world.tell();
    world.call_join(join("", &["t"], &[]));
    let answer = world.beat(world::join("m2", &["t"]));
    assert_eq!(answer.assignment.unwrap().values().map(|numbers| numbers.len()).sum::<usize>(), 2);
    assert_eq!(world.members().len(), 2);
    world.check();
}

#[test]
fn a_group_that_cannot_come_over_stays_as_it_is() {
    let mut world = world();
    let refused = |world: &mut World| {
        let before = world.rig.records().len();
        let code = world.refused(world::join("m3", &["t"]));
        assert_eq!(world.rig.records().len(), before);
        code
    };
    let [a, b] = world.classic_group();
    world.settings.migration = MigrationPolicy::Downgrade;
    world.tell();
    assert_eq!(refused(&mut world), ErrorCode::GROUP_ID_NOT_FOUND);
    world.settings.migration = MigrationPolicy::Upgrade;
    world.settings.consumer_size_max = 1;
    world.tell();
    assert_eq!(refused(&mut world), ErrorCode::GROUP_ID_NOT_FOUND);
    world.settings.consumer_size_max = 2;
    world.tell();
    assert_eq!(
        refused(&mut world),
        ErrorCode::GROUP_MAX_SIZE_REACHED,
        "its members fit, the newcomer does not"
    );
    world.settings.consumer_size_max = 3;
    world.tell();
    world.classic_leave(&[(&a, None), (&b, None)]);
    for bad in [assignment(&[("t", &[0])], Some("mine")), "x".into()] {
        let [a, b] = world.classic_group_with(bad);
        assert_eq!(refused(&mut world), ErrorCode::GROUP_ID_NOT_FOUND);
        world.classic_leave(&[(&a, None), (&b, None)]);
    }
    let connect = Join { protocol_type: "connect".into(), ..join("", &["t"], &[]) };
    world.call_join(connect);
    assert_eq!(refused(&mut world), ErrorCode::GROUP_ID_NOT_FOUND);
}

#[test]
fn the_last_one_of_the_consumer_protocol_leaves_a_classic_group_behind() {
    for goes in ["by leaving", "in silence", "taken out"] {
        let mut world = world();
        world.beat(world::join_static("m1", "i", &["t"]));
        let id = world.classic_join(join("", &["t"], &[])).member;
        world.classic_sync(&id, 3);
        match goes {
            "by leaving" => {
                drop(world.beat(ConsumerHeartbeat { instance: Some("i".into()), ..world::keep("m1", -1) }))
            }
            "taken out" => drop(world.classic_leave(&[("", Some("i"))])),
            _ => {
                for _ in 0..9 {
                    world.wait(5_000);
                    world.classic_beat(&id, 3);
                }
                world.wait(1);
            }
        }
        assert!(world.rig.hard().consumer(GROUP).is_none(), "{goes}");
        assert_eq!(classic_state(&mut world), "PreparingRebalance", "{goes}");
        assert_eq!(world.classic_beat(&id, 3), ErrorCode::REBALANCE_IN_PROGRESS);
        let joined = world.classic_join(join(&id, &["t"], &[]));
        assert_eq!((joined.generation, &joined.leader), (4, &id));
        world.check();
    }
}

/// With Kafka 4.4.0 the classic group was left with what its members were to own, and the member that turned it around
/// again was given what another one still read.
#[test]
fn a_group_that_turns_around_twice_gives_nothing_away_that_is_read() {
    let mut world = world();
    let [a, b] = world.classic_group();
    world.joins("m3", &["t"]);
    world.beat(world::keep("m3", -1));
    assert_eq!(classic_state(&mut world), "PreparingRebalance");
    let answer = world.beat(world::join("m4", &["t"]));
    assert_eq!(answer.assignment.unwrap().len(), 0, "a and b still read all of it");
    assert_eq!(world.named(&world.assigned(&a)), [("t".to_string(), vec![0, 1])]);
    assert_eq!(world.named(&world.assigned(&b)), [("t".to_string(), vec![2, 3])]);
    world.check();
}

/// With Kafka 4.4.0 the group was stable, and the member that came back was given what the other one had not given up.
#[test]
fn a_static_member_that_comes_back_before_all_have_what_they_are_to_own_has_the_group_rebalance() {
    let mut world = world();
    let other = world.classic_join_first("m1");
    world.beat(world::join_static("m2", "i", &["t"]));
    let back = world.classic_join(of_instance(join("", &["t"], &[]), "i"));
    assert_eq!(classic_state(&mut world), "PreparingRebalance");
    let refused = world.try_sync(sync(&back.member, back.generation)).unwrap_err();
    assert_eq!(refused, ErrorCode::REBALANCE_IN_PROGRESS);
    let state = world.rig.hard().group(GROUP).unwrap().classic.clone().unwrap();
    assert_eq!(count(&state.members[&other].assignment), 4, "what it still reads");
    world.check();
}

#[test]
fn a_static_member_that_comes_back_as_a_classic_one_takes_the_group_with_it() {
    let mut world = world();
    world.beat(world::join_static("m1", "i", &["t"]));
    let other = world.classic_join(join("", &["t"], &[])).member;
    let told = world.beat(world::keep("m1", 2)).assignment.unwrap();
    world.beat(world::keep_with("m1", 2, told));
    world.classic_join(join(&other, &["t"], &[]));
    world.classic_sync(&other, 3);

    let back = world.classic_join(of_instance(join("", &["t"], &[]), "i"));
    assert_eq!((back.generation, back.leader.as_ref()), (3, ""));
    assert!(world.rig.hard().consumer(GROUP).is_none());
    assert_eq!(classic_state(&mut world), "Stable", "nothing changed for anybody");
    for id in [&back.member, &other] {
        assert_eq!(count(&world.classic_sync(id, 3)), 2);
        assert_eq!(world.classic_beat(id, 3), ErrorCode::NONE);
    }
    world.check();
}

#[test]
fn a_static_member_that_comes_back_with_other_topics_has_the_group_rebalance() {
    let mut world = World::new(&[("t", 4), ("u", 4)]);
    world.beat(world::join_static("m1", "i", &["t"]));
    world.classic_join(join("", &["t"], &[]));
    world.classic_join(of_instance(join("", &["u"], &[]), "i"));
    assert_eq!(classic_state(&mut world), "PreparingRebalance");
    world.check();
}

#[test]
fn a_consumer_group_stays_one_if_it_may_not_become_classic() {
    let mut world = world();
    world.joins("m1", &["t"]);
    world.classic_join(join("", &["t"], &[]));
    world.classic_join(join("", &["t"], &[]));
    world.settings.classic_size_max = 1;
    world.tell();
    world.beat(world::keep("m1", -1));
    assert_eq!(world.members().len(), 2);
    world.settings.migration = MigrationPolicy::Upgrade;
    world.tell();
    world.joins("m4", &["t"]);
    world.beat(world::keep("m4", -1));
    assert_eq!(world.members().len(), 2);
    world.check();
}

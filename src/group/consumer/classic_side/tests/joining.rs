//! JoinGroup into a consumer group.

use super::clients::*;
use crate::group::consumer::tests::world::{self, GROUP, World};
use crate::group::settings::MigrationPolicy;
use crate::group::state::{ClassicProtocol, MemberState};
use crate::group::{Command, Join, Leaving, Reply};
use crate::types::ErrorCode;

/// A consumer group with one member of the consumer protocol that owns all of `t`.
fn group() -> World {
    let mut world = World::new(&[("t", 4)]);
    world.joins("m1", &["t"]);
    world
}

#[test]
fn a_classic_member_joins_and_is_given_what_others_gave_up() {
    let mut world = group();
    let joined = world.classic_join(join("", &["t"], &[]));
    assert_eq!((joined.generation, joined.protocol.as_deref()), (3, Some("range")));
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
    assert!(joined.members.is_empty() && joined.leader.is_empty(), "nobody leads");
    let id = joined.member;
    assert_eq!(count(&world.classic_sync(&id, 3)), 0, "m1 still has all of it");
    assert_eq!(world.classic_beat(&id, 3), ErrorCode::NONE);

    let told = world.beat(world::keep("m1", 2)).assignment.unwrap();
    world.beat(world::keep_with("m1", 2, told.clone()));
    assert_eq!(world.classic_beat(&id, 3), ErrorCode::REBALANCE_IN_PROGRESS, "there is something to be had");
    let again = world.classic_join(join(&id, &["t"], &[]));
    assert_eq!(again.generation, 3);
    let (version, partitions) = read(world.classic_sync(&id, 3));
    assert_eq!(version, 1, "the version that the member speaks");
    assert_eq!(partitions[0].1.len() + told.values().next().unwrap().len(), 4);
    assert_eq!(world.classic_beat(&id, 3), ErrorCode::NONE);
    assert_eq!(world.state(), "Stable");
    world.check();
}

#[test]
fn a_classic_member_gives_up_before_others_are_given() {
    let mut world = group();
    let id = world.classic_join(join("", &["t"], &[])).member;
    let told = world.beat(world::keep("m1", 2)).assignment.unwrap();
    world.beat(world::keep_with("m1", 2, told));
    world.classic_join(join(&id, &["t"], &[]));
    world.classic_sync(&id, 3);
    let owned = world.named(&world.assigned(&id));
    let owned: Vec<(&str, &[i32])> = owned.iter().map(|(topic, numbers)| (&**topic, &**numbers)).collect();

    world.joins("m3", &["t"]);
    assert_eq!(world.classic_beat(&id, 3), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(world.classic_join(join(&id, &["t"], &owned)).generation, 3, "it has to give up first");
    let left = read(world.classic_sync(&id, 3)).1;
    assert_eq!(left[0].1.len(), 1);
    assert_eq!(world.classic_beat(&id, 3), ErrorCode::REBALANCE_IN_PROGRESS);
    let kept: Vec<(&str, &[i32])> = left.iter().map(|(topic, numbers)| (&**topic, &**numbers)).collect();
    assert_eq!(world.classic_join(join(&id, &["t"], &kept)).generation, 4);
    assert_eq!(count(&world.classic_sync(&id, 4)), 1);
    assert_eq!(world.classic_beat(&id, 4), ErrorCode::NONE);
}

#[test]
fn who_cannot_join_is_told_why() {
    let mut world = group();
    let wrong_type = Join { protocol_type: "connect".into(), ..join("", &["t"], &[]) };
    assert_eq!(world.join_refused(wrong_type), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let nothing = Join { protocols: vec![], ..join("", &["t"], &[]) };
    assert_eq!(world.join_refused(nothing), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let garbage = ClassicProtocol { name: "range".into(), metadata: "\0".into() };
    let garbage = Join { protocols: vec![garbage], ..join("", &["t"], &[]) };
    assert_eq!(world.join_refused(garbage), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let quick = Join { session_timeout_ms: 1, ..join("x", &["t"], &[]) };
    let refused = world.try_join(quick).unwrap_err();
    assert_eq!((refused.refused.code, &*refused.member), (ErrorCode::INVALID_SESSION_TIMEOUT, "x"));
    let unknown = of_instance(join("x", &["t"], &[]), "i");
    assert_eq!(world.join_refused(unknown), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.members(), ["m1"], "none of it changed anything");

    world.classic_join(join("", &["t"], &[]));
    let mut other = join("", &["t"], &[]);
    other.protocols[0].name = "sticky".into();
    assert_eq!(world.join_refused(other.clone()), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    other.protocols.push(join("", &["t"], &[]).protocols[0].clone());
    assert_eq!(world.classic_join(other).protocol.as_deref(), Some("sticky"), "one in common is enough");

    world.settings.consumer_size_max = 3;
    world.tell();
    assert_eq!(world.join_refused(join("", &["t"], &[])), ErrorCode::GROUP_MAX_SIZE_REACHED);
    world.settings.migration = MigrationPolicy::Disabled;
    world.tell();
    assert_eq!(world.join_refused(join("", &["t"], &[])), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
}

#[test]
fn a_newcomer_may_have_to_know_its_id_first() {
    let mut world = group();
    let must_know = |member: &str| Join { must_know_its_id: true, ..join(member, &["t"], &[]) };
    let refused = world.try_join(must_know("")).unwrap_err();
    assert_eq!(refused.refused.code, ErrorCode::MEMBER_ID_REQUIRED);
    assert_eq!(world.members(), ["m1"]);
    assert_eq!(world.classic_join(must_know(&refused.member)).member, refused.member);
    let of_static = of_instance(must_know(""), "i");
    world.classic_join(of_static);
}

#[test]
fn a_static_member_takes_the_place_of_the_one_before() {
    let mut world = World::new(&[("t", 4)]);
    world.joins("m1", &["t"]);
    let first = world.classic_join(of_instance(join("", &["t"], &[]), "i")).member;
    let told = world.beat(world::keep("m1", 2)).assignment.unwrap();
    world.beat(world::keep_with("m1", 2, told));
    world.classic_join(of_instance(join(&first, &["t"], &[]), "i"));
    let owned = world.assigned(&first);
    let epochs = world.epochs();

    let second = world.classic_join(of_instance(join("", &["t"], &[]), "i")).member;
    assert_ne!(first, second);
    assert_eq!(world.assigned(&second), owned);
    assert_eq!(world.epochs(), epochs, "no rebalance");
    let fenced = of_instance(join(&first, &["t"], &[]), "i");
    assert_eq!(world.join_refused(fenced), ErrorCode::FENCED_INSTANCE_ID);
    world.check();
}

#[test]
fn a_join_into_an_empty_consumer_group_makes_it_classic() {
    let mut world = group();
    world.beat(world::keep("m1", -1));
    let call = world.call_join(join("", &["t"], &[]));
    assert!(world.rig.replies().iter().any(|(to, _)| *to == call));
    assert!(world.rig.hard().consumer(GROUP).is_none());
}

#[test]
fn a_silent_member_goes() {
    let mut world = group();
    let id = world.classic_join(join("", &["t"], &[])).member;
    world.classic_sync(&id, 3);
    for _ in 0..3 {
        world.wait(9_000);
        world.classic_beat(&id, 3);
        world.beat(world::keep("m1", 2));
    }
    assert_eq!(world.members().len(), 2);
    world.wait(10_001);
    assert_eq!(world.members(), ["m1"]);
}

#[test]
fn a_member_that_joined_has_to_ask_for_its_assignment() {
    let mut world = group();
    let id = world.classic_join(join("", &["t"], &[])).member;
    for _ in 0..4 {
        world.wait(5_000);
        world.beat(world::keep("m1", 2));
        world.classic_beat(&id, 3);
    }
    world.wait(1);
    assert_eq!(world.members(), ["m1"], "20 s were its rebalance timeout");
}

#[test]
fn a_member_that_is_told_to_join_again_has_to() {
    let mut world = group();
    let id = world.classic_join(join("", &["t"], &[])).member;
    world.classic_sync(&id, 3);
    world.joins("m3", &["t"]);
    for _ in 0..4 {
        assert_eq!(world.classic_beat(&id, 3), ErrorCode::REBALANCE_IN_PROGRESS);
        world.wait(5_000);
        world.beat(world::keep("m1", 2));
        world.beat(world::keep("m3", 4));
    }
    world.wait(1);
    assert!(!world.members().contains(&id.to_string()), "20 s from the first time that it was told");
}

#[test]
fn members_leave_by_id_or_by_instance() {
    let mut world = group();
    let dynamic = world.classic_join(join("", &["t"], &[])).member;
    let fixed = world.classic_join(of_instance(join("", &["t"], &[]), "i")).member;
    let left = world.classic_leave(&[
        ("x", None),
        ("x", Some("i")),
        ("", Some("j")),
        (&dynamic, None),
        ("", Some("i")),
    ]);
    let codes: Vec<ErrorCode> = left.iter().map(|left| left.code).collect();
    let unknown = ErrorCode::UNKNOWN_MEMBER_ID;
    assert_eq!(codes, [unknown, ErrorCode::FENCED_INSTANCE_ID, unknown, ErrorCode::NONE, ErrorCode::NONE]);
    assert_eq!(world.members(), ["m1"]);
    assert_ne!(dynamic, fixed);
    let nobody = Command::Leave(crate::group::Leave { group: GROUP.into(), members: Vec::<Leaving>::new() });
    assert!(matches!(world.rig.ask(nobody), Reply::Left(Ok(left)) if left.is_empty()));
    world.check();
}

#[test]
fn the_state_of_a_classic_member_is_written() {
    let mut world = group();
    let id = world.classic_join(join("", &["t"], &[])).member;
    let member = world.rig.hard().consumer(GROUP).unwrap().members[&id].clone();
    assert_eq!(member.current.unwrap().state, MemberState::UnreleasedPartitions);
    assert_eq!(member.metadata.unwrap().classic.unwrap().session_timeout_ms, 10_000);
    world.restart();
    assert_eq!(world.classic_beat(&id, 3), ErrorCode::NONE);
    world.wait(10_001);
    assert_eq!(world.members(), ["m1"], "its own session holds after a restart, too");
}

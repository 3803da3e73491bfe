//! SyncGroup and Heartbeat of classic members.

use super::clients::*;
use crate::group::consumer::tests::world::{self, GROUP, World};
use crate::group::{Command, Heartbeat, Reply, Sync};
use crate::types::ErrorCode;

#[test]
fn a_sync_must_be_right_in_all() {
    let mut world = World::new(&[("t", 4)]);
    world.joins("m1", &["t"]);
    let id = world.classic_join(join("", &["t"], &[])).member;
    let right = sync(&id, 3);
    let check = |world: &mut World, sync: Sync, code: ErrorCode| {
        assert_eq!(world.try_sync(sync.clone()).err(), Some(code), "{sync:?}");
    };
    check(&mut world, sync("x", 3), ErrorCode::UNKNOWN_MEMBER_ID);
    check(&mut world, sync("m1", 3), ErrorCode::UNKNOWN_MEMBER_ID);
    check(&mut world, Sync { instance: Some("i".into()), ..right.clone() }, ErrorCode::UNKNOWN_MEMBER_ID);
    check(&mut world, sync(&id, 2), ErrorCode::ILLEGAL_GENERATION);
    let connect = Sync { protocol_type: Some("connect".into()), ..right.clone() };
    check(&mut world, connect, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let sticky = Sync { protocol: Some("sticky".into()), ..right.clone() };
    check(&mut world, sticky, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    world.joins("m3", &["t"]);
    check(&mut world, right.clone(), ErrorCode::REBALANCE_IN_PROGRESS);
    world.classic_join(join(&id, &["t"], &[]));
    let old = Sync { protocol_type: None, protocol: None, generation: 4, ..right };
    let synced = world.try_sync(old).unwrap();
    assert_eq!((synced.protocol_type, synced.protocol), (None, None), "as the client asked");
}

#[test]
fn a_heartbeat_must_be_of_a_classic_member_in_its_generation() {
    let mut world = World::new(&[("t", 4)]);
    world.joins("m1", &["t"]);
    let id = world.classic_join(of_instance(join("", &["t"], &[]), "i")).member;
    assert_eq!(world.classic_beat("x", 3), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.classic_beat("m1", 2), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.classic_beat(&id, 2), ErrorCode::ILLEGAL_GENERATION);
    let fenced =
        Heartbeat { group: GROUP.into(), member: "x".into(), instance: Some("i".into()), generation: 3 };
    let Reply::Heartbeat(answer) = world.rig.ask(Command::Heartbeat(fenced)) else { panic!("another reply") };
    assert_eq!(answer.unwrap_err().code, ErrorCode::FENCED_INSTANCE_ID);
}

#[test]
fn a_topic_that_is_gone_is_not_in_an_assignment() {
    let mut world = World::new(&[("t", 2), ("u", 2)]);
    world.joins("m1", &[]);
    let joined = world.classic_join(join("", &["t", "u"], &[]));
    let (id, generation) = (joined.member, joined.generation);
    world.table.delete("u");
    world.tell();
    let synced = read(world.classic_sync(&id, generation)).1;
    assert_eq!(synced, [("t".to_string(), vec![0, 1])]);
    world.beat(world::keep("m1", 1));
    assert_eq!(world.classic_beat(&id, generation), ErrorCode::REBALANCE_IN_PROGRESS);
}

//! Which commits and fetches of offsets are a member's to make.

use super::world::*;
use crate::group::consumer::{check_commit, check_fetch};
use crate::group::{Commit, CommitPartition, FetchOffsets};
use crate::types::{Epoch, ErrorCode, Offset, Uuid};
use std::sync::Arc;

const OK: Result<(), ErrorCode> = Ok(());

fn commit(
    world: &mut World,
    member: &str,
    epoch: i32,
    knows_epochs: bool,
    of: &[i32],
) -> Result<(), ErrorCode> {
    let topic_id = world.table.id("a");
    let partition = |partition: &i32| CommitPartition {
        topic: "a".into(),
        topic_id,
        partition: *partition,
        offset: Offset(1),
        leader_epoch: Epoch::NONE,
        metadata: None,
    };
    let commit = Commit {
        group: GROUP.into(),
        member: member.into(),
        instance: None,
        generation: epoch,
        knows_epochs,
        retention_ms: None,
        partitions: of.iter().map(partition).collect(),
    };
    world.rig.step(|cx| check_commit(cx, &commit)).map_err(|refused| refused.code)
}

fn fetch(world: &mut World, member: Option<&str>, epoch: i32) -> Result<(), ErrorCode> {
    let fetch = FetchOffsets { group: GROUP.into(), member: member.map(Arc::from), epoch, topics: None };
    world.rig.step(|cx| check_fetch(cx, &fetch)).map_err(|refused| refused.code)
}

/// `m` has one partition of `a` since epoch 2, `n` the other since epoch 3; both are in epoch 3.
fn settled() -> (World, i32) {
    let mut world = World::new(&[("a", 2)]);
    world.joins("m", &["a"]);
    world.joins("n", &["a"]);
    let kept = world.beat(keep("m", 2)).assignment.unwrap();
    world.beat(keep_with("m", 2, kept.clone()));
    world.beat(keep("n", 3));
    let mine = *kept.values().next().unwrap().first().unwrap();
    (world, mine)
}

#[test]
fn a_member_commits_with_its_epoch() {
    let (mut world, mine) = settled();
    assert_eq!(commit(&mut world, "m", 3, true, &[mine, 1 - mine]), OK);
    assert_eq!(commit(&mut world, "m", 4, true, &[mine]), Err(ErrorCode::STALE_MEMBER_EPOCH));
    assert_eq!(commit(&mut world, "x", 3, true, &[mine]), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!(commit(&mut world, "", -1, true, &[mine]), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!(commit(&mut world, "m", 3, false, &[mine]), Err(ErrorCode::UNSUPPORTED_VERSION));
}

#[test]
fn an_older_epoch_will_do_for_partitions_that_were_the_members_then() {
    let (mut world, mine) = settled();
    assert_eq!(commit(&mut world, "m", 2, true, &[mine]), OK);
    assert_eq!(commit(&mut world, "m", 1, true, &[mine]), Err(ErrorCode::STALE_MEMBER_EPOCH));
    assert_eq!(commit(&mut world, "m", 2, true, &[mine, 1 - mine]), Err(ErrorCode::STALE_MEMBER_EPOCH));
    assert_eq!(commit(&mut world, "n", 2, true, &[1 - mine]), Err(ErrorCode::STALE_MEMBER_EPOCH));
}

#[test]
fn what_is_to_be_given_up_may_still_be_committed() {
    let mut world = World::new(&[("a", 2)]);
    world.joins("m", &["a"]);
    world.joins("n", &["a"]);
    world.beat(keep("m", 2));
    world.joins("o", &["a"]);
    assert_eq!(commit(&mut world, "m", 2, true, &[0, 1]), OK);
}

#[test]
fn anyone_commits_to_a_group_without_members() {
    let (mut world, mine) = settled();
    world.beat(keep("m", -1));
    world.beat(keep("n", -1));
    assert_eq!(commit(&mut world, "", -1, true, &[mine]), OK);
    assert_eq!(commit(&mut world, "m", 3, true, &[mine]), Err(ErrorCode::UNKNOWN_MEMBER_ID));
}

#[test]
fn a_member_fetches_with_its_epoch_and_others_without_one() {
    let (mut world, _) = settled();
    assert_eq!(fetch(&mut world, Some("m"), 3), OK);
    assert_eq!(fetch(&mut world, None, -1), OK);
    assert_eq!(fetch(&mut world, Some("m"), 2), Err(ErrorCode::STALE_MEMBER_EPOCH));
    assert_eq!(fetch(&mut world, Some("m"), 4), Err(ErrorCode::STALE_MEMBER_EPOCH));
    assert_eq!(fetch(&mut world, Some("x"), 3), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!(fetch(&mut world, None, 3), Err(ErrorCode::UNKNOWN_MEMBER_ID));
}

#[test]
fn a_topic_made_again_is_not_the_members() {
    let (mut world, mine) = settled();
    world.table.delete("a");
    world.set_topic("a", 2);
    assert_ne!(world.table.id("a"), Uuid::ZERO);
    assert_eq!(commit(&mut world, "m", 3, true, &[mine]), OK);
    assert_eq!(commit(&mut world, "m", 2, true, &[mine]), Err(ErrorCode::STALE_MEMBER_EPOCH));
}

//! OffsetCommit and OffsetFetch.

use super::*;

#[test]
fn a_commit_without_members_makes_a_group_of_offsets_alone() {
    let mut world = World::new();
    world.commit("g", "a", 0, 42);
    assert_eq!(world.committed("g"), [named("a", 0, 42)]);
    assert_eq!(world.groups(), [("g".to_owned(), "Empty")]);
    world.restart();
    assert_eq!(world.committed("g"), [named("a", 0, 42)]);
}

#[test]
fn the_last_commit_of_a_partition_wins() {
    let mut world = World::new();
    world.commit("g", "a", 0, 42);
    world.commit("g", "a", 0, 7);
    world.commit("g", "a", 1, 8);
    assert_eq!(world.committed("g"), [named("a", 0, 7), named("a", 1, 8)]);
}

#[test]
fn a_commit_keeps_all_that_the_client_said_and_when() {
    let mut world = World::new();
    world.commit("g", "a", 0, 42);
    let expected = Committed {
        offset: Offset(42),
        leader_epoch: Epoch(3),
        metadata: "note".into(),
        at: crate::types::TimestampMs(1_700_000_000_000),
        expires: None,
        topic_id: id(1),
    };
    assert_eq!(world.rig.hard().group("g").unwrap().offsets["a"][&0], expected);
    assert!(expected.may_be_of(id(1)) && expected.may_be_of(TopicId::ZERO) && !expected.may_be_of(id(2)));
}

#[test]
fn metadata_that_is_too_large_fails_its_partition_alone() {
    let mut world = World::new();
    let mut commit = world.a_commit("g", "a", 0, 1);
    let mut large = commit.partitions[0].clone();
    large.partition = 1;
    large.metadata = Some("x".repeat(4097).into());
    commit.partitions.insert(0, large);
    let codes = vec![ErrorCode::OFFSET_METADATA_TOO_LARGE, ErrorCode::NONE];
    assert_eq!(world.try_commit(commit), Ok(codes));
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
}

#[test]
fn a_member_of_a_group_that_is_not_there_is_told_so_as_it_can_understand() {
    let mut world = World::new();
    let member = |knows_epochs| Commit { generation: 0, knows_epochs, ..world.a_commit("g", "a", 0, 1) };
    let (new, old) = (member(true), member(false));
    assert_eq!(world.try_commit(new), Err(ErrorCode::GROUP_ID_NOT_FOUND));
    assert_eq!(world.try_commit(old), Err(ErrorCode::ILLEGAL_GENERATION));
    assert_eq!(world.groups(), []);
}

#[test]
fn a_group_of_offsets_alone_knows_no_member() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    let commit = Commit { generation: 1, member: "m".into(), ..world.a_commit("g", "a", 0, 2) };
    assert_eq!(world.try_commit(commit), Err(ErrorCode::UNKNOWN_MEMBER_ID));
}

#[test]
fn a_classic_group_takes_commits_of_its_members_in_their_generation() {
    let mut world = World::new();
    let member = world.join("g", "consumer", &["a"]);
    let commit = |world: &World, member: &str, generation| Commit {
        generation,
        member: member.into(),
        ..world.a_commit("g", "a", 0, 1)
    };
    let (by_nobody, stale, right) =
        (commit(&world, "", -1), commit(&world, &member, 0), commit(&world, &member, 1));
    assert_eq!(world.try_commit(by_nobody), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!(world.try_commit(stale), Err(ErrorCode::ILLEGAL_GENERATION));
    assert_eq!(world.try_commit(right), Ok(vec![ErrorCode::NONE]));
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
}

#[test]
fn a_consumer_group_takes_commits_of_its_members_in_their_epoch() {
    let mut world = World::new();
    let epoch = world.beat("g", "m", 0, &["a"]);
    let commit = |world: &World, generation| Commit {
        generation,
        member: "m".into(),
        ..world.a_commit("g", "a", 0, 1)
    };
    let (ahead, right) = (commit(&world, epoch + 1), commit(&world, epoch));
    assert_eq!(world.try_commit(ahead), Err(ErrorCode::STALE_MEMBER_EPOCH));
    assert_eq!(world.try_commit(right), Ok(vec![ErrorCode::NONE]));
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
}

#[test]
fn a_partition_that_is_not_committed_has_no_offset_and_no_error() {
    let mut world = World::new();
    world.commit("g", "a", 1, 5);
    let asked = Some(vec![("a".into(), vec![1, 2]), ("b".into(), vec![0])]);
    let topics = world.fetch("g", asked.clone());
    let offsets = |topic: usize| -> Vec<Option<i64>> {
        let partitions = topics[topic].partitions.iter();
        partitions.map(|(_, committed)| committed.as_ref().map(|committed| committed.offset.0)).collect()
    };
    assert_eq!((offsets(0), offsets(1)), (vec![Some(5), None], vec![None]));
    let unknown = world.fetch("nobody", asked);
    assert!(unknown.iter().all(|topic| topic.partitions.iter().all(|(_, committed)| committed.is_none())));
    assert_eq!(world.fetch("nobody", None), []);
}

#[test]
fn a_member_reads_offsets_in_its_epoch_only() {
    let mut world = World::new();
    let epoch = world.beat("g", "m", 0, &["a"]);
    let mut fetch = |member: Option<&str>, epoch| {
        let fetch = FetchOffsets { group: "g".into(), member: member.map(Arc::from), epoch, topics: None };
        match world.rig.ask(Command::FetchOffsets(fetch)) {
            Reply::Offsets(outcome) => outcome.map(|_| ()).map_err(|refused| refused.code),
            _ => panic!("not the answer to a fetch"),
        }
    };
    assert_eq!(fetch(Some("m"), epoch), Ok(()));
    assert_eq!(fetch(None, -1), Ok(()));
    assert_eq!(fetch(Some("m"), epoch + 1), Err(ErrorCode::STALE_MEMBER_EPOCH));
    assert_eq!(fetch(Some("n"), epoch), Err(ErrorCode::UNKNOWN_MEMBER_ID));
}

#[test]
fn before_the_first_context_nothing_is_committed() {
    let mut rig: Rig<Groups> = Rig::new(1);
    let commit = World::new().a_commit("g", "a", 0, 1);
    assert!(matches!(rig.ask(Command::Commit(commit)), Reply::Loading));
    assert!(rig.hard().groups.is_empty());
}

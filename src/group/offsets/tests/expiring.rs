//! What `offsets.retention.minutes` does, and what it must not do.

use super::*;

/// Until the look that comes after the retention time.
fn expired() -> Duration {
    RETENTION + CHECK
}

#[test]
fn offsets_without_members_expire_by_the_time_they_were_committed() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.rig.advance(RETENTION - CHECK);
    world.commit("g", "a", 1, 2);
    world.rig.advance(CHECK * 3);
    assert_eq!(world.committed("g"), [named("a", 1, 2)]);
    world.rig.advance(RETENTION);
    assert_eq!(world.groups(), []);
}

#[test]
fn offsets_stay_until_the_retention_time_has_passed() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.rig.advance(RETENTION - CHECK);
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
}

#[test]
fn offsets_of_a_classic_group_expire_from_when_its_last_member_went() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    let member = world.join("g", "consumer", &["a"]);
    world.rig.advance(MINUTE / 2);
    world.leave("g", &member);
    world.rig.advance(RETENTION - CHECK);
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
    world.rig.advance(CHECK * 2);
    assert_eq!(world.groups(), []);
    assert!(world.rig.hard().groups.is_empty(), "the group is forgotten with its last offset");
}

#[test]
fn offsets_that_a_member_reads_do_not_expire_and_others_do() {
    let mut world = World::new();
    world.settings.offsets_retention = MINUTE * 15;
    world.tell();
    for group in ["classic", "new"] {
        world.commit(group, "a", 0, 1);
        world.commit(group, "b", 0, 1);
    }
    let member = world.join("classic", "consumer", &["a"]);
    let epoch = world.beat("new", "m", 0, &["a"]);
    // The members stay alive from one session to the next.
    for _ in 0..60 {
        world.rig.advance(MINUTE / 2);
        world.beat("new", "m", epoch, &[]);
        let (group, member) = ("classic".into(), Arc::clone(&member));
        let beat = Heartbeat { group, member, instance: None, generation: 1 };
        assert!(matches!(world.rig.ask(Command::Heartbeat(beat)), Reply::Heartbeat(Ok(()))));
    }
    assert_eq!(world.committed("classic"), [named("a", 0, 1)]);
    assert_eq!(world.committed("new"), [named("a", 0, 1)]);
}

#[test]
fn nothing_expires_while_members_of_another_protocol_type_are_there() {
    let mut world = World::new();
    world.settings.offsets_retention = MINUTE;
    world.tell();
    world.commit("connect", "a", 0, 1);
    let member = world.join("connect", "connect", &[]);
    for _ in 0..30 {
        world.rig.advance(MINUTE / 2);
        let (group, member) = ("connect".into(), Arc::clone(&member));
        let beat = Heartbeat { group, member, instance: None, generation: 1 };
        assert!(matches!(world.rig.ask(Command::Heartbeat(beat)), Reply::Heartbeat(Ok(()))));
    }
    assert_eq!(world.committed("connect"), [named("a", 0, 1)]);
}

#[test]
fn an_empty_group_without_offsets_goes_at_the_next_look() {
    let mut world = World::new();
    let member = world.join("classic", "consumer", &["a"]);
    world.leave("classic", &member);
    world.beat("new", "m", 0, &["a"]);
    world.beat("new", "m", -1, &[]);
    assert_eq!(world.groups().len(), 2);
    world.rig.advance(CHECK + MINUTE);
    assert_eq!(world.groups(), []);
    assert!(world.rig.hard().groups.is_empty());
}

#[test]
fn a_time_of_expiry_that_the_client_named_counts_instead() {
    let mut world = World::new();
    let soon = Commit { retention_ms: Some(60_000), ..world.a_commit("soon", "a", 0, 1) };
    let late = Commit { retention_ms: Some(20 * 86_400_000), ..world.a_commit("late", "a", 0, 1) };
    world.try_commit(soon).unwrap();
    world.try_commit(late).unwrap();
    world.rig.advance(CHECK + MINUTE);
    assert_eq!(world.groups(), [("late".to_owned(), "Empty")]);
    world.rig.advance(expired());
    assert_eq!(world.committed("late"), [named("a", 0, 1)]);
    world.rig.advance(DAY * 14);
    assert_eq!(world.groups(), []);
}

// Kafka believes the wall clock: set forward by a month, it deletes the offsets of all groups without members.
#[test]
fn a_clock_set_forward_deletes_nothing() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.rig.set_wall(30 * 86_400_000);
    world.rig.advance(CHECK * 3);
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
    // The time that passes counts all the same.
    world.rig.advance(RETENTION);
    assert_eq!(world.groups(), []);
}

// Kafka deletes them some minutes after such a start.
#[test]
fn a_broker_that_was_off_for_long_deletes_nothing_when_it_starts() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.rig.set_wall(30 * 86_400_000);
    world.restart();
    world.rig.advance(CHECK * 3);
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
    world.rig.advance(RETENTION);
    assert_eq!(world.groups(), []);
}

#[test]
fn a_clock_set_back_keeps_offsets_longer_and_not_shorter() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.rig.set_wall(-2 * 86_400_000);
    world.rig.advance(expired());
    assert_eq!(world.committed("g"), [named("a", 0, 1)]);
    world.rig.advance(DAY * 2);
    assert_eq!(world.groups(), []);
}

#[test]
fn a_restart_does_not_begin_the_retention_time_anew() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.rig.advance(RETENTION - DAY);
    world.commit("other", "a", 0, 1);
    world.restart();
    world.rig.advance(DAY + CHECK);
    assert_eq!(world.groups(), [("other".to_owned(), "Empty")]);
}

#[test]
fn many_groups_are_looked_at_in_turns_between_which_others_are_served() {
    let mut world = World::new();
    world.rig.step(|cx| {
        for number in 0..2500 {
            let committed = Committed {
                offset: Offset(1),
                leader_epoch: Epoch::NONE,
                metadata: "".into(),
                at: cx.wall(),
                expires: None,
                topic_id: id(1),
            };
            let (group, topic) = (format!("g{number:05}").into(), "a".into());
            cx.emit(GroupRecord::Offset { group, topic, partition: 0, committed: Some(committed) });
        }
    });
    world.settings.offsets_retention = MINUTE;
    world.tell();
    world.rig.advance(CHECK);
    let left = world.groups().len();
    assert!(left >= 1500, "{left} left after the first turn");
    world.rig.advance(Duration::from_secs(1));
    assert_eq!(world.groups(), []);
}

#[test]
fn a_group_with_very_many_offsets_is_forgotten_in_several_turns() {
    let mut world = World::new();
    for first in [0, 10_000] {
        let mut commit = world.a_commit("g", "a", 0, 1);
        let one = commit.partitions[0].clone();
        let partitions = first..first + 10_000;
        commit.partitions =
            partitions.map(|partition| CommitPartition { partition, ..one.clone() }).collect();
        world.try_commit(commit).unwrap();
    }
    world.settings.offsets_retention = MINUTE;
    world.tell();
    world.rig.advance(CHECK);
    let left = world.committed("g").len();
    assert!((1..20_000).contains(&left), "{left} left after the first turn");
    world.rig.advance(Duration::from_secs(1));
    assert_eq!(world.groups(), []);
}

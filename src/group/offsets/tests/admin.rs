//! OffsetDelete, DeleteGroups and ListGroups.

use super::*;

#[test]
fn deleting_offsets_forgets_what_is_named_and_what_is_not_there_is_no_error() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.commit("g", "a", 1, 2);
    assert_eq!(world.delete("g", &[("a", 0), ("a", 9), ("b", 0)]), Ok(vec![ErrorCode::NONE; 3]));
    assert_eq!(world.committed("g"), [named("a", 1, 2)]);
    // A tombstone for the one that was there.
    assert_eq!(world.rig.records().len(), 3);
}

#[test]
fn a_group_whose_last_offset_was_deleted_is_shown_until_the_next_look() {
    let mut world = World::new();
    world.commit("g", "a", 0, 1);
    world.delete("g", &[("a", 0)]).unwrap();
    assert_eq!(world.groups(), [("g".to_owned(), "Empty")]);
    let reply = world.rig.ask(Command::DescribeClassic("g".into()));
    assert!(matches!(reply, Reply::ClassicDescribed(Ok(_))));
    assert_eq!(world.committed("g"), []);
    world.commit("g", "a", 0, 2);
    assert_eq!(world.committed("g"), [named("a", 0, 2)]);
    world.delete("g", &[("a", 0)]).unwrap();
    world.rig.advance(CHECK + MINUTE);
    assert_eq!(world.groups(), []);
    world.commit("g", "a", 0, 1);
    world.delete("g", &[("a", 0)]).unwrap();
    assert_eq!(world.delete_group("g"), Ok(()));
    assert_eq!(world.delete_group("g"), Err(ErrorCode::GROUP_ID_NOT_FOUND));
}

#[test]
fn a_group_whose_last_offset_was_deleted_may_be_joined_in_both_protocols() {
    let mut world = World::new();
    for group in ["classic", "new"] {
        world.commit(group, "a", 0, 1);
        world.delete(group, &[("a", 0)]).unwrap();
    }
    world.join("classic", "consumer", &["a"]);
    world.beat("new", "m", 0, &["a"]);
    let Reply::Listed(listed) = world.rig.ask(Command::List(List::default())) else { panic!() };
    let kinds: Vec<_> = listed.iter().map(|each| (each.kind, each.state)).collect();
    assert_eq!(kinds, [(GroupKind::Classic, "Stable"), (GroupKind::Consumer, "Stable")]);
}

#[test]
fn deleting_offsets_of_no_group_says_so() {
    let mut world = World::new();
    assert_eq!(world.delete("g", &[("a", 0)]), Err(ErrorCode::GROUP_ID_NOT_FOUND));
    assert_eq!(world.delete("", &[("a", 0)]), Err(ErrorCode::INVALID_GROUP_ID));
}

#[test]
fn offsets_of_topics_that_a_member_reads_are_not_deleted() {
    let mut world = World::new();
    world.commit("classic", "a", 0, 1);
    world.commit("classic", "b", 0, 1);
    world.join("classic", "consumer", &["a"]);
    world.commit("new", "a", 0, 1);
    world.commit("new", "b", 0, 1);
    world.beat("new", "m", 0, &["a"]);
    for group in ["classic", "new"] {
        let codes = vec![ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode::NONE];
        assert_eq!(world.delete(group, &[("a", 0), ("b", 0)]), Ok(codes));
        assert_eq!(world.committed(group), [named("a", 0, 1)]);
    }
}

#[test]
fn offsets_of_a_group_of_another_protocol_type_are_deleted_only_without_members() {
    let mut world = World::new();
    world.commit("connect", "a", 0, 1);
    let member = world.join("connect", "connect", &[]);
    assert_eq!(world.delete("connect", &[("a", 0)]), Err(ErrorCode::NON_EMPTY_GROUP));
    world.leave("connect", &member);
    assert_eq!(world.delete("connect", &[("a", 0)]), Ok(vec![ErrorCode::NONE]));
}

#[test]
fn a_group_without_members_is_deleted_with_its_offsets() {
    let mut world = World::new();
    world.commit("simple", "a", 0, 1);
    world.commit("classic", "a", 0, 1);
    world.commit("new", "a", 0, 1);
    let member = world.join("classic", "consumer", &["a"]);
    world.beat("new", "m", 0, &["a"]);
    assert_eq!(world.delete_group("classic"), Err(ErrorCode::NON_EMPTY_GROUP));
    assert_eq!(world.delete_group("new"), Err(ErrorCode::NON_EMPTY_GROUP));
    world.leave("classic", &member);
    world.beat("new", "m", -1, &[]);
    for group in ["simple", "classic", "new"] {
        assert_eq!(world.delete_group(group), Ok(()));
        assert_eq!(world.delete_group(group), Err(ErrorCode::GROUP_ID_NOT_FOUND));
    }
    assert!(world.rig.hard().groups.is_empty());
    assert_eq!(world.groups(), []);
}

#[test]
fn a_list_shows_groups_of_both_protocols_in_order() {
    let mut world = World::new();
    world.join("c", "connect", &[]);
    world.beat("b", "m", 0, &["a"]);
    world.commit("a", "a", 0, 1);
    let Reply::Listed(listed) = world.rig.ask(Command::List(List::default())) else { panic!() };
    let listed: Vec<_> =
        listed.iter().map(|each| (&*each.group, &*each.protocol_type, each.state, each.kind)).collect();
    let expected = [
        ("a", "", "Empty", GroupKind::Classic),
        ("b", "consumer", "Stable", GroupKind::Consumer),
        ("c", "connect", "Stable", GroupKind::Classic),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn a_list_is_filtered_by_states_without_case_and_by_kinds() {
    let mut world = World::new();
    world.commit("a", "a", 0, 1);
    world.beat("b", "m", 0, &["a"]);
    world.join("c", "consumer", &["a"]);
    let mut list = |names: &[&str], kinds: &[GroupKind]| {
        let list = List { states: states(names), kinds: kinds.iter().copied().collect() };
        world.list(list).into_iter().map(|(group, _)| group).collect::<Vec<_>>()
    };
    assert_eq!(list(&[" sTABLE "], &[]), ["b", "c"]);
    assert_eq!(list(&["Empty", "Stable"], &[GroupKind::Classic]), ["a", "c"]);
    assert_eq!(list(&[], &[GroupKind::Consumer]), ["b"]);
    assert_eq!(list(&["NoSuchState"], &[]), [""; 0]);
}

//! The machine starts again from its log.

use super::world::*;

fn two() -> World {
    let mut world = World::new(&[("a", 2)]);
    world.joins("m", &["a"]);
    world.joins("n", &["a"]);
    world
}

#[test]
fn members_go_on_where_they_were() {
    let mut world = two();
    let kept = world.beat(keep("m", 2)).assignment.unwrap();
    world.beat(keep_with("m", 2, kept));
    world.beat(keep("n", 3));
    let from = world.rig.records().len();
    world.restart();
    assert_eq!(world.state(), "Stable");
    assert_eq!((world.beat(keep("m", 3)).epoch, world.beat(keep("n", 3)).epoch), (3, 3));
    assert_eq!(world.rig.records().len(), from, "the same topics give the same hash");
}

#[test]
fn sessions_start_anew() {
    let mut world = two();
    world.wait(40_000);
    world.restart();
    world.wait(44_999);
    assert_eq!(world.members(), ["m", "n"]);
    world.wait(1);
    assert!(world.members().is_empty());
}

#[test]
fn who_has_to_give_up_has_its_time_anew() {
    let mut world = two();
    world.beat(keep("m", 2));
    world.wait(20_000);
    world.restart();
    world.wait(29_999);
    assert_eq!(world.members(), ["m", "n"]);
    world.wait(1);
    assert_eq!(world.members(), ["n"]);
}

#[test]
fn a_handover_under_way_goes_on() {
    let mut world = two();
    let kept = world.beat(keep("m", 2)).assignment.unwrap();
    world.restart();
    assert_eq!(world.beat(keep("n", 3)).assignment, None);
    world.restart();
    world.beat(keep_with("m", 2, kept));
    world.restart();
    assert!(world.beat(keep("n", 3)).assignment.is_some());
}

#[test]
fn topics_that_changed_in_between_are_noticed() {
    let mut world = two();
    world.table.set("a", 5);
    world.restart();
    world.beat(keep("m", 2));
    assert_eq!(world.epochs(), (4, 4));
}

#[test]
fn static_members_are_still_known() {
    let mut world = World::new(&[("a", 2)]);
    world.beat(join_static("m", "i", &["a"]));
    world.restart();
    assert_eq!(world.refused(join_static("n", "i", &["a"])), crate::types::ErrorCode::UNRELEASED_INSTANCE_ID);
}

//! What others are shown.

use super::super::unwritten;
use super::*;

impl Kit {
    fn overview(&mut self) -> Option<Overview> {
        self.rig.step(|cx| {
            let (hard, soft) = cx.state();
            overview(hard, &soft.classic, "g")
        })
    }

    fn unwritten(&mut self) -> Vec<Id> {
        self.rig.step(|cx| {
            let (hard, soft) = cx.state();
            unwritten(hard, &soft.classic)
        })
    }
}

/// ConsumerProtocolSubscription with these topics.
fn reading(version: i16, topics: &[&str]) -> ClassicProtocol {
    let mut bytes = version.to_be_bytes().to_vec();
    bytes.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        bytes.extend((topic.len() as i16).to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend((-1_i32).to_be_bytes());
    // What later versions add.
    bytes.extend([0; 4 * 3]);
    ClassicProtocol { name: "range".into(), metadata: bytes.into() }
}

fn topics(names: &[&str]) -> Option<BTreeSet<Id>> {
    Some(names.iter().map(|name| Id::from(*name)).collect())
}

#[test]
fn an_unknown_group_is_not_found() {
    let mut kit = Kit::new();
    let refused = kit.describe().unwrap_err();
    assert_eq!(refused.code, ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(refused.why, "Group g not found.");
    assert_eq!(kit.overview(), None);
}

#[test]
fn metadata_is_shown_of_stable_groups_only() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    let shown = kit.describe().unwrap();
    assert_eq!((&*shown.protocol_type, &*shown.protocol), ("consumer", "range"));
    let member = &shown.members[0];
    assert_eq!((&*member.member, &*member.client.id, &*member.client.host), (&*ids[0], "me", "/127.0.0.1"));
    assert_eq!(
        (member.metadata.as_ref(), member.assignment.as_ref()),
        (&b"topics"[..], format!("to-{}", ids[0]).as_bytes())
    );
    kit.joins(known(&ids[0])).unwrap();
    let shown = kit.describe().unwrap();
    assert_eq!((shown.state, &*shown.protocol), ("CompletingRebalance", ""));
    assert_eq!(shown.members[0].metadata, "");
    assert_eq!(shown.members[0].assignment, format!("to-{}", ids[0]));
}

#[test]
fn a_group_of_offsets_alone_is_simple_and_empty() {
    let mut kit = Kit::new();
    kit.write_offset();
    let shown = kit.overview().unwrap();
    assert_eq!((shown.state, shown.empty, shown.simple, &*shown.protocol_type), ("Empty", true, true, ""));
    assert_eq!(shown.subscribed, None);
    assert_eq!(kit.state(), "Empty");
    kit.new_id();
    assert!(!kit.overview().unwrap().simple, "somebody is on the way");
    assert!(kit.rig.records().len() == 1, "the group was there");
}

#[test]
fn an_empty_group_says_since_when() {
    let mut kit = Kit::new();
    let ids = kit.stable(1);
    kit.wait(5_000);
    kit.leave(&[(&ids[0], None)]);
    let at = kit.rig.step(|cx| cx.wall());
    kit.wait(5_000);
    let shown = kit.overview().unwrap();
    assert_eq!((shown.empty, shown.simple, shown.state_at), (true, false, Some(at)));
    assert_eq!(shown.subscribed, topics(&[]));
}

#[test]
fn topics_are_those_of_all_members_of_the_generation() {
    let mut kit = Kit::with(|settings| settings.initial_rebalance_delay = Duration::from_secs(1));
    let with = |version, names: &[&str]| Join {
        protocols: vec![reading(version, names)],
        must_know_its_id: false,
        ..newcomer()
    };
    kit.join(with(0, &["a", "b"]));
    kit.join(with(3, &["b", "c"]));
    kit.join(with(9, &["d"]));
    assert_eq!(kit.overview().unwrap().subscribed, None);
    kit.wait(5_000);
    assert_eq!(kit.overview().unwrap().subscribed, topics(&["a", "b", "c", "d"]));
}

#[test]
fn topics_cannot_be_told_of_metadata_that_is_not_a_subscription() {
    let mut kit = Kit::new();
    kit.stable(1);
    assert_eq!(kit.overview().unwrap().subscribed, None);
    let mut kit = Kit::new();
    let negative = Join { protocols: vec![reading(-1, &["a"])], ..instance("i", "") };
    kit.joins(negative).unwrap();
    assert_eq!(kit.overview().unwrap().subscribed, None);
    let mut kit = Kit::new();
    let connect =
        Join { protocol_type: "connect".into(), protocols: vec![reading(0, &["a"])], ..instance("i", "") };
    kit.joins(connect).unwrap();
    assert_eq!(kit.overview().unwrap().subscribed, None);
}

#[test]
fn every_group_that_lives_is_written() {
    let mut kit = Kit::new();
    kit.stable(2);
    assert!(kit.unwritten().is_empty());
    kit.new_id();
    assert!(kit.unwritten().is_empty());
}

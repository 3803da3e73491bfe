//! The catalog without a log: what each command answers, writes and asks for, and that its records tell the whole
//! story.

use super::*;
use crate::coordinator::testkit::Rig;
use crate::coordinator::{Load, LogRecord};
use crate::types::{Epoch, ProducerId, TopicId, Uuid};
use proptest::prelude::*;
use std::sync::Arc;

const DIRS: [Uuid; 2] = [Uuid([9; 16]), Uuid([8; 16])];

fn dirs() -> Arc<[Uuid]> {
    DIRS.as_slice().into()
}

fn broker() -> Registration {
    Registration { broker_id: 1, incarnation: Uuid([7; 16]), directories: dirs() }
}

fn configs(pairs: &[(&str, &str)]) -> Configs {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn booted() -> Rig<Catalog> {
    let mut rig = Rig::new(1);
    assert_eq!(rig.ask(Command::Boot { clean: true, broker: broker() }), Reply::Epoch(Epoch(0)));
    rig
}

fn create(rig: &mut Rig<Catalog>, name: &str, partitions: i32) -> Result<TopicId, NotCreated> {
    let command =
        Command::CreateTopic { name: name.into(), partitions, configs: Configs::new(), directories: dirs() };
    match rig.ask(command) {
        Reply::Created(result) => result,
        other => panic!("{other:?}"),
    }
}

fn set(
    rig: &mut Rig<Catalog>,
    kind: ResourceKind,
    name: &str,
    was: &[(&str, &str)],
    now: &[(&str, &str)],
) -> Result<(), NotSet> {
    let resource = Resource { kind, name: name.into() };
    match rig.ask(Command::SetConfigs { resource, was: configs(was), now: configs(now) }) {
        Reply::ConfigsSet(result) => result,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_epoch_rises_with_every_start_after_a_crash_and_only_then() {
    let mut rig = booted();
    assert_eq!(rig.records().len(), 2, "the metadata level and the broker");
    for (clean, epoch) in [(true, 0), (false, 1), (true, 1), (false, 2)] {
        rig.restart(Load::Start);
        let before = rig.records().len();
        assert_eq!(rig.ask(Command::Boot { clean, broker: broker() }), Reply::Epoch(Epoch(epoch)));
        assert_eq!(
            rig.records().len() - before,
            usize::from(!clean),
            "one record, whatever the number of topics"
        );
    }
    assert_eq!(rig.ask(Command::BumpEpoch), Reply::Epoch(Epoch(3)));
}

#[test]
fn the_epoch_rises_when_the_catalogs_own_log_was_cut() {
    let mut rig = booted();
    rig.restart(Load::Again);
    assert_eq!((rig.hard().epoch(), rig.effects()), (Epoch(0), vec![Effect::Reloaded]));
    rig.restart(Load::Reopened);
    assert_eq!((rig.hard().epoch(), rig.effects()), (Epoch(1), vec![Effect::Reloaded]));
}

#[test]
fn a_topic_is_made_found_and_deleted() {
    let mut rig = booted();
    let command = Command::CreateTopic {
        name: "orders".into(),
        partitions: 3,
        configs: configs(&[("retention.ms", "5"), ("cleanup.policy", "compact")]),
        directories: dirs(),
    };
    let Reply::Created(Ok(id)) = rig.ask(command) else { panic!("not made") };
    let topic = Arc::clone(rig.hard().topic("orders").unwrap());
    assert_eq!((topic.id, topic.partitions, topic.internal), (id, 3, false));
    assert_eq!(topic.configs.len(), 2);
    assert_eq!(rig.hard().topic_by_id(id), Some(&topic));
    assert_eq!(rig.effects(), [Effect::TopicCreated(Arc::clone(&topic))]);
    assert_eq!(create(&mut rig, "orders", 1), Err(NotCreated::Exists(id)));
    assert_eq!(rig.ask(Command::DeleteTopic { id }), Reply::Deleted(Ok(Arc::clone(&topic))));
    assert_eq!(rig.effects(), [Effect::TopicDeleted(topic)]);
    assert_eq!(rig.hard().topic_count(), 0);
    assert_eq!(rig.ask(Command::DeleteTopic { id }), Reply::Deleted(Err(UnknownTopic)));
    let again = create(&mut rig, "orders", 1).unwrap();
    assert_ne!(again, id, "a topic made again is another one");
    assert!(rig.hard().topic("orders").unwrap().configs.is_empty(), "settings go with the topic");
}

#[test]
fn ids_are_drawn_anew_after_a_restart() {
    let mut rig = booted();
    let mut ids = Vec::new();
    for at in 0..200 {
        if at % 50 == 0 {
            rig.restart(Load::Again);
        }
        ids.push(create(&mut rig, &format!("t{at}"), 1).unwrap());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    assert!(ids.iter().all(|id| !id.to_string().starts_with('-')));
}

#[test]
fn bad_names_and_partition_counts_change_nothing() {
    let mut rig = booted();
    create(&mut rig, "a.b", 1).unwrap();
    let before = rig.records().len();
    assert_eq!(create(&mut rig, "a_b", 1), Err(NotCreated::Collides("a.b".into())));
    assert_eq!(create(&mut rig, "", 1), Err(NotCreated::Name(BadTopicName::Empty)));
    assert_eq!(create(&mut rig, "x", 0), Err(NotCreated::Partitions(0)));
    assert_eq!(create(&mut rig, "x", 10_001), Err(NotCreated::Partitions(10_001)));
    let long = configs(&[("k", &"v".repeat(40_000))]);
    let command =
        Command::CreateTopic { name: "x".into(), partitions: 1, configs: long, directories: dirs() };
    assert_eq!(rig.ask(command), Reply::Created(Err(NotCreated::TooLong(TooLong(40_000)))));
    assert_eq!(rig.records().len(), before);
    let id = rig.hard().topic("a.b").unwrap().id;
    rig.ask(Command::DeleteTopic { id });
    assert!(create(&mut rig, "a_b", 1).is_ok(), "the name is free with the topic gone");
}

#[test]
fn partitions_are_only_ever_added() {
    let mut rig = booted();
    let id = create(&mut rig, "t", 2).unwrap();
    rig.effects();
    assert_eq!(
        rig.ask(Command::AddPartitions { id, total: 5, directories: dirs() }),
        Reply::PartitionsAdded(Ok(2))
    );
    let Effect::PartitionsAdded { topic, first } = rig.effects().remove(0) else { panic!("no effect") };
    assert_eq!((topic.partitions, first), (5, 2));
    for total in [5, 1, -1] {
        let reply = rig.ask(Command::AddPartitions { id, total, directories: dirs() });
        assert_eq!(reply, Reply::PartitionsAdded(Err(NotAdded::HasAlready(5))));
    }
    let reply = rig.ask(Command::AddPartitions { id, total: i32::MAX, directories: dirs() });
    assert_eq!(reply, Reply::PartitionsAdded(Err(NotAdded::TooMany(i32::MAX - 5))));
    let reply = rig.ask(Command::AddPartitions { id: Uuid::ZERO, total: 3, directories: dirs() });
    assert_eq!(reply, Reply::PartitionsAdded(Err(NotAdded::Unknown(UnknownTopic))));
}

#[test]
fn partitions_go_to_the_directory_that_has_the_fewest_and_the_first_of_those() {
    let mut rig = booted();
    let [one, two] = DIRS;
    let alone = Command::CreateTopic {
        name: "alone".into(),
        partitions: 3,
        configs: Configs::new(),
        directories: [two].as_slice().into(),
    };
    rig.ask(alone);
    let id = create(&mut rig, "t", 5).unwrap();
    let places = |rig: &Rig<Catalog>| -> Vec<Uuid> {
        let topic = rig.hard().topic("t").unwrap();
        (0..topic.partitions).map(|partition| topic.directory(partition)).collect()
    };
    assert_eq!(places(&rig), [one, one, one, one, two]);
    rig.ask(Command::AddPartitions { id, total: 7, directories: dirs() });
    assert_eq!(places(&rig)[5..], [one, two]);
    let moved = |partition| Command::PutPartition { id, partition, directory: two };
    assert_eq!(rig.ask(moved(0)), Reply::PartitionPut(Ok(())));
    assert_eq!(rig.ask(moved(7)), Reply::PartitionPut(Err(UnknownTopic)));
    let before = rig.records().len();
    rig.ask(moved(0));
    assert_eq!(rig.records().len(), before, "it is there already");
    assert_eq!(places(&rig)[..2], [two, one]);
    rig.restart(Load::Start);
    assert_eq!(places(&rig)[..2], [two, one]);
}

#[test]
fn another_set_of_directories_is_registered_without_a_new_epoch() {
    let mut rig = booted();
    let broker = Registration { directories: [DIRS[0]].as_slice().into(), ..broker() };
    let epoch = rig.hard().epoch();
    assert_eq!(rig.ask(Command::Boot { clean: true, broker: broker.clone() }), Reply::Epoch(epoch));
    assert_eq!(rig.hard().registration(), Some(&broker));
}

#[test]
fn settings_change_only_from_what_the_caller_saw() {
    let mut rig = booted();
    create(&mut rig, "t", 1).unwrap();
    for (kind, name) in [(ResourceKind::Topic, "t"), (ResourceKind::Broker, ""), (ResourceKind::Group, "g")] {
        let before = rig.records().len();
        set(&mut rig, kind, name, &[], &[("a", "1"), ("b", "2")]).unwrap();
        set(&mut rig, kind, name, &[("a", "1"), ("b", "2")], &[("b", "3"), ("c", "4")]).unwrap();
        assert_eq!(rig.records().len() - before, 2 + 3, "a removed, b changed, c added");
        let now = configs(&[("b", "3"), ("c", "4")]);
        assert_eq!(set(&mut rig, kind, name, &[("a", "1")], &[]), Err(NotSet::Changed(now.clone())));
        let resource = Resource { kind, name: name.into() };
        assert_eq!(rig.hard().configs(&resource), Some(&now));
        set(&mut rig, kind, name, &[("b", "3"), ("c", "4")], &[]).unwrap();
        assert!(rig.hard().configs(&resource).is_none_or(Configs::is_empty));
    }
    assert_eq!(rig.hard().groups_with_configs().count(), 0, "what has no settings takes no room");
    let unknown = set(&mut rig, ResourceKind::Topic, "nope", &[], &[("a", "1")]);
    assert_eq!(unknown, Err(NotSet::Unknown(UnknownTopic)));
}

#[test]
fn no_producer_id_is_given_twice() {
    let mut rig = booted();
    let mut given = std::collections::BTreeSet::new();
    for at in 0..2_500 {
        if at % 700 == 699 {
            rig.restart(Load::Start);
        }
        let count = 1 + at % 3;
        let Reply::ProducerIds { first, count } = rig.ask(Command::AllocateProducerIds { count }) else {
            panic!()
        };
        for id in first.0..first.0 + i64::from(count) {
            assert!(
                given.insert(id) && ProducerId(id) < rig.hard().next_producer_id(),
                "{id} is new and reserved"
            );
        }
    }
    let blocks = rig.records().iter().filter(|r| matches!(r, CatalogRecord::ProducerIds { .. })).count();
    assert!(blocks <= 10, "{blocks} records for 5,000 ids and 3 restarts");
}

#[test]
fn topic_names_follow_kafkas_rules() {
    let fits = "x".repeat(249);
    for good in ["a", "A.b_c-9", "...", "__consumer_offsets", &fits] {
        assert_eq!(valid_topic_name(good), Ok(()), "{good}");
    }
    for bad in ["", ".", "..", "a b", "\u{e4}", "a/b", "a\0", "a:b", &"x".repeat(250)] {
        assert!(valid_topic_name(bad).is_err(), "{bad}");
    }
    assert!(collides("a.b", "a_b") && collides("a_b.c", "a.b_c"));
    assert!(!collides("a.b", "a.b") && !collides("a.b", "a-b") && !collides("a.b", "a_bc"));
    assert!(is_internal("__consumer_offsets") && !is_internal("consumer_offsets"));
}

#[test]
fn images_held_by_readers_do_not_change() {
    let mut rig = booted();
    create(&mut rig, "t", 1).unwrap();
    let held = rig.hard().clone();
    set(&mut rig, ResourceKind::Topic, "t", &[], &[("a", "1")]).unwrap();
    create(&mut rig, "u", 1).unwrap();
    assert_eq!((held.topic_count(), held.topic("t").unwrap().configs.len()), (1, 0));
    assert_eq!((rig.hard().topic_count(), rig.hard().topic("t").unwrap().configs.len()), (2, 1));
    let names: Vec<&str> = rig.hard().topics().map(|topic| topic.name.as_ref()).collect();
    assert_eq!(names, ["t", "u"]);
}

#[test]
fn ten_thousand_topics_are_made_with_an_image_each_and_replayed_quickly() {
    use crate::sys::{Clock, RealClock};
    let clock = RealClock::new();
    let mut image = CatalogImage::default();
    let mut records = Vec::new();
    for at in 0..10_000u128 {
        let id = Uuid::from_random(at.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let name: Arc<str> = format!("topic-{:05}", at * 7919 % 10_000).into();
        records.push(CatalogRecord::Topic { name, id });
        for partition in 0..9 {
            let (broker_id, directory, epoch) = (1, Uuid::ZERO, Epoch(0));
            records.push(CatalogRecord::Partition { topic: id, partition, broker_id, directory, epoch });
        }
    }
    let begin = clock.mono();
    let mut images = std::collections::VecDeque::new();
    for records in records.chunks(10) {
        records.iter().for_each(|record| image.apply(record));
        images.push_back(image.clone());
        images.truncate(4);
    }
    let made = clock.mono();
    let bytes: Vec<_> = records.iter().map(|record| record.encode().unwrap()).collect();
    let encoded = clock.mono();
    let mut again = CatalogImage::default();
    for (key, value) in bytes {
        again.apply(&CatalogRecord::decode(key, value).unwrap().unwrap());
    }
    let replayed = clock.mono();
    assert_eq!(again, image);
    println!("10,000 topics with an image each: {:?}", made.since(begin));
    println!("100,000 records decoded and replayed: {:?}", replayed.since(encoded));
    assert!(replayed.since(begin) < std::time::Duration::from_secs(60), "no step grows with the square");
}

#[test]
fn records_that_this_release_does_not_know_stop_the_replay() {
    let decode = |bytes: &'static [u8]| CatalogRecord::decode(None, Some(bytes::Bytes::from_static(bytes)));
    for bad in
        [&b""[..], &[1], &[1, 120, 0], &[2, 2, 0, 1, 1], &[1, 2, 9], &[1, 4, 0, 99, 2, 97, 2, 97, 0, 0]]
    {
        assert!(decode(bad).is_err(), "{bad:?}");
    }
    assert!(CatalogRecord::decode(None, None).is_err());
}

#[derive(Clone, Debug)]
enum Step {
    Create(u8, i32),
    Delete(u8),
    Grow(u8, i32),
    Put(u8, i32, bool),
    Set(u8, u8, Option<u8>),
    Ids(u16),
    Bump,
    Restart(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..12, 0i32..5).prop_map(|(topic, count)| Step::Create(topic, count)),
        2 => (0u8..12).prop_map(Step::Delete),
        2 => (0u8..12, 0i32..9).prop_map(|(topic, total)| Step::Grow(topic, total)),
        2 => (0u8..12, 0i32..9, any::<bool>()).prop_map(|(topic, at, second)| Step::Put(topic, at, second)),
        4 => (0u8..14, 0u8..3, any::<Option<u8>>()).prop_map(|(at, key, value)| Step::Set(at, key, value)),
        2 => (0u16..1500).prop_map(Step::Ids),
        1 => Just(Step::Bump),
        1 => (0u8..4).prop_map(Step::Restart),
    ]
}

const NAMES: [&str; 12] =
    ["a", "b.c", "b_c", "d-e", "f", "g.h.i", "g_h.i", "", "..", "__consumer_offsets", "z", "y"];

fn take(rig: &mut Rig<Catalog>, step: Step) {
    let id_of = |rig: &Rig<Catalog>, topic: u8| {
        rig.hard().topic(NAMES[usize::from(topic)]).map_or(Uuid([1; 16]), |topic| topic.id)
    };
    match step {
        Step::Create(topic, partitions) => {
            let configs = configs(&[("x", "1")]);
            let name = NAMES[usize::from(topic)].into();
            rig.ask(Command::CreateTopic { name, partitions, configs, directories: dirs() });
        }
        Step::Delete(topic) => {
            let id = id_of(rig, topic);
            rig.ask(Command::DeleteTopic { id });
        }
        Step::Grow(topic, total) => {
            let id = id_of(rig, topic);
            rig.ask(Command::AddPartitions { id, total, directories: dirs() });
        }
        Step::Put(topic, partition, second) => {
            let (id, directory) = (id_of(rig, topic), DIRS[usize::from(second)]);
            rig.ask(Command::PutPartition { id, partition, directory });
        }
        Step::Set(at, key, value) => {
            let (kind, name) = match at {
                12 => (ResourceKind::Broker, ""),
                13 => (ResourceKind::Group, "g"),
                topic => (ResourceKind::Topic, NAMES[usize::from(topic)]),
            };
            let resource = Resource { kind, name: name.into() };
            let was = rig.hard().configs(&resource).cloned().unwrap_or_default();
            let mut now = was.clone();
            match value {
                Some(value) => now.insert(format!("k{key}"), value.to_string()),
                None => now.remove(&format!("k{key}")),
            };
            rig.ask(Command::SetConfigs { resource, was, now });
        }
        Step::Ids(count) => {
            rig.ask(Command::AllocateProducerIds { count });
        }
        Step::Bump => {
            rig.ask(Command::BumpEpoch);
        }
        Step::Restart(how) => {
            rig.restart(if how == 0 { Load::Reopened } else { Load::Start });
            rig.ask(Command::Boot { clean: how != 1, broker: broker() });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    // The rig compares the live state with a replay of the records after every step.
    #[test]
    fn any_commands_leave_a_log_that_tells_the_same(steps in prop::collection::vec(step(), 0..80)) {
        let mut rig = booted();
        for step in steps {
            take(&mut rig, step);
            for topic in rig.hard().topics() {
                prop_assert!(topic.partitions > 0);
                prop_assert_eq!(rig.hard().topic_by_id(topic.id), Some(topic));
                prop_assert_eq!(rig.hard().colliding_topic(&topic.name), None);
            }
        }
    }
}

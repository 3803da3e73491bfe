//! Assignors: what they promise, and what Kafka's make of the same groups.

use super::{MemberSpec, RANGE, Spec, UNIFORM, assign};
use crate::group::state::Assignment;
use crate::group::topics::{Topic, TopicTable};
use crate::types::TopicId;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const GOLDEN: &str = include_str!("../../../../tests/golden/group/assignments-kafka-4.4.0.txt");

/// Topics by id with the number of their partitions.
#[derive(Clone, Debug, Default)]
struct Topics(BTreeMap<TopicId, (Arc<str>, i32)>);

impl TopicTable for Topics {
    fn by_name(&self, _name: &str) -> Option<Topic> {
        None
    }

    fn by_id(&self, id: TopicId) -> Option<Topic> {
        let (name, partitions) = self.0.get(&id)?.clone();
        Some(Topic { name, id, partitions, internal: false })
    }

    fn for_each(&self, each: &mut dyn FnMut(&Topic)) {
        self.0.keys().filter_map(|id| self.by_id(*id)).for_each(|topic| each(&topic));
    }

    fn version(&self) -> u64 {
        0
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        Vec::new()
    }
}

type Members = BTreeMap<Arc<str>, MemberSpec>;
type Targets = BTreeMap<Arc<str>, Assignment>;

fn run(assignor: &str, members: &Members, topics: &Topics) -> Targets {
    assign(assignor, &Spec { members: members.clone(), topics })
}

fn carry(members: &mut Members, targets: &Targets) {
    for (id, member) in members {
        member.assigned = targets.get(id).cloned().unwrap_or_default();
    }
}

// ---- Kafka's

/// `0:1-3+5;2:0`: topics by index, their partitions in ranges.
fn parse_assignment(text: &str, topics: &[TopicId]) -> Assignment {
    let mut assignment = Assignment::new();
    for topic in text.split(';').filter(|_| text != "-") {
        let (index, ranges) = topic.split_once(':').unwrap();
        let partitions = ranges.split('+').flat_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            first.parse::<i32>().unwrap()..=last.parse().unwrap()
        });
        assignment.insert(topics[index.parse::<usize>().unwrap()], partitions.collect());
    }
    assignment
}

#[test]
fn groups_get_the_assignments_that_kafka_gives_them() {
    let mut targets = Targets::new();
    let mut checked = 0;
    let mut lines = GOLDEN.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).peekable();
    while let Some((number, head)) = lines.next() {
        let mut words = head.split(' ');
        if words.next() == Some("new") {
            targets.clear();
        }
        let assignor = words.next().unwrap();
        let (mut ids, mut topics) = (Vec::new(), Topics::default());
        for word in words {
            let [name, id, partitions] = word.split(':').collect::<Vec<_>>().try_into().unwrap();
            ids.push(id.parse().unwrap());
            topics.0.insert(ids[ids.len() - 1], (name.into(), partitions.parse().unwrap()));
        }
        let (mut members, mut expected) = (Members::new(), Targets::new());
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("ne")) {
            let words: Vec<&str> = line.split(' ').collect();
            let id: Arc<str> = words[0].into();
            let subscribed = words[2].split(',').filter(|word| *word != "-");
            let member = MemberSpec {
                topics: subscribed.map(|index| ids[index.parse::<usize>().unwrap()]).collect(),
                rack: None,
                instance: (words[1] != "-").then(|| words[1].into()),
                assigned: targets.get(&id).cloned().unwrap_or_default(),
            };
            members.insert(Arc::clone(&id), member);
            expected.insert(id, parse_assignment(words[3], &ids));
        }
        assert_eq!(run(assignor, &members, &topics), expected, "group at line {}", number + 1);
        targets = expected;
        checked += 1;
    }
    assert_eq!(checked, 300);
}

// ---- what they promise

fn topic(number: u8) -> TopicId {
    let mut bytes = [number; 16];
    bytes[3] = number.wrapping_mul(77);
    TopicId::from_random(u128::from_be_bytes(bytes))
}

fn topics(counts: &[i32]) -> Topics {
    let named = |(at, count): (usize, &i32)| (topic(at as u8), (format!("t{at}").into(), *count));
    Topics(counts.iter().enumerate().map(named).collect())
}

fn member(topics: impl IntoIterator<Item = u8>) -> MemberSpec {
    MemberSpec { topics: topics.into_iter().map(topic).collect(), ..MemberSpec::default() }
}

/// Every partition of a subscribed topic has one owner, who subscribes to it; nothing else has one.
fn check_complete(members: &Members, topics: &Topics, targets: &Targets) {
    let mut owned: BTreeSet<(TopicId, i32)> = BTreeSet::new();
    for (id, target) in targets {
        for (topic, partitions) in target {
            assert!(members[id].topics.contains(topic), "{id} does not subscribe to {topic}");
            assert!(!partitions.is_empty());
            for partition in partitions {
                assert!(owned.insert((*topic, *partition)), "{topic}-{partition} has two owners");
            }
        }
    }
    let subscribed: BTreeSet<TopicId> = members.values().flat_map(|member| member.topics.clone()).collect();
    let all = topics.0.iter().filter(|(id, _)| subscribed.contains(id));
    let all: BTreeSet<_> = all.flat_map(|(id, (_, count))| (0..*count).map(|number| (*id, number))).collect();
    assert_eq!(owned, all);
    assert!(targets.keys().eq(members.keys()), "all members have a target, if only an empty one");
}

fn size(target: &Assignment) -> usize {
    target.values().map(BTreeSet::len).sum()
}

/// How many partitions are with another owner than before.
fn moved(before: &Targets, after: &Targets) -> usize {
    let pairs = |targets: &Targets| -> BTreeMap<(TopicId, i32), Arc<str>> {
        let of = |(id, target): (&Arc<str>, &Assignment)| {
            let id = Arc::clone(id);
            let flat = target.clone().into_iter().flat_map(|(t, ps)| ps.into_iter().map(move |p| (t, p)));
            flat.map(move |key| (key, Arc::clone(&id))).collect::<Vec<_>>()
        };
        targets.iter().flat_map(of).collect()
    };
    let after = pairs(after);
    pairs(before).iter().filter(|(key, owner)| after.get(*key) != Some(*owner)).count()
}

fn group(subscriptions: &[Vec<u8>]) -> Members {
    let named = |(at, topics): (usize, &Vec<u8>)| (format!("member-{at}").into(), member(topics.clone()));
    subscriptions.iter().enumerate().map(named).collect()
}

proptest! {
    #[test]
    fn every_partition_goes_to_one_subscriber(
        counts in proptest::collection::vec(0..9_i32, 1..6),
        subscriptions in proptest::collection::vec(proptest::collection::vec(0..6_u8, 0..5), 1..9),
        leaver in 0..9_usize,
    ) {
        let topics = topics(&counts);
        for assignor in [UNIFORM, RANGE] {
            let mut members = group(&subscriptions);
            let first = run(assignor, &members, &topics);
            check_complete(&members, &topics, &first);
            carry(&mut members, &first);
            members.remove(&*format!("member-{leaver}"));
            let second = run(assignor, &members, &topics);
            check_complete(&members, &topics, &second);
            carry(&mut members, &second);
            prop_assert_eq!(run(assignor, &members, &topics), second, "without a change nothing moves");
        }
    }

    #[test]
    fn uniform_is_even_and_moves_no_more_than_it_must(
        counts in proptest::collection::vec(1..9_i32, 1..4),
        size_of_group in 2..9_usize,
        leaver in 0..9_usize,
    ) {
        let topics = topics(&counts);
        let all: Vec<u8> = (0..counts.len() as u8).collect();
        let mut members = group(&vec![all.clone(); size_of_group]);
        let total: usize = counts.iter().map(|count| *count as usize).sum();
        let mut before = run(UNIFORM, &members, &topics);
        carry(&mut members, &before);

        members.insert("newcomer".into(), member(all));
        let after = run(UNIFORM, &members, &topics);
        let sizes = after.values().map(size);
        prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        prop_assert_eq!(moved(&before, &after), size(&after["newcomer"]));
        prop_assert!(size(&after["newcomer"]) >= total / members.len());
        carry(&mut members, &after);

        before = after;
        let gone = before.keys().nth(leaver % members.len()).unwrap().clone();
        members.remove(&gone);
        let after = run(UNIFORM, &members, &topics);
        let sizes = after.values().map(size);
        prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        prop_assert_eq!(moved(&before, &after), size(&before[&gone]));
    }

    #[test]
    fn range_gives_the_same_numbers_of_each_topic(
        count in 1..20_i32,
        topic_count in 1..5_u8,
        size_of_group in 1..9_usize,
    ) {
        let topics = topics(&vec![count; topic_count.into()]);
        let members = group(&vec![(0..topic_count).collect(); size_of_group]);
        for target in run(RANGE, &members, &topics).values() {
            let first = target.values().next();
            prop_assert!(target.values().all(|partitions| Some(partitions) == first));
        }
    }
}

#[test]
fn a_static_member_that_comes_back_under_another_id_keeps_its_range() {
    let topics = topics(&[6, 6]);
    let mut members = group(&[vec![0, 1], vec![0, 1]]);
    let restarted = MemberSpec { instance: Some("i".into()), ..member([0, 1]) };
    members.insert("a".into(), restarted.clone());
    let before = run(RANGE, &members, &topics);
    members.remove("a");
    members.insert("zz".into(), restarted);
    let after = run(RANGE, &members, &topics);
    assert_eq!(before["a"], after["zz"]);
    assert_eq!(before["member-1"], after["member-1"]);
}

#[test]
fn a_topic_that_is_not_there_counts_for_nothing() {
    let topics = topics(&[3]);
    for assignor in [UNIFORM, RANGE] {
        let members = group(&[vec![0, 9], vec![0, 9], vec![9]]);
        let targets = run(assignor, &members, &topics);
        assert!(targets["member-2"].is_empty());
        assert_eq!(size(&targets["member-0"]) + size(&targets["member-1"]), 3);
    }
}

#[test]
fn five_hundred_members_are_no_burden() {
    let topics = topics(&[125; 8]);
    let alike = group(&vec![(0..8).collect(); 500]);
    let different = group(
        &(0..500)
            .map(|at| (0..8).filter(|t| (at + t) % 3 > 0).map(|t| t as u8).collect())
            .collect::<Vec<_>>(),
    );
    for (assignor, mut members) in [(UNIFORM, alike.clone()), (UNIFORM, different), (RANGE, alike)] {
        let first = run(assignor, &members, &topics);
        check_complete(&members, &topics, &first);
        carry(&mut members, &first);
        members.remove("member-7");
        check_complete(&members, &topics, &run(assignor, &members, &topics));
    }
}

//! Records against the bytes of Kafka 4.4.0, against themselves, and against damage.

use super::{ConsumerRecord, GroupRecord};
use crate::coordinator::{KeyValue, LogRecord};
use crate::group::state::{
    Assignment, ClassicGroup, ClassicMember, ClassicProtocol, ClassicSide, Committed, Current, GroupEpoch,
    MemberMetadata, MemberState, ResolvedRegex, TargetEpoch,
};
use crate::types::{Epoch, Offset, TimestampMs, TopicId, Uuid};
use bytes::Bytes;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name, key and value of each record, one a line; made by `GroupRecords.java` beside it.
const KAFKA: &str = include_str!("../../../tests/golden/group/records-kafka-4.4.0.txt");

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
const A: TopicId = Uuid([1; 16]);
const B: TopicId = Uuid([2; 16]);

fn unhex(hex: &str) -> Bytes {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn golden() -> BTreeMap<&'static str, KeyValue> {
    let parse = |line: &'static str| {
        let [name, key, value] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        (name, (Some(unhex(key)), (value != "-").then(|| unhex(value))))
    };
    KAFKA.lines().map(parse).collect()
}

fn read(name: &str) -> GroupRecord {
    let (key, value) = golden()[name].clone();
    GroupRecord::decode(key, value).unwrap().unwrap()
}

fn offset(partition: i32, committed: Option<Committed>) -> GroupRecord {
    GroupRecord::Offset { group: "g".into(), topic: "orders".into(), partition, committed }
}

fn consumer(record: ConsumerRecord) -> GroupRecord {
    GroupRecord::Consumer { group: "g".into(), record }
}

fn committed() -> Committed {
    Committed {
        offset: Offset(42),
        leader_epoch: Epoch::NONE,
        metadata: "note".into(),
        at: NOW,
        expires: None,
        topic_id: TopicId::ZERO,
    }
}

fn classic() -> ClassicGroup {
    let member = ClassicMember {
        instance: Some("i-1".into()),
        client_id: "app".into(),
        client_host: "/127.0.0.1".into(),
        rebalance_timeout_ms: 300_000,
        session_timeout_ms: 45_000,
        subscription: Bytes::from_static(&[1, 2]),
        assignment: Bytes::from_static(&[3, 4, 5]),
    };
    ClassicGroup {
        protocol_type: "consumer".into(),
        generation: 4,
        protocol: Some("range".into()),
        leader: Some("m-1".into()),
        state_at: NOW,
        members: BTreeMap::from([("m-1".into(), member)]),
    }
}

#[test]
fn what_kafka_writes_is_read_and_written_again_byte_for_byte() {
    for (name, pair) in golden() {
        let record = GroupRecord::decode(pair.0.clone(), pair.1.clone()).unwrap().unwrap();
        let again = record.encode().unwrap();
        if name.starts_with("old-") {
            assert_eq!(GroupRecord::decode(again.0, again.1).unwrap(), Some(record), "{name}");
        } else {
            assert_eq!(again, pair, "{name}");
        }
    }
}

#[test]
fn a_committed_offset_of_kafka_has_all_its_fields() {
    let full =
        Committed { leader_epoch: Epoch(7), metadata: "note \u{e9}".into(), topic_id: A, ..committed() };
    assert_eq!(read("offset"), offset(3, Some(full)));
    let expires = Some(TimestampMs(NOW.0 + 60_000));
    assert_eq!(read("offset-expires"), offset(3, Some(Committed { expires, ..committed() })));
    assert_eq!(read("offset-gone"), offset(3, None));
}

#[test]
fn offsets_of_older_releases_are_read() {
    for version in 0..3 {
        assert_eq!(read(&format!("old-offset-{version}")), offset(3, Some(committed())));
    }
    let with_epoch = Committed { leader_epoch: Epoch(7), ..committed() };
    assert_eq!(read("old-offset-3"), offset(3, Some(with_epoch)));
    assert_eq!(read("old-legacy-offset-gone"), offset(3, None));
}

#[test]
fn a_classic_group_of_kafka_has_all_its_fields() {
    let record = |state| GroupRecord::Classic { group: "g".into(), state };
    assert_eq!(read("classic"), record(Some(Box::new(classic()))));
    assert_eq!(read("classic-gone"), record(None));
    let mut old = classic();
    old.state_at = TimestampMs::NONE;
    let member = old.members.get_mut("m-1").unwrap();
    member.instance = None;
    member.rebalance_timeout_ms = member.session_timeout_ms;
    for version in 0..4 {
        assert_eq!(read(&format!("old-classic-{version}")), record(Some(Box::new(old.clone()))));
    }
}

#[test]
fn a_consumer_group_of_kafka_has_all_its_fields() {
    let epoch = GroupEpoch { epoch: 5, metadata_hash: 0x0123_4567_89ab_cdef };
    assert_eq!(read("epoch"), consumer(ConsumerRecord::Epoch(Some(epoch))));
    let protocol = ClassicProtocol { name: "range".into(), metadata: Bytes::from_static(&[1]) };
    let metadata = MemberMetadata {
        instance: Some("i-1".into()),
        rack: Some("r-1".into()),
        client_id: "app".into(),
        client_host: "/127.0.0.1".into(),
        topics: ["a".into(), "b".into()].into(),
        regex: Some("ord.*".into()),
        rebalance_timeout_ms: 300_000,
        assignor: Some("range".into()),
        classic: Some(ClassicSide { session_timeout_ms: 45_000, protocols: vec![protocol] }),
    };
    assert_eq!(read("member-full"), consumer(ConsumerRecord::Member("m-1".into(), Some(Box::new(metadata)))));
    let target = TargetEpoch { epoch: 5, at: NOW };
    assert_eq!(read("target-epoch"), consumer(ConsumerRecord::TargetEpoch(Some(target))));
    let target = Assignment::from([(A, [0, 1].into()), (B, [2].into())]);
    assert_eq!(read("target"), consumer(ConsumerRecord::Target("m-1".into(), Some(target))));
    let resolved = ResolvedRegex { topics: ["ord".into(), "orders".into()].into(), version: 12, at: NOW };
    assert_eq!(read("regex"), consumer(ConsumerRecord::Regex("ord.*".into(), Some(resolved))));
}

#[test]
fn partitions_without_epochs_of_their_own_have_the_members() {
    let current = |previous_epoch, state, assigned, revoking| {
        let current = Current { epoch: 5, previous_epoch, state, assigned, revoking };
        consumer(ConsumerRecord::Current("m-1".into(), Some(Box::new(current))))
    };
    let assigned = BTreeMap::from([(A, BTreeMap::from([(0, 3), (1, 5)]))]);
    let revoking = BTreeMap::from([(B, BTreeMap::from([(2, 4)]))]);
    assert_eq!(read("current"), current(4, MemberState::UnrevokedPartitions, assigned, revoking));
    let assigned = BTreeMap::from([(A, BTreeMap::from([(0, 5), (1, 5)]))]);
    assert_eq!(read("old-current"), current(4, MemberState::Stable, assigned, BTreeMap::new()));
}

#[test]
fn records_of_other_kinds_of_groups_are_skipped() {
    let kinds = [4, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, -1, i16::MAX];
    for kind in kinds {
        let key = [&kind.to_be_bytes()[..], &[0, 1, b'g']].concat();
        assert_eq!(GroupRecord::decode(Some(key.into()), Some(Bytes::from_static(&[0, 0]))), Ok(None));
    }
}

#[test]
fn a_version_that_is_not_known_is_an_error_and_not_skipped() {
    let (key, _) = golden()["offset"].clone();
    assert!(GroupRecord::decode(key.clone(), Some(Bytes::from_static(&[0, 5]))).is_err());
    assert!(GroupRecord::decode(key, Some(Bytes::from_static(&[0xff, 0xff]))).is_err());
    assert!(GroupRecord::decode(None, None).is_err());
}

#[test]
fn a_name_too_long_for_a_record_is_refused() {
    let group: Arc<str> = "g".repeat(1 << 15).into();
    let record = GroupRecord::Classic { group, state: None };
    assert!(record.encode().is_err());
}

#[test]
fn an_offset_that_would_lose_a_field_is_refused() {
    let expires = Some(TimestampMs(NOW.0 + 1));
    let losing = [
        Committed { expires, topic_id: A, ..committed() },
        Committed { expires, leader_epoch: Epoch(7), ..committed() },
    ];
    for committed in losing {
        assert!(offset(0, Some(committed)).encode().is_err());
    }
}

#[test]
fn what_is_kept_of_a_record_does_not_hold_the_batch_it_was_read_from() {
    let (key, value) = golden()["classic"].clone();
    let batch = value.unwrap();
    let record = GroupRecord::decode(key, Some(batch.clone())).unwrap().unwrap();
    assert!(batch.is_unique(), "{record:?} holds the batch");
}

fn a_name() -> impl Strategy<Value = Arc<str>> {
    // Few of the most, so that records meet under one key.
    prop_oneof![4 => "[ab]", 1 => "[a-z\u{e9}]{0,12}"].prop_map(Arc::from)
}

fn a_partition() -> impl Strategy<Value = i32> {
    prop_oneof![4 => 0..3i32, 1 => any::<i32>()]
}

fn some_bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn a_topic() -> impl Strategy<Value = TopicId> {
    any::<[u8; 16]>().prop_map(Uuid)
}

fn a_time() -> impl Strategy<Value = TimestampMs> {
    any::<i64>().prop_map(TimestampMs)
}

fn a_committed() -> impl Strategy<Value = Committed> {
    let expires = option::of((0..i64::MAX).prop_map(TimestampMs));
    let rest = (any::<i64>(), any::<i32>(), a_name(), a_time(), a_topic());
    (expires, rest).prop_map(|(expires, (offset, epoch, metadata, at, topic))| Committed {
        offset: Offset(offset),
        leader_epoch: if expires.is_some() { Epoch::NONE } else { Epoch(epoch) },
        metadata,
        at,
        expires,
        topic_id: if expires.is_some() { TopicId::ZERO } else { topic },
    })
}

fn a_classic_group() -> impl Strategy<Value = ClassicGroup> {
    let member =
        (option::of(a_name()), a_name(), a_name(), 0..i32::MAX, any::<i32>(), some_bytes(), some_bytes())
            .prop_map(|(instance, client_id, client_host, rebalance, session, subscription, assignment)| {
                ClassicMember {
                    instance,
                    client_id,
                    client_host,
                    rebalance_timeout_ms: rebalance,
                    session_timeout_ms: session,
                    subscription,
                    assignment,
                }
            });
    let members = btree_map(a_name(), member, 0..4);
    (a_name(), any::<i32>(), option::of(a_name()), option::of(a_name()), a_time(), members).prop_map(
        |(protocol_type, generation, protocol, leader, state_at, members)| ClassicGroup {
            protocol_type,
            generation,
            protocol,
            leader,
            state_at,
            members,
        },
    )
}

fn a_metadata() -> impl Strategy<Value = MemberMetadata> {
    let protocol = (a_name(), some_bytes()).prop_map(|(name, metadata)| ClassicProtocol { name, metadata });
    let side = (any::<i32>(), vec(protocol, 0..3))
        .prop_map(|(session_timeout_ms, protocols)| ClassicSide { session_timeout_ms, protocols });
    let names = (option::of(a_name()), option::of(a_name()), a_name(), a_name());
    let said = (btree_set(a_name(), 0..4), option::of(a_name()), any::<i32>(), option::of(a_name()));
    (names, said, option::of(side)).prop_map(
        |(
            (instance, rack, client_id, client_host),
            (topics, regex, rebalance_timeout_ms, assignor),
            classic,
        )| {
            MemberMetadata {
                instance,
                rack,
                client_id,
                client_host,
                topics,
                regex,
                rebalance_timeout_ms,
                assignor,
                classic,
            }
        },
    )
}

fn a_current() -> impl Strategy<Value = Current> {
    let epochs = || btree_map(a_topic(), btree_map(any::<i32>(), any::<i32>(), 0..4), 0..3);
    let state = prop_oneof![
        Just(MemberState::Stable),
        Just(MemberState::UnrevokedPartitions),
        Just(MemberState::UnreleasedPartitions),
        Just(MemberState::Unknown),
    ];
    (any::<i32>(), any::<i32>(), state, epochs(), epochs()).prop_map(
        |(epoch, previous_epoch, state, assigned, revoking)| Current {
            epoch,
            previous_epoch,
            state,
            assigned,
            revoking,
        },
    )
}

fn a_consumer_record() -> impl Strategy<Value = ConsumerRecord> {
    let epoch =
        (any::<i32>(), any::<i64>()).prop_map(|(epoch, metadata_hash)| GroupEpoch { epoch, metadata_hash });
    let target_epoch = (any::<i32>(), a_time()).prop_map(|(epoch, at)| TargetEpoch { epoch, at });
    let target = btree_map(a_topic(), btree_set(any::<i32>(), 0..4), 0..3);
    let resolved = (btree_set(a_name(), 0..4), any::<i64>(), a_time())
        .prop_map(|(topics, version, at)| ResolvedRegex { topics, version, at });
    prop_oneof![
        option::of(epoch).prop_map(ConsumerRecord::Epoch),
        (a_name(), option::of(a_metadata().prop_map(Box::new)))
            .prop_map(|(m, v)| ConsumerRecord::Member(m, v)),
        option::of(target_epoch).prop_map(ConsumerRecord::TargetEpoch),
        (a_name(), option::of(target)).prop_map(|(m, v)| ConsumerRecord::Target(m, v)),
        (a_name(), option::of(a_current().prop_map(Box::new)))
            .prop_map(|(m, v)| ConsumerRecord::Current(m, v)),
        (a_name(), option::of(resolved)).prop_map(|(p, v)| ConsumerRecord::Regex(p, v)),
    ]
}

/// Any record that can be written.
pub(in crate::group) fn a_record() -> impl Strategy<Value = GroupRecord> {
    prop_oneof![
        (a_name(), a_name(), a_partition(), option::of(a_committed())).prop_map(
            |(group, topic, partition, committed)| GroupRecord::Offset { group, topic, partition, committed }
        ),
        (a_name(), option::of(a_classic_group().prop_map(Box::new)))
            .prop_map(|(group, state)| GroupRecord::Classic { group, state }),
        (a_name(), a_consumer_record()).prop_map(|(group, record)| GroupRecord::Consumer { group, record }),
    ]
}

proptest! {
    #[test]
    fn every_record_is_read_back_as_it_was(record in a_record()) {
        let (key, value) = record.encode().unwrap();
        prop_assert_eq!(GroupRecord::decode(key, value), Ok(Some(record)));
    }

    #[test]
    fn damaged_records_never_panic(
        record in a_record(),
        cut in any::<prop::sample::Index>(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let (key, value) = record.encode().unwrap();
        let (key, value) = (key.unwrap(), value.unwrap_or_default());
        let mut bytes = [&key[..], &value[..]].concat();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        let value = bytes.split_off(key.len().min(bytes.len()));
        let _ = GroupRecord::decode(Some(bytes.into()), Some(value.into()));
    }
}

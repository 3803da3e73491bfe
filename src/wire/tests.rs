//! What the derive, the fields and the values do together, shown on real messages.

use super::{DecodeError, EncodeError, Message, Place, Reader, Records, from_bytes, to_bytes};
use crate::types::ErrorCode;
use crate::wire::messages::create_topics::{CreatableTopicResult, CreateTopicsResponse};
use crate::wire::messages::fetch::{FetchRequest, FetchResponse, PartitionData};
use crate::wire::messages::list_offsets::ListOffsetsRequest;
use crate::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use crate::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use bytes::Bytes;
use serde_json::{Value as Json, json};

fn tags(section: &[u8]) -> Result<usize, DecodeError> {
    // ApiVersions' answer of version 3: no error, no APIs, no throttling, tags.
    let head = [0, 0, 1, 0, 0, 0, 0];
    let mut r = Reader::new(Bytes::from([head.as_slice(), section].concat()));
    crate::wire::messages::api_versions::ApiVersionsResponse::decode(&mut r, 3)?;
    r.end()?;
    Ok(r.skipped_tags())
}

#[test]
fn tags_nobody_knows_are_passed_over_and_counted() {
    assert_eq!(tags(&[0]), Ok(0));
    assert_eq!(tags(&[2, 50, 3, 1, 2, 3, 99, 0]), Ok(2));
    assert_eq!(tags(&[1, 3, 1, 1]), Ok(0), "tag 3 is known");
}

/// kafka-protocol and Kafka refused what we passed over: a tag that only later versions have.
#[test]
fn a_tag_of_a_later_version_is_refused() {
    let place = Place { field: "tags", at: 8 };
    let refused = DecodeError::TagNotInVersion { tag: 0, version: 9, place };
    let bytes = Bytes::from_static(&[1, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(from_bytes::<crate::wire::messages::produce::ProduceResponse>(bytes.clone(), 9), Err(refused));
    assert!(from_bytes::<crate::wire::messages::produce::ProduceResponse>(bytes, 10).is_err());
}

#[test]
fn a_tagged_field_must_fill_its_stated_size() {
    let place = |field, at| Place { field, at };
    let short = DecodeError::Short { need: 5, left: 1, place: place("tags", 10) };
    assert_eq!(tags(&[1, 50, 5, 1]), Err(short));
    let unfilled = DecodeError::TagSize { size: 2, used: 1, place: place("tags", 10) };
    assert_eq!(tags(&[1, 3, 2, 1, 0]), Err(unfilled));
    assert!(matches!(tags(&[1, 3, 0, 1]), Err(DecodeError::TagSize { size: 0, used: 1, .. })));
    assert!(matches!(tags(&[0xff, 0xff, 0x7f]), Err(DecodeError::TooMany { .. })));
    assert!(matches!(tags(&[0x80]), Err(DecodeError::Short { .. })));
}

#[test]
fn a_set_field_is_not_dropped_silently_unless_it_may_be() {
    let request = ListOffsetsRequest { isolation_level: 1, ..ListOffsetsRequest::default() };
    // READ_COMMITTED asked of a broker that cannot hear it would be answered wrongly.
    let refused = EncodeError::NotInVersion { field: "isolationLevel", version: 1 };
    assert_eq!(to_bytes(&request, 1), Err(refused));
    assert!(to_bytes(&request, 2).is_ok());
    let request = FetchRequest { max_bytes: 5, session_id: 9, ..FetchRequest::default() };
    assert!(to_bytes(&request, 4).is_ok(), "both may be dropped");
}

#[test]
fn null_is_refused_where_the_version_has_none() {
    let request = MetadataRequest { topics: None, ..MetadataRequest::default() };
    assert_eq!(to_bytes(&request, 0), Err(EncodeError::Null { field: "topics", version: 0 }));
    assert!(to_bytes(&request, 1).is_ok());
    let topic = MetadataRequestTopic { name: None, ..MetadataRequestTopic::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..MetadataRequest::default() };
    assert_eq!(to_bytes(&request, 9), Err(EncodeError::Null { field: "name", version: 9 }));
    let null = Bytes::from_static(&[0xff; 4]);
    assert!(matches!(from_bytes::<MetadataRequest>(null, 0), Err(DecodeError::Null { .. })));
}

#[test]
fn a_field_the_version_lacks_has_its_preset_value() {
    let request = FetchRequest::default();
    assert_eq!((request.replica_id, request.max_bytes, request.session_epoch), (-1, i32::MAX, -1));
    assert_eq!(request.cluster_id, None);
    let read: FetchRequest = from_bytes(to_bytes(&request, 4).unwrap(), 4).unwrap();
    assert_eq!(read, request);
}

#[test]
fn an_error_names_the_field_it_stopped_in() {
    let whole = to_bytes(&FetchRequest::default(), 4).unwrap();
    let error = from_bytes::<FetchRequest>(whole.slice(..whole.len() - 2), 4).unwrap_err();
    assert_eq!(error.to_string(), "4 bytes needed and 2 left at byte 17, field topics");
}

#[test]
fn json_leaves_out_what_the_version_lacks_and_tagged_presets() {
    let result = CreatableTopicResult { name: "t".into(), ..CreatableTopicResult::default() };
    let mut response = CreateTopicsResponse { topics: vec![result], ..CreateTopicsResponse::default() };
    let shown = json!({"throttleTimeMs": 0, "topics": [{"name": "t", "errorCode": 0, "errorMessage": "",
        "numPartitions": -1, "replicationFactor": -1, "configs": []}]});
    assert_eq!(response.to_json(5), shown);
    response.topics[0].topic_config_error_code = 29;
    assert_eq!(response.to_json(5)["topics"][0]["topicConfigErrorCode"], 29);
    response.topics[0].error_code = ErrorCode::TOPIC_ALREADY_EXISTS;
    assert_eq!(response.to_json(2)["topics"][0], json!({"name": "t", "errorCode": 36, "errorMessage": ""}));
}

#[test]
fn records_are_shown_as_base64_or_as_their_size() {
    let partition = PartitionProduceData { index: 0, records: Some(Records::Bytes("abc".into())) };
    let topic = TopicProduceData { partition_data: vec![partition], ..TopicProduceData::default() };
    let request = ProduceRequest { topic_data: vec![topic], ..ProduceRequest::default() };
    let shown = |json: Json| json["topicData"][0]["partitionData"][0].clone();
    assert_eq!(shown(request.to_json(9)), json!({"index": 0, "records": "YWJj"}));
    assert_eq!(shown(request.to_log_json(9)), json!({"index": 0, "recordsSizeInBytes": 3}));
}

#[test]
fn the_tags_of_a_fetched_partition_are_written_in_order_and_only_when_set() {
    let mut partition = PartitionData { records: None, ..PartitionData::default() };
    partition.snapshot_id.epoch = 7;
    partition.diverging_epoch.end_offset = 5;
    let topic = crate::wire::messages::fetch::FetchableTopicResponse {
        partitions: vec![partition],
        ..Default::default()
    };
    let response = FetchResponse { responses: vec![topic], ..FetchResponse::default() };
    let bytes = to_bytes(&response, 12).unwrap();
    // Of the partition: two tags, 0 and 2, each of 12 bytes and an empty tag section of its own.
    let section = bytes.slice(bytes.len() - 33..);
    assert_eq!((section[0], section[1], section[2]), (2, 0, 13));
    assert_eq!((section[16], section[17]), (2, 13));
    assert_eq!(from_bytes::<FetchResponse>(bytes, 12), Ok(response));
}

/// A message that some versions leave empty altogether.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
struct Nothing {}

#[test]
fn a_message_without_fields_is_a_tag_section_or_nothing() {
    assert_eq!(to_bytes(&Nothing {}, 0), Ok(Bytes::new()));
    assert_eq!(to_bytes(&Nothing {}, 1), Ok(Bytes::from_static(&[0])));
    assert_eq!(from_bytes::<Nothing>(Bytes::from_static(&[1, 5, 1, 0]), 1), Ok(Nothing {}));
}

// A null struct in the tag section was written and expected as -1, as outside of it; Kafka says 0 there, and wrote
// members of consumer groups that could not be read.
#[test]
fn a_null_struct_among_tags_is_a_zero() {
    use crate::wire::records::consumer_group_member_metadata_value::ConsumerGroupMemberMetadataValue as Member;
    // Four texts, no topics, three more fields, one tag: number 0 with one byte.
    let bytes = [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0];
    let member: Member = from_bytes(Bytes::copy_from_slice(&bytes), 0).unwrap();
    assert_eq!(member.classic_member_metadata, None);
    assert_eq!(to_bytes(&member, 0).unwrap(), bytes[..]);
    let mut wrong = bytes;
    *wrong.last_mut().unwrap() = 0xff;
    assert!(from_bytes::<Member>(Bytes::copy_from_slice(&wrong), 0).is_err());
}

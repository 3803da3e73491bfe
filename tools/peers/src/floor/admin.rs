//! What the generator asks besides: who is there, make and delete a topic, where a partition ends. Through the
//! library's codec, because it is not measured.

use super::store::Store;
use anyhow::{Result, bail};
use bytes::Bytes;
use logboom::types::ErrorCode;
use logboom::wire::frame::{decode_request_header, encode_response};
use logboom::wire::messages::create_topics::{
    CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use logboom::wire::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};
use logboom::wire::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use logboom::wire::messages::metadata::{MetadataResponse, MetadataResponseBroker};
use logboom::wire::{ApiKey, Message, Reader};
use std::net::SocketAddr;

/// The answer in a frame.
pub fn answer(frame: Bytes, address: SocketAddr, store: &Store) -> Result<Bytes> {
    let mut r = Reader::new(frame);
    let header = decode_request_header(&mut r)?;
    let (key, version) = (ApiKey(header.request_api_key), header.request_api_version);
    let response: Box<dyn Message> = match key {
        ApiKey::METADATA => Box::new(metadata(address)),
        ApiKey::CREATE_TOPICS => Box::new(create(&CreateTopicsRequest::decode(&mut r, version)?, store)),
        ApiKey::DELETE_TOPICS => Box::new(delete(&DeleteTopicsRequest::decode(&mut r, version)?, store)?),
        ApiKey::LIST_OFFSETS => Box::new(ends(&ListOffsetsRequest::decode(&mut r, version)?, store)),
        ApiKey(other) => bail!("the floor has no API {other}"),
    };
    Ok(encode_response(key, version, header.correlation_id, response.as_ref())?.to_bytes()?)
}

fn metadata(address: SocketAddr) -> MetadataResponse {
    let broker = MetadataResponseBroker {
        node_id: 1,
        host: address.ip().to_string().as_str().into(),
        port: i32::from(address.port()),
        ..MetadataResponseBroker::default()
    };
    MetadataResponse { brokers: vec![broker], controller_id: 1, ..MetadataResponse::default() }
}

fn create(request: &CreateTopicsRequest, store: &Store) -> CreateTopicsResponse {
    let topics = request.topics.iter().map(|topic| {
        let made = store.create(&topic.name, topic.num_partitions);
        CreatableTopicResult {
            name: topic.name.clone(),
            error_code: if made.is_ok() { ErrorCode::NONE } else { ErrorCode::UNKNOWN_SERVER_ERROR },
            error_message: made.err().map(|error| format!("{error:#}").as_str().into()),
            ..CreatableTopicResult::default()
        }
    });
    CreateTopicsResponse { topics: topics.collect(), ..CreateTopicsResponse::default() }
}

fn delete(request: &DeleteTopicsRequest, store: &Store) -> Result<DeleteTopicsResponse> {
    let mut responses = Vec::new();
    for name in &request.topic_names {
        store.delete(name)?;
        responses.push(DeletableTopicResult { name: Some(name.clone()), ..DeletableTopicResult::default() });
    }
    Ok(DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() })
}

fn ends(request: &ListOffsetsRequest, store: &Store) -> ListOffsetsResponse {
    let topics = request.topics.iter().map(|topic| {
        let found = store.topic(&topic.name);
        let partitions = topic.partitions.iter().map(|asked| {
            let index = usize::try_from(asked.partition_index).ok();
            let partition = index.and_then(|index| found.as_ref()?.get(index).cloned());
            ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                error_code: match partition {
                    Some(_) => ErrorCode::NONE,
                    None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                },
                offset: partition.map_or(-1, |partition| partition.end()),
                ..ListOffsetsPartitionResponse::default()
            }
        });
        ListOffsetsTopicResponse { name: topic.name.clone(), partitions: partitions.collect() }
    });
    ListOffsetsResponse { topics: topics.collect(), ..ListOffsetsResponse::default() }
}

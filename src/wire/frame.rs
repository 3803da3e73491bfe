//! Frames: a four-byte length, a header, a message. The length itself is read by whoever owns the socket, which
//! must bound it before it takes memory; everything after it is here.

use super::{
    ApiKey, DecodeError, EncodeError, Encoded, Message, Reader, Request, RequestHeader, ResponseHeader, Str,
    Writer, request_header_version, response_header_version,
};
use bytes::Bytes;

/// A request in a frame.
///
/// # Errors
/// As [`Message::encode`].
pub fn encode_request<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) -> Result<Encoded, EncodeError> {
    let header = RequestHeader {
        request_api_key: R::KEY.0,
        request_api_version: version,
        correlation_id,
        client_id: client_id.map(Str::from),
    };
    let mut w = Writer::frame();
    header.encode(&mut w, request_header_version(R::KEY, version))?;
    request.encode(&mut w, version)?;
    w.finish_frame()
}

/// A response to a request of this key and version in a frame.
///
/// # Errors
/// As [`Message::encode`].
pub fn encode_response(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    response: &dyn Message,
) -> Result<Encoded, EncodeError> {
    response_writer(key, version, correlation_id, response)?.finish_frame()
}

/// As [`encode_response`], in one piece.
///
/// # Errors
/// As [`Message::encode`], and `Hole`.
pub fn encode_whole_response(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    response: &dyn Message,
) -> Result<Bytes, EncodeError> {
    response_writer(key, version, correlation_id, response)?.finish_whole_frame()
}

fn response_writer(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    response: &dyn Message,
) -> Result<Writer, EncodeError> {
    let mut w = Writer::frame();
    ResponseHeader { correlation_id }.encode(&mut w, response_header_version(key, version))?;
    response.encode(&mut w, version)?;
    Ok(w)
}

/// The header at the start of a request, of whatever version its key and version call for. A version we do not
/// serve has a header all the same: the answer to ApiVersions must carry its correlation id. Bytes of the
/// message stay in the reader.
///
/// # Errors
/// `UnknownApiKey`, whose header has no known shape, and whatever is wrong with the bytes.
pub fn decode_request_header(r: &mut Reader) -> Result<RequestHeader, DecodeError> {
    let mut ahead = r.clone();
    let key = ApiKey(ahead.i16()?);
    let version = ahead.i16()?;
    if key.api().is_none() {
        return Err(DecodeError::UnknownApiKey { key: key.0 });
    }
    RequestHeader::decode(r, request_header_version(key, version))
}

/// The correlation id and the message of a response to `R`, all bytes used. `frame` is what follows the length.
///
/// # Errors
/// Whatever is wrong with the bytes, and `TrailingBytes`.
pub fn decode_response<R: Request>(frame: Bytes, version: i16) -> Result<(i32, R::Response), DecodeError> {
    let mut r = Reader::new(frame);
    let header = ResponseHeader::decode(&mut r, response_header_version(R::KEY, version))?;
    let response = R::Response::decode(&mut r, version)?;
    r.end()?;
    Ok((header.correlation_id, response))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::fetch::{FetchResponse, FetchableTopicResponse, PartitionData};
    use crate::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
    use crate::wire::{Part, Records};

    fn produce(records: Bytes) -> ProduceRequest {
        let partition = PartitionProduceData { index: 3, records: Some(Records::Bytes(records)) };
        let topic = TopicProduceData {
            name: "orders".into(),
            partition_data: vec![partition],
            ..TopicProduceData::default()
        };
        ProduceRequest { acks: -1, timeout_ms: 1500, topic_data: vec![topic], ..ProduceRequest::default() }
    }

    #[test]
    fn a_request_comes_back_out_of_its_frame_without_a_copy_of_its_records() {
        for version in ProduceRequest::VERSIONS.filter(|version| *version < 13) {
            let sent = produce(Bytes::from(vec![7; 1000]));
            let frame = encode_request(&sent, version, 42, Some("me")).unwrap().to_bytes().unwrap();
            let mut r = Reader::new(frame.clone());
            assert_eq!(r.i32().unwrap(), i32::try_from(frame.len()).unwrap() - 4);
            let header = decode_request_header(&mut r).unwrap();
            assert_eq!((header.request_api_version, header.correlation_id), (version, 42));
            assert_eq!(header.client_id.as_deref(), Some("me"));
            let read = ProduceRequest::decode(&mut r, version).unwrap();
            r.end().unwrap();
            assert_eq!(read, sent);
            let Some(Records::Bytes(records)) = &read.topic_data[0].partition_data[0].records else {
                panic!()
            };
            assert!(frame.as_ptr_range().contains(&records.as_ptr()), "records were copied");
        }
    }

    #[test]
    fn records_of_an_answer_are_left_out_as_holes_or_put_in_by_reference() {
        let records = Bytes::from(vec![9; 500]);
        let partition = |records| PartitionData { records: Some(records), ..PartitionData::default() };
        let topic = FetchableTopicResponse {
            partitions: vec![partition(Records::Hole(700)), partition(Records::Bytes(records.clone()))],
            ..FetchableTopicResponse::default()
        };
        let response = FetchResponse { responses: vec![topic], ..FetchResponse::default() };
        let encoded = encode_response(ApiKey::FETCH, 16, 1, &response).unwrap();
        let lens: Vec<usize> = encoded.parts.iter().map(Part::len).collect();
        assert_eq!(lens.iter().sum::<usize>(), encoded.len());
        assert_eq!(encoded.parts[1], Part::Hole(700));
        let Part::Bytes(sent) = &encoded.parts[3] else { panic!() };
        assert_eq!(sent.as_ptr(), records.as_ptr(), "records were copied");
        let Part::Bytes(head) = &encoded.parts[0] else { panic!() };
        assert_eq!(head[..4], i32::try_from(encoded.len() - 4).unwrap().to_be_bytes());
        assert_eq!(encoded.to_bytes(), Err(EncodeError::Hole));
    }

    #[test]
    fn a_header_of_a_version_of_the_future_is_read() {
        let mut w = Writer::new();
        w.i16(18);
        w.i16(99);
        w.i32(5);
        w.i16(-1);
        w.uvarint(0);
        let header = decode_request_header(&mut Reader::new(w.finish().to_bytes().unwrap())).unwrap();
        assert_eq!((header.correlation_id, header.client_id), (5, None));
        let unknown = Bytes::from_static(&[0x27, 0x0f, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
        assert_eq!(
            decode_request_header(&mut Reader::new(unknown)),
            Err(DecodeError::UnknownApiKey { key: 9999 })
        );
    }
}

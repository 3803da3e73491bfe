//! Fetch at the floor: the head by the library's codec, the records by sendfile.

use super::store::{Partition, Store, Stretch};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use logboom::wire::frame::{decode_request_header, encode_response};
use logboom::wire::messages::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use logboom::wire::{ApiKey, Message, Part, Reader, Records};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sends what is asked for, after the wait that the client allows if there is nothing.
pub fn answer(frame: Bytes, mut socket: &TcpStream, store: &Store) -> Result<()> {
    let mut r = Reader::new(frame);
    let header = decode_request_header(&mut r)?;
    let version = header.request_api_version;
    let request = FetchRequest::decode(&mut r, version)?;
    let (response, holes) = patiently(&request, store)?;
    let encoded = encode_response(ApiKey::FETCH, version, header.correlation_id, &response)?;
    let mut holes = holes.into_iter();
    for part in encoded.parts {
        match part {
            Part::Bytes(bytes) => socket.write_all(&bytes)?,
            Part::Hole(len) => {
                let (partition, stretch) = holes.next().context("a hole too many")?;
                ensure!(stretch.len == len, "a hole of another size");
                send(&partition, &stretch, socket)?;
            }
        }
    }
    Ok(())
}

type Holes = Vec<(Arc<Partition>, Stretch)>;

fn patiently(request: &FetchRequest, store: &Store) -> Result<(FetchResponse, Holes)> {
    let until = Instant::now() + Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    loop {
        let seen = store.growth();
        let (response, holes) = plan(request, store)?;
        let found: usize = holes.iter().map(|(_, stretch)| stretch.len).sum();
        let now = Instant::now();
        if found >= usize::try_from(request.min_bytes).unwrap_or(0) || now >= until {
            return Ok((response, holes));
        }
        store.wait(seen, until - now);
    }
}

fn plan(request: &FetchRequest, store: &Store) -> Result<(FetchResponse, Holes)> {
    let mut left = usize::try_from(request.max_bytes).unwrap_or(0);
    let mut holes = Vec::new();
    let mut responses = Vec::new();
    for topic in &request.topics {
        let found = store.topic(&topic.topic).context("no such topic")?;
        let mut partitions = Vec::new();
        for asked in &topic.partitions {
            let partition = usize::try_from(asked.partition).ok().and_then(|index| found.get(index));
            let partition = partition.context("no such partition")?;
            let most = left.min(usize::try_from(asked.partition_max_bytes).unwrap_or(0));
            let stretch = partition.read(asked.fetch_offset, most);
            partitions.push(PartitionData {
                partition_index: asked.partition,
                high_watermark: stretch.end,
                last_stable_offset: stretch.end,
                log_start_offset: 0,
                records: Some(Records::Hole(stretch.len)),
                ..PartitionData::default()
            });
            left = left.saturating_sub(stretch.len);
            if stretch.len > 0 {
                holes.push((partition.clone(), stretch));
            }
        }
        responses.push(FetchableTopicResponse {
            topic: topic.topic.clone(),
            partitions,
            ..FetchableTopicResponse::default()
        });
    }
    Ok((FetchResponse { responses, ..FetchResponse::default() }, holes))
}

fn send(partition: &Partition, stretch: &Stretch, socket: &TcpStream) -> Result<()> {
    let mut at = stretch.at;
    let end = stretch.at + stretch.len as u64;
    while at < end {
        let left = (end - at) as usize;
        let sent = rustix::fs::sendfile(socket, partition.file(), Some(&mut at), left)?;
        ensure!(sent > 0, "the file is shorter than what was written");
    }
    Ok(())
}

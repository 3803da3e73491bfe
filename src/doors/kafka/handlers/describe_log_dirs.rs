//! DescribeLogDirs, 1-5: sizes on disk; 4: room on the file system; 5: cordoned directories (KIP-1066), of which there
//! are none.

use super::*;
use crate::engine::{LogDirContent, LogDirDescription};
use crate::wire::messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = DescribeLogDirsRequest;
    const VERSIONS: RangeInclusive<i16> = 1..=5;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DescribeLogDirsRequest = decode(head, body)?;
        let mut wanted: Option<BTreeMap<String, Vec<i32>>> = None;
        for topic in request.topics.iter().flatten() {
            let wanted = wanted.get_or_insert_default();
            wanted.entry(topic.topic.to_string()).or_default().extend(&topic.partitions);
        }
        if request.topics.is_some() {
            // An empty list means none; null means all.
            wanted.get_or_insert_default();
        }
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            match engine.describe_log_dirs(wanted).await {
                Ok(all) => {
                    let results = all.into_iter().map(result).collect();
                    DescribeLogDirsResponse { results, ..Default::default() }
                }
                Err(refusal) => DescribeLogDirsResponse { error_code: refusal.code, ..Default::default() },
            }
        }))
    }
}

/// A directory that cannot be used is told with its error alone.
fn result(described: LogDirDescription) -> DescribeLogDirsResult {
    let log_dir = Str::from(described.path);
    match described.content {
        Ok(content) => usable(log_dir, content),
        Err(refusal) => DescribeLogDirsResult { error_code: refusal.code, log_dir, ..Default::default() },
    }
}

fn usable(log_dir: Str, content: LogDirContent) -> DescribeLogDirsResult {
    let bytes = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut topics: Vec<DescribeLogDirsTopic> = Vec::new();
    for size in content.partitions {
        let partition = DescribeLogDirsPartition {
            partition_index: size.name.partition,
            partition_size: bytes(size.bytes),
            ..Default::default()
        };
        match topics.last_mut() {
            Some(topic) if *topic.name == *size.name.topic => topic.partitions.push(partition),
            _ => topics.push(DescribeLogDirsTopic {
                name: Str::from(&*size.name.topic),
                partitions: vec![partition],
            }),
        }
    }
    DescribeLogDirsResult {
        log_dir,
        topics,
        total_bytes: bytes(content.total_bytes),
        usable_bytes: bytes(content.usable_bytes),
        ..Default::default()
    }
}

//! DeleteRecords, 0-2: moves the start of logs on. Offset -1 means the high watermark.

use super::*;
use crate::engine::{Cut, DeleteRecords};
use crate::types::Offset;
use crate::wire::messages::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopicResult,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = DeleteRecordsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=2;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DeleteRecordsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let mut topics = Vec::with_capacity(request.topics.len());
            for topic in request.topics {
                let mut partitions = Vec::with_capacity(topic.partitions.len());
                for part in &topic.partitions {
                    let delete = DeleteRecords {
                        topic: topic_ref(&topic.name, Uuid::ZERO, false),
                        partition: part.partition_index,
                        cut: if part.offset == -1 {
                            Cut::AtHighWatermark
                        } else {
                            Cut::Below(Offset(part.offset))
                        },
                    };
                    let outcome = engine.delete_records(&delete).await;
                    partitions.push(DeleteRecordsPartitionResult {
                        partition_index: part.partition_index,
                        low_watermark: outcome.as_ref().map_or(-1, |start| start.0),
                        error_code: told(&outcome).0,
                    });
                }
                topics.push(DeleteRecordsTopicResult { name: topic.name, partitions });
            }
            DeleteRecordsResponse { topics, ..Default::default() }
        }))
    }
}

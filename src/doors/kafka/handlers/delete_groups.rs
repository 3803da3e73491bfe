//! DeleteGroups, 0-3: deletes groups without members, with their offsets. 3: sentences.

use super::*;
use crate::wire::messages::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};
use std::collections::BTreeSet;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = DeleteGroupsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=3;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DeleteGroupsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let mut seen = BTreeSet::new();
            let mut results = Vec::with_capacity(request.groups_names.len());
            for group in request.groups_names.iter().filter(|group| seen.insert(group.as_str())) {
                // Kafka has sentences only for what fails on the way, not for what may not be done.
                let (error_code, _) = told(&engine.delete_group(text(group)).await);
                results.push(DeletableGroupResult {
                    group_id: group.clone(),
                    error_code,
                    error_message: None,
                });
            }
            DeleteGroupsResponse { results, ..Default::default() }
        }))
    }
}

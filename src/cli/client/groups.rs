//! Groups as a person asks for them: a list, one with its members, one gone.

use super::coordinator::{is_passing, refuse};
use super::error::check;
use super::group_view::{GroupView, classic_view, consumer_view};
use super::topics::{address, nearest};
use super::{Client, ClientError, TRIES_MAX};
use crate::types::ErrorCode;
use crate::wire::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use crate::wire::messages::delete_groups::DeleteGroupsRequest;
use crate::wire::messages::describe_groups::DescribeGroupsRequest;
use crate::wire::messages::list_groups::ListGroupsRequest;
use crate::wire::messages::metadata::MetadataRequest;

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct GroupSummary {
    /// Its name.
    pub group: String,
    /// `classic`, `consumer`, `share` or `streams`; empty where the broker does not say (before Kafka 3.8).
    #[serde(rename = "type")]
    pub kind: String,
    /// What its members are; empty for a group that only holds offsets.
    pub protocol_type: String,
    /// Its state; empty where the broker does not say (before Kafka 2.6).
    pub state: String,
}

impl Client {
    /// All groups in these states and of these types (all, where none is given), by name.
    pub async fn list_groups(
        &self,
        states: &[String],
        types: &[String],
    ) -> Result<Vec<GroupSummary>, ClientError> {
        let everyone = MetadataRequest { topics: Some(Vec::new()), ..MetadataRequest::default() };
        let brokers = self.seed().await?.call(&everyone).await?.brokers;
        let mut groups = Vec::new();
        for broker in &brokers {
            groups.extend(self.groups_of_broker(&address(&broker.host, broker.port), states, types).await?);
        }
        groups.sort_by(|a: &GroupSummary, b| a.group.cmp(&b.group));
        Ok(groups)
    }

    async fn groups_of_broker(
        &self,
        address: &str,
        states: &[String],
        types: &[String],
    ) -> Result<Vec<GroupSummary>, ClientError> {
        let ask = ListGroupsRequest {
            states_filter: states.iter().map(|state| state.as_str().into()).collect(),
            types_filter: types.iter().map(|kind| kind.as_str().into()).collect(),
        };
        let mut tries = 0;
        loop {
            let result = async {
                let answer = self.link(address).await?.call(&ask).await?;
                let loading = answer.error_code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
                let message = loading.then_some("its coordinator is still reading the log of groups");
                check(answer.error_code, || format!("cannot list the groups of {address}"), message)?;
                Ok(answer)
            };
            match result.await {
                Ok(answer) => {
                    let summary = answer.groups.iter().map(|group| GroupSummary {
                        group: group.group_id.to_string(),
                        kind: group.group_type.to_ascii_lowercase(),
                        protocol_type: group.protocol_type.to_string(),
                        state: group.group_state.to_string(),
                    });
                    return Ok(summary.collect());
                }
                Err(error) if is_passing(&error) && tries < TRIES_MAX => {
                    tries += 1;
                    self.pause(tries).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A group with its members. As Kafka's own tools do: a group of the new protocol first, then a classic one.
    ///
    /// # Errors
    /// `NoGroup` if there is no such group of consumers.
    pub async fn describe_group(&self, group: &str) -> Result<GroupView, ClientError> {
        let offered = self.seat_offers_consumer_groups(group).await?;
        let found = match offered {
            true => self.describe_consumer_group(group).await?,
            false => None,
        };
        match found {
            Some(view) => Ok(view),
            None => match self.describe_classic_group(group).await? {
                Some(view) => Ok(view),
                None => Err(self.no_group(group).await),
            },
        }
    }

    /// Asked in passing, so that a broker before Kafka 3.7 is not asked what it does not know.
    async fn seat_offers_consumer_groups(&self, group: &str) -> Result<bool, ClientError> {
        let mut tries = 0;
        loop {
            match self.seat(group).await {
                Ok(seat) => return Ok(seat.link.offers::<ConsumerGroupDescribeRequest>()),
                Err(error) if is_passing(&error) && tries < TRIES_MAX => {
                    tries += 1;
                    self.pause(tries).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn describe_consumer_group(&self, group: &str) -> Result<Option<GroupView>, ClientError> {
        let build = |_| ConsumerGroupDescribeRequest { group_ids: vec![group.into()], ..Default::default() };
        let asked = self.ask_coordinator(group, build, |answer| match answer.groups.first() {
            Some(found) if is_absent(found.error_code) => Ok(()),
            Some(found) => refuse(group, found.error_code, found.error_message.as_deref()),
            None => Ok(()),
        });
        let (coordinator, answer) = asked.await?;
        let found = answer.groups.into_iter().next().filter(|found| found.error_code.is_none());
        Ok(found.map(|found| consumer_view(found, coordinator)))
    }

    async fn describe_classic_group(&self, group: &str) -> Result<Option<GroupView>, ClientError> {
        let build = |_| DescribeGroupsRequest { groups: vec![group.into()], ..Default::default() };
        let asked = self.ask_coordinator(group, build, |answer| match answer.groups.first() {
            Some(found) if is_absent(found.error_code) => Ok(()),
            Some(found) => refuse(group, found.error_code, found.error_message.as_deref()),
            None => Ok(()),
        });
        let (coordinator, answer) = asked.await?;
        let found = answer.groups.into_iter().next().filter(|found| found.error_code.is_none());
        // Before version 6 a group that is not there is one that is dead.
        let found = found.filter(|found| &*found.group_state != "Dead");
        Ok(found.map(|found| classic_view(found, coordinator)))
    }

    /// Says that a group is not there, with the one that was probably meant.
    pub async fn no_group(&self, group: &str) -> ClientError {
        let groups = self.list_groups(&[], &[]).await.unwrap_or_default();
        let kind = groups.iter().find(|known| known.group == group).map(|known| known.kind.clone());
        ClientError::NoGroup {
            group: group.to_owned(),
            address: self.bootstrap().to_owned(),
            near: nearest(group, groups.into_iter().map(|known| known.group)),
            kind,
        }
    }

    /// Deletes a group with its offsets. A call may be repeated after a lost connection, so that a group which is not
    /// there counts as deleted: ask first.
    pub async fn delete_group(&self, group: &str) -> Result<(), ClientError> {
        let build = |_| DeleteGroupsRequest { groups_names: vec![group.into()] };
        let asked = self.ask_coordinator(group, build, |answer| match answer.results.first() {
            Some(result) if result.error_code == ErrorCode::GROUP_ID_NOT_FOUND => Ok(()),
            Some(result) => refuse(group, result.error_code, result.error_message.as_deref()),
            None => Ok(()),
        });
        asked.await.map(|_| ())
    }
}

/// Whether a describing API says that it has no such group, or does not do groups of this kind.
fn is_absent(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::GROUP_ID_NOT_FOUND | ErrorCode::UNSUPPORTED_VERSION)
}

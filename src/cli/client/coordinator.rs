//! Coordinators: which broker keeps a group, and calls to it. The connection is one of its own, because a broker
//! answers a connection's calls in order, and a fetch that waits for records must not hold up a heartbeat.

use super::link::Link;
use super::topics::address;
use super::{Client, ClientError, TRIES_MAX};
use crate::types::ErrorCode;
use crate::wire::Request;
use crate::wire::messages::find_coordinator::FindCoordinatorRequest;
use std::sync::Arc;

/// Number of groups among the kinds of coordinators.
const GROUP: i8 = 0;
/// First version of FindCoordinator that asks for several keys (KIP-699).
const SEVERAL_KEYS: i16 = 4;

/// The broker that keeps a group.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Coordinator {
    /// Its number.
    pub node: i32,
    /// Its address.
    pub address: String,
}

/// A coordinator with a connection to it.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) broker: Coordinator,
    pub(super) link: Arc<Link>,
}

impl Client {
    /// The coordinator of a group; asked for anew if it was forgotten or the connection broke.
    pub(super) async fn seat(&self, group: &str) -> Result<Seat, ClientError> {
        let known = self.seats.lock().await.get(group).filter(|seat| !seat.link.is_lost()).cloned();
        if let Some(seat) = known {
            return Ok(seat);
        }
        let broker = self.find_coordinator(group).await?;
        let link = self.open(&broker.address).await?;
        let seat = Seat { broker, link };
        self.seats.lock().await.insert(group.to_owned(), seat.clone());
        Ok(seat)
    }

    async fn find_coordinator(&self, group: &str) -> Result<Coordinator, ClientError> {
        let seed = self.seed().await?;
        let several = seed.version_of::<FindCoordinatorRequest>()? >= SEVERAL_KEYS;
        let mut ask = FindCoordinatorRequest { key_type: GROUP, ..FindCoordinatorRequest::default() };
        match several {
            true => ask.coordinator_keys = vec![group.into()],
            false => ask.key = group.into(),
        }
        let answer = seed.call(&ask).await?;
        if !several {
            refuse(group, answer.error_code, answer.error_message.as_deref())?;
            return Ok(Coordinator { node: answer.node_id, address: address(&answer.host, answer.port) });
        }
        let found = answer.coordinators.first().ok_or_else(|| ClientError::Malformed {
            address: self.bootstrap().to_owned(),
            api: "FindCoordinator",
            why: "it names no coordinator".to_owned(),
        })?;
        refuse(group, found.error_code, found.error_message.as_deref())?;
        Ok(Coordinator { node: found.node_id, address: address(&found.host, found.port) })
    }

    /// The next call to the group's coordinator asks first who that is.
    pub(super) async fn forget_seat(&self, group: &str) {
        self.seats.lock().await.remove(group);
    }

    /// Calls the coordinator of a group, and again for a while where it is starting, moving or away. `build` makes
    /// the request for the version that will be spoken; `judge` finds what is wrong with the answer as a whole.
    pub(super) async fn ask_coordinator<R: Request>(
        &self,
        group: &str,
        build: impl Fn(i16) -> R,
        judge: impl Fn(&R::Response) -> Result<(), ClientError>,
    ) -> Result<(Coordinator, R::Response), ClientError> {
        let mut tries = 0;
        loop {
            let result = async {
                let seat = self.seat(group).await?;
                let answer = seat.link.call(&build(seat.link.version_of::<R>()?)).await?;
                judge(&answer)?;
                Ok((seat.broker, answer))
            };
            match result.await {
                Err(error) if is_passing(&error) && tries < TRIES_MAX => {
                    tries += 1;
                    self.forget_seat(group).await;
                    self.pause(tries).await;
                }
                other => return other,
            }
        }
    }
}

/// Whether another try at the coordinator may help. An address that we were told and that does not answer is one of a
/// broker that is starting again: it answered at its bootstrap address a moment ago. An answer that took too long is
/// not waited for again, as each time would be as long.
pub(super) fn is_passing(error: &ClientError) -> bool {
    error.may_heal() && !matches!(error, ClientError::TimedOut { .. })
}

/// An error unless the code is `NONE`, with a sentence for what only coordinators say.
pub(super) fn refuse(group: &str, code: ErrorCode, message: Option<&str>) -> Result<(), ClientError> {
    let ours = match code {
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => Some("its coordinator is still reading the group's log"),
        ErrorCode::COORDINATOR_NOT_AVAILABLE => Some("no broker coordinates it at the moment"),
        ErrorCode::NOT_COORDINATOR => Some("its coordinator has just moved to another broker"),
        ErrorCode::INVALID_GROUP_ID => Some("that is no name of a group"),
        ErrorCode::GROUP_AUTHORIZATION_FAILED => Some("not allowed for this group"),
        ErrorCode::UNSUPPORTED_VERSION => Some("the broker does not offer the group protocol of KIP-848"),
        ErrorCode::GROUP_MAX_SIZE_REACHED => Some("it has as many members as the broker allows"),
        _ => None,
    };
    super::error::check(code, || format!("group `{group}`"), ours.or(message))
}

/// Whether a code is about the coordinator and not about what was asked.
pub(super) fn is_about_coordinator(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::NOT_COORDINATOR
    )
}

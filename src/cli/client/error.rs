//! What can go wrong between us and a cluster.

use crate::record::BadBatch;
use crate::types::ErrorCode;
use std::io;

/// A call to a cluster that failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The list of addresses is empty.
    #[error("`{given}` names no address to connect to")]
    NoAddress {
        /// What was given.
        given: String,
    },
    /// Nobody listens, or the name is unknown.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The broker answers but tells clients an address that does not.
    #[error(
        "connected to {bootstrap}, but it tells clients to use {address}, which cannot be reached: {source}"
    )]
    Advertised {
        /// Where we came in.
        bootstrap: String,
        /// Where we were sent.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The connection broke; what was under way may have happened.
    #[error("lost the connection to {address}: {why}")]
    Lost {
        /// With whom.
        address: String,
        /// How.
        why: String,
    },
    /// No answer in time; what was asked for may have happened.
    #[error("{address} did not answer {api} within {seconds} s")]
    TimedOut {
        /// Who.
        address: String,
        /// What was asked.
        api: &'static str,
        /// How long we waited.
        seconds: u64,
    },
    /// The broker does not speak what we need.
    #[error("{address} does not offer {api} in a version that is spoken here")]
    Unsupported {
        /// Who.
        address: String,
        /// What was to be asked.
        api: &'static str,
    },
    /// The answer is not one of the protocol.
    #[error("{address} sent an answer to {api} that cannot be read: {why}")]
    Malformed {
        /// Who.
        address: String,
        /// What was asked.
        api: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// We were about to send what the protocol cannot say.
    #[error("cannot ask for {api}: {why}")]
    Unsayable {
        /// What was to be asked.
        api: &'static str,
        /// Why.
        why: String,
    },
    /// The broker said no.
    #[error("{what}: {}", message.as_deref().unwrap_or("the broker refused"))]
    Refused {
        /// Kafka's code.
        code: ErrorCode,
        /// What was tried, as the start of a sentence.
        what: String,
        /// The broker's sentence, if it gave one.
        message: Option<String>,
    },
    /// The topic is not there.
    #[error("topic `{topic}` does not exist on {address}")]
    NoTopic {
        /// Its name.
        topic: String,
        /// Where we asked.
        address: String,
        /// A topic that is there and looks much like it.
        near: Option<String>,
    },
    /// The group is not there, or is none of consumers.
    #[error("{}", no_group(group, address, kind.as_deref()))]
    NoGroup {
        /// Its name.
        group: String,
        /// Where we asked.
        address: String,
        /// What it is instead, if it is there: `share`, `streams`.
        kind: Option<String>,
        /// A group that is there and looks much like it.
        near: Option<String>,
    },
    /// The records we were given are damaged.
    #[error("{place}: the broker sent a damaged batch: {why}")]
    Damaged {
        /// Partition and offset.
        place: String,
        /// What is wrong with it.
        why: BadBatch,
    },
}

impl ClientError {
    /// Kafka's code where the broker gave one.
    pub fn code(&self) -> ErrorCode {
        match self {
            ClientError::Refused { code, .. } => *code,
            ClientError::NoTopic { .. } => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ClientError::NoGroup { .. } => ErrorCode::GROUP_ID_NOT_FOUND,
            _ => ErrorCode::NONE,
        }
    }

    /// Whether trying again may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            ClientError::Refused { code, .. } => code.is_retriable(),
            ClientError::Lost { .. } | ClientError::Connect { .. } => true,
            _ => false,
        }
    }

    /// Whether it may be over in a minute or two, for who can wait and asks for nothing that must not happen twice:
    /// a broker that starts again, hangs, or does not answer yet at the address that it told.
    pub fn may_heal(&self) -> bool {
        self.is_passing() || matches!(self, ClientError::TimedOut { .. } | ClientError::Advertised { .. })
    }
}

fn no_group(group: &str, address: &str, kind: Option<&str>) -> String {
    match kind {
        Some(kind) => format!("`{group}` on {address} is a {kind} group, not a group of consumers"),
        None => format!("group `{group}` does not exist on {address}"),
    }
}

/// An error unless the code is `NONE`.
pub(super) fn check(
    code: ErrorCode,
    what: impl FnOnce() -> String,
    message: Option<&str>,
) -> Result<(), ClientError> {
    match code.is_none() {
        true => Ok(()),
        false => Err(ClientError::Refused { code, what: what(), message: message.map(str::to_owned) }),
    }
}

//! What a verb says when it fails: a name that can be searched for, one sentence, one next step.

use super::client::ClientError;
use crate::config::LoadError;
use crate::types::ErrorCode;
use std::fmt;

/// A verb that failed. Shown on stderr; the exit code is 1, or 2 where the call itself was wrong.
#[derive(Debug)]
pub struct Failure {
    /// `LBnnnn`, or Kafka's name of the error.
    pub code: String,
    /// What went wrong, where, and why as far as known.
    pub message: String,
    /// Lines that show it.
    pub detail: Option<String>,
    /// One next step.
    pub help: Option<String>,
    /// Exit code.
    pub exit: u8,
}

impl Failure {
    /// A failure of ours.
    pub fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure { code: code.to_owned(), message: message.into(), detail: None, help: None, exit: 1 }
    }

    /// With one next step.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// The call itself was wrong.
    pub fn usage(mut self) -> Failure {
        self.exit = 2;
        self
    }

    /// The same as one JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "error": { "code": self.code, "message": self.message, "detail": self.detail, "help": self.help }
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, "\n{detail}")?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure {
            code: error.code.to_owned(),
            message: error.message,
            detail: error.place.map(|place| place.to_string()),
            help: error.help,
            exit: 2,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let message = error.to_string();
        match error {
            ClientError::NoAddress { .. } => Failure::new("LB0301", message).usage(),
            ClientError::Connect { address, .. } => Failure::new("LB0301", message)
                .help(format!("is a broker running there? start one:  logboom serve --listen {address}")),
            ClientError::Advertised { bootstrap, .. } => Failure::new("LB0310", message)
                .help(format!("on the broker set  advertised.listeners = \"{bootstrap}\"  (or \"auto\")")),
            ClientError::Lost { .. } => Failure::new("LB0302", message)
                .help("what was under way may have happened; look before you repeat it"),
            ClientError::TimedOut { .. } => Failure::new("LB0303", message)
                .help("what was under way may have happened; look before you repeat it"),
            ClientError::Unsupported { api: "ConsumerGroupHeartbeat", .. } => Failure::new("LB0304", message)
                .help("reading as a member of a group needs the protocol of KIP-848: Kafka 4.0 or later"),
            ClientError::Unsupported { .. } => {
                Failure::new("LB0304", message).help("this client needs Kafka 2.4 or later")
            }
            ClientError::Malformed { .. } => {
                Failure::new("LB0305", message).help("is that the port of a Kafka listener without TLS?")
            }
            ClientError::Unsayable { .. } => Failure::new("LB0306", message).usage(),
            ClientError::Damaged { .. } => {
                Failure::new("CORRUPT_MESSAGE", message).help("the broker's log says more about it")
            }
            ClientError::NoTopic { ref topic, ref near, .. } => {
                let create = format!("create it:  logboom topic create {topic}");
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?   {create}"),
                    None => create,
                };
                Failure::new("UNKNOWN_TOPIC_OR_PARTITION", message).help(help)
            }
            ClientError::NoGroup { ref near, ref kind, .. } => {
                let list = "see all groups:  logboom group list";
                let help = match (near, kind) {
                    (Some(near), None) => format!("did you mean `{near}`?   {list}"),
                    _ => list.to_owned(),
                };
                Failure::new("GROUP_ID_NOT_FOUND", message).help(help)
            }
            ClientError::Refused { code, .. } => {
                let failure = Failure::new(&code.to_string(), message);
                match advice(code) {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            }
        }
    }
}

/// The next step after a refusal, where there is an obvious one.
fn advice(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::MESSAGE_TOO_LARGE | ErrorCode::RECORD_LIST_TOO_LARGE => Some(
            "raise max.message.bytes of the topic:  logboom topic alter TOPIC --set max.message.bytes=8MiB",
        ),
        ErrorCode::OFFSET_OUT_OF_RANGE => Some("read from the first record that is kept:  --from start"),
        ErrorCode::TOPIC_ALREADY_EXISTS => Some("see it:  logboom topic describe TOPIC"),
        ErrorCode::INVALID_CONFIG => Some("see all keys of a topic:  logboom config list --topic"),
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS | ErrorCode::COORDINATOR_NOT_AVAILABLE => {
            Some("the broker may have started just now; try again in a moment")
        }
        ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC => {
            Some("its members read that topic; see who:  logboom group show GROUP")
        }
        ErrorCode::INVALID_RECORD => Some("a compacted topic takes no record without a key:  --key"),
        _ => None,
    }
}

//! How the engine says no: a code of Kafka's, since every door maps from those, and a sentence for people.

use crate::types::ErrorCode;

/// A command refused, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// What a client acts on.
    pub code: ErrorCode,
    /// What a person reads; may be empty.
    pub message: String,
}

impl Refusal {
    /// A refusal with a sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }

    /// The sentence, or `None` if there is none.
    pub fn text(&self) -> Option<String> {
        (!self.message.is_empty()).then(|| self.message.clone())
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Refusal {
        Refusal { code, message: String::new() }
    }
}

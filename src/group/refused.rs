//! Why a command is not carried out: a code of the protocol and a sentence.

use crate::types::ErrorCode;
use std::borrow::Cow;

/// A command that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// The protocol's code.
    pub code: ErrorCode,
    /// For people; may be empty where the code says all.
    pub why: Cow<'static, str>,
}

impl Refused {
    /// Refused with a code and a sentence.
    pub fn new(code: ErrorCode, why: impl Into<Cow<'static, str>>) -> Refused {
        Refused { code, why: why.into() }
    }
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Refused {
        Refused { code, why: Cow::Borrowed("") }
    }
}

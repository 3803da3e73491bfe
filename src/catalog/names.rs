//! The rules for topic names.

/// Characters of a topic name at most: with `-`, a partition number and a suffix it must fit into a file name.
pub const TOPIC_NAME_LENGTH_MAX: usize = 249;

/// Topics that belong to the broker: clients do not write to them and tools hide them.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__share_group_state", "__transaction_state"];

/// Why a name is not that of a topic (`INVALID_TOPIC_EXCEPTION`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTopicName {
    /// No characters.
    #[error("a topic name cannot be empty")]
    Empty,
    /// `.` and `..` are directories.
    #[error("a topic cannot be named '{0}'")]
    Dots(String),
    /// More than 249 characters.
    #[error("a topic name has at most {TOPIC_NAME_LENGTH_MAX} characters, not {0}")]
    TooLong(usize),
    /// Another character than letters, digits, `.`, `_` and `-`.
    #[error("'{0}' has a character other than ASCII letters, digits, '.', '_' and '-'")]
    Character(String),
}

/// Checks a name by Kafka's rules: 1 to 249 of `[a-zA-Z0-9._-]`, neither `.` nor `..`.
pub fn valid_topic_name(name: &str) -> Result<(), BadTopicName> {
    if name.is_empty() {
        return Err(BadTopicName::Empty);
    }
    if name == "." || name == ".." {
        return Err(BadTopicName::Dots(name.to_owned()));
    }
    if name.chars().nth(TOPIC_NAME_LENGTH_MAX).is_some() {
        return Err(BadTopicName::TooLong(name.chars().count()));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        return Err(BadTopicName::Character(name.to_owned()));
    }
    Ok(())
}

/// Whether the topic is the broker's own.
pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}

/// The name with `.` written as `_`. Kafka's metric names do the same, so that two topics with one key would share
/// their metrics; no second one may be made.
pub fn collision_key(name: &str) -> String {
    name.replace('.', "_")
}

/// Whether two different names collide.
pub fn collides(one: &str, other: &str) -> bool {
    one != other && one.len() == other.len() && collision_key(one) == collision_key(other)
}

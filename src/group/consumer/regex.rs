//! Topics by regular expression: the patterns that RE2/J takes, with its meaning, matched against whole names of
//! topics. Must not know groups.
//!
//! Kafka 4.4.0 bounds neither the length of a pattern nor the size of what it compiles to. Here both are bounded,
//! since a stranger sends them: a pattern past a bound is refused like one that is wrong.

mod class;
#[cfg(test)]
mod tests;
mod translate;

use crate::group::refused::Refused;
use crate::group::topics::TopicTable;
use crate::types::ErrorCode;
use regex::bytes::{Regex, RegexBuilder};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Long enough for some hundred names of topics in one pattern.
const PATTERN_BYTES_MAX: usize = 16 << 10;

/// Bytes of a compiled pattern: a hundred times what patterns in use take, and compiled in some milliseconds.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Refuses a pattern that RE2/J does not take, or that is too large, with `INVALID_REGULAR_EXPRESSION`.
pub fn check(pattern: &str) -> Result<(), Refused> {
    match compile(pattern) {
        Ok(_) => Ok(()),
        Err(why) => {
            let why = format!("the regular expression `{pattern}` is not valid: {why}");
            Err(Refused::new(ErrorCode::INVALID_REGULAR_EXPRESSION, why))
        }
    }
}

/// Names of the topics that a pattern matches as a whole. The broker's own are left out, as clients of the classic
/// protocol do it; Kafka's coordinator takes them in, and a group that reads `.*` feeds on its own commits. Of a
/// pattern that is refused, none.
pub fn resolve(pattern: &str, topics: &dyn TopicTable) -> BTreeSet<Arc<str>> {
    let mut matched = BTreeSet::new();
    let Ok(compiled) = compile(pattern) else { return matched };
    topics.for_each(&mut |topic| {
        if !topic.internal && compiled.is_match(topic.name.as_bytes()) {
            matched.insert(Arc::clone(&topic.name));
        }
    });
    matched
}

/// A pattern is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum BadPattern {
    #[error("it is longer than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    #[error("it is too large once compiled")]
    TooLarge,
    #[error("an escape is not known")]
    Escape,
    #[error("it ends in a backslash")]
    TrailingBackslash,
    #[error("a class of characters is not known or runs backwards")]
    Class,
    #[error("a `[` is not closed")]
    OpenClass,
    #[error("parentheses do not pair")]
    Parentheses,
    #[error("a group begins with something that is not known")]
    Group,
    #[error("a name of a group is not valid")]
    Name,
    #[error("two groups have one name")]
    SameName,
    #[error("there is nothing to repeat")]
    NothingToRepeat,
    #[error("a repetition is repeated")]
    Repeated,
    #[error("a number of repetitions is not valid")]
    Count,
}

fn compile(pattern: &str) -> Result<Regex, BadPattern> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(BadPattern::TooLong);
    }
    let translated = translate::translate(pattern)?;
    let mut builder = RegexBuilder::new(&translated);
    builder.unicode(false).size_limit(COMPILED_BYTES_MAX).dfa_size_limit(COMPILED_BYTES_MAX);
    // What was translated is well formed, so only the crate's own bounds on size and depth are left.
    builder.build().map_err(|_| BadPattern::TooLarge)
}

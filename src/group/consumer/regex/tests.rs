//! Patterns against what RE2/J 1.8 takes and matches.

use super::{check, resolve};
use crate::group::topics::{Topic, TopicTable};
use crate::types::{ErrorCode, TopicId};
use proptest::prelude::*;
use std::sync::Arc;

const GOLDEN: &str = include_str!("../../../../tests/golden/group/patterns-re2j-1.8.txt");

/// Topics by name.
struct Names(Vec<&'static str>);

impl TopicTable for Names {
    fn by_name(&self, _name: &str) -> Option<Topic> {
        None
    }

    fn by_id(&self, _id: TopicId) -> Option<Topic> {
        None
    }

    fn for_each(&self, each: &mut dyn FnMut(&Topic)) {
        for name in &self.0 {
            let internal = *name == "__consumer_offsets";
            each(&Topic { name: (*name).into(), id: TopicId::ZERO, partitions: 1, internal });
        }
    }

    fn version(&self) -> u64 {
        0
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// Compiles to more than the bound, which RE2/J does not have.
const TOO_LARGE: &[&str] = &["((a{100}){100}){100}"];

#[test]
fn patterns_mean_what_they_mean_to_re2j() {
    let mut lines = GOLDEN.lines().filter(|line| !line.starts_with('#'));
    let topics = Names(lines.next().unwrap().split(' ').collect());
    let mut checked = 0;
    for line in lines {
        let (verdict, rest) = line.split_once('\t').unwrap();
        let (pattern, matched) = rest.rsplit_once('\t').unwrap();
        if TOO_LARGE.contains(&pattern) {
            assert!(check(pattern).is_err());
            continue;
        }
        let answer = check(pattern);
        assert_eq!(answer.is_err(), verdict == "refused", "{pattern}: {answer:?}");
        let mut expected: Vec<&str> = match verdict {
            "refused" => Vec::new(),
            _ => matched.split(' ').filter(|name| !name.is_empty()).collect(),
        };
        expected.sort_unstable();
        let resolved = resolve(pattern, &topics);
        assert!(resolved.iter().map(|name| &**name).eq(expected.iter().copied()), "{pattern}: {resolved:?}");
        checked += 1;
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn the_brokers_own_topics_are_left_out() {
    let topics = Names(vec!["__consumer_offsets", "__mine"]);
    assert_eq!(resolve(".*", &topics).iter().map(|name| &**name).collect::<Vec<_>>(), ["__mine"]);
}

#[test]
fn a_pattern_past_a_bound_is_refused() {
    for pattern in
        ["a".repeat(20_000), "(".repeat(8_000) + &")".repeat(8_000), "((a{1000}){1000}){1000}".into()]
    {
        assert_eq!(check(&pattern).unwrap_err().code, ErrorCode::INVALID_REGULAR_EXPRESSION);
    }
    let names: Vec<String> = (0..300).map(|number| format!("some\\.department\\.topic-{number}")).collect();
    check(&names.join("|")).unwrap();
}

proptest! {
    #[test]
    fn no_pattern_does_harm(pattern in r"([\\\[\](){}*+?|^$.:<>=!,\-PQEpxi0-9a-c]|[^a]){0,40}") {
        let _ = check(&pattern);
    }

    #[test]
    fn a_name_in_quotes_matches_itself_only(name in "[a-zA-Z0-9._-]{1,20}") {
        let leaked: &'static str = name.leak();
        let topics = Names(vec![leaked, "other"]);
        let resolved = resolve(&format!(r"\Q{leaked}\E"), &topics);
        prop_assert!(resolved.iter().map(|name| &**name).eq([leaked]));
    }
}

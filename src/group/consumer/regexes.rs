//! Regular expressions of a group: looked up when a member brings a new one, when topics were made, and every so often
//! (`group.consumer.regex.refresh.interval.ms`), at the end of a heartbeat. What they match is written, so that a
//! restart changes nothing. Must not know how a pattern is matched.

use super::index::emit;
use super::members::context;
use super::view::is_due;
use super::{epochs, regex};
use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::group::records::ConsumerRecord;
use crate::group::state::ResolvedRegex;
use crate::types::TimestampMs;
use std::sync::Arc;

/// Shortest time between two look-ups of a group, ms: each walks over all topics. Kafka's number.
const LOOK_UPS_MS_MIN: i64 = 10_001;

/// What a request did to the expression of its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    Unchanged,
    /// It is a new one, and what it matches is not known.
    Updated,
    /// It is another one, or none, and what that means is known already.
    Resolved,
}

/// When a group's expressions were last looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct LookedUp {
    last: Option<(TimestampMs, i64)>,
    count: usize,
}

/// To be taken before a request changes anything.
pub(super) fn looked_up(cx: &Cx<'_, Groups>, group: &Arc<str>) -> LookedUp {
    let Some(known) = cx.hard().consumer(group) else { return LookedUp { last: None, count: 0 } };
    let last = known.regexes.values().map(|resolved| (resolved.at, resolved.version)).max();
    LookedUp { last, count: known.regexes.len() }
}

/// To be called once a member's expression was changed from `old` to `new`; empty means none.
pub(super) fn changed(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    old: Option<&Arc<str>>,
    new: Option<&Arc<str>>,
) -> Change {
    if old == new {
        return Change::Unchanged;
    }
    let old = old.filter(|pattern| !pattern.is_empty());
    if let Some(old) = old {
        drop_unused(cx, group, old);
    }
    match new.filter(|pattern| !pattern.is_empty()) {
        Some(new) => {
            let known = cx.hard().consumer(group).is_some_and(|known| known.regexes.contains_key(new));
            if known { Change::Resolved } else { Change::Updated }
        }
        None if old.is_some() => Change::Resolved,
        None => Change::Updated,
    }
}

/// Forgets what an expression matched once nobody subscribes with it.
pub(super) fn drop_unused(cx: &mut Cx<'_, Groups>, group: &Arc<str>, pattern: &Arc<str>) {
    let (_, soft) = cx.state();
    let used = soft.consumer.groups.get(group).is_some_and(|index| index.patterns.contains_key(pattern));
    if !used {
        emit(cx, group, ConsumerRecord::Regex(Arc::clone(pattern), None));
    }
}

/// Looks the group's expressions up again if that is due, and moves the epoch on if they match other topics.
pub(super) fn refresh(cx: &mut Cx<'_, Groups>, group: &Arc<str>, before: LookedUp) {
    let context = context(cx);
    let (now, version) = (cx.wall(), context.topics.version().cast_signed());
    let live = &cx.soft().consumer;
    let created = live.created.cast_signed();
    let Some(index) = live.groups.get(group).filter(|index| !index.patterns.is_empty()) else { return };
    if before.last.is_some_and(|(last, _)| !is_due(last, now, LOOK_UPS_MS_MIN)) {
        return;
    }
    let patterns: Vec<Arc<str>> = index.patterns.keys().map(Arc::clone).collect();
    if let Some((last, seen)) = before.last {
        let refresh_ms = i64::try_from(context.settings.regex_refresh.as_millis()).unwrap_or(i64::MAX);
        // A greater version than the present one is of an earlier life, and says nothing.
        let missed = seen < created || seen > version;
        let known = cx.hard().consumer(group).map_or(0, |known| {
            patterns.iter().filter(|pattern| known.regexes.contains_key(*pattern)).count()
        });
        let incomplete = known < patterns.len() || before.count != patterns.len();
        if !incomplete && !missed && !is_due(last, now, refresh_ms.saturating_add(1)) {
            return;
        }
    }
    let mut bump = false;
    for pattern in patterns {
        let topics = regex::resolve(&pattern, context.topics.as_ref());
        let old = cx.hard().consumer(group).and_then(|known| known.regexes.get(&pattern));
        bump |= match old {
            Some(old) => old.topics != topics,
            None => !topics.is_empty(),
        };
        emit(cx, group, ConsumerRecord::Regex(pattern, Some(ResolvedRegex { topics, version, at: now })));
    }
    let hash = epochs::metadata_hash(cx, group);
    let written = cx.hard().consumer(group).map_or(0, |known| known.metadata_hash());
    if bump || hash != written {
        epochs::bump(cx, group);
        epochs::checked(cx, group);
    }
}

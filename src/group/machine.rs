//! The machine: hands each command, timer and change of context to the part of the group that it is for. Must not know
//! how any of them is carried out.

use super::command::{Command, Context, Join, Reply};
use super::records::GroupRecord;
use super::settings::GroupSettings;
use super::state::GroupsHard;
use super::{bounds, classic, consumer, offsets, rewrite};
use crate::coordinator::{CallId, Cx, Load, Machine};
use crate::types::Offset;
use std::sync::Arc;

/// The group machine of one shard.
#[derive(Debug)]
pub enum Groups {}

/// What may be lost.
#[derive(Default)]
pub struct Soft {
    /// Topics and settings; none until the first [`Command::Context`] of this life.
    pub(super) context: Option<Context>,
    /// Classic groups as they are now, rebalances and parked calls included.
    pub(super) classic: classic::Live,
    /// Sessions of members of consumer groups, and what can be worked out from the durable state.
    pub(super) consumer: consumer::Live,
    /// What is known of the age of offsets and of their topics.
    pub(super) offsets: offsets::Live,
}

impl Soft {
    /// The settings as they are now.
    pub(super) fn settings(&self) -> Arc<GroupSettings> {
        self.context.as_ref().map(|context| Arc::clone(&context.settings)).unwrap_or_default()
    }
}

/// What the owner has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The log was loaded: send [`Command::Context`].
    NeedsContext,
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Look for expired offsets.
    Expiry,
    /// Go on forgetting offsets of topics that are gone.
    Forget,
    /// Of a classic group.
    Classic(Arc<str>, classic::Timer),
    /// Of a consumer group.
    Consumer(Arc<str>, consumer::Timer),
}

impl Machine for Groups {
    type Hard = GroupsHard;
    type Soft = Soft;
    type View = ();
    type Record = GroupRecord;
    type Command = Command;
    type Reply = Reply;
    type Effect = Effect;
    type Timer = Timer;
    type Cursor = rewrite::Cursor;

    fn apply(hard: &mut GroupsHard, _at: Offset, record: &GroupRecord) {
        hard.apply(record);
    }

    fn handle(cx: &mut Cx<'_, Groups>, call: CallId, command: Command) {
        let command = match command {
            Command::Context(context) => {
                take_over(cx, context);
                return cx.reply(call, Reply::Done);
            }
            other if cx.soft().context.is_none() => {
                drop(other);
                return cx.reply(call, Reply::Loading);
            }
            other => other,
        };
        if let Err(refused) = bounds::check(&command) {
            return cx.reply(call, refused);
        }
        let reply = match command {
            Command::Context(_) => Reply::Done,
            Command::Join(join) => return handle_join(cx, call, join),
            Command::Sync(sync) if is_consumer(cx, &sync.group) => return consumer::sync(cx, call, sync),
            Command::Sync(sync) => return classic::sync(cx, call, sync),
            Command::Heartbeat(beat) if is_consumer(cx, &beat.group) => {
                Reply::Heartbeat(consumer::classic_heartbeat(cx, &beat))
            }
            Command::Heartbeat(beat) => Reply::Heartbeat(classic::heartbeat(cx, &beat)),
            Command::Leave(leave) if is_consumer(cx, &leave.group) => {
                Reply::Left(consumer::classic_leave(cx, &leave))
            }
            Command::Leave(leave) => Reply::Left(classic::leave(cx, &leave)),
            Command::ConsumerHeartbeat(beat) => Reply::ConsumerHeartbeat(consumer::heartbeat(cx, beat)),
            Command::Commit(commit) => Reply::Committed(offsets::commit(cx, commit)),
            Command::FetchOffsets(fetch) => Reply::Offsets(offsets::fetch(cx, &fetch)),
            Command::DeleteOffsets(delete) => Reply::OffsetsDeleted(offsets::delete(cx, &delete)),
            Command::List(list) => Reply::Listed(offsets::list(cx, &list)),
            Command::DescribeClassic(group) => Reply::ClassicDescribed(classic::describe(cx, &group)),
            Command::DescribeConsumer(group) => Reply::ConsumerDescribed(consumer::describe(cx, &group)),
            Command::Delete(group) => Reply::Deleted(offsets::delete_group(cx, &group)),
        };
        cx.reply(call, reply);
    }

    fn expire(cx: &mut Cx<'_, Groups>, timer: Timer) {
        match timer {
            Timer::Expiry => offsets::expire(cx),
            Timer::Forget => offsets::go_on_forgetting(cx),
            Timer::Classic(group, timer) => classic::expire(cx, &group, timer),
            Timer::Consumer(group, timer) => consumer::expire(cx, &group, timer),
        }
    }

    fn loaded(cx: &mut Cx<'_, Groups>, _why: Load) {
        cx.effect(Effect::NeedsContext);
    }

    fn rewrite(
        hard: &GroupsHard,
        after: Option<&rewrite::Cursor>,
        budget: usize,
    ) -> (Vec<GroupRecord>, Option<rewrite::Cursor>) {
        rewrite::rewrite(hard, after, budget)
    }

    fn view(_hard: &GroupsHard) {}
}

/// The first context of a life wakes the groups; later ones tell them what changed.
fn take_over(cx: &mut Cx<'_, Groups>, context: Context) {
    let first = cx.soft().context.replace(context).is_none();
    if first {
        classic::start(cx);
        consumer::start(cx);
        offsets::start(cx);
    } else {
        consumer::context_changed(cx);
    }
    offsets::forget_topics(cx);
}

/// Joining a classic group, or as a classic member a group of the consumer protocol that has members.
fn handle_join(cx: &mut Cx<'_, Groups>, call: CallId, join: Join) {
    // A request that is wrong in itself must not take an empty consumer group with it.
    let is_sound = classic::check_join(&cx.soft().settings(), &join).is_ok();
    if is_sound && is_consumer(cx, &join.group) && !consumer::delete_if_empty(cx, &join.group) {
        return consumer::join(cx, call, join);
    }
    classic::join(cx, call, join);
}

fn is_consumer(cx: &Cx<'_, Groups>, group: &str) -> bool {
    cx.hard().consumer(group).is_some()
}

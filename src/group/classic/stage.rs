//! The states of a classic group.

use std::time::Duration;

/// Where a group stands. Kafka's `Dead` is a group that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No members, though some may have been given an id and asked to come again.
    Empty,
    /// Members are to join again. With a delay it is the first rebalance of an empty group.
    PreparingRebalance(Option<Delay>),
    /// The leader is to assign.
    CompletingRebalance,
    /// Everyone has, or may ask for, an assignment.
    Stable,
}

/// How long the first rebalance of an empty group goes on waiting for more members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    /// Someone came since the present wait began, so one more is worth it.
    pub member_added: bool,
    /// The present wait.
    pub now: Duration,
    /// What all further waits may take.
    pub left: Duration,
}

impl State {
    /// Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance(_) => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

//! Behaviours of consumer groups, on the machine as a whole.

mod clients;
mod epochs;
mod joining;
mod leaving;
mod offsets;
mod reconciling;
mod restarting;
mod simulation;
mod subscriptions;
mod topics;
pub(super) mod world;

//! Classic members in consumer groups, and migration both ways.

mod clients;
mod joining;
mod migrating;
mod staying;

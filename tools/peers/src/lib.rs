//! Logboom beside its peers: starts them, drives them with one thin load generator, and says what each took. It is no
//! part of the product; it takes from it the codec of the protocol and the builder of record batches.

pub mod account;
pub mod args;
pub mod batches;
pub mod call;
pub mod floor;
pub mod load;
pub mod machine;
pub mod peer;
pub mod report;
pub mod sample;
pub mod scenario;

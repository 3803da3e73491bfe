//! Logboom: a partitioned log broker that speaks the Apache Kafka protocol.
//!
//! The modules stand in layer order: each imports only modules above it in this list, and modules of one layer
//! never import each other (`tools/tidy` checks it). `src/ARCHITECTURE.md` is the map.

// layer 0: data
pub mod types;
// layer 1: bytes, and the only door outward
pub mod record;
pub mod sys;
pub mod wire;
// layer 2: the storage seam
pub mod log;
// layer 3: one partition as clients see it
pub mod partition;
// layer 4: the runtime of pure machines
pub mod coordinator;
// layer 5: machines and tables
pub mod catalog;
pub mod config;
pub mod group;
// layer 6: commands and outcomes, no protocol; a look into files without any of that
pub mod engine;
pub mod inspect;
// layer 7: protocols
pub mod doors;
// layer 8: the program
pub mod server;
// layer 9: its verbs
pub mod cli;

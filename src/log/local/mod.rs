//! The log of a partition in local files: segments, sparse indexes, group commit, recovery, durable marks. Batches
//! are stored as Kafka stores them, so its tools read the files; `storage-format.md` has every byte and the argument
//! why a crash at any point loses nothing that was promised. Knows nothing of producers, topics' settings or clients.

mod again;
mod append;
mod aside;
pub mod clean;
mod close;
mod commit;
pub mod damage;
mod dir;
pub mod epochs;
mod files;
mod find;
mod front;
mod health;
mod index_file;
mod journal;
mod keep;
mod log;
pub mod marks;
pub mod meta;
mod offset_index;
mod open_dir;
mod proof;
mod read;
mod recover;
mod reserve;
mod rest;
mod restore;
mod retain;
mod roll;
mod scan;
mod scrub;
pub mod seal;
mod sealing;
mod segment;
mod snapshots;
mod survey;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod time_index;
mod trash;
mod walk;
mod whose;

pub use damage::{Damage, DamageKind};
pub use dir::{Commit, LogDir, LogDirOptions, OpenLogError};
pub use health::LogDirState;
pub use log::LocalLog;
pub use meta::Meta;
pub use open_dir::{Member, OpenDirError};
pub use recover::Recovery;
pub use whose::partition_named;

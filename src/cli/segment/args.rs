//! The arguments of `logboom segment`.

use super::super::args::Compression;
use super::super::offset::{OffsetRange, Place, When};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;

/// `segment`
#[derive(Debug, Subcommand)]
pub enum SegmentVerb {
    /// Print what files hold: batches, records, indexes, snapshots, seals, marks
    #[command(
        after_help = "PATH is a file, the directory of a partition, or a log directory, of Logboom or of Kafka; \
        a broker may be running on it.\nRecords of internal topics are decoded. Exit code 1 if anything was damaged.\
        \n\nExamples:\n  logboom segment dump data/orders-0\n  \
        logboom segment dump data/orders-0/00000000000000000000.log --from-offset 100 --to-offset 200\n  \
        logboom segment dump data/orders-0 --records --json | jq .value\n  \
        logboom segment dump data/__consumer_offsets-7 --records --key-prefix-hex 0001\n  \
        logboom segment dump broken.log --from-byte 4096 --skip-damage"
    )]
    Dump(DumpArgs),
    /// Check everything: batches, records, indexes, seals, snapshots, epochs, marks
    #[command(
        after_help = "Exit code 1 if anything is damaged, with a list of what is and of what is safe. \
        Changes nothing.\n\nExamples:\n  logboom segment verify data\n  logboom segment verify data/orders-0 --json\n  \
        logboom segment verify data --shallow\n  logboom segment verify data --resume verify.state"
    )]
    Verify(VerifyArgs),
    /// Sizes, codecs, keys, shapes of batches, and what compaction would bring
    #[command(
        after_help = "Examples:\n  logboom segment stats data\n  logboom segment stats data/orders-0 --segments\n  \
        logboom segment stats data --json | jq '.partitions[].codecs'"
    )]
    Stats(StatsArgs),
    /// Compact partitions of a stopped broker: of each key the newest record stays
    #[command(
        after_help = "PATH is the directory of a partition, or a log directory with --topic or --all. A directory \
        in use is refused.\n\nExamples:\n  logboom segment compact data/users-0 --dry-run\n  \
        logboom segment compact data/users-0\n  logboom segment compact data --topic users --memory 512MiB"
    )]
    Compact(CompactArgs),
    /// Put right what is damaged in partitions of a stopped broker; prints the plan until --apply
    #[command(
        after_help = "Without anything asked for it plans what loses nothing: indexes, snapshots, seals and epochs \
        made anew.\nBytes that are cut are first copied to a file that ends in `.damaged`.\n\nExamples:\n  \
        logboom segment repair data/orders-0\n  logboom segment repair data/orders-0 --apply\n  \
        logboom segment repair data/orders-0 --quarantine --apply\n  \
        logboom segment repair data/orders-0 --truncate-at 5000 --apply"
    )]
    Repair(RepairArgs),
}

/// How keys and values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BytesForm {
    /// As text if they are UTF-8; else hexadecimal, in JSON base64
    Text,
    /// Hexadecimal
    Hex,
    /// Base64
    Base64,
    /// Only their sizes
    None,
}

/// A time on the command line: milliseconds, a date, or `-10m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub When);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if let Ok(ms) = text.parse::<i64>()
            && ms >= 0
        {
            return Ok(Moment(When::Absolute(ms)));
        }
        match format!("@{text}").parse() {
            Ok(OffsetRange { from: Place::Time(when), to: None }) => Ok(Moment(when)),
            _ => Err(format!("`{text}` is no time; write 1700000000000, 2026-11-23T10:00:00Z or -10m")),
        }
    }
}

/// `segment dump`
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// Files or directories
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Records alone, without lines for their batches
    #[arg(long, conflicts_with = "batches")]
    pub records: bool,
    /// Batches alone: nothing is decompressed
    #[arg(long)]
    pub batches: bool,
    /// Records from this offset on
    #[arg(long, value_name = "OFFSET", default_value_t = 0, hide_default_value = true)]
    pub from_offset: i64,
    /// Records below this offset
    #[arg(long, value_name = "OFFSET")]
    pub to_offset: Option<i64>,
    /// Batches from this byte of the file on, or from the next batch behind it
    #[arg(long, value_name = "BYTE", default_value_t = 0, hide_default_value = true)]
    pub from_byte: u64,
    /// Stop after so many lines
    #[arg(long, short = 'n', value_name = "LINES")]
    pub limit: Option<u64>,
    /// Records with this key
    #[arg(long)]
    pub key: Option<String>,
    /// Records with a key that begins so
    #[arg(long, value_name = "TEXT")]
    pub key_prefix: Option<String>,
    /// The same in hexadecimal, for keys that are no text
    #[arg(long, value_name = "HEX", conflicts_with = "key_prefix", value_parser = HexBytes::from_str)]
    pub key_prefix_hex: Option<HexBytes>,
    /// Batches of this producer
    #[arg(long, value_name = "ID")]
    pub producer_id: Option<i64>,
    /// Records of this time and later: 1700000000000, 2026-11-23T10:00:00Z, -10m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<Moment>,
    /// Records before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<Moment>,
    /// Batches of this leader epoch
    #[arg(long)]
    pub epoch: Option<i32>,
    /// Control batches alone (true), or all but them (false)
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub control: Option<bool>,
    /// Batches of transactions alone (true), or all but them (false)
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub transactional: Option<bool>,
    /// Batches with this codec
    #[arg(long, value_enum)]
    pub codec: Option<Compression>,
    /// How keys and values are shown
    #[arg(long, value_enum, default_value = "text")]
    pub bytes: BytesForm,
    /// Go on behind damage
    #[arg(long)]
    pub skip_damage: bool,
}

/// Bytes in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl FromStr for HexBytes {
    type Err = String;

    fn from_str(text: &str) -> Result<HexBytes, String> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok())).collect();
        match digits {
            Some(digits) if !digits.is_empty() && digits.len().is_multiple_of(2) => Ok(HexBytes(
                digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
            )),
            _ => Err(format!("`{text}` is no even number of hexadecimal digits")),
        }
    }
}

/// `segment verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Files or directories
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Headers, checksums and files beside them; no records, so that nothing is decompressed
    #[arg(long)]
    pub shallow: bool,
    /// Keep what is done in this file, and go on from there if it exists
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
}

/// `segment stats`
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Files or directories
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A line for every segment, too
    #[arg(long)]
    pub segments: bool,
    /// Headers alone: no keys, no ratios, quick
    #[arg(long)]
    pub shallow: bool,
    /// Keep what is done in this file, and go on from there if it exists
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
}

/// `segment compact`
#[derive(Debug, Args)]
pub struct CompactArgs {
    /// Directory of a partition, or a log directory
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// In a log directory: the partitions of this topic
    #[arg(long, short = 't')]
    pub topic: Vec<String>,
    /// In a log directory: every partition but those of internal topics
    #[arg(long, conflicts_with = "topic")]
    pub all: bool,
    /// Only say what it would bring
    #[arg(long)]
    pub dry_run: bool,
    /// Memory for keys, as 128MiB; more keys than it holds take several passes
    #[arg(long, value_name = "SIZE", default_value = "128MiB")]
    pub memory: String,
    /// Tombstones whose delete horizon has passed go; new horizons are this far off, as 24h
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub delete_retention: String,
}

/// `segment repair`
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// Directory of a partition
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Refuse what is damaged to readers and serve the rest: writes logboom.damage
    #[arg(long)]
    pub quarantine: bool,
    /// Cut the log so that this offset is the next to be written; what is cut is kept aside
    #[arg(long, value_name = "OFFSET")]
    pub truncate_at: Option<i64>,
    /// Do it
    #[arg(long)]
    pub apply: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_hexadecimal_bytes_are_read_or_refused() {
        assert_eq!("1700000000000".parse(), Ok(Moment(When::Absolute(1_700_000_000_000))));
        assert_eq!("-10m".parse(), Ok(Moment(When::Ago(600_000))));
        assert!("soon".parse::<Moment>().is_err());
        assert_eq!("00fF".parse(), Ok(HexBytes(vec![0, 255])));
        for wrong in ["", "0", "0g"] {
            assert!(wrong.parse::<HexBytes>().is_err(), "{wrong}");
        }
    }
}

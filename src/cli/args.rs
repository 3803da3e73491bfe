//! The arguments of the binary. Help is part of the product: every verb shows how it is called.

use super::bench::BenchVerb;
use super::client::Acks;
use super::group::GroupVerb;
use super::offset::OffsetRange;
use super::segment::SegmentVerb;
use super::template::Template;
use crate::record::Codec;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A durable partitioned log broker in one binary that speaks the Apache Kafka protocol.
#[derive(Debug, Parser)]
#[command(
    name = "logboom",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Try:\n  logboom serve\n  logboom produce hello \"first message\"\n  \
                  logboom consume hello\n  logboom demo"
)]
pub struct Cli {
    /// Brokers to connect to, HOST:PORT,...
    #[arg(
        long,
        short = 'b',
        global = true,
        env = "LOGBOOM_BOOTSTRAP",
        default_value = "127.0.0.1:9092",
        value_name = "HOST:PORT"
    )]
    pub bootstrap: String,
    /// JSON on standard output: one object, or one per line
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// Dump, verify, weigh, compact and repair files of a log of Logboom or of Kafka, without a broker.
#[derive(Debug, Parser)]
#[command(name = "logboom-segment", version, propagate_version = true, max_term_width = 100)]
pub struct SegmentCli {
    /// JSON on standard output: one object, or one per line
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub verb: SegmentVerb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a broker
    #[command(
        after_help = "Examples:\n  logboom serve\n  logboom serve --data /var/lib/logboom --listen 0.0.0.0:9092\n  \
        logboom serve --set num.partitions=3 --set log.retention.hours=7d"
    )]
    Serve(ServeArgs),
    /// Send records to a topic
    #[command(after_help = "Examples:\n  logboom produce orders '{\"id\":1}' --key 1 -H source=shop\n  \
        tail -f access.log | logboom produce log\n  logboom produce users --file users.csv -K , --compression zstd\n  \
        logboom consume a --format json | logboom produce b --format json")]
    Produce(ProduceArgs),
    /// Print records of a topic
    #[command(
        after_help = "Offsets:\n  start  end  +2 (third kept)  -3 (third from the end)  17  10:20  :end  \
        @2026-11-23T10:00:00Z  @-10m  @-1h:@-10m\n\nTokens:\n  %t topic  %p partition  %o offset  %k key  \
        %s or %v value  \
        %K %S their lengths  %T time in ms  %h headers  %%\n\nExamples:\n  logboom consume orders\n  \
        logboom consume orders -o @-10m --follow\n  logboom consume orders -o -5 -f '%p:%o %k %s\\n'\n  \
        logboom consume orders --format json | jq .value\n  \
        logboom consume orders --group billing --follow"
    )]
    Consume(ConsumeArgs),
    /// Create, list, describe, alter and delete topics
    #[command(subcommand)]
    Topic(TopicVerb),
    /// List, show, reset and delete consumer groups
    #[command(subcommand)]
    Group(GroupVerb),
    /// Dump, verify, weigh, compact and repair files of a log, without a broker
    #[command(subcommand)]
    Segment(SegmentVerb),
    /// Stream a real data set through a broker and check that every byte came back
    #[command(
        after_help = "Without FILE it takes this machine's Debian package index, or else the files below the \
        current directory.\nStarts a broker in this process if none answers.\n\nExamples:\n  logboom demo\n  \
        logboom demo access.log --compression zstd"
    )]
    Demo(DemoArgs),
    /// Measure a broker of Logboom or of Kafka: throughput, and latencies in percentiles
    #[command(subcommand)]
    Bench(BenchVerb),
    /// Show the settings of a broker that would be started here
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Say what an error code means and what to do
    #[command(after_help = "Example:\n  logboom explain LB0310")]
    Explain {
        /// The code, as LB0310
        code: String,
    },
    /// Print completions for a shell
    #[command(after_help = "Example:\n  logboom completions bash > /etc/bash_completion.d/logboom")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Settings of a broker.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingArgs {
    /// Directory of the data; several, repeated or with commas between [default: ./logboom-data]
    #[arg(long, value_name = "DIR")]
    pub data: Vec<String>,
    /// Address to listen on [default: 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Settings file [default: ./logboom.toml if it is there]
    #[arg(long, env = "LOGBOOM_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting; wins over file and environment
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

/// `serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where settings come from
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Form of log lines on standard error; LOGBOOM_LOG filters them (info, debug, logboom::log=trace)
    #[arg(long, env = "LOGBOOM_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    /// Not at all
    None,
    /// gzip
    Gzip,
    /// snappy
    Snappy,
    /// lz4
    Lz4,
    /// zstd
    Zstd,
}

impl Compression {
    /// The codec of record batches.
    pub fn codec(self) -> Codec {
        match self {
            Compression::None => Codec::None,
            Compression::Gzip => Codec::Gzip,
            Compression::Snappy => Codec::Snappy,
            Compression::Lz4 => Codec::Lz4,
            Compression::Zstd => Codec::Zstd,
        }
    }
}

/// `produce`
#[derive(Debug, Args)]
pub struct ProduceArgs {
    /// The topic
    pub topic: String,
    /// One record's value; without it, each line of FILE or of standard input is a record
    #[arg(conflicts_with = "file")]
    pub value: Option<String>,
    /// Key of every record
    #[arg(long, short = 'k', conflicts_with = "key_delimiter")]
    pub key: Option<String>,
    /// Header of every record
    #[arg(long = "header", short = 'H', value_name = "KEY=VALUE", value_parser = pair)]
    pub headers: Vec<(String, String)>,
    /// Read records from this file
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// What stands between key and value in each line
    #[arg(long, short = 'K', value_name = "TEXT", conflicts_with = "value")]
    pub key_delimiter: Option<String>,
    /// Form of lines: values, or the JSON that consume prints
    #[arg(long, value_enum, default_value = "text")]
    pub format: RecordFormat,
    /// How batches are compressed
    #[arg(long, short = 'z', value_enum, default_value = "none")]
    pub compression: Compression,
    /// Send to this partition instead of choosing by key
    #[arg(long, short = 'p')]
    pub partition: Option<i32>,
    /// Whom to wait for: all (durable), 1 (written), 0 (nobody)
    #[arg(long, value_parser = acks, default_value = "all")]
    pub acks: Acks,
}

/// Form of records as lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    /// For people on a terminal, else values alone
    Text,
    /// One JSON object a line
    Json,
}

/// `consume`
#[derive(Debug, Args)]
pub struct ConsumeArgs {
    /// The topic
    pub topic: String,
    /// What to read, see below
    #[arg(
        long = "from",
        short = 'o',
        default_value = "start",
        value_name = "OFFSET",
        allow_hyphen_values = true
    )]
    pub range: OffsetRange,
    /// Stop after so many records
    #[arg(long = "count", short = 'n')]
    pub count: Option<u64>,
    /// Wait for more at the end
    #[arg(long, short = 'F')]
    pub follow: bool,
    /// Print records by this template
    #[arg(long, short = 'f', conflicts_with = "format")]
    pub template: Option<Template>,
    /// Form of printed records
    #[arg(long, value_enum, default_value = "text")]
    pub format: RecordFormat,
    /// Read this partition alone
    #[arg(long, short = 'p', conflicts_with = "group")]
    pub partition: Option<i32>,
    /// Read as a member of this group: go on where it is, share partitions with its other members, commit what was
    /// printed; --from says where to begin without a commit
    #[arg(long, short = 'g', value_name = "GROUP", value_parser = NonEmptyStringValueParser::new())]
    pub group: Option<String>,
}

/// `topic`
#[derive(Debug, Subcommand)]
pub enum TopicVerb {
    /// Make a topic
    #[command(after_help = "Examples:\n  logboom topic create orders -p 3\n  \
        logboom topic create users --set cleanup.policy=compact --set segment.bytes=64MiB")]
    Create {
        /// Its name
        topic: String,
        /// Number of partitions; the broker decides if not given
        #[arg(long, short = 'p', default_value_t = -1, hide_default_value = true)]
        partitions: i32,
        /// Setting of the topic
        #[arg(long, short = 'c', visible_alias = "config", value_name = "KEY=VALUE", value_parser = pair)]
        set: Vec<(String, String)>,
    },
    /// List topics
    #[command(visible_alias = "ls", after_help = "Example:\n  logboom topic list --json")]
    List {
        /// Those of the broker itself too
        #[arg(long)]
        internal: bool,
    },
    /// Show partitions, offsets and settings of a topic
    #[command(after_help = "Example:\n  logboom topic describe orders --all")]
    Describe {
        /// Its name
        topic: String,
        /// Settings that nobody set, too
        #[arg(long)]
        all: bool,
    },
    /// Change settings or add partitions
    #[command(
        after_help = "Examples:\n  logboom topic alter orders --set retention.ms=7d --reset segment.bytes\n  \
        logboom topic alter orders --partitions 6"
    )]
    Alter {
        /// Its name
        topic: String,
        /// New value of a setting
        #[arg(long, short = 'c', visible_alias = "config", value_name = "KEY=VALUE", value_parser = pair)]
        set: Vec<(String, String)>,
        /// Setting that goes back to its default
        #[arg(long, value_name = "KEY")]
        reset: Vec<String>,
        /// New number of partitions, more than before
        #[arg(long, short = 'p')]
        partitions: Option<i32>,
    },
    /// Delete a topic and all its records
    #[command(visible_alias = "rm", after_help = "Example:\n  logboom topic delete orders")]
    Delete {
        /// Its name
        topic: String,
    },
}

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// What to stream: paragraphs of a Debian index, or lines of any other file
    pub file: Option<PathBuf>,
    /// Topic to use; made for the demo and deleted after it unless it is kept
    #[arg(long, default_value = "demo")]
    pub topic: String,
    /// Keep the topic
    #[arg(long)]
    pub keep: bool,
    /// How batches are compressed
    #[arg(long, short = 'z', value_enum, default_value = "none")]
    pub compression: Compression,
    /// Data of the broker, if this starts one [default: ./logboom-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
}

/// `config`
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// All settings with their values, defaults and origins
    #[command(after_help = "Examples:\n  logboom config list\n  logboom config list --topic --json")]
    List {
        /// Where settings come from
        #[command(flatten)]
        settings: SettingArgs,
        /// Settings of a topic instead
        #[arg(long)]
        topic: bool,
    },
    /// Settings that differ from their defaults, and defaults that differ from Kafka's
    #[command(after_help = "Example:\n  logboom config diff --config logboom.toml")]
    Diff {
        /// Where settings come from
        #[command(flatten)]
        settings: SettingArgs,
    },
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
    match key.trim() {
        "" => Err(format!("`{text}` has no key")),
        key => Ok((key.to_owned(), value.to_owned())),
    }
}

pub(super) fn acks(text: &str) -> Result<Acks, String> {
    match text {
        "all" | "-1" => Ok(Acks::All),
        "1" => Ok(Acks::Leader),
        "0" => Ok(Acks::None),
        _ => Err("write all, 1 or 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent_and_every_verb_has_examples() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let inner: Vec<_> = verb.get_subcommands().filter(|verb| verb.get_name() != "help").collect();
            let leaves = if inner.is_empty() { vec![verb] } else { inner };
            for leaf in leaves {
                assert!(leaf.get_after_help().is_some(), "{} has no examples", leaf.get_name());
            }
        }
    }

    #[test]
    fn calls_of_the_readme_parse() {
        let check = |line: &str| {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        };
        check("logboom serve --data d --listen 0.0.0.0:9092 --set a=b --set c=d=e");
        check("logboom produce orders hello --key 1 -H a=b");
        check("logboom produce orders --file f -K : --compression zstd --acks 1 --partition 0");
        check("logboom consume orders --from -3 -n 1 --follow");
        check("logboom consume orders -o @-10m --format json --bootstrap h:1");
        check("logboom topic create t -p 3 -c cleanup.policy=compact");
        check("logboom topic alter t --set a=b --reset c --partitions 4 --json");
        check("logboom config list --topic");
        check("logboom consume orders --group billing --follow -o end");
        check("logboom group list --state empty --type classic");
        check("logboom group show billing --json");
        check("logboom group reset billing --to @-1h");
        check("logboom group reset billing --to -5 --topic orders:0,1 --yes");
        check("logboom group reset billing --file offsets.csv --dry-run");
        check("logboom group delete a b --yes");
        check("logboom group delete billing --offsets orders:2");
        check(
            "logboom bench produce --size 100 --batch 1 --in-flight 64 --seconds 0.5 --acks 1 --idempotent",
        );
        check("logboom bench consume --topic orders --groups 16 --fetch 4MiB");
        check("logboom bench e2e --rate 2000 -p 3 -z lz4 --json");
        for wrong in [
            "logboom consume orders -o newest",
            "logboom consume orders -f %q",
            "logboom produce orders --acks 2",
            "logboom produce orders -H nothing",
            "logboom consume orders --group g -p 1",
            "logboom consume orders --group=",
            "logboom group list --state sleeping",
            "logboom group reset g",
            "logboom group reset g --to newest",
            "logboom group reset g --to 5 --topic t:x",
            "logboom group reset g --to 5 --yes --dry-run",
            "logboom group delete",
            "logboom bench produce --size 0",
            "logboom bench e2e --rate 0",
            "logboom bench consume --clients 0",
            "logboom",
        ] {
            assert_eq!(Cli::try_parse_from(wrong.split(' ')).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }
}

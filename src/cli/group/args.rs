//! The arguments of `logboom group`.

use super::plan::Where;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::str::FromStr;

/// States in which a group can be, by Kafka's words.
const STATES: &[&str] = &[
    "Empty",
    "Stable",
    "PreparingRebalance",
    "CompletingRebalance",
    "Assigning",
    "Reconciling",
    "Dead",
    "NotReady",
];
/// Types of groups, by Kafka's words.
const TYPES: &[&str] = &["classic", "consumer", "share", "streams"];

/// `group`
#[derive(Debug, Subcommand)]
pub enum GroupVerb {
    /// List groups
    #[command(
        visible_alias = "ls",
        after_help = "Examples:\n  logboom group list\n  logboom group list --state empty --json"
    )]
    List {
        /// Those in this state
        #[arg(long, value_name = "STATE", value_parser = |text: &str| one_of(text, STATES))]
        state: Vec<String>,
        /// Those of this type
        #[arg(long = "type", value_name = "TYPE", value_parser = |text: &str| one_of(text, TYPES))]
        kind: Vec<String>,
        /// With the number of members, which takes a call for each group
        #[arg(long)]
        members: bool,
    },
    /// Show members, committed offsets and how far behind they are, in records and in time
    #[command(
        visible_alias = "describe",
        after_help = "LAG counts offsets from the committed one to the end; BEHIND is the age of the oldest record \
                      that the group has not read.\n\nExamples:\n  logboom group show billing\n  \
                      logboom group show billing --json | jq .lag"
    )]
    Show {
        /// Its name
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        group: String,
    },
    /// Move the committed offsets of a group without members; a dry run until --yes
    #[command(
        after_help = "Where:\n  earliest  latest  17 (an offset)  +5 or -5 (from where the group is)  \
                      @2026-11-23T10:00:00Z  @-1h\n\nFiles hold lines of topic,partition,offset, or the JSON that \
                      `group show --json` prints.\n\nExamples:\n  logboom group reset billing --to @-1h\n  \
                      logboom group reset billing --to earliest --topic orders:0,1 --yes\n  \
                      logboom group reset billing --file offsets.csv --yes"
    )]
    Reset(ResetArgs),
    /// Delete groups without members, or offsets of one; a dry run until --yes
    #[command(
        visible_alias = "rm",
        after_help = "Examples:\n  logboom group delete billing --yes\n  \
                      logboom group delete billing --offsets orders:2 --yes"
    )]
    Delete(DeleteArgs),
}

/// `group reset`
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// The group
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub group: String,
    /// Where it shall go on, see below
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true, required_unless_present = "file")]
    pub to: Option<Where>,
    /// Offsets from a file instead
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    pub file: Option<PathBuf>,
    /// This topic, or these partitions of it, instead of all that the group has committed
    #[arg(long, short = 't', value_name = "TOPIC[:P,...]", conflicts_with = "file")]
    pub topic: Vec<TopicChoice>,
    /// All partitions that the group has committed, which is the default
    #[arg(long, conflicts_with_all = ["topic", "file"])]
    pub all_topics: bool,
    /// Do it
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Only show it, which is the default
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

/// `group delete`
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The groups
    #[arg(required = true, value_name = "GROUP", value_parser = NonEmptyStringValueParser::new())]
    pub groups: Vec<String>,
    /// Only the committed offsets of this topic, or of these partitions of it
    #[arg(long, value_name = "TOPIC[:P,...]")]
    pub offsets: Vec<TopicChoice>,
    /// Do it
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Only show it, which is the default
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

/// A topic, or some of its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicChoice {
    /// Name of the topic.
    pub topic: String,
    /// The partitions; all if none are named.
    pub partitions: Option<Vec<i32>>,
}

impl TopicChoice {
    /// Whether a partition is meant.
    pub fn means(&self, topic: &str, partition: i32) -> bool {
        self.topic == topic && self.partitions.as_ref().is_none_or(|some| some.contains(&partition))
    }
}

impl FromStr for TopicChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<TopicChoice, String> {
        let bad = || format!("`{text}` is no topic; write orders, orders:0 or orders:0,2");
        let (topic, partitions) = match text.split_once(':') {
            None => (text, None),
            Some((topic, list)) => {
                let number = |digits: &str| digits.parse::<i32>().ok().filter(|partition| *partition >= 0);
                let mut partitions: Vec<i32> =
                    list.split(',').map(number).collect::<Option<_>>().ok_or_else(bad)?;
                partitions.sort_unstable();
                partitions.dedup();
                (topic, Some(partitions))
            }
        };
        match topic {
            "" => Err(bad()),
            topic => Ok(TopicChoice { topic: topic.to_owned(), partitions }),
        }
    }
}

fn one_of(text: &str, known: &[&str]) -> Result<String, String> {
    let found = known.iter().find(|word| word.eq_ignore_ascii_case(text));
    found.map(|word| (*word).to_owned()).ok_or_else(|| format!("write one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_chosen_whole_or_by_partitions() {
        let check = |text: &str, topic: &str, partitions: Option<&[i32]>| {
            let expect = TopicChoice { topic: topic.to_owned(), partitions: partitions.map(<[i32]>::to_vec) };
            assert_eq!(text.parse(), Ok(expect), "{text}");
        };
        check("orders", "orders", None);
        check("orders:0", "orders", Some(&[0]));
        check("a.b-c:3,1,3", "a.b-c", Some(&[1, 3]));
        for wrong in ["", ":1", "orders:", "orders:x", "orders:-1", "orders:1,,2"] {
            assert!(wrong.parse::<TopicChoice>().is_err(), "{wrong}");
        }
        let choice: TopicChoice = "orders:1".parse().unwrap();
        assert!(choice.means("orders", 1) && !choice.means("orders", 0) && !choice.means("other", 1));
    }
}

//! The two small text files that say whose a directory is, in Kafka's formats: `meta.properties` (Java properties,
//! version 1) of the log directory and `partition.metadata` (version 0) of a partition.

use crate::types::{TimestampMs, TopicId, Uuid};

/// Name of the file of the log directory.
pub const META_FILE: &str = "meta.properties";
/// Name of the file of a partition.
pub const PARTITION_FILE: &str = "partition.metadata";

/// What `meta.properties` holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// Id of the cluster, drawn when its first directory was made.
    pub cluster_id: Uuid,
    /// The broker.
    pub node_id: i32,
    /// Id of this directory.
    pub directory_id: Uuid,
}

impl Meta {
    /// The file's text.
    pub fn to_text(self) -> String {
        let Meta { cluster_id, node_id, directory_id } = self;
        format!("version=1\ncluster.id={cluster_id}\nnode.id={node_id}\ndirectory.id={directory_id}\n")
    }

    /// Reads the file; `None` if a line that matters is missing or wrong.
    pub fn parse(bytes: &[u8]) -> Option<Meta> {
        let text = std::str::from_utf8(bytes).ok()?;
        if property(text, "version")? != "1" {
            return None;
        }
        Some(Meta {
            cluster_id: property(text, "cluster.id")?.parse().ok()?,
            node_id: property(text, "node.id")?.parse().ok()?,
            directory_id: property(text, "directory.id")?.parse().ok()?,
        })
    }
}

/// A value out of Java properties; comments start with `#`.
fn property<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim())
    })
}

/// The text of `partition.metadata`.
pub fn partition_text(id: TopicId) -> String {
    format!("version: 0\ntopic_id: {id}")
}

/// The topic id in `partition.metadata`; `None` if it is not whole.
pub fn parse_partition(bytes: &[u8]) -> Option<TopicId> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let version = lines.next()?.strip_prefix("version: ")?;
    let id = lines.next()?.strip_prefix("topic_id: ")?.trim().parse().ok()?;
    (version.trim() == "0").then_some(id)
}

/// The text of `logboom.clock`.
pub fn clock_text(trusted: TimestampMs) -> String {
    format!("version=1\ntrusted.ms={trusted}\n")
}

/// The time in `logboom.clock`; `None` if it is not whole.
pub fn parse_clock(bytes: &[u8]) -> Option<TimestampMs> {
    let text = std::str::from_utf8(bytes).ok()?;
    let time = property(text, "trusted.ms")?.parse().ok().map(TimestampMs);
    time.filter(|_| property(text, "version") == Some("1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_read_back() {
        let id = Uuid::from_random(7);
        let meta = Meta { cluster_id: id, node_id: 3, directory_id: Uuid::from_random(8) };
        assert_eq!(Meta::parse(meta.to_text().as_bytes()), Some(meta));
        assert_eq!(Meta::parse(format!("#\n#Mon Jan\n{}", meta.to_text()).as_bytes()), Some(meta));
        assert_eq!(Meta::parse(b"version=0\nbroker.id=1\n"), None);
        assert_eq!(parse_partition(partition_text(id).as_bytes()), Some(id));
        assert_eq!(parse_partition(format!("{}\n", partition_text(id)).as_bytes()), Some(id));
        assert_eq!(parse_partition(b"version: 0\ntopic_id: "), None);
        assert_eq!(parse_clock(clock_text(TimestampMs(5)).as_bytes()), Some(TimestampMs(5)));
        assert_eq!(parse_clock(b"version=1\ntrusted.m"), None);
    }
}

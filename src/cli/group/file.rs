//! Offsets from a file: lines of `topic,partition,offset`, as Kafka's own tool exports them, or JSON.

use crate::cli::client::PartitionKey;
use crate::cli::failure::Failure;
use crate::cli::lines::FileStream;
use crate::sys::Fs;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// Largest file: a million lines, far more than partitions of a broker.
const FILE_BYTES_MAX: u64 = 64 << 20;

#[derive(Deserialize)]
struct Entry {
    topic: String,
    partition: i32,
    #[serde(alias = "committed")]
    offset: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    List(Vec<Entry>),
    Object { partitions: Vec<Entry> },
}

/// Reads the offsets that a file has for a group.
pub fn read(fs: &dyn Fs, path: &Path, group: &str) -> Result<BTreeMap<PartitionKey, i64>, Failure> {
    let failed =
        |why: String| Failure::new("LB0204", format!("cannot read {}: {why}", path.display())).usage();
    let file = fs.open(path, crate::sys::OpenHow::Read).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    let got = FileStream::new(file).take(FILE_BYTES_MAX).read_to_end(&mut bytes);
    if got.map_err(|error| failed(error.to_string()))? as u64 >= FILE_BYTES_MAX {
        return Err(failed("it is larger than 64 MiB".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| failed("it is no text in UTF-8".to_owned()))?;
    parse(&text, group).map_err(|why| {
        Failure::new("LB0503", format!("{}: {why}", path.display()))
            .help(
                "write lines of topic,partition,offset, or use what `logboom group show GROUP --json` prints",
            )
            .usage()
    })
}

fn parse(text: &str, group: &str) -> Result<BTreeMap<PartitionKey, i64>, String> {
    let mut offsets = BTreeMap::new();
    let mut put = |key: PartitionKey, offset: i64| match offsets.insert(key.clone(), offset) {
        Some(_) => Err(format!("{}-{} stands there twice", key.0, key.1)),
        None if offset < 0 || key.1 < 0 => Err(format!("{}-{}: {offset} is no offset", key.0, key.1)),
        None => Ok(()),
    };
    if text.trim_start().starts_with(['{', '[']) {
        let json: Json = serde_json::from_str(text)
            .map_err(|_| "it is no JSON with topics, partitions and offsets".to_owned())?;
        let (Json::List(entries) | Json::Object { partitions: entries }) = json;
        for entry in entries {
            // Partitions that the group had not committed.
            let Some(offset) = entry.offset else { continue };
            put((entry.topic, entry.partition), offset)?;
        }
        return Ok(offsets);
    }
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split(',').map(|field| field.trim().trim_matches('"')).collect();
        let (of_group, fields) = match fields.as_slice() {
            [topic, partition, offset] => (true, (topic, partition, offset)),
            // An export of several groups.
            [name, topic, partition, offset] => (*name == group, (topic, partition, offset)),
            _ => return Err(format!("line {}: `{line}` is not topic,partition,offset", number + 1)),
        };
        let (topic, partition, offset) = fields;
        match (partition.parse(), offset.parse()) {
            (Ok(partition), Ok(offset)) if of_group => put(((*topic).to_owned(), partition), offset)?,
            (Ok::<i32, _>(_), Ok::<i64, _>(_)) => {}
            // A head with names of columns.
            _ if number == 0 && *offset == "offset" => {}
            _ => return Err(format!("line {}: `{line}` is not topic,partition,offset", number + 1)),
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_files_are_read() {
        let expect = BTreeMap::from([(("orders".to_owned(), 0), 5), (("orders".to_owned(), 1), 7)]);
        for text in [
            "orders,0,5\norders,1,7\n",
            "topic,partition,offset\r\n\"orders\",0,5\r\n\r\norders, 1, 7",
            "billing,orders,0,5\nother,orders,0,9\nbilling,orders,1,7",
            r#"[{"topic":"orders","partition":0,"offset":5},{"topic":"orders","partition":1,"offset":7}]"#,
            r#" {"group":"billing","partitions":[{"topic":"orders","partition":0,"committed":5,"end":9},
                {"topic":"orders","partition":1,"committed":7},{"topic":"x","partition":0,"committed":null}]}"#,
        ] {
            assert_eq!(parse(text, "billing"), Ok(expect.clone()), "{text}");
        }
        assert_eq!(parse("", "billing"), Ok(BTreeMap::new()));
    }

    #[test]
    fn a_file_that_is_wrong_anywhere_is_refused_whole() {
        for wrong in [
            "orders,0",
            "orders,0,5\norders,x,7",
            "orders,0,-1",
            "orders,-1,1",
            "orders,0,5\norders,0,6",
            "{}",
            "[1]",
            "nonsense",
        ] {
            assert!(parse(wrong, "billing").is_err(), "{wrong}");
        }
    }
}

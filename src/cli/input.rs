//! Records as lines: values, keys and values around a delimiter, or the JSON that `consume --format json` prints.

use super::failure::Failure;
use crate::types::TimestampMs;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// One record out of a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Input {
    /// Key, or null.
    pub key: Option<Vec<u8>>,
    /// Value, or null.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Its time, if the line says one.
    pub timestamp: Option<TimestampMs>,
}

/// What `consume --format json` prints. Offset and place are those of another topic and are not taken over.
#[derive(Deserialize)]
struct JsonRecord {
    key: Option<String>,
    key_base64: Option<String>,
    value: Option<String>,
    value_base64: Option<String>,
    #[serde(default)]
    headers: Vec<JsonHeader>,
    timestamp: Option<i64>,
}

#[derive(Deserialize)]
struct JsonHeader {
    key: String,
    value: Option<String>,
    value_base64: Option<String>,
}

/// Reads a line of JSON.
pub fn from_json(line: &[u8]) -> Result<Input, Failure> {
    let bad = |why: String| {
        let shown = super::output::harmless(line.get(..line.len().min(60)).unwrap_or_default());
        Failure::new("LB0502", format!("`{shown}` is no record: {why}")).help(
            "a record is an object:  \
                   {\"key\": \"k\", \"value\": \"v\", \"headers\": [{\"key\": \"h\", \"value\": \"x\"}]}",
        )
    };
    let record: JsonRecord = serde_json::from_slice(line).map_err(|error| bad(error.to_string()))?;
    let bytes = |text: Option<String>, encoded: Option<String>| match encoded {
        Some(encoded) => STANDARD.decode(encoded).map(Some).map_err(|error| bad(error.to_string())),
        None => Ok(text.map(String::into_bytes)),
    };
    let header = |header: JsonHeader| Ok((header.key, bytes(header.value, header.value_base64)?));
    Ok(Input {
        key: bytes(record.key, record.key_base64)?,
        value: bytes(record.value, record.value_base64)?,
        headers: record.headers.into_iter().map(header).collect::<Result<_, Failure>>()?,
        timestamp: record.timestamp.filter(|ms| *ms >= 0).map(TimestampMs),
    })
}

/// Cuts a line at the first delimiter; without one all of it is value.
pub fn from_text(line: Vec<u8>, delimiter: Option<&[u8]>) -> Input {
    let (key, value) = match delimiter.and_then(|mark| split(&line, mark)) {
        Some((key, value)) => (Some(key.to_vec()), value.to_vec()),
        None => (None, line),
    };
    Input { key, value: Some(value), headers: Vec::new(), timestamp: None }
}

fn split<'a>(line: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = line.windows(mark.len().max(1)).position(|window| window == mark)?;
    Some((line.get(..at)?, line.get(at + mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_the_first_delimiter() {
        let check = |line: &str, mark: &str, expect: (Option<&str>, &str)| {
            let got = from_text(line.into(), Some(mark.as_bytes()));
            assert_eq!((got.key, got.value), (expect.0.map(Into::into), Some(expect.1.into())), "{line}");
        };
        check("k:v:w", ":", (Some("k"), "v:w"));
        check("k", ":", (None, "k"));
        check(":v", ":", (Some(""), "v"));
        check("k=>v", "=>", (Some("k"), "v"));
        check("k", "", (None, "k"));
    }

    #[test]
    fn a_record_of_json_keeps_null_bytes_and_time() {
        let line = concat!(
            r#"{"topic":"t","partition":1,"offset":9,"timestamp":5,"key":null,"#,
            r#""value_base64":"/wA=","headers":[{"key":"h","value":null}]}"#
        )
        .as_bytes();
        let expect = Input {
            key: None,
            value: Some(vec![0xff, 0]),
            headers: vec![("h".to_owned(), None)],
            timestamp: Some(TimestampMs(5)),
        };
        assert_eq!(from_json(line).unwrap(), expect);
        assert_eq!(from_json(br#"{"value":"v"}"#).unwrap().value.as_deref(), Some(&b"v"[..]));
        for wrong in ["", "v", "[]", r#"{"value_base64":"?"}"#] {
            assert_eq!(from_json(wrong.as_bytes()).unwrap_err().code, "LB0502", "{wrong}");
        }
    }
}

//! `logboom.toml`: Kafka's keys, dotted or in tables. Turns the file into keys and texts with their places, and an
//! error into one that shows the line.

use super::load::{LoadError, Place};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key of the file with its value as text, and where both stand.
pub(super) struct Entry {
    pub key: String,
    pub value: String,
    pub key_span: Range<usize>,
    pub value_span: Range<usize>,
}

/// Reads a whole file.
pub(super) fn entries(name: &str, text: &str) -> Result<Vec<Entry>, LoadError> {
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map(|span| Box::new(place(name, text, span, None)));
        let twice = error.message().contains("duplicate") || error.message().contains("dotted key");
        let help = twice.then(|| {
            "where one key goes on another (`max.connections` and `max.connections.per.ip`), write it in quotes: \
             \"max.connections\" = 100"
                .to_owned()
        });
        LoadError { code: "LB0202", message: format!("{name}: {}", error.message()), place, help }
    })?;
    let mut entries = Vec::new();
    flatten(name, text, "", table.get_ref(), &mut entries)?;
    // The parser hands keys out by name; errors should come in the order of the file.
    entries.sort_by_key(|entry| entry.key_span.start);
    Ok(entries)
}

// Recursion is bounded: the parser refuses deeply nested files.
fn flatten(
    name: &str,
    text: &str,
    prefix: &str,
    table: &DeTable<'_>,
    entries: &mut Vec<Entry>,
) -> Result<(), LoadError> {
    for (key, value) in table {
        let full = match prefix {
            "" => key.get_ref().to_string(),
            _ => format!("{prefix}.{}", key.get_ref()),
        };
        if let DeValue::Table(inner) = value.get_ref() {
            flatten(name, text, &full, inner, entries)?;
            continue;
        }
        let value_text = scalar(value).ok_or_else(|| LoadError {
            code: "LB0202",
            message: format!("`{full}` must be a text, a number, true, false or a list of texts"),
            place: Some(Box::new(place(name, text, value.span(), None))),
            help: None,
        })?;
        let key_span = whole_key(text, key.span());
        entries.push(Entry { key: full, value: value_text, key_span, value_span: value.span() });
    }
    Ok(())
}

/// The span of the parser is that of the last part of a dotted key; errors should point at all of it.
fn whole_key(text: &str, last: Range<usize>) -> Range<usize> {
    let before = text.get(..last.start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.get(line_start..).unwrap_or_default();
    let start = line_start + (line.len() - line.trim_start().len());
    start..last.end
}

fn scalar(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Array(items) => {
            items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|items| items.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// The line of a span, with what to say below it.
pub(super) fn place(name: &str, text: &str, span: Range<usize>, note: Option<String>) -> Place {
    let start = span.start.min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let content = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    Place {
        file: name.to_owned(),
        line: before.matches('\n').count() + 1,
        column,
        content: content.to_owned(),
        note,
    }
}

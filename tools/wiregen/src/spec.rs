//! A message spec as Kafka writes it: JSON with `//` comments. Sentences in it are Kafka's and are not read.

use serde::Deserialize;

/// One spec file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    pub api_key: Option<i16>,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub listeners: Vec<String>,
    #[serde(default)]
    pub latest_version_unstable: bool,
    pub valid_versions: String,
    #[serde(default)]
    pub flexible_versions: Option<String>,
    #[serde(default)]
    pub fields: Vec<Field>,
    #[serde(default)]
    pub common_structs: Vec<CommonStruct>,
}

/// A struct that several fields of one spec share.
#[derive(Deserialize)]
pub struct CommonStruct {
    pub name: String,
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Deserialize, PartialEq, Clone)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// Where the spec says nothing they are those in which the field is tagged, as Kafka's generator takes it.
    #[serde(default)]
    pub versions: String,
    pub nullable_versions: Option<String>,
    pub tagged_versions: Option<String>,
    pub flexible_versions: Option<String>,
    pub tag: Option<u32>,
    #[serde(default)]
    pub ignorable: bool,
    pub default: Option<serde_json::Value>,
    #[serde(default)]
    pub fields: Vec<Field>,
}

impl Spec {
    /// Reads a spec file's text.
    pub fn parse(text: &str) -> serde_json::Result<Spec> {
        let mut spec: Spec = serde_json::from_str(&without_comments(text))?;
        spec.fields.iter_mut().for_each(Field::complete);
        spec.common_structs.iter_mut().flat_map(|common| &mut common.fields).for_each(Field::complete);
        Ok(spec)
    }

    /// First and last stable version; `None` if all are removed.
    pub fn stable_versions(&self) -> Option<(i16, i16)> {
        let (first, last) = range(&self.valid_versions)?;
        let last = if self.latest_version_unstable { last - 1 } else { last };
        (first <= last).then_some((first, last))
    }

    /// First version with tag sections.
    pub fn flexible_from(&self) -> Option<i16> {
        Some(range(self.flexible_versions.as_deref()?)?.0)
    }
}

impl Field {
    fn complete(&mut self) {
        if let ("", Some(tagged)) = (self.versions.as_str(), &self.tagged_versions) {
            self.versions = tagged.clone();
        }
        self.fields.iter_mut().for_each(Field::complete);
    }

    /// The type of the value, or of the elements of an array.
    pub fn element(&self) -> &str {
        self.kind.strip_prefix("[]").unwrap_or(&self.kind)
    }

    /// The default value as text.
    pub fn default_text(&self) -> Option<String> {
        match self.default.as_ref()? {
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// `"3"`, `"3+"`, `"3-13"`; `None` for `"none"`.
pub fn range(text: &str) -> Option<(i16, i16)> {
    if let Some(from) = text.strip_suffix('+') {
        return Some((from.parse().ok()?, i16::MAX));
    }
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    Some((from.parse().ok()?, to.parse().ok()?))
}

fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let mut in_text = false;
        let mut before = ' ';
        let mut end = line.len();
        for (at, letter) in line.char_indices() {
            if letter == '"' && before != '\\' {
                in_text = !in_text;
            }
            if letter == '/' && before == '/' && !in_text {
                end = at - 1;
                break;
            }
            before = letter;
        }
        plain.push_str(&line[..end]);
        plain.push('\n');
    }
    plain
}

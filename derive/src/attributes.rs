//! The attributes as data: what is written on a struct and on its fields, checked, and nothing about code.

use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitInt, LitStr, Path, Result, Type};

/// A range of versions, both ends included.
pub type Range = (i16, i16);

/// What is written on the struct.
#[derive(Default)]
pub struct Struct {
    pub part: bool,
    pub request: bool,
    pub name: Option<String>,
    pub key: Option<i16>,
    pub record: Option<u32>,
    pub versions: Option<Range>,
    pub flexible: Option<Range>,
    pub response: Option<Path>,
}

/// What is written on one field.
pub struct Field {
    pub ident: Ident,
    pub kind: Type,
    pub name: String,
    pub versions: Range,
    pub nullable: Option<Range>,
    pub tagged: Option<Range>,
    pub flexible: Option<Range>,
    pub tag: u32,
    pub ignorable: bool,
    pub default: Option<String>,
}

/// Reads the attributes of a struct.
pub fn of_struct(input: &DeriveInput) -> Result<Struct> {
    let mut read = Struct::default();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("message")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("part") {
                read.part = true;
            } else if meta.path.is_ident("request") {
                read.request = true;
            } else if meta.path.is_ident("name") {
                read.name = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("key") {
                read.key = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
            } else if meta.path.is_ident("record") {
                read.record = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
            } else if meta.path.is_ident("versions") {
                read.versions = range(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("flexible") {
                read.flexible = range(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("response") {
                read.response = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("not an attribute of a message"));
            }
            Ok(())
        })?;
    }
    if read.part != read.versions.is_none() {
        return Err(Error::new_spanned(&input.ident, "a message has `versions`, and a `part` has none"));
    }
    Ok(read)
}

/// Reads the fields of a struct with their attributes.
pub fn of_fields(input: &DeriveInput) -> Result<Vec<Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields
                .named
                .iter()
                .filter_map(|field| Some((field.ident.as_ref()?, field)))
                .map(|(ident, field)| of_field(ident, &field.ty, &field.attrs))
                .collect(),
            Fields::Unit => Ok(Vec::new()),
            Fields::Unnamed(_) => Err(Error::new_spanned(&input.ident, "fields have names")),
        },
        _ => Err(Error::new_spanned(&input.ident, "a message is a struct")),
    }
}

fn of_field(ident: &Ident, kind: &Type, attributes: &[Attribute]) -> Result<Field> {
    let mut versions = None;
    let mut field = Field {
        ident: ident.clone(),
        kind: kind.clone(),
        name: camel_case(&ident.to_string()),
        versions: (0, i16::MAX),
        nullable: None,
        tagged: None,
        flexible: None,
        tag: 0,
        ignorable: false,
        default: None,
    };
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("field")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("versions") {
                versions = range(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("nullable") {
                field.nullable = range(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("tagged") {
                field.tagged = range(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("flexible") {
                let text: LitStr = meta.value()?.parse()?;
                field.flexible = Some(range(&text)?.unwrap_or((1, 0)));
            } else if meta.path.is_ident("tag") {
                field.tag = meta.value()?.parse::<LitInt>()?.base10_parse()?;
            } else if meta.path.is_ident("ignorable") {
                field.ignorable = true;
            } else if meta.path.is_ident("default") {
                field.default = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("name") {
                field.name = meta.value()?.parse::<LitStr>()?.value();
            } else {
                return Err(meta.error("not an attribute of a field"));
            }
            Ok(())
        })?;
    }
    field.versions = versions.ok_or_else(|| Error::new_spanned(ident, "a field has `versions`"))?;
    Ok(field)
}

/// `"3"`, `"3+"`, `"3-13"` as the specs write them; `"none"` is no range.
fn range(text: &LitStr) -> Result<Option<Range>> {
    let value = text.value();
    let number = |part: &str| part.parse::<i16>().map_err(|error| Error::new_spanned(text, error));
    if value == "none" {
        Ok(None)
    } else if let Some(from) = value.strip_suffix('+') {
        Ok(Some((number(from)?, i16::MAX)))
    } else if let Some((from, to)) = value.split_once('-') {
        Ok(Some((number(from)?, number(to)?)))
    } else {
        let only = number(&value)?;
        Ok(Some((only, only)))
    }
}

/// `topic_id` as `topicId`.
fn camel_case(snake: &str) -> String {
    let mut camel = String::new();
    let mut upper = false;
    for letter in snake.trim_start_matches("r#").chars() {
        if letter == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            camel.extend(letter.to_uppercase());
        } else {
            camel.push(letter);
        }
    }
    camel
}

//! Specs as Rust: one struct per message and per struct inside it, with the attributes the derive reads.

use crate::spec::{Field, Spec};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A struct to write.
struct Struct<'a> {
    doc: String,
    attribute: String,
    name: String,
    fields: &'a [Field],
    // Names of inner structs as the spec has them, to the names they have here.
    renamed: &'a BTreeMap<String, String>,
}

/// What must not be edited, and where it comes from.
pub fn origin() -> String {
    format!("Written by `tools/wiregen` from the specs of Kafka {}; not edited by hand.", crate::KAFKA)
}

/// A file with a request and its response.
pub fn api_file(name: &str, request: &Spec, response: &Spec) -> String {
    let versions = stable(request);
    let key = request.api_key.expect("a request has a key");
    let mut inner: [Vec<(String, &[Field])>; 2] = [inner_structs(request), inner_structs(response)];
    // A struct of both is written once if it is the same, and else takes the direction into its name.
    let mut renamed = [BTreeMap::new(), BTreeMap::new()];
    let (asked, answered) = inner.split_at_mut(1);
    answered[0].retain(|(name, fields)| !asked[0].iter().any(|(other, its)| other == name && its == fields));
    let twice: Vec<String> = asked[0]
        .iter()
        .filter(|(name, _)| answered[0].iter().any(|(other, _)| other == name))
        .map(|(name, _)| name.clone())
        .collect();
    for name in twice {
        renamed[0].insert(name.clone(), format!("Request{name}"));
        renamed[1].insert(name.clone(), format!("Response{name}"));
    }
    let mut structs = Vec::new();
    for (at, spec) in [request, response].into_iter().enumerate() {
        let which = if at == 0 { "Request" } else { "Response" };
        let head = match at {
            0 => format!("request, key = {key}, response = {name}Response, "),
            _ => String::new(),
        };
        structs.push(Struct {
            doc: format!("{which} of {name}."),
            attribute: format!("{head}{}", message_versions(spec)),
            name: spec.name.clone(),
            fields: &spec.fields,
            renamed: &renamed[at],
        });
        structs.extend(parts(&spec.name, &inner[at], &renamed[at]));
    }
    file(&format!("{name}, API key {key}, versions {versions}."), &structs)
}

/// A file with one message of its own: a header or a record.
pub fn single_file(spec: &Spec) -> String {
    let none = BTreeMap::new();
    let inner = inner_structs(spec);
    let (head, what) = match (spec.kind.as_str(), spec.api_key) {
        ("metadata", Some(key)) => (format!("record = {key}, "), format!(", metadata record type {key}")),
        _ => (String::new(), String::new()),
    };
    let mut structs = vec![Struct {
        doc: format!("The message {}.", spec.name),
        attribute: format!("{head}{}", message_versions(spec)),
        name: spec.name.clone(),
        fields: &spec.fields,
        renamed: &none,
    }];
    structs.extend(parts(&spec.name, &inner, &none));
    file(&format!("{}{what}, versions {}.", spec.name, stable(spec)), &structs)
}

fn parts<'a>(
    message: &str,
    inner: &[(String, &'a [Field])],
    renamed: &'a BTreeMap<String, String>,
) -> Vec<Struct<'a>> {
    let part = |(name, fields): &(String, &'a [Field])| Struct {
        doc: format!("Part of {message}."),
        attribute: "part".to_owned(),
        name: renamed.get(name).unwrap_or(name).clone(),
        fields,
        renamed,
    };
    inner.iter().map(part).collect()
}

fn message_versions(spec: &Spec) -> String {
    let mut text = format!("versions = \"{}\"", stable(spec));
    if let Some(from) = spec.flexible_from() {
        write!(text, ", flexible = \"{from}+\"").expect("a string takes all");
    }
    text
}

/// The stable versions of a spec as text.
pub fn stable(spec: &Spec) -> String {
    let (first, last) = spec.stable_versions().expect("a wanted message has versions");
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn inner_structs(spec: &Spec) -> Vec<(String, &[Field])> {
    let mut found = Vec::new();
    for common in &spec.common_structs {
        found.push((common.name.clone(), common.fields.as_slice()));
    }
    collect(&spec.fields, &mut found);
    for common in &spec.common_structs {
        collect(&common.fields, &mut found);
    }
    found
}

fn collect<'a>(fields: &'a [Field], found: &mut Vec<(String, &'a [Field])>) {
    for field in fields.iter().filter(|field| !field.fields.is_empty()) {
        assert!(found.iter().all(|(name, _)| name != field.element()), "{} twice", field.element());
        found.push((field.element().to_owned(), &field.fields));
        collect(&field.fields, found);
    }
}

fn file(head: &str, structs: &[Struct]) -> String {
    let mut body = String::new();
    for each in structs {
        struct_text(&mut body, each);
    }
    let used = |name: &str| body.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
    let pick = |names: &[&'static str]| -> String {
        names.iter().filter(|name| used(name)).copied().collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("//! {head}\n//! {}\n\n", origin());
    let types = pick(&["ErrorCode", "Uuid"]);
    if !types.is_empty() {
        writeln!(text, "use crate::types::{{{types}}};").expect("a string takes all");
    }
    writeln!(text, "use crate::wire::{{{}}};", pick(&["Message", "Records", "Str"]))
        .expect("a string takes all");
    if used("Bytes") {
        text.push_str("use bytes::Bytes;\n");
    }
    text + &body
}

fn struct_text(text: &mut String, it: &Struct) {
    let Struct { doc, attribute, name, .. } = it;
    write!(
        text,
        "\n/// {doc}\n#[derive(Debug, Clone, PartialEq, Message)]\n#[message({attribute})]\npub struct {name} {{\n"
    )
    .expect("a string takes all");
    for field in it.fields {
        field_text(text, field, it.renamed);
    }
    text.push_str("}\n");
}

fn field_text(text: &mut String, field: &Field, renamed: &BTreeMap<String, String>) {
    let mut doc = format!("`{}`, versions {}", field.kind, field.versions);
    let mut attribute = format!("versions = \"{}\"", field.versions);
    let mut range = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            write!(doc, ", {name} {value}").expect("a string takes all");
            write!(attribute, ", {name} = \"{value}\"").expect("a string takes all");
        }
    };
    range("nullable", &field.nullable_versions);
    range("tagged", &field.tagged_versions);
    range("flexible", &field.flexible_versions);
    if let Some(tag) = field.tag {
        write!(attribute, ", tag = {tag}").expect("a string takes all");
    }
    let default = field.default_text().filter(|text| !matches!(text.as_str(), "" | "0" | "false"));
    if let Some(default) = default {
        write!(doc, ", default {default}").expect("a string takes all");
        write!(attribute, ", default = \"{default}\"").expect("a string takes all");
    }
    if field.ignorable {
        attribute.push_str(", ignorable");
    }
    let snake = snake_case(&field.name);
    if camel_case(&snake) != lower_first(&field.name) {
        write!(attribute, ", name = \"{}\"", lower_first(&field.name)).expect("a string takes all");
    }
    let ident = match snake.as_str() {
        "type" | "match" | "move" | "ref" | "use" | "where" | "loop" | "mod" => format!("r#{snake}"),
        _ => snake,
    };
    let kind = rust_type(field, renamed);
    writeln!(text, "/// {doc}.\n#[field({attribute})]\npub {ident}: {kind},").expect("a string takes all");
}

fn rust_type(field: &Field, renamed: &BTreeMap<String, String>) -> String {
    let element = match field.element() {
        "int16" if field.name == "ErrorCode" => "ErrorCode",
        "int8" => "i8",
        "int16" => "i16",
        "int32" => "i32",
        "int64" => "i64",
        "uint16" => "u16",
        "uint32" => "u32",
        "float64" => "f64",
        "bool" => "bool",
        "string" => "Str",
        "bytes" => "Bytes",
        "records" => "Records",
        "uuid" => "Uuid",
        name => renamed.get(name).map_or(name, String::as_str),
    };
    let mut kind = element.to_owned();
    if field.kind.starts_with("[]") {
        kind = format!("Vec<{kind}>");
    }
    let null = field.default_text().as_deref() == Some("null");
    if field.nullable_versions.is_some() || null { format!("Option<{kind}>") } else { kind }
}

/// `TopicId` as `topic_id`, `APIKeys` as `api_keys`.
pub fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && !letters[at - 1].is_uppercase();
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && at > 0 && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn camel_case(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        camel.push_str(&first.to_uppercase());
        camel.push_str(rest);
    }
    camel
}

fn lower_first(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}

//! The tables beside the structs: which modules there are, which kinds of messages, and the key of every API.

use crate::rust::{origin, snake_case};
use crate::spec::Spec;
use std::fmt::Write;

/// `mod.rs` of a folder of messages. `kinds` are pairs of module and struct.
pub fn module_file(head: &str, extra: &[&str], kinds: &[(String, &Spec)]) -> String {
    let mut modules: Vec<&str> = kinds.iter().map(|(module, _)| module.as_str()).collect();
    modules.extend(extra);
    modules.sort_unstable();
    modules.dedup();
    let mut text = format!("//! {head}\n//! {}\n\n", origin());
    for module in modules {
        writeln!(text, "pub mod {module};").expect("a string takes all");
    }
    text.push_str(
        "\nuse super::field::Versions;\nuse super::kind::{Kind, boxed};\n\n/// Every kind of message here.\n",
    );
    text.push_str("pub static KINDS: &[Kind] = &[\n");
    for (module, spec) in kinds {
        let name = &spec.name;
        let (first, last) = spec.stable_versions().expect("a wanted message has versions");
        writeln!(
            text,
            "Kind {{ name: \"{name}\", versions: Versions({first}, {last}), decode: boxed::<{module}::{name}> }},"
        )
        .expect("a string takes all");
    }
    text + "];\n"
}

/// The table of all APIs out of all request specs.
pub fn keys_file<'a>(requests: impl Iterator<Item = &'a Spec>) -> String {
    let mut apis: Vec<(i16, &str, &Spec)> = requests
        .filter(|spec| spec.kind == "request" && spec.stable_versions().is_some())
        .filter_map(|spec| Some((spec.api_key?, spec.name.strip_suffix("Request")?, spec)))
        .collect();
    apis.sort_unstable_by_key(|(key, ..)| *key);
    let mut text = format!(
        "//! The key of every API with its stable versions.\n//! {}\n\nuse crate::wire::api_key::{{Api, ApiKey}};\n\n",
        origin()
    );
    text.push_str("#[allow(missing_docs, reason = \"the names are Kafka's own\")]\nimpl ApiKey {\n");
    for (key, name, _) in &apis {
        let constant = snake_case(name).to_uppercase();
        writeln!(text, "pub const {constant}: ApiKey = ApiKey({key});").expect("a string takes all");
    }
    text.push_str("}\n\n/// Every API, by key.\npub static APIS: &[Api] = &[\n");
    for (key, name, spec) in &apis {
        let (first, last) = spec.stable_versions().expect("filtered above");
        let flexible = spec.flexible_from().map_or("i16::MAX".to_owned(), |from| from.to_string());
        let broker = spec.listeners.iter().any(|listener| listener == "broker");
        writeln!(text, "api({key}, \"{name}\", {first}, {last}, {flexible}, {broker}),")
            .expect("a string takes all");
    }
    text.push_str(
        "];\n\nconst fn api(key: i16, name: &'static str, version_min: i16, version_max: i16, flexible_from: i16, \
         broker: bool) -> Api {\n    \
         Api { key: ApiKey(key), name, version_min, version_max, flexible_from, broker }\n}\n",
    );
    text
}

//! The layer order of the library: `src/lib.rs` lists its modules under comments `// layer N: ...`, and a module may
//! name only modules of lower layers. Code under `#[cfg(test)]` is held to it too.

use crate::code::{Mask, inline_modules, line_of, mask, words};
use crate::problem;
use crate::tree::TextFile;
use std::collections::BTreeMap;

/// Layer of each module of the library.
type Layers = BTreeMap<String, u32>;

/// Imports that point upward or sideways, and modules that the list does not know.
pub fn check(files: &[TextFile]) -> Vec<String> {
    let Some(list) = files.iter().find(|file| file.path == "src/lib.rs") else {
        return vec![problem("src/lib.rs", 1, "the list of layers is missing")];
    };
    let (layers, mut problems) = parse(&list.text);
    for file in files.iter().filter(|file| file.is_rust()) {
        let Some(inner) = file.path.strip_prefix("src/") else { continue };
        if ["lib.rs", "main.rs"].contains(&inner) {
            continue;
        }
        let path: Vec<&str> = inner.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
        match layers.get(path[0]) {
            Some(layer) => problems.extend(check_file(file, &path, *layer, &layers)),
            None => problems.push(problem(&file.path, 1, "its module is not listed in src/lib.rs")),
        }
    }
    problems
}

fn parse(list: &str) -> (Layers, Vec<String>) {
    let mut layers = Layers::new();
    let mut problems = Vec::new();
    let mut layer: Option<u32> = None;
    for (at, line) in list.lines().enumerate() {
        if let Some(rest) = line.strip_prefix("// layer ") {
            let next = rest.split(':').next().and_then(|number| number.parse().ok());
            if next.is_none() || layer.is_some_and(|last| next <= Some(last)) {
                problems.push(problem("src/lib.rs", at + 1, "layers are numbered, each above the last"));
            }
            layer = next.or(layer);
        }
        let module =
            line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
        if let Some(module) = module {
            match layer {
                Some(layer) => {
                    layers.insert(module.to_owned(), layer);
                }
                None => problems.push(problem("src/lib.rs", at + 1, "a module before the first layer")),
            }
        }
    }
    (layers, problems)
}

fn check_file(file: &TextFile, path: &[&str], layer: u32, layers: &Layers) -> Vec<String> {
    let masked = mask(&file.text, Mask::CommentsAndText);
    let mut problems = Vec::new();
    for (at, module) in named_modules(&masked, path.len()) {
        if module == path[0] {
            continue;
        }
        let line = line_of(&masked, at);
        match layers.get(&module) {
            Some(other) if *other < layer => {}
            Some(other) => {
                let what = format!("{} (layer {layer}) must not know {module} (layer {other})", path[0]);
                problems.push(problem(&file.path, line, what));
            }
            None => problems.push(problem(&file.path, line, format!("crate::{module} is in no layer"))),
        }
    }
    problems
}

/// Top-level modules that the code names, by `crate::` or by enough `super::` to reach the root.
fn named_modules(masked: &str, depth: usize) -> Vec<(usize, String)> {
    let inline = inline_modules(masked);
    let mut found = Vec::new();
    let mut supers = 0;
    let mut end_of_last = 0;
    for (at, word) in words(masked) {
        let chained = masked[end_of_last..at].trim() == "::";
        end_of_last = at + word.len();
        let nested = inline.iter().filter(|module| module.span.contains(&at)).count();
        supers = match word {
            "super" if chained => supers + 1,
            "super" => 1,
            _ => 0,
        };
        let root = word == "crate" || (word == "super" && supers == depth + nested);
        if root && let Some(rest) = masked[end_of_last..].trim_start().strip_prefix("::") {
            let rest_at = masked.len() - rest.len();
            found.extend(heads(rest).into_iter().map(|(offset, head)| (rest_at + offset, head)));
        }
    }
    found
}

/// First words of a path or of each branch of a `{a, b::{c, d}}`; none for a macro at the root.
fn heads(rest: &str) -> Vec<(usize, String)> {
    let trimmed = rest.trim_start();
    let start = rest.len() - trimmed.len();
    let Some(group) = trimmed.strip_prefix('{') else {
        let head = words(trimmed).next().filter(|(at, _)| *at == 0);
        let head = head.filter(|(_, word)| !trimmed[word.len()..].starts_with('!'));
        return head.map(|(_, word)| (start, word.to_owned())).into_iter().collect();
    };
    let mut found = Vec::new();
    let (mut depth, mut fresh) = (0, true);
    for (at, word_or_sign) in group.char_indices() {
        match word_or_sign {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            sign if sign.is_whitespace() => {}
            _ if fresh && depth == 0 => {
                let head = words(&group[at..]).next().map_or("", |(_, word)| word);
                found.push((start + 1 + at, head.to_owned()));
                fresh = false;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str =
        "// layer 0: a\npub mod sys;\npub mod types;\n// layer 1: b\npub mod wire;\npub mod record;\n";

    fn complaints(path: &str, text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&[file("src/lib.rs", LIST), file(path, text)])
    }

    #[test]
    fn a_module_may_name_lower_layers_and_itself() {
        let text = "use crate::types::Offset;\nuse crate::wire::reader;\nuse super::super::sys::Fs;";
        assert_eq!(complaints("src/wire/reader.rs", text), Vec::<String>::new());
        assert_eq!(complaints("src/wire/mod.rs", "//! crate::nothing\n"), Vec::<String>::new());
    }

    #[test]
    fn imports_upward_and_sideways_are_found_in_every_form() {
        for text in [
            "use crate::record::Batch;",
            "use crate::{\n    types::{Offset, Epoch},\n    record,\n};",
            "fn f() { crate :: record::check() }",
            "use super::super::record;",
            "macro_rules! m { () => { $crate::record::X } }",
            "#[cfg(test)]\nmod tests { use super::super::super::record; }",
        ] {
            let found = complaints("src/wire/reader.rs", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains("must not know record"), "{found:?}");
        }
        assert_eq!(complaints("src/sys/mod.rs", "use super::wire::Reader;").len(), 1);
        assert_eq!(complaints("src/sys/fs.rs", "use super::wire::Reader;").len(), 0, "that is sys::wire");
    }

    #[test]
    fn unknown_modules_and_a_list_out_of_order_are_found() {
        assert_eq!(complaints("src/wire.rs", "use crate::extra::X;").len(), 1);
        assert_eq!(complaints("src/extra/mod.rs", "").len(), 1);
        assert_eq!(parse("pub mod x;\n// layer 1: a\n// layer 1: b\n").1.len(), 2);
    }
}

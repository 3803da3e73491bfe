//! Every dependency has its reason in the line above it.

use crate::problem;
use crate::tree::TextFile;

/// Dependencies without a reason.
pub fn check(files: &[TextFile]) -> Vec<String> {
    let manifests =
        files.iter().filter(|file| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml"));
    manifests.flat_map(check_manifest).collect()
}

fn check_manifest(file: &TextFile) -> Vec<String> {
    let mut problems = Vec::new();
    let mut listing = false;
    let mut reasoned = false;
    // Lines of a value that goes on over several.
    let mut open_brackets = 0_usize;
    for (at, line) in file.text.lines().map(str::trim).enumerate() {
        let dependencies = |header: &str| header.trim_end_matches(']').ends_with("dependencies");
        if open_brackets == 0 && line.starts_with('[') {
            listing = dependencies(line);
            // `[dependencies.name]` is a dependency itself.
            let inner = line.trim_matches(|sign| sign == '[' || sign == ']').rsplit_once('.');
            if inner.is_some_and(|(table, _)| dependencies(table)) && !reasoned {
                problems.push(problem(&file.path, at + 1, "a dependency without its reason above it"));
            }
        } else if listing && open_brackets == 0 && line.contains('=') && !line.starts_with('#') && !reasoned {
            problems.push(problem(&file.path, at + 1, "a dependency without its reason above it"));
        }
        if !line.starts_with('#') {
            let code = line.split('#').next().unwrap_or("");
            let count = |sign| code.matches(sign).count();
            open_brackets = (open_brackets + count('[') + count('{')).saturating_sub(count(']') + count('}'));
        }
        reasoned = line.starts_with('#') && line.len() > 4;
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> usize {
        check(&[TextFile { path: "derive/Cargo.toml".to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn each_dependency_needs_a_reason_of_its_own() {
        assert_eq!(complaints("[package]\nname = \"a\"\n[dependencies]\n# to b\nb = \"1\"\n"), 0);
        assert_eq!(complaints("[dependencies]\n# to b\nb = \"1\"\nc = \"1\"\n"), 1);
        assert_eq!(complaints("[dev-dependencies]\nb = \"1\"\n"), 1);
        assert_eq!(complaints("[target.'cfg(unix)'.dependencies]\nb = { version = \"1\" }\n"), 1);
        assert_eq!(complaints("[dependencies]\n# to b\nb = { features = [\n  \"a=b\",\n] }\n"), 0);
        assert_eq!(complaints("[dependencies.b]\nversion = \"1\"\n"), 1);
    }
}

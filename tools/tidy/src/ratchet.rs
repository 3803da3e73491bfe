//! Sizes above their limit that were there when the limit came, or that somebody argued for: listed in
//! `tools/tidy/ratchet.toml`, and they may only shrink.

use crate::problem;
use crate::shape::Sizes;
use crate::tree::TextFile;
use std::fs;
use std::io;
use std::path::Path;

const LIST: &str = "tools/tidy/ratchet.toml";

/// Sizes that grew or are new, and entries of the list that are too generous.
pub fn check(files: &[TextFile], sizes: &Sizes) -> Vec<String> {
    let list = files.iter().find(|file| file.path == LIST).map_or("", |file| file.text.as_str());
    let mut problems = Vec::new();
    let allowed = parse(list, &mut problems);
    for (what, size) in sizes {
        match allowed.get(what) {
            None => problems.push(format!("{what}: {size} lines, and not in {LIST}")),
            Some(allowed) if size > allowed => {
                problems.push(format!("{what}: grew from {allowed} to {size} lines"));
            }
            Some(_) => {}
        }
    }
    for (what, allowed) in &allowed {
        match sizes.get(what) {
            None => {
                problems.push(problem(LIST, 1, format!("{what} is within its limit now: remove the entry")))
            }
            Some(size) if size < allowed => {
                problems.push(problem(LIST, 1, format!("{what} shrank to {size}: lower the entry")));
            }
            Some(_) => {}
        }
    }
    problems
}

fn parse(list: &str, problems: &mut Vec<String>) -> Sizes {
    let mut sizes = Sizes::new();
    for (at, line) in list.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = line.strip_prefix('"').and_then(|rest| rest.split_once("\" = "));
        match entry.and_then(|(what, size)| Some((what, size.trim().parse().ok()?))) {
            Some((what, size)) => {
                sizes.insert(what.to_owned(), size);
            }
            None => problems.push(problem(LIST, at + 1, "an entry is \"path function\" = lines")),
        }
    }
    sizes
}

/// Lowers and removes entries; raises and adds none.
pub fn update(root: &Path, sizes: &Sizes) -> io::Result<()> {
    let path = root.join(LIST);
    let Ok(list) = fs::read_to_string(&path) else { return Ok(()) };
    let mut lines = Vec::new();
    for line in list.lines() {
        match parse(line, &mut Vec::new()).pop_first() {
            None => lines.push(line.to_owned()),
            Some((what, allowed)) => {
                lines.extend(sizes.get(&what).map(|size| format!("\"{what}\" = {}", allowed.min(*size))));
            }
        }
    }
    fs::write(path, lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(list: &str, sizes: &[(&str, usize)]) -> usize {
        let sizes = sizes.iter().map(|(what, size)| ((*what).to_owned(), *size)).collect();
        check(&[TextFile { path: LIST.to_owned(), text: list.to_owned() }], &sizes).len()
    }

    #[test]
    fn a_size_may_stay_and_nothing_else() {
        let list = "# why\n\"a.rs f\" = 80\n";
        assert_eq!(complaints(list, &[("a.rs f", 80)]), 0);
        assert_eq!(complaints(list, &[("a.rs f", 81)]), 1);
        assert_eq!(complaints(list, &[("a.rs f", 79)]), 1);
        assert_eq!(complaints(list, &[]), 1);
        assert_eq!(complaints("", &[("a.rs f", 80)]), 1);
        assert_eq!(complaints("a.rs f: 80\n", &[]), 1);
    }
}

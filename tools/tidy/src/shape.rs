//! The shape of a source file: how it opens, how long it and its functions are, which words it must not contain.

use crate::code::{Mask, functions, inline_modules, line_of, mask, words};
use crate::problem;
use crate::tree::TextFile;
use std::collections::BTreeMap;

/// A screen.
const FUNCTION_LINES_MAX: usize = 70;
/// One idea.
const FILE_LINES_MAX: usize = 600;
/// One idea with its tests.
const FILE_LINES_WITH_TESTS_MAX: usize = 800;
/// What fits beside another window.
const LINE_CHARS_MAX: usize = 120;

/// Marks of work left undone, split here so that this file passes.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const UNDONE: [&str; 2] = [concat!("to", "do"), concat!("unimple", "mented")];

/// What the ratchet holds, in lines: sizes above their limit. The key is a path, a path and a function, or a path and
/// what its lines are.
pub type Sizes = BTreeMap<String, usize>;

/// Everything about shape but sizes, which the ratchet judges.
pub fn check(files: &[TextFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        let source = file.is_rust() || file.extension() == "toml" || file.is_script();
        for (at, line) in file.text.lines().enumerate() {
            if source && !line.is_ascii() {
                problems.push(problem(&file.path, at + 1, "sources are ASCII"));
            }
            if words(line).any(|(_, word)| MARKS.contains(&word)) {
                problems.push(problem(&file.path, at + 1, "a mark of undone work: do it or open an issue"));
            }
        }
        if file.is_rust() {
            check_rust(file, &mut problems);
        }
    }
    problems
}

fn check_rust(file: &TextFile, problems: &mut Vec<String>) {
    if !file.text.starts_with("//! ") {
        problems.push(problem(&file.path, 1, "opens without //!: what is it for, what must it not know?"));
    }
    let masked = mask(&file.text, Mask::CommentsAndText);
    for (at, word) in words(&masked) {
        if UNDONE.contains(&word) && masked[at + word.len()..].starts_with('!') {
            problems.push(problem(&file.path, line_of(&masked, at), format!("{word}! is unfinished work")));
        }
    }
}

/// Every file and function above its limit, and how many lines of a file are too long.
pub fn sizes(files: &[TextFile]) -> Sizes {
    let mut sizes = Sizes::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let masked = mask(&file.text, Mask::CommentsAndText);
        let all = file.text.lines().count();
        let tests: usize = inline_modules(&masked)
            .iter()
            .filter(|module| module.is_test)
            .map(|module| masked[module.span.clone()].lines().count())
            .sum();
        let is_test = file.path.starts_with("tests/") || file.path.ends_with("/tests.rs");
        let with_tests_max = if is_test || tests > 0 { FILE_LINES_WITH_TESTS_MAX } else { FILE_LINES_MAX };
        if all > with_tests_max || (!is_test && all - tests > FILE_LINES_MAX) {
            sizes.insert(file.path.clone(), all);
        }
        let long = file.text.lines().filter(|line| line.chars().count() > LINE_CHARS_MAX).count();
        if long > 0 {
            sizes.insert(format!("{} over {LINE_CHARS_MAX} characters", file.path), long);
        }
        for function in functions(&masked).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX)
        {
            let size = sizes.entry(format!("{} {}", file.path, function.name)).or_default();
            *size = function.lines.max(*size);
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> TextFile {
        TextFile { path: path.to_owned(), text }
    }

    fn found(path: &str, text: &str) -> usize {
        check(&[file(path, text.to_owned())]).len()
    }

    #[test]
    fn marks_of_undone_work_are_found_in_code_and_comments() {
        assert_eq!(found("a.rs", "//! A.\n"), 0);
        assert_eq!(found("a.rs", &format!("//! A.\n// {}: later\n", MARKS[0])), 1);
        assert_eq!(found("a.rs", &format!("//! A.\nfn f() {{ {}!() }}\n", UNDONE[0])), 1);
        assert_eq!(found("a.py", &format!("# {}\n", MARKS[1])), 1);
        assert_eq!(found("a.rs", &format!("//! A.\nfn f() {{ \"{}!\"; }}\n", UNDONE[1])), 0);
    }

    #[test]
    fn openings_lines_and_letters_are_checked() {
        assert_eq!(found("a.rs", "use a;\n"), 1);
        assert_eq!(found("a.rs", "//! \u{e9}\n"), 1);
        assert_eq!(found("a.md", "\u{e9}\n"), 0);
    }

    #[test]
    fn sizes_above_the_limits_are_found_with_and_without_tests() {
        let lines = |count: usize| "x;\n".repeat(count);
        let tests = |count: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", lines(count));
        let keys = |path: &str, text: String| sizes(&[file(path, text)]).into_keys().collect::<Vec<_>>();
        assert_eq!(keys("src/a.rs", lines(600)), [""; 0]);
        assert_eq!(keys("src/a.rs", lines(601)), ["src/a.rs"]);
        assert_eq!(keys("src/a.rs", lines(500) + &tests(290)), [""; 0]);
        assert_eq!(keys("src/a.rs", lines(500) + &tests(301)), ["src/a.rs"]);
        assert_eq!(keys("src/a.rs", lines(610) + &tests(10)), ["src/a.rs"]);
        assert_eq!(keys("src/a/tests.rs", lines(800)), [""; 0]);
        assert_eq!(keys("src/a.rs", "x".repeat(120) + "\n"), [""; 0]);
        assert_eq!(keys("src/a.rs", "x".repeat(121) + "\n"), ["src/a.rs over 120 characters"]);
        assert_eq!(keys("src/a.rs", format!("fn f() {{\n{}}}\n", lines(68))), [""; 0]);
        assert_eq!(keys("src/a.rs", format!("fn f() {{\n{}}}\n", lines(69))), ["src/a.rs f"]);
    }
}

//! Documents follow the code: a line `<!-- tied: path hash -->` in a document holds the hash of a source file that it
//! describes, so that a change of one without a look at the other fails; links inside the repository lead somewhere;
//! the README tells how to run and test.

use crate::code::{Mask, inline_modules, mask};
use crate::problem;
use crate::tree::TextFile;
use std::fs;
use std::io;
use std::path::Path;

const TIE: &str = "<!-- tied: ";

/// The document that must be tied to code.
const FORMAT: &str = "storage-format.md";

/// Ties that do not hold, links that lead nowhere, a README without commands.
pub fn check(root: &Path, files: &[TextFile]) -> Vec<String> {
    let mut problems = check_readme(files);
    for document in files.iter().filter(|file| file.extension() == "md") {
        problems.extend(check_ties(document, files));
        for (line, link) in links(&document.text) {
            let here = Path::new(&document.path).parent().unwrap_or(Path::new(""));
            if !root.join(here).join(link).exists() {
                problems.push(problem(&document.path, line, format!("the link {link} leads nowhere")));
            }
        }
    }
    match files.iter().find(|file| file.path == FORMAT) {
        Some(document) if document.text.contains(TIE) => {}
        _ => problems.push(problem(FORMAT, 1, "missing, or tied to no source file")),
    }
    problems
}

fn check_ties(document: &TextFile, files: &[TextFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, line) in document.text.lines().enumerate().filter(|(_, line)| line.starts_with(TIE)) {
        let tie = parse_tie(line).and_then(|(path, hash)| {
            let source = files.iter().find(|file| file.path == path)?;
            Some((path, hash == hash_of(&source.text)))
        });
        match tie {
            Some((_, true)) => {}
            Some((path, false)) => {
                let what = format!("{path} changed: see that this page is still true, then tidy --update");
                problems.push(problem(&document.path, at + 1, what));
            }
            None => problems.push(problem(&document.path, at + 1, "a tie names a source file and its hash")),
        }
    }
    problems
}

fn parse_tie(line: &str) -> Option<(&str, &str)> {
    let mut parts = line.strip_prefix(TIE)?.strip_suffix("-->")?.split_whitespace();
    Some((parts.next()?, parts.next().unwrap_or("")))
}

/// Writes the present hashes into every tie.
pub fn update(root: &Path, files: &[TextFile]) -> io::Result<()> {
    for document in files.iter().filter(|file| file.extension() == "md" && file.text.contains(TIE)) {
        let mut text = String::new();
        for line in document.text.lines() {
            let source = parse_tie(line).and_then(|(path, _)| files.iter().find(|file| file.path == path));
            match source {
                Some(source) => text += &format!("{TIE}{} {} -->", source.path, hash_of(&source.text)),
                None => text += line,
            }
            text.push('\n');
        }
        fs::write(root.join(&document.path), text)?;
    }
    Ok(())
}

/// FNV-1a over the code without comments, tests and layout: what a document of formats describes.
fn hash_of(source: &str) -> String {
    let code = mask(source, Mask::Comments);
    let tests = inline_modules(&mask(source, Mask::CommentsAndText));
    let outside = |at: usize| !tests.iter().any(|module| module.is_test && module.span.contains(&at));
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (_, byte) in code.bytes().enumerate().filter(|(at, byte)| !byte.is_ascii_whitespace() && outside(*at))
    {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// Targets of links within the repository, without their anchors; code is not looked at.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let prose = line.split('`').step_by(2).filter(|_| !fenced);
        for piece in prose.flat_map(|prose| prose.split("](").skip(1)) {
            let target = piece.split([')', ' ']).next().unwrap_or("");
            let target = target.split('#').next().unwrap_or("");
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((at + 1, target));
            }
        }
    }
    found
}

fn check_readme(files: &[TextFile]) -> Vec<String> {
    let Some(readme) = files.iter().find(|file| file.path == "README.md") else {
        return vec![problem("README.md", 1, "missing")];
    };
    let mut inside = false;
    for line in readme.text.lines() {
        if line.starts_with('#') {
            inside = line.to_lowercase().contains("command");
        } else if inside && line.starts_with("```") {
            return Vec::new();
        }
    }
    vec![problem("README.md", 1, "has no section of commands with a block of them")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_tie_breaks_with_the_code_and_not_with_comments_tests_or_layout() {
        let hash = hash_of("const A: u8 = 1;\n");
        let tests = "// one\nconst A: u8\n    = 1;\n#[cfg(test)]\nmod tests { fn x() {} }\n";
        assert_eq!(hash_of("const A: u8 = 1; /* b */\n"), hash);
        assert_ne!(hash_of("const A: u8 = 2;\n"), hash);
        assert_ne!(hash_of("const A: &str = \"// 1\";"), hash_of("const A: &str = \"// 2\";"));
        assert_eq!(hash_of(tests), hash_of("const A: u8 = 1; #[cfg(test)] mod tests { }"));
        let document = |hash: &str| file("f.md", &format!("# f\n{TIE}src/a.rs {hash} -->\n"));
        let source = [file("src/a.rs", "const A: u8 = 1;\n")];
        assert_eq!(check_ties(&document(&hash), &source).len(), 0);
        assert_eq!(check_ties(&document("0"), &source).len(), 1);
        assert_eq!(check_ties(&document(""), &source).len(), 1);
        assert_eq!(check_ties(&document(&hash), &[]).len(), 1);
    }

    #[test]
    fn links_in_prose_are_found_and_those_in_code_are_not() {
        let text = "[a](b.md#c) [d](https://e) `[f](g)` [h](#i)\n```\n[j](k)\n```\n[l](m/n.md)";
        assert_eq!(links(text), [(1, "b.md"), (5, "m/n.md")]);
    }

    #[test]
    fn a_readme_without_commands_is_found() {
        let complaints = |text: &str| check_readme(&[file("README.md", text)]).len();
        assert_eq!(complaints("# a\n## Commands\n```sh\nx\n```\n"), 0);
        assert_eq!(complaints("# a\n## Commands\n## More\n```\nx\n```\n"), 1);
        assert_eq!(check_readme(&[]).len(), 1);
    }
}

//! As much of Rust's grammar as the rules need: what is code, what is comment or text, where functions and modules
//! begin and end. It reads what rustfmt wrote and does not judge it.

use std::ops::Range;

/// A function and the lines it takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Line of `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
}

/// An inline `mod name { }`, in bytes of the text.
#[derive(Debug, PartialEq, Eq)]
pub struct InlineModule {
    /// From `mod` to the closing brace.
    pub span: Range<usize>,
    /// It stands under `#[cfg(test)]`.
    pub is_test: bool,
}

/// What to blank out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// Comments.
    Comments,
    /// Comments, and what stands inside string and character literals.
    CommentsAndText,
}

/// The text with spaces for what is masked; lines and byte positions stay.
pub fn mask(text: &str, mask: Mask) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (end, inner) = literal(bytes, at);
        let hidden = match inner {
            Some(Inner::Comment) => at..end,
            Some(Inner::Text(inner)) if mask == Mask::CommentsAndText => inner,
            _ => 0..0,
        };
        out[hidden].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

enum Inner {
    Comment,
    Text(Range<usize>),
}

/// Where the token at `at` ends, and which part of it is not code.
fn literal(bytes: &[u8], at: usize) -> (usize, Option<Inner>) {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |len| at + len);
        return (end, Some(Inner::Comment));
    }
    if rest.starts_with(b"/*") {
        return (block_comment_end(bytes, at), Some(Inner::Comment));
    }
    if is_word(rest[0]) {
        let end = at + rest.iter().take_while(|byte| is_word(**byte)).count();
        let raw = matches!(&bytes[at..end], b"r" | b"br" | b"cr");
        let hashes = bytes[end..].iter().take_while(|byte| **byte == b'#').count();
        if raw && bytes.get(end + hashes) == Some(&b'"') {
            let open = end + hashes + 1;
            let close = [&b"\""[..], &b"#".repeat(hashes)].concat();
            let len = bytes[open..].windows(close.len()).position(|window| window == close);
            let inner = open..len.map_or(bytes.len(), |len| open + len);
            return ((inner.end + close.len()).min(bytes.len()), Some(Inner::Text(inner)));
        }
        return (end, None);
    }
    if rest[0] == b'"' {
        let end = quoted_end(bytes, at, b'"');
        return (end, Some(Inner::Text(at + 1..end - 1)));
    }
    if rest[0] == b'\'' {
        // A lifetime has no closing quote after one character.
        let one = std::str::from_utf8(&rest[1..]).ok().and_then(|text| text.chars().next());
        let width = one.map_or(1, char::len_utf8);
        if rest.get(1) == Some(&b'\\') || rest.get(1 + width) == Some(&b'\'') {
            let end = quoted_end(bytes, at, b'\'');
            return (end, Some(Inner::Text(at + 1..end - 1)));
        }
    }
    (at + 1, None)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let (mut at, mut depth) = (at, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn quoted_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The words of masked code with their places; a word is an identifier, a keyword or a number.
pub fn words(masked: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = masked.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !is_word(bytes[at]) {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        (start < at).then(|| (start, &masked[start..at]))
    })
}

/// The line that holds byte `at`, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The first `{` after `at` and its `}`; none if a `;` outside all brackets comes first.
fn body(masked: &str, at: usize) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut open = None;
    for (offset, byte) in masked.bytes().enumerate().skip(at) {
        match byte {
            b';' if depth == 0 => return None,
            b'(' | b'[' | b'{' => {
                if byte == b'{' && depth == 0 {
                    open = Some(offset);
                }
                depth += 1;
            }
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if let (Some(open), 0) = (open, depth) {
                    return Some(open..offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Every function with a body, inner ones too.
pub fn functions(masked: &str) -> Vec<Function> {
    let all: Vec<(usize, &str)> = words(masked).collect();
    let mut found = Vec::new();
    for pair in all.windows(2) {
        // `fn(u8) -> u8` is a type: no name follows.
        let named = masked[pair[0].0 + pair[0].1.len()..pair[1].0].trim().is_empty();
        if pair[0].1 == "fn"
            && named
            && let Some(body) = body(masked, pair[1].0)
        {
            let line = line_of(masked, pair[0].0);
            let lines = line_of(masked, body.end - 1) + 1 - line;
            found.push(Function { name: pair[1].1.to_owned(), line, lines });
        }
    }
    found
}

/// Every module with a body, inner ones too.
pub fn inline_modules(masked: &str) -> Vec<InlineModule> {
    let mut found = Vec::new();
    for (at, _) in words(masked).filter(|(_, word)| *word == "mod") {
        if let Some(body) = body(masked, at) {
            let before = masked[..at].trim_end();
            let before = before.strip_suffix("pub").or(before.strip_suffix("pub(crate)")).unwrap_or(before);
            found.push(InlineModule {
                span: at..body.end,
                is_test: before.trim_end().ends_with("#[cfg(test)]"),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        mask(text, Mask::CommentsAndText)
    }

    #[test]
    fn comments_and_literals_are_blanked_and_code_is_not() {
        let text = "a \"b \\\" c\" 'd' '\\'' 'e r#\"f \" g\"# /* h /* i */ j */ k // l\nm";
        let left: String = masked(text).split_whitespace().collect();
        assert_eq!(left, "a\"\"'''''er#\"\"#km");
        assert_eq!(masked(text).len(), text.len());
        assert!(mask("x = \"// no\"; // yes", Mask::Comments).starts_with("x = \"// no\"; "));
        assert!(!mask("x = \"// no\"; // yes", Mask::Comments).contains("yes"));
    }

    #[test]
    fn a_brace_in_text_does_not_end_a_function() {
        let text =
            "impl A {\n fn one(&self) -> [u8; 2] {\n  \"}\";\n  '}';\n }\n fn two();\n}\nfn three() {}\n";
        let found: Vec<_> = functions(&masked(text)).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, [("one".to_owned(), 2, 4), ("three".to_owned(), 8, 1)]);
    }

    #[test]
    fn a_function_type_is_no_function() {
        assert_eq!(functions("struct A(fn(u8) -> u8);\nstruct B { c: u8 }"), []);
    }

    #[test]
    fn a_test_module_is_known_by_its_attribute() {
        let text = "mod a;\n#[cfg(test)]\nmod tests { fn x() {} }\nmod b { mod c {} }";
        let found: Vec<_> = inline_modules(&masked(text)).iter().map(|m| m.is_test).collect();
        assert_eq!(found, [true, false, false]);
    }
}

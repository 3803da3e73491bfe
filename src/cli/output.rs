//! Data goes to standard output, talk to standard error. Nobody else here writes to either.

use super::failure::Failure;
use serde_json::Value;
use std::io::{self, IsTerminal as _, Write as _};

/// How a verb speaks.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// JSON on standard output.
    pub json: bool,
}

impl Output {
    /// Whether a person looks at standard output.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether a person looks at standard error.
    pub fn talks_to_person(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Writes data.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(cannot_write)
    }

    /// Writes a line of data.
    pub fn line(&self, line: &str) -> Result<(), Failure> {
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// Writes the object if JSON is wanted, else the text.
    pub fn either(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.json {
            true => self.line(&json().to_string()),
            false => self.line(&text()),
        }
    }

    /// Says something about what is going on.
    pub fn say(&self, line: &str) {
        // If nobody can be told, there is nobody to tell that to.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// A table with a head, for people.
    pub fn table(&self, head: &[&str], rows: Vec<Vec<String>>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(head.iter().map(|name| name.to_ascii_uppercase()));
        table.add_rows(rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }
}

/// A reader that has seen enough closes the pipe; that is no failure.
fn cannot_write(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure { exit: 0, ..Failure::new(CLOSED_PIPE, "") },
        _ => Failure::new("LB0501", format!("cannot write to standard output: {error}")),
    }
}

/// Code of the failure that is none.
pub const CLOSED_PIPE: &str = "";

/// 1234567 as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text for a terminal: control characters, which could move its cursor or worse, are shown and not sent.
pub fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(c),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_control_characters_shown() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(harmless(b"a\x1b[2Jb\tc\n\xff"), "a\\u{1b}[2Jb\tc\\n\u{fffd}");
    }

    #[test]
    fn a_table_has_a_head_and_no_trailing_blanks() {
        let table = Output { json: false }.table(
            &["name", "n"],
            vec![vec!["orders".to_owned(), "3".to_owned()], vec!["x".to_owned(), "12".to_owned()]],
        );
        assert_eq!(table, "NAME    N\norders  3\nx       12");
    }
}

//! A pattern of RE2/J in the words of the `regex` crate. All that the two read differently is gone from the result:
//! each character is a class of bytes, flags are applied, escapes and quotes resolved, greed left out, as only whole
//! matches count. No function calls itself, so that no nesting exhausts the stack.

use super::BadPattern;
use super::class::AsciiSet;
use std::collections::BTreeSet;
use std::str::Chars;

/// More repetitions RE2 does not take.
const REPEAT_MAX: u32 = 1000;

#[derive(Clone, Copy, Default)]
struct Flags {
    /// `i`
    fold: bool,
    /// `m`
    lines: bool,
    /// `s`
    dot_newline: bool,
}

/// An open group.
struct Open {
    /// Where it began in the result.
    at: usize,
    /// What held outside.
    flags: Flags,
}

/// What stands before the next character.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// Can be repeated; where it begins in the result, and whether it is a repetition already.
    Atom {
        at: usize,
        repeated: bool,
    },
}

struct Translator<'a> {
    rest: Chars<'a>,
    out: String,
    flags: Flags,
    open: Vec<Open>,
    names: BTreeSet<&'a str>,
    before: Before,
    /// The last character ended a repetition: another one must not follow at once.
    after_repetition: bool,
}

/// The same language over bytes, anchored at both ends.
pub(super) fn translate(pattern: &str) -> Result<String, BadPattern> {
    let mut translator = Translator {
        rest: pattern.chars(),
        out: String::from(r"\A(?:"),
        flags: Flags::default(),
        open: Vec::new(),
        names: BTreeSet::new(),
        before: Before::Nothing,
        after_repetition: false,
    };
    while let Some(next) = translator.rest.next() {
        translator.step(next)?;
    }
    if !translator.open.is_empty() {
        return Err(BadPattern::Parentheses);
    }
    translator.out.push_str(r")\z");
    Ok(translator.out)
}

impl<'a> Translator<'a> {
    fn step(&mut self, next: char) -> Result<(), BadPattern> {
        let after_repetition = std::mem::replace(&mut self.after_repetition, false);
        match next {
            '*' | '+' | '?' => {
                self.repeat(after_repetition)?;
                self.out.push(next);
            }
            '{' => match self.counts() {
                Some(counts) => self.repeat_counted(counts, after_repetition)?,
                None => self.literal('{'),
            },
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '|' => {
                self.out.push('|');
                self.before = Before::Nothing;
            }
            '[' => {
                let set = self.class()?;
                self.set(set);
            }
            '.' => self.set(AsciiSet::any(self.flags.dot_newline)),
            '^' => self.atom(if self.flags.lines { "(?m:^)" } else { r"\A" }),
            '$' => self.atom(if self.flags.lines { "(?m:$)" } else { r"\z" }),
            '\\' => self.escaped()?,
            _ => self.literal(next),
        }
        Ok(())
    }

    // ---- what can be repeated

    fn atom(&mut self, text: &str) {
        self.before = Before::Atom { at: self.out.len(), repeated: false };
        self.out.push_str(text);
    }

    fn set(&mut self, set: AsciiSet) {
        self.before = Before::Atom { at: self.out.len(), repeated: false };
        set.write(&mut self.out);
    }

    fn literal(&mut self, character: char) {
        self.set(AsciiSet::range(character..=character, self.flags.fold));
    }

    fn escaped(&mut self) -> Result<(), BadPattern> {
        let mut ahead = self.rest.clone();
        let letter = ahead.next().ok_or(BadPattern::TrailingBackslash)?;
        let set = match letter {
            'A' => Err(r"\A"),
            'z' => Err(r"\z"),
            'b' => Err(r"\b"),
            'B' => Err(r"\B"),
            'Q' => {
                self.rest = ahead;
                self.quoted();
                return Ok(());
            }
            _ => Ok(self.class_escape()?),
        };
        match set {
            Ok(set) => self.set(set),
            Err(anchor) => {
                self.rest = ahead;
                self.atom(anchor);
            }
        }
        Ok(())
    }

    /// After `\Q`: all up to `\E`, or to the end, means itself.
    fn quoted(&mut self) {
        let rest = self.rest.as_str();
        let (quoted, after) = rest.split_once(r"\E").unwrap_or((rest, ""));
        self.rest = after.chars();
        quoted.chars().for_each(|character| self.literal(character));
    }

    // ---- repetitions

    /// Makes what stands before ready for a repetition, which the caller writes.
    fn repeat(&mut self, after_repetition: bool) -> Result<(), BadPattern> {
        self.take_lazy_mark();
        if after_repetition {
            return Err(BadPattern::Repeated);
        }
        let Before::Atom { at, repeated } = self.before else { return Err(BadPattern::NothingToRepeat) };
        if repeated {
            self.out.insert_str(at, "(?:");
            self.out.push(')');
        }
        self.before = Before::Atom { at, repeated: true };
        self.after_repetition = true;
        Ok(())
    }

    /// `a*?` matches the same whole names as `a*`.
    fn take_lazy_mark(&mut self) {
        if let Some(rest) = self.rest.as_str().strip_prefix('?') {
            self.rest = rest.chars();
        }
    }

    fn repeat_counted(&mut self, counts: Counts, after_repetition: bool) -> Result<(), BadPattern> {
        let Counts { least, most } = counts;
        let too_many = least > REPEAT_MAX || most.is_some_and(|most| most > REPEAT_MAX || most < least);
        if too_many {
            return Err(BadPattern::Count);
        }
        self.repeat(after_repetition)?;
        let most = most.map_or(String::new(), |most| most.to_string());
        self.out.push_str(&format!("{{{least},{most}}}"));
        Ok(())
    }

    /// After `{`: `2}`, `2,}` or `2,3}`; anything else leaves the brace to mean itself.
    fn counts(&mut self) -> Option<Counts> {
        let (inside, after) = self.rest.as_str().split_once('}')?;
        let (least, most) =
            inside.split_once(',').map_or((inside, None), |(least, most)| (least, Some(most)));
        let least = count(least)?;
        let most = match most {
            None => Some(least),
            Some("") => None,
            Some(most) => Some(count(most)?),
        };
        self.rest = after.chars();
        Some(Counts { least, most })
    }

    // ---- groups

    fn open_group(&mut self) -> Result<(), BadPattern> {
        let outside = self.flags;
        let rest = self.rest.as_str();
        if let Some(special) = rest.strip_prefix('?') {
            let named = special.strip_prefix("P<").or_else(|| special.strip_prefix('<'));
            if let Some(named) = named {
                self.name(named)?;
            } else if !self.group_flags(special)? {
                return Ok(());
            }
        }
        self.open.push(Open { at: self.out.len(), flags: outside });
        self.out.push_str("(?:");
        self.before = Before::Nothing;
        Ok(())
    }

    fn name(&mut self, named: &'a str) -> Result<(), BadPattern> {
        let (name, after) = named.split_once('>').ok_or(BadPattern::Name)?;
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if name.is_empty() || !name.chars().all(is_word) {
            return Err(BadPattern::Name);
        }
        if !self.names.insert(name) {
            return Err(BadPattern::SameName);
        }
        self.rest = after.chars();
        Ok(())
    }

    /// `i-s:` opens a group with these flags: true. `i-s)` sets them for the rest of the group around: false.
    fn group_flags(&mut self, special: &'a str) -> Result<bool, BadPattern> {
        let mut flags = self.flags;
        let mut rest = special.chars();
        let mut on = true;
        let mut sign_without_flag = false;
        let opens = loop {
            match rest.next().ok_or(BadPattern::Group)? {
                'i' => flags.fold = on,
                'm' => flags.lines = on,
                's' => flags.dot_newline = on,
                'U' => {}
                '-' if on => {
                    on = false;
                    sign_without_flag = true;
                    continue;
                }
                ':' if !sign_without_flag => break true,
                ')' if !sign_without_flag => break false,
                _ => return Err(BadPattern::Group),
            }
            sign_without_flag = false;
        };
        self.rest = rest;
        if opens {
            // The caller keeps what holds outside.
            self.flags = flags;
            return Ok(true);
        }
        self.flags = flags;
        Ok(false)
    }

    fn close_group(&mut self) -> Result<(), BadPattern> {
        let Open { at, flags } = self.open.pop().ok_or(BadPattern::Parentheses)?;
        self.out.push(')');
        self.flags = flags;
        self.before = Before::Atom { at, repeated: false };
        Ok(())
    }

    // ---- classes

    /// After `[`.
    fn class(&mut self) -> Result<AsciiSet, BadPattern> {
        let negated = self.take("^");
        let mut set = AsciiSet::EMPTY;
        let mut first = true;
        loop {
            if !first && self.take("]") {
                break;
            }
            first = false;
            set = set.or(self.class_item()?);
        }
        Ok(if negated { set.negated() } else { set })
    }

    fn class_item(&mut self) -> Result<AsciiSet, BadPattern> {
        let rest = self.rest.as_str();
        let posix = rest.strip_prefix("[:").and_then(|named| named.split_once(":]"));
        if let Some((name, after)) = posix {
            self.rest = after.chars();
            return AsciiSet::posix(name, self.flags.fold);
        }
        if let Some(escaped) = rest.strip_prefix('\\') {
            self.rest = escaped.chars();
            if let Some(set) = self.named_class()? {
                return Ok(set);
            }
            self.rest = rest.chars();
        }
        let first = self.class_character()?;
        let mut last = first;
        let after_dash = self.rest.as_str().strip_prefix('-').filter(|after| !after.starts_with(']'));
        if let Some(after) = after_dash.filter(|after| !after.is_empty()) {
            self.rest = after.chars();
            last = self.class_character()?;
        }
        if last < first {
            return Err(BadPattern::Class);
        }
        Ok(AsciiSet::range(first..=last, self.flags.fold))
    }

    fn class_character(&mut self) -> Result<char, BadPattern> {
        match self.rest.next().ok_or(BadPattern::OpenClass)? {
            '\\' => self.escaped_character(),
            character => Ok(character),
        }
    }

    /// After a backslash: a class or a character.
    fn class_escape(&mut self) -> Result<AsciiSet, BadPattern> {
        if let Some(set) = self.named_class()? {
            return Ok(set);
        }
        let character = self.escaped_character()?;
        Ok(AsciiSet::range(character..=character, self.flags.fold))
    }

    /// After a backslash: `d` and the like, `pN` or `p{Greek}`, if it is one of them.
    fn named_class(&mut self) -> Result<Option<AsciiSet>, BadPattern> {
        let mut ahead = self.rest.clone();
        let Some(letter) = ahead.next() else { return Ok(None) };
        if let Some(set) = AsciiSet::perl(letter) {
            self.rest = ahead;
            return Ok(Some(set));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        let rest = ahead.as_str();
        let (name, after) = match rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or(BadPattern::Class)?,
            None => {
                let length = rest.chars().next().map_or(0, char::len_utf8);
                rest.split_at_checked(length).ok_or(BadPattern::Class)?
            }
        };
        self.rest = after.chars();
        AsciiSet::unicode(name, letter == 'P', self.flags.fold).map(Some)
    }

    /// After a backslash: one character.
    fn escaped_character(&mut self) -> Result<char, BadPattern> {
        let letter = self.rest.next().ok_or(BadPattern::TrailingBackslash)?;
        match letter {
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            'x' => self.hexadecimal(),
            '0'..='7' => self.octal(letter),
            _ if letter.is_ascii_alphanumeric() => Err(BadPattern::Escape),
            _ => Ok(letter),
        }
    }

    /// After `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Result<char, BadPattern> {
        let rest = self.rest.as_str();
        let (digits, after) = match rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}'),
            None => rest.split_at_checked(2),
        }
        .ok_or(BadPattern::Escape)?;
        let is_plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_plain).ok_or(BadPattern::Escape)?;
        self.rest = after.chars();
        match code {
            // Half of a pair is a character to RE2/J, though none that a name could hold.
            0xD800..=0xDFFF => Ok(char::REPLACEMENT_CHARACTER),
            _ => char::from_u32(code).ok_or(BadPattern::Escape),
        }
    }

    /// Up to three digits; a single one but 0 would mean a group matched before, which RE2 cannot do.
    fn octal(&mut self, first: char) -> Result<char, BadPattern> {
        let rest = self.rest.as_str();
        let more = rest.chars().take(2).take_while(|digit| matches!(digit, '0'..='7')).count();
        if first != '0' && more == 0 {
            return Err(BadPattern::Escape);
        }
        let (digits, after) = rest.split_at_checked(more).ok_or(BadPattern::Escape)?;
        self.rest = after.chars();
        let code = u32::from_str_radix(&format!("{first}{digits}"), 8).map_err(|_| BadPattern::Escape)?;
        char::from_u32(code).ok_or(BadPattern::Escape)
    }

    fn take(&mut self, prefix: &str) -> bool {
        let after = self.rest.as_str().strip_prefix(prefix);
        if let Some(after) = after {
            self.rest = after.chars();
        }
        after.is_some()
    }
}

/// `{least,most}`
struct Counts {
    least: u32,
    most: Option<u32>,
}

/// Digits without a leading zero; a number past all bounds is one that will be refused.
fn count(digits: &str) -> Option<u32> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_plain || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}

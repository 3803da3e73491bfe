//! Sets of characters, of which only those in ASCII are kept: names of topics have no others. With it all of Unicode's
//! classes become small, and what Unicode says of upper and lower case comes down to two characters.

use super::BadPattern;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// A set of ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AsciiSet(u128);

impl AsciiSet {
    pub(super) const EMPTY: AsciiSet = AsciiSet(0);

    /// The characters of a range; with `fold` also those that differ from one of them in case only.
    pub(super) fn range(range: RangeInclusive<char>, fold: bool) -> AsciiSet {
        let ascii = (0..128_u8).filter(|byte| range.contains(&char::from(*byte)));
        let mut set = AsciiSet(ascii.fold(0, |bits, byte| bits | 1 << byte));
        if fold {
            // The two outside ASCII that have a lower case in it: the Kelvin sign and the long s.
            for (outside, inside) in [('\u{212A}', 'k'), ('\u{17F}', 's')] {
                if range.contains(&outside) {
                    set.0 |= 1 << u32::from(inside);
                }
            }
            set = set.folded();
        }
        set
    }

    fn of_ranges(ranges: &[(char, char)], fold: bool) -> AsciiSet {
        let each =
            |set: AsciiSet, (first, last): &(char, char)| set.or(AsciiSet::range(*first..=*last, fold));
        ranges.iter().fold(AsciiSet::EMPTY, each)
    }

    fn of_text(text: &str) -> AsciiSet {
        text.chars().fold(AsciiSet::EMPTY, |set, each| set.or(AsciiSet::range(each..=each, false)))
    }

    fn folded(self) -> AsciiSet {
        let letters = AsciiSet::of_ranges(&[('A', 'Z')], false).0;
        AsciiSet(self.0 | (self.0 & letters) << 32 | (self.0 >> 32 & letters))
    }

    pub(super) fn or(self, other: AsciiSet) -> AsciiSet {
        AsciiSet(self.0 | other.0)
    }

    pub(super) fn negated(self) -> AsciiSet {
        AsciiSet(!self.0)
    }

    fn negated_if(self, negated: bool) -> AsciiSet {
        if negated { self.negated() } else { self }
    }

    /// All, but for the end of a line unless `with_newline`.
    pub(super) fn any(with_newline: bool) -> AsciiSet {
        if with_newline { AsciiSet::EMPTY.negated() } else { AsciiSet::of_text("\n").negated() }
    }

    /// `d`, `D`, `w`, `W`, `s` or `S`, as after a backslash.
    pub(super) fn perl(letter: char) -> Option<AsciiSet> {
        let name = match letter.to_ascii_lowercase() {
            'd' => "digit",
            'w' => "word",
            's' => return Some(AsciiSet::of_text("\t\n\u{c}\r ").negated_if(letter == 'S')),
            _ => return None,
        };
        let ranges = POSIX.iter().find(|(known, _)| *known == name).map(|(_, ranges)| *ranges)?;
        Some(AsciiSet::of_ranges(ranges, false).negated_if(letter.is_ascii_uppercase()))
    }

    /// `alpha` or `^alpha`, as in `[[:alpha:]]`.
    pub(super) fn posix(name: &str, fold: bool) -> Result<AsciiSet, BadPattern> {
        let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let ranges = POSIX.iter().find(|(known, _)| *known == name).map(|(_, ranges)| *ranges);
        Ok(AsciiSet::of_ranges(ranges.ok_or(BadPattern::Class)?, fold).negated_if(negated))
    }

    /// `Lu` or `Greek` or `^Lu`, as in `\p{Lu}`.
    pub(super) fn unicode(name: &str, negated: bool, fold: bool) -> Result<AsciiSet, BadPattern> {
        let (name, negated) = name.strip_prefix('^').map_or((name, negated), |name| (name, !negated));
        let set = if name == "Any" {
            AsciiSet::EMPTY.negated()
        } else if CATEGORIES.contains(&name) {
            AsciiSet::category(name)
        } else if SCRIPTS.contains(&name) {
            AsciiSet::script(name)
        } else {
            return Err(BadPattern::Class);
        };
        let set = if fold { set.folded() } else { set };
        Ok(set.negated_if(negated))
    }

    /// The characters of a category, or of all whose name it begins.
    fn category(name: &str) -> AsciiSet {
        let within = ASCII_CATEGORIES.iter().filter(|(category, _)| category.starts_with(name));
        within.fold(AsciiSet::EMPTY, |set, (_, ranges)| set.or(AsciiSet::of_ranges(ranges, false)))
    }

    fn script(name: &str) -> AsciiSet {
        match name {
            "Latin" => AsciiSet::category("L"),
            "Common" => AsciiSet::category("L").negated(),
            _ => AsciiSet::EMPTY,
        }
    }

    /// Writes the set as a class of bytes.
    pub(super) fn write(self, out: &mut String) {
        if self.0 == 0 {
            return out.push_str(r"[^\x00-\xFF]");
        }
        out.push('[');
        for byte in (0..128_u8).filter(|byte| self.0 >> byte & 1 == 1) {
            let _ = write!(out, r"\x{byte:02X}");
        }
        out.push(']');
    }
}

type Ranges = &'static [(char, char)];

/// POSIX's classes.
const POSIX: &[(&str, Ranges)] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\0', '\x7f')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    ("digit", &[('0', '9')]),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", &[('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')]),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

/// Unicode's categories of the characters in ASCII.
const ASCII_CATEGORIES: &[(&str, Ranges)] = &[
    ("Cc", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    ("Ll", &[('a', 'z')]),
    ("Lu", &[('A', 'Z')]),
    ("Nd", &[('0', '9')]),
    ("Pc", &[('_', '_')]),
    ("Pd", &[('-', '-')]),
    ("Pe", &[(')', ')'), (']', ']'), ('}', '}')]),
    (
        "Po",
        &[('!', '#'), ('%', '\''), ('*', '*'), (',', ','), ('.', '/'), (':', ';'), ('?', '@'), ('\\', '\\')],
    ),
    ("Ps", &[('(', '('), ('[', '['), ('{', '{')]),
    ("Sc", &[('$', '$')]),
    ("Sk", &[('^', '^'), ('`', '`')]),
    ("Sm", &[('+', '+'), ('<', '>'), ('|', '|'), ('~', '~')]),
    ("Zs", &[(' ', ' ')]),
];

/// The categories that RE2/J 1.8 knows.
const CATEGORIES: &[&str] = &[
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// The scripts that RE2/J 1.8 knows.
const SCRIPTS: &[&str] = &[
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Batak",
    "Bengali",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Canadian_Aboriginal",
    "Carian",
    "Cham",
    "Cherokee",
    "Common",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Egyptian_Hieroglyphs",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanunoo",
    "Hebrew",
    "Hiragana",
    "Imperial_Aramaic",
    "Inherited",
    "Inscriptional_Pahlavi",
    "Inscriptional_Parthian",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Katakana",
    "Kayah_Li",
    "Kharoshthi",
    "Khmer",
    "Lao",
    "Latin",
    "Lepcha",
    "Limbu",
    "Linear_B",
    "Lisu",
    "Lycian",
    "Lydian",
    "Malayalam",
    "Mandaic",
    "Meetei_Mayek",
    "Mongolian",
    "Myanmar",
    "New_Tai_Lue",
    "Nko",
    "Ogham",
    "Ol_Chiki",
    "Old_Italic",
    "Old_Persian",
    "Old_South_Arabian",
    "Old_Turkic",
    "Oriya",
    "Osmanya",
    "Phags_Pa",
    "Phoenician",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Shavian",
    "Sinhala",
    "Sundanese",
    "Syloti_Nagri",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Tai_Le",
    "Tai_Tham",
    "Tai_Viet",
    "Tamil",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Ugaritic",
    "Unknown",
    "Vai",
    "Yi",
];

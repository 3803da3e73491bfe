//! One row of the table of settings: what a key takes, what it means, and who may change it when. Knows nothing of
//! where values come from.

use super::BadSetting;
use super::units::{self, Unit};

/// Type of a value, as Kafka's `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`
    Boolean,
    /// 32 bits
    Int,
    /// 16 bits
    Short,
    /// 64 bits
    Long,
    /// Floating point
    Double,
    /// Any text
    Text,
    /// Texts separated by commas
    List,
    /// A text that is never shown
    Password,
    /// Name of a Java class; kept for tools that look
    Class,
}

impl Kind {
    /// Number in DescribeConfigs (`ConfigEntry.ConfigType`).
    pub fn number(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::Text => 2,
            Kind::Int => 3,
            Kind::Short => 4,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
            Kind::Class => 8,
            Kind::Password => 9,
        }
    }

    /// Kafka's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Boolean => "BOOLEAN",
            Kind::Int => "INT",
            Kind::Short => "SHORT",
            Kind::Long => "LONG",
            Kind::Double => "DOUBLE",
            Kind::Text => "STRING",
            Kind::List => "LIST",
            Kind::Password => "PASSWORD",
            Kind::Class => "CLASS",
        }
    }
}

/// Which values of its type a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Check {
    /// All.
    Any,
    /// This or more.
    Least(i64),
    /// From the first to the second, both included.
    Range(i64, i64),
    /// As `Range`, or -1 for the codec's own default.
    RangeOrDefault(i64, i64),
    /// 0.0 to 1.0.
    Ratio,
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words in any case.
    WordsAnyCase(&'static [&'static str]),
    /// A list of these words; may be empty.
    ListOf(&'static [&'static str]),
    /// `*`, or a list of `partition:broker`.
    ThrottledReplicas,
    /// `latest`, `earliest` or `by_duration:` and an ISO 8601 duration.
    OffsetReset,
}

/// Where a broker setting may be changed while the broker runs (KIP-226).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only before the start.
    ReadOnly,
    /// For one broker.
    PerBroker,
    /// For one broker or for all.
    ClusterWide,
}

/// How our default relates to Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Kafka's key, Kafka's default.
    Kafka,
    /// Kafka's key; Kafka's own default is this.
    KafkaDefault(Option<&'static str>),
    /// Kafka does not have the key.
    Ours,
}

/// Whether anything happens when a setting is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The program reads it.
    Honoured,
    /// Tools look at it; setting it changes what they see and nothing else.
    ShownOnly,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Kafka's key where Kafka has it.
    pub key: &'static str,
    /// Type of its value.
    pub kind: Kind,
    /// Value where nobody set it; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// Values it takes.
    pub check: Check,
    /// What a bare number counts.
    pub unit: Unit,
    /// When it may change.
    pub reach: Reach,
    /// How its default relates to Kafka's.
    pub origin: Origin,
    /// Whether it does anything.
    pub effect: Effect,
    /// Not part of what DescribeConfigs lists.
    pub internal: bool,
    /// Broker keys that give the default of a topic key, first set wins, with the factor from their unit.
    pub synonyms: &'static [(&'static str, i64)],
    /// One sentence for people.
    pub text: &'static str,
}

macro_rules! constructors {
    ($($name:ident $kind:ident;)*) => {$(
        pub(super) const fn $name(key: &'static str, default: &'static str, text: &'static str) -> Setting {
            Setting::new(key, Kind::$kind, Some(default), text)
        }
    )*};
}
constructors! { boolean Boolean; int Int; short Short; long Long; double Double; text Text; list List; }

/// A row without a default.
pub(super) const fn unset(key: &'static str, kind: Kind, text: &'static str) -> Setting {
    Setting::new(key, kind, None, text)
}

impl Setting {
    const fn new(
        key: &'static str,
        kind: Kind,
        default: Option<&'static str>,
        text: &'static str,
    ) -> Setting {
        Setting {
            key,
            kind,
            default,
            check: Check::Any,
            unit: Unit::None,
            reach: Reach::ReadOnly,
            origin: Origin::Kafka,
            effect: Effect::Honoured,
            internal: false,
            synonyms: &[],
            text,
        }
    }

    pub(super) const fn check(mut self, check: Check) -> Setting {
        self.check = check;
        self
    }

    pub(super) const fn least(self, least: i64) -> Setting {
        self.check(Check::Least(least))
    }

    pub(super) const fn range(self, first: i64, last: i64) -> Setting {
        self.check(Check::Range(first, last))
    }

    pub(super) const fn unit(mut self, unit: Unit) -> Setting {
        self.unit = unit;
        self
    }

    pub(super) const fn bytes(self) -> Setting {
        self.unit(Unit::Bytes)
    }

    pub(super) const fn ms(self) -> Setting {
        self.unit(Unit::Milliseconds)
    }

    pub(super) const fn dynamic(mut self) -> Setting {
        self.reach = Reach::ClusterWide;
        self
    }

    pub(super) const fn per_broker(mut self) -> Setting {
        self.reach = Reach::PerBroker;
        self
    }

    /// Our default differs; Kafka's is this.
    pub(super) const fn kafka(mut self, default: Option<&'static str>) -> Setting {
        self.origin = Origin::KafkaDefault(default);
        self
    }

    pub(super) const fn ours(mut self) -> Setting {
        self.origin = Origin::Ours;
        self
    }

    pub(super) const fn shown(mut self) -> Setting {
        self.effect = Effect::ShownOnly;
        self
    }

    pub(super) const fn internal(mut self) -> Setting {
        self.internal = true;
        self
    }

    pub(super) const fn from(mut self, synonyms: &'static [(&'static str, i64)]) -> Setting {
        self.synonyms = synonyms;
        self
    }

    /// Whether its value must never be shown.
    pub fn sensitive(&self) -> bool {
        self.kind == Kind::Password
    }

    /// Kafka's own default, if Kafka has the key.
    pub fn kafka_default(&self) -> Option<&'static str> {
        match self.origin {
            Origin::Kafka => self.default,
            Origin::KafkaDefault(default) => default,
            Origin::Ours => None,
        }
    }

    /// The value as Kafka would show it, or why it cannot be one. Takes what Kafka takes: bare numbers.
    pub fn parse(&self, value: &str) -> Result<String, BadSetting> {
        let value = value.trim();
        match self.kind {
            Kind::Boolean => match value.to_ascii_lowercase() {
                word if word == "true" || word == "false" => Ok(word),
                _ => Err(self.bad(format!("`{value}` is neither `true` nor `false`"))),
            },
            Kind::Int => self.whole(value, i64::from(i32::MIN), i64::from(i32::MAX)),
            Kind::Short => self.whole(value, i64::from(i16::MIN), i64::from(i16::MAX)),
            Kind::Long => self.whole(value, i64::MIN, i64::MAX),
            Kind::Double => self.double(value),
            Kind::Text | Kind::Password | Kind::Class => self.word(value),
            Kind::List => self.list(value),
        }
    }

    /// As `parse`, but sizes and times may also be written as people do: `512MiB`, `7d`.
    pub fn parse_for_people(&self, value: &str) -> Result<String, BadSetting> {
        match units::to_bare_number(value, self.unit) {
            Ok(Some(number)) => self.parse(&number.to_string()),
            Ok(None) => self.parse(value),
            Err(why) => Err(self.bad(why)),
        }
    }

    /// A refusal of a value of this setting.
    pub fn bad(&self, why: impl Into<String>) -> BadSetting {
        BadSetting { key: self.key.to_owned(), message: format!("{}: {}", self.key, why.into()) }
    }

    fn whole(&self, value: &str, low: i64, high: i64) -> Result<String, BadSetting> {
        let number = value.parse::<i64>().ok().filter(|number| (low..=high).contains(number));
        let Some(number) = number else {
            let what = self.unit.name().map(|unit| format!(" of {unit}")).unwrap_or_default();
            return Err(self.bad(format!("`{value}` is not a whole number{what} from {low} to {high}")));
        };
        match self.check {
            Check::Least(least) if number < least => {
                Err(self.bad(format!("{number} is too small, the least is {least}")))
            }
            Check::Range(first, last) if !(first..=last).contains(&number) => {
                Err(self.bad(format!("{number} is not in {first}..={last}")))
            }
            Check::RangeOrDefault(first, last) if number != -1 && !(first..=last).contains(&number) => {
                Err(self.bad(format!("{number} is neither in {first}..={last} nor -1")))
            }
            _ => Ok(number.to_string()),
        }
    }

    fn double(&self, value: &str) -> Result<String, BadSetting> {
        match value.parse::<f64>() {
            // Java lets NaN through; it would make every comparison with the ratio false.
            Ok(number) if number.is_nan() => Err(self.bad("NaN is not a number")),
            Ok(number) if self.check == Check::Ratio && !(0.0..=1.0).contains(&number) => {
                Err(self.bad(format!("{number} is not between 0 and 1")))
            }
            Ok(number) => Ok(format!("{number:?}").replace('e', "E")),
            Err(_) => Err(self.bad(format!("`{value}` is not a number"))),
        }
    }

    fn word(&self, value: &str) -> Result<String, BadSetting> {
        let fits = match self.check {
            Check::Words(words) => words.contains(&value),
            Check::WordsAnyCase(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value)),
            Check::OffsetReset => return self.offset_reset(value),
            _ => true,
        };
        match (fits, self.check) {
            (false, Check::Words(words) | Check::WordsAnyCase(words)) => {
                Err(self.bad(format!("`{value}` is not one of {}", words.join(", "))))
            }
            _ => Ok(value.to_owned()),
        }
    }

    fn offset_reset(&self, value: &str) -> Result<String, BadSetting> {
        let fits = match value.strip_prefix("by_duration:") {
            None => value == "latest" || value == "earliest",
            // The friendly form of the parser (`5 days`) is not ISO 8601.
            Some(span) if !span.starts_with('P') => false,
            Some(span) => span.parse::<jiff::Span>().is_ok_and(|span| !span.is_negative()),
        };
        match fits {
            true => Ok(value.to_owned()),
            false => {
                Err(self
                    .bad(format!("`{value}` is not `latest`, `earliest` or `by_duration:` and a duration")))
            }
        }
    }

    fn list(&self, value: &str) -> Result<String, BadSetting> {
        if value.is_empty() {
            return Ok(String::new());
        }
        let mut items: Vec<&str> = Vec::new();
        for item in value.split(',').map(str::trim) {
            match self.check {
                Check::ListOf(_) if item.is_empty() => return Err(self.bad("the list has an empty item")),
                Check::ListOf(words) if !words.contains(&item) => {
                    return Err(self.bad(format!("`{item}` is not one of {}", words.join(", "))));
                }
                Check::ThrottledReplicas if value != "*" && !is_replica(item) => {
                    return Err(self.bad(format!("`{item}` is not `partition:broker`, nor is the list `*`")));
                }
                // A word twice says no more than once.
                Check::ListOf(_) if items.contains(&item) => {}
                _ => items.push(item),
            }
        }
        Ok(items.join(","))
    }

    /// What `config list` and refusals say of the values it takes.
    pub fn takes(&self) -> String {
        match self.check {
            Check::Any => String::new(),
            Check::Least(least) => format!("{least}.."),
            Check::Range(first, last) => format!("{first}..={last}"),
            Check::RangeOrDefault(first, last) => format!("{first}..={last} or -1"),
            Check::Ratio => "0.0..=1.0".to_owned(),
            Check::Words(words) | Check::WordsAnyCase(words) => words.join("|"),
            Check::ListOf(words) => format!("list of {}", words.join("|")),
            Check::ThrottledReplicas => "* or partition:broker,...".to_owned(),
            Check::OffsetReset => "latest|earliest|by_duration:<ISO 8601>".to_owned(),
        }
    }
}

fn is_replica(item: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    item.split_once(':').is_some_and(|(partition, broker)| number(partition) && number(broker))
}

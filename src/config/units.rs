//! Sizes and times as people write them (`512MiB`, `7d`), turned into the bare numbers that Kafka's keys count.

/// What the bare number of a setting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing with a unit.
    None,
    /// Bytes
    Bytes,
    /// Milliseconds
    Milliseconds,
    /// Seconds
    Seconds,
    /// Minutes
    Minutes,
    /// Hours
    Hours,
}

const SIZES: &[(&str, i64)] = &[
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

const TIMES_MS: &[(&str, i64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 7 * 86_400_000),
];

impl Unit {
    /// Its name in the plural.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Unit::None => None,
            Unit::Bytes => Some("bytes"),
            Unit::Milliseconds => Some("milliseconds"),
            Unit::Seconds => Some("seconds"),
            Unit::Minutes => Some("minutes"),
            Unit::Hours => Some("hours"),
        }
    }

    /// The suffixes it takes, and how many of their smallest unit one of it is.
    fn suffixes(self) -> (&'static [(&'static str, i64)], i64) {
        match self {
            Unit::None => (&[], 1),
            Unit::Bytes => (SIZES, 1),
            Unit::Milliseconds => (TIMES_MS, 1),
            Unit::Seconds => (TIMES_MS, 1000),
            Unit::Minutes => (TIMES_MS, 60_000),
            Unit::Hours => (TIMES_MS, 3_600_000),
        }
    }
}

/// `512MiB` in bytes, `7d` in whatever `unit` counts. `Ok(None)` if the value has no suffix, so that it is to be read
/// as
/// it stands; an error if the number is too large or not whole in `unit`.
pub fn to_bare_number(value: &str, unit: Unit) -> Result<Option<i64>, String> {
    let value = value.trim();
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, suffix) = value.split_at(digits);
    let suffix = suffix.trim_start();
    let (suffixes, divisor) = unit.suffixes();
    let Some((_, factor)) = suffixes.iter().find(|(name, _)| *name == suffix) else { return Ok(None) };
    let Ok(number) = number.parse::<i64>() else { return Ok(None) };
    let total = number.checked_mul(*factor).ok_or_else(|| format!("`{value}` is too large"))?;
    match total % divisor {
        0 => Ok(Some(total / divisor)),
        _ => Err(format!("`{value}` is not a whole number of {}", unit.name().unwrap_or("units"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_people_write_them() {
        let check = |value, unit, expect| assert_eq!(to_bare_number(value, unit), Ok(expect), "{value}");
        check("512MiB", Unit::Bytes, Some(512 << 20));
        check("512 MiB", Unit::Bytes, Some(512 << 20));
        check("1GB", Unit::Bytes, Some(1_000_000_000));
        check("7d", Unit::Milliseconds, Some(604_800_000));
        check("7d", Unit::Hours, Some(168));
        check("30s", Unit::Milliseconds, Some(30_000));
        check("7", Unit::Hours, None);
        check("-1", Unit::Milliseconds, None);
        check("7d", Unit::Bytes, None);
        check("7d", Unit::None, None);
        check("7D", Unit::Milliseconds, None);
        assert!(to_bare_number("90m", Unit::Hours).is_err());
        assert!(to_bare_number("9999999999TiB", Unit::Bytes).is_err());
    }
}

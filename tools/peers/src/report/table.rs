//! Tables in Markdown: a scenario each, a row for each broker, the median and behind it the spread of the rounds.

use super::Run;
use std::fmt::Write;

/// The tables, and what stands above them.
pub fn table(run: &Run<'_>) -> String {
    let mut text = String::new();
    for (name, fact) in run.facts {
        let _ = writeln!(text, "- {name}: {fact}");
    }
    for scenario in run.scenarios {
        // A column that nobody filled is left out.
        let columns: Vec<_> = scenario
            .metrics
            .iter()
            .filter(|metric| run.rows().any(|row| run.results.get(scenario.name, row, metric.name).is_some()))
            .collect();
        let _ = write!(text, "\n### {}\n\n{}.\n\n| |", scenario.name, scenario.about);
        for metric in &columns {
            let _ = write!(text, " {} |", metric.name);
        }
        let _ = write!(text, "\n| --- |{}\n", " --- |".repeat(columns.len()));
        for row in run.rows() {
            let cells: Vec<_> =
                columns.iter().map(|metric| run.results.get(scenario.name, row, metric.name)).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(text, "| {row} |");
            for cell in cells {
                let _ = match cell {
                    None => write!(text, " |"),
                    Some(rounds) if rounds.0.len() < 2 => write!(text, " {} |", number(rounds.median())),
                    Some(rounds) => {
                        let (low, high) = rounds.spread();
                        write!(text, " {} ({}..{}) |", number(rounds.median()), number(low), number(high))
                    }
                };
            }
            text.push('\n');
        }
    }
    text
}

/// Three digits, or all of those before the point.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = match () {
        () if size >= 100.0 => 0,
        () if size >= 10.0 => 1,
        () if size >= 1.0 => 2,
        () => 3,
    };
    let plain = format!("{value:.decimals$}");
    if size < 1000.0 {
        return plain;
    }
    let mut grouped = String::new();
    for (at, digit) in plain.chars().enumerate() {
        if at > 0 && (plain.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_groups() {
        let cases =
            [(0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (1234567.0, "1,234,567")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }
}

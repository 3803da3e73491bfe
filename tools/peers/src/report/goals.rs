//! The goals of this project's speed, held against the medians. A goal whose parts were not measured has no verdict.

use super::{Run, number};
use crate::scenario::DISK;
use std::fmt::Write;

/// A value: scenario, broker, metric.
type Place = (&'static str, &'static str, &'static str);

/// One comparison: a value against a factor of another.
struct Goal {
    text: &'static str,
    value: Place,
    at_most: bool,
    factor: f64,
    /// None for a bare number.
    of: Option<Place>,
}

const RELAXED: &str = "logboom-relaxed";
const DURABLE: &str = "logboom";
const CPU: &str = "CPU s/GiB";

const fn most(text: &'static str, value: Place, factor: f64, of: Place) -> Goal {
    Goal { text, value, at_most: true, factor, of: Some(of) }
}

const fn least(text: &'static str, value: Place, factor: f64, of: Place) -> Goal {
    Goal { text, value, at_most: false, factor, of: Some(of) }
}

const fn below(text: &'static str, value: Place, limit: f64) -> Goal {
    Goal { text, value, at_most: true, factor: limit, of: None }
}

const GOALS: &[Goal] = &[
    most("produce, relaxed: CPU to the floor's", ("produce", RELAXED, CPU), 1.5, ("produce", "floor", CPU)),
    most("produce, relaxed: CPU to Kafka's", ("produce", RELAXED, CPU), 0.25, ("produce", "kafka", CPU)),
    least(
        "produce, relaxed: throughput to Kafka's",
        ("produce", RELAXED, "MiB/s"),
        5.0,
        ("produce", "kafka", "MiB/s"),
    ),
    least(
        "produce, durable: throughput to a sequential writer's",
        ("produce", DURABLE, "MiB/s"),
        0.85,
        ("produce", DISK, "MiB/s"),
    ),
    most("produce, durable: CPU to the floor's", ("produce", DURABLE, CPU), 2.5, ("produce", "floor", CPU)),
    least(
        "produce, durable: throughput to Kafka's without sync",
        ("produce", DURABLE, "MiB/s"),
        1.0,
        ("produce", "kafka", "MiB/s"),
    ),
    most(
        "small, relaxed: CPU to the floor's",
        ("small", RELAXED, "CPU us/request"),
        2.0,
        ("small", "floor", "CPU us/request"),
    ),
    most(
        "small, relaxed: CPU to that of a floor that answers together",
        ("small", RELAXED, "CPU us/request"),
        2.0,
        ("small", "floor-together", "CPU us/request"),
    ),
    least(
        "small, relaxed: rate to Kafka's",
        ("small", RELAXED, "requests/s"),
        3.0,
        ("small", "kafka", "requests/s"),
    ),
    least(
        "small, durable: rate to a sync per request",
        ("small", DURABLE, "requests/s"),
        3.0,
        ("small", "floor-each", "requests/s"),
    ),
    most("lz4: CPU to Kafka's", ("lz4", RELAXED, CPU), 0.5, ("lz4", "kafka", CPU)),
    most("zstd: CPU to Kafka's", ("zstd", RELAXED, CPU), 0.5, ("zstd", "kafka", CPU)),
    most("fetch: CPU to Kafka's", ("fetch", DURABLE, CPU), 1.0, ("fetch", "kafka", CPU)),
    below("16 readers of a tail: cost of each to that of one", ("tail", RELAXED, "16 to 1"), 1.1),
    below("cold reads beside a producer: p99 to that alone", ("cold", DURABLE, "beside to alone"), 2.0),
    most(
        "end to end, relaxed: p50 to Kafka's",
        ("end-to-end", RELAXED, "p50 ms"),
        1.0,
        ("end-to-end", "kafka", "p50 ms"),
    ),
    most(
        "end to end, relaxed: p99 to Kafka's",
        ("end-to-end", RELAXED, "p99 ms"),
        1.0,
        ("end-to-end", "kafka", "p99 ms"),
    ),
    most(
        "end to end, durable: p99 to that of one sync",
        ("end-to-end", DURABLE, "p99 ms"),
        3.0,
        ("end-to-end", DISK, "sync p99 ms"),
    ),
    below("partitions, durable: p99 of all to that of one", ("partitions", DURABLE, "p99 all to one"), 3.0),
    below("partitions: creation, s", ("partitions", DURABLE, "create s"), 30.0),
    below("partitions: restart, s", ("partitions", DURABLE, "restart s"), 3.0),
    below("partitions: resident, KiB each", ("partitions", DURABLE, "KiB each"), 64.0),
    below("idle connections: KiB each", ("idle", DURABLE, "KiB each"), 16.0),
    Goal {
        text: "1,000 active connections: throughput to that of 10",
        value: ("active", DURABLE, "1,000 to 10"),
        at_most: false,
        factor: 0.9,
        of: None,
    },
    below("produce, durable: most that was resident, MiB", ("produce", DURABLE, "peak MiB"), 256.0),
];

/// A table of the goals; nothing if none can be judged.
pub fn goals(run: &Run<'_>) -> String {
    let mut text = String::from("| goal | measured | wanted | |\n| --- | --- | --- | --- |\n");
    let empty = text.len();
    let median = |(scenario, peer, metric): Place| run.results.median(scenario, peer, metric);
    for goal in GOALS {
        let Some(value) = median(goal.value) else { continue };
        let base = match goal.of {
            None => 1.0,
            Some(of) => match median(of) {
                Some(base) => base,
                None => continue,
            },
        };
        let ratio = value / base;
        let met = if goal.at_most { ratio <= goal.factor } else { ratio >= goal.factor };
        let wanted = if goal.at_most { "at most" } else { "at least" };
        let verdict = if met { "met" } else { "NOT met" };
        let _ = writeln!(
            text,
            "| {} | {} | {wanted} {} | {verdict} |",
            goal.text,
            number(ratio),
            number(goal.factor)
        );
    }
    if text.len() == empty { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Results, Sample};
    use crate::scenario::SCENARIOS;

    #[test]
    fn each_goal_names_what_a_scenario_measures() {
        for goal in GOALS {
            for (scenario, _, metric) in [Some(goal.value), goal.of].into_iter().flatten() {
                let found = SCENARIOS.iter().find(|known| known.name == scenario).expect(scenario);
                assert!(found.metrics.iter().any(|known| known.name == metric), "{scenario}: {metric}");
            }
        }
    }

    #[test]
    fn a_goal_is_judged_by_medians_and_only_if_both_sides_were_measured() {
        let mut results = Results::default();
        for value in [1.0, 9.0, 2.0] {
            results.add("produce", RELAXED, Sample::from([(CPU, value)]));
        }
        results.add("produce", "floor", Sample::from([(CPU, 1.0)]));
        let run = Run { scenarios: &[], peers: Vec::new(), results: &results, facts: &[] };
        let text = goals(&run);
        assert!(
            text.contains("| produce, relaxed: CPU to the floor's | 2.00 | at most 1.50 | NOT met |"),
            "{text}"
        );
        assert!(!text.contains("Kafka"), "{text}");
    }
}

//! What a run says at its end: for people, and as one JSON object with everything needed to judge or repeat it.

use super::super::failure::Failure;
use super::super::output::{Output, thousands};
use super::args::{AmountArgs, BenchVerb, ShapeArgs, TopicArgs, WayArgs};
use super::host::Host;
use super::tally::{Latencies, Tally};
use super::target::Target;
use clap::ValueEnum as _;
use serde_json::{Value, json};

/// Percentiles that are told.
const PERCENTILES: [(&str, f64); 6] =
    [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99_9", 99.9), ("p99_99", 99.99), ("max", 100.0)];

/// A run that is over.
pub struct Finished<'a> {
    /// What was asked for.
    pub verb: &'a BenchVerb,
    /// What it ran against.
    pub target: &'a Target,
    /// Addresses that were given.
    pub bootstrap: &'a str,
    /// What was counted.
    pub tally: Tally,
    /// Whether somebody stopped it.
    pub stopped: bool,
    /// When it ended.
    pub ended: String,
    /// Where it ran.
    pub host: Host,
}

impl Finished<'_> {
    /// Says it.
    pub fn report(&self, output: Output) -> Result<(), Failure> {
        output.either(|| self.json(), || self.text())
    }

    fn rate(&self, amount: f64) -> f64 {
        amount / self.tally.took.as_secs_f64().max(1e-9)
    }

    fn json(&self) -> Value {
        let Tally { records, bytes, requests, answered, seen, .. } = &self.tally;
        json!({
            "bench": name(self.verb),
            "loop": if amount(self.verb).rate.is_some() { "open" } else { "closed" },
            "records": records,
            "bytes": bytes,
            "requests": requests,
            "seconds": self.tally.took.as_secs_f64(),
            "records_per_second": self.rate(*records as f64),
            "mib_per_second": self.rate(mib(*bytes)),
            "requests_per_second": self.rate(*requests as f64),
            "latency_ms": latencies(answered),
            "end_to_end_ms": latencies(seen),
            "client_cpu_seconds": self.tally.cpu_seconds,
            "stopped": self.stopped,
            "settings": self.settings(),
            "machine": self.host,
            "version": env!("CARGO_PKG_VERSION"),
            "ended": self.ended,
        })
    }

    fn settings(&self) -> Value {
        let TopicArgs { topic, set, .. } = topic(self.verb);
        let AmountArgs { records, seconds, rate } = amount(self.verb);
        let mut settings = json!({
            "bootstrap": self.bootstrap,
            "topic": topic,
            "topic_was_made": self.target.is_made,
            "partitions": self.target.topic.leaders.len(),
            "set": set.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "flush.messages": self.target.flush_messages,
            "records": records,
            "seconds": seconds,
            "rate": rate,
        });
        let more = match self.verb {
            BenchVerb::Produce(args) => {
                merge(shape(&args.shape), merge(way(&args.way), lanes(args.clients, args.in_flight)))
            }
            BenchVerb::Consume(args) => {
                let read = json!({ "clients": args.clients, "groups": args.groups, "fetch": args.fetch });
                if self.target.is_made { merge(shape(&args.shape), read) } else { read }
            }
            BenchVerb::EndToEnd(args) => {
                merge(shape(&args.shape()), merge(way(&args.way), lanes(args.clients, args.in_flight)))
            }
        };
        settings = merge(settings, more);
        settings
    }

    fn text(&self) -> String {
        let Tally { records, bytes, requests, answered, seen, .. } = &self.tally;
        let stopped = if self.stopped { ", stopped early" } else { "" };
        let mut lines = vec![
            format!(
                "{} records, {:.1} MiB, {} requests in {:.2} s{stopped}",
                thousands(*records),
                mib(*bytes),
                thousands(*requests),
                self.tally.took.as_secs_f64()
            ),
            format!(
                "{} records/s, {:.1} MiB/s, {} requests/s",
                thousands(self.rate(*records as f64) as u64),
                self.rate(mib(*bytes)),
                thousands(self.rate(*requests as f64) as u64)
            ),
        ];
        let what = match self.verb {
            BenchVerb::Consume(_) => "fetched after",
            _ => "acknowledged after",
        };
        lines.extend(latency_line(what, answered));
        lines.extend(latency_line("fetched after", seen));
        if let Some(cpu) = self.tally.cpu_seconds {
            let cores = cpu / self.tally.took.as_secs_f64().max(1e-9);
            lines.push(format!("this client used {cores:.2} of {} processors", self.host.cpus));
        }
        if self.target.is_made && topic(self.verb).keep {
            lines.push(format!("topic {} is kept", self.target.topic.name));
        }
        lines.join("\n")
    }
}

fn latency_line(what: &str, latencies: &Latencies) -> Option<String> {
    (latencies.count() > 0).then(|| {
        let all = PERCENTILES.iter().map(|(name, percent)| {
            let name = name.replace('_', ".");
            format!("{name} {}", short(value(latencies, *percent)))
        });
        format!("{what} ms: {}", all.collect::<Vec<_>>().join("  "))
    })
}

/// Three digits that mean something.
fn short(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.3}"),
        ms if ms < 100.0 => format!("{ms:.2}"),
        ms => format!("{ms:.0}"),
    }
}

fn value(latencies: &Latencies, percent: f64) -> f64 {
    if percent >= 100.0 { latencies.longest() } else { latencies.percentile(percent) }
}

fn latencies(latencies: &Latencies) -> Value {
    if latencies.count() == 0 {
        return Value::Null;
    }
    let mut all = json!({
        "count": latencies.count(),
        "min": latencies.shortest(),
        "mean": latencies.mean(),
    });
    for (name, percent) in PERCENTILES {
        all = merge(all, json!({ name: value(latencies, percent) }));
    }
    all
}

fn merge(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

fn shape(args: &ShapeArgs) -> Value {
    let codec = args.compression.to_possible_value();
    let codec = codec.map(|value| value.get_name().to_owned());
    json!({ "size": args.size, "batch": args.batch, "compression": codec })
}

fn way(args: &WayArgs) -> Value {
    json!({ "acks": args.acks.number(), "idempotent": args.idempotent })
}

fn lanes(clients: u32, in_flight: u32) -> Value {
    json!({ "clients": clients, "in_flight": in_flight })
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn name(verb: &BenchVerb) -> &'static str {
    match verb {
        BenchVerb::Produce(_) => "produce",
        BenchVerb::Consume(_) => "consume",
        BenchVerb::EndToEnd(_) => "e2e",
    }
}

/// The topic of a verb.
pub fn topic(verb: &BenchVerb) -> &TopicArgs {
    match verb {
        BenchVerb::Produce(args) => &args.topic,
        BenchVerb::Consume(args) => &args.topic,
        BenchVerb::EndToEnd(args) => &args.topic,
    }
}

fn amount(verb: &BenchVerb) -> &AmountArgs {
    match verb {
        BenchVerb::Produce(args) => &args.amount,
        BenchVerb::Consume(args) => &args.amount,
        BenchVerb::EndToEnd(args) => &args.amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn latencies_are_shown_with_the_digits_that_mean_something() {
        let mut times = Latencies::default();
        assert_eq!((latency_line("x", &times), latencies(&times)), (None, Value::Null));
        (1..=3).for_each(|n| times.record(Duration::from_millis(n * 50)));
        let line = latency_line("acknowledged after", &times).unwrap();
        assert!(line.starts_with("acknowledged after ms: p50 100  p90 150  p99 150  p99.9 150"), "{line}");
        assert_eq!([0.1234, 12.347, 1234.6].map(short), ["0.123", "12.35", "1235"]);
    }
}

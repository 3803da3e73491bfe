//! What a client counted, and what all of them counted together.

use crate::types::MonoNs;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Nothing is told apart below half a microsecond.
const LOW_NS: u64 = 1000;
/// Longest time that is told from longer ones.
const HIGH_NS: u64 = 3_600_000_000_000;
/// Digits of a time that are kept.
const DIGITS: u8 = 3;

/// Times from one thing to another.
#[derive(Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    #[expect(clippy::expect_used, reason = "the bounds are constants, and in order")]
    fn default() -> Latencies {
        let mut histogram = Histogram::new_with_bounds(LOW_NS, LOW_NS * 2, DIGITS).expect("bounds in order");
        // It grows with the longest time: a thousand clients have one each.
        histogram.auto(true);
        Latencies(histogram)
    }
}

impl Latencies {
    /// Counts one.
    pub fn record(&mut self, time: Duration) {
        self.record_n(time, 1);
    }

    /// Counts `times` of one length.
    pub fn record_n(&mut self, time: Duration, times: u64) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(HIGH_NS);
        // It grows, so every time fits.
        let _ = self.0.record_n(ns, times);
    }

    /// Takes in those of another.
    pub fn add(&mut self, other: &Latencies) {
        // It grows, so every time fits.
        let _ = self.0.add(&other.0);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// In milliseconds: that which so many of a hundred do not exceed.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1e6
    }

    /// In milliseconds: the longest.
    pub fn longest(&self) -> f64 {
        self.0.max() as f64 / 1e6
    }

    /// In milliseconds: the shortest.
    pub fn shortest(&self) -> f64 {
        self.0.min() as f64 / 1e6
    }

    /// In milliseconds: the mean.
    pub fn mean(&self) -> f64 {
        self.0.mean() / 1e6
    }
}

/// What was done.
#[derive(Clone, Default)]
pub struct Tally {
    /// Records acknowledged, or fetched.
    pub records: u64,
    /// Bytes of their batches, as they went over the wire.
    pub bytes: u64,
    /// Requests answered.
    pub requests: u64,
    /// From sending, or from when that was due, to the answer.
    pub answered: Latencies,
    /// From the same to the records' arrival at a reader.
    pub seen: Latencies,
    /// When the last answer came.
    pub last: MonoNs,
    /// From the begin of the run to that.
    pub took: Duration,
    /// Processor time of this process meanwhile, in seconds.
    pub cpu_seconds: Option<f64>,
}

impl Tally {
    /// Takes in what another counted.
    pub fn add(&mut self, other: &Tally) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.requests += other.requests;
        self.answered.add(&other.answered);
        self.seen.add(&other.seen);
        self.last = self.last.max(other.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_two_tallies_together_are_those_of_all_their_times() {
        let mut all = Tally::default();
        for half in [0..500, 500..1000] {
            let mut tally = Tally { records: 5, last: MonoNs(half.end), ..Tally::default() };
            half.for_each(|us| tally.answered.record(Duration::from_micros(us + 1)));
            all.add(&tally);
        }
        assert_eq!((all.records, all.last, all.answered.count()), (10, MonoNs(1000), 1000));
        let near = |got: f64, want: f64| (got - want).abs() < want / 500.0;
        assert!(near(all.answered.percentile(50.0), 0.5) && near(all.answered.percentile(99.9), 0.999));
        assert!(near(all.answered.longest(), 1.0) && near(all.answered.mean(), 0.5005));
        all.answered.record(Duration::from_secs(1 << 40));
        assert_eq!(all.answered.count(), 1001);
    }
}

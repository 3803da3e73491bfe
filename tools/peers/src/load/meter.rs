//! What is counted while a window is open: requests, records, bytes, and how long each took.

use hdrhistogram::Histogram;

/// The longest latency that is told apart, in nanoseconds.
const LATENCY_MAX: u64 = 120_000_000_000;

/// Counts of one window.
pub struct Meter {
    /// Answers.
    pub requests: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of batches in them, as they travel.
    pub bytes: u64,
    /// Bytes of values in them, before compression.
    pub plain: u64,
    latencies: Histogram<u64>,
}

impl Default for Meter {
    fn default() -> Meter {
        // Only bounds that make no sense are refused.
        let latencies = Histogram::new_with_bounds(1_000, LATENCY_MAX, 3).expect("bounds of a histogram");
        Meter { requests: 0, records: 0, bytes: 0, plain: 0, latencies }
    }
}

impl Meter {
    /// Takes a latency in nanoseconds.
    pub fn took(&mut self, nanos: u64) {
        self.latencies.saturating_record(nanos.max(1));
    }

    /// The latency in milliseconds that so many percent stayed under; 0 without any.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.latencies.value_at_percentile(percent) as f64 / 1e6
    }

    /// How many latencies there are.
    pub fn latencies(&self) -> u64 {
        self.latencies.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_milliseconds_to_three_digits() {
        let mut meter = Meter::default();
        for nanos in 1..=1000 {
            meter.took(nanos * 10_000);
        }
        assert!((meter.percentile(50.0) - 5.0).abs() < 0.01);
        assert!((meter.percentile(99.9) - 9.99).abs() < 0.02);
        assert_eq!(meter.latencies(), 1000);
    }
}

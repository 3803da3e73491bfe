//! What was measured: values by name, of each round; the median and the spread of the rounds.

use std::collections::BTreeMap;

/// Whether more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is.
    Less,
    /// More is.
    More,
}

/// A value that a scenario measures.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name and unit, as the head of a column.
    pub name: &'static str,
    /// Which way is good.
    pub better: Better,
    /// Shown in the chart.
    pub chart: bool,
}

/// A metric of which less is better.
pub const fn less(name: &'static str) -> Metric {
    Metric { name, better: Better::Less, chart: false }
}

/// A metric of which more is better.
pub const fn more(name: &'static str) -> Metric {
    Metric { name, better: Better::More, chart: false }
}

impl Metric {
    /// The same, in the chart.
    pub const fn charted(mut self) -> Metric {
        self.chart = true;
        self
    }
}

/// One run of one scenario with one broker.
pub type Sample = BTreeMap<&'static str, f64>;

/// All rounds of one value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rounds(pub Vec<f64>);

impl Rounds {
    /// The value in the middle; of two, their mean.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
        }
    }

    /// The smallest and the largest.
    pub fn spread(&self) -> (f64, f64) {
        self.0.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        })
    }
}

/// Everything that was measured: by scenario, broker and metric.
#[derive(Clone, Debug, Default)]
pub struct Results(BTreeMap<(String, String, &'static str), Rounds>);

impl Results {
    /// Adds a round.
    pub fn add(&mut self, scenario: &str, peer: &str, sample: Sample) {
        for (metric, value) in sample {
            self.0.entry((scenario.to_owned(), peer.to_owned(), metric)).or_default().0.push(value);
        }
    }

    /// The rounds of one value.
    pub fn get(&self, scenario: &str, peer: &str, metric: &'static str) -> Option<&Rounds> {
        self.0.get(&(scenario.to_owned(), peer.to_owned(), metric))
    }

    /// The median of one value.
    pub fn median(&self, scenario: &str, peer: &str, metric: &'static str) -> Option<f64> {
        self.get(scenario, peer, metric).map(Rounds::median)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &'static str, &Rounds)> {
        self.0
            .iter()
            .map(|((scenario, peer, metric), rounds)| (scenario.as_str(), peer.as_str(), *metric, rounds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_spread_the_ends() {
        let rounds = Rounds(vec![9.0, 1.0, 5.0]);
        assert_eq!((rounds.median(), rounds.spread()), (5.0, (1.0, 9.0)));
        assert_eq!(Rounds(vec![1.0, 2.0, 4.0, 8.0]).median(), 3.0);
    }
}

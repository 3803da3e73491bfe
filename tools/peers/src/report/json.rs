//! Everything as JSON: the facts, and each round of each value.

use super::Run;
use serde_json::{Map, Value, json};

/// The document.
pub fn json(run: &Run<'_>) -> Value {
    let facts: Map<String, Value> =
        run.facts.iter().map(|(name, fact)| ((*name).to_owned(), json!(fact))).collect();
    let mut rows = Vec::new();
    for (scenario, peer, metric, rounds) in run.results.iter() {
        let (low, high) = rounds.spread();
        rows.push(json!({
            "scenario": scenario,
            "broker": peer,
            "metric": metric,
            "rounds": rounds.0,
            "median": rounds.median(),
            "min": low,
            "max": high,
        }));
    }
    let about: Map<String, Value> =
        run.scenarios.iter().map(|scenario| (scenario.name.to_owned(), json!(scenario.about))).collect();
    json!({ "facts": facts, "scenarios": about, "results": rows })
}

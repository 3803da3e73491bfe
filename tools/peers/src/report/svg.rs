//! A chart of ratios as SVG: for each charted value a group of bars, one for each broker, on a logarithmic scale around
//! the broker that all are compared with. Written by hand, because it is rectangles and text.

use super::{Run, number};
use crate::sample::{Better, Metric};
use crate::scenario::Scenario;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 300.0;
const RIGHT: f64 = 70.0;
const BAR: f64 = 13.0;
const GAP: f64 = 16.0;
const TOP: f64 = 64.0;
/// Powers of two to each side.
const OCTAVES: f64 = 6.0;
const COLORS: [&str; 8] =
    ["#8a8f98", "#b5bac2", "#5d636d", "#0b6e99", "#3fa7d6", "#d1642e", "#7a5195", "#4c956c"];

/// The chart, or none if there is nothing to compare.
pub fn svg(run: &Run<'_>) -> Option<String> {
    let base = ["kafka", "floor"].into_iter().find(|name| run.peers.iter().any(|peer| peer == name))?;
    let mut body = String::new();
    let mut y = TOP;
    for scenario in run.scenarios {
        for metric in scenario.metrics.iter().filter(|metric| metric.chart) {
            group(run, base, scenario, metric, &mut body, &mut y);
        }
    }
    if body.is_empty() {
        return None;
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 {WIDTH} {y}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"12\" y=\"20\" font-size=\"14\">As a multiple of {base}'s; median of the rounds, line: their \
         spread</text>"
    );
    axis(&mut text, y);
    legend(run, &mut text);
    text.push_str(&body);
    text.push_str("</svg>\n");
    Some(text)
}

fn group(run: &Run<'_>, base: &str, scenario: &Scenario, metric: &Metric, body: &mut String, y: &mut f64) {
    let Some(unit) = run.results.median(scenario.name, base, metric.name).filter(|unit| *unit > 0.0) else {
        return;
    };
    let arrow = if metric.better == Better::Less { "less is better" } else { "more is better" };
    let _ = writeln!(
        body,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}, {} ({arrow})</text>",
        LEFT - 10.0,
        *y + BAR - 2.0,
        scenario.name,
        metric.name
    );
    for (number_of, peer) in run.peers.iter().enumerate() {
        let Some(rounds) = run.results.get(scenario.name, peer, metric.name) else { continue };
        let ratio = rounds.median() / unit;
        let (low, high) = rounds.spread();
        let (one, end) = (x(1.0), x(ratio));
        let color = COLORS[number_of % COLORS.len()];
        let _ = writeln!(
            body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{color}\"/>",
            one.min(end),
            *y,
            (end - one).abs().max(1.0),
            BAR - 3.0
        );
        let middle = *y + (BAR - 3.0) / 2.0;
        let _ = writeln!(
            body,
            "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"black\"/>",
            x(low / unit),
            x(high / unit)
        );
        let _ = writeln!(
            body,
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x(high / unit).max(one).max(end) + 4.0,
            *y + BAR - 4.0,
            number(ratio)
        );
        *y += BAR;
    }
    *y += GAP;
}

fn axis(text: &mut String, bottom: f64) {
    for power in [-6, -4, -2, 0, 2, 4, 6] {
        let at = x(2f64.powi(power));
        let label = if power < 0 { format!("1/{}", 1 << -power) } else { format!("{}", 1 << power) };
        let color = if power == 0 { "#444" } else { "#ddd" };
        let _ = writeln!(
            text,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"{color}\"/><text x=\"{at:.1}\" \
             y=\"{}\" text-anchor=\"middle\">{label}</text>",
            TOP - 8.0,
            bottom - GAP,
            TOP - 12.0
        );
    }
}

fn legend(run: &Run<'_>, text: &mut String) {
    let mut at = 12.0;
    for (number_of, peer) in run.peers.iter().enumerate() {
        let color = COLORS[number_of % COLORS.len()];
        // Names come from the command line too.
        let name: String =
            peer.chars().filter(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(*sign)).collect();
        let _ = writeln!(
            text,
            "<rect x=\"{at}\" y=\"29\" width=\"10\" height=\"10\" fill=\"{color}\"/><text x=\"{}\" \
             y=\"38\">{name}</text>",
            at + 14.0
        );
        at += 36.0 + 6.5 * name.len() as f64;
    }
}

/// Where a ratio lies.
fn x(ratio: f64) -> f64 {
    let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
    let octaves = ratio.max(1e-9).log2().clamp(-OCTAVES, OCTAVES);
    middle + octaves / OCTAVES * (WIDTH - LEFT - RIGHT) / 2.0
}

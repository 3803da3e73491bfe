//! Checks lines of golden bytes from standard input: any number of them, with any seed.
//! `golden.sh 7 200 | cargo run --release --bin check_lines`

use logboom_wirecheck::golden_line::parse;
use logboom_wirecheck::{Outcome, compare_as};
use std::collections::BTreeMap;
use std::io::BufRead as _;

fn main() -> Result<(), String> {
    let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
    for text in std::io::stdin().lock().lines() {
        let line = parse(&text.map_err(|error| error.to_string())?)?;
        line.check()?;
        *outcomes.entry(compare_as(line.kind()?, line.version, &line.bytes)?).or_default() += 1;
    }
    println!("{outcomes:?}");
    Ok(())
}

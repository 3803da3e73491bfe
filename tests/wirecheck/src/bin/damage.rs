//! Writes golden bytes with a few of them changed, put in or taken out: lines of message, version and bytes in
//! hexadecimal, for Kafka's classes to judge. Arguments: a seed and a number of lines.

use flate2::read::GzDecoder;
use logboom_wirecheck::golden_line::{Line, parse};
use std::io::{BufWriter, Read as _, Write as _};

/// SplitMix64: the same damage for the same seed, everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (end as u64)).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        const LIKELY: [u8; 8] = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 3];
        if self.below(2) == 0 { LIKELY[self.below(LIKELY.len())] } else { self.below(256) as u8 }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut chance = Chance(arguments.next().ok_or("no seed")?.parse()?);
    let count: usize = arguments.next().ok_or("no number of lines")?.parse()?;
    let mut text = String::new();
    GzDecoder::new(include_bytes!("../../golden-4.4.0.jsonl.gz").as_slice()).read_to_string(&mut text)?;
    let lines: Vec<Line> = text.lines().map(parse).collect::<Result<_, _>>()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for _ in 0..count {
        let line = &lines[chance.below(lines.len())];
        let mut bytes = line.tagged.as_ref().filter(|_| chance.below(2) == 0).unwrap_or(&line.bytes).to_vec();
        for _ in 0..=chance.below(3) {
            let at = chance.below(bytes.len() + 1);
            match chance.below(3) {
                0 if at < bytes.len() => drop(bytes.remove(at)),
                1 => bytes.insert(at, chance.byte()),
                _ if at < bytes.len() => bytes[at] = chance.byte(),
                _ => bytes.truncate(at.saturating_sub(chance.below(4))),
            }
        }
        write!(out, "{} {} ", line.message, line.version)?;
        for byte in bytes {
            write!(out, "{byte:02x}")?;
        }
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

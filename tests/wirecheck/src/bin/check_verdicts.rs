//! Compares our reading of damaged bytes with that of Kafka's classes, from standard input as `Judge.java`
//! writes it. What we read, Kafka must read, leave the same bytes and write the same; what only Kafka reads is
//! counted by our reason for refusing it.

use logboom::wire::kind::by_name;
use logboom::wire::{DecodeError, Reader, Writer};
use logboom_wirecheck::golden_line::unhex;
use std::collections::BTreeMap;
use std::io::BufRead as _;

fn main() -> Result<(), String> {
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut differ = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        match check(&line) {
            Ok(outcome) => *tally.entry(outcome).or_default() += 1,
            Err(what) => {
                differ += 1;
                println!("{what}: {line}");
            }
        }
    }
    println!("{tally:#?}");
    if differ == 0 { Ok(()) } else { Err(format!("{differ} lines differ")) }
}

fn check(line: &str) -> Result<String, String> {
    let words: Vec<&str> = line.split(' ').collect();
    let [message, version, bytes, verdict @ ..] = words.as_slice() else { return Err("not a line".into()) };
    let kind = by_name(message).ok_or("no such message")?;
    let version = version.parse().map_err(|_| "no version")?;
    let mut r = Reader::new(unhex(bytes)?);
    let ours = (kind.decode)(&mut r, version);
    match (ours, verdict) {
        (Err(_), ["refused", ..]) => Ok("both refuse".into()),
        (Err(error), _) => Ok(format!("only we refuse: {}", reason(&error))),
        (Ok(_), ["ok", left, _]) if r.left().to_string() != **left => Err(format!("we leave {}", r.left())),
        (Ok(_), ["ok", ..]) if r.skipped_tags() > 0 => Ok("both read, with unknown tags".into()),
        (Ok(message), ["ok", _, again]) => {
            let mut w = Writer::new();
            message.encode(&mut w, version).map_err(|error| error.to_string())?;
            let written = w.finish().to_bytes().map_err(|error| error.to_string())?;
            if written == unhex(again)? {
                Ok("both read".into())
            } else {
                Err(format!("we write {written:02x?}"))
            }
        }
        (Ok(_), _) => Err("only Kafka refuses".into()),
    }
}

fn reason(error: &DecodeError) -> String {
    format!("{error:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
}

//! `logboom explain LBnnnn`: what each code of ours means and what to do. Codes are never given to something else.

use super::failure::Failure;

/// Code, what it means, what to do.
const TABLE: &[(&str, &str, &str)] = &[
    ("LB0101", "A value of a flag cannot be read.", "The message says which forms it takes."),
    (
        "LB0103",
        "The address to listen on cannot be had: another program has it, or it is none of this machine's.",
        "Choose another with --listen HOST:PORT, or stop the other program.",
    ),
    (
        "LB0104",
        "The data directory cannot be used: another broker has it locked, or it cannot be written.",
        "Name another with --data DIR, or stop the other broker. Two brokers never share a directory.",
    ),
    ("LB0105", "The broker could not start.", "The message says which step failed."),
    (
        "LB0106",
        "The log directory that holds the catalog failed while the broker ran, and without it the broker cannot go on.",
        "Look at the disk and the system's log, and start the broker again: it recovers. Other log directories may \
         fail without this.",
    ),
    (
        "LB0201",
        "A setting, or a variable that begins with LOGBOOM_, is not known.",
        "`logboom config list` prints all settings. Unknown ones are refused so that a misspelled one is noticed.",
    ),
    (
        "LB0202",
        "The configuration file is not TOML, or a value in it has no sensible type.",
        "Settings are texts, numbers, true, false or lists of texts: \
         `num.partitions = 3`, `\"max.connections\" = 100`.",
    ),
    ("LB0203", "A setting does not take this value.", "The message says what it takes."),
    ("LB0204", "A file that was named cannot be read.", "Look at its path and permissions."),
    (
        "LB0301",
        "Nothing answers at the bootstrap address.",
        "Start a broker with `logboom serve`, or name another address with --bootstrap HOST:PORT.",
    ),
    (
        "LB0302",
        "The connection broke while something was under way.",
        "It may or may not have happened: look before you repeat it.",
    ),
    (
        "LB0303",
        "The broker did not answer in time.",
        "It may or may not have happened: look before you repeat it.",
    ),
    (
        "LB0304",
        "The broker does not offer an API, or only in versions that are not spoken here.",
        "This client speaks to Kafka 2.4 and later.",
    ),
    (
        "LB0305",
        "An answer is not one of the Kafka protocol.",
        "Is it the port of a Kafka listener, and one without TLS?",
    ),
    ("LB0306", "What was asked for cannot be said in the protocol.", "The message says why."),
    (
        "LB0310",
        "The broker answers, but it tells clients to connect to an address that does not answer from here.",
        "Set `advertised.listeners` on the broker to an address that works for its clients, or to `auto`.",
    ),
    (
        "LB0401",
        "`logboom demo` read back something else than it wrote.",
        "That is a defect of the broker or of the disk. Please report it with the broker's log.",
    ),
    ("LB0402", "There is nothing to stream.", "Name a file:  logboom demo FILE"),
    (
        "LB0403",
        "`logboom bench` counted differently from the broker: something that was acknowledged is not there, or \
         something else came back.",
        "If nobody else writes to the topic, that is a defect of the broker or of the disk.",
    ),
    (
        "LB0404",
        "There is nothing to read in the topic.",
        "Fill it with `logboom bench produce --topic TOPIC`, or name none: then one is made and filled.",
    ),
    ("LB0501", "Standard output or input cannot be used.", "The message says why."),
    (
        "LB0502",
        "A line of the input is no record in JSON.",
        "Compare with what `logboom consume --format json` prints.",
    ),
    (
        "LB0503",
        "A file of offsets cannot be used: a line of it is no offset, or none is for the group.",
        "Write lines of topic,partition,offset, or use what `logboom group show GROUP --json` prints.",
    ),
    (
        "LB0601",
        "The group has not committed the offset that is to be moved or deleted.",
        "`logboom group show GROUP` prints what it has committed; a reset can name topics with --topic.",
    ),
    (
        "LB0701",
        "Files of a log are damaged: bytes that were written are missing or are not what they were.",
        "`logboom segment verify PATH` lists what is damaged and what is safe; `logboom segment repair PATH` says what \
         can be done.",
    ),
    ("LB0702", "A file of a log cannot be read.", "The message says which and why."),
    (
        "LB0703",
        "The work was stopped before it was done. What is on disk is sound.",
        "Start it again; with --resume it goes on where it was.",
    ),
    (
        "LB0704",
        "The directory is in use by a broker, or cannot be locked.",
        "Stop the broker: compaction and repair change files that it has open.",
    ),
    ("LB0705", "The state file of --resume cannot be used.", "Remove it, or name another."),
    (
        "LB0706",
        "Compaction or repair of files failed. What is on disk is sound, and can be worked on again.",
        "The message says what failed.",
    ),
];

/// The text of a code.
pub fn explain(code: &str) -> Result<String, Failure> {
    let wanted = code.to_ascii_uppercase();
    let found = TABLE.iter().find(|(code, _, _)| *code == wanted);
    found.map(|(code, what, step)| format!("{code}: {what}\n{step}")).ok_or_else(|| {
        let known: Vec<&str> = TABLE.iter().map(|(code, _, _)| *code).collect();
        Failure::new("LB0101", format!("there is no code `{code}`"))
            .help(format!("codes: {}; names in capitals are Kafka's own errors", known.join(", ")))
            .usage()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_is_used_is_explained() {
        // Read from the sources themselves, so that a new code cannot be forgotten.
        let sources = [
            include_str!("failure.rs"),
            include_str!("serve.rs"),
            include_str!("signals.rs"),
            include_str!("produce.rs"),
            include_str!("consume/mod.rs"),
            include_str!("consume/group.rs"),
            include_str!("consume/positions.rs"),
            include_str!("bench/mod.rs"),
            include_str!("bench/caster.rs"),
            include_str!("bench/consume.rs"),
            include_str!("bench/end_to_end.rs"),
            include_str!("bench/fetcher.rs"),
            include_str!("bench/produce.rs"),
            include_str!("bench/target.rs"),
            include_str!("bench/team.rs"),
            include_str!("group/args.rs"),
            include_str!("group/mod.rs"),
            include_str!("group/list.rs"),
            include_str!("group/show.rs"),
            include_str!("group/reset.rs"),
            include_str!("group/plan.rs"),
            include_str!("group/lag.rs"),
            include_str!("group/file.rs"),
            include_str!("group/delete.rs"),
            include_str!("input.rs"),
            include_str!("demo/mod.rs"),
            include_str!("mod.rs"),
            include_str!("segment/mod.rs"),
            include_str!("segment/stop.rs"),
            include_str!("segment/state.rs"),
            include_str!("segment/verify.rs"),
            include_str!("segment/repair.rs"),
            include_str!("segment/compact.rs"),
            include_str!("settings.rs"),
            include_str!("output.rs"),
            include_str!("../config/load.rs"),
            include_str!("../config/toml_file.rs"),
        ];
        for source in sources {
            for (at, _) in source.match_indices("\"LB0") {
                let code = &source[at + 1..at + 7];
                assert!(explain(code).is_ok(), "{code} is not explained");
            }
        }
        assert!(explain("lb0301").is_ok());
        assert!(explain("LB9999").is_err());
    }
}

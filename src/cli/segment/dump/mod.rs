//! `logboom segment dump`

mod json;
mod text;

use super::super::Machine;
use super::super::failure::Failure;
use super::super::output::Output;
use super::args::DumpArgs;
use super::stop::Stop;
use super::{DAMAGED, cannot_read, interrupted};
use crate::inspect::dump::{Event, Selection, dump_file, files_of};
use crate::types::{Epoch, Offset, ProducerId, TimestampMs};
use std::ops::ControlFlow;
use std::path::Path;

/// Lines gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// Prints what the arguments name.
pub fn run(args: &DumpArgs, output: Output, machine: &Machine) -> Result<(), Failure> {
    let stop = Stop::listen()?;
    let selection = selection(args, machine.clock.wall());
    let mut printer = Printer {
        args,
        output,
        stop,
        buffer: Vec::new(),
        lines: 0,
        damaged: None,
        ended: None,
        at: 0,
        head: None,
    };
    for (nth, path) in args.paths.iter().enumerate() {
        let mut files =
            files_of(machine.fs.as_ref(), path).map_err(|error| cannot_read(path, &error))?.into_iter();
        while let Some(file) = files.next() {
            printer.at = args.from_byte;
            let flow = dump_file(machine.fs.as_ref(), &file, &selection, &mut |path, event| {
                printer.take(path, &event)
            });
            if flow.map_err(|error| cannot_read(&file, &error))?.is_break() {
                let is_last = files.len() == 0 && nth + 1 == args.paths.len();
                return printer.finish(Some((&file, is_last)));
            }
        }
    }
    printer.finish(None)
}

fn selection(args: &DumpArgs, now: TimestampMs) -> Selection {
    let time = |moment: Option<super::args::Moment>, none| {
        TimestampMs(moment.map_or(none, |moment| moment.0.resolve(now)))
    };
    let prefix = args.key_prefix.as_ref().map(|text| text.clone().into_bytes());
    Selection {
        from: Offset(args.from_offset),
        to: Offset(args.to_offset.unwrap_or(i64::MAX)),
        from_byte: args.from_byte,
        key: args.key.as_ref().map(|text| text.clone().into_bytes()),
        key_prefix: prefix.or_else(|| args.key_prefix_hex.as_ref().map(|bytes| bytes.0.clone())),
        producer: args.producer_id.map(ProducerId),
        since: time(args.since, i64::MIN),
        until: time(args.until, i64::MAX),
        epoch: args.epoch.map(Epoch),
        control: args.control,
        transactional: args.transactional,
        codec: args.codec.map(super::super::args::Compression::codec),
        records: !args.batches,
        skip_damage: args.skip_damage,
        ..Selection::default()
    }
}

/// Where lines go, and what became of them.
struct Printer<'a> {
    args: &'a DumpArgs,
    output: Output,
    stop: Stop,
    buffer: Vec<u8>,
    lines: u64,
    /// The first damage.
    damaged: Option<String>,
    /// Why it ended early, if writing failed.
    ended: Option<Failure>,
    /// Byte of the batch that was printed last.
    at: u64,
    /// A file that was begun and of which nothing was printed yet.
    head: Option<String>,
}

impl Printer<'_> {
    fn take(&mut self, path: &Path, event: &Event<'_>) -> ControlFlow<()> {
        if self.stop.asked() || self.args.limit.is_some_and(|limit| self.lines >= limit) {
            return ControlFlow::Break(());
        }
        match event {
            Event::File { .. } => {
                let line = text::event_text(path, event, self.args.bytes);
                self.head = Some(line).filter(|_| !self.output.json);
                return ControlFlow::Continue(());
            }
            Event::Damage { at, until, why } => {
                let first = || format!("{}: bytes {at}..{until}: {why}", path.display());
                self.damaged.get_or_insert_with(first);
            }
            Event::Batch { at, .. } => {
                self.at = *at;
                if self.args.records {
                    return ControlFlow::Continue(());
                }
            }
            _ => {}
        }
        let line = match self.output.json {
            true => json::event_json(path, event, self.args.bytes).map(|json| json.to_string()),
            false => Some(text::event_text(path, event, self.args.bytes)),
        };
        for line in self.head.take().into_iter().chain(line) {
            self.buffer.extend_from_slice(line.as_bytes());
            self.buffer.push(b'\n');
        }
        self.lines += 1;
        match self.buffer.len() < BUFFER_BYTES || self.flush() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }

    fn flush(&mut self) -> bool {
        let written = self.output.bytes(&std::mem::take(&mut self.buffer));
        self.ended = written.err();
        self.ended.is_none()
    }

    /// `broken_off`: the file in which it ended early, and whether it was the last.
    fn finish(mut self, broken_off: Option<(&Path, bool)>) -> Result<(), Failure> {
        if self.ended.is_none() {
            self.flush();
        }
        if let Some(failure) = self.ended {
            return Err(failure);
        }
        if let Some((file, is_last)) = broken_off.filter(|_| self.stop.asked()) {
            let then = if is_last { "" } else { "   and then with the files behind it" };
            let place = format!("logboom segment dump {} --from-byte {}", file.display(), self.at);
            return Err(interrupted().help(format!("go on:  {place}{then}")));
        }
        match self.damaged {
            None => Ok(()),
            Some(damage) => {
                let failure = Failure::new(DAMAGED, format!("damaged: {damage}"));
                Err(match self.args.skip_damage {
                    true => failure.help("all of it:  logboom segment verify PATH"),
                    false => failure.help("read on behind it:  --skip-damage"),
                })
            }
        }
    }
}

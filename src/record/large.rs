//! One large record of a compressed batch, checked field by field while the stream is unpacked, so that a record of a
//! hundred megabytes costs no more memory than one of a kilobyte. Must not know batches.

use super::bad::{BadBatch, RecordFault};
use super::codec::Decoder;
use super::varint::{self, BadVarint};
use super::walk::RecordShape;

/// Longest variable-length integer of a record.
const VARINT_BYTES_MAX: usize = 10;

/// The stream within a record: what is in the window, then what the decoder gives, and never beyond the record's end.
struct Tap<'a, 'b> {
    window: &'a mut Vec<u8>,
    start: &'a mut usize,
    decoder: &'a mut Decoder<'b>,
    /// Bytes of the record not read yet.
    left: usize,
}

/// Why the record is not sound: its own fault, or the stream's.
pub(super) enum Fault {
    Record(RecordFault),
    Stream(BadBatch),
}

impl From<RecordFault> for Fault {
    fn from(fault: RecordFault) -> Fault {
        Fault::Record(fault)
    }
}

/// Reads the record of `length` bytes that starts at `window[start..]` and goes on in the stream; afterwards the window
/// holds what follows it.
pub(super) fn read(
    window: &mut Vec<u8>,
    start: &mut usize,
    decoder: &mut Decoder<'_>,
    length: usize,
) -> Result<RecordShape, Fault> {
    let mut tap = Tap { window, start, decoder, left: length };
    // Attributes of a record are unused; Kafka takes any.
    tap.skip(1)?;
    let timestamp_delta = tap.number(varint::read_i64)?;
    let offset_delta = tap.number(varint::read_i32)?;
    let has_key = tap.field()?;
    tap.field()?;
    let headers = tap.number(varint::read_i32)?;
    let headers = usize::try_from(headers).ok().filter(|count| *count <= tap.left);
    for _ in 0..headers.ok_or(RecordFault::HeaderCount)? {
        if !tap.field()? {
            return Err(RecordFault::HeaderKeyNull.into());
        }
        tap.field()?;
    }
    if tap.left > 0 {
        return Err(RecordFault::Length.into());
    }
    Ok(RecordShape { timestamp_delta, offset_delta, has_key })
}

impl Tap<'_, '_> {
    /// Passes over bytes behind their length; false for null, which any negative length means.
    fn field(&mut self) -> Result<bool, Fault> {
        let length = self.number(varint::read_i32)?;
        match usize::try_from(length) {
            Ok(length) => self.skip(length).map(|()| true),
            Err(_) => Ok(false),
        }
    }

    fn number<T>(&mut self, read: impl Fn(&mut &[u8]) -> Result<T, BadVarint>) -> Result<T, Fault> {
        let want = self.left.min(VARINT_BYTES_MAX);
        while self.held().len() < want && self.more()? {}
        let held = self.held();
        let held = held.get(..held.len().min(want)).unwrap_or_default();
        let mut rest = held;
        let number = read(&mut rest).map_err(RecordFault::from)?;
        let used = held.len() - rest.len();
        self.pass(used);
        Ok(number)
    }

    fn skip(&mut self, mut count: usize) -> Result<(), Fault> {
        if count > self.left {
            return Err(RecordFault::Length.into());
        }
        while count > 0 {
            let step = count.min(self.held().len());
            self.pass(step);
            count -= step;
            if count > 0 && !self.more()? {
                return Err(RecordFault::Cut.into());
            }
        }
        Ok(())
    }

    fn held(&self) -> &[u8] {
        self.window.get(*self.start..).unwrap_or_default()
    }

    fn pass(&mut self, count: usize) {
        *self.start += count;
        self.left -= count;
    }

    /// One more piece of the stream behind what is held; false at its end.
    fn more(&mut self) -> Result<bool, Fault> {
        self.window.drain(..*self.start);
        *self.start = 0;
        self.decoder.read_more(self.window).map_err(|error| Fault::Stream(error.into()))
    }
}

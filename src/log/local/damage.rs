//! What of a log is damaged: ranges of offsets that are refused while all others are served, kept in
//! `logboom.damage` in the partition's directory so that a restart, and an operator, knows of them. Ours alone. If the
//! file is lost, what it said is found again by the next reader or the scrub. Does not look for damage itself.
//!
//! ```text
//! at size field            all integers big-endian
//!  0   4  magic "LBDM"
//!  4   2  version = 1
//!  6   4  count            of entries
//! 10   .  entries          ascending by segment and byte
//!  .   4  crc              crc32 (ISO-HDLC) of all before
//!
//! entry
//!  0   8  at               first offset that is refused
//!  8   8  until            first offset behind it that is served again
//! 16   8  base             segment
//! 24   8  from             first damaged byte of its .log file
//! 32   8  to               byte behind the last one; from = to if bytes are missing there
//! 40   8  found            when, in ms since 1970
//! 48   2  kind             0 wrong bytes, 1 cannot be read, 2 missing
//! 50   2  length           of what follows
//! 52   .  why              UTF-8
//! ```

use super::dir::read_if_sound;
use super::log::LocalLog;
use crate::sys::write_atomically;
use crate::types::{Offset, TimestampMs};
use bytes::{Buf, BufMut};
use std::io;
use std::ops::Range;

/// Name of the file in the partition's directory.
pub const FILE: &str = "logboom.damage";

const MAGIC: &[u8; 4] = b"LBDM";
const VERSION: u16 = 1;
const HEAD: usize = 10;
const ENTRY: usize = 52;
/// More ranges than this are not listed, only refused: a disk that rots so much needs another disk, not a list.
const LISTED_MAX: usize = 4096;
/// Bytes of a reason: a sentence.
const WHY_MAX: usize = 200;

/// What is wrong with a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DamageKind {
    /// Bytes are not what they were.
    Wrong,
    /// The disk does not give them.
    Unreadable,
    /// They are not there.
    Missing,
}

/// A range of a log that is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// First offset refused.
    pub at: Offset,
    /// First offset behind it that is served again; equal to `at` if no record is lost.
    pub until: Offset,
    /// Segment.
    pub base: Offset,
    /// Bytes of its `.log` file; empty if they are missing.
    pub bytes: Range<u64>,
    /// What kind.
    pub kind: DamageKind,
    /// What is wrong, in words.
    pub why: String,
    /// When it was found.
    pub found: TimestampMs,
}

/// The damage known of a log.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Damages {
    /// Ascending by segment and byte.
    known: Vec<Damage>,
    /// The file says something else.
    moved: bool,
}

impl Damages {
    /// Reads the file; `None` if it is damaged or of a later version.
    pub fn decode(bytes: &[u8]) -> Option<Damages> {
        let (all, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(all) != u32::from_be_bytes(*crc) || all.len() < HEAD {
            return None;
        }
        let mut rest = all.strip_prefix(MAGIC)?;
        let (version, count) = (rest.get_u16(), rest.get_u32());
        let mut known = Vec::new();
        for _ in 0..count {
            known.push(decode_entry(&mut rest)?);
        }
        (version == VERSION && rest.is_empty()).then_some(Damages { known, moved: false })
    }

    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.known.len() * (ENTRY + 60));
        out.put_slice(MAGIC);
        out.put_u16(VERSION);
        out.put_u32(u32::try_from(self.known.len()).unwrap_or(u32::MAX));
        for one in &self.known {
            for offset in [one.at, one.until, one.base] {
                out.put_i64(offset.0);
            }
            out.put_u64(one.bytes.start);
            out.put_u64(one.bytes.end);
            out.put_i64(one.found.0);
            out.put_u16(one.kind.number());
            let why = shortened(&one.why);
            out.put_u16(u16::try_from(why.len()).unwrap_or(0));
            out.put_slice(why.as_bytes());
        }
        out.put_u32(crc32fast::hash(&out));
        out
    }

    /// All of it.
    pub fn all(&self) -> &[Damage] {
        &self.known
    }

    /// Adds a range; false if it is known already, or part of one that is.
    pub fn add(&mut self, damage: Damage) -> bool {
        let covers = |known: &Damage| {
            known.base == damage.base
                && known.at <= damage.at
                && known.until >= damage.until
                && known.bytes.start <= damage.bytes.start
                && known.bytes.end >= damage.bytes.end
        };
        if self.known.iter().any(covers) {
            return false;
        }
        let at = self
            .known
            .partition_point(|known| (known.base, known.bytes.start) < (damage.base, damage.bytes.start));
        if self.known.len() < LISTED_MAX {
            self.known.insert(at, damage);
            self.moved = true;
        }
        true
    }

    /// Takes out what `gone` chooses.
    pub(super) fn forget(&mut self, gone: impl Fn(&Damage) -> bool) {
        let before = self.known.len();
        self.known.retain(|one| !gone(one));
        self.moved |= self.known.len() != before;
    }

    /// The first damage of a segment that touches these bytes, or lies at their start.
    pub(super) fn in_bytes(&self, base: Offset, bytes: Range<u64>) -> Option<&Damage> {
        self.known
            .iter()
            .find(|one| one.base == base && one.bytes.start < bytes.end && one.bytes.end > bytes.start)
    }

    /// All damage of a segment, ascending.
    pub(super) fn in_segment(&self, base: Offset) -> impl Iterator<Item = &Damage> {
        self.known.iter().filter(move |one| one.base == base)
    }

    /// The damage that holds an offset.
    pub(super) fn at(&self, offset: Offset) -> Option<&Damage> {
        self.known.iter().find(|one| one.at <= offset && offset < one.until)
    }
}

fn decode_entry(rest: &mut &[u8]) -> Option<Damage> {
    if rest.len() < ENTRY {
        return None;
    }
    let [at, until, base] = [(); 3].map(|()| Offset(rest.get_i64()));
    let bytes = rest.get_u64()..rest.get_u64();
    let found = TimestampMs(rest.get_i64());
    let (kind, len) = (DamageKind::of(rest.get_u16())?, usize::from(rest.get_u16()));
    let (why, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    let why = String::from_utf8(why.to_vec()).ok()?;
    let sane = at <= until && bytes.start <= bytes.end;
    sane.then_some(Damage { at, until, base, bytes, kind, why, found })
}

fn shortened(why: &str) -> &str {
    let mut end = why.len().min(WHY_MAX);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    why.get(..end).unwrap_or_default()
}

impl DamageKind {
    fn number(self) -> u16 {
        match self {
            DamageKind::Wrong => 0,
            DamageKind::Unreadable => 1,
            DamageKind::Missing => 2,
        }
    }

    fn of(number: u16) -> Option<DamageKind> {
        [DamageKind::Wrong, DamageKind::Unreadable, DamageKind::Missing].get(usize::from(number)).copied()
    }
}

impl LocalLog {
    /// The ranges of this log that are known to be damaged, ascending; none below the log start offset.
    pub fn damage(&self) -> Vec<Damage> {
        let start = self.state.lock().start;
        let damages = self.damages.lock();
        damages.all().iter().filter(|one| one.until > start).cloned().collect()
    }

    /// Takes note of damage: reported once, refused from now on, listed on disk.
    pub(super) fn note_damage(&self, found: impl IntoIterator<Item = Damage>) {
        let mut damages = self.damages.lock();
        for damage in found {
            let text = format!("{}..{}", damage.bytes.start, damage.bytes.end);
            let (at, until, base, kind) = (damage.at, damage.until, damage.base, damage.kind);
            let why = damage.why.clone();
            if damages.add(damage) {
                tracing::error!(
                    partition = %self.name(), segment = %base, bytes = text, offsets = %format!("{at}..{until}"),
                    ?kind, why, "damage: these records are refused, all others are served"
                );
            }
        }
        self.keep_damages(&mut damages);
    }

    /// Forgets damage that turned out to be none any more, or that went with its segment.
    pub(super) fn forget_damage(&self, gone: impl Fn(&Damage) -> bool) {
        let mut damages = self.damages.lock();
        damages.forget(gone);
        self.keep_damages(&mut damages);
    }

    /// Takes over the list on disk, and looks at what opening the log found missing.
    pub(super) fn load_damage(&self, gaps: &[Offset]) {
        let path = self.path().join(FILE);
        let stored = read_if_sound(self.dir().fs(), &path).unwrap_or_default();
        let mut damages = stored.as_deref().and_then(Damages::decode).unwrap_or_default();
        let (start, runs) = {
            let state = self.state.lock();
            (state.start, state.all_runs(state.start))
        };
        // What is missing may have been put back, and what lies below the start is nobody's concern.
        let is_back = |one: &Damage| {
            one.kind == DamageKind::Missing
                && runs.iter().any(|run| one.at <= run.base && run.base < one.until && run.size > 0)
        };
        damages.forget(|one| one.until <= start && one.until > one.at || is_back(one));
        for one in damages.all() {
            tracing::error!(
                partition = %self.name(), segment = %one.base, at = %one.at, until = %one.until, why = one.why,
                "damage known from before"
            );
        }
        *self.damages.lock() = damages;
        if let Some(first) = runs.first().filter(|first| start < first.base) {
            self.note_damage([self.gap_before(first, start)]);
        }
        for run in runs.iter().filter(|run| gaps.contains(&run.base)) {
            if let Err(error) = self.gap_behind(run) {
                tracing::warn!(partition = %self.name(), segment = %run.base, %error, "cannot tell what is missing");
            }
        }
    }

    fn keep_damages(&self, damages: &mut Damages) {
        if !std::mem::take(&mut damages.moved) {
            return;
        }
        if let Err(error) = self.store_damages(damages) {
            // Only the list suffers: what is damaged is found again.
            tracing::warn!(partition = %self.name(), %error, "cannot keep the list of damage");
        }
    }

    fn store_damages(&self, damages: &Damages) -> io::Result<()> {
        write_atomically(self.dir().fs(), &self.path().join(FILE), &damages.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damage(base: i64, from: u64, at: i64) -> Damage {
        Damage {
            at: Offset(at),
            until: Offset(at + 5),
            base: Offset(base),
            bytes: from..from + 70,
            kind: DamageKind::Unreadable,
            why: "the disk said no".to_owned(),
            found: TimestampMs(77),
        }
    }

    fn damages() -> Damages {
        let mut damages = Damages::default();
        for one in [damage(9, 100, 20), damage(0, 500, 3), damage(9, 10, 12)] {
            assert!(damages.add(one.clone()));
            assert!(!damages.add(one));
        }
        damages.moved = false;
        damages
    }

    #[test]
    fn the_list_reads_back_and_every_flipped_bit_and_every_cut_is_found() {
        let good = damages().encode();
        assert_eq!(Damages::decode(&good), Some(damages()));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Damages::decode(&bad), None, "bit {bit}");
        }
        for end in 0..good.len() {
            assert_eq!(Damages::decode(&good[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn ranges_are_found_by_byte_and_by_offset() {
        let damages = damages();
        let order: Vec<_> = damages.all().iter().map(|one| (one.base.0, one.bytes.start)).collect();
        assert_eq!(order, [(0, 500), (9, 10), (9, 100)]);
        let found = |bytes| damages.in_bytes(Offset(9), bytes).map(|one| one.bytes.start);
        assert_eq!(
            [found(0..10), found(0..11), found(79..101), found(80..100), found(170..999)],
            [None, Some(10), Some(10), None, None]
        );
        assert_eq!([2, 3, 7, 8].map(|at| damages.at(Offset(at)).is_some()), [false, true, true, false]);
    }
}

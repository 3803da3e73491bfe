//! What a log directory does for its sealed segments in the background: sealing those that are due, and the scrub,
//! which reads every sealed segment once per period and compares it with its seal, so that rot is found before a
//! reader finds it. How far the scrub came is kept in `logboom.scrub`; losing it costs a round.
//!
//! ```text
//! at size field            all integers big-endian
//!  0   4  magic "LBSC"
//!  4   2  version = 1
//!  6   8  begun            when the round began, in ms since 1970
//! 14   1  ended            1 if the round is complete
//! 15   8  base             segment that was last finished
//! 23   2  length           of the name
//! 25   .  name             of its partition's directory; empty before the first
//!  .   4  crc              crc32 (ISO-HDLC) of all before
//! ```

use super::dir::{LogDir, read_if_sound};
use super::files::{Kind, base_of, segment_path};
use super::log::LocalLog;
use super::proof::bad_blocks;
use super::read::Run;
use super::seal::{self, BLOCK, Seal, Stored};
use crate::log::ReadError;
use crate::sys::{OpenHow, replace, spawn_thread};
use crate::types::{Offset, TimestampMs};
use bytes::{Buf, BufMut};
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Name of the file in the log directory.
pub const FILE: &str = "logboom.scrub";

const MAGIC: &[u8; 4] = b"LBSC";
const VERSION: u16 = 1;
const HEAD: usize = 25;
/// Blocks read at a time.
const TOGETHER: u64 = 16;
/// How often the thread looks for segments to seal, and for a round that is due.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Bytes of one scrub step, after which segments to seal have their turn.
const STEP_BYTES: u64 = 64 << 20;

/// Logs with segments to seal, and the thread that does it. Bounded by the number of logs.
#[derive(Default)]
pub(super) struct Sealer {
    due: Mutex<BTreeMap<u64, Weak<LocalLog>>>,
    stopped: AtomicBool,
    gate: Mutex<()>,
    wake: Condvar,
}

/// How far a round came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Progress {
    begun: TimestampMs,
    ended: bool,
    name: String,
    base: Offset,
}

impl Sealer {
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        let _gate = self.gate.lock();
        self.wake.notify_all();
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn pause(&self, time: Duration) {
        let mut gate = self.gate.lock();
        if !self.is_stopped() {
            self.wake.wait_for(&mut gate, time);
        }
    }

    /// Waits as long as so many bytes may take at a rate.
    fn pace(&self, bytes: u64, per_second: u64) -> ControlFlow<()> {
        self.pause(Duration::from_micros(bytes.saturating_mul(1_000_000) / per_second.max(1)));
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl LogDir {
    /// A log has segments to seal.
    pub(super) fn seal_later(&self, number: u64, log: Weak<LocalLog>) {
        self.sealer.due.lock().insert(number, log);
    }

    /// Seals all segments that are durable and have no seal, at once: what the thread does at its own pace.
    pub fn seal_round(&self) {
        self.seal_all(&mut |_| ControlFlow::Continue(()));
    }

    fn seal_all(&self, pace: &mut dyn FnMut(usize) -> ControlFlow<()>) {
        let due = std::mem::take(&mut *self.sealer.due.lock());
        for (number, log) in due {
            let is_left = log.upgrade().is_some_and(|log| log.seal_due(pace));
            if is_left {
                self.sealer.due.lock().entry(number).or_insert(log);
            }
        }
    }

    /// Starts the thread that seals and scrubs.
    pub(super) fn start_sealer(self: &Arc<Self>) -> io::Result<()> {
        let (dir, sealer) = (Arc::downgrade(self), Arc::clone(&self.sealer));
        let thread = spawn_thread("log-seal", move || {
            loop {
                sealer.pause(LOOK_EVERY);
                let Some(dir) = dir.upgrade().filter(|_| !sealer.is_stopped()) else { return };
                let rate = dir.options.seal_bytes_per_second;
                dir.seal_all(&mut |bytes| sealer.pace(bytes as u64, rate));
                let rate = dir.options.scrub_bytes_per_second;
                dir.scrub_step(&mut |bytes| sealer.pace(bytes, rate));
            }
        })?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// A part of the scrub, at the given pace, if a round is due or under way.
    pub(super) fn scrub_step(&self, pace: &mut dyn FnMut(u64) -> ControlFlow<()>) {
        let Some(mut progress) = self.scrub_due() else { return };
        let read = self.scrub(&mut progress, STEP_BYTES, pace);
        if let Err(error) = read.and_then(|()| self.keep_progress(&progress)) {
            tracing::warn!(%error, "cannot go on with the scrub");
        }
    }

    /// Where to go on; `None` if it is not time yet.
    fn scrub_due(&self) -> Option<Progress> {
        let interval = i64::try_from(self.options.scrub_interval.as_millis()).unwrap_or(i64::MAX);
        if interval == 0 {
            return None;
        }
        let now = self.clock().wall();
        let stored = read_if_sound(self.fs(), &self.path.join(FILE)).unwrap_or_default();
        let begun = |begun| Progress { begun, ended: false, name: String::new(), base: Offset(-1) };
        match stored.as_deref().and_then(Progress::decode) {
            Some(progress) if !progress.ended => Some(progress),
            // A clock that went back must not keep the scrub waiting.
            Some(last) if (0..interval).contains(&now.0.saturating_sub(last.begun.0)) => None,
            Some(_) => Some(begun(now)),
            None => {
                // The first round begins a period after the directory was first used.
                let first = Progress { ended: true, ..begun(now) };
                if let Err(error) = self.keep_progress(&first) {
                    tracing::warn!(%error, "cannot keep how far the scrub came");
                }
                None
            }
        }
    }

    fn keep_progress(&self, progress: &Progress) -> io::Result<()> {
        replace(self.fs(), &self.path.join(FILE), &progress.encode())
    }

    /// Checks every sealed segment, at once: what the thread does over a period.
    pub fn scrub_round(&self) -> io::Result<()> {
        let begun = self.clock().wall();
        let mut progress = Progress { begun, ended: false, name: String::new(), base: Offset(-1) };
        while !progress.ended {
            self.scrub(&mut progress, u64::MAX, &mut |_| ControlFlow::Continue(()))?;
        }
        Ok(())
    }

    /// Goes on with a round until about `bytes_max` bytes were read.
    fn scrub(
        &self,
        progress: &mut Progress,
        bytes_max: u64,
        pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut read = 0;
        for path in self.fs().list(&self.path)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
                continue;
            };
            if name < progress.name
                || super::whose::partition_named(&path).is_none()
                || !self.fs().is_dir(&path)
            {
                continue;
            }
            let seals: Vec<Offset> = match self.fs().list(&path) {
                Ok(names) => names.iter().filter_map(|path| base_of(path, seal::SUFFIX)).collect(),
                // Deleted meanwhile.
                Err(_) => continue,
            };
            for base in seals {
                if name == progress.name && base <= progress.base {
                    continue;
                }
                if read >= bytes_max {
                    return Ok(());
                }
                match self.scrub_segment(&path, base, pace) {
                    Ok(ControlFlow::Continue(bytes)) => read += bytes,
                    Ok(ControlFlow::Break(())) => return Ok(()),
                    Err(error) => {
                        tracing::warn!(partition = name, segment = %base, %error, "cannot scrub a segment")
                    }
                }
                (progress.name, progress.base) = (name.clone(), base);
            }
        }
        progress.ended = true;
        Ok(())
    }

    /// Compares one segment with its seal; the bytes read.
    fn scrub_segment(
        &self,
        path: &Path,
        base: Offset,
        pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<(), u64>, ReadError> {
        let Stored::Sound(seal) = seal::load(self.fs(), path, base) else {
            // The log that it belongs to makes another when it is next used.
            self.with_log(path, |log| log.rediscover_seal(base));
            return Ok(ControlFlow::Continue(0));
        };
        let file = match self.fs().open(&segment_path(path, base, Kind::Log), OpenHow::Read) {
            Ok(file) => file,
            // Removed meanwhile, or replaced: the next round sees what is there then.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ControlFlow::Continue(0)),
            Err(error) => return Err(error.into()),
        };
        let blocks = seal.body.size.div_ceil(BLOCK);
        let mut at = 0;
        while at < blocks {
            let upto = blocks.min(at + TOGETHER);
            let bad = !bad_blocks(&*file, &seal, at..upto)?.is_empty();
            if bad && self.is_still(path, &seal) {
                self.report_rot(path, base, at);
                break;
            }
            at = upto;
            if pace(TOGETHER * BLOCK).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(seal.body.size))
    }

    /// Compaction may have put another segment and its seal in place between two looks.
    fn is_still(&self, path: &Path, seal: &Seal) -> bool {
        matches!(seal::load(self.fs(), path, seal.base), Stored::Sound(now) if now == *seal)
    }

    fn report_rot(&self, path: &Path, base: Offset, block: u64) {
        let is_open = self.with_log(path, |log| log.doubt(base, block));
        if !is_open {
            tracing::error!(
                path = %path.display(), segment = %base, byte = block * BLOCK,
                "damage: a segment differs from its seal; what is refused is told when the partition is next used"
            );
        }
    }

    /// Calls `act` with the log of a partition's directory, if it is open.
    fn with_log(&self, path: &Path, act: impl Fn(&LocalLog)) -> bool {
        let log = super::whose::partition_named(path)
            .and_then(|name| self.logs.lock().get(&name).and_then(Weak::upgrade));
        log.as_deref().map(act).is_some()
    }
}

impl LocalLog {
    /// A segment differs from its seal: all of it is looked at again, though it was found sound or written here.
    fn doubt(&self, base: Offset, block: u64) {
        let Some(run) = self.doubted(base, block) else { return };
        self.proofs.lock().remove(&(run.base, run.generation));
        if let Err(error) = self.prove(&run, 0..run.size) {
            tracing::warn!(partition = %self.name(), segment = %base, %error, "cannot tell what is damaged");
        }
    }

    /// The segment, if the block still differs now that nobody replaces it.
    fn doubted(&self, base: Offset, block: u64) -> Option<Run> {
        let _turn = self.rebuilding.lock();
        self.dir().seals().forget(self.number(), base);
        let find = || self.state.lock().all_runs(base).into_iter().find(|run| run.base == base);
        let run = find()?;
        let seal = self.seal_of(&run)?;
        let file = self.open_run(&run, base).ok()?;
        let upto = seal.body.size.div_ceil(BLOCK).min(block + TOGETHER);
        if bad_blocks(&*file, &seal, block..upto).is_ok_and(|bad| bad.is_empty()) {
            return None;
        }
        if let Some(sealed) = self.state.lock().sealed_of(&run) {
            (sealed.trusted, sealed.is_joined) = (sealed.size, false);
        }
        find()
    }

    /// A seal that the scrub could not read.
    fn rediscover_seal(&self, base: Offset) {
        let run = self.state.lock().all_runs(base).into_iter().find(|run| run.base == base);
        if let Some(run) = run.filter(|run| run.has_seal) {
            self.dir().seals().forget(self.number(), base);
            let _ = self.seal_of(&run);
        }
    }
}

impl Progress {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.name.len() + 4);
        out.put_slice(MAGIC);
        out.put_u16(VERSION);
        out.put_i64(self.begun.0);
        out.put_u8(u8::from(self.ended));
        out.put_i64(self.base.0);
        out.put_u16(u16::try_from(self.name.len()).unwrap_or(0));
        out.put_slice(self.name.as_bytes());
        out.put_u32(crc32fast::hash(&out));
        out
    }

    /// Reads the file; `None` if it is damaged or of a later version.
    fn decode(bytes: &[u8]) -> Option<Progress> {
        let (all, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(all) != u32::from_be_bytes(*crc) || all.len() < HEAD {
            return None;
        }
        let mut rest = all.strip_prefix(MAGIC)?;
        if rest.get_u16() != VERSION {
            return None;
        }
        let (begun, ended) = (TimestampMs(rest.get_i64()), rest.get_u8() == 1);
        let (base, len) = (Offset(rest.get_i64()), usize::from(rest.get_u16()));
        let name = String::from_utf8(rest.to_vec()).ok().filter(|name| name.len() == len)?;
        Some(Progress { begun, ended, name, base })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_back_and_every_flipped_bit_and_every_cut_is_found() {
        let progress =
            Progress { begun: TimestampMs(77), ended: false, name: "topic-3".to_owned(), base: Offset(12) };
        let good = progress.encode();
        assert_eq!(Progress::decode(&good), Some(progress));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Progress::decode(&bad), None, "bit {bit}");
        }
        for end in 0..good.len() {
            assert_eq!(Progress::decode(&good[..end]), None, "cut at {end}");
        }
    }
}

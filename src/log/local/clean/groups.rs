//! Which neighbouring segments become one (Kafka's `groupSegmentsBySize`). Must not read batches.

use super::task::{CleanTask, SourceSegment};
use crate::log::local::files::{Kind, segment_path};
use crate::sys::{Fs, OpenHow};
use crate::types::Offset;

/// Sizes of a segment's files, and where it ends.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    log: u64,
    index: u64,
    times: u64,
}

/// The segments of the task that begin below `until`, in groups whose files stay within the topic's settings and
/// whose offsets fit into an index.
pub fn groups(fs: &dyn Fs, task: &CleanTask, until: Offset) -> Vec<Vec<SourceSegment>> {
    let side = |base, kind| {
        // Without an index the segment counts by its batches alone; the swap would find the file missing anyway.
        let file = fs.open(&segment_path(&task.dir, base, kind), OpenHow::Read);
        file.and_then(|file| file.size()).unwrap_or(0)
    };
    let sized = task.segments.iter().filter(|segment| segment.base < until).map(|segment| {
        let (index, times) = (side(segment.base, Kind::Index), side(segment.base, Kind::TimeIndex));
        (*segment, Sizes { log: segment.size, index, times })
    });
    let limits = Sizes {
        log: task.settings.segment_bytes.min(super::output::LOG_BYTES_MAX),
        index: task.settings.index_bytes_max,
        times: task.settings.index_bytes_max,
    };
    join(sized, limits)
}

fn join(sized: impl Iterator<Item = (SourceSegment, Sizes)>, limits: Sizes) -> Vec<Vec<SourceSegment>> {
    let mut groups: Vec<Vec<SourceSegment>> = Vec::new();
    let mut sum = Sizes { log: 0, index: 0, times: 0 };
    for (segment, sizes) in sized {
        let joined = Sizes {
            log: sum.log + sizes.log,
            index: sum.index + sizes.index,
            times: sum.times + sizes.times,
        };
        let within = joined.log <= limits.log && joined.index <= limits.index && joined.times <= limits.times;
        match groups.last_mut() {
            Some(group) if within && spans(group, &segment) => {
                group.push(segment);
                sum = joined;
            }
            _ => {
                groups.push(vec![segment]);
                sum = sizes;
            }
        }
    }
    groups
}

/// True if the offsets from the group's base to the end of `segment` fit into 31 bits.
fn spans(group: &[SourceSegment], segment: &SourceSegment) -> bool {
    let base = group.first().map_or(segment.base, |first| first.base);
    segment.size == 0 || segment.end.0.saturating_sub(1).saturating_sub(base.0) <= i64::from(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments of (base, log, index, times) bytes, and the sizes of the groups that they fall into.
    fn check(segments: &[(i64, u64, u64, u64)], limits: (u64, u64), expect: &[usize]) {
        let ends = segments.iter().skip(1).map(|segment| segment.0).chain([i64::MAX]);
        let sized = segments.iter().zip(ends).map(|((base, log, index, times), end)| {
            let segment = SourceSegment { base: Offset(*base), size: *log, end: Offset(end) };
            (segment, Sizes { log: *log, index: *index, times: *times })
        });
        let limits = Sizes { log: limits.0, index: limits.1, times: limits.1 };
        let groups: Vec<_> = join(sized, limits).iter().map(Vec::len).collect();
        assert_eq!(groups, expect, "{segments:?}");
    }

    #[test]
    fn neighbours_are_joined_up_to_the_sizes_of_the_topic() {
        let three = [(0, 40, 8, 12), (10, 50, 8, 12), (20, 60, 8, 12), (30, 1, 0, 0)];
        check(&three, (100, 100), &[2, 1, 1]);
        check(&three, (1000, 24), &[2, 1, 1]);
        check(&three, (30, 100), &[1, 1, 1, 1]);
        check(&[], (30, 100), &[]);
    }

    #[test]
    fn a_group_does_not_outgrow_relative_offsets() {
        let far = i64::from(i32::MAX);
        check(&[(0, 1, 0, 0), (10, 1, 0, 0), (far + 1, 1, 0, 0), (far + 2, 1, 0, 0)], (100, 100), &[2, 1, 1]);
        check(&[(0, 1, 0, 0), (10, 1, 0, 0), (far + 2, 0, 0, 0), (far + 3, 1, 0, 0)], (100, 100), &[1, 2, 1]);
    }
}

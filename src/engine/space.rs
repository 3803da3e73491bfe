//! Room on the disks: how much there is, how fast it goes, and when it will be gone. Says so once for each threshold
//! that is passed, with the partitions that take most. Must not know what can be done about it.

use super::Engine;
use crate::log::local::LogDir;
use crate::types::{MonoNs, TopicPartition};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often the disks are looked at. Two numbers from the kernel's memory for each.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The growth is an average over about this time, so that a burst does not make a forecast of days.
const SMOOTHED_OVER: Duration = Duration::from_secs(600);

/// Nothing is forecast before so much was seen.
const FORECAST_AFTER: Duration = Duration::from_secs(120);

/// A level is left only when there is this much more room, or time, than where it began: one line is enough for a disk
/// that hovers.
const EASED: f64 = 1.2;

/// Partitions that are named.
const NAMED: usize = 5;

/// A log directory's disk.
#[derive(Clone, Debug, PartialEq)]
pub struct DirSpace {
    /// Where the directory is.
    pub path: String,
    /// Bytes of the file system.
    pub total: u64,
    /// Bytes that may still be written.
    pub usable: u64,
    /// Bytes by which the used part grows in a second, smoothed; negative if it shrinks.
    pub growth: f64,
    /// When it will be full if it goes on like that; none if it will not, or if too little was seen yet.
    pub full_in: Option<Duration>,
    /// How bad that is.
    pub level: SpaceLevel,
    /// A write found no room: records are refused until there is some.
    pub is_full: bool,
}

/// How much room is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpaceLevel {
    /// Enough.
    #[default]
    Fine,
    /// Less than 10 % or a day.
    Low,
    /// Less than 5 % or an hour.
    Critical,
}

impl SpaceLevel {
    /// Part of the disk and time below which the level begins.
    fn limits(self) -> (f64, Duration) {
        match self {
            SpaceLevel::Fine => (f64::INFINITY, Duration::MAX),
            SpaceLevel::Low => (0.10, Duration::from_secs(24 * 3600)),
            SpaceLevel::Critical => (0.05, Duration::from_secs(3600)),
        }
    }
}

/// What was seen of one disk.
#[derive(Default)]
struct Trend {
    begun: Option<MonoNs>,
    last: Option<(MonoNs, u64)>,
    growth: f64,
    level: SpaceLevel,
}

impl Trend {
    /// Takes note of the room there is; true if the level rose.
    fn note(&mut self, now: MonoNs, total: u64, usable: u64) -> bool {
        let begun = *self.begun.get_or_insert(now);
        if let Some((at, before)) = self.last {
            let span = now.since(at).as_secs_f64();
            if span <= 0.0 {
                return false;
            }
            let rate = (before as f64 - usable as f64) / span;
            // The first minutes count in full, or the average would begin at nothing.
            let over = now.since(begun).min(SMOOTHED_OVER).as_secs_f64().max(span);
            self.growth += (rate - self.growth) * (span / over).min(1.0);
        }
        self.last = Some((now, usable));
        let before = self.level;
        let free = if total == 0 { 1.0 } else { usable as f64 / total as f64 };
        let left = self.full_in(now, usable);
        self.level = match level(free, left) {
            worse if worse >= before => worse,
            // Eased a little is not better.
            _ => level(free / EASED, left.map(|left| left.div_f64(EASED))).min(before),
        };
        self.level > before
    }

    fn full_in(&self, now: MonoNs, usable: u64) -> Option<Duration> {
        let seen = self.begun.is_some_and(|begun| now.since(begun) >= FORECAST_AFTER);
        // Slower than this it takes longer than anybody plans for.
        let grows = self.growth >= 1.0;
        (seen && grows)
            .then(|| Duration::try_from_secs_f64(usable as f64 / self.growth).unwrap_or(Duration::MAX))
    }
}

fn level(free: f64, left: Option<Duration>) -> SpaceLevel {
    let within = |level: &SpaceLevel| {
        let (part, time) = level.limits();
        free < part || left.is_some_and(|left| left < time)
    };
    [SpaceLevel::Critical, SpaceLevel::Low].into_iter().find(within).unwrap_or_default()
}

/// Runs until the engine is gone or stops.
pub(super) async fn run(engine: Weak<Engine>) {
    let mut trends: Vec<Trend> = Vec::new();
    loop {
        let Some(this) = engine.upgrade() else { return };
        let (clock, stop) = (Arc::clone(&this.clock), this.stop.clone());
        this.look_at_space(&mut trends).await;
        drop(this);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = clock.sleep(LOOK_EVERY) => {}
        }
    }
}

impl Engine {
    /// Room in the log directories that are in use, as it was seconds ago, in the order of the settings.
    pub fn space(&self) -> Arc<Vec<DirSpace>> {
        self.space.load_full()
    }

    async fn look_at_space(&self, trends: &mut Vec<Trend>) {
        let dirs: Vec<Arc<LogDir>> = self.dirs.opened().cloned().collect();
        trends.resize_with(dirs.len(), Trend::default);
        let asked = dirs.clone();
        // A file system of a network may take its time to answer.
        let ask = move || asked.iter().map(|dir| dir.space().ok()).collect::<Vec<_>>();
        let Ok(spaces) = self.workers.run("space", ask).await else { return };
        let now = self.clock.mono();
        let mut all = Vec::with_capacity(dirs.len());
        let mut worse = Vec::new();
        for ((dir, space), trend) in dirs.iter().zip(spaces).zip(trends.iter_mut()) {
            let Some(space) = space else { continue };
            let rose = trend.note(now, space.total, space.usable);
            let seen = DirSpace {
                path: dir.path().display().to_string(),
                total: space.total,
                usable: space.usable,
                growth: trend.growth,
                full_in: trend.full_in(now, space.usable),
                level: trend.level,
                is_full: dir.is_full(),
            };
            if rose {
                worse.push(seen.clone());
            }
            all.push(seen);
        }
        self.space.store(Arc::new(all));
        for seen in worse {
            let largest = self.largest_in(&seen.path).await;
            tell(&seen, &largest);
        }
    }

    /// The partitions of a directory that take most, for people.
    async fn largest_in(&self, path: &str) -> String {
        let described = self.describe_log_dirs(None).await.unwrap_or_default();
        let content = described.into_iter().find(|dir| dir.path == path).and_then(|dir| dir.content.ok());
        let mut partitions: Vec<(u64, TopicPartition)> = content
            .map(|content| content.partitions.into_iter().map(|one| (one.bytes, one.name)).collect())
            .unwrap_or_default();
        partitions.sort_by(|one, two| two.cmp(one));
        let named = partitions.iter().take(NAMED).map(|(bytes, name)| format!("{name} {} MiB", bytes >> 20));
        named.collect::<Vec<_>>().join(", ")
    }
}

fn tell(seen: &DirSpace, largest: &str) {
    let DirSpace { path, total, usable, full_in, .. } = seen;
    let growth = seen.growth as i64;
    match seen.level {
        SpaceLevel::Fine => {}
        SpaceLevel::Low => tracing::warn!(
            dir = %path, usable, total, growth_per_s = growth, ?full_in, largest,
            "the disk has less than 10 % or a day of room left"
        ),
        SpaceLevel::Critical => tracing::error!(
            dir = %path, usable, total, growth_per_s = growth, ?full_in, largest,
            "the disk has less than 5 % or an hour of room left"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn at(seconds: u64) -> MonoNs {
        MonoNs(0).after(Duration::from_secs(seconds))
    }

    /// A disk of 1,000 GiB over time; the levels that were told, with the second.
    fn told(
        trend: &mut Trend,
        seconds: std::ops::Range<u64>,
        usable: impl Fn(u64) -> u64,
    ) -> Vec<(u64, SpaceLevel)> {
        let look = |s| trend.note(at(s), 1000 * GIB, usable(s)).then_some((s, trend.level));
        seconds.step_by(5).filter_map(look).collect()
    }

    #[test]
    fn a_steady_growth_is_forecast() {
        let mut trend = Trend::default();
        assert_eq!(told(&mut trend, 0..115, |s| 800 * GIB - s * (1 << 20)), []);
        assert_eq!(trend.full_in(at(115), 800 * GIB), None, "too little was seen");
        told(&mut trend, 115..1200, |s| 800 * GIB - s * (1 << 20));
        let left = trend.full_in(at(1200), 800 * GIB).unwrap().as_secs_f64();
        assert!((left / (800.0 * 1024.0) - 1.0).abs() < 0.01, "{left}");
    }

    #[test]
    fn each_threshold_is_told_once_however_the_disk_hovers() {
        let mut trend = Trend::default();
        let hover = |s: u64| if s.is_multiple_of(10) { 99 * GIB } else { 101 * GIB };
        assert_eq!(told(&mut trend, 0..100, hover), [(0, SpaceLevel::Low)]);
        assert_eq!(told(&mut trend, 100..105, |_| 40 * GIB), [(100, SpaceLevel::Critical)]);
        assert_eq!(told(&mut trend, 105..110, |_| 52 * GIB), []);
    }

    #[test]
    fn room_that_came_back_makes_the_next_shortage_news_again() {
        let mut trend = Trend::default();
        assert_eq!(told(&mut trend, 0..5, |_| 90 * GIB), [(0, SpaceLevel::Low)]);
        assert_eq!(told(&mut trend, 5..10, |_| 500 * GIB), []);
        assert_eq!(trend.level, SpaceLevel::Fine);
        assert_eq!(told(&mut trend, 10..15, |_| 90 * GIB), [(10, SpaceLevel::Low)]);
    }

    #[test]
    fn a_disk_that_fills_within_the_hour_is_critical_while_half_of_it_is_free() {
        let mut trend = Trend::default();
        let levels = told(&mut trend, 0..600, |s| 500 * GIB - s * (GIB / 4));
        assert_eq!(levels, [(120, SpaceLevel::Critical)]);
    }

    #[test]
    fn a_burst_of_seconds_in_a_quiet_hour_is_no_forecast_of_days() {
        let mut trend = Trend::default();
        let burst = |s: u64| 500 * GIB - s.saturating_sub(3600).min(10) * (GIB / 4);
        assert_eq!(told(&mut trend, 0..3700, burst), []);
    }
}

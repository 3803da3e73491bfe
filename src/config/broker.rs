//! The broker's settings with their types: what the rest of the program reads.

use super::BadSetting;
use super::cleaner::CleanerSettings;
use super::groups::GroupDefaults;
use super::layers::{Fixed, Layers, Source, Where};
use super::listeners::{Advertised, Endpoint, parse_advertised, parse_listeners};
use super::setting::Reach;
use super::table::{Family, find};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// The settings of this broker. Share it in an `Arc`; a change makes a new one.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerSettings {
    /// `node.id`
    pub node_id: i32,
    /// `broker.rack`
    pub rack: Option<String>,
    /// `listeners`, at least one
    pub listeners: Vec<Endpoint>,
    /// `advertised.listeners`
    pub advertised: Advertised,
    /// `log.dirs`, or `log.dir`: the directories of the data, at least one
    pub data_dirs: Vec<PathBuf>,
    /// `log.open.files.max`
    pub open_files_max: usize,
    /// `log.dir.reserve.bytes`
    pub reserve_bytes: u64,
    /// `log.initial.task.delay.ms`
    pub initial_task_delay: Duration,
    /// `log.retention.check.interval.ms`
    pub retention_check_interval: Duration,
    /// `log.retention.clock.jump.ms`
    pub clock_jump: Duration,
    /// `log.retention.clock.grace.ms`
    pub clock_grace: Duration,
    /// `log.scrub.interval.ms`; zero for never
    pub scrub_interval: Duration,
    /// `log.scrub.io.max.bytes.per.second`
    pub scrub_bytes_per_second: u64,
    /// `auto.create.topics.enable`
    pub auto_create_topics: bool,
    /// `delete.topic.enable`
    pub delete_topics: bool,
    /// `num.partitions`
    pub num_partitions: i32,
    /// `socket.request.max.bytes`
    pub request_bytes_max: usize,
    /// `queued.max.request.bytes`: bytes of all requests in memory
    pub queued_bytes_max: usize,
    /// `connection.max.inflight.requests`
    pub inflight_per_connection_max: usize,
    /// `max.connections`
    pub connections_max: usize,
    /// `max.connections.per.ip`
    pub connections_per_ip_max: usize,
    /// `max.connections.per.ip.overrides`
    pub connections_per_ip_overrides: BTreeMap<IpAddr, usize>,
    /// `connections.max.idle.ms`; none for never
    pub connections_idle_max: Option<Duration>,
    /// `fetch.max.bytes`
    pub fetch_bytes_max: usize,
    /// `max.incremental.fetch.session.cache.slots`
    pub fetch_sessions_max: usize,
    /// `max.request.partition.size.limit`
    pub described_partitions_max: usize,
    /// `producer.id.expiration.ms`
    pub producer_id_expiration: Duration,
    /// Those of compaction.
    pub cleaner: CleanerSettings,
    /// Those of groups.
    pub groups: GroupDefaults,
    layers: Layers,
}

impl BrokerSettings {
    /// Gives types to what was said, and refuses what does not go together.
    pub fn from_layers(layers: Layers) -> Result<BrokerSettings, BadSetting> {
        let all = &layers;
        let listeners = parse_listeners(
            &all.read::<String>("listeners")?,
            &all.read::<String>("listener.security.protocol.map")?,
        )?;
        let advertised = parse_advertised(all.read_text("advertised.listeners")?.as_deref(), &listeners)?;
        check_replication_factor(all)?;
        let idle_ms: i64 = all.read("connections.max.idle.ms")?;
        Ok(BrokerSettings {
            node_id: all.read("node.id")?,
            rack: all.read_text("broker.rack")?.filter(|rack| !rack.is_empty()),
            listeners,
            advertised,
            data_dirs: data_dirs(all)?,
            open_files_max: all.read("log.open.files.max")?,
            reserve_bytes: all.read("log.dir.reserve.bytes")?,
            initial_task_delay: millis(all, "log.initial.task.delay.ms")?,
            retention_check_interval: millis(all, "log.retention.check.interval.ms")?,
            clock_jump: millis(all, "log.retention.clock.jump.ms")?,
            clock_grace: millis(all, "log.retention.clock.grace.ms")?,
            scrub_interval: millis(all, "log.scrub.interval.ms")?,
            scrub_bytes_per_second: all.read("log.scrub.io.max.bytes.per.second")?,
            auto_create_topics: all.read("auto.create.topics.enable")?,
            delete_topics: all.read("delete.topic.enable")?,
            num_partitions: all.read("num.partitions")?,
            request_bytes_max: all.read("socket.request.max.bytes")?,
            queued_bytes_max: all.read("queued.max.request.bytes")?,
            inflight_per_connection_max: all.read("connection.max.inflight.requests")?,
            connections_max: all.read("max.connections")?,
            connections_per_ip_max: all.read("max.connections.per.ip")?,
            connections_per_ip_overrides: per_ip_overrides(all)?,
            connections_idle_max: u64::try_from(idle_ms).ok().map(Duration::from_millis),
            fetch_bytes_max: all.read("fetch.max.bytes")?,
            fetch_sessions_max: all.read("max.incremental.fetch.session.cache.slots")?,
            described_partitions_max: all.read("max.request.partition.size.limit")?,
            producer_id_expiration: millis(all, "producer.id.expiration.ms")?,
            cleaner: CleanerSettings::from_layers(all)?,
            groups: GroupDefaults::from_layers(all)?,
            layers,
        })
    }

    /// The defaults with these values, as if given by `--set`: for brokers inside other programs, and for tests.
    pub fn with_values(values: &[(&str, &str)]) -> Result<BrokerSettings, BadSetting> {
        let mut layers = Layers::default();
        for (key, value) in values {
            let value = find(Family::Broker, key)?.parse_for_people(value)?;
            layers.fixed.insert((*key).to_owned(), Fixed { value, from: Where::Flag("--set") });
        }
        BrokerSettings::from_layers(layers)
    }

    /// What was said, and by whom.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// The value of a key as Kafka would show it, and who said it; `None` for null or for no such key.
    pub fn get(&self, key: &str) -> Option<(&str, Source)> {
        self.layers.effective(find(Family::Broker, key).ok()?)
    }

    /// Checks one value that is to be set while the broker runs, for this broker (`per_broker`) or for all; gives it
    /// back as Kafka would show it.
    pub fn validate_dynamic(key: &str, value: &str, per_broker: bool) -> Result<String, BadSetting> {
        let setting = find(Family::Broker, key)?;
        match setting.reach {
            Reach::ReadOnly => Err(setting.bad("can only be set before the start")),
            Reach::PerBroker if !per_broker => Err(setting.bad("can only be set for one broker")),
            _ => setting.parse(value),
        }
    }

    /// These settings with other values set while the broker runs; both maps are whole, not changes.
    pub fn with_dynamic(
        &self,
        this_broker: &BTreeMap<String, String>,
        all_brokers: &BTreeMap<String, String>,
    ) -> Result<BrokerSettings, BadSetting> {
        let checked = |values: &BTreeMap<String, String>, per_broker| {
            let check = |(key, value): (&String, &String)| {
                Ok((key.clone(), BrokerSettings::validate_dynamic(key, value, per_broker)?))
            };
            values.iter().map(check).collect::<Result<BTreeMap<_, _>, BadSetting>>()
        };
        let dynamic = checked(this_broker, true)?;
        let dynamic_default = checked(all_brokers, false)?;
        BrokerSettings::from_layers(Layers { dynamic, dynamic_default, fixed: self.layers.fixed.clone() })
    }
}

fn millis(layers: &Layers, key: &'static str) -> Result<Duration, BadSetting> {
    Ok(Duration::from_millis(layers.read(key)?))
}

/// The directories in the order given. One within another would take its files for its own, and one named twice would
/// be counted twice.
fn data_dirs(layers: &Layers) -> Result<Vec<PathBuf>, BadSetting> {
    let setting = find(Family::Broker, "log.dirs")?;
    let text = match layers.read_text("log.dirs")?.filter(|dirs| !dirs.is_empty()) {
        Some(dirs) => dirs,
        None => layers.read("log.dir")?,
    };
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in text.split(',').map(str::trim) {
        if dir.is_empty() {
            return Err(setting.bad("names an empty directory"));
        }
        for other in &dirs {
            let (one, two) = (plain(Path::new(dir)), plain(other));
            if one == two {
                return Err(setting.bad(format!("names `{dir}` twice")));
            }
            if one.starts_with(&two) || two.starts_with(&one) {
                let other = other.display();
                return Err(
                    setting.bad(format!("names `{other}` and `{dir}`, of which one is within the other"))
                );
            }
        }
        dirs.push(PathBuf::from(dir));
    }
    Ok(dirs)
}

/// The path without what means nothing in it.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

fn check_replication_factor(layers: &Layers) -> Result<(), BadSetting> {
    let setting = find(Family::Broker, "default.replication.factor")?;
    match layers.read::<i32>("default.replication.factor")? {
        // Kafka takes 3 and then cannot create a topic; here one broker is all there is.
        1 | -1 => Ok(()),
        other => Err(setting.bad(format!("there is one broker, so {other} replicas cannot be"))),
    }
}

fn per_ip_overrides(layers: &Layers) -> Result<BTreeMap<IpAddr, usize>, BadSetting> {
    let setting = find(Family::Broker, "max.connections.per.ip.overrides")?;
    let text: String = layers.read("max.connections.per.ip.overrides")?;
    let mut overrides = BTreeMap::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let pair = item.rsplit_once(':');
        let pair = pair.and_then(|(ip, max)| Some((ip.parse::<IpAddr>().ok()?, max.trim().parse().ok()?)));
        let (ip, max) = pair.ok_or_else(|| setting.bad(format!("`{item}` is not `address:number`")))?;
        overrides.insert(ip, max);
    }
    Ok(overrides)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn the_defaults_are_a_working_broker() {
        let settings = BrokerSettings::with_values(&[]).unwrap();
        assert_eq!((settings.node_id, settings.num_partitions), (1, 1));
        assert_eq!(settings.data_dirs, [PathBuf::from("./logboom-data")]);
        assert_eq!(settings.listeners[0].address(), "127.0.0.1:9092");
        assert_eq!(settings.connections_idle_max, Some(Duration::from_secs(600)));
    }

    #[test]
    fn directories_are_a_list_without_doubles_and_nesting() {
        let dirs =
            |text| BrokerSettings::with_values(&[("log.dirs", text)]).map(|settings| settings.data_dirs);
        let expected = ["/b", "/a", "/bb"].map(PathBuf::from);
        assert_eq!(dirs("/b, /a,/bb").unwrap(), expected);
        for (text, why) in [
            ("/a,/a", "`/a` twice"),
            ("a,./a/", "`./a/` twice"),
            ("/a,/a/b", "`/a` and `/a/b`"),
            ("/a/b,/a", "`/a/b` and `/a`"),
            ("/a,,/b", "an empty directory"),
        ] {
            let error = dirs(text).unwrap_err().to_string();
            assert!(error.contains("log.dirs") && error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_set_while_running_wins_and_may_be_taken_back() {
        let start = BrokerSettings::with_values(&[]).unwrap();
        let changed =
            start.with_dynamic(&map(&[("max.connections", "7")]), &map(&[("max.connections", "9")])).unwrap();
        assert_eq!(changed.connections_max, 7);
        assert_eq!(changed.get("max.connections"), Some(("7", Source::DynamicBroker)));
        assert_eq!(changed.with_dynamic(&map(&[]), &map(&[])).unwrap(), start);
        for (key, value) in [("node.id", "2"), ("max.connections", "x"), ("no.such.key", "1")] {
            assert!(start.with_dynamic(&map(&[(key, value)]), &map(&[])).is_err(), "{key}");
        }
    }
}

//! From the file, the environment and the flags to settings: later ones win, and what is not a setting is refused with
//! the one probably meant. Reads no files itself.

use super::layers::{Fixed, Layers, Where};
use super::setting::{Effect, Setting};
use super::table::{Family, find, nearest, settings};
use super::toml_file::{self, entries};
use super::{BadSetting, BrokerSettings};
use std::fmt;

/// What was given at the start.
#[derive(Clone, Debug, Default)]
pub struct Given<'a> {
    /// Name and content of the file.
    pub file: Option<(&'a str, &'a str)>,
    /// The environment; only names that begin with `LOGBOOM_` count.
    pub env: Vec<(String, String)>,
    /// Flag, key and value of each `--set` and of the flags that stand for a key.
    pub flags: Vec<(&'static str, String, String)>,
}

/// Settings, and what should be said about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: BrokerSettings,
    /// One sentence each: keys that were set but do nothing.
    pub warnings: Vec<String>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The whole line.
    pub content: String,
    /// What to say below it.
    pub note: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let margin = self.line.to_string().len();
        writeln!(f, "{:margin$} \u{256d}\u{2500}[{}:{}:{}]", "", self.file, self.line, self.column)?;
        write!(f, "{} \u{2502} {}", self.line, self.content)?;
        match &self.note {
            Some(note) => write!(
                f,
                "\n{:margin$} \u{b7} {:indent$}\u{2570}\u{2500} {note}",
                "",
                "",
                indent = self.column - 1
            ),
            None => Ok(()),
        }
    }
}

/// Why there are no settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LoadError {
    /// `LBnnnn`
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The line of the file.
    pub place: Option<Box<Place>>,
    /// One next step.
    pub help: Option<String>,
}

/// Variables of ours that are no settings.
const OTHER_VARIABLES: &[&str] =
    &["LOGBOOM_BOOTSTRAP", "LOGBOOM_CONFIG", "LOGBOOM_LOG", "LOGBOOM_LOG_FORMAT"];

/// Name of the variable that stands for a key.
pub(super) fn variable(key: &str) -> String {
    format!("LOGBOOM_{}", key.replace(['.', '-'], "_").to_ascii_uppercase())
}

/// The settings that hold: flag over environment over file over default.
pub fn load(given: &Given<'_>) -> Result<Loaded, LoadError> {
    let mut layers = Layers::default();
    if let Some((name, text)) = given.file {
        read_file(name, text, &mut layers)?;
    }
    read_env(&given.env, &mut layers)?;
    for (flag, key, value) in &given.flags {
        let setting = find(Family::Broker, key).map_err(|bad| unknown(bad, flag))?;
        let value = setting.parse_for_people(value).map_err(|bad| bad_value(bad, flag))?;
        layers.fixed.insert(key.clone(), Fixed { value, from: Where::Flag(flag) });
    }
    let warnings = warnings(&layers);
    let settings = BrokerSettings::from_layers(layers.clone()).map_err(|bad| blame(bad, given, &layers))?;
    Ok(Loaded { settings, warnings })
}

fn read_file(name: &str, text: &str, layers: &mut Layers) -> Result<(), LoadError> {
    for entry in entries(name, text)? {
        let place = |span, note| Some(Box::new(toml_file::place(name, text, span, note)));
        let Ok(setting) = find(Family::Broker, &entry.key) else {
            let near = nearest(Family::Broker, &entry.key).map(|near| format!("did you mean `{near}`?"));
            let help = near.is_none().then(|| "`logboom config list` prints all settings".to_owned());
            let message = format!("unknown setting `{}`", entry.key);
            return Err(LoadError { code: "LB0201", message, place: place(entry.key_span, near), help });
        };
        let value = setting.parse_for_people(&entry.value).map_err(|bad| LoadError {
            code: "LB0203",
            message: bad.message,
            place: place(entry.value_span.clone(), takes(setting)),
            help: None,
        })?;
        let line = place(entry.key_span, None).map_or(0, |place| place.line);
        layers.fixed.insert(entry.key, Fixed { value, from: Where::File { name: name.to_owned(), line } });
    }
    Ok(())
}

fn takes(setting: &Setting) -> Option<String> {
    Some(setting.takes()).filter(|takes| !takes.is_empty()).map(|takes| format!("takes {takes}"))
}

fn read_env(env: &[(String, String)], layers: &mut Layers) -> Result<(), LoadError> {
    let ours = env.iter().filter(|(name, _)| name.starts_with("LOGBOOM_"));
    for (name, value) in ours.filter(|(name, _)| !OTHER_VARIABLES.contains(&name.as_str())) {
        let Some(setting) = settings(Family::Broker).find(|setting| variable(setting.key) == *name) else {
            let key = name.trim_start_matches("LOGBOOM_").to_ascii_lowercase();
            let near = nearest(Family::Broker, &key);
            return Err(LoadError {
                code: "LB0201",
                message: format!("the variable {name} is no setting"),
                place: None,
                help: near.map(|near| format!("did you mean {}?", variable(near))),
            });
        };
        let value = setting.parse_for_people(value).map_err(|bad| bad_value(bad, name))?;
        layers.fixed.insert(setting.key.to_owned(), Fixed { value, from: Where::Env(name.clone()) });
    }
    Ok(())
}

fn unknown(bad: BadSetting, flag: &str) -> LoadError {
    let message = format!("{} (from {flag})", bad.message);
    let help = Some("`logboom config list` prints all settings".to_owned());
    LoadError { code: "LB0201", message, place: None, help }
}

fn bad_value(bad: BadSetting, from: &str) -> LoadError {
    let setting = find(Family::Broker, &bad.key).ok();
    let message = format!("{} (from {from})", bad.message);
    LoadError { code: "LB0203", message, place: None, help: setting.and_then(takes) }
}

/// Values that do not go together are blamed on the place that gave the key.
fn blame(bad: BadSetting, given: &Given<'_>, layers: &Layers) -> LoadError {
    let from = layers.fixed.get(&bad.key).map(|fixed| fixed.from.clone());
    let place = match (&from, given.file) {
        (Some(Where::File { .. }), Some((name, text))) => entries(name, text)
            .unwrap_or_default()
            .into_iter()
            .find(|entry| entry.key == bad.key)
            .map(|entry| Box::new(toml_file::place(name, text, entry.value_span, None))),
        _ => None,
    };
    let message = match (&place, from) {
        (None, Some(from)) => format!("{} (from {from})", bad.message),
        _ => bad.message,
    };
    LoadError { code: "LB0203", message, place, help: None }
}

fn warnings(layers: &Layers) -> Vec<String> {
    let idle = |(key, fixed): (&String, &Fixed)| {
        let setting = find(Family::Broker, key).ok()?;
        let idle = setting.effect == Effect::ShownOnly && setting.default != Some(fixed.value.as_str());
        idle.then(|| format!("{key} ({}) has no effect in this version: tools are shown it", fixed.from))
    };
    layers.fixed.iter().filter_map(idle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Given<'_> {
        Given { file: Some(("logboom.toml", text)), ..Given::default() }
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let env = |value: &str| vec![("LOGBOOM_NUM_PARTITIONS".to_owned(), value.to_owned())];
        let mut given = file("num.partitions = 2");
        let partitions = |given: &Given<'_>| load(given).unwrap().settings.num_partitions;
        assert_eq!(load(&Given::default()).unwrap().settings.num_partitions, 1);
        assert_eq!(partitions(&given), 2);
        given.env = env("3");
        assert_eq!(partitions(&given), 3);
        given.flags = vec![("--set", "num.partitions".to_owned(), "4".to_owned())];
        assert_eq!(partitions(&given), 4);
    }

    #[test]
    fn keys_may_be_dotted_nested_or_quoted_and_values_written_as_people_do() {
        let text = "log.segment.bytes = '512MiB'\n[log.retention]\nhours = '7d'\n\
                    [socket]\nrequest.max.bytes = 1_000\n";
        let settings = load(&file(text)).unwrap().settings;
        let value = |key| settings.get(key).map(|(value, _)| value.to_owned());
        assert_eq!(value("log.segment.bytes").as_deref(), Some("536870912"));
        assert_eq!(value("log.retention.hours").as_deref(), Some("168"));
        assert_eq!(settings.request_bytes_max, 1000);
        let text = "\"max.connections\" = 5\n\"max.connections.per.ip\" = 3\nlisteners = ['localhost:1']";
        let settings = load(&file(text)).unwrap().settings;
        assert_eq!((settings.connections_max, settings.connections_per_ip_max), (5, 3));
    }

    #[test]
    fn an_unknown_key_of_a_file_is_shown_with_the_one_meant() {
        let error = load(&file("# mine\nlog.retention.hour = 24\n")).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("LB0201", "unknown setting `log.retention.hour`"));
        let expect = "  \u{256d}\u{2500}[logboom.toml:2:1]\n2 \u{2502} log.retention.hour = 24\n  \
                      \u{b7} \u{2570}\u{2500} did you mean `log.retention.hours`?";
        assert_eq!(error.place.unwrap().to_string(), expect);
    }

    #[test]
    fn a_bad_value_is_shown_where_it_stands() {
        let check = |text: &str, code: &str, column: usize| {
            let error = load(&file(text)).unwrap_err();
            assert_eq!((error.code, error.place.map(|place| place.column)), (code, Some(column)), "{text}");
        };
        check("num.partitions = 0", "LB0203", 18);
        check("num.partitions = 1979-05-27", "LB0202", 18);
        check("num.partitions = ", "LB0202", 18);
        check("listeners = 'SSL://a:1'", "LB0203", 13);
        let both = load(&file("max.connections = 1\nmax.connections.per.ip = 2")).unwrap_err();
        assert!(both.help.unwrap().contains("in quotes"));
    }

    #[test]
    fn an_unknown_variable_or_flag_is_refused_and_others_programs_variables_are_not() {
        let env = |name: &str| Given { env: vec![(name.to_owned(), "1".to_owned())], ..Given::default() };
        let help = load(&env("LOGBOOM_NUM_PARTITION")).unwrap_err().help;
        assert_eq!(help.as_deref(), Some("did you mean LOGBOOM_NUM_PARTITIONS?"));
        assert!(load(&env("LOGBOOM_LOG")).is_ok());
        assert!(load(&env("KAFKA_NUM_PARTITION")).is_ok());
        let flags = vec![("--set", "nope".to_owned(), "1".to_owned())];
        assert_eq!(load(&Given { flags, ..Given::default() }).unwrap_err().code, "LB0201");
    }

    #[test]
    fn a_key_that_does_nothing_is_accepted_with_a_warning() {
        let loaded = load(&file("num.io.threads = 3\nnum.network.threads = 3")).unwrap();
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].starts_with("num.io.threads (logboom.toml:1)"));
    }
}

//! From arguments to the settings of a broker, and `logboom config`.

use super::args::{ConfigVerb, SettingArgs};
use super::failure::Failure;
use super::output::Output;
use crate::config::{Effect, Family, Given, Loaded, Origin, Setting, load, settings};
use crate::sys::Fs;
use serde_json::json;
use std::path::{Path, PathBuf};

/// A settings file larger than this is none.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Taken if it is there and no other is named.
const USUAL_FILE: &str = "logboom.toml";

/// Loads what `serve` would run with.
pub fn load_settings(args: &SettingArgs, fs: &dyn Fs) -> Result<Loaded, Failure> {
    let usual = PathBuf::from(USUAL_FILE);
    let path = args.config.clone().or_else(|| fs.exists(&usual).then_some(usual));
    let text = path.as_deref().map(|path| read(path, fs)).transpose()?;
    let name = path.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
    let mut flags: Vec<(&'static str, String, String)> =
        args.set.iter().map(|(key, value)| ("--set", key.clone(), value.clone())).collect();
    if !args.data.is_empty() {
        flags.push(("--data", "log.dirs".to_owned(), args.data.join(",")));
    }
    if let Some(listen) = &args.listen {
        flags.push(("--listen", "listeners".to_owned(), listen.clone()));
    }
    let file = text.as_deref().map(|text| (name.as_str(), text));
    // A variable that is no text cannot be one of ours.
    let env = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    Ok(load(&Given { file, env: env.collect(), flags })?)
}

fn read(path: &Path, fs: &dyn Fs) -> Result<String, Failure> {
    let cannot =
        |why: String| Failure::new("LB0204", format!("cannot read {}: {why}", path.display())).usage();
    let file = fs.open(path, crate::sys::OpenHow::Read).map_err(|error| cannot(error.to_string()))?;
    if file.size().map_err(|error| cannot(error.to_string()))? > FILE_BYTES_MAX {
        return Err(cannot("it is larger than a megabyte".to_owned()));
    }
    let bytes = fs.read(path).map_err(|error| cannot(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8".to_owned()))
}

/// `logboom config`
pub fn run(verb: &ConfigVerb, output: Output, fs: &dyn Fs) -> Result<(), Failure> {
    match verb {
        ConfigVerb::List { topic: true, .. } => {
            let rows = settings(Family::Topic).filter(|setting| !setting.internal);
            let rows = rows.map(|setting| Row { setting, value: None, source: "default".to_owned() });
            print(rows.collect(), output)
        }
        ConfigVerb::List { settings, topic: false } => print(rows(&load_settings(settings, fs)?), output),
        ConfigVerb::Diff { settings } => {
            let mut rows = rows(&load_settings(settings, fs)?);
            rows.retain(|row| {
                row.value.as_deref() != row.setting.kafka_default() && row.setting.origin != Origin::Ours
                    || row.source != "default"
            });
            rows.retain(|row| row.source != "default" || row.setting.effect == Effect::Honoured);
            print(rows, output)
        }
    }
}

struct Row {
    setting: &'static Setting,
    value: Option<String>,
    source: String,
}

fn rows(loaded: &Loaded) -> Vec<Row> {
    let row = |setting: &'static Setting| {
        let fixed = loaded.settings.layers().fixed.get(setting.key);
        Row {
            setting,
            value: loaded.settings.get(setting.key).map(|(value, _)| value.to_owned()),
            source: fixed.map_or("default".to_owned(), |fixed| fixed.from.to_string()),
        }
    };
    settings(Family::Broker).map(row).collect()
}

fn print(rows: Vec<Row>, output: Output) -> Result<(), Failure> {
    if output.json {
        for row in rows {
            let setting = row.setting;
            let object = json!({
                "key": setting.key,
                "value": row.value.or_else(|| setting.default.map(str::to_owned)),
                "default": setting.default,
                "kafka_default": setting.kafka_default(),
                "source": row.source,
                "type": setting.kind.name(),
                "takes": setting.takes(),
                "honoured": setting.effect == Effect::Honoured,
                "text": setting.text,
            });
            output.line(&object.to_string())?;
        }
        return Ok(());
    }
    let shown = |row: Row| {
        let setting = row.setting;
        let default = setting.default.unwrap_or("-").to_owned();
        let value =
            row.value.or_else(|| setting.default.map(str::to_owned)).unwrap_or_else(|| "-".to_owned());
        let kafka = match setting.origin {
            Origin::Kafka => String::new(),
            Origin::KafkaDefault(kafka) => kafka.unwrap_or("-").to_owned(),
            Origin::Ours => "(ours)".to_owned(),
        };
        let effect = if setting.effect == Effect::Honoured { "" } else { "shown only" };
        vec![setting.key.to_owned(), value, default, row.source, kafka, effect.to_owned()]
    };
    let head = ["key", "value", "default", "source", "kafka's default", "effect"];
    output.line(&output.table(&head, rows.into_iter().map(shown).collect()))
}

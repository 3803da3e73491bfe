//! Writes `src/wire/messages/` and `src/wire/records/` from the message specs inside Kafka's jars.
//!
//! Arguments are folders of unpacked specs, in any order: `common/message` of kafka-clients, `common/metadata` of
//! kafka-metadata, `message` of kafka-storage, `common/message` of kafka-group-coordinator,
//! kafka-transaction-coordinator and kafka-share-coordinator. What is wanted stands in
//! `wanted.txt`. To move to the next Kafka release: unpack its jars, run this, read the diff, write the golden bytes
//! of that release (`tests/wirecheck/golden.sh`).

mod rust;
mod spec;
mod tables;

use rust::{api_file, single_file, snake_case};
use spec::Spec;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// The release whose specs are read; changed when moving to the next.
const KAFKA: &str = "4.4.0";

fn main() -> Result<(), Box<dyn Error>> {
    let folders: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    if folders.is_empty() {
        return Err("usage: wiregen FOLDER_OF_SPECS...".into());
    }
    let specs = read_specs(&folders)?;
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/wire");
    let mut written = Vec::new();
    let mut messages = Vec::new();
    let mut records = Vec::new();
    for line in
        include_str!("../wanted.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (what, name) = line.split_once(' ').ok_or_else(|| format!("not wanted so: {line}"))?;
        let module = snake_case(name);
        let find = |name: &str| specs.get(name).ok_or_else(|| format!("no spec of {name}"));
        let (folder, text) = match what {
            "api" => {
                let names = [format!("{name}Request"), format!("{name}Response")];
                let [request, response] = [find(&names[0])?, find(&names[1])?];
                messages.extend([(module.clone(), request), (module.clone(), response)]);
                ("messages", api_file(name, request, response))
            }
            "header" => {
                messages.push((module.clone(), find(name)?));
                ("messages", single_file(find(name)?))
            }
            "record" => {
                records.push((module.clone(), find(name)?));
                ("records", single_file(find(name)?))
            }
            _ => return Err(format!("not wanted so: {line}").into()),
        };
        written.push((wire.join(folder).join(format!("{module}.rs")), text));
    }
    let text = tables::module_file("The messages of the protocol, a file per API.", &["keys"], &messages);
    written.push((wire.join("messages/mod.rs"), text));
    let text = tables::module_file("The records Kafka keeps in its own log and files.", &[], &records);
    written.push((wire.join("records/mod.rs"), text));
    written.push((wire.join("messages/keys.rs"), tables::keys_file(specs.values())));
    write_all(&written)
}

fn read_specs(folders: &[PathBuf]) -> Result<BTreeMap<String, Spec>, Box<dyn Error>> {
    let mut specs = BTreeMap::new();
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let spec =
                    Spec::parse(&fs::read_to_string(&path)?).map_err(|error| format!("{path:?}: {error}"))?;
                specs.insert(spec.name.clone(), spec);
            }
        }
    }
    // Only the request says that the last version is unstable.
    let unstable: Vec<String> = specs
        .values()
        .filter(|spec| spec.latest_version_unstable)
        .filter_map(|spec| Some(format!("{}Response", spec.name.strip_suffix("Request")?)))
        .collect();
    for name in unstable {
        specs.get_mut(&name).ok_or("a request without a response")?.latest_version_unstable = true;
    }
    Ok(specs)
}

fn write_all(files: &[(PathBuf, String)]) -> Result<(), Box<dyn Error>> {
    for (path, text) in files {
        fs::create_dir_all(path.parent().ok_or("a file has a folder")?)?;
        fs::write(path, text)?;
    }
    let mut rustfmt = process::Command::new("rustfmt");
    rustfmt.args(["--edition", "2024"]).args(files.iter().map(|(path, _)| path));
    if rustfmt.status()?.success() { Ok(()) } else { Err("rustfmt refuses what was written".into()) }
}

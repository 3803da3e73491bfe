//! Settings of topics, brokers and groups: shown and changed. What a key takes is in the table of settings; here is
//! whose they are and how a change comes about.

use super::{Engine, Refusal};
use crate::catalog::{Configs, NotSet, Resource, ResourceKind, valid_topic_name};
use crate::config::{
    BadSetting, BrokerSettings, Described, Family, Kind, Reach, Source, TopicSettings, describe_broker,
    describe_group, describe_topic, find, validate_group_config,
};
use crate::types::ErrorCode;
use std::collections::{BTreeMap, BTreeSet};

/// Attempts to change settings that others change at the same time.
const ATTEMPTS_MAX: usize = 10;

/// Whose settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceRef {
    /// A topic.
    Topic(String),
    /// A broker by id; empty for what is set for all brokers.
    Broker(String),
    /// The log levels of a broker, of which there are none to set.
    BrokerLogger(String),
    /// A group.
    Group(String),
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    /// The key.
    pub key: String,
    /// What happens to it.
    pub op: ConfigOp,
}

/// What happens to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigOp {
    /// It gets this value.
    Set(Option<String>),
    /// What was set is forgotten.
    Delete,
    /// These items are added to its list.
    Append(Option<String>),
    /// These items are taken from its list.
    Subtract(Option<String>),
    /// An operation nobody knows.
    Unknown(i8),
}

/// Changes of one resource's settings.
#[derive(Debug, Clone)]
pub struct AlterConfigs {
    /// Whose.
    pub resource: ResourceRef,
    /// The changes.
    pub changes: Vec<ConfigChange>,
    /// What is not named is forgotten.
    pub replace: bool,
}

impl Engine {
    /// The settings of a resource, all or those of these keys.
    pub fn describe_configs(
        &self,
        resource: &ResourceRef,
        keys: Option<&[String]>,
    ) -> Result<Vec<Described>, Refusal> {
        let settings = self.settings.load();
        let mut described = match resource {
            ResourceRef::Topic(name) => describe_topic(&self.topic_configs(name)?, &settings),
            ResourceRef::Broker(name) => {
                self.check_broker(name)?;
                let mut all = describe_broker(&settings);
                if name.is_empty() {
                    all.retain_mut(only_for_all_brokers);
                }
                all
            }
            ResourceRef::BrokerLogger(name) => {
                self.check_broker(name)?;
                Vec::new()
            }
            ResourceRef::Group(name) => {
                if name.is_empty() {
                    return Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Group name must not be empty."));
                }
                let image = self.image.load();
                let none = BTreeMap::new();
                describe_group(image.group_configs(name).map_or(&none, |configs| configs), &settings)
            }
        };
        if let Some(keys) = keys {
            described.retain(|one| keys.contains(&one.name));
        }
        Ok(described)
    }

    fn topic_configs(&self, name: &str) -> Result<Configs, Refusal> {
        valid_topic_name(name)
            .map_err(|bad| Refusal::new(ErrorCode::INVALID_TOPIC_EXCEPTION, bad.to_string()))?;
        let image = self.image.load();
        let topic = image.topic(name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        Ok(topic.configs.clone())
    }

    /// A broker is named by our id, or by nothing for all.
    fn check_broker(&self, name: &str) -> Result<(), Refusal> {
        let node = self.settings.load().node_id;
        if name.is_empty() || name.parse() == Ok(node) {
            return Ok(());
        }
        let why = format!("Unexpected broker id, expected {node} or empty string, but received {name}");
        Err(Refusal::new(ErrorCode::INVALID_REQUEST, why))
    }

    /// Changes settings, or says what would happen.
    pub async fn alter_configs(&self, alter: &AlterConfigs, validate_only: bool) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = alter.changes.iter().find(|change| !seen.insert(&change.key)) {
            let why = format!("Error due to duplicate config keys: {}", twice.key);
            return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
        }
        for _ in 0..ATTEMPTS_MAX {
            let (resource, was) = self.stored(&alter.resource)?;
            let now = self.changed(alter, &was)?;
            self.check(&alter.resource, &was, &now)?;
            if validate_only || was == now {
                return Ok(());
            }
            match self.ask(self.catalog.set_configs(resource.clone(), was, now)).await? {
                Ok(()) => {
                    self.take_over(&resource);
                    return Ok(());
                }
                Err(NotSet::Unknown(_)) => return Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into()),
                Err(NotSet::Changed(_)) => {}
                Err(other) => return Err(Refusal::new(ErrorCode::INVALID_CONFIG, other.to_string())),
            }
        }
        Err(Refusal::new(ErrorCode::REQUEST_TIMED_OUT, "others keep changing the same settings"))
    }

    /// What is stored for a resource.
    fn stored(&self, resource: &ResourceRef) -> Result<(Resource, Configs), Refusal> {
        let (kind, name) = match resource {
            ResourceRef::Topic(name) => {
                let configs = self.topic_configs(name)?;
                return Ok((Resource { kind: ResourceKind::Topic, name: name.as_str().into() }, configs));
            }
            ResourceRef::Broker(name) => {
                self.check_broker(name)?;
                (ResourceKind::Broker, name)
            }
            ResourceRef::BrokerLogger(_) => {
                let why = "Log levels are not settings here; RUST_LOG sets them at the start.";
                return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
            }
            ResourceRef::Group(name) if name.is_empty() => {
                return Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Group name must not be empty."));
            }
            ResourceRef::Group(name) => (ResourceKind::Group, name),
        };
        let resource = Resource { kind, name: name.as_str().into() };
        let configs = self.image.load().configs(&resource).cloned().unwrap_or_default();
        Ok((resource, configs))
    }

    fn changed(&self, alter: &AlterConfigs, was: &Configs) -> Result<Configs, Refusal> {
        let mut now = if alter.replace { Configs::new() } else { was.clone() };
        for ConfigChange { key, op } in &alter.changes {
            match op {
                ConfigOp::Set(Some(value)) => {
                    now.insert(key.clone(), value.clone());
                }
                ConfigOp::Set(None) | ConfigOp::Append(None) | ConfigOp::Subtract(None) => {
                    let why = format!("Null value not supported for : {key}");
                    return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
                }
                ConfigOp::Delete => {
                    now.remove(key);
                }
                ConfigOp::Append(Some(items)) | ConfigOp::Subtract(Some(items)) => {
                    let append = matches!(op, ConfigOp::Append(_));
                    let present = match now.get(key) {
                        Some(value) => value.clone(),
                        None => self.default_of(&alter.resource, key)?,
                    };
                    check_list(&alter.resource, key, append)?;
                    now.insert(key.clone(), edited(&present, items, append));
                }
                ConfigOp::Unknown(number) => {
                    let why = format!("Unknown operation type {number} for {key}");
                    return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
                }
            }
        }
        Ok(now)
    }

    /// The value of a key that nobody set.
    fn default_of(&self, resource: &ResourceRef, key: &str) -> Result<String, Refusal> {
        let described = self.describe_configs(resource, Some(&[key.to_owned()]))?;
        Ok(described.into_iter().next().and_then(|one| one.value).unwrap_or_default())
    }

    /// Checks what was changed; what was there before is not looked at again.
    fn check(&self, resource: &ResourceRef, was: &Configs, now: &Configs) -> Result<(), Refusal> {
        let bad = |bad: BadSetting| Refusal::new(ErrorCode::INVALID_CONFIG, bad.message);
        let fresh = now.iter().filter(|(key, value)| was.get(*key) != Some(value));
        match resource {
            ResourceRef::Topic(_) => {
                TopicSettings::resolve(now, &self.settings.load()).map_err(bad)?;
            }
            ResourceRef::Broker(name) => {
                for (key, value) in fresh {
                    if find(Family::Broker, key).is_ok_and(|setting| setting.reach == Reach::ReadOnly) {
                        let why = format!("Cannot update these configs dynamically: {key}");
                        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
                    }
                    BrokerSettings::validate_dynamic(key, value, !name.is_empty()).map_err(bad)?;
                }
            }
            ResourceRef::BrokerLogger(_) => {}
            ResourceRef::Group(_) => {
                for (key, value) in fresh {
                    validate_group_config(key, value).map_err(bad)?;
                }
                self.settings.load().groups.check(now).map_err(bad)?;
            }
        }
        Ok(())
    }

    /// Makes changed settings hold.
    fn take_over(&self, resource: &Resource) {
        match resource.kind {
            ResourceKind::Topic => {
                let id = self.image.load().topic(&resource.name).map(|topic| topic.id);
                self.configure_open(id);
            }
            ResourceKind::Broker => {
                self.take_over_broker_configs();
                self.configure_open(None);
                self.groups_changed();
            }
            ResourceKind::Group => self.groups_changed(),
        }
    }
}

/// Keeps what was set for all brokers, as it was set there.
fn only_for_all_brokers(one: &mut Described) -> bool {
    one.synonyms.retain(|said| said.source == Source::DynamicDefaultBroker);
    let Some(said) = one.synonyms.first() else { return false };
    one.value = said.value.clone();
    one.source = Source::DynamicDefaultBroker;
    true
}

fn check_list(resource: &ResourceRef, key: &str, append: bool) -> Result<(), Refusal> {
    let family = match resource {
        ResourceRef::Topic(_) => Family::Topic,
        ResourceRef::Broker(_) | ResourceRef::BrokerLogger(_) => Family::Broker,
        ResourceRef::Group(_) => Family::Group,
    };
    if find(family, key).is_ok_and(|setting| setting.kind == Kind::List) {
        return Ok(());
    }
    let op = if append { "APPEND to" } else { "SUBTRACT from" };
    Err(Refusal::new(
        ErrorCode::INVALID_CONFIG,
        format!("Can't {op} key {key} because its type is not LIST."),
    ))
}

/// A list with items added or taken away. What is there already is not added again.
fn edited(present: &str, items: &str, append: bool) -> String {
    let split = |text: &str| {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    let mut list: Vec<String> = split(present);
    let items: Vec<String> = split(items);
    if append {
        for item in items {
            if !list.contains(&item) {
                list.push(item);
            }
        }
    } else {
        list.retain(|item| !items.contains(item));
    }
    list.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_and_shrink_item_by_item() {
        let check = |present, items, append, expect: &str| assert_eq!(edited(present, items, append), expect);
        check("delete", "compact", true, "delete,compact");
        check("delete,compact", "compact", true, "delete,compact");
        check("delete,compact", "delete", false, "compact");
        check("compact", "delete", false, "compact");
        check("", "delete", true, "delete");
    }
}

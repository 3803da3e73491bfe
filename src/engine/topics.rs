//! Topics: made, grown, deleted. The order of the checks is Kafka's, since a request may be wrong in several ways.

use super::boot::CATALOG_TOPIC;
use super::{Engine, Refusal, TopicRef};
use crate::catalog::{Configs, NotAdded, NotCreated, TopicEntry, is_internal, valid_topic_name};
use crate::config::{Described, TopicSettings, describe_topic};
use crate::types::{ErrorCode, TopicId};
use std::sync::Arc;

/// Partitions that one request may make.
const PARTITIONS_PER_REQUEST_MAX: i64 = 10_000;

/// A topic to be made.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Partitions; -1 for the broker's default.
    pub partitions: i32,
    /// Replicas; -1 for the broker's default, which is 1, as everything else that is possible.
    pub replicas: i16,
    /// Brokers by partition, instead of the two numbers above.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Its settings; a value of null is refused.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was made, or would have been.
#[derive(Debug, Clone)]
pub struct CreatedTopic {
    /// Its id; zero if it was not made.
    pub id: TopicId,
    /// Number of its partitions.
    pub partitions: i32,
    /// Number of replicas of each.
    pub replicas: i16,
    /// Its settings, those of the broker included.
    pub configs: Vec<Described>,
}

/// A topic that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedTopic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub id: TopicId,
}

/// Partitions to be added to a topic.
#[derive(Debug, Clone)]
pub struct NewPartitions {
    /// The topic.
    pub name: String,
    /// Number of its partitions afterwards.
    pub total: i32,
    /// Brokers of each new one, if the client chooses.
    pub assignments: Option<Vec<Vec<i32>>>,
}

impl Engine {
    /// Makes a topic, or says what would happen.
    pub async fn create_topic(&self, new: NewTopic, validate_only: bool) -> Result<CreatedTopic, Refusal> {
        self.check_name(&new.name)?;
        let (partitions, configs) = self.check_new_topic(&new)?;
        let mut id = TopicId::ZERO;
        if !validate_only {
            id = self.make_topic(&new.name, partitions, configs.clone()).await?;
        }
        let configs = describe_topic(&configs, &self.settings.load());
        Ok(CreatedTopic { id, partitions, replicas: 1, configs })
    }

    /// The topic of this name, made with the broker's defaults if it is not there. For clients that produce to or
    /// ask for a topic without having made it.
    pub async fn find_or_create_topic(&self, name: &str) -> Result<Arc<TopicEntry>, Refusal> {
        let topic = TopicRef::Name(name.into());
        if let Ok(found) = self.topic(&topic) {
            return Ok(found);
        }
        valid_topic_name(name).map_err(bad_name)?;
        if is_internal(name) || name == CATALOG_TOPIC {
            return Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into());
        }
        let new = NewTopic { name: name.to_owned(), partitions: -1, replicas: -1, ..NewTopic::default() };
        match self.create_topic(new, false).await {
            Err(refusal) if refusal.code != ErrorCode::TOPIC_ALREADY_EXISTS => Err(refusal),
            _ => self.topic(&topic),
        }
    }

    fn check_name(&self, name: &str) -> Result<(), Refusal> {
        valid_topic_name(name).map_err(bad_name)?;
        let image = self.image.load();
        if let Some(other) = image.colliding_topic(name) {
            return Err(bad_name(NotCreated::Collides(Arc::clone(other))));
        }
        if image.topic(name).is_some() {
            return Err(Refusal::new(
                ErrorCode::TOPIC_ALREADY_EXISTS,
                format!("Topic '{name}' already exists."),
            ));
        }
        if name == CATALOG_TOPIC || is_internal(name) {
            let why = format!("Topic '{name}' is the broker's own and cannot be made by clients.");
            return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
        }
        Ok(())
    }

    /// The number of partitions and the settings, checked.
    fn check_new_topic(&self, new: &NewTopic) -> Result<(i32, Configs), Refusal> {
        let settings = self.settings.load();
        let mut configs = Configs::new();
        for (key, value) in &new.configs {
            let Some(value) = value else {
                let why = format!("Null value not supported for topic configs: {key}");
                return Err(Refusal::new(ErrorCode::INVALID_CONFIG, why));
            };
            configs.insert(key.clone(), value.clone());
        }
        TopicSettings::resolve(&configs, &settings)
            .map_err(|bad| Refusal::new(ErrorCode::INVALID_CONFIG, bad.message))?;
        let partitions = match new.assignments.as_slice() {
            [] => check_counts(new, settings.num_partitions)?,
            assignments => check_assignments(new, assignments, settings.node_id)?,
        };
        if i64::from(partitions) > PARTITIONS_PER_REQUEST_MAX {
            return Err(too_many());
        }
        Ok((partitions, configs))
    }

    pub(super) async fn make_topic(
        &self,
        name: &str,
        partitions: i32,
        configs: Configs,
    ) -> Result<TopicId, Refusal> {
        let created = self
            .ask(self.catalog.create_topic(name.into(), partitions, configs, self.dirs.online_ids()))
            .await?;
        let id = created.map_err(|why| match why {
            NotCreated::Exists(_) => {
                Refusal::new(ErrorCode::TOPIC_ALREADY_EXISTS, format!("Topic '{name}' already exists."))
            }
            NotCreated::Partitions(_) => Refusal::new(ErrorCode::INVALID_PARTITIONS, why.to_string()),
            NotCreated::Collides(_) | NotCreated::Name(_) => bad_name(why),
            other => Refusal::new(ErrorCode::INVALID_CONFIG, other.to_string()),
        })?;
        tracing::info!(topic = name, %id, partitions, "topic created");
        Ok(id)
    }

    /// Deletes a topic. Its files go in the background.
    pub async fn delete_topic(&self, topic: &TopicRef) -> Result<DeletedTopic, Refusal> {
        if !self.settings.load().delete_topics {
            let why = "Topic deletion is disabled (delete.topic.enable).";
            return Err(Refusal::new(ErrorCode::TOPIC_DELETION_DISABLED, why));
        }
        let entry = self.topic(topic)?;
        if entry.internal {
            let why = "The broker keeps its groups in this topic; it cannot be deleted.";
            return Err(Refusal::new(ErrorCode::TOPIC_AUTHORIZATION_FAILED, why));
        }
        let deleted = self.ask(self.catalog.delete_topic(entry.id)).await?;
        // Somebody else may have been faster.
        let entry =
            deleted.map_err(|_| self.topic(topic).err().unwrap_or(ErrorCode::UNKNOWN_TOPIC_ID.into()))?;
        tracing::info!(topic = %entry.name, id = %entry.id, "topic deleted");
        Ok(DeletedTopic { name: Arc::clone(&entry.name), id: entry.id })
    }

    /// Adds partitions to a topic, or says what would happen.
    pub async fn create_partitions(&self, new: &NewPartitions, validate_only: bool) -> Result<(), Refusal> {
        let entry = self.topic(&TopicRef::Name(new.name.as_str().into()))?;
        let before = entry.partitions;
        let invalid = |why: String| Err(Refusal::new(ErrorCode::INVALID_PARTITIONS, why));
        if entry.internal {
            return invalid(
                "The broker keeps its groups in this topic, spread over its present partitions.".to_owned(),
            );
        }
        if new.total == before {
            return invalid(format!("Topic already has {before} partition(s)."));
        }
        if new.total < before {
            let total = new.total;
            return invalid(format!(
                "The topic {} currently has {before} partition(s); {total} would not be an increase.",
                new.name
            ));
        }
        let added = new.total.saturating_sub(before);
        if i64::from(added) > PARTITIONS_PER_REQUEST_MAX {
            return Err(too_many());
        }
        if let Some(assignments) = &new.assignments {
            if usize::try_from(added).ok() != Some(assignments.len()) {
                return Err(bad_assignment(format!(
                    "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
                    assignments.len()
                )));
            }
            let node = self.settings.load().node_id;
            assignments.iter().try_for_each(|brokers| check_brokers(brokers, node))?;
        }
        if validate_only {
            return Ok(());
        }
        let added =
            self.ask(self.catalog.add_partitions(entry.id, new.total, self.dirs.online_ids())).await?;
        added.map(|_| ()).map_err(|why| match why {
            NotAdded::Unknown(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into(),
            NotAdded::HasAlready(_) | NotAdded::TooMany(_) => {
                Refusal::new(ErrorCode::INVALID_PARTITIONS, why.to_string())
            }
        })
    }
}

fn bad_name(why: impl std::fmt::Display) -> Refusal {
    Refusal::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why.to_string())
}

fn too_many() -> Refusal {
    let why =
        format!("Excessively large number of partitions per request: {PARTITIONS_PER_REQUEST_MAX} at most.");
    Refusal::new(ErrorCode::POLICY_VIOLATION, why)
}

fn bad_assignment(why: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, why)
}

fn check_counts(new: &NewTopic, default_partitions: i32) -> Result<i32, Refusal> {
    let replicas = |why: String| Err(Refusal::new(ErrorCode::INVALID_REPLICATION_FACTOR, why));
    if new.replicas < -1 || new.replicas == 0 {
        return replicas(
            "Replication factor must be larger than 0, or -1 to use the default value.".to_owned(),
        );
    }
    if new.partitions < -1 || new.partitions == 0 {
        let why = "Number of partitions was set to an invalid non-positive value.";
        return Err(Refusal::new(ErrorCode::INVALID_PARTITIONS, why));
    }
    if new.replicas > 1 {
        let wanted = new.replicas;
        return replicas(format!(
            "Unable to replicate the partition {wanted} time(s): The target replication factor of {wanted} cannot be \
             reached because only 1 broker(s) are registered."
        ));
    }
    Ok(if new.partitions == -1 { default_partitions } else { new.partitions })
}

fn check_assignments(new: &NewTopic, assignments: &[(i32, Vec<i32>)], node: i32) -> Result<i32, Refusal> {
    if new.replicas != -1 {
        let why = "A manual partition assignment was specified, but replication factor was not set to -1.";
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
    }
    if new.partitions != -1 {
        let why = "A manual partition assignment was specified, but numPartitions was not set to -1.";
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, why));
    }
    let mut numbers: Vec<i32> = assignments.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    if numbers.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        return Err(bad_assignment("Found multiple manual partition assignments for one partition."));
    }
    assignments.iter().try_for_each(|(_, brokers)| check_brokers(brokers, node))?;
    if !numbers.iter().zip(0..).all(|(number, expected)| *number == expected) {
        return Err(bad_assignment("partitions should be a consecutive 0-based integer sequence."));
    }
    i32::try_from(numbers.len()).map_err(|_| too_many())
}

fn check_brokers(brokers: &[i32], node: i32) -> Result<(), Refusal> {
    match brokers {
        [only] if *only == node => Ok(()),
        [] => Err(bad_assignment("The manual partition assignment includes an empty replica list.")),
        _ => match brokers.iter().find(|broker| **broker != node) {
            Some(other) => Err(bad_assignment(format!(
                "The manual partition assignment includes broker {other}, but no such broker is registered."
            ))),
            None => Err(bad_assignment(format!(
                "The manual partition assignment includes the broker {node} more than once."
            ))),
        },
    }
}

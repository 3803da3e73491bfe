//! The topic of a run: found or made, its partitions dealt out to clients, its ends looked at before and after, and
//! deleted if it was made. Must not know what is done with it.

use super::super::client::{Client, ClientError, LATEST, Topic};
use super::super::failure::Failure;
use super::args::TopicArgs;
use crate::sys::Clock;
use crate::types::ErrorCode;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Partitions of a topic that is made.
const PARTITIONS: i32 = 6;
/// The setting that says how many records may wait for durability.
const FLUSH: &str = "flush.messages";
/// How long ends of partitions may lag behind acknowledgements that waited for nobody's durability.
const SETTLE: Duration = Duration::from_secs(10);

/// A topic to run against.
pub struct Target {
    /// The topic.
    pub topic: Topic,
    /// Whether this run made it.
    pub is_made: bool,
    /// `flush.messages`, if the broker tells: whether it waits for the disk.
    pub flush_messages: Option<String>,
}

/// Partitions that one connection speaks of, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The broker that leads them all.
    pub address: String,
    /// The partitions.
    pub partitions: Vec<i32>,
}

impl Target {
    /// Finds the topic, or makes it.
    pub async fn prepare(args: &TopicArgs, client: &Client) -> Result<Target, Failure> {
        let (topic, is_made) = match client.topic(&args.topic, false).await {
            Ok(topic) => (topic, false),
            Err(error) if error.code() == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
                client.create_topic(&args.topic, args.partitions.unwrap_or(PARTITIONS), &args.set).await?;
                // A broker may take a moment to hear of what it made.
                (client.topic(&args.topic, true).await?, true)
            }
            Err(error) => return Err(error.into()),
        };
        let count = topic.leaders.len();
        let wanted = args.partitions.and_then(|wanted| usize::try_from(wanted).ok());
        if !is_made && (wanted.is_some_and(|wanted| wanted != count) || !args.set.is_empty()) {
            let message = format!("topic `{}` is there already, with {count} partitions", args.topic);
            return Err(Failure::new("LB0101", message)
                .help("--partitions and --set are for a topic that is made; name another with --topic")
                .usage());
        }
        let configs = client.topic_configs(&args.topic).await.unwrap_or_default();
        let flush = configs.into_iter().find(|entry| entry.name == FLUSH);
        Ok(Target { topic, is_made, flush_messages: flush.and_then(|entry| entry.value) })
    }

    /// Deletes the topic if this run made it and nobody wants it.
    pub async fn clear(&self, args: &TopicArgs, client: &Client) -> Result<(), ClientError> {
        match self.is_made && !args.keep {
            true => client.delete_topic(&self.topic.name).await,
            false => Ok(()),
        }
    }

    /// Offsets at a time, or of `EARLIEST` or `LATEST`, of all partitions.
    pub async fn offsets(&self, client: &Client, time: i64) -> Result<BTreeMap<i32, i64>, ClientError> {
        client.offsets(&self.topic, &self.topic.partitions(), time).await
    }

    /// By how many records the partitions grew since `before`; waits a little for so many.
    pub async fn growth(
        &self,
        client: &Client,
        before: &BTreeMap<i32, i64>,
        expected: u64,
        clock: &Arc<dyn Clock>,
    ) -> Result<u64, ClientError> {
        let until = clock.mono().after(SETTLE);
        loop {
            let after = self.offsets(client, LATEST).await?;
            let grown = |(partition, end): (&i32, &i64)| end - before.get(partition).copied().unwrap_or(0);
            let grown = u64::try_from(after.iter().map(grown).sum::<i64>()).unwrap_or(0);
            if grown >= expected || clock.mono() >= until {
                return Ok(grown);
            }
            clock.sleep(Duration::from_millis(20)).await;
        }
    }

    /// Seats at which every partition may be spoken of by all connections to its leader, each beginning with another.
    /// There are at least as many as brokers that lead.
    pub fn shared_seats(&self, clients: u32) -> Vec<Seat> {
        self.seats(clients, |partitions, index, _| {
            let mut partitions = partitions.to_vec();
            let by = index.checked_rem(partitions.len()).unwrap_or(0);
            partitions.rotate_left(by);
            partitions
        })
    }

    /// Seats at which each partition belongs to one. There are no more than partitions.
    pub fn own_seats(&self, clients: u32) -> Vec<Seat> {
        self.seats(clients, |partitions, index, of| {
            partitions.iter().copied().skip(index).step_by(of.max(1)).collect()
        })
    }

    fn seats(&self, clients: u32, share: impl Fn(&[i32], usize, usize) -> Vec<i32>) -> Vec<Seat> {
        let mut led: BTreeMap<&String, Vec<i32>> = BTreeMap::new();
        for (partition, leader) in &self.topic.leaders {
            led.entry(leader).or_default().push(*partition);
        }
        let brokers = led.len();
        let clients = usize::try_from(clients).unwrap_or(usize::MAX).max(brokers);
        let mut seats = Vec::new();
        for (broker, (address, partitions)) in led.into_iter().enumerate() {
            let of = (clients - broker).div_ceil(brokers);
            for index in 0..of {
                let partitions = share(&partitions, index, of);
                if !partitions.is_empty() {
                    seats.push(Seat { address: address.clone(), partitions });
                }
            }
        }
        seats
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Uuid;

    fn target(leaders: &[&str]) -> Target {
        let leaders = (0..).zip(leaders.iter().map(|leader| (*leader).to_owned())).collect();
        let topic = Topic { name: "t".to_owned(), id: Uuid::default(), leaders };
        Target { topic, is_made: false, flush_messages: None }
    }

    fn shown(seats: Vec<Seat>) -> Vec<(String, Vec<i32>)> {
        seats.into_iter().map(|seat| (seat.address, seat.partitions)).collect()
    }

    #[test]
    fn every_seat_speaks_with_one_broker_and_every_partition_has_a_seat() {
        let seat = |address: &str, partitions: &[i32]| (address.to_owned(), partitions.to_vec());
        let one = target(&["a", "a", "a"]);
        assert_eq!(shown(one.shared_seats(2)), [seat("a", &[0, 1, 2]), seat("a", &[1, 2, 0])]);
        assert_eq!(shown(one.own_seats(2)), [seat("a", &[0, 2]), seat("a", &[1])]);
        assert_eq!(shown(one.own_seats(9)), [seat("a", &[0]), seat("a", &[1]), seat("a", &[2])]);
        let two = target(&["a", "b", "a"]);
        assert_eq!(shown(two.shared_seats(1)), [seat("a", &[0, 2]), seat("b", &[1])]);
        assert_eq!(shown(two.own_seats(3)), [seat("a", &[0]), seat("a", &[2]), seat("b", &[1])]);
    }
}

//! A client of the consumer protocol: it gives up what it is told to and says so at once, and starts anew if fenced.

use super::client::{group, who};
use crate::group::{Assignment, Command, ConsumerHeartbeat, Reply};
use crate::types::ErrorCode;
use std::sync::Arc;

/// `group.consumer.heartbeat.interval.ms`
pub const INTERVAL_MS: u64 = 5_000;

pub struct ModernClient {
    pub id: Arc<str>,
    /// 0 until it is a member.
    pub epoch: i32,
    pub owned: Assignment,
    topics: Vec<Arc<str>>,
}

impl ModernClient {
    pub fn new(number: usize, topics: Vec<Arc<str>>) -> ModernClient {
        let id = format!("member-{number:06}").into();
        ModernClient { id, epoch: 0, owned: Assignment::new(), topics }
    }

    fn beat(&self, epoch: i32, owned: Option<Assignment>) -> Command {
        let joins = epoch == 0;
        Command::ConsumerHeartbeat(ConsumerHeartbeat {
            group: group(),
            member: Arc::clone(&self.id),
            makes_its_id: true,
            epoch,
            instance: None,
            rack: None,
            client: who(),
            rebalance_timeout_ms: if joins { 30_000 } else { -1 },
            topics: joins.then(|| self.topics.clone()),
            regex: None,
            assignor: None,
            owned,
        })
    }

    pub fn act(&mut self) -> Command {
        let owned = (self.epoch == 0).then(Assignment::new);
        self.beat(self.epoch, owned)
    }

    pub fn hear(&mut self, reply: Reply) -> Option<Command> {
        let Reply::ConsumerHeartbeat(answer) = reply else { panic!("another reply") };
        let answer = match answer {
            Ok(answer) => answer,
            Err(refused) => {
                let anew = [ErrorCode::FENCED_MEMBER_EPOCH, ErrorCode::UNKNOWN_MEMBER_ID];
                assert!(anew.contains(&refused.code), "{} is told {refused:?}", self.id);
                self.epoch = 0;
                self.owned.clear();
                return Some(self.act());
            }
        };
        assert!(self.epoch == 0 || answer.epoch >= self.epoch, "{} goes back in epochs", self.id);
        self.epoch = answer.epoch;
        let told = answer.assignment.filter(|told| *told != self.owned)?;
        self.owned = told;
        Some(self.beat(self.epoch, Some(self.owned.clone())))
    }

    pub fn leave(&self) -> Command {
        self.beat(-1, None)
    }
}

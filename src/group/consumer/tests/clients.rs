//! A client as KIP-848 wants it: it says what it owns whenever that changed, gives up what it is told to after a while,
//! asks for everything again when an answer is lost, and starts anew when it is fenced.

use super::world::*;
use crate::group::{Assignment, ConsumerHeartbeat};
use crate::types::ErrorCode;
use std::sync::Arc;

/// Time between two heartbeats, ms.
const INTERVAL_MS: u64 = 5_000;

/// One client.
#[derive(Clone)]
pub struct Client {
    pub id: String,
    pub instance: Option<Arc<str>>,
    pub topics: Vec<Arc<str>>,
    pub regex: Option<Arc<str>>,
    /// 0 until it is a member.
    pub epoch: i32,
    /// What it reads.
    pub owned: Assignment,
    /// What it was told to read.
    pub told: Assignment,
    /// When it does as it was told.
    pub obeys_at: Option<u64>,
    /// When it reports next.
    pub due: u64,
    /// It has to say what it owns.
    news: bool,
    /// It has to say everything.
    unsure: bool,
}

impl Client {
    pub fn new(
        id: String,
        instance: Option<Arc<str>>,
        topics: Vec<Arc<str>>,
        regex: Option<Arc<str>>,
    ) -> Client {
        Client {
            id,
            instance,
            topics,
            regex,
            epoch: 0,
            owned: Assignment::new(),
            told: Assignment::new(),
            obeys_at: None,
            due: 0,
            news: false,
            unsure: false,
        }
    }

    /// Reads other topics from the next heartbeat on.
    pub fn resubscribe(&mut self, topics: Vec<Arc<str>>, regex: Option<Arc<str>>) {
        self.topics = topics;
        self.regex = Some(regex.unwrap_or_else(|| "".into()));
        self.unsure = true;
        self.due = 0;
    }

    /// Does what is due at `now`; false if nothing is. `loses` tells whether the answer is lost; `delay` how long
    /// giving up takes, ms.
    pub fn act(&mut self, world: &mut World, now: u64, loses: bool, delay: u64) -> bool {
        if self.obeys_at.is_some_and(|at| at <= now) {
            self.obeys_at = None;
            self.owned = self.told.clone();
            self.news = true;
            self.due = now;
        }
        if self.due > now {
            return false;
        }
        self.due = now + INTERVAL_MS;
        let answer = world.try_beat(self.request());
        if loses {
            self.unsure = true;
            return true;
        }
        match answer {
            Ok(answer) => {
                assert!(
                    self.epoch == 0 || answer.epoch >= self.epoch,
                    "{}: from epoch {} to {}",
                    self.id,
                    self.epoch,
                    answer.epoch
                );
                (self.epoch, self.news, self.unsure) = (answer.epoch, false, false);
                if let Some(told) = answer.assignment {
                    self.told = told;
                }
                if self.told != self.owned && self.obeys_at.is_none() {
                    self.obeys_at = Some(now + delay);
                }
            }
            Err(refused) => self.fenced(refused.code),
        }
        true
    }

    fn fenced(&mut self, code: ErrorCode) {
        let known = [
            ErrorCode::FENCED_MEMBER_EPOCH,
            ErrorCode::UNKNOWN_MEMBER_ID,
            ErrorCode::GROUP_ID_NOT_FOUND,
            ErrorCode::UNRELEASED_INSTANCE_ID,
        ];
        assert!(known.contains(&code), "{}: {code:?}", self.id);
        let (topics, regex) = (self.topics.clone(), self.regex.clone());
        let due = self.due;
        *self = Client { due, ..Client::new(self.id.clone(), self.instance.clone(), topics, regex) };
    }

    fn request(&self) -> ConsumerHeartbeat {
        let says_all = self.epoch == 0 || self.unsure;
        ConsumerHeartbeat {
            instance: self.instance.clone(),
            rebalance_timeout_ms: if says_all { 30_000 } else { -1 },
            topics: says_all.then(|| self.topics.clone()),
            regex: self.regex.clone().filter(|_| says_all),
            owned: match self.epoch {
                0 => Some(Assignment::new()),
                _ => (says_all || self.news).then(|| self.owned.clone()),
            },
            ..keep(&self.id, self.epoch)
        }
    }

    /// Goes: for good, or for a while.
    pub fn leave(&self, world: &mut World, epoch: i32) {
        let goodbye = ConsumerHeartbeat { instance: self.instance.clone(), ..keep(&self.id, epoch) };
        let _ = world.try_beat(goodbye);
    }
}

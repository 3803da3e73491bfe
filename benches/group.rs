//! What a group costs its coordinator: CPU of a heartbeat and of a rebalance, by protocol, in a group of 500 members
//! that read 1,000 partitions, and memory of members and groups. The machine runs alone: no log, no sockets.

use criterion::{Criterion, criterion_group, criterion_main};
use logboom::coordinator::Solo;
use logboom::group::{
    Assignment, ClassicProtocol, Client, Command, ConsumerHeartbeat, Context, GroupSettings, Groups,
    Heartbeat, Join, Leave, Leaving, Reply, Sync, Topic, TopicTable,
};
use logboom::types::{TopicId, Uuid};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const MEMBERS: usize = 500;
const TOPICS: u8 = 8;
const PARTITIONS: i32 = 125;

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all work is the system allocator's; only sizes are added up.
#[expect(
    unsafe_code,
    reason = "an allocator cannot be written without it, and nothing else counts every byte"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises us.
        unsafe { System.dealloc(at, layout) }
    }
}

struct Table(Vec<Topic>);

impl TopicTable for Table {
    fn by_name(&self, name: &str) -> Option<Topic> {
        self.0.iter().find(|topic| &*topic.name == name).cloned()
    }

    fn by_id(&self, id: TopicId) -> Option<Topic> {
        self.0.iter().find(|topic| topic.id == id).cloned()
    }

    fn for_each(&self, each: &mut dyn FnMut(&Topic)) {
        self.0.iter().for_each(each);
    }

    fn version(&self) -> u64 {
        1
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        Vec::new()
    }
}

fn machine() -> Solo<Groups> {
    let topic = |number: u8| Topic {
        name: format!("topic-{number}").into(),
        id: Uuid::from_random(u128::from(number) << 64),
        partitions: PARTITIONS,
        internal: false,
    };
    let mut settings = GroupSettings::default();
    // Each change is to be a rebalance of its own, and silent members are to stay.
    settings.consumer.assignment_interval = Duration::ZERO;
    settings.consumer.session = Duration::from_secs(1 << 30);
    settings.classic_session_max = Duration::from_secs(1 << 30);
    let mut solo = Solo::new(1);
    let topics = Arc::new(Table((1..=TOPICS).map(topic).collect()));
    solo.call(Command::Context(Context { topics, settings: Arc::new(settings) }));
    solo.replies();
    solo
}

fn who() -> Client {
    Client { id: "client".into(), host: "/127.0.0.1".into() }
}

// ---- the consumer protocol

/// A client as far as the machine can tell.
struct Modern {
    group: Arc<str>,
    id: Arc<str>,
    epoch: i32,
    owned: Assignment,
}

impl Modern {
    fn new(group: &str, number: usize) -> Modern {
        // As long as the ids that clients make.
        let id = format!("{number:036}").into();
        Modern { group: group.into(), id, epoch: 0, owned: Assignment::new() }
    }

    fn command(&self, epoch: i32, owned: Option<Assignment>) -> Command {
        let topics = || (1..=TOPICS).map(|number| format!("topic-{number}").into()).collect();
        Command::ConsumerHeartbeat(ConsumerHeartbeat {
            group: Arc::clone(&self.group),
            member: Arc::clone(&self.id),
            makes_its_id: true,
            epoch,
            instance: None,
            rack: None,
            client: who(),
            rebalance_timeout_ms: if epoch == 0 { 300_000 } else { -1 },
            topics: (epoch == 0).then(topics),
            regex: None,
            assignor: None,
            owned,
        })
    }

    /// A heartbeat, and another one if there is news. True if there was.
    fn beat(&mut self, solo: &mut Solo<Groups>) -> bool {
        let before = self.epoch;
        let mut owned = (self.epoch == 0).then(Assignment::new);
        loop {
            solo.call(self.command(self.epoch, owned.take()));
            let Some((_, Reply::ConsumerHeartbeat(Ok(answer)))) = solo.replies().pop() else { return false };
            self.epoch = answer.epoch;
            match answer.assignment {
                Some(told) if told != self.owned => {
                    self.owned = told;
                    owned = Some(self.owned.clone());
                }
                _ => return before != self.epoch,
            }
        }
    }
}

/// Heartbeats of all until there is no news.
fn settle(solo: &mut Solo<Groups>, members: &mut [Modern]) {
    loop {
        let mut news = false;
        for member in members.iter_mut() {
            news |= member.beat(solo);
        }
        if !news {
            return;
        }
    }
}

fn modern_group(solo: &mut Solo<Groups>, group: &str, members: usize) -> Vec<Modern> {
    let mut members: Vec<Modern> = (0..members).map(|number| Modern::new(group, number)).collect();
    settle(solo, &mut members);
    members
}

// ---- the classic protocol

struct Classic {
    group: Arc<str>,
    ids: Vec<Arc<str>>,
    generation: i32,
}

impl Classic {
    fn join(&self, id: &Arc<str>) -> Command {
        // About what the subscription to eight topics takes.
        let metadata = vec![7_u8; 120].into();
        Command::Join(Join {
            group: Arc::clone(&self.group),
            member: Arc::clone(id),
            instance: None,
            client: who(),
            protocol_type: "consumer".into(),
            protocols: vec![ClassicProtocol { name: "range".into(), metadata }],
            session_timeout_ms: i32::MAX,
            rebalance_timeout_ms: i32::MAX,
            must_know_its_id: false,
            can_skip_assignment: true,
            reason: None,
        })
    }

    fn sync(&self, id: &Arc<str>, assignments: Vec<(Arc<str>, bytes::Bytes)>) -> Command {
        Command::Sync(Sync {
            group: Arc::clone(&self.group),
            member: Arc::clone(id),
            instance: None,
            generation: self.generation,
            protocol_type: Some("consumer".into()),
            protocol: Some("range".into()),
            assignments,
        })
    }

    fn beat(&self, id: &Arc<str>) -> Command {
        let (group, member) = (Arc::clone(&self.group), Arc::clone(id));
        Command::Heartbeat(Heartbeat { group, member, instance: None, generation: self.generation })
    }

    /// All join again, with one more if `grows`, and ask for what they are assigned.
    fn rebalance(&mut self, solo: &mut Solo<Groups>, grows: bool) {
        if grows {
            solo.call(self.join(&"".into()));
        }
        for id in &self.ids {
            solo.call(self.beat(id));
            solo.call(self.join(id));
        }
        let mut leader = None;
        let mut ids = Vec::with_capacity(self.ids.len() + 1);
        for (_, reply) in solo.replies() {
            let Reply::Joined(Ok(joined)) = reply else { continue };
            self.generation = joined.generation;
            ids.push(Arc::clone(&joined.member));
            leader = Some(joined.leader);
        }
        self.ids = ids;
        let Some(leader) = leader else { return };
        let given = self.ids.iter().map(|id| (Arc::clone(id), vec![7_u8; 60].into())).collect();
        solo.call(self.sync(&leader, given));
        for id in self.ids.iter().filter(|id| **id != leader) {
            solo.call(self.sync(id, Vec::new()));
        }
        solo.replies();
    }

    fn leave(&mut self, solo: &mut Solo<Groups>) {
        let Some(member) = self.ids.pop() else { return };
        let leaving = Leaving { member, instance: None, reason: None };
        solo.call(Command::Leave(Leave { group: Arc::clone(&self.group), members: vec![leaving] }));
    }
}

fn classic_group(solo: &mut Solo<Groups>, group: &str, members: usize) -> Classic {
    let mut classic = Classic { group: group.into(), ids: Vec::new(), generation: -1 };
    classic.rebalance(solo, true);
    for _ in 1..members {
        solo.call(classic.join(&"".into()));
    }
    classic.rebalance(solo, false);
    classic
}

// ---- what is measured

fn heartbeats(c: &mut Criterion) {
    let mut group = c.benchmark_group("heartbeat, 500 members");
    let mut solo = machine();
    let mut members = modern_group(&mut solo, "g", MEMBERS);
    let mut at = 0;
    group.bench_function("consumer protocol", |b| {
        b.iter(|| {
            at = (at + 1) % MEMBERS;
            members.get_mut(at).map(|member| black_box(member.beat(&mut solo)))
        });
    });
    let mut solo = machine();
    let classic = classic_group(&mut solo, "g", MEMBERS);
    assert_eq!(classic.ids.len(), MEMBERS);
    group.bench_function("classic protocol", |b| {
        b.iter(|| {
            at = (at + 1) % MEMBERS;
            if let Some(id) = classic.ids.get(at) {
                solo.call(classic.beat(id));
            }
            black_box(solo.replies())
        });
    });
    group.finish();
}

fn rebalances(c: &mut Criterion) {
    let mut group = c.benchmark_group("rebalance, 500 members");
    group.sample_size(20);
    let mut solo = machine();
    let mut members = modern_group(&mut solo, "g", MEMBERS);
    let mut made = MEMBERS;
    group.bench_function("consumer protocol", |b| {
        b.iter(|| {
            if made.is_multiple_of(2) {
                members.push(Modern::new("g", made));
            } else if let Some(gone) = members.pop() {
                solo.call(gone.command(-1, None));
                solo.replies();
            }
            made += 1;
            settle(&mut solo, &mut members);
        });
    });
    let mut solo = machine();
    let mut classic = classic_group(&mut solo, "g", MEMBERS);
    let mut turn = 0;
    group.bench_function("classic protocol", |b| {
        b.iter(|| {
            turn += 1;
            if turn % 2 == 0 {
                classic.leave(&mut solo);
            }
            classic.rebalance(&mut solo, turn % 2 == 1);
        });
    });
    group.finish();
}

fn in_use() -> usize {
    IN_USE.load(Ordering::Relaxed)
}

/// Bytes of `make` once what it used on the way is gone; it returns what the machine does not need.
fn bytes_of<T>(solo: &mut Solo<Groups>, make: impl FnOnce(&mut Solo<Groups>) -> T) -> usize {
    let before = in_use();
    drop(make(solo));
    solo.replies();
    in_use().saturating_sub(before)
}

fn memory(_: &mut Criterion) {
    const GROUPS: usize = 1_000;
    let many = |solo: &mut Solo<Groups>, make: fn(&mut Solo<Groups>, &str)| {
        bytes_of(solo, |solo| {
            for number in 0..GROUPS {
                make(solo, &format!("group-{number}"));
            }
        }) / GROUPS
    };
    let modern = bytes_of(&mut machine(), |solo| modern_group(solo, "g", MEMBERS)) / MEMBERS;
    let classic = bytes_of(&mut machine(), |solo| classic_group(solo, "g", MEMBERS)) / MEMBERS;
    let modern_groups = many(&mut machine(), |solo, id| drop(modern_group(solo, id, 1)));
    let classic_groups = many(&mut machine(), |solo, id| drop(classic_group(solo, id, 1)));
    println!("memory of a member of 500, two partitions each: consumer {modern} B, classic {classic} B");
    println!(
        "memory of a group with one member, 1,000 partitions: consumer {modern_groups} B, classic {classic_groups} B"
    );
}

criterion_group!(groups, memory, heartbeats, rebalances);
criterion_main!(groups);

//! Five hundred clients that come, go and crash, on the machine and virtual time, by seed. At no step do two of them
//! own one partition, and soon after the last change all is as it should be.
//!
//! "As it should be" (converged), in a consumer group: the target is that of the group's last epoch, its members are
//! the clients that are there, each client is in that epoch and owns its target, and all partitions are owned. In a
//! classic group: all clients that are there are in one generation, the group is stable and has no others, and all
//! partitions are owned. "Soon": two heartbeat intervals after the last change, and in a consumer group the interval
//! between two assignments on top. A client that leaves or joins changes the group when it says so; one that crashes
//! when its session is over.

mod classic_client;
mod client;
mod modern_client;
mod world;

use world::{Kind, World};

const CLIENTS: usize = 500;
const EVENTS: usize = 1_000;
/// Events between two looks whether all settles.
const BURST: usize = 100;

/// Returns how often the group changed its protocol.
fn simulate(kinds: &[Kind], seed: u64, clients: usize, events: usize) -> usize {
    let mut world = World::new(kinds, seed);
    world.start(clients);
    world.settle("at the start");
    for burst in 0..events / BURST {
        // After a crash the group may have nothing left to do but to end a rebalance that waited for it. So that joins
        // and leaves are timed too, every other burst has none.
        world.crashes = burst % 2 == 1;
        for _ in 0..BURST {
            world.event(clients);
        }
        world.settle(&format!("seed {seed}, burst {burst}"));
    }
    world.turns
}

#[test]
fn a_consumer_group_settles_within_two_heartbeats_of_the_last_change() {
    simulate(&[Kind::Modern], 1, CLIENTS, EVENTS);
}

#[test]
fn a_classic_group_settles_within_two_heartbeats_of_the_last_change() {
    simulate(&[Kind::Eager], 1, CLIENTS, EVENTS);
}

#[test]
fn a_cooperative_classic_group_settles_within_two_heartbeats_of_the_last_change() {
    simulate(&[Kind::Cooperative], 1, CLIENTS, EVENTS);
}

#[test]
fn small_groups_settle_by_any_seed() {
    for seed in 2..8 {
        simulate(&[Kind::Modern], seed, 20, 200);
        simulate(&[Kind::Eager], seed, 20, 200);
        simulate(&[Kind::Cooperative], seed, 20, 200);
    }
}

#[test]
fn groups_of_both_protocols_change_theirs_and_settle() {
    let mut turns = 0;
    for seed in 12..16 {
        for kind in [Kind::Eager, Kind::Cooperative] {
            turns += simulate(&[Kind::Modern, kind], seed, 4, 400);
            simulate(&[Kind::Modern, kind], seed, 30, 100);
        }
    }
    assert!(turns > 100, "{turns} changes of the protocol");
}

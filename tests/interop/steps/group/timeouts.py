"""What happens when members of the classic protocol fall silent. The judge allows sessions of 1 s."""
import time

from steps.group.asks import (beat, describe, join, joined, joins, lone, named, pair, state, sync, synced, syncs)


def count(play):
    return len(play.quiet("DescribeGroups", 5, {"Groups": [play.group]})["Groups"][0]["Members"])


def a_silent_member_is_dropped(play):
    a = lone(play, session=1_500)
    for at in range(4):
        time.sleep(0.6)
        beat(f"beats keep it, {at}", a)
    play.until("the session is over", lambda: state(play) == "Empty")
    describe("after its session", play)
    beat("after its session", a)
    join("after its session", a)


def a_silent_follower_makes_a_rebalance(play):
    a, b = pair(play, session=2_000)
    play.until("the follower's session is over",
               lambda: a.conn.call("Heartbeat", 4, {"GroupId": play.group, "GenerationId": a.generation,
                                                    "MemberId": a.id})["ErrorCode"] == 27)
    describe("the follower is gone", play)
    join("the leader goes on alone", a)
    beat("the follower is unknown", b)


def an_id_alone_is_forgotten(play):
    """An id that was given out and never used lives for one session."""
    a = play.actor("a")
    named(a, session=1_000)
    time.sleep(2)
    join("with an id that was forgotten", a)
    describe("nobody", play)


def one_that_does_not_rejoin_is_dropped(play):
    """The rebalance ends after the longest rebalance timeout of the members."""
    a, b = pair(play, rebalance=1_500)
    joins(a, rebalance=1_500)
    play.waits("the leader waits for the follower", a)
    joined("the leader waits no longer", a)
    describe("one is left", play)
    beat("the follower is unknown", b)
    join("the follower is unknown", b)


def a_leader_that_does_not_rejoin_is_dropped(play):
    a, b = pair(play, rebalance=1_500)
    joins(b, rebalance=1_500, protocols=(("range", b"changed"),))
    play.waits("the follower waits for the leader", b)
    joined("the follower leads", b)
    beat("the leader is unknown", a)
    sync("the new leader shares out", b, [(b, b"all")])
    describe("one is left", play)


def nobody_syncs(play):
    """A leader that never shares out is dropped after the rebalance timeout, and so are all who did not sync."""
    a, b = pair(play, rebalance=1_500)
    joins(a, rebalance=1_500)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b, rebalance=1_500)
    joined("the leader", a)
    syncs(b)
    play.waits("the follower waits for the leader's word", b)
    synced("the follower is told to rejoin", b)
    describe("the leader is gone", play)
    join("the follower leads", b, rebalance=1_500)
    beat("the leader is unknown", a)


def a_follower_never_syncs(play):
    a, b = pair(play, rebalance=1_500)
    joins(a, rebalance=1_500)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b, rebalance=1_500)
    joined("the leader", a)
    sync("the leader shares out", a, [(a, b"x"), (b, b"y")])
    play.until("the follower is dropped", lambda: state(play) == "PreparingRebalance")
    describe("the follower is gone", play)
    beat("the follower is unknown", b)
    join("the leader rejoins", a)


def a_static_member_that_does_not_rejoin_stays(play):
    """A rebalance timeout drops dynamic members only; a static one goes with its session."""
    a = play.actor("a")
    join("static", a, instance="left", session=4_000, rebalance=1_500)
    sync("static", a, [(a, b"all")], instance="left")
    b = play.actor("b")
    named(b)
    joins(b, rebalance=1_500)
    play.waits("the dynamic one waits for the static one", b)
    joined("the dynamic one leads", b)
    describe("the static one is still there", play)
    sync("the dynamic one shares out", b, [(b, b"mine"), (a, b"kept")])
    play.until("the static one's session is over", lambda: count(play) == 1)
    describe("the static one is gone", play)
    beat("the static one", a, instance="left")


def a_waiting_join_is_no_silence(play):
    """A member whose join waits needs no heartbeats."""
    a, b = pair(play, session=1_500, rebalance=4_000)
    joins(a, session=1_500, rebalance=4_000)
    for at in range(4):
        time.sleep(0.6)
        beat(f"the follower beats but does not rejoin, {at}", b)
    play.waits("the leader's join", a)
    join("the follower rejoins at last", b, session=1_500, rebalance=4_000)
    joined("the leader", a)


def a_waiting_sync_is_no_silence(play):
    """A member whose sync waits needs no heartbeats."""
    a, b = pair(play, session=1_500, rebalance=10_000)
    joins(a, session=1_500, rebalance=10_000)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b, session=1_500, rebalance=10_000)
    joined("the leader", a)
    syncs(b)
    for at in range(4):
        time.sleep(0.6)
        beat(f"the leader beats but does not share out, {at}", a)
    play.waits("the follower's sync", b)
    sync("the leader shares out at last", a, [(a, b"x"), (b, b"y")])
    synced("the follower is told", b)


def a_leader_falls_silent_while_completing(play):
    """The session counts while the leader's word is awaited; those who wait are told to rejoin."""
    a, b = pair(play, session=1_500, rebalance=20_000)
    joins(a, session=1_500, rebalance=20_000)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b, session=1_500, rebalance=20_000)
    joined("the leader", a)
    syncs(b)
    synced("the follower is told to rejoin", b)
    join("the follower leads", b)
    describe("the leader is gone", play)


SCRIPTS = [a_silent_member_is_dropped, a_silent_follower_makes_a_rebalance, an_id_alone_is_forgotten,
           one_that_does_not_rejoin_is_dropped, a_leader_that_does_not_rejoin_is_dropped, nobody_syncs,
           a_follower_never_syncs, a_static_member_that_does_not_rejoin_stays, a_waiting_join_is_no_silence,
           a_waiting_sync_is_no_silence, a_leader_falls_silent_while_completing]

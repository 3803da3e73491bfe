"""SyncGroup, Heartbeat and LeaveGroup: who is refused, in which state, with which word."""
from steps.group.asks import (beat, describe, join, joined, joins, leave, lone, named, pair, state, sync, synced,
                              syncs)


def refused_syncs(play):
    a = lone(play)
    for version in range(6):
        sync("empty group id", a, (), version, group="")
        sync("unknown group", a, (), version, group="no such group")
        sync("unknown member", a, (), version, member="nobody")
        sync("empty member id", a, (), version, member="")
        sync("generation ahead", a, (), version, generation=a.generation + 1)
        sync("generation behind", a, (), version, generation=a.generation - 1)
        sync("generation -1", a, (), version, generation=-1)
    for version in (3, 4, 5):
        sync("an instance id that is not there", a, (), version, instance="static")
    sync("another protocol type", a, (), kind="connect")
    sync("another protocol name", a, (), name="sticky")
    sync("an empty protocol type", a, (), kind="")
    sync("no protocol type", a, (), kind=None)
    sync("no protocol name", a, (), name=None)
    sync("neither type nor name", a, (), kind=None, name=None)
    sync("the type's fault is found before the name's", a, (), kind="connect", name="sticky")
    sync("a stale generation before a wrong name", a, (), generation=0, name="sticky")
    leave("the only member", a)
    sync("empty group", a)


def refused_beats(play):
    a = lone(play)
    for version in range(5):
        beat("empty group id", a, version, group="")
        beat("unknown group", a, version, group="no such group")
        beat("unknown member", a, version, member="nobody")
        beat("empty member id", a, version, member="")
        beat("generation ahead", a, version, generation=a.generation + 1)
        beat("generation behind", a, version, generation=a.generation - 1)
        beat("generation -1", a, version, generation=-1)
    for version in (3, 4):
        beat("an instance id that is not there", a, version, instance="static")
    leave("the only member", a)
    beat("empty group", a)


def a_sync_before_its_time(play):
    """Pending and waiting members may not sync."""
    a = lone(play)
    b = play.actor("b")
    named(b)
    sync("with an id alone", b, (), generation=a.generation)
    beat("with an id alone", b, generation=a.generation)
    joins(b)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    c = play.actor("c")
    c.id, c.generation = b.id, a.generation
    sync("of one whose join waits", c)
    beat("of one whose join waits", c)
    join("the leader", a)
    joined("the follower", b)
    sync("the follower shares out, and waits like any other", c, [(a, b"x"), (b, b"y")], generation=99)
    syncs(b, [(a, b"usurped"), (b, b"usurped")])
    play.waits("the follower's word counts for nothing", b)
    again = play.actor("again")
    again.id, again.generation = b.id, b.generation
    syncs(again)
    play.waits("the follower syncs again", again)
    sync("the leader shares out", a, [(a, b"x"), (b, b"y")])
    synced("the newer sync is answered", again)
    play.waits("the older one is forgotten", b)


def shares_for_some(play):
    a, b = pair(play)
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b)
    joined("the leader", a)
    sync("a share for the follower alone", a, [(b, b"all")])
    sync("the follower's", b)
    sync("the leader's, again", a)
    describe("stable", play)
    sync("a word of the leader in a stable group changes nothing", a, [(a, b"changed"), (b, b"changed")])
    sync("the follower's, again", b)
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower, a second time", b)
    joined("the leader, a second time", a)
    sync("twice the same member: the last word counts", a, [(a, b"1"), (b, b"2"), (a, b"3")])
    sync("the follower's, after that", b)


def leaving(play):
    a, b = pair(play)
    for version in range(6):
        leave("empty group id", a, version, group="")
        leave("unknown group", a, version, group="no such group")
        leave("unknown member", a, version, member="nobody")
        leave("empty member id", a, version, member="")
    for version in (3, 4, 5):
        leave("nobody", a, version, members=[])
        leave("nobody of an unknown group", a, version, members=[], group="no such group")
        leave("several strangers", a, version, members=[("nobody", None), ("", "static"), ("nobody", "static")])
    beat("nothing happened", a)
    c = play.actor("c")
    named(c)
    leave("one that has an id alone", c)
    beat("that was no rebalance", a)
    join("one that left before it came", c)
    leave("a known member and a stranger", a, members=[("nobody", None), (b.id, None)])
    beat("the leader learns of it", a)
    join("the leader", a)
    leave("completing", a)
    describe("empty", play)
    leave("an empty group", a)


def leaving_while_preparing(play):
    a, b = pair(play)
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    leave("the one who is waited for", b)
    joined("the other need not wait", a)
    sync("alone", a, [(a, b"all")])
    c = play.actor("c")
    named(c)
    joins(c)
    play.until("preparing again", lambda: state(play) == "PreparingRebalance")
    other = play.actor("other")
    leave("one whose join waits", other, member=c.id)
    joined("its join is refused", c)
    describe("the rest", play)
    join("the rest rejoins", a)


def a_follower_leaves_while_completing(play):
    a, b = pair(play)
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b)
    joined("the leader", a)
    syncs(b)
    play.waits("the follower's sync", b)
    leave("the leader, and the sync is answered", a)
    synced("the follower is told to rejoin", b)
    join("the follower leads", b)
    sync("the follower shares out", b, [(b, b"all")])


SCRIPTS = [refused_syncs, refused_beats, a_sync_before_its_time, shares_for_some, leaving, leaving_while_preparing,
           a_follower_leaves_while_completing]

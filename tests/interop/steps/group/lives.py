"""Whole lives of groups, in every version of the classic protocol's APIs."""
from steps.group.asks import (SESSION, beat, describe, describe_consumer, join, joined, joins, known, leave, listed,
                              lone, pair, sync, synced, syncs)


def life(version):
    """One member joins, shares out, beats and leaves, all in one version of the four APIs."""
    sync_version, beat_version, leave_version = min(version, 5), min(version, 4), min(version, 5)
    instance = "kept" if version == 6 else None

    def script(play):
        a = play.actor("a")
        if version >= 4 and instance is None:
            join("a new member is given an id", a, version)
            beat("with an id but outside the group", a, beat_version)
        join("a new member", a, version, instance=instance)
        describe("waiting for the leader's word", play, min(version, 6))
        beat("before the sync", a, beat_version, instance=instance)
        sync("the leader shares out", a, [(a, b"all of it")], sync_version, instance=instance)
        describe("stable", play, min(version, 6))
        beat("stable", a, beat_version, instance=instance)
        sync("again, it gives the same share", a, (), sync_version, instance=instance)
        beat("stale generation", a, beat_version, generation=a.generation - 1, instance=instance)
        join("the leader rejoins", a, version, instance=instance)
        sync("of the generation before", a, (), sync_version, generation=a.generation - 1, instance=instance)
        sync("the second generation", a, [(a, b"all again")], sync_version, instance=instance)
        leave("the last member", a, leave_version, instance=instance)
        beat("after leaving", a, beat_version, instance=instance)
        leave("again", a, leave_version, instance=instance)
        join("with the id from before", a, version, instance=None if version < 5 else instance)
        describe("empty", play, min(version, 6))
        listed("empty", play, min(version, 5))
    script.__name__ = f"life-v{version}"
    return script


def old_members_need_no_id(play):
    a, b = play.actor("a"), play.actor("b")
    join("v0 asks for no id", a, 0)
    joins(b, 3)
    play.until("b is known", lambda: len(play.quiet("DescribeGroups", 0, {"Groups": [play.group]})
                                         ["Groups"][0]["Members"]) == 2)
    play.waits("the second waits for the first", b)
    describe("while it waits", play)
    beat("the first learns of the rebalance", a)
    join("the first rejoins", a, 1)
    joined("then the second has joined", b)
    syncs(b, version=0)
    play.waits("the follower waits for the leader", b)
    sync("the leader shares out", a, [(a, b"one"), (b, b"two")], 1)
    synced("the follower is told", b)
    describe("two members", play)


def two_members(play):
    """The plain life of two members in the newest versions."""
    a, b = play.actor("a"), play.actor("b")
    join("the first is given an id", a)
    known(play)
    listed("a group that waits for its first member", play)
    describe("a group that waits for its first member", play)
    join("the first", a)
    sync("the first shares out", a, [(a, b"all")])
    join("the second is given an id", b)
    beat("the first beats on: an id alone is no rebalance", a)
    describe("an id alone is no member", play)
    joins(b)
    play.waits("the second waits for the first", b)
    describe("preparing", play)
    listed("preparing", play)
    beat("the first learns of the rebalance", a)
    other = play.actor("other")
    beat("the second, which waits", other, member=b.id, generation=a.generation)
    sync("while preparing", a, [(a, b"late")])
    join("the first rejoins", a)
    joined("the second has joined", b)
    describe("completing", play)
    listed("completing", play)
    beat("the leader, completing", a)
    syncs(b)
    play.waits("the follower waits for the leader's word", b)
    join("the leader rejoins while completing: its answer again", a)
    sync("the leader shares out, a stranger too", a, [(a, b"left"), (b, b"right"), ("stranger", b"x")])
    synced("the follower is told", b)
    describe("stable", play)
    listed("stable", play)
    describe_consumer("a classic group", play)
    leave("the leader", a)
    beat("the follower learns of the rebalance", b)
    join("the follower leads", b)
    sync("the follower shares out to nobody", b, ())
    describe("its own share is empty", play)
    leave("the last", b)
    describe("empty", play)
    listed("empty", play)


def three_members_and_no_more(play):
    """The judge sets group.max.size to 3."""
    a, b = pair(play)
    c, d = play.actor("c"), play.actor("d")
    join("the third is given an id", c)
    joins(c)
    play.until("c is known", lambda: len(play.quiet("DescribeGroups", 5, {"Groups": [play.group]})
                                         ["Groups"][0]["Members"]) == 3)
    joins(b)
    play.waits("the third", c)
    play.waits("the second", b)
    join("the first", a)
    joined("the second has joined", b)
    joined("the third has joined", c)
    join("a fourth is refused while completing", d)
    join("a fourth is refused in v3 too", d, 3)
    join("a stranger's id is refused", d, member="nobody-1")
    d.id = ""
    syncs(b)
    syncs(c)
    sync("the leader shares out", a, [(a, b"1"), (b, b"2"), (c, b"3")])
    synced("the second", b)
    synced("the third", c)
    join("a fourth is refused while stable", d)
    join("a static fourth is refused", d, instance="fourth")
    leave("the third", c)
    describe("two are left", play)


def cut_connections_stay_members(play):
    """A closed connection is no leave."""
    a = lone(play)
    a.hang_up()
    beat("on another connection", a)
    joins(a)
    a.conn.receive("JoinGroup", 9, a.held[2])
    a.held = None
    describe("completing after a rejoin", play)
    b = play.actor("b")
    b.id, b.generation = a.id, a.generation + 1
    sync("by another connection", b, [(a, b"all")])
    describe("stable again", play)


def a_longer_session(play):
    """Bounds of the session timeout; the judge sets them to 1 s and 60 s."""
    a = play.actor("a")
    for version in (0, 4, 9):
        join("session below the least", a, version, session=999)
        join("session above the most", a, version, session=60_001)
    join("session of nothing", a, session=0)
    join("session below zero", a, session=-1)
    describe("no group came of it", play)
    join("session at the least", a, 3, session=1_000)
    leave("at once", a, 2)
    a.id = ""
    join("session at the most", a, 3, session=60_000)
    join("a known member asks for too much", a, session=SESSION * 3)
    beat("and is still there", a)


SCRIPTS = [*(life(version) for version in range(10)), old_members_need_no_id, two_members, three_members_and_no_more,
           cut_connections_stay_members, a_longer_session]

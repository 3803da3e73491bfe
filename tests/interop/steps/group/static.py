"""Static members of the classic protocol: replaced, fenced, kept over a restart."""
from steps.group.asks import (beat, commit_as, describe, join, join_body, joined, joins, leave, lone, named, state,
                              sync, sync_body, synced, syncs)

PART = [("group-one", 0, 5)]


def static_pair(play):
    """A stable group of two static members, `left` its leader. Not steps."""
    a, b = play.actor("a"), play.actor("b")
    got = a.connect().call("JoinGroup", 9, join_body(a, instance="left"))
    a.id, a.generation = got["MemberId"], got["GenerationId"]
    play.member(a.id)
    a.conn.call("SyncGroup", 5, sync_body(a, [(a, b"all")], instance="left"))
    joins(b, instance="right")
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    got = a.conn.call("JoinGroup", 9, join_body(a, instance="left"))
    a.generation = got["GenerationId"]
    got = b.conn.receive("JoinGroup", 9, b.held[2])
    b.held, b.id, b.generation = None, got["MemberId"], got["GenerationId"]
    play.member(b.id)
    syncs(b, instance="right")
    a.conn.call("SyncGroup", 5, sync_body(a, [(a, b"for left"), (b, b"for right")], instance="left"))
    b.conn.receive("SyncGroup", 5, b.held[2])
    b.held = None
    return a, b


def static_from_the_start(play):
    a = play.actor("a")
    join("a static member needs no second join", a, instance="left")
    describe("completing", play)
    sync("without its instance id", a, [(a, b"all")], 2)
    beat("with its instance id", a, instance="left")
    beat("without its instance id", a)
    beat("with another instance id", a, instance="right")
    beat("with its instance id and another member id", a, member="nobody", instance="left")
    sync("with another member id", a, (), member="nobody", instance="left")
    leave("with another member id", a, member="nobody", instance="left")
    commit_as("with another member id", a, PART, member="nobody", instance="left")
    commit_as("with its instance id", a, PART, instance="left")
    join("another member id", a, member="nobody", instance="left")
    describe("stable", play)
    for version in (5, 6, 7, 8):
        other = play.actor(f"v{version}")
        play.group = f"{play.name}/{version}"
        join("static", other, version, instance="left")
        join("static, rejoins with its id", other, version, instance="left")
        join("static, another member id", other, version, instance="left", member="nobody")


def a_static_follower_restarts(play):
    a, b = static_pair(play)
    old = b.id
    new = play.actor("new")
    describe("before", play)
    join("unchanged, it takes its place without a rebalance", new, instance="right")
    describe("after", play)
    sync("it is told its share", new, instance="right")
    beat("the leader goes on", a, instance="left")
    beat("the old one is fenced", b, member=old, instance="right")
    sync("the old one is fenced", b, member=old, instance="right")
    join("the old one is fenced", b, member=old, instance="right")
    commit_as("the old one is fenced", b, PART, member=old, instance="right")
    leave("the old one is fenced", b, member=old, instance="right")
    beat("the old one without its instance id", b, member=old)
    for version in (5, 8):
        again = play.actor(f"again{version}")
        join("it restarts in an older version", again, version, instance="right")
        beat(f"and goes on after v{version}", again, instance="right")
    changed = play.actor("changed")
    join("with other metadata of the same protocol", changed, instance="right", protocols=(("range", b"changed"),))
    beat("which is no rebalance", a, instance="left")


def a_static_leader_restarts(play):
    a, b = static_pair(play)
    new = play.actor("new")
    join("v9 says that it need not assign", new, 9, instance="left")
    sync("it is told its share", new, instance="left")
    older = play.actor("older")
    join("v8 cannot say so", older, 8, instance="left")
    sync("its own word counts for nothing", older, [(older, b"usurped")], instance="left")
    oldest = play.actor("oldest")
    join("v5", oldest, 5, instance="left")
    beat("the follower goes on", b, instance="right")
    describe("after", play)
    changed = play.actor("changed")
    joins(changed, instance="left", protocols=(("roundrobin", b"x"), ("range", b"x")))
    joined("with another list, the choice stays", changed)
    beat("so the follower goes on", b, instance="right")
    last = play.actor("last")
    joins(last, instance="left", member=changed.id)
    play.waits("with its new id it rejoins, and that is a rebalance", last)
    beat("the follower learns of it", b, instance="right")
    join("the follower rejoins", b, instance="right")
    joined("the leader leads", last)


def a_static_member_changes_the_choice(play):
    """A replacement that changes the chosen protocol starts a rebalance."""
    a = lone(play, instance="left", protocols=(("range", b"r"), ("sticky", b"s")))
    new = play.actor("new")
    join("only the other protocol is left", new, instance="left", protocols=(("sticky", b"s"),))
    beat("the old one is fenced", a, instance="left")
    describe("a new generation", play)
    newer = play.actor("newer")
    join("replaced while completing", newer, instance="left", protocols=(("sticky", b"s"),))
    sync("the replaced one", new, [(new, b"x")], instance="left", name="sticky")
    sync("the newer one", newer, [(newer, b"x")], instance="left", name="sticky")
    describe("stable", play)


def replaced_while_waiting(play):
    """The waiting join of a static member is fenced by its replacement."""
    a, b = static_pair(play)
    joins(b, instance="right", protocols=(("range", b"changed"),))
    play.waits("the follower's join", b)
    new = play.actor("new")
    joins(new, instance="right")
    joined("the older join is fenced", b)
    play.waits("the newer waits", new)
    join("the leader", a, instance="left")
    joined("the newer has joined", new)
    syncs(new, instance="right")
    play.waits("the newer's sync", new)
    newest = play.actor("newest")
    joins(newest, instance="right")
    synced("the sync is fenced", new)
    join("the leader again", a, instance="left")
    joined("the newest", newest)


def static_members_leave(play):
    a, b = static_pair(play)
    tool = play.actor("tool")
    leave("the instance id is not known", tool, 3, members=[("", "nobody")])
    leave("by instance id alone", tool, 3, members=[("", "right")])
    beat("the leader learns of it", a, instance="left")
    beat("the one that was removed", b, instance="right")
    join("the leader", a, instance="left")
    sync("the leader", a, [(a, b"all")], instance="left")
    leave("by a dynamic leave of v2, which names its id", a, 2)
    describe("after", play)


def dynamic_and_static_together(play):
    a = lone(play, instance="left")
    b = play.actor("b")
    named(b)
    joins(b)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the static leader rejoins", a, instance="left")
    joined("the dynamic follower", b)
    syncs(b)
    sync("the leader shares out", a, [(a, b"x"), (b, b"y")], instance="left")
    synced("the follower", b)
    beat("a dynamic id with a static name", b, instance="left")
    leave("both at once", a, members=[(a.id, "left"), (b.id, None), (b.id, None)])
    describe("empty", play)


def a_static_member_joins_in_every_state(play):
    a, b = static_pair(play)
    joins(a, instance="left")
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    c = play.actor("c")
    joins(c, instance="middle")
    play.waits("a third while preparing", c)
    again = play.actor("again")
    joins(again, instance="left")
    joined("the leader's join is fenced by its replacement", a)
    join("the follower", b, instance="right")
    joined("the third", c)
    joined("the leader's replacement", again)
    describe("completing", play)
    newer = play.actor("newer")
    joins(newer, instance="left")
    play.waits("the leader is replaced while completing", newer)
    sync("the replaced leader", again, [(again, b"x")], instance="left")
    beat("the third learns of it", c, instance="middle")
    joins(c, instance="middle")
    join("the follower rejoins", b, instance="right")
    joined("the third rejoined", c)
    joined("the newest leader", newer)
    sync("shares out", newer, [(newer, b"l"), (b, b"r"), (c, b"m")], instance="left")
    sync("the follower's", b, instance="right")
    sync("the third's", c, instance="middle")
    leave("all, by name", play.actor("tool"), members=[("", "left"), ("", "middle"), ("", "right")])
    describe("empty", play)
    last = play.actor("last")
    join("the first of an empty group", last, instance="left")


SCRIPTS = [static_from_the_start, a_static_follower_restarts, a_static_leader_restarts,
           a_static_member_changes_the_choice, replaced_while_waiting, static_members_leave,
           dynamic_and_static_together, a_static_member_joins_in_every_state]

"""JoinGroup: what is refused, how the protocol is chosen, what starts a rebalance."""
from steps.group.asks import (beat, describe, join, joined, joins, known, leave, lone, named, pair, state,
                              subscription, sync, synced, syncs)


def refused_joins(play):
    a = play.actor("a")
    for version in range(10):
        join("empty group id", a, version, group="")
        join("unknown member of an unknown group", a, version, member="nobody")
        join("no protocols", a, version, protocols=(), group=play.group + "/none")
        join("no protocol type", a, version, kind="", group=play.group + "/none")
    join("a static id and an unknown member id", a, instance="static", member="nobody")
    for label, instance in (("empty", ""), ("of two dots", ".."), ("with a space", "a b"), ("of 250", "i" * 250)):
        a.id = ""
        join(f"an instance id {label}", a, instance=instance, group=f"{play.name}/{label}")
    a.id = ""
    join("an instance id in v4 is not seen", a, 4, instance="static")
    known(play)
    describe("the group it left behind", play)
    describe("no group came of no protocols", play, groups=[play.group + "/none"])


def unknown_members(play):
    a = lone(play)
    b = play.actor("b")
    for version in range(10):
        join("unknown member", b, version, member="nobody")
    b.id = ""
    join("a made-up static pair", b, instance="static", member="nobody")
    join("a dynamic member with an instance id", b, instance="static", member=a.id)
    beat("the group goes on", a)


def wrong_protocols(play):
    a = lone(play, protocols=(("range", b"r"), ("roundrobin", b"rr")))
    b = play.actor("b")
    for version in (0, 3, 4, 9):
        join("another protocol type", b, version, kind="connect")
        join("an empty protocol type", b, version, kind="")
        join("no protocol in common", b, version, protocols=(("sticky", b"s"),))
        join("no protocols at all", b, version, protocols=())
    join("a member that is known, with another type", a, kind="connect")
    join("an unknown member, with another type", b, kind="connect", member="nobody")
    beat("the group goes on", a)
    join("the lone member may change its protocols", a, protocols=(("sticky", b"s"),))
    sync("under the old name", a, [(a, b"x")], name="range")
    sync("under the new name", a, [(a, b"x")], name="sticky")
    describe("the new name", play)


def the_most_wanted_protocol(play):
    a, b = play.actor("a"), play.actor("b")
    mine = (("first", b"a1"), ("second", b"a2"), ("third", b"a3"))
    yours = (("third", b"b3"), ("second", b"b2"))
    named(a, protocols=mine)
    join("alone, the first of the list", a, protocols=mine)
    sync("alone", a, [(a, b"all")], name="first")
    named(b, protocols=yours)
    joins(b, protocols=yours)
    play.until("b is known", lambda: state(play) == "PreparingRebalance")
    swapped = (("third", b"a3"), ("second", b"a2"), ("first", b"a1"))
    join("both vote for the third", a, protocols=swapped)
    joined("the follower's list is its own", b)
    syncs(b, name="third")
    sync("of the third", a, [(a, b"x"), (b, b"y")], name="third")
    synced("of the third, the follower", b)
    describe("metadata is of the chosen protocol", play)
    join("a follower that wants what it wanted changes nothing", b, protocols=yours)
    beat("so the leader goes on", a)
    joins(b, protocols=(("third", b"new"), ("second", b"b2")))
    play.waits("a follower with new metadata", b)
    beat("and the leader learns of the rebalance", a)
    join("the leader sees the new metadata", a, protocols=swapped)
    joined("the follower", b)


def a_leader_rejoins(play):
    a, b = pair(play)
    join("a follower rejoins as it was", b)
    describe("nothing happened", play)
    joins(a)
    play.waits("the leader waits for the follower", a)
    beat("the follower learns of it", b)
    sync("the follower syncs too late", b)
    join("the follower rejoins", b)
    joined("the leader leads again", a)
    join("the follower rejoins while completing", b)
    joins(b, protocols=(("range", b"changed"),))
    play.waits("the follower changes its metadata while completing", b)
    sync("the leader was overtaken", a, [(a, b"x"), (b, b"y")])
    join("the leader rejoins", a)
    joined("the follower", b)
    sync("the leader shares out", a, [(a, b"x"), (b, b"y")])
    sync("the follower is told at once", b)


def a_follower_waits_and_is_overtaken(play):
    """A follower's sync is answered with a rebalance when the group starts over."""
    a, b = pair(play)
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b)
    joined("the leader", a)
    syncs(b)
    play.waits("the follower waits for the leader's word", b)
    joins(a, protocols=(("range", b"changed"),))
    synced("the follower is told to rejoin", b)
    join("the follower rejoins", b)
    joined("the leader has joined again", a)


def the_same_join_twice(play):
    """The second request of a member replaces the first."""
    a, b = pair(play)
    again = play.actor("again")
    again.id = b.id
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    other = play.actor("other")
    other.id = a.id
    joins(other)
    play.waits("the newer request", other)
    join("the follower ends the rebalance", again)
    joined("the newer request is answered", other)
    play.waits("the older request is forgotten", a)
    describe("one generation on", play)


def other_kinds_of_group(play):
    """Connect's workers and anybody else's protocols."""
    connect = (("sessioned", b"worker"), ("eager", b"worker"))
    a = play.actor("a")
    named(a, kind="connect", protocols=connect)
    join("a Connect worker", a, kind="connect", protocols=connect)
    sync("as a consumer", a, [(a, b"tasks")], kind="consumer", name="sessioned")
    sync("under another name", a, [(a, b"tasks")], kind="connect", name="eager")
    sync("without words, which v5 must have", a, [(a, b"tasks")], kind=None, name=None)
    sync("without words, as in v4", a, [(a, b"tasks")], 4)
    describe("of Connect", play)
    play.ask("of Connect", "ListGroups", 4, {"StatesFilter": ["Stable"]})
    play.ask("of Connect", "ListGroups", 5, {"TypesFilter": ["classic"]})
    b = play.actor("b")
    join("a consumer", b)
    join("a worker without a protocol in common", b, kind="connect", protocols=(("compatible", b""),))
    join("a worker", b, kind="connect", protocols=connect)


def embedded_subscriptions(play):
    """What consumers say in metadata comes back byte for byte."""
    bodies = [subscription(play, "group-four", version=0), subscription(play, "group-four", "group-two", version=1),
              subscription(play, "group-four", version=2, owned=[("group-four", [0, 1])], generation=4),
              subscription(play, "group-four", version=3, owned=[("group-four", [2])], generation=5, rack="r1"),
              b"", b"\0", b"\xff" * 64]
    for at, data in enumerate(bodies):
        a = play.actor(f"a{at}")
        play.group = f"{play.name}/{at}"
        named(a, protocols=(("cooperative-sticky", data),))
        join(f"metadata {at}", a, protocols=(("cooperative-sticky", data),))
        sync(f"assignment {at}", a, [(a, data)], name="cooperative-sticky")
        describe(f"both, {at}", play)


def more_ids_than_places(play):
    """Ids are given out freely; places are taken by joining. The judge sets group.max.size to 3."""
    actors = [play.actor(str(at)) for at in range(5)]
    for at, actor in enumerate(actors):
        join(f"id {at}", actor)
    known(play)
    describe("five ids", play)
    join("the first of an empty group need not wait for ids", actors[0])
    joins(actors[1])
    joins(actors[2])
    play.until("three are known", lambda: len(play.quiet("DescribeGroups", 5, {"Groups": [play.group]})
                                              ["Groups"][0]["Members"]) == 3)
    joins(actors[0])
    play.waits("all who are known have joined, but there are ids", actors[0])
    join("the fourth is refused, and its id is forgotten", actors[3])
    join("its id is unknown", actors[3], member=actors[3].id)
    describe("three wait", play)
    leave("the fifth gives its id back", actors[4])
    for at in range(3):
        joined(f"then number {at} has joined", actors[at])
    describe("completing", play)


def an_id_with_an_instance(play):
    """An id that was given to a dynamic member is none for a static one."""
    a = lone(play)
    b = play.actor("b")
    named(b)
    beat("with an instance id", b, generation=1, instance="static")
    sync("with an instance id", b, generation=1, instance="static")
    leave("with an instance id", b, instance="static")
    beat("the group goes on", a)


SCRIPTS = [refused_joins, unknown_members, wrong_protocols, the_most_wanted_protocol, a_leader_rejoins,
           a_follower_waits_and_is_overtaken, more_ids_than_places, an_id_with_an_instance, the_same_join_twice,
           other_kinds_of_group, embedded_subscriptions]

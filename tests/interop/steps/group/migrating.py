"""Groups that change their protocol while they live: classic to consumer, back, and both kinds of member in one."""
from steps.group.asks import (assignment, beat, commit, commit_as, consumer_state, delete, describe, describe_consumer,
                              enter, forget, join, join_body, joined, joins, leave, listed, lone, named, offsets, pair,
                              pulse, quiet_pulse, state, subscription, sync, sync_body, synced, syncs)

PART = [("group-four", 0, 7)]


def speaks(play, *topics, owned=(), generation=-1, names=("range",)):
    """Protocols of a classic member that subscribes to topics."""
    data = subscription(play, *(topics or ("group-four",)), owned=owned, generation=generation, version=2)
    return tuple((name, data) for name in names)


def classic_owner(play, *, share=None, **how):
    """A stable classic group of one member that owns all of group-four. Not steps."""
    a = play.actor("a")
    how.setdefault("protocols", speaks(play))
    instance = how.get("instance")
    if instance is None:
        named(a, **how)
    got = a.connect().call("JoinGroup", 9, join_body(a, **how))
    a.id, a.generation = got["MemberId"], got["GenerationId"]
    play.member(a.id)
    share = assignment(play, ("group-four", [0, 1, 2, 3])) if share is None else share
    a.conn.call("SyncGroup", 4, sync_body(a, [(a, share)], instance=instance))
    return a


def up_and_down(play):
    """A member of the consumer protocol joins a classic group and leaves it again."""
    a, b = classic_owner(play), play.actor("b")
    commit_as("before", a, PART, 8)
    enter("the new member turns the group", b)
    describe("asked as a classic group", play)
    describe_consumer("both kinds of member", play)
    listed("both kinds of member", play)
    beat("the classic one learns of the rebalance", a)
    sync("the classic one syncs in vain", a)
    commit_as("the classic one, in its generation", a, PART, 8)
    commit_as("the classic one, by v2", a, PART, 2)
    commit_as("the classic one, generation ahead", a, PART, 8, generation=a.generation + 9)
    commit_as("the classic one, no generation", a, PART, 8, generation=-1)
    commit_as("the new one, by v8", b, PART, 8)
    commit_as("the new one, by v9", b, PART, 9)
    join("the classic one rejoins and is asked to give up two", a,
         protocols=speaks(play, owned=[("group-four", [0, 1, 2, 3])], generation=1))
    describe_consumer("it must give up two", play)
    sync("it is told what it keeps", a)
    beat("it is told to rejoin", a)
    pulse("the new one waits", b)
    join("the classic one has given up two", a, protocols=speaks(play, owned=[("group-four", [0, 1])], generation=1))
    sync("its share", a)
    beat("goes on", a)
    pulse("the new one gets two", b)
    describe_consumer("stable", play)
    offsets("what was committed", play, None)
    forget("a topic that is subscribed to", play, [("group-four", [0])])
    delete("with members", play)
    pulse("the new one leaves, and the group turns back", b, epoch=-1)
    describe("turned back", play)
    describe_consumer("turned back", play)
    listed("turned back", play)
    beat("the classic one learns of the rebalance that follows", a)
    join("the classic one rejoins", a, protocols=speaks(play))
    sync("the leader shares out", a, [(a, assignment(play, ("group-four", [0, 1, 2, 3])))])
    describe("classic and stable", play)
    offsets("still there", play, None)


def the_last_classic_member_leaves(play):
    a, b = classic_owner(play), play.actor("b")
    enter("turned", b)
    for version in range(6):
        leave("strangers", a, version, member="nobody")
    leave("the classic one", a)
    pulse("the new one gets all", b)
    describe_consumer("only the new one", play)
    beat("the one that left", a)
    pulse("the new one leaves", b, epoch=-1)
    describe_consumer("empty", play)
    a.id = ""
    join("a classic member is given an id by an empty consumer group", a, protocols=speaks(play))
    describe("turned back by it", play)
    join("a classic member", a, protocols=speaks(play))
    describe("a classic group", play)


def into_a_group_of_the_consumer_protocol(play):
    """Classic members join where the consumer protocol is spoken."""
    a, b = play.actor("a"), play.actor("b")
    enter("a group of the consumer protocol", a, topics=("group-six",))
    for version in (0, 4, 9):
        join("another protocol type", b, version, kind="connect")
        join("no protocols", b, version, protocols=())
        join("unknown member", b, version, member="nobody", kind="connect")
    b.id = ""
    join("metadata that says nothing", b, protocols=(("range", b"\xff"),))
    join("metadata that says nothing, with the id", b, protocols=(("range", b"\xff"),))
    join("a session that is too short", b, session=1, protocols=speaks(play, "group-six"))
    c = play.actor("c")
    join("a classic member needs an id first", c, protocols=speaks(play, "group-six"))
    describe_consumer("which is not kept", play)
    join("any id will do", c, protocols=speaks(play, "group-six", names=("range", "cooperative-sticky")))
    describe_consumer("both kinds of member", play)
    join("rejoins with nothing new", c, protocols=speaks(play, "group-six", names=("range", "cooperative-sticky")))
    sync("another generation", c, generation=1)
    sync("another protocol type", c, kind="connect")
    sync("another protocol name", c, name="cooperative-sticky")
    sync("the wrong instance id", c, instance="static")
    sync("by v4", c, version=4)
    sync("its share, so far nothing", c)
    beat("goes on", c)
    beat("another generation", c, generation=1)
    beat("an instance id", c, instance="static")
    d = play.actor("d")
    join("no protocol in common with the classic one", d, protocols=speaks(play, "group-six", names=("sticky",)))
    join("one in common", d, 3, protocols=speaks(play, "group-six", names=("cooperative-sticky",)))
    pulse("a new one asks", a)
    pulse("by the consumer protocol, a classic member", c, epoch=c.generation)
    describe_consumer("the classic one was turned by its heartbeat", play)


def versions_of_joins(play):
    """Classic joins of every version into a group of the consumer protocol."""
    for version in range(10):
        play.group = f"{play.name}/{version}"
        a, b = play.actor("a"), play.actor("b")
        enter("the group", a, topics=("group-two",))
        join("a classic member", b, version, protocols=speaks(play, "group-one"))
        if version >= 4:
            join("with its id", b, version, protocols=speaks(play, "group-one"))
        sync("its share", b, (), min(version, 5))
        beat("goes on", b, min(version, 4))
        leave("leaves", b, min(version, 5))
        beat("is gone", b, min(version, 4))
        describe_consumer("after that", play)


def refused_ups(play):
    """Groups that the consumer protocol cannot take over."""
    for word, how in (("workers", {"kind": "connect"}),
                      ("no-metadata", {"protocols": (("range", b""),)}),
                      ("bad-metadata", {"protocols": (("range", b"\xff\xff\xff"),)}),
                      ("bad-share", {"share": b"rubbish"}),
                      ("short-share", {"share": b"\0\1\0\0"}),
                      ("user-data", {"share": b"\0\1\0\0\0\0\0\0\0\4user"})):
        play.group = f"{play.name}/{word}"
        a, b = classic_owner(play, **how), play.actor("b")
        enter("a new member", b)
        describe("as it was", play)
        beat("goes on", a)
        pulse("not even with an epoch", b, epoch=1)
        pulse("nor leaving", b, epoch=-1)
        describe_consumer("asked as a consumer group", play)
    play.group = f"{play.name}/no-share"
    a, b = classic_owner(play, share=b""), play.actor("b")
    enter("a share of nothing will do", b, topics=("group-two",))
    describe_consumer("a share of nothing", play)


def ups_of_empty_groups(play):
    b = play.actor("b")
    play.group = f"{play.name}/commits"
    commit("a group of commits", play, PART)
    enter("a group of commits turns", b)
    describe_consumer("a group of commits", play)
    offsets("they are still there", play, None)
    play.group = f"{play.name}/left"
    a = lone(play, kind="connect")
    leave("an empty group of workers", a)
    b.id = ""
    enter("an empty group of workers turns", b)
    describe_consumer("an empty group", play)
    play.group = f"{play.name}/pending"
    a = play.actor("pending")
    named(a, protocols=speaks(play))
    b.id = ""
    enter("a group where only an id was given out turns", b)
    join("the one with the id", a, protocols=speaks(play))
    describe_consumer("both", play)


def ups_of_moving_groups(play):
    """Joins and syncs that wait are told to rejoin when the group turns."""
    protocols = speaks(play)
    play.group = f"{play.name}/preparing"
    a, c = classic_owner(play), play.actor("c")
    named(c, protocols=protocols)
    joins(c, protocols=protocols)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    b = play.actor("b")
    enter("the new member", b)
    joined("the join that waited", c)
    play.counting = True  # who gets which of the two that are left is a matter of hashing
    describe_consumer("turned", play)
    play.counting = False
    beat("the classic one", a)
    play.group = f"{play.name}/completing"
    a, other = play.actor("a2"), speaks(play, "group-one")
    named(a, protocols=other)
    join("the leader", a, protocols=other)
    b = play.actor("b2")
    enter("the new member", b, topics=("group-two",))
    describe_consumer("turned", play)
    sync("the leader's word", a, [(a, assignment(play, ("group-one", [0])))])
    join("the leader rejoins", a, protocols=other)
    sync("its share", a)
    pulse("the new member again", b)
    play.group = f"{play.name}/waiting"
    protocols = speaks(play, "group-six")
    a, c = pair(play, [assignment(play, ("group-six", [at, at + 1, at + 2])) for at in (0, 3)], protocols=protocols)
    joins(a, protocols=protocols)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", c, protocols=protocols)
    joined("the leader", a)
    syncs(c)
    play.waits("the follower's sync", c)
    b = play.actor("b3")
    enter("the new member", b, topics=("group-six",))
    synced("the follower is told to rejoin", c)
    play.counting = True
    describe_consumer("turned", play)
    play.counting = False
    beat("the follower", c)


def static_members_change_sides(play):
    """A static member restarts with the other protocol."""
    a = classic_owner(play, instance="left")
    old = a.id
    b = play.actor("b")
    enter("restarts with the consumer protocol", b, instance="left")
    describe_consumer("it is the only member", play)
    beat("the old one", a, instance="left")
    commit_as("the old one", a, PART, 8, instance="left")
    pulse("owns what it owned", b, instance="left", owned=[("group-four", range(4))])
    c = play.actor("c")
    join("restarts with the classic protocol", c, instance="left", protocols=speaks(play))
    describe("turned back", play)
    sync("is told its share", c, instance="left")
    beat("goes on", c, instance="left")
    pulse("the old one", b, instance="left")
    play.keep("ids differ", len({old, b.id, c.id}) == 3)


def a_static_classic_member_among_others(play):
    a, b = play.actor("a"), play.actor("b")
    enter("dynamic, of the consumer protocol", a)
    join("static, of the classic protocol", b, instance="left", protocols=speaks(play))
    sync("its share, so far nothing", b, instance="left")
    c = play.actor("c")
    join("restarts", c, instance="left", protocols=speaks(play))
    sync("restarted", c, instance="left")
    beat("the old one", b, instance="left")
    sync("the old one", b, instance="left")
    join("the old one", b, instance="left", protocols=speaks(play))
    join("another member id", b, instance="left", member="nobody", protocols=speaks(play))
    leave("by another id", b, members=[("nobody", "left")])
    d = play.actor("d")
    enter("restarts with the consumer protocol", d, instance="left")
    describe_consumer("two of the consumer protocol", play)
    pulse("leaves for a while", d, instance="left", epoch=-2)
    e = play.actor("e")
    join("comes back with the classic protocol", e, instance="left", protocols=speaks(play))
    describe_consumer("one of each", play)
    leave("by instance id alone", e, members=[("", "left")])
    describe_consumer("one is left", play)


def mixed_members_leave(play):
    a, b = classic_owner(play), play.actor("b")
    enter("turned", b)
    leave("both at once, by the classic leave", a, members=[(a.id, None), (b.id, None), ("nobody", None)])
    describe_consumer("empty", play)


def the_new_member_is_removed(play):
    """The classic leave of the last member of the consumer protocol turns the group back."""
    a, b = classic_owner(play), play.actor("b")
    enter("turned", b)
    leave("the new one, by the classic leave", a, members=[(b.id, None)])
    describe("turned back", play)
    pulse("the new one", b)


def silent_classic_members(play):
    """A classic member that does not rejoin in its rebalance timeout, or does not sync, is fenced."""
    def members():
        found = play.quiet("ConsumerGroupDescribe", 1, {"GroupIds": [play.group]})["Groups"][0]
        return len(found["Members"])
    play.group = f"{play.name}/join"
    a, b = classic_owner(play, rebalance=1_500), play.actor("b")
    enter("the new member", b)
    beat("learns of the rebalance", a)
    play.until("it is fenced", lambda: members() == 1)
    beat("did not rejoin", a)
    pulse("the new one gets all", b)
    play.group = f"{play.name}/sync"
    c, d = play.actor("c"), play.actor("d")
    enter("another group", c)
    join("is given an id", d, rebalance=1_500, protocols=speaks(play))
    join("joins", d, rebalance=1_500, protocols=speaks(play))
    play.until("it is fenced", lambda: members() == 1)
    sync("too late", d)
    play.group = f"{play.name}/session"
    e, f = play.actor("e"), play.actor("f")
    enter("a third group", e)
    join("is given another id", f, session=1_500, protocols=speaks(play))
    join("joins it", f, session=1_500, protocols=speaks(play))
    sync("and syncs", f)
    play.until("its session is over", lambda: members() == 1)
    beat("too late", f)


def a_topic_grows_under_both_kinds(play):
    play.create("migrating-grows", 2)
    a, b = classic_owner(play, share=assignment(play, ("migrating-grows", [0, 1])),
                         protocols=speaks(play, "migrating-grows")), play.actor("b")
    enter("turned", b, topics=("migrating-grows",))
    beat("learns of the rebalance", a)
    join("gives up one", a, protocols=speaks(play, "migrating-grows", owned=[("migrating-grows", [0, 1])]))
    sync("keeps one", a)
    join("gave up one", a, protocols=speaks(play, "migrating-grows", owned=[("migrating-grows", [0])]))
    sync("keeps it", a)
    pulse("the new one gets one", b)
    play.quiet("CreatePartitions", 3, {"Topics": [{"Name": "migrating-grows", "Count": 4, "Assignments": None}],
                                       "TimeoutMs": 10000})

    def grown():
        quiet_pulse(b, owned=[("migrating-grows", [1])])
        return consumer_state(play)[1] > 2
    play.until("the group notices", grown)
    play.counting = True  # who gets which of the new ones is a matter of hashing
    beat("the classic one learns of it", a)
    commit_as("in the generation before", a, [("migrating-grows", 0, 1)], 8)
    join("rejoins", a, protocols=speaks(play, "migrating-grows", owned=[("migrating-grows", [0])]))
    play.quiet("Heartbeat", 4, {"GroupId": play.group, "GenerationId": a.generation, "MemberId": a.id})
    describe_consumer("two each", play)


def old_and_new_subscriptions(play):
    """A classic member's metadata of every version of the embedded protocol."""
    for version in range(4):
        play.group = f"{play.name}/{version}"
        data = subscription(play, "group-two", version=version, rack="r1")
        a, b = play.actor("a"), play.actor("b")
        enter("the group", a, topics=("group-one",))
        join("is given an id", b, protocols=(("range", data),))
        join("joins", b, protocols=(("range", data),))
        sync("its share", b)
        describe_consumer("both", play)
        pulse("the new one leaves, and the group turns", a, epoch=-1)
        describe("turned", play)
        join("rejoins", b, protocols=(("range", data),))
        sync("shares out", b, [(b, b"all")])
        describe("stable", play)


def members_that_turn_one_by_one(play):
    """A rolling upgrade: each classic member is replaced by one of the consumer protocol."""
    protocols = speaks(play, "group-six", names=("cooperative-sticky", "range"))
    a, c = pair(play, [assignment(play, ("group-six", [at, at + 1, at + 2])) for at in (0, 3)], protocols=protocols)
    commit_as("before", a, [("group-six", 0, 5)])
    leave("the leader stops", a)
    d = play.actor("d")
    enter("and comes back with the consumer protocol", d, topics=("group-six",))
    beat("the other learns of it", c)
    play.counting = True  # who gets which partition is a matter of hashing
    describe_consumer("one of each", play)
    leave("the other stops", c)
    describe_consumer("one is left", play)
    e = play.actor("e")
    enter("and comes back too", e, topics=("group-six",))
    pulse("the first asks", d)
    describe_consumer("both of the consumer protocol", play)
    offsets("still there", play, None)


SCRIPTS = [silent_classic_members, up_and_down, the_last_classic_member_leaves, into_a_group_of_the_consumer_protocol,
           versions_of_joins, refused_ups, ups_of_empty_groups, ups_of_moving_groups, static_members_change_sides,
           a_static_classic_member_among_others, mixed_members_leave, the_new_member_is_removed,
           a_topic_grows_under_both_kinds, old_and_new_subscriptions, members_that_turn_one_by_one]

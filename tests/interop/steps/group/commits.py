"""OffsetCommit, OffsetFetch and OffsetDelete of simple consumers and of members of the classic protocol."""
from steps.group.asks import (commit, commit_as, delete, describe, describe_consumer, forget, join, joined, joins,
                              leave, lone, named, offsets, pair, state, subscription, sync)

FIRST = [("group-four", 0, 11)]
ALL_FOUR = [("group-four", range(4))]


def simple_consumers(play):
    """Commits without a member, in every version, each to a group of its own."""
    for version in range(2, 11):
        play.group = f"{play.name}/{version}"
        offsets("of a group that is not there", play, ALL_FOUR, version=version)
        commit("the first commit makes the group", play, [("group-four", 0, 11, 0, "note")], version)
        describe(f"made by a commit of v{version}", play)
        offsets("one is there, three are not", play, ALL_FOUR, version=version)
        commit("several", play, [("group-four", 1, 0), ("group-two", 0, 5, 3, None),
                                 ("group-two", 1, 2**62, -1, "x" * 64)], version)
        offsets("an unknown partition", play, [("group-four", [0, 9])], version=version)
        offsets("an unknown topic", play, [("group-none", [0]), ("group-two", [0, 1])], version=version)
        offsets("topics without partitions", play, [("group-two", [])], version=version)
        offsets("no topics", play, [], version=version)
        offsets("all topics", play, None, version=version)
        commit("an unknown partition", play, [("group-four", 9, 1)], version)
        commit("an unknown topic", play, [("group-none", 0, 1), ("group-one", 0, 1)], version)
        commit("a note that is too long", play, [("group-one", 0, 2, -1, "x" * 65), ("group-two", 0, 6)], version)
        commit("below zero", play, [("group-one", 0, -1), ("group-two", 0, -5)], version)
        commit("no topics", play, [], version)
        commit("a generation without a member", play, FIRST, version, generation=0)
        commit("a member without a generation", play, FIRST, version, member="nobody")
        commit("a member and a generation", play, FIRST, version, member="nobody", generation=1)
        offsets("all of that together", play, [("group-four", range(4)), ("group-two", [0, 1]), ("group-one", [0])],
                version=version)
    for version in (7, 8, 9, 10):
        play.group = f"{play.name}/{version}"
        commit("with an instance id", play, FIRST, version, instance="static")
    for version in (2, 3, 4):
        play.group = f"{play.name}/{version}"
        commit("kept for an hour", play, FIRST, version, retention=3_600_000)
    for version in (8, 9):
        commit("of a group that is not there, with a generation", play, FIRST, version, group=play.name + "/none",
               generation=3)
    commit("of a group that is not there, with a member", play, FIRST, 9, group=play.name + "/member", member="nobody")


def the_group_without_a_name(play):
    """The empty group id is a group for commits alone. No other script may touch it."""
    play.group = ""
    for version in range(1, 11):
        offsets("nothing yet", play, ALL_FOUR, version=version)
    forget("nothing yet", play, ALL_FOUR)
    for version in range(2, 11):
        commit("without a member", play, [("group-four", 0, version)], version)
        commit("with a generation", play, FIRST, version, generation=0)
        commit("with a member", play, FIRST, version, member="nobody")
    for version in range(1, 11):
        offsets("what was committed", play, ALL_FOUR, version=version)
    for version in range(7):
        describe("described", play, version)
    describe_consumer("described", play)
    forget("something", play, ALL_FOUR)
    for version in range(4):
        delete("deleted", play, version)
        describe(f"after delete v{version}", play)


def more_than_once(play):
    commit("the same partition twice: the last counts", play, [("group-one", 0, 1), ("group-one", 0, 2)])
    offsets("the last", play, [("group-one", [0])])
    offsets("the same partition twice", play, [("group-one", [0, 0]), ("group-one", [0])])
    commit("back", play, [("group-one", 0, 0)])
    offsets("an offset may go back", play, [("group-one", [0])])
    commit("null is a note too", play, [("group-one", 0, 0, -1, None)])
    offsets("an empty note", play, [("group-one", [0])])
    commit("a note in letters of more bytes", play, [("group-one", 0, 0, -1, "\u00fc" * 64)])
    commit("a leader epoch that is not there yet", play, [("group-one", 0, 7, 99)])
    offsets("and it is kept", play, [("group-one", [0])])


def several_groups(play):
    one, two, none = (f"{play.name}/{word}" for word in ("one", "two", "none"))
    commit("one", play, FIRST, group=one)
    commit("two", play, [("group-two", 1, 22)], group=two)
    wanted = [(one, ALL_FOUR), (two, None), (none, [("group-two", [1])]), (one, [("group-none", [0])])]
    for version in (8, 9, 10):
        offsets("three groups", play, None, version=version, groups=wanted)
        offsets("no groups", play, None, version=version, groups=[])
        offsets("must be stable", play, None, version=version, groups=wanted[:3], stable=True)
        offsets("all topics of a group that is not there", play, None, version=version, groups=[(none, None)])
    for version in (7, 6, 2):
        offsets("must be stable", play, ALL_FOUR, version=version, group=one, stable=True)
        offsets("all topics of a group that is not there", play, None, version=version, group=none)
    offsets("null topics in v1 cannot be said", play, [], version=1, group=one)
    for version in (9, 10):
        offsets("a member of a group of the classic protocol is not looked at", play, ALL_FOUR, version=version,
                group=one, member="nobody", epoch=3)
        offsets("an epoch alone", play, ALL_FOUR, version=version, group=one, epoch=3)


def by_id_and_by_name(play):
    commit("by id", play, FIRST, 10)
    offsets("what was committed by id, by name", play, ALL_FOUR, version=9)
    commit("by name", play, [("group-four", 1, 12)], 9)
    offsets("what was committed by name, by id", play, ALL_FOUR, version=10)
    play.topics["nobody's"] = "cd" * 16
    play.topics["zero"] = "00" * 16
    commit("an unknown id and a known one", play, [("nobody's", 0, 1), ("group-one", 0, 1)], 10)
    commit("id zero", play, [("zero", 0, 1)], 10)
    offsets("an unknown id and a known one", play, [("nobody's", [0, 1]), ("group-one", [0])], version=10)
    offsets("id zero", play, [("zero", [0])], version=10)
    commit("an empty name", play, [("", 0, 1)], 9)
    commit("a name that cannot be", play, [("bad name!", 0, 1)], 9)
    offsets("a name that cannot be", play, [("bad name!", [0]), ("", [0])], version=9)


def members_commit(play):
    a = lone(play)
    for version in range(2, 11):
        commit_as("a member", a, FIRST, version)
        commit_as("generation ahead", a, FIRST, version, generation=a.generation + 1)
        commit_as("generation behind", a, FIRST, version, generation=a.generation - 1)
        commit_as("no generation", a, FIRST, version, generation=-1)
        commit_as("unknown member", a, FIRST, version, member="nobody")
        commit_as("empty member id", a, FIRST, version, member="")
        commit("nobody at all", play, FIRST, version)
    for version in (7, 9, 10):
        commit_as("an instance id that is not there", a, FIRST, version, instance="static")
    commit_as("a topic that the member does not subscribe to", a, [("group-two", 0, 1)])
    leave("the only member", a)
    commit_as("the member that left", a, FIRST)
    commit_as("the member that left, without its generation", a, FIRST, generation=-1)
    commit("nobody at all, now that it is empty", play, [("group-four", 2, 9)])
    describe("empty, with offsets", play)
    offsets("what was committed", play, ALL_FOUR)


def commits_while_the_group_moves(play):
    a, b = pair(play)
    commit_as("stable", a, FIRST)
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    commit_as("preparing: the follower's last chance", b, [("group-four", 1, 5)])
    commit_as("preparing: a stale one", b, FIRST, generation=0)
    commit("preparing: nobody at all", play, FIRST)
    offsets("preparing", play, ALL_FOUR)
    c = play.actor("c")
    named(c)
    commit_as("one that has an id alone", c, FIRST, generation=b.generation)
    leave("it goes", c)
    join("the follower", b)
    joined("the leader", a)
    commit_as("completing: the leader", a, FIRST)
    commit_as("completing: of the generation before", a, FIRST, generation=a.generation - 1)
    commit("completing: nobody at all", play, FIRST)
    sync("the leader shares out", a, [(a, b"x"), (b, b"y")])
    commit_as("stable, before the follower has synced", b, FIRST)
    sync("the follower", b)


def deleting_offsets(play):
    """OffsetDelete spares what living members subscribe to."""
    forget("unknown group", play, ALL_FOUR)
    forget("unknown group, no topics", play, [])
    commit("without members", play, [("group-four", 0, 1), ("group-four", 1, 1), ("group-two", 0, 1)])
    forget("one that is there, one without an offset, one that is unknown", play, [("group-four", [0, 3, 9])])
    forget("unknown topic", play, [("group-none", [0]), ("group-two", [0])])
    forget("no partitions", play, [("group-four", [])])
    forget("no topics", play, [])
    offsets("what is left", play, None)
    forget("the last", play, [("group-four", [1])])
    offsets("nothing is left", play, None)
    describe("the group is still there", play)
    play.group = f"{play.name}/consumers"
    meta = subscription(play, "group-four")
    a = lone(play, protocols=(("range", meta),))
    commit_as("two topics", a, [("group-four", 0, 1), ("group-two", 0, 1)])
    forget("a topic that is subscribed to, and another", play, [("group-four", [0]), ("group-two", [0])])
    offsets("one is left", play, None)
    joins(a, protocols=(("range", meta),))
    joined("completing", a)
    forget("completing", play, [("group-four", [0])])
    leave("the member", a)
    forget("empty", play, [("group-four", [0])])
    play.group = f"{play.name}/workers"
    lone(play, kind="connect")
    forget("members that are no consumers", play, [("group-four", [0])])
    play.group = f"{play.name}/rubbish"
    rubbish = lone(play, protocols=(("range", b"\xff\xff"),))
    commit_as("with metadata that says nothing", rubbish, [("group-four", 0, 1)])
    forget("with metadata that says nothing", play, [("group-four", [0])])


def topics_go(play):
    """The offsets of a topic go with it."""
    play.create("commits-doomed", 2)
    commit("three partitions", play, [("commits-doomed", 0, 1), ("commits-doomed", 1, 2), ("group-one", 0, 3)])
    commit("another group has nothing else", play, [("commits-doomed", 0, 1)], group=play.name + "/only")
    play.quiet("DeleteTopics", 5, {"TopicNames": ["commits-doomed"], "TimeoutMs": 10000})

    def left(group):
        got = play.quiet("OffsetFetch", 8, {"Groups": [{"GroupId": group, "Topics": None}]})
        return sorted(topic["Name"] for topic in got["Groups"][0]["Topics"])
    play.until("the offsets are gone", lambda: left(play.group) == ["group-one"] and not left(play.name + "/only"))
    offsets("what is left", play, None)
    describe("the other group is still there", play, groups=[play.name + "/only"])
    commit("to the topic that is gone", play, [("commits-doomed", 0, 5)])
    commit("to the topic that is gone, by id", play, [("commits-doomed", 0, 5)], 10)
    play.create("commits-doomed", 1)
    offsets("of the next topic of that name", play, [("commits-doomed", [0])])
    delete("with offsets left", play)
    offsets("after that", play, None)


SCRIPTS = [simple_consumers, the_group_without_a_name, more_than_once, several_groups, by_id_and_by_name,
           members_commit, commits_while_the_group_moves, deleting_offsets, topics_go]

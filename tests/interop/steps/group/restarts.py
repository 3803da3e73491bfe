"""Groups over a crash of the broker: a script yields where the broker is killed and started again."""
from steps.group.asks import (assignment, beat, commit, commit_as, consumer_state, describe, describe_consumer, enter,
                              join, joined, joins, leave, listed, lone, named, offsets, pair, pulse, state,
                              subscription, sync)

PARTS = [("group-four", 0, 7, 3, "note"), ("group-four", 1, 8, -1, ""), ("group-two", 0, 9)]


def offsets_after_a_crash(play):
    commit("three", play, PARTS)
    commit("one again", play, [("group-two", 0, 11)])
    play.quiet("OffsetDelete", 0, {"GroupId": play.group, "Topics": [
        {"Name": "group-four", "Partitions": [{"PartitionIndex": 1}]}]})
    yield
    offsets("are there", play, None)
    describe("the group", play)
    listed("the group", play)


def a_stable_group_after_a_crash(play):
    a, b = pair(play)
    commit_as("before", a, PARTS[:1])
    yield
    describe("stable", play)
    listed("stable", play)
    beat("the leader", a)
    beat("the follower", b)
    sync("the follower's share", b)
    commit_as("the follower", b, PARTS[1:])
    joins(a)
    play.waits("the leader rejoins", a)
    join("the follower rejoins", b)
    joined("the leader has joined", a)
    offsets("are there", play, None)


def a_moving_group_after_a_crash(play):
    """What was not yet agreed on is forgotten; the generation before it counts."""
    a, b = pair(play)
    before = a.generation
    joins(a)
    play.until("preparing", lambda: state(play) == "PreparingRebalance")
    join("the follower", b)
    joined("the leader", a)
    yield
    describe("as it was before the rebalance", play)
    beat("of the generation that is lost", a)
    beat("of the generation before", a, generation=before)
    sync("of the generation that is lost", b)


def a_new_group_after_a_crash(play):
    """A first generation without the leader's word was never agreed on."""
    a = play.actor("a")
    named(a)
    join("the first", a)
    yield
    describe("nobody", play)
    beat("the first", a)
    join("the first, again", a)


def a_static_group_after_a_crash(play):
    a = lone(play, instance="left")
    yield
    describe("stable", play)
    beat("goes on", a, instance="left")
    b = play.actor("b")
    join("is replaced", b, instance="left")
    beat("is fenced", a, instance="left")
    sync("its share", b, instance="left")


def an_empty_group_after_a_crash(play):
    a = lone(play, kind="connect")
    leave("the last", a)
    yield
    describe("empty", play)
    beat("the last", a)
    b = play.actor("b")
    named(b)
    join("a member of another kind", b)


def a_deleted_group_after_a_crash(play):
    commit("before", play, PARTS)
    play.quiet("DeleteGroups", 2, {"GroupsNames": [play.group]})
    yield
    describe("gone", play)
    offsets("gone", play, None)


def a_modern_group_after_a_crash(play):
    a, b = play.actor("a"), play.actor("b")
    enter("the first", a)
    enter("the second", b, instance="left")
    pulse("the first is told to give up two", a)
    commit_as("the first", a, PARTS[:1])
    yield
    describe_consumer("as it was", play)
    listed("as it was", play)
    pulse("the first goes on where it was", a, owned=[("group-four", range(4))])
    pulse("the first gives up two", a, owned=[("group-four", [0, 1])])
    pulse("the second gets two", b, instance="left")
    commit_as("the second", b, [("group-four", 3, 1)], instance="left")
    pulse("the second leaves for a while", b, instance="left", epoch=-2)
    describe_consumer("stable", play)
    offsets("are there", play, None)


def looked_up(play, actor):
    """Until the topics of an expression are known, which moves the group's epoch."""
    play.until("it is looked up", lambda: consumer_state(play)[1] > actor.generation)


def a_modern_group_that_was_left(play):
    a = play.actor("a")
    enter("the first", a, regex="group-o.*", topics=("group-two",))
    looked_up(play, a)
    pulse("leaves", a, epoch=-1)
    yield
    describe_consumer("empty, its epoch is kept", play)
    a.generation = 0
    enter("comes back", a)


def an_expression_after_a_crash(play):
    a = play.actor("a")
    enter("an expression", a, topics=None, regex="group-tw.*")
    looked_up(play, a)
    pulse("it was looked up", a)
    yield
    pulse("goes on", a, owned=[("group-two", [0, 1])])
    describe_consumer("as it was", play)


def a_mixed_group_after_a_crash(play):
    protocols = (("range", subscription(play, "group-four", version=1)),)
    a, b = play.actor("a"), play.actor("b")
    named(a, protocols=protocols)
    join("the classic one", a, protocols=protocols)
    sync("its share", a, [(a, assignment(play, ("group-four", [0, 1, 2, 3])))])
    enter("the new one", b)
    yield
    describe_consumer("both kinds", play)
    beat("the classic one learns of the rebalance", a)
    join("the classic one rejoins", a, protocols=protocols)
    sync("what it keeps", a)
    pulse("the new one gets two", b)
    describe_consumer("after that", play)


SCRIPTS = [offsets_after_a_crash, a_stable_group_after_a_crash, a_moving_group_after_a_crash,
           a_new_group_after_a_crash, a_static_group_after_a_crash, an_empty_group_after_a_crash,
           a_deleted_group_after_a_crash, a_modern_group_after_a_crash, a_modern_group_that_was_left,
           an_expression_after_a_crash, a_mixed_group_after_a_crash]

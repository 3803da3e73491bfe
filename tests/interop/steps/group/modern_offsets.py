"""Offsets of groups of the consumer protocol, and the groups that fall silent or are deleted."""
import time

from steps.group.asks import (commit, commit_as, consumer_state, delete, describe, describe_consumer, enter, forget,
                              listed, offsets, pulse, quiet_pulse)

GROUP, SET = 32, 0
PART = [("group-four", 0, 7)]
ALL_FOUR = [("group-four", range(4))]


def commits_of_a_modern_member(play):
    a = play.actor("a")
    enter("joins", a)
    for version in range(2, 11):
        commit_as("its epoch", a, PART, version)
        commit_as("epoch ahead", a, PART, version, generation=a.generation + 1)
        commit_as("epoch behind", a, PART, version, generation=a.generation - 1)
        commit_as("no epoch", a, PART, version, generation=-1)
        commit_as("unknown member", a, PART, version, member="nobody")
        commit("nobody at all", play, PART, version)
    commit_as("a partition that it does not own", a, [("group-two", 0, 1)])
    commit_as("a partition that it does not own, epoch behind", a, [("group-two", 0, 1)], generation=1)
    commit_as("with an instance id", a, PART, instance="static")
    for version in range(1, 11):
        offsets("without a member", play, ALL_FOUR, version=version)
    for version in (9, 10):
        for label, how in (("its epoch", {}), ("epoch ahead", {"epoch": a.generation + 1}),
                           ("epoch behind", {"epoch": 1}), ("epoch -1", {"epoch": -1}),
                           ("unknown member", {"member": "nobody"}), ("no member, but an epoch", {"member": None}),
                           ("empty member id", {"member": "", "epoch": -1})):
            how = dict({"member": a.id, "epoch": a.generation}, **how)
            offsets(label, play, ALL_FOUR, version=version, **how)
            offsets(f"{label}, all topics", play, None, version=version, **how)
            offsets(f"{label}, stable", play, ALL_FOUR, version=version, stable=True, **how)
    pulse("leaves", a, epoch=-1)
    commit_as("of one who left", a, PART, generation=3)
    commit("nobody at all, now that it is empty", play, [("group-four", 1, 8)], 9)
    commit("nobody at all, empty, v2", play, [("group-four", 2, 9)], 2)
    offsets("in the end", play, None)
    offsets("in the end, by a member", play, None, member="nobody", epoch=1)


def a_commit_of_an_epoch_before(play):
    """A commit of an older epoch is taken if the partition was assigned in that epoch or before."""
    a, b = play.actor("a"), play.actor("b")
    enter("the first", a)
    old = a.generation
    enter("the second", b)
    pulse("the first is told to give up two", a)
    commit_as("of what it must give up", a, [("group-four", 3, 5)])
    pulse("the first gave up two", a, owned=[("group-four", [0, 1])])
    commit_as("kept all along, in the old epoch", a, [("group-four", 0, 5)], generation=old)
    commit_as("given up, in the old epoch", a, [("group-four", 3, 6)], generation=old)
    commit_as("one kept, one given up", a, [("group-four", 0, 6), ("group-four", 3, 6)], generation=old)
    commit_as("by id, in the old epoch", a, [("group-four", 1, 5)], 10, generation=old)
    pulse("the second gets two", b)
    commit_as("the second, new to it, in an epoch before", b, [("group-four", 3, 9)], generation=old)
    commit_as("the second, in its epoch", b, [("group-four", 3, 9)])
    offsets("what was committed", play, ALL_FOUR)


def deleting_modern_groups(play):
    a = play.actor("a")
    enter("joins", a)
    commit_as("commits", a, PART)
    for version in range(4):
        delete("with a member", play, version)
    forget("a topic that is subscribed to", play, [("group-four", [0])])
    forget("topics that are not", play, [("group-two", [0]), ("group-none", [0])])
    pulse("leaves", a, epoch=-1)
    forget("when it is empty", play, [("group-four", [0])])
    delete("without members", play)
    describe_consumer("gone", play)
    describe("gone", play)
    listed("gone", play)
    pulse("a heartbeat of one from before", a, epoch=2)
    delete("again", play)
    a.generation = 0
    enter("a new group of that name", a)
    describe_consumer("epochs start over", play)


def set_for(play, **configs):
    """Settings of a group; waits until they hold."""
    changes = [{"Name": key.replace("_", "."), "ConfigOperation": SET, "Value": str(value)}
               for key, value in configs.items()]
    got = play.quiet("IncrementalAlterConfigs", 1, {"ValidateOnly": False, "Resources": [
        {"ResourceType": GROUP, "ResourceName": play.group, "Configs": changes}]})["Responses"][0]
    if got["ErrorCode"]:
        raise RuntimeError(f"no settings for the group: {got}")

    def held():
        found = play.quiet("DescribeConfigs", 4, {"Resources": [
            {"ResourceType": GROUP, "ResourceName": play.group, "ConfigurationKeys": None}]})["Results"][0]["Configs"]
        values = {config["Name"]: config["Value"] for config in found}
        return all(values.get(change["Name"]) == change["Value"] for change in changes)
    play.until("the settings hold", held)


def a_silent_modern_member(play):
    """A group may have a session timeout of its own."""
    set_for(play, consumer_heartbeat_interval_ms=300, consumer_session_timeout_ms=2000)
    a, b = play.actor("a"), play.actor("b")
    enter("the interval is the group's", a)
    enter("the second", b)

    def alone():
        quiet_pulse(a, owned=[("group-four", [0, 1])])
        return a.generation == 4
    play.until("the second's session is over", alone)
    pulse("the first has got all", a)
    pulse("the second is unknown", b)
    commit_as("the second is unknown", b, PART)
    describe_consumer("one is left", play)
    play.until("the first's session is over", lambda: consumer_state(play)[0] == "Empty")
    describe_consumer("nobody is left", play)
    b.generation = 0
    enter("the second comes back", b)


def a_static_member_stays_away(play):
    """Leaving for a while lasts one session."""
    set_for(play, consumer_heartbeat_interval_ms=300, consumer_session_timeout_ms=1500)
    a = play.actor("a")
    enter("static", a, instance="left")
    pulse("leaves for a while", a, instance="left", epoch=-2)
    describe_consumer("away", play)
    play.until("its session is over", lambda: consumer_state(play)[0] == "Empty")
    describe_consumer("gone", play)
    b = play.actor("b")
    enter("too late", b, instance="left")


def assignments_at_intervals(play):
    """A group may wait between two assignments; until then it is assigning."""
    set_for(play, consumer_assignment_interval_ms=3000)
    a, b = play.actor("a"), play.actor("b")
    enter("the first gets all at once", a)
    enter("the second must wait", b)
    describe_consumer("assigning", play)
    listed("assigning", play)
    pulse("the first, meanwhile", a)
    pulse("the second, meanwhile", b)
    play.until("the interval is over", lambda: quiet_pulse(b) and consumer_state(play)[0] == "Reconciling")
    pulse("the first is told", a)
    describe_consumer("reconciling", play)


def settings_of_a_group(play):
    """What a group's own settings may be."""
    for label, name, value in (("a session below the least", "consumer.session.timeout.ms", "10"),
                               ("a session above the most", "consumer.session.timeout.ms", "9999999"),
                               ("an interval below the least", "consumer.heartbeat.interval.ms", "1"),
                               ("an interval above the most", "consumer.heartbeat.interval.ms", "999999"),
                               ("an interval above the session", "consumer.heartbeat.interval.ms", "15000"),
                               ("no number", "consumer.session.timeout.ms", "x"),
                               ("no such setting", "session.timeout.ms", "1000"),
                               ("a good one", "consumer.session.timeout.ms", "10000")):
        play.ask(label, "IncrementalAlterConfigs", 1, {"ValidateOnly": False, "Resources": [
            {"ResourceType": GROUP, "ResourceName": play.group, "Configs": [
                {"Name": name, "ConfigOperation": SET, "Value": value}]}]})


def one_that_does_not_give_up(play):
    """A member that does not give up its partitions in time is fenced, though it beats."""
    a, b = play.actor("a"), play.actor("b")
    enter("the first", a, timeout=1500)
    enter("the second", b, timeout=1500)
    pulse("the first is told", a, owned=[("group-four", range(4))])
    time.sleep(0.5)
    pulse("the first keeps all", a, owned=[("group-four", range(4))])
    play.until("the first is fenced", lambda: consumer_state(play)[1] == 4)
    pulse("the first is unknown", a, owned=[("group-four", range(4))])
    pulse("the second gets all", b)
    describe_consumer("one is left", play)


SCRIPTS = [a_silent_modern_member, assignments_at_intervals, settings_of_a_group, a_static_member_stays_away,
           one_that_does_not_give_up, commits_of_a_modern_member, a_commit_of_an_epoch_before, deleting_modern_groups]

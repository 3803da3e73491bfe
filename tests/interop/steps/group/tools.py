"""What tools ask: FindCoordinator, ListGroups, DescribeGroups, DeleteGroups, in every version and state."""
from steps.group.asks import (beat, commit, commit_as, delete, describe, describe_consumer, enter, join, joins, leave,
                              listed, lone, named, offsets, pair, state, sync)


def coordinators(play):
    def ask(label, version, *keys, kind=0):
        body = {"Key": keys[0] if keys else "", "KeyType": kind, "CoordinatorKeys": list(keys)}
        play.ask(label, "FindCoordinator", version, body)
    for version in range(7):
        ask("a group", version, "any")
        ask("an empty key", version, "")
        if version >= 1:
            ask("no such kind of key", version, "any", kind=9)
            ask("a kind below zero", version, "any", kind=-1)
        if version >= 4:
            ask("three groups", version, "one", "two", "three")
            ask("the same group twice", version, "one", "one")
            ask("no keys", version)
            ask("a long key", version, "k" * 300)


def listing(play):
    """ListGroups by state and type, with a group of every state."""
    words = {}
    for word in ("empty", "stable", "preparing", "completing", "commits", "modern", "left", "workers"):
        words[word] = play.group = f"{play.name}/{word}"
        if word in ("empty", "stable"):
            a = lone(play)
            if word == "empty":
                leave("for an empty group", a)
        elif word == "preparing":
            a, b = pair(play)
            joins(a)
            play.until("preparing", lambda: state(play) == "PreparingRebalance")
        elif word == "completing":
            a = play.actor("completing")
            named(a)
            join("for a completing group", a)
        elif word == "commits":
            commit("for a group of commits", play, [("group-one", 0, 1)])
        elif word == "workers":
            lone(play, kind="connect")
        else:
            a = play.actor(word)
            enter(f"for a {word} group", a)
            if word == "left":
                play.ask("for a group that is left", "ConsumerGroupHeartbeat", 1, {
                    "GroupId": play.group, "MemberId": a.id, "MemberEpoch": -1}, a)
    everything = list(words.values())
    for version in range(6):
        listed("everything", play, version)
    for version in (4, 5):
        for word in ("Stable", "stable", "STABLE", "Empty", "PreparingRebalance", "preparingrebalance",
                     "CompletingRebalance", "Dead", "Assigning", "Reconciling", "NotReady", "Unknown", "nonsense", ""):
            listed(f"state {word!r}", play, version, [word])
        listed("two states", play, version, ["Empty", "Stable"])
        listed("a state and nonsense", play, version, ["Empty", "nonsense"])
    for word in ("classic", "Classic", "consumer", "CONSUMER", "share", "streams", "unknown", "nonsense", ""):
        listed(f"type {word!r}", play, 5, (), [word])
    listed("both types", play, 5, (), ["classic", "consumer"])
    listed("type and state", play, 5, ["Stable"], ["consumer"])
    listed("type and nonsense", play, 5, (), ["classic", "nonsense"])
    for version in range(7):
        describe("every kind", play, version, everything + [play.name + "/none"])
    for version in range(3, 7):
        describe("with operations", play, version, everything[:2] + [play.name + "/none"], operations=True)
    describe("the same group twice", play, groups=everything[:1] * 2)
    for version in (0, 1):
        describe_consumer("every kind", play, version, everything + [play.name + "/none", ""])
        describe_consumer("with operations", play, version, [words["modern"], words["stable"]], operations=True)
    describe_consumer("the same group twice", play, groups=[words["modern"]] * 2)
    for version in range(4):
        living = ("stable", "preparing", "completing", "modern", "workers")
        delete("living groups", play, version, [words[word] for word in living])
        delete("groups that are not there", play, version, [f"{play.name}/none", f"{play.name}/nobody"])
    delete("some that may go and some that may not", play, groups=everything)
    delete("again", play, groups=everything)
    listed("what is left", play)
    describe("those that are gone", play, groups=[words["empty"], words["left"], words["commits"]])


def deleting(play):
    for version in range(4):
        play.group = f"{play.name}/{version}"
        commit(f"for v{version}", play, [("group-one", 0, 1)])
        delete("the same group twice in one request", play, version, [play.group, play.group])
        delete("once more", play, version)
        describe(f"after v{version}", play)
        offsets(f"after v{version}", play, [("group-one", [0])])
    delete("no groups", play, groups=[f"{play.name}/never"])
    a = lone(play)
    commit_as("of a member", a, [("group-one", 0, 1)])
    delete("with a member", play)
    leave("the member", a)
    delete("without members", play)
    beat("after that", a)
    join("with the id from before", a)
    offsets("after that", play, None)
    commit("a new group of the same name", play, [("group-one", 0, 4)])
    b = lone(play)
    describe("its generation starts over", play)
    sync("its first", b, generation=1)
    c = play.actor("c")
    play.group = f"{play.name}/pending"
    named(c)
    delete("a group where only an id was given out", play)
    join("with that id", c)


SCRIPTS = [coordinators, listing, deleting]

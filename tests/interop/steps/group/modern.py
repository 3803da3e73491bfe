"""The consumer protocol: joining, what is refused, leaving, static members, epochs."""
from steps.group.asks import (beat, commit_as, describe, describe_consumer, enter, join, leave, listed, pulse, sync)

FOUR = ("group-four",)


def a_life_with_an_id_from_the_server(play):
    """Version 0 makes the id if the member has none."""
    a = play.actor("a")
    enter("without an id", a, version=0)
    describe_consumer("one member", play, 0)
    pulse("nothing new", a, 0)
    pulse("it owns what it was given", a, 0, owned=[("group-four", range(4))])
    pulse("everything, again", a, 0, timeout=30_000, topics=FOUR, owned=[("group-four", range(4))])
    pulse("leaves", a, 0, epoch=-1)
    describe_consumer("empty", play, 0)
    pulse("after leaving", a, 0, epoch=2)
    pulse("leaves again", a, 0, epoch=-1)


def a_life_with_an_id_of_its_own(play):
    a = play.actor("a")
    enter("with an id", a, rack="r1")
    listed("one member", play)
    describe("asked as a classic group", play)
    for version in range(6):
        describe("asked as a classic group", play, version)
    describe_consumer("one member", play)
    pulse("nothing new", a)
    pulse("it owns what it was given", a, owned=[("group-four", range(4))])
    pulse("everything, again", a, timeout=30_000, topics=FOUR, owned=[("group-four", range(4))])
    pulse("another rack", a, rack="r2")
    pulse("another rebalance timeout", a, timeout=20_000)
    describe_consumer("another rack is no rebalance", play)
    pulse("leaves", a, epoch=-1)
    describe_consumer("empty", play)
    listed("empty", play)
    enter("comes back", a)
    describe_consumer("epochs go on", play)


def refused_heartbeats(play):
    """Every field that can be wrong, in both versions; no group comes of it."""
    for version in (0, 1):
        a = play.actor(f"v{version}")
        a.id = "somebody"
        def step(label, **how):
            how = dict({"epoch": 0, "timeout": 30_000, "topics": FOUR, "owned": ()}, **how)
            pulse(label, a, version, **how)
        step("empty group id", group="")
        step("empty member id while leaving", member="", epoch=-1)
        step("empty member id with an epoch", member="", epoch=1)
        step("empty instance id", instance="")
        step("empty rack", rack="")
        step("no rebalance timeout", timeout=-1)
        step("no list of what it owns", owned=None)
        step("owning while joining", owned=[("group-four", [0])])
        step("no subscription", topics=None)
        step("unknown assignor", assignor="sticky")
        step("empty assignor", assignor="")
        step("epoch -2 without an instance id", epoch=-2)
        step("epoch -3", epoch=-3)
        step("epoch ahead of a group that is not there", epoch=5)
        step("leaving a group that is not there", epoch=-1)
        step("leaving for a while a group that is not there", epoch=-2, instance="static")
        step("several faults: the first counts", group="", instance="", rack="")
    a = play.actor("regex")
    a.id = "somebody"
    join_with = {"epoch": 0, "timeout": 30_000, "owned": ()}
    pulse("an expression that is none", a, regex="(", **join_with)
    pulse("an expression with a look-ahead", a, regex="(?!x)", **join_with)
    pulse("an expression with a back reference", a, regex="(a)\\1", **join_with)
    pulse("an empty member id joins", a, member="", topics=FOUR, **join_with)
    describe_consumer("nothing came of it", play)
    describe("nothing came of it", play)


def odd_but_taken(play):
    a = play.actor("a")
    enter("no topics at all", a, topics=())
    describe_consumer("no topics at all", play)
    pulse("a topic that is not there", a, topics=("group-none",))
    pulse("a topic that is not there, and one that is", a, topics=("group-none", "group-two"))
    moved_once = a.generation
    pulse("the same topic twice", a, topics=("group-two", "group-two", "group-none"))
    play.keep("the same topic twice is no change", a.generation == moved_once)
    pulse("owning a topic that nobody knows", a, owned=[("group-none", [0]), ("group-two", [0, 1])])
    pulse("an unknown assignor later on", a, assignor="sticky")
    pulse("an empty rack later on", a, rack="")
    describe_consumer("two topics", play)
    pulse("an empty list", a, topics=())
    describe_consumer("must give everything up", play)
    pulse("it gave everything up", a, owned=())
    describe_consumer("without topics", play)
    b = play.actor("b")
    enter("an expression and names together", b, topics=("group-one",), regex="group-e.*")


def unknown_and_fenced(play):
    a = play.actor("a")
    enter("the first", a)
    for version in (0, 1):
        pulse("unknown member", a, version, member="nobody")
        pulse("unknown member leaves", a, version, member="nobody", epoch=-1)
        pulse("epoch ahead", a, version, epoch=a.generation + 1)
        pulse("epoch behind", a, version, epoch=1)
        pulse("epoch behind, owning something", a, version, epoch=1, owned=[("group-four", [0])])
        pulse("an instance id that nobody has", a, version, instance="static")
        pulse("leaving by an instance id that nobody has", a, version, instance="static", epoch=-1)
        pulse("leaving for a while without one", a, version, epoch=-2)
    a.generation = 0
    enter("joins again with its id", a)
    describe_consumer("as it was", play)
    pulse("another client's word", a, epoch=99)
    describe_consumer("a fenced member is still a member", play)


def the_epoch_before(play):
    """An answer can be lost: the epoch before is taken from a member that owns no more than it has."""
    a = play.actor("a")
    enter("joins", a, topics=("group-two",))
    lost = a.generation
    pulse("subscribes to more", a, topics=("group-two", "group-four"))
    now = a.generation
    for label, owned in (("nothing said", None), ("owning nothing", ()), ("what it had", [("group-two", [0, 1])]),
                         ("what it has", [("group-two", [0, 1]), ("group-four", range(4))]),
                         ("more than it has", [("group-eight", [0])])):
        pulse(f"the epoch before, {label}", a, epoch=lost, owned=owned)
    pulse("two epochs before", a, epoch=lost - 1, owned=())
    pulse("the epoch now", a, epoch=now, owned=[("group-eight", [0])])


def static_members(play):
    a, b = play.actor("a"), play.actor("b")
    enter("static", a, instance="left")
    describe_consumer("static", play)
    enter("another client with its instance id", b, instance="left")
    pulse("another member id", a, member="nobody", instance="left")
    pulse("another member id leaves", a, member="nobody", instance="left", epoch=-1)
    pulse("another member id leaves for a while", a, member="nobody", instance="left", epoch=-2)
    pulse("without its instance id", a)
    pulse("with another instance id", a, instance="right")
    pulse("leaves for a while", a, instance="left", epoch=-2)
    describe_consumer("left for a while", play)
    pulse("a heartbeat of one who left for a while", a, epoch=2, instance="left")
    commit_as("a commit of one who left for a while", a, [("group-four", 0, 3)], generation=2, instance="left")
    enter("comes back with another id", b, instance="left")
    describe_consumer("its assignment was kept", play)
    pulse("the old id", a, epoch=2, instance="left")
    pulse("the old id without the instance id", a, epoch=2)
    pulse("leaves for a while again", b, instance="left", epoch=-2)
    b.generation = 2
    enter("comes back with the same id", b, instance="left")
    pulse("leaves for a while once more", b, instance="left", epoch=-2)
    c = play.actor("c")
    enter("comes back with other topics", c, topics=("group-two",), instance="left")
    describe_consumer("other topics", play)
    enter("comes back though it never left", c, topics=("group-two",), instance="left")
    pulse("leaves for good", c, instance="left", epoch=-1)
    describe_consumer("empty", play)
    pulse("leaves for a while when it is gone", c, instance="left", epoch=-2)


def a_static_member_and_its_stand_in(play):
    """While a static member is away nobody gets its partitions."""
    a, b = play.actor("a"), play.actor("b")
    enter("static", a, instance="left")
    enter("dynamic", b)
    pulse("the static one must give up two", a, instance="left", owned=[("group-four", range(4))])
    pulse("and does", a, instance="left", owned=[("group-four", [0, 1])])
    pulse("the dynamic one gets them", b)
    pulse("the static one leaves for a while", a, instance="left", epoch=-2)
    pulse("the dynamic one gets no more", b)
    describe_consumer("away", play)
    c = play.actor("c")
    enter("the static one comes back", c, instance="left")
    pulse("the dynamic one keeps what it has", b)
    describe_consumer("back", play)
    pulse("the static one leaves for good", c, instance="left", epoch=-1)
    pulse("the dynamic one gets all", b)
    describe_consumer("alone", play)


def full_groups(play):
    """The judge sets group.consumer.max.size to 3."""
    three = ("group-three",)
    actors = [play.actor(str(at)) for at in range(5)]
    for at, actor in enumerate(actors[:3]):
        enter(f"member {at}", actor, topics=three, instance="static" if at == 0 else None)
    enter("one too many", actors[3], topics=three)
    enter("one too many, made by the server", actors[4], topics=three, version=0)
    enter("one too many, static", actors[3], topics=three, instance="other")
    pulse("a stranger's heartbeat", actors[3], member="nobody", epoch=3)
    pulse("a member goes on", actors[1])
    actors[1].generation = 0
    enter("a member rejoins", actors[1], topics=three)
    pulse("the static one leaves for a while", actors[0], instance="static", epoch=-2)
    enter("and another takes its place", actors[3], topics=three, instance="static")
    nothing = b"\0\1\0\0\0\0\xff\xff\xff\xff\0\0\0\0"
    join("a classic member is one too many", actors[4], protocols=(("range", nothing),))
    pulse("one leaves", actors[2], epoch=-1)
    enter("and another comes", actors[4], topics=three)


def classic_requests(play):
    """What the classic protocol's APIs say to a member that does not speak it."""
    a = play.actor("a")
    enter("joins", a)
    for version in range(5):
        beat("by the classic heartbeat", a, version)
    for version in range(6):
        sync("by the classic sync", a, (), version)
    beat("unknown member", a, member="nobody")
    sync("unknown member", a, member="nobody")
    leave("unknown member, by the classic leave", a, members=[("nobody", None), ("", "static")])
    describe_consumer("still there", play)
    leave("by the classic leave", a)
    describe_consumer("gone", play)
    beat("an empty group", a)
    sync("an empty group", a)
    leave("an empty group", a)


SCRIPTS = [a_life_with_an_id_from_the_server, a_life_with_an_id_of_its_own, refused_heartbeats, odd_but_taken,
           unknown_and_fenced, the_epoch_before, static_members, a_static_member_and_its_stand_in, full_groups,
           classic_requests]

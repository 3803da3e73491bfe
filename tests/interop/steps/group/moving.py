"""The consumer protocol: partitions change hands step by step, assignors, topics that change, expressions."""
import time

from kit import topics
from steps.group.asks import (consumer_state, describe_consumer, enter, moved, pulse, quiet_pulse)

FOUR = ("group-four",)


def whole(name, count):
    return [(name, range(count))]


def two_modern_members(play):
    a, b = play.actor("a"), play.actor("b")
    enter("the first gets all", a)
    describe_consumer("stable", play)
    enter("the second waits", b)
    describe_consumer("the first must give up two", play)
    pulse("the second asks again", b)
    pulse("the first is told", a)
    describe_consumer("the first was told", play)
    pulse("the first says nothing about what it owns", a)
    pulse("the first still owns all", a, owned=whole("group-four", 4))
    pulse("the second still waits", b, owned=())
    pulse("the first gave up one of two", a, owned=[("group-four", [0, 1, 2])])
    pulse("the first gave up both", a, owned=[("group-four", [0, 1])])
    describe_consumer("the first is done", play)
    pulse("the second gets them", b, owned=())
    describe_consumer("stable again", play)
    pulse("the second owns them", b, owned=[("group-four", [2, 3])])
    pulse("the first leaves", a, epoch=-1)
    describe_consumer("the second is alone", play)
    pulse("the second gets all", b, owned=[("group-four", [2, 3])])
    describe_consumer("stable with one", play)


def three_members(play):
    a, b, c = (play.actor(name) for name in "abc")
    enter("the first", a, topics=("group-eight",))
    enter("the second", b, topics=("group-eight",))
    enter("the third", c, topics=("group-eight",))
    describe_consumer("two wait", play)
    told = pulse("the first is told of the newest target", a)
    pulse("the first gives up", a, owned=[("group-eight", assigned(told))])
    for round_ in (1, 2):
        for name, actor in (("second", b), ("third", c)):
            pulse(f"the {name}, round {round_}", actor)
    describe_consumer("three share eight", play)
    pulse("the third leaves", c, epoch=-1)
    play.counting = True  # who gets which of its partitions is a matter of hashing
    pulse("the first after that", a)
    pulse("the second after that", b)
    pulse("the first once more", a)
    describe_consumer("two share eight", play)


def assigned(answer):
    """The partitions of the only topic in an answer."""
    return sorted(answer["Assignment"]["TopicPartitions"][0]["Partitions"])


def partitions_that_are_not_released(play):
    """A member that must wait for several others gets what is free, piece by piece."""
    a, b, c = (play.actor(name) for name in "abc")
    enter("the first", a, topics=("group-eight",))
    enter("the second", b, topics=("group-eight",))
    told = pulse("the first is told", a)
    pulse("the first gives up", a, owned=[("group-eight", assigned(told))])
    pulse("the second gets four", b)
    enter("the third waits for both", c, topics=("group-eight",))
    told_first = pulse("the first is told again", a)
    told_second = pulse("the second is told", b)
    pulse("the first gives up again", a, owned=[("group-eight", assigned(told_first))])
    pulse("the third gets some", c)
    describe_consumer("the third still waits for the second", play)
    pulse("the second gives up", b, owned=[("group-eight", assigned(told_second))])
    pulse("the third gets the rest", c)
    describe_consumer("all is done", play)


def a_target_that_changes_meanwhile(play):
    a, b = play.actor("a"), play.actor("b")
    enter("the first", a)
    enter("the second", b)
    pulse("the first is told to give up two", a)
    pulse("the second leaves before it got any", b, epoch=-1)
    pulse("the first still owns all", a, owned=whole("group-four", 4))
    pulse("the first has given up two", a, owned=[("group-four", [0, 1])])
    pulse("and gets them back", a, owned=[("group-four", [0, 1])])
    describe_consumer("alone", play)


def other_topics(play):
    a = play.actor("a")
    enter("one topic", a, topics=("group-two",))
    pulse("one more", a, topics=("group-two", "group-one"))
    describe_consumer("both", play)
    pulse("the other alone", a, topics=("group-one",))
    describe_consumer("must give up two", play)
    pulse("it still owns them", a, owned=[("group-two", [0, 1]), ("group-one", [0])])
    pulse("it gave them up", a, owned=[("group-one", [0])])
    describe_consumer("one is left", play)
    pulse("the same again is no change", a, topics=("group-one",))
    b = play.actor("b")
    enter("a member with other topics", b, topics=("group-two",))
    describe_consumer("nothing in common", play)
    pulse("the first, which keeps all", a)
    describe_consumer("the first is at the new epoch", play)


def different_topics(play):
    """Members that want different topics: as even as can be."""
    a, b, c = (play.actor(name) for name in "abc")
    play.counting = True  # who gets which partition is a matter of hashing
    enter("two topics", a, topics=("group-two", "group-four"))
    enter("one of them", b, topics=("group-four",))
    pulse("the first is told", a)
    describe_consumer("four and two", play)
    enter("the other", c, topics=("group-two",))
    describe_consumer("the target of three", play)
    pulse("the second leaves", b, epoch=-1)
    describe_consumer("waiting for the next heartbeat", play)
    pulse("the third", c)
    describe_consumer("the target of two", play)


def assignors(play):
    for name in ("uniform", "range"):
        # Which of several topics a member keeps is a matter of hashing with uniform.
        wanted = ("group-four", "group-two") if name == "range" else FOUR
        play.group = f"{play.name}/{name}"
        a, b = play.actor("a"), play.actor("b")
        a.id, b.id = play.fresh("1-"), play.fresh("2-")
        enter("the first", a, topics=wanted, assignor=name)
        enter("the second", b, topics=wanted, assignor=name)
        told = pulse("the first is told", a)
        describe_consumer("before", play)
        keep = [(play.name_of(part["TopicId"]), part["Partitions"]) for part in told["Assignment"]["TopicPartitions"]]
        pulse("the first gave up", a, owned=keep)
        pulse("the second gets its own", b)
        describe_consumer("after", play)
    play.group = f"{play.name}/mixed"
    a, b, c = (play.actor(one) for one in "abc")
    a.id, b.id, c.id = (play.fresh(f"{at}-") for at in (1, 2, 3))
    enter("nobody wants anything: the default", a, topics=("group-one",))
    describe_consumer("the default", play)
    enter("one wants range", b, topics=("group-one",), assignor="range")
    describe_consumer("range", play)
    pulse("the other one too", a, assignor="range")
    describe_consumer("range by all", play)
    pulse("back to uniform", a, assignor="uniform")
    enter("and one more", c, topics=("group-one",), assignor="uniform")
    describe_consumer("uniform by most", play)


def range_of_three(play):
    """Range sorts members by id and shares out each topic on its own."""
    actors = [play.actor(name) for name in "abc"]
    for at, actor in enumerate(actors):
        actor.id = play.fresh(f"{at}-")
    for at, actor in enumerate(actors):
        enter(f"member {at}", actor, topics=("group-eight", "group-two"), assignor="range")
    describe_consumer("the target of range", play)


def range_by_instance(play):
    """Static members come by their instance id."""
    a, b = play.actor("a"), play.actor("b")
    a.id, b.id = play.fresh("1-"), play.fresh("2-")
    enter("the first id, the last instance", a, assignor="range", instance="zz")
    enter("the last id, the first instance", b, assignor="range", instance="aa")
    describe_consumer("by instance", play)


def topics_change(play):
    """Topics that come, grow and go while somebody subscribes to them."""
    a = play.actor("a")
    enter("the topic is not there", a, topics=("moving-later",))
    describe_consumer("nothing to assign", play)
    play.create("moving-later", 1)
    moved(a)
    pulse("it is there", a)
    describe_consumer("it is there", play)
    play.quiet("CreatePartitions", 3, {"Topics": [{"Name": "moving-later", "Count": 3, "Assignments": None}],
                                       "TimeoutMs": 10000})
    topics.wait_leaders(play.admin.conn, "moving-later", 3)
    moved(a)
    pulse("it grew", a)
    describe_consumer("it grew", play)
    play.quiet("DeleteTopics", 5, {"TopicNames": ["moving-later"], "TimeoutMs": 10000})
    play.until("the group notices", lambda: quiet_pulse(a) and consumer_state(play)[1] == 5)
    pulse("it is gone", a)
    describe_consumer("it is gone", play)
    pulse("and given up", a, owned=())
    describe_consumer("and given up", play)


def expressions(play):
    """Regular expressions are looked up after the heartbeat that brings them."""
    a = play.actor("a")
    enter("an expression", a, topics=None, regex="group-(two|one)")
    moved(a)
    pulse("it was looked up", a)
    describe_consumer("it was looked up", play)
    pulse("an expression that is none", a, regex="[")
    pulse("the same expression is no change", a, regex="group-(two|one)")
    pulse("names instead", a, topics=("group-two",), regex="")
    describe_consumer("no expression is left", play)


def an_expression_finds_more_later(play):
    """Kafka looks again when topics came, at most every 10 s."""
    a = play.actor("a")
    play.create("later-one", 1)
    enter("an expression", a, topics=None, regex="later-.*")
    moved(a)
    pulse("one topic", a)
    play.create("later-two", 2)
    play.until("the second is found", lambda: quiet_pulse(a) and consumer_state(play)[1] > 2, 40)
    play.until("it is told", lambda: quiet_pulse(a) and consumer_state(play)[0] == "Stable")
    pulse("both topics", a, timeout=30_000, regex="later-.*", owned=[("later-one", [0]), ("later-two", [0, 1])])
    describe_consumer("both topics", play)


def a_topic_is_made_again(play):
    """A topic of the same name is another topic."""
    a = play.actor("a")
    play.create("moving-again", 2)
    enter("the first of the name", a, topics=("moving-again", "group-one"))
    play.quiet("DeleteTopics", 5, {"TopicNames": ["moving-again"], "TimeoutMs": 10000})
    play.until("the group notices", lambda: quiet_pulse(a) and consumer_state(play)[1] == 3)
    pulse("gave it up", a, owned=[("group-one", [0])])
    play.create("moving-again", 2)
    play.until("the group notices the next", lambda: quiet_pulse(a) and consumer_state(play)[1] == 4)
    play.until("and has it", lambda: quiet_pulse(a) and consumer_state(play)[0] == "Stable")
    describe_consumer("the second of the name", play)


def an_expression_of_two(play):
    a, b = play.actor("a"), play.actor("b")
    enter("an expression", a, topics=None, regex="group-tw.*")
    moved(a)
    pulse("it was looked up", a)
    enter("the same expression, known already", b, topics=None, regex="group-tw.*")
    describe_consumer("two members", play)
    pulse("nothing any more", b, regex="", topics=())
    describe_consumer("one has nothing", play)
    pulse("the first is on its own", a)


def expressions_that_find_nothing(play):
    a = play.actor("a")
    enter("nothing has such a name", a, topics=None, regex="nothing-.*")
    time.sleep(0.5)
    pulse("later", a)
    describe_consumer("nothing", play)
    b = play.actor("b")
    enter("part of a name is no name", b, topics=None, regex="group-tw")
    time.sleep(0.5)
    pulse("later, the other", b)


def an_expression_and_names(play):
    a = play.actor("a")
    enter("names and an expression", a, topics=("group-two",), regex="group-f.*")
    moved(a)
    pulse("both", a)
    describe_consumer("both", play)
    pulse("names alone", a, regex="", owned=[("group-two", [0, 1]), ("group-four", range(4))])
    describe_consumer("must give up what the expression found", play)


SCRIPTS = [two_modern_members, three_members, partitions_that_are_not_released, a_target_that_changes_meanwhile,
           other_topics, assignors, range_of_three, range_by_instance, topics_change, expressions,
           an_expression_finds_more_later, a_topic_is_made_again, an_expression_of_two, different_topics,
           expressions_that_find_nothing, an_expression_and_names]

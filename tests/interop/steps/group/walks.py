"""Random walks of three members of a consumer group, the same in every run: each seed is a script.

All want range, and ids sort by number; what is left to hashing where members want different topics is which partitions
a member gets, so these are told by how many they are.
"""
import random

from steps.group.asks import commit_as, describe_consumer, enter, offsets, pulse

LENGTH = 32
WISHES = (("group-six",), ("group-six", "group-two"), ("group-four",), ("group-two", "group-four"))


class Walker:
    """A member and what it believes to own."""

    def __init__(self, play, number, instance):
        self.actor, self.number, self.instance = play.actor(str(number)), number, instance
        self.owned, self.before = [], 0
        self.rename()

    def rename(self):
        self.actor.id = self.actor.play.fresh(f"{self.number}-")

    def told(self, answer):
        if answer.get("ErrorCode") == 0 and answer.get("Assignment"):
            name_of = self.actor.play.name_of
            self.owned = [(name_of(part["TopicId"]), sorted(part["Partitions"]))
                          for part in answer["Assignment"]["TopicPartitions"]]
        elif answer.get("ErrorCode"):
            self.owned = []


def walk(seed):
    def script(play):
        chance = random.Random(seed)
        play.counting = True
        walkers = [Walker(play, number, "static" if number == 3 else None) for number in (1, 2, 3)]
        for at in range(LENGTH):
            one = chance.choice(walkers)
            step(play, chance, one, f"{at} by {one.number}")
        describe_consumer("the end", play)
        offsets("the end", play, None)
    script.__name__ = f"walk-{seed}"
    return script


def step(play, chance, one, label):
    actor, how = one.actor, {"instance": one.instance}
    act = chance.choice(("join", "beat", "beat", "owns", "owns", "owns", "wish", "leave", "away", "lost", "ahead",
                         "commit", "describe", "new"))
    if act == "join":
        one.told(enter(f"{label} joins", actor, topics=chance.choice(WISHES), assignor="range", **how))
    elif act == "beat":
        one.told(pulse(f"{label} beats", actor, **how))
    elif act == "owns":
        one.told(pulse(f"{label} owns what it was told", actor, owned=one.owned, **how))
    elif act == "wish":
        one.told(pulse(f"{label} wants other topics", actor, topics=chance.choice(WISHES), **how))
    elif act in ("leave", "away"):
        pulse(f"{label} goes", actor, epoch=-2 if act == "away" and one.instance else -1, **how)
        actor.generation, one.owned = 0, []
    elif act == "lost":
        epoch = actor.generation
        pulse(f"{label} did not hear of its epoch", actor, epoch=max(epoch - 1, 1), owned=one.owned, **how)
    elif act == "ahead":
        pulse(f"{label} is ahead", actor, epoch=actor.generation + 3, **how)
    elif act == "commit":
        epoch = actor.generation - chance.choice((0, 0, 1))
        commit_as(f"{label} commits", actor, [("group-six", chance.randrange(6), chance.randrange(100))],
                  chance.choice((8, 9, 9, 10)), generation=epoch, **how)
    elif act == "describe":
        describe_consumer(f"before {label}", play)
    else:
        one.rename()
        one.told(enter(f"{label} comes as another", actor, topics=chance.choice(WISHES), assignor="range", **how))


SCRIPTS = [walk(seed) for seed in range(1, 25)]

"""What one group did, as a list of happenings in the order of time, and the rules that it must have kept.

A happening is (milliseconds, what, member, detail):

    assigned, revoked   partitions that the member got or gave up
    consumed            (partition, first, last, count) that the member read
    committed           {partition: offset} that the coordinator acknowledged
    gone                the member was killed
    stopped             it stood still for longer than its session: what it owned counts no more until it says so
    fetched             (milliseconds when it was asked, {partition: offset}) that the coordinator told a bystander

It must know nothing about processes or the wire.
"""
# In one millisecond what ends comes before what begins.
ORDER = {"gone": 0, "stopped": 0, "revoked": 1, "consumed": 2, "committed": 3, "fetched": 4, "assigned": 5}


class Timeline:
    """Replays happenings; `faults` says in words which rules were broken."""

    def __init__(self, happenings):
        self.faults = []
        self.owned, self.doubted = {}, set()
        self.cleared = {}  # when a doubted member last said what it owns
        self.frontier, self.ahead = {}, {}
        self.acknowledged, self.told = {}, {}
        self.history = {}  # (milliseconds, offset) of acknowledged commits, by partition
        for at, what, member, detail in sorted(happenings, key=lambda one: (one[0], ORDER[one[1]])):
            getattr(self, what)(at, member, detail)

    def fault(self, at, text):
        self.faults.append(f"at {at}: {text}")

    def assigned(self, at, member, parts):
        if member in self.doubted:
            self.believe(at, member)
            self.owned[member] = set()
        self.owned.setdefault(member, set()).update(parts)
        for part in parts:
            others = [name for name, theirs in self.owned.items()
                      if name != member and part in theirs and name not in self.doubted]
            if others:
                self.fault(at, f"{part} was given to {member} while {', '.join(others)} owned it")

    def revoked(self, at, member, parts):
        self.owned.setdefault(member, set()).difference_update(parts)
        if member in self.doubted:
            self.believe(at, member)

    def believe(self, at, member):
        self.doubted.discard(member)
        self.cleared[member] = at

    def gone(self, _, member, __):
        self.owned.pop(member, None)
        self.doubted.discard(member)

    def stopped(self, _, member, __):
        self.doubted.add(member)

    def consumed(self, at, member, detail):
        """Coverage grows from 0 without a hole; what was read twice does no harm."""
        part, first, last, count = detail
        if count != last - first + 1:
            self.fault(at, f"{member} read {count} records {first} to {last} of {part}")
        stand = self.frontier.get(part, 0)
        if first > stand:
            self.fault(at, f"{member} read {part} from {first}; {stand} to {first - 1} was read by nobody")
        self.frontier[part] = max(stand, last + 1)

    def committed(self, at, member, offsets):
        for part, offset in offsets.items():
            if offset > self.frontier.get(part, 0):
                self.fault(at, f"{member} committed {offset} of {part}, read was up to {self.frontier.get(part, 0)}")
            # A member that was stopped hears of its commit late, and may tell it in the very millisecond in which it
            # tells what it lost; what the coordinator tells shows the truth.
            late = member in self.doubted or self.cleared.get(member) == at
            if offset < self.acknowledged.get(part, 0) and not late:
                self.fault(at, f"{member} committed {offset} of {part} after {self.acknowledged[part]}")
            self.acknowledged[part] = max(offset, self.acknowledged.get(part, 0))
            self.history.setdefault(part, []).append((at, self.acknowledged[part]))

    def fetched(self, at, _, detail):
        """A question that was asked after an acknowledgement must see it."""
        asked, offsets = detail
        for part, offset in offsets.items():
            if offset < self.told.get(part, 0):
                self.fault(at, f"the committed offset of {part} went back from {self.told[part]} to {offset}")
            self.told[part] = max(offset, self.told.get(part, 0))
        for part, history in self.history.items():
            known = max((offset for when, offset in history if when < asked), default=0)
            if offsets.get(part, 0) < known:
                self.fault(at, f"{known} of {part} was acknowledged, the coordinator tells {offsets.get(part, 0)}")
            self.history[part] = [pair for pair in history if pair[0] >= asked] or history[-1:]

    def ended(self, produced):
        """After the last fault: `produced` are the acknowledged (partition, offset) pairs."""
        missed = [(part, offset) for part, offset in produced if offset >= self.frontier.get(part, 0)]
        if missed:
            self.faults.append(f"{len(missed)} acknowledged records were read by nobody: {sorted(missed)[:3]}")
        if len(set(produced)) != len(produced):
            self.faults.append(f"{len(produced) - len(set(produced))} offsets were acknowledged twice")
        return self.faults


GOOD = [
    (1, "assigned", "a", {0, 1}),
    (2, "consumed", "a", (0, 0, 9, 10)), (3, "committed", "a", {0: 10}), (5, "fetched", None, (4, {0: 10})),
    (6, "revoked", "a", {1}), (6, "assigned", "b", {1}),
    (7, "consumed", "b", (1, 0, 4, 5)), (8, "committed", "b", {1: 5}),
    (9, "gone", "a", None), (10, "assigned", "b", {0}),
    (11, "consumed", "b", (0, 10, 19, 10)), (12, "committed", "b", {0: 20}), (14, "fetched", None, (13, {0: 20, 1: 5})),
    (15, "stopped", "b", None), (16, "assigned", "c", {0, 1}),
    (17, "committed", "b", {1: 4}), (18, "committed", "b", {0: 19}), (18, "revoked", "b", {0, 1}),
]
PRODUCED = [(0, 0), (0, 19), (1, 4)]
# Each plants one fault: what is added or, from a place on, taken away; and a word of what must be found.
PLANTED = [
    ([(19, "assigned", "b", {1})], PRODUCED, "was given to b while c"),
    ([(20, "consumed", "c", (0, 21, 25, 5))], PRODUCED, "was read by nobody"),
    ([(20, "consumed", "c", (0, 20, 25, 5))], PRODUCED, "read 5 records"),
    ([(20, "committed", "c", {0: 21})], PRODUCED, "read was up to 20"),
    ([(20, "committed", "c", {0: 19})], PRODUCED, "committed 19"),
    ([(19, "committed", "b", {0: 18})], PRODUCED, "committed 18"),
    ([(20, "fetched", None, (19, {0: 19, 1: 5}))], PRODUCED, "went back"),
    ([(20, "fetched", None, (19, {0: 20}))], PRODUCED, "the coordinator tells 0"),
    ([(20, "consumed", "c", (0, 20, 29, 10)), (21, "committed", "c", {0: 30}),
      (24, "fetched", None, (23, {0: 20, 1: 5}))], PRODUCED, "the coordinator tells 20"),
    ([], [*PRODUCED, (1, 5)], "acknowledged records were read by nobody"),
    ([], [*PRODUCED, (1, 4)], "acknowledged twice"),
]


def proven():
    """Tests the rules with planted faults; returns what they missed or made up."""
    wrong = [f"a good timeline has faults: {fault}" for fault in Timeline(GOOD).ended(PRODUCED)]
    for added, produced, word in PLANTED:
        faults = Timeline([*GOOD, *added]).ended(produced)
        if not any(word in fault for fault in faults):
            wrong.append(f"planted `{word}`, found {faults}")
    awake = [one for one in GOOD if one[1] != "stopped"]
    if not any("was given to c while b" in fault for fault in Timeline(awake).ended(PRODUCED)):
        wrong.append("two owners were not seen when none was stopped")
    return wrong

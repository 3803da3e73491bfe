"""Plays one script of several connections against a broker and keeps each answer in a form that can be compared.

A script is a function; who speaks is an actor with a connection of its own, so that a request which the broker holds
back (a join, a sync) keeps nobody else waiting. It must not know what the scripts ask.
"""
import re
import socket
import time
import uuid

from kit import topics as kit_topics
from kit import wire

# A broker's own words, times and addresses.
DROPPED = {"ThrottleTimeMs", "Host", "Port"}
TEXTS = {"ErrorMessage"}
NODES = {"NodeId"}
MEMBERS = {"MemberId", "Leader"}
# What Kafka keeps in hash tables or gathers over the partitions of its offsets topic has no order of its own.
UNORDERED = {"JoinGroup": {"Members"}, "DescribeGroups": {"Groups", "Members"}, "ListGroups": {"Groups"},
             "ConsumerGroupDescribe": {"Groups", "Members", "TopicPartitions", "Partitions", "SubscribedTopicNames"},
             "ConsumerGroupHeartbeat": {"TopicPartitions", "Partitions"}, "DeleteGroups": {"Results"}}
MADE_ID = re.compile(r"(?P<word>.*?)(?P<made>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|^[A-Za-z0-9_-]{22}$)")
HELD_SECONDS = 0.25
WAIT_SECONDS = 12


class Actor:
    """One connection and what its owner knows of its membership."""

    def __init__(self, play, name):
        self.play, self.name = play, name
        self.conn = None
        self.id, self.generation = "", -1
        self.held = None  # the request that has no answer yet: its API, version and correlation id

    def connect(self):
        if self.conn is None:
            self.conn = wire.Conn(self.play.spec, self.play.address, WAIT_SECONDS)
        return self.conn

    def hang_up(self):
        """Closes the connection; the broker learns nothing else."""
        if self.conn:
            self.conn.close()
        self.conn = self.held = None


class Play:
    """One script's steps, actors and names."""

    def __init__(self, name, spec, broker, topics):
        self.name, self.spec, self.broker, self.address = name, spec, broker, broker.address
        self.group, self.topics = name, topics
        self.steps, self.actors, self.made = [], [], {}
        self.loose = frozenset()  # lists without an order in the answer to the present request
        self.counting = False  # while it is set, lists of partitions are told by their lengths
        self.admin = self.actor("admin")

    def actor(self, name):
        self.actors.append(Actor(self, name))
        return self.actors[-1]

    def close(self):
        for actor in self.actors:
            actor.hang_up()

    def fresh(self, word=""):
        """A member id as a client makes it, new in every run, so that no order can depend on it."""
        made = f"{word}{uuid.uuid4()}"
        self.member(made)
        return made

    def topic_id(self, name):
        """The id of a topic of this run, or one that no topic has."""
        return self.topics.get(name, "ab" * 16)

    def create(self, name, partitions=1):
        """A topic of this script's own."""
        self.topics[name] = kit_topics.create(self.admin.connect(), name, partitions)

    def name_of(self, topic_id):
        return next(name for name, known in self.topics.items() if known == topic_id)

    # Steps.

    def ask(self, label, api, version, body, by=None, loose=()):
        """Sends a request, waits for the answer and keeps it; returns the plain answer."""
        self.send(api, version, body, by)
        self.loose = frozenset(loose)
        try:
            return self.take(label, by)
        finally:
            self.loose = frozenset()

    def send(self, api, version, body, by=None):
        """Sends a request whose answer is taken later."""
        by = by or self.admin
        if by.held:
            raise RuntimeError(f"{by.name} still waits for {by.held[0]}")
        by.held = (api, version, by.connect().send(api, version, body))

    def waits(self, label, by):
        """A step: the broker holds the answer back."""
        by.conn.socket.settimeout(HELD_SECONDS)
        try:
            seen = by.conn.socket.recv(1, socket.MSG_PEEK)
            answer = "answered" if seen else "closed"
        except TimeoutError:
            answer = "waits"
        finally:
            by.conn.socket.settimeout(WAIT_SECONDS)
        api, version, _ = by.held
        self.keep(f"{api} v{version}: {label}", answer)

    def take(self, label, by=None):
        """Waits for the answer to what was sent and keeps it."""
        by = by or self.admin
        api, version, correlation = by.held
        by.held, got = None, {}
        try:
            got = by.conn.receive(api, version, correlation)
            answer = self.plain(api, got)
        except wire.Closed:
            answer = "closed"
        except TimeoutError:
            answer = "no answer"
        except ValueError as error:
            answer = f"not decodable: {error}"
        if isinstance(answer, str):
            by.hang_up()
        self.keep(f"{api} v{version}: {label}", answer)
        return got

    def quiet(self, api, version, body):
        """A request that is not a step."""
        return self.admin.connect().call(api, version, body)

    def until(self, what, ready, seconds=WAIT_SECONDS):
        """Asks again and again until something has come to pass; not a step, so the number of tries is free."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain until {what}")
            time.sleep(0.05)

    def keep(self, label, answer):
        # A group of the script's own is named after it, so it says which part of the script this is.
        label = f"{self.group if self.group.startswith(self.name) else self.name}: {label}"
        if any(step["step"] == label for step in self.steps):
            raise RuntimeError(f"two steps are named {label}")
        self.steps.append({"step": label, "answer": answer})

    # What differs by nature becomes a word; codes, values, shape and order stay.

    def member(self, text):
        """A member id, where the part that somebody made up is the number of its first appearance."""
        found = MADE_ID.fullmatch(text or "")
        if not found:
            return text
        return found["word"] + "#" + str(self.made.setdefault(found["made"], len(self.made) + 1))

    def plain(self, api, answer):
        return self.field(api, None, answer)

    def field(self, api, key, value):
        if isinstance(value, dict):
            return {name: self.field(api, name, part) for name, part in value.items() if name not in DROPPED}
        if self.counting and key == "Partitions":
            return f"{len(value)} of them"
        if isinstance(value, list):
            if api == "ListGroups" and key == "Groups":
                value = [group for group in value if group["GroupId"].split("/")[0] == self.name]
            parts = [self.field(api, key, part) for part in value]
            return sorted(parts, key=sort_key) if key in self.loose or key in UNORDERED.get(api, ()) else parts
        if key in TEXTS:
            return "a text" if value else value
        if key in NODES and value >= 0:
            return "this node"
        if key in MEMBERS:
            return self.member(value)
        if key == "TopicId":
            return next((f"id of {name}" for name, known in self.topics.items() if known == value), value)
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).decode("latin-1") if value.isascii() and value.decode().isprintable() else value.hex()
        return value


def sort_key(part):
    """By what the names say, so that ids of one run cannot decide."""
    if isinstance(part, dict):
        names = ("GroupId", "MemberId", "TopicId", "Name", "PartitionIndex")
        return [repr(part.get(name)) for name in names] + [repr(part)]
    return [f"{part:08d}" if isinstance(part, int) else str(part)]

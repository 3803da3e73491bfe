"""Consumer groups through every client: the scenarios are a table of what a group goes through and who takes part.

Each member is a process of its own (kit/members.py). Sessions are short, so that a crash is seen in time.
"""
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from kit import clients, topics
from kit.members import SESSION_MS, Broken, Crew, kinds, stand, until

PARTITIONS = 6
SETTINGS = {"group.consumer.min.session.timeout.ms": SESSION_MS["consumer"],
            "group.consumer.session.timeout.ms": SESSION_MS["consumer"],
            "group.consumer.min.heartbeat.interval.ms": 500, "group.consumer.heartbeat.interval.ms": 500,
            "offsets.topic.num.partitions": 8}
# Seconds in which a client comes up, joins and reads on a machine that does much else.
START = 60
QUICK = {"java-uniform", "librdkafka-range", "franz-cooperative", "kafkajs"}


def run(court):
    clients.programs()
    broker = court.broker(**{key.replace(".", "__"): value for key, value in SETTINGS.items()})
    table = kinds()
    chosen = [kind for kind in table.values() if not court.quick or kind.name in QUICK]
    plays = [(mixed, "mixed", table), (migrate, "migrate", table)]
    plays += [(life, f"life-{kind.name}", kind) for kind in chosen]
    plays += [(static, f"static-{kind.name}", kind) for kind in chosen if kind.static and not kind.pattern]
    plays += [(pattern, f"pattern-{kind.name}", kind) for kind in chosen if kind.pattern]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda play: perform(court, broker, *play), plays))
    court.check(broker.alive(), "the broker ended")


def perform(court, broker, play, name, detail):
    """One scenario on a topic and a connection of its own."""
    begun = time.monotonic()
    topic = f"{name}-1"
    try:
        with court.connect(broker) as conn:
            topics.create(conn, topic, PARTITIONS)
            with Crew(court, broker, name, topic, PARTITIONS) as crew:
                play(crew, conn, detail)
    except Broken:
        pass
    except Exception:
        court.check(False, f"{name}: {traceback.format_exc(limit=4)}")
    court.note(f"{name}: {time.monotonic() - begun:.1f} s")


def life(crew, conn, kind):
    """Subscribe, balance, leave, crash, resume; a second group gets everything as well."""
    first = crew.start(kind)
    crew.settle("of one member", START)
    crew.produce(conn, 20)
    crew.read("the first records")
    crew.commit()
    second = crew.start(kind)
    crew.settle("of two members", START)
    third = crew.start(kind)
    crew.settle("of three members", START)
    crew.produce(conn, 20)
    crew.read("three members")
    crew.commit()
    third.close()
    took = crew.settle("after a member left")
    crew.check(took < kind.session - 1, f"a member that left was missed only after {took:.1f} s")
    crew.produce(conn, 20)
    crew.read("two members")
    crew.commit(first)
    crew.crash(second)
    took = crew.settle("after a crash", kind.session + 10)
    crew.check(took > kind.session / 2, f"the crashed member was given up after {took:.1f} s")
    crew.read("what the crashed member had not committed")
    crew.commit()
    first.close()
    crew.produce(conn, 20)
    with Crew(crew.court, crew.broker, f"{crew.group}-other", crew.topic, PARTITIONS) as other:
        other.ends = dict(crew.ends)
        fourth = crew.start(kind)
        other.start(kind)
        crew.read("after all had left", START)
        other.read("a second group", START)
        fourth.commit()
        crew.stored(conn)
        fourth.close()
        other.members[0].close()


def static(crew, conn, kind):
    """A static member comes back within its session: nobody else notices, and it has its partitions again."""
    first = crew.start(kind, "one")
    second = crew.start(kind, "two")
    crew.settle("of static members", START)
    crew.produce(conn, 20)
    crew.read("static members")
    crew.commit()
    owned, changes = set(first.owned), second.changes
    first.close()
    again = crew.start(kind, "one")
    crew.check(until(lambda: again.owned == owned, 15), f"{again.name} should own {sorted(owned)}: {again.story()}")
    crew.produce(conn, 20)
    crew.read("after the restart")
    crew.check(second.changes == changes, f"{second.name} was rebalanced by the restart of another")
    crew.commit()
    crew.stored(conn)


def pattern(crew, conn, kind):
    """A topic that is created later and matches is found."""
    member = crew.start(kind)
    crew.settle("by pattern", START)
    other = crew.topic[:-1] + "2"
    topics.create(conn, other, 2)
    topics.create(conn, "not-" + other, 1)
    crew.parts |= {(other, 0), (other, 1)}
    for part in crew.parts:
        crew.cursor.setdefault(part, 0)
        crew.ends.setdefault(part, 0)
    crew.settle("with a new topic that matches", 40)
    crew.produce(conn, 5)
    crew.read("both topics")
    member.close()


def mixed(crew, conn, table):
    """Six clients in one classic group; the leader crashes, then members leave one by one."""
    names = ["java-range", "librdkafka-range", "kafka-python", "kafkajs", "franz-range", "aiokafka"]
    for name in names:
        crew.start(table[name])
        crew.settle(f"after {name} came", START)
    crew.produce(conn, 20)
    crew.read("six clients")
    crew.commit()
    crew.crash(crew.members[0])
    crew.settle("after the first crashed")
    crew.produce(conn, 20)
    crew.read("five clients")
    crew.commit()
    while len(crew.members) > 1:
        crew.members[0].close()
        crew.settle(f"with {len(crew.members)} left")
    crew.produce(conn, 20)
    crew.read("the last client")
    crew.commit()
    crew.stored(conn)


def migrate(crew, conn, table):
    """Classic to consumer and back, member by member; offsets stay and every record is read once."""
    classic, modern = table["java-range"], table["java-uniform"]

    def turn(why, kind, leaving, wanted):
        member = crew.start(kind)
        crew.settle(f"{why}: one came", START)
        crew.produce(conn, 5)
        crew.read(f"{why}: one came")
        crew.commit()
        for gone in leaving:
            gone.close()
            crew.settle(f"{why}: one went")
            crew.produce(conn, 5)
            crew.read(f"{why}: one went")
            crew.commit()
        crew.check(until(lambda: stand(conn, crew.group) == (wanted, "Stable"), 5),
                   f"{why}: the group is {stand(conn, crew.group)}, not {wanted}")
        return member
    first = turn("classic", classic, [], "classic")
    second = turn("classic, two members", classic, [], "classic")
    third = turn("upgrade begins", modern, [first], "consumer")
    fourth = turn("upgrade ends", modern, [second], "consumer")
    fifth = turn("downgrade begins", classic, [third], "consumer")
    turn("downgrade ends", classic, [fourth], "classic")
    fifth.close()
    crew.settle("after the downgrade")
    crew.stored(conn)

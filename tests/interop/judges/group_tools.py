"""Kafka's own tools on groups, as a person types them, and what they decode of `__consumer_offsets`.

The tools are of 4.3.1; Kafka's answers are kept in groups-4.4.0.json and are written again by a run with
`--broker kafka`. Two groups have a member of librdkafka in each protocol; the others are made by raw commits.
"""
import json
import re
import time

from judges.admin import compare, plain
from judges.allowed import GROUP_TOOLS
from kit import clients, topics
from kit.console import Tools, tool
from kit.members import Crew, kinds, until
from kit.paths import HERE

ANSWERS = HERE / "groups-4.4.0.json"
BEGUN_MS = 1_700_000_000_000
RECORDS, PARTITIONS = 10, 3
COMMAND = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
SPECS = {"to-earliest": [], "to-latest": [], "to-current": [], "to-offset": ["4"], "shift-by": ["2"],
         "to-datetime": ["2023-11-14T22:13:25.000"], "by-duration": ["P20000D"]}


def run(court):
    clients.programs()
    broker = court.broker(offsets__topic__num__partitions=4)
    table = kinds()
    with court.connect(broker) as conn:
        node = conn.call("Metadata", 12, {"Topics": []})["Brokers"][0]["NodeId"]
        groundwork(conn)
        answers = {}
        with Tools() as tools, Crew(court, broker, "gt-classic", "gt-a", PARTITIONS) as classic, \
                Crew(court, broker, "gt-consumer", "gt-a", PARTITIONS) as modern:
            def ask(name, *arguments, command=COMMAND):
                code, text = tools.run(command, "--bootstrap-server", broker.address, *arguments)
                text = text.split("\nOption ")[0]  # a wrong option is followed by the tool's whole help
                answers[f"tool: {name}"] = f"exit {code}: " + shape(plain(text, broker, node), node)
            attend(classic, table["librdkafka-range"])
            attend(modern, table["librdkafka-uniform"])
            lists(ask)
            describes(ask)
            resets(ask, court.home)
            while_alive(ask)
            for crew in (classic, modern):
                crew.members[0].close()
            afterwards(ask, court, broker, conn)
            answers.update(decoded(court, broker))
    court.check(broker.alive(), "the broker ended")
    broker.stop()
    answers.update(dumped(court, broker))
    (court.home / "answers.json").write_text(json.dumps(answers, indent=1))
    if ANSWERS.exists():
        compare(court, json.loads(ANSWERS.read_text()), answers, GROUP_TOOLS)
    if court.record and not court.failures:
        ANSWERS.write_text(json.dumps(answers, indent=1) + "\n")


def groundwork(conn):
    """Two topics with known times, and a group that only committed."""
    for topic in ("gt-a", "gt-b"):
        topics.create(conn, topic, PARTITIONS, retention_ms=-1)
        for partition in range(PARTITIONS):
            for at in range(RECORDS):
                topics.produce(conn, topic, [(b"k", b"v%d" % at)], partition, timestamp=BEGUN_MS + 1000 * at)
    commit(conn, "gt-simple", {"gt-a": [3, 5, 7], "gt-b": [1, 2, 10]})
    commit(conn, "gt-gone", {"gt-a": [1, 1, 1]})


def commit(conn, group, offsets):
    """Offsets of a group without members; the coordinator may still be loading."""
    def done():
        answer = conn.call("OffsetCommit", 8, {
            "GroupId": group, "GenerationIdOrMemberEpoch": -1, "MemberId": "", "Topics": [
                {"Name": topic, "Partitions": [
                    {"PartitionIndex": partition, "CommittedOffset": offset, "CommittedMetadata": f"m{offset}"}
                    for partition, offset in enumerate(parts)]} for topic, parts in offsets.items()]})
        return all(part["ErrorCode"] == 0 for topic in answer["Topics"] for part in topic["Partitions"])
    conn.call("FindCoordinator", 4, {"KeyType": 0, "CoordinatorKeys": [group]})
    if not until(done, 20):
        raise RuntimeError(f"{group} could not commit")


def attend(crew, kind):
    """One member that owns all and has committed the end."""
    crew.ends = dict.fromkeys(crew.parts, RECORDS)
    crew.start(kind)
    crew.settle("of one member", 30)
    crew.read("what was there")
    crew.commit()


def lists(ask):
    ask("list", "--list")
    for how in ("state", "type"):
        ask(f"list --{how}", "--list", f"--{how}")
    for states in ("empty", "stable,empty", "Stable", "preparing-rebalance", "nonsense"):
        ask(f"list --state {states}", "--list", "--state", states)
    for types in ("consumer", "classic", "classic,consumer", "nonsense"):
        ask(f"list --type {types}", "--list", "--type", types)
    groups = "org.apache.kafka.tools.GroupsCommand"
    for how in ("", "--consumer", "--share", "--group-type classic", "--group-type consumer", "--protocol consumer",
                "--group-type consumer --protocol consumer", "--protocol connect", "--group-type nonsense"):
        ask(f"groups --list {how}", "--list", *how.split(), command=groups)


def describes(ask):
    for group in ("gt-simple", "gt-classic", "gt-consumer", "gt-none"):
        for how in ("", "--offsets --verbose", "--members", "--members --verbose", "--state", "--state --verbose"):
            ask(f"describe {group} {how}", "--describe", "--group", group, *how.split())
    ask("describe two groups", "--describe", "--group", "gt-simple", "--group", "gt-classic")
    ask("describe all states", "--describe", "--all-groups", "--state")


def resets(ask, home):
    """Every specification as a dry run, then each is done and looked at."""
    def reset(name, *arguments, group="gt-simple"):
        ask(f"reset {name}", "--reset-offsets", "--group", group, *arguments)
    for spec, detail in SPECS.items():
        reset(f"dry run {spec}", "--topic", "gt-a", f"--{spec}", *detail)
        reset(f"execute {spec}", "--topic", "gt-a", f"--{spec}", *detail, "--execute")
        ask(f"describe after {spec}", "--describe", "--group", "gt-simple")
    reset("beyond the end", "--topic", "gt-a:0", "--to-offset", 4000, "--execute")
    reset("back beyond the start", "--topic", "gt-a:0", "--shift-by", -4000, "--execute")
    reset("some partitions", "--topic", "gt-a:0,2", "--topic", "gt-b:1", "--to-offset", 6, "--execute")
    reset("a moment ago", "--topic", "gt-a", "--by-duration", "PT0S")
    reset("a late time", "--topic", "gt-a", "--to-datetime", "2025-01-01T00:00:00.000Z")
    reset("an ill time", "--topic", "gt-a", "--to-datetime", "yesterday")
    reset("all topics", "--all-topics", "--to-offset", 5, "--execute")
    reset("unknown topic", "--topic", "gt-none", "--to-earliest", "--execute")
    reset("unknown partition", "--topic", "gt-a:9", "--to-earliest", "--execute")
    reset("no specification", "--topic", "gt-a", "--execute")
    reset("no scope", "--to-earliest", "--execute")
    reset("export", "--all-topics", "--shift-by", 1, "--export")
    plan = home / "plan.csv"
    plan.write_text("".join(f'"gt-a",{partition},{partition + 1}\n' for partition in range(PARTITIONS)))
    reset("dry run from file", "--from-file", plan)
    reset("execute from file", "--from-file", plan, "--execute")
    ask("describe after from file", "--describe", "--group", "gt-simple")
    reset("a group that is not there", "--topic", "gt-a", "--to-offset", 2, "--execute", group="gt-new")
    ask("describe a group made by a reset", "--describe", "--group", "gt-new", "--offsets")


def while_alive(ask):
    """What the tools refuse while members are there."""
    for group in ("gt-classic", "gt-consumer"):
        ask(f"reset {group} alive", "--reset-offsets", "--group", group, "--topic", "gt-a", "--to-earliest", "--execute")
        ask(f"delete-offsets {group} alive", "--delete-offsets", "--group", group, "--topic", "gt-a")
        ask(f"delete {group} alive", "--delete", "--group", group)
    ask("delete one alive, one empty, one unknown", "--delete", "--group", "gt-gone", "--group", "gt-classic",
        "--group", "gt-none")


def afterwards(ask, court, broker, conn):
    """With no member left; the console consumer as a member in both protocols."""
    for group in ("gt-classic", "gt-consumer"):
        ask(f"describe {group} when its member has left", "--describe", "--group", group)
        ask(f"state of {group} when its member has left", "--describe", "--group", group, "--state")
    ask("reset gt-consumer when its member has left", "--reset-offsets", "--group", "gt-consumer", "--topic", "gt-a",
        "--to-offset", 3, "--execute")
    for name, topic in (("one partition", "gt-a:0"), ("one topic", "gt-b"), ("an unknown topic", "gt-none"),
                        ("nothing committed", "gt-a:0")):
        ask(f"delete-offsets of {name}", "--delete-offsets", "--group", "gt-simple", "--topic", topic)
    ask("describe after delete-offsets", "--describe", "--group", "gt-simple")
    ask("delete-offsets of an unknown group", "--delete-offsets", "--group", "gt-none", "--topic", "gt-a")
    for protocol in ("classic", "consumer"):
        group = f"gt-console-{protocol}"
        total = RECORDS * PARTITIONS
        out = court.run(tool("consumer.ConsoleConsumer", "--bootstrap-server", broker.address, "--topic", "gt-a",
                             "--group", group, "--from-beginning", "--max-messages", total, "--timeout-ms", 20000,
                             "--command-property", f"group.protocol={protocol}", mixed=protocol == "consumer"), 60)
        court.check(out is not None and len(out.splitlines()) == total, f"{group} did not read {total} records")
        ask(f"describe {group}", "--describe", "--group", group, "--offsets")
        ask(f"state of {group}", "--describe", "--group", group, "--state")
    ask("delete", "--delete", "--group", "gt-new", "--group", "gt-console-classic")
    ask("describe what was deleted", "--describe", "--group", "gt-new")
    ask("list at the end", "--list", "--state")


def shape(text, node):
    """Ids, widths of columns and times as words."""
    for pattern, word in ((r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
                          (r"(?<![\w+/-])[\w+/-]{22}(?= |$)", id_word),
                          (rf"ADDRESS\s+\({node}\)", "ADDRESS (NODE)"),
                          (r"(Valid \w+ are:|of the following scenarios:)[^|]*", r"\1"),
                          (r" +", " "), (r"(Exception): [^|]*", r"\1")):
        text = re.sub(pattern, word, text)
    return text


def id_word(match):
    """A base64 id, unless it is a word of ours of the same length."""
    return match[0] if match[0].startswith(("gt-", "--")) or match[0].islower() or match[0].isupper() else "ID"


# What differs by nature in what is decoded, by the name of its field.
VARYING = {"commitTimestamp": "a time", "expireTimestamp": "a time", "currentStateTimestamp": "a time",
           "leader": "a member", "memberId": "a member", "clientHost": "a host", "subscription": "bytes",
           "assignment": "bytes", "topicId": "an id", "topicHash": "a hash", "hash": "a hash", "metadataHash": "a hash"}


def steady(value):
    """Decoded JSON without what differs by nature."""
    if isinstance(value, dict):
        return {key: VARYING[key] if key in VARYING and part not in (None, -1) else steady(part)
                for key, part in value.items()}
    return [steady(part) for part in value] if isinstance(value, list) else value


def decoded(court, broker):
    """What the console consumer's formatters make of the offsets topic, for our groups, without repetition."""
    found = {}
    for name in ("OffsetsMessageFormatter", "GroupMetadataMessageFormatter"):
        out = court.run(tool("consumer.ConsoleConsumer", "--bootstrap-server", broker.address, "--topic",
                             "__consumer_offsets", "--from-beginning", "--timeout-ms", 3000, "--group", f"reader-{name}",
                             "--formatter", f"org.apache.kafka.tools.consumer.{name}"), 60)
        lines = list(objects(out or ""))
        court.check(bool(lines), f"{name} decoded nothing")
        for line in lines:
            data = line["key"].get("data", {})
            group = data.get("group") or data.get("groupId") or ""
            if group.startswith("gt-"):
                at = f"{name}: {group} {data.get('topic', '')} {data.get('partition', '')}".strip()
                text = json.dumps(steady({"type": line["key"]["type"], "value": line["value"]}))
                found.setdefault(at, []).append(text)
    return {name: " | ".join(dict.fromkeys(lines)) for name, lines in found.items()}


def objects(text):
    """The formatters put nothing between one JSON object and the next."""
    at, decoder = text.find("{"), json.JSONDecoder()
    while at >= 0:
        value, end = decoder.raw_decode(text, at)
        yield value
        at = text.find("{", end)


def dumped(court, broker):
    """DumpLogSegments over the offsets topic after the stop: every kind of record that our groups left."""
    logs = sorted(path for path in broker.data.rglob("*.log") if path.parent.name.startswith("__consumer_offsets-"))
    if not court.check(bool(logs), "there is no log of __consumer_offsets"):
        return {}
    out = court.run(tool("DumpLogSegments", "--offsets-decoder", "--files", ",".join(map(str, logs))), 60) or ""
    written = {}
    for line in out.splitlines():
        if match := re.search(r"key: (\{.*?\}) payload: ?(.*)$", line):
            key = json.loads(match[1])
            group = str(key["data"].get("group") or key["data"].get("groupId") or "")
            if group.startswith("gt-"):
                form = "tombstone" if match[2] in ("", "null", "<DELETE>") else "value"
                written.setdefault(group, set()).add(f"{key['type']} {form}")
    return {f"dump: {group}": ", ".join(sorted(forms)) for group, forms in written.items()}

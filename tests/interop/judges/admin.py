"""Kafka's AdminClient and command-line tools against both brokers: the table of differences must be empty.

AdminClient is 4.4.0 (clients/java/AdminSteps.java); the tools are of 4.3.1. Kafka's answers are kept in
admin-4.4.0.json and are written again by a run with `--broker kafka`.
"""
import json
import re
import time

from judges.allowed import ADMIN
from kit import clients, install, topics
from kit.console import Tools
from kit.paths import HERE

ANSWERS = HERE / "admin-4.4.0.json"


def run(court):
    install.java()
    broker = court.broker()
    answers = client_steps(court, broker)
    answers.update(tool_steps(court, broker))
    (court.home / "answers.json").write_text(json.dumps(answers, indent=1))
    court.check(broker.alive(), "the broker ended")
    if ANSWERS.exists():
        compare(court, json.loads(ANSWERS.read_text()), answers, ADMIN)
    if court.record and not court.failures:
        ANSWERS.write_text(json.dumps(answers, indent=1) + "\n")


def client_steps(court, broker):
    """AdminClient's steps, printed as `name TAB answer`."""
    out = court.run(clients.java("AdminSteps", broker.address), timeout=150)
    return dict(line.split("\t", 1) for line in (out or "").splitlines() if "\t" in line)


def tool_steps(court, broker):
    """The same things as a person would type them."""
    with court.connect(broker) as conn:
        topics.create(conn, "cli-r", 2, retention_ms=-1)
        topics.create(conn, "cli-d", 1, retention_ms=-1)
        topics.produce(conn, "cli-d", [(b"k", b"v")], timestamp=1_700_000_000_000)
        node = conn.call("Metadata", 12, {"Topics": []})["Brokers"][0]["NodeId"]
        for partition in (0, 1):
            topics.produce(conn, "cli-r", [(b"k", b"v%d" % n) for n in range(5)], partition, timestamp=1_700_000_000_000)
    answers = {}
    with Tools() as tools:
        def ask(name, command, *arguments):
            if "." not in command:
                command = f"org.apache.kafka.tools.{command}"
            code, text = tools.run(command, "--bootstrap-server", broker.address, *arguments)
            answers[f"tool: {name}"] = f"exit {code}: " + plain(text, broker, node)
        type_them(court, ask, node)
    return answers


def type_them(court, ask, node):
    offsets_file = court.home / "delete.json"
    offsets_file.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": "cli-r", "partition": 0, "offset": 3}, {"topic": "cli-r", "partition": 1, "offset": -1}]}))

    def topic(name, *arguments):
        ask(f"topics {name}", "TopicCommand", *arguments)
        if arguments[0] in ("--create", "--alter", "--delete"):
            time.sleep(0.3)

    def configs(name, *arguments):
        ask(f"configs {name}", "kafka.admin.ConfigCommand", *arguments)
        if arguments[0] == "--alter":
            time.sleep(0.3)
    topic("create", "--create", "--topic", "cli-a", "--partitions", "3", "--config", "retention.ms=60000")
    topic("create again", "--create", "--topic", "cli-a")
    topic("create if not exists", "--create", "--topic", "cli-a", "--if-not-exists")
    topic("create replication factor 3", "--create", "--topic", "cli-x", "--replication-factor", "3")
    topic("create invalid", "--create", "--topic", "cli x")
    topic("create bad config", "--create", "--topic", "cli-x", "--config", "retention.ms=soon")
    topic("describe", "--describe", "--topic", "cli-a")
    topic("describe unknown", "--describe", "--topic", "cli-none")
    topic("describe those under-replicated", "--describe", "--under-replicated-partitions")
    topic("describe those with overrides", "--describe", "--topics-with-overrides", "--topic", "cli-.*")
    topic("alter", "--alter", "--topic", "cli-a", "--partitions", "5")
    topic("alter down", "--alter", "--topic", "cli-a", "--partitions", "2")
    topic("list", "--list", "--topic", "cli-.*")
    configs("describe", "--describe", "--entity-type", "topics", "--entity-name", "cli-a")
    configs("add", "--alter", "--entity-type", "topics", "--entity-name", "cli-a", "--add-config",
            "segment.bytes=2097152,cleanup.policy=[compact,delete]")
    configs("describe after add", "--describe", "--entity-type", "topics", "--entity-name", "cli-a")
    configs("remove", "--alter", "--entity-type", "topics", "--entity-name", "cli-a", "--delete-config",
            "cleanup.policy")
    configs("add bad", "--alter", "--entity-type", "topics", "--entity-name", "cli-a", "--add-config", "no.such=1")
    configs("describe unknown", "--describe", "--entity-type", "topics", "--entity-name", "cli-none")
    configs("broker", "--describe", "--entity-type", "brokers", "--entity-name", node)
    ask("get-offsets", "GetOffsetShell", "--topic", "cli-r")
    ask("get-offsets earliest", "GetOffsetShell", "--topic", "cli-r", "--time", "earliest")
    ask("get-offsets max-timestamp", "GetOffsetShell", "--topic-partitions", "cli-r:0", "--time", "-3")
    ask("get-offsets unknown", "GetOffsetShell", "--topic", "cli-none")
    ask("delete-records", "DeleteRecordsCommand", "--offset-json-file", offsets_file)
    ask("get-offsets after delete-records", "GetOffsetShell", "--topic", "cli-r", "--time", "earliest")
    ask("log-dirs", "LogDirsCommand", "--describe", "--topic-list", "cli-d")
    topic("delete", "--delete", "--topic", "cli-a")
    topic("delete unknown", "--delete", "--topic", "cli-none")
    topic("delete unknown if exists", "--delete", "--topic", "cli-none", "--if-exists")


def plain(text, broker, node):
    """The output of a tool without ids, paths, addresses, times, log noise and order of lines."""
    lines = [line for line in text.splitlines()
             if line.strip() and not line.startswith("SLF4J") and not line.lstrip().startswith("at ")]
    text = " | ".join(sorted(lines))
    for pattern, word in ((r"TopicId: [\w-]{22}", "TopicId: ID"), (r"Cluster ID: \S+", "Cluster ID: ID"),
                          (re.escape(str(broker.data)) + r"\S*?(?=\")", "DIR"), (r"\b127\.0\.0\.1:\d+", "ADDRESS"),
                          (rf"(Leader|Replicas|Isr|broker|Broker|brokers)(\W+){node}\b", r"\1\2NODE"),
                          (r"(Error while executing \w+ command)[^|]*", r"\1"),
                          (r"(common\.errors\.\w+): [^|]*", r"\1"),
                          (r"\[\d{4}-\d\d-\d\d [\d:,]+\] ", ""), (r'"(totalBytes|usableBytes)":\d+', r'"\1":N')):
        text = re.sub(pattern, word, text)
    return text[:1500]


def compare(court, wanted, found, allowed):
    """Prints a table of differences; those with a reason do not count."""
    for name in sorted(set(wanted) | set(found), key=lambda n: list(wanted).index(n) if n in wanted else 0):
        want, got = wanted.get(name, "not asked"), found.get(name, "not asked")
        if want == got:
            court.check(True, name)
            continue
        reason = next((why for pattern, why in allowed if pattern in name), None)
        if reason and court.kind != "kafka":
            court.note(f"allowed: {name}: {reason}")
            continue
        if court.kind == "kafka" and want == "not asked":
            continue
        court.check(False, f"{name}\n      Kafka: {want[:400]}\n      here:  {got[:400]}")

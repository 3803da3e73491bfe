"""DescribeConfigs, IncrementalAlterConfigs, AlterConfigs, ListConfigResources."""
import time

TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = 0, 1, 2, 3


def play(scene):
    scene.create("conf-a", 1, retention_ms=60000, cleanup_policy="delete")
    scene.create("conf-b", 1)
    describing(scene)
    incremental(scene)
    replacing(scene)
    resources(scene)


def describe(name, keys=("retention.ms", "cleanup.policy", "max.message.bytes"), kind=TOPIC, synonyms=True, docs=False):
    return {"Resources": [{"ResourceType": kind, "ResourceName": name,
                           "ConfigurationKeys": None if keys is None else list(keys)}],
            "IncludeSynonyms": synonyms, "IncludeDocumentation": docs}


def describing(scene):
    low, high = scene.spec.range("DescribeConfigs")
    for version in range(low, high + 1):
        scene.step("three keys", "DescribeConfigs", version, describe("conf-a"))
        scene.step("without synonyms", "DescribeConfigs", version, describe("conf-a", synonyms=False))

    def step(label, *wanted, **how):
        scene.step(label, "DescribeConfigs", 4, describe(*wanted, **how))
    step("unknown topic", "conf-none")
    step("invalid topic name", "bad name!")
    step("empty topic name", "")
    step("unknown key", "conf-a", ("no.such.key",))
    step("no keys", "conf-a", ())
    step("this broker", str(scene.node), ("log.retention.ms", "message.max.bytes", "num.partitions"), kind=BROKER)
    step("default broker", "", ("log.retention.ms", "message.max.bytes"), kind=BROKER)
    step("another broker", "99", ("message.max.bytes",), kind=BROKER)
    step("broker by a word", "one", ("message.max.bytes",), kind=BROKER)
    step("unknown group", "conf-group", ("consumer.session.timeout.ms",), kind=GROUP)
    step("resource type 0", "x", kind=0)
    step("resource type 1", "x", kind=1)
    step("resource type 99", "x", kind=99)
    everything = scene.quiet("DescribeConfigs", 4, describe("conf-a", None, docs=True))["Results"][0]["Configs"]
    skipped = scene.ignored_configs
    scene.steps.append({"step": "DescribeConfigs v4: every topic key", "answer": {
        c["Name"]: [c["Value"], c["ConfigSource"], c["ConfigType"], c["ReadOnly"], c["IsSensitive"],
                    [s["Name"] for s in c["Synonyms"]]]
        for c in sorted(everything, key=lambda c: c["Name"]) if c["Name"] not in skipped}})
    scene.steps.append({"step": "DescribeConfigs v4: every topic key has a text",
                        "answer": all(c["Documentation"] for c in everything)})
    scene.steps.append({"step": "DescribeConfigs v4: ignored keys are shown",
                        "answer": sorted(c["Name"] for c in everything if c["Name"] in skipped)})
    twice = describe("conf-a")
    twice["Resources"] *= 2
    scene.step("same resource twice", "DescribeConfigs", 4, twice)


def change(name, *ops, kind=TOPIC, validate=False):
    return {"ValidateOnly": validate, "Resources": [{"ResourceType": kind, "ResourceName": name, "Configs": [
        {"Name": key, "ConfigOperation": op, "Value": value} for key, op, value in ops]}]}


def value_of(scene, topic, key):
    found = scene.quiet("DescribeConfigs", 4, describe(topic, (key,)))["Results"][0]["Configs"]
    return found[0]["Value"] if found else None


def incremental(scene):
    low, high = scene.spec.range("IncrementalAlterConfigs")

    def step(label, *wanted, version=high, after=None, **how):
        scene.step(label, "IncrementalAlterConfigs", version, change(*wanted, **how))
        if after:
            key, value = after
            scene.until(lambda: value_of(scene, wanted[0], key) == value)
            scene.step(f"after {label} ({version})", "DescribeConfigs", 4, describe(wanted[0], (key,)))
    for version in range(low, high + 1):
        step("set", "conf-b", ("retention.ms", SET, str(1000 + version)), version=version,
             after=("retention.ms", str(1000 + version)))
    step("delete", "conf-b", ("retention.ms", DELETE, None), after=("retention.ms", "604800000"))
    step("append to a list", "conf-b", ("cleanup.policy", APPEND, "compact"), after=("cleanup.policy", "delete,compact"))
    step("append what is there", "conf-b", ("cleanup.policy", APPEND, "compact"))
    step("subtract from a list", "conf-b", ("cleanup.policy", SUBTRACT, "delete"), after=("cleanup.policy", "compact"))
    step("subtract what is not there", "conf-b", ("cleanup.policy", SUBTRACT, "delete"))
    step("append to a number", "conf-b", ("retention.ms", APPEND, "1"))
    step("subtract from a number", "conf-b", ("retention.ms", SUBTRACT, "1"))
    step("operation 9", "conf-b", ("retention.ms", 9, "1"))
    step("set null", "conf-b", ("retention.ms", SET, None))
    step("same key twice", "conf-b", ("retention.ms", SET, "1"), ("retention.ms", SET, "2"))
    step("unknown key", "conf-b", ("no.such.key", SET, "1"))
    step("delete unknown key", "conf-b", ("no.such.key", DELETE, None))
    step("not a number", "conf-b", ("retention.ms", SET, "x"))
    step("out of range", "conf-b", ("segment.bytes", SET, "1"))
    step("not in list", "conf-b", ("compression.type", SET, "rar"))
    step("unknown topic", "conf-none", ("retention.ms", SET, "1"))
    step("invalid topic name", "bad name!", ("retention.ms", SET, "1"))
    step("validate only", "conf-b", ("retention.ms", SET, "7"), validate=True)
    step("one good, one bad key", "conf-b", ("retention.ms", SET, "8"), ("no.such.key", SET, "1"))
    step("nothing", "conf-b")
    step("resource type 0", "x", ("a", SET, "1"), kind=0)
    step("resource type 99", "x", ("a", SET, "1"), kind=99)
    step("another broker", "99", ("message.max.bytes", SET, "2000000"), kind=BROKER)
    step("broker by a word", "one", ("message.max.bytes", SET, "2000000"), kind=BROKER)
    step("read-only broker key", "", ("node.id", SET, "7"), kind=BROKER)
    time.sleep(0.3)
    scene.step("after all that", "DescribeConfigs", 4, describe("conf-b"))
    twice = change("conf-b", ("retention.ms", SET, "1"))
    twice["Resources"] *= 2
    scene.step("same resource twice", "IncrementalAlterConfigs", 1, twice)
    two = change("conf-b", ("retention.ms", SET, "123"))
    two["Resources"] += change("conf-none", ("retention.ms", SET, "1"))["Resources"]
    scene.step("one good, one unknown topic", "IncrementalAlterConfigs", 1, two)


def replacing(scene):
    def ask(name, *pairs, kind=TOPIC, validate=False):
        return {"ValidateOnly": validate, "Resources": [{"ResourceType": kind, "ResourceName": name, "Configs": [
            {"Name": key, "Value": value} for key, value in pairs]}]}
    low, high = scene.spec.range("AlterConfigs")
    for version in range(low, high + 1):
        scene.step("replace", "AlterConfigs", version, ask("conf-a", ("segment.ms", str(5000 + version))))
        scene.until(lambda: value_of(scene, "conf-a", "segment.ms") == str(5000 + version))
        scene.step(f"after replace {version}", "DescribeConfigs", 4, describe("conf-a", ("segment.ms", "retention.ms")))
    scene.step("unknown key", "AlterConfigs", 2, ask("conf-a", ("no.such.key", "1")))
    scene.step("null value", "AlterConfigs", 2, ask("conf-a", ("retention.ms", None)))
    scene.step("unknown topic", "AlterConfigs", 2, ask("conf-none", ("retention.ms", "1")))
    scene.step("validate only", "AlterConfigs", 2, ask("conf-a", ("retention.ms", "9"), validate=True))
    scene.step("resource type 99", "AlterConfigs", 2, ask("conf-a", ("retention.ms", "9"), kind=99))
    scene.step("same key twice", "AlterConfigs", 2, ask("conf-a", ("retention.ms", "8"), ("retention.ms", "9")))


def resources(scene):
    scene.step("client metrics", "ListConfigResources", 0, {})
    scene.step("groups", "ListConfigResources", 1, {"ResourceTypes": [GROUP]})
    scene.step("unknown type", "ListConfigResources", 1, {"ResourceTypes": [99]})
    scene.step("type 0", "ListConfigResources", 1, {"ResourceTypes": [0]})
    scene.step("brokers", "ListConfigResources", 1, {"ResourceTypes": [BROKER]})
    found = scene.quiet("ListConfigResources", 1, {"ResourceTypes": [TOPIC]})["ConfigResources"]
    names = sorted(r["ResourceName"] for r in found if r["ResourceName"].startswith("conf-"))
    scene.steps.append({"step": "ListConfigResources v1: topics", "answer": names})
    types = scene.quiet("ListConfigResources", 1, {"ResourceTypes": []})["ConfigResources"]
    scene.steps.append({"step": "ListConfigResources v1: no types is every type", "answer": sorted(
        {r["ResourceType"] for r in types})})

"""CreateTopics, DeleteTopics, CreatePartitions, DescribeLogDirs, FindCoordinator."""
import time

from kit import topics
from steps.asks import create, known, new


def play(scene):
    creating(scene)
    growing(scene)
    log_dirs(scene)
    deleting(scene)
    coordinators(scene)


def creating(scene):
    low, high = scene.spec.range("CreateTopics")
    for version in range(low, high + 1):
        name = f"top-v{version}"
        scene.step("plain", "CreateTopics", version, create(new(name, 2)))
        scene.learn(name)
        scene.step("exists", "CreateTopics", version, create(new(name)))

    def step(label, *wanted, version=4, validate=False):
        scene.step(label, "CreateTopics", version, create(*wanted, validate=validate))
    for label, name in {"empty": "", "dot": ".", "dots": "..", "space": "a b", "slash": "a/b", "umlaut": "ä",
                        "250 characters": "x" * 250, "nul": "a\0b"}.items():
        step(f"name: {label}", new(name))
    step("name: 249 characters", new("x" * 249))
    step("name collides by dot and underscore", new("top_v2"), new("top.v2"))
    step("collides with an existing one", new("top-c.d"))
    scene.learn("top-c.d")
    step("collides with the one before", new("top-c_d"))
    step("internal name", new("__consumer_offsets_x"), validate=True)
    step("twice in one request", new("top-twice"), new("top-twice"))
    step("partitions 0", new("top-p", 0))
    step("partitions -1", new("top-default", -1, -1))
    step("partitions -2", new("top-p", -2))
    step("replicas 0", new("top-p", 1, 0))
    step("replicas 3", new("top-p", 1, 3))
    step("replicas -2", new("top-p", 1, -2))
    here = scene.node
    step("assigned", new("top-assigned", -1, -1, [(0, [here]), (1, [here])]))
    step("both count and assignment", new("top-p", 2, 1, [(0, [here])]))
    step("assigned to no brokers", new("top-p", -1, -1, [(0, [])]))
    step("assigned to an unknown broker", new("top-p", -1, -1, [(0, [99])]))
    step("assigned to one broker twice", new("top-p", -1, -1, [(0, [here, here])]))
    step("assigned with a gap", new("top-p", -1, -1, [(0, [here]), (2, [here])]))
    step("assigned twice", new("top-p", -1, -1, [(0, [here]), (0, [here])]))
    step("good configs", new("top-conf", cleanup_policy="compact,delete", retention_ms="1000", segment_bytes="1048576"))
    step("unknown config", new("top-p", no_such_config="1"))
    step("config out of range", new("top-p", segment_bytes="10"))
    step("config not a number", new("top-p", retention_ms="soon"))
    step("config not in list", new("top-p", cleanup_policy="shred"))
    step("config empty list", new("top-emptypolicy", cleanup_policy=""))
    step("config null", new("top-p", retention_ms=None))
    step("config min.insync.replicas 2", new("top-isr", min_insync_replicas="2"), validate=True)
    step("config compression.type", new("top-p", compression_type="rar"))
    step("config throttled replicas", new("top-p", leader_replication_throttled_replicas="x"))
    step("validate only", new("top-validated", 3), validate=True)
    step("validate only, version 7", new("top-validated", 3), validate=True, version=7)
    step("validate only was not kept", new("top-validated", 1), validate=True)
    step("good and bad in one", new("top-good"), new("top-bad!"))
    scene.learn("top-good")
    step("no topics")
    step("10001 partitions", new("top-p", 10001), validate=True)
    answer = scene.quiet("CreateTopics", 7, create(new("top-configs", retention_ms="5000")))
    kept = {c["Name"]: (c["Value"], c["ConfigSource"], c["IsSensitive"], c["ReadOnly"])
            for c in answer["Topics"][0]["Configs"] if c["Name"] not in scene.ignored_configs}
    scene.steps.append({"step": "CreateTopics v7: all configs of the answer",
                        "answer": {name: list(kept[name]) for name in sorted(kept)}})


def growing(scene):
    def ask(name, count, assignments=None, validate=False):
        return {"TimeoutMs": 20000, "ValidateOnly": validate, "Topics": [
            {"Name": name, "Count": count,
             "Assignments": assignments and [{"BrokerIds": brokers} for brokers in assignments]}]}
    low, high = scene.spec.range("CreatePartitions")
    for version in range(low, high + 1):
        scene.step(f"to {3 + version}", "CreatePartitions", version, ask("top-v2", 3 + version))

    def step(label, *wanted, **how):
        scene.step(label, "CreatePartitions", 2, ask(*wanted, **how))
    topics.wait_leaders(scene.conn, "top-v2", 3 + high)
    step("fewer", "top-v2", 1)
    step("as many", "top-v2", 3 + high)
    step("zero", "top-v2", 0)
    step("-1", "top-v2", -1)
    step("unknown topic", "top-none", 2)
    step("invalid name", "bad name!", 2)
    step("validate only", "top-v2", 9, validate=True)
    step("assigned", "top-v3", 3, [[scene.node]])
    step("too few assignments", "top-v3", 6, [[scene.node]])
    step("unknown broker", "top-v3", 4, [[99]])
    step("empty assignment", "top-v3", 4, [[]])
    both = ask("top-v3", 5)
    both["Topics"] *= 2
    scene.step("same topic twice", "CreatePartitions", 2, both)
    topics.wait_leaders(scene.conn, "top-v3", 3)
    scene.step("after growing", "Metadata", 9, {"Topics": [{"Name": "top-v2"}, {"Name": "top-v3"}],
                                                "AllowAutoTopicCreation": False})


def log_dirs(scene):
    low, high = scene.spec.range("DescribeLogDirs")
    scene.create("top-dirs", 2, retention_ms=-1)
    topics.produce(scene.conn, "top-dirs", [(b"k", b"v")])
    both = {"Topics": [{"Topic": "top-dirs", "Partitions": [0, 1]}]}
    scene.until(lambda: sum(len(topic["Partitions"]) for result in scene.quiet("DescribeLogDirs", 4, both)["Results"]
                            for topic in result["Topics"]) == 2)
    for version in range(low, high + 1):
        scene.step("one topic", "DescribeLogDirs", version, both)
    scene.step("unknown topic", "DescribeLogDirs", 4, {"Topics": [{"Topic": "top-none", "Partitions": [0]}]})
    scene.step("no topics", "DescribeLogDirs", 4, {"Topics": []})


def deleting(scene):
    low, high = scene.spec.range("DeleteTopics")
    for version in range(low, high + 1):
        name = f"del-v{version}"
        scene.create(name)
        scene.step("by name", "DeleteTopics", version,
                   {"TimeoutMs": 20000, "TopicNames": [name], "Topics": [{"Name": name}]})
    scene.create("del-id")
    identity = known(scene, "del-id")

    def step(label, *wanted):
        scene.step(label, "DeleteTopics", 6, {"TimeoutMs": 20000, "Topics": list(wanted)})
    scene.create("del-a")
    step("by id", {"Name": None, "TopicId": identity})
    step("by unknown id", {"Name": None, "TopicId": "ef" * 16})
    step("by id zero", {"Name": None})
    step("unknown name", {"Name": "del-none"})
    step("invalid name", {"Name": "bad name!"})
    step("name and id", {"Name": "del-a", "TopicId": known(scene, "del-a")})
    step("same name twice", {"Name": "del-a"}, {"Name": "del-a"})
    scene.create("del-b")
    step("by name and by id at once", {"Name": "del-b"}, {"Name": None, "TopicId": known(scene, "del-b")})
    step("nothing")
    scene.step("unknown name", "DeleteTopics", 1, {"TimeoutMs": 20000, "TopicNames": ["del-none"]})
    scene.create("del-again")
    old = known(scene, "del-again")
    scene.quiet("DeleteTopics", 6, {"TimeoutMs": 20000, "Topics": [{"Name": "del-again"}]})
    scene.until(lambda: topics.describe(scene.conn, "del-again")["ErrorCode"] == 3)
    time.sleep(0.1)
    scene.create("del-again")
    fresh = topics.describe(scene.conn, "del-again")["TopicId"]
    scene.steps.append({"step": "a topic made again has another id", "answer": fresh != old})


def coordinators(scene):
    low, high = scene.spec.range("FindCoordinator")
    for version in range(low, high + 1):
        def ready():
            answer = scene.quiet("FindCoordinator", version, {"Key": "group", "CoordinatorKeys": ["group"]})
            errors = [answer.get("ErrorCode"), *(c["ErrorCode"] for c in answer.get("Coordinators", []))]
            return 15 not in errors
        scene.until(ready, 20)
        scene.step("group", "FindCoordinator", version, {"Key": "group", "CoordinatorKeys": ["group"]})
    scene.step("unknown key type", "FindCoordinator", 3, {"Key": "x", "KeyType": 9})
    scene.step("unknown key type", "FindCoordinator", 4, {"CoordinatorKeys": ["x"], "KeyType": 9})
    scene.step("no keys", "FindCoordinator", 4, {"CoordinatorKeys": []})
    scene.step("share key without parts", "FindCoordinator", 6, {"CoordinatorKeys": ["x"], "KeyType": 2})
    scene.step("share key before version 6", "FindCoordinator", 5, {"CoordinatorKeys": ["x"], "KeyType": 2})

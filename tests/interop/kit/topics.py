"""Topics over the raw codec: create and wait until every partition has a leader, read end offsets, produce."""
import time

from kit import batch

LATEST, EARLIEST = -1, -2
NOT_YET = {3, 5, 6}  # unknown partition, no leader, not the leader


def describe(conn, topic):
    return conn.call("Metadata", 12, {"Topics": [{"Name": topic}], "AllowAutoTopicCreation": False})["Topics"][0]


def wait_leaders(conn, topic, partitions=None, timeout=20):
    """Until the topic has its partitions and each has a leader; returns its id as hex."""
    deadline = time.monotonic() + timeout
    while True:
        found = describe(conn, topic)
        parts = found["Partitions"]
        if found["ErrorCode"] == 0 and all(p["ErrorCode"] == 0 and p["LeaderId"] >= 0 for p in parts) \
                and len(parts) >= (partitions or 1):
            offsets(conn, topic, len(parts))
            return found["TopicId"]
        if time.monotonic() > deadline:
            raise RuntimeError(f"{topic} has no leaders: {found}")
        time.sleep(0.02)


def create(conn, topic, partitions=1, **configs):
    """Creates a topic and waits for it; dots in config names are written as underscores."""
    answer = conn.call("CreateTopics", 7, {"timeoutMs": 20000, "Topics": [{
        "Name": topic, "NumPartitions": partitions, "ReplicationFactor": 1,
        "Configs": [{"Name": key.replace("_", "."), "Value": str(value)} for key, value in configs.items()]}]})
    error = answer["Topics"][0]["ErrorCode"]
    if error:
        raise RuntimeError(f"{topic} was not created: {answer['Topics'][0]}")
    return wait_leaders(conn, topic, partitions)


def offsets(conn, topic, partitions, timestamp=LATEST, timeout=20):
    """One offset per partition; waits for a leader, because metadata can be ahead of the partition itself."""
    deadline = time.monotonic() + timeout
    while True:
        answer = conn.call("ListOffsets", 7, {"ReplicaId": -1, "Topics": [{"Name": topic, "Partitions": [
            {"PartitionIndex": p, "Timestamp": timestamp} for p in range(partitions)]}]})
        parts = sorted(answer["Topics"][0]["Partitions"], key=lambda part: part["PartitionIndex"])
        errors = {part["ErrorCode"] for part in parts} - {0}
        if not errors:
            return [part["Offset"] for part in parts]
        if not errors <= NOT_YET or time.monotonic() > deadline:
            raise RuntimeError(f"no offsets of {topic}: {parts}")
        time.sleep(0.05)


def produce(conn, topic, records, partition=0, **how):
    """One batch; returns the partition's answer."""
    answer = conn.call("Produce", 9, {"Acks": -1, "TimeoutMs": 10000, "TransactionalId": None, "TopicData": [
        {"Name": topic, "PartitionData": [{"Index": partition, "Records": batch.batch(records, **how)}]}]})
    return answer["Responses"][0]["PartitionResponses"][0]


def producer_id(conn):
    """An idempotent producer's id; Kafka answers COORDINATOR_LOAD_IN_PROGRESS until it has a block of ids."""
    for _ in range(200):
        answer = conn.call("InitProducerId", 4, {"TransactionalId": None})
        if answer["ErrorCode"] != 14:
            break
        time.sleep(0.05)
    if answer["ErrorCode"] or answer["ProducerId"] < 0:
        raise RuntimeError(f"no producer id: {answer}")
    return answer["ProducerId"]

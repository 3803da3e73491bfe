"""The behaviours that clients check and that are easy to miss, one check each, asserted on the bytes.

The numbers are the rows of the table of traps in the project's facts about Kafka.
"""
import struct
import time

from kit import batch, topics, wire
from kit.scene import SERVED
from steps.asks import fetch, produce

SOFTWARE = {"ClientSoftwareName": "judge", "ClientSoftwareVersion": "1"}
TELEMETRY = {"GetTelemetrySubscriptions": 71, "PushTelemetry": 72}
BETWEEN_BROKERS = range(83, 88)


class Ids:
    """What the request bodies of steps/ need: topic ids by name."""

    def __init__(self):
        self.ids = {}


def run(court):
    broker = court.broker()
    with court.connect(broker) as conn:
        listed = {key["ApiKey"]: (key["MinVersion"], key["MaxVersion"])
                  for key in conn.call("ApiVersions", 3, SOFTWARE)["ApiKeys"]}
    versions(court, broker, listed)
    advertised(court, broker, listed)
    features(court, broker, listed)
    idempotence(court, broker)
    stable_ids(court, broker)
    empty_fetch(court, broker)
    order_of_answers(court, broker)


def versions(court, broker, listed):
    """Rows 1 to 4."""
    spec = court.spec()
    low, high = listed.get(0, (None, None))
    court.check(low == 0, f"1: Produce is listed from {low}; librdkafka needs 0")
    court.check(high == 13, f"1: Produce is listed to {high}")
    with court.connect(broker) as conn:
        for version in (6, 77, 32767):
            conn.send_frame(struct.pack(">hhi", 18, version, 9) + b"\0\x05judge\0")
            frame = conn.receive_frame()
            correlation, error, count = struct.unpack_from(">ihi", frame)
            keys = [struct.unpack_from(">hhh", frame, 10 + 6 * at) for at in range(count)]
            court.check((correlation, error) == (9, 35), f"2: ApiVersions {version} is answered with {error}")
            court.check(keys == [(18, 0, 5)] and len(frame) == 10 + 6 * count,
                        f"2: ApiVersions {version} lists {keys} in {len(frame)} bytes")
        for version in range(6):
            conn.send("ApiVersions", version, SOFTWARE)
            frame = conn.receive_frame()
            body, left = spec.decode("ApiVersionsResponse", version, frame[4:])
            court.check(left == 0 and body["ErrorCode"] == 0,
                        f"2: the header of ApiVersions v{version} is not v0, or {left} bytes are too many")
        conn.send("Metadata", 9, {"Topics": []})
        court.check(conn.receive_frame()[4] == 0, "2: the header of Metadata v9 has no tag section")
        both = {"ClusterId": "another", "NodeId": 4711}
        for given, want in ((both, 129), ({"ClusterId": "another"}, 42), ({"NodeId": 4711}, 42), ({}, 0)):
            answer = conn.call("ApiVersions", 5, {**SOFTWARE, **given})
            court.check(answer["ErrorCode"] == want, f"3: {given} is answered with {answer['ErrorCode']}, not {want}")
    court.check(listed.get(22, (0, 0))[1] == 5, f"4: InitProducerId is listed to {listed.get(22)}; 6 is unstable")
    for key, (low, high) in sorted(listed.items()):
        known = spec.requests.get(key)
        if not court.check(known is not None, f"4: api {key} is listed and does not exist"):
            continue
        first, last = spec.range(known["name"].removesuffix("Request"))
        court.check((0 if key == 0 else first) <= low <= high <= last,
                    f"4: {known['name']} is listed {low}-{high}; stable are {first}-{last}")


def advertised(court, broker, listed):
    """Row 5 and 14, and that what is listed is served: an empty request of each version gets an answer."""
    court.check(not set(TELEMETRY.values()) & set(listed), "5: telemetry is listed without a receiver")
    if court.kind == "logboom":
        court.check(not set(BETWEEN_BROKERS) & set(listed), "14: APIs between brokers are listed")
    spec = court.spec()
    for key, (low, high) in sorted(listed.items()):
        name = spec.requests[key]["name"].removesuffix("Request")
        if court.kind == "kafka" and name not in SERVED:
            continue
        for version in range(max(low, 3) if key == 0 else low, high + 1):
            body = {"TransactionalId": None} if name == "InitProducerId" else {}
            body.update({"Acks": -1, "TransactionalId": None} if name == "Produce" else {})
            try:
                with court.connect(broker) as conn:
                    conn.call(name, version, body)
                answered = True
            except (wire.Closed, ValueError, TimeoutError) as error:
                answered = repr(error)
            court.check(answered is True, f"advertised only what is served: {name} v{version}: {answered}")
    for name in ("JoinGroup", "AddPartitionsToTxn", "ShareFetch", "SaslHandshake"):
        if spec.key(name) not in listed:
            answered = False
            try:
                with court.connect(broker, 3) as conn:
                    conn.send(name, spec.range(name)[0], {})
                    conn.receive_frame()
                    answered = True
            except (wire.Closed, TimeoutError):
                pass
            court.check(not answered, f"{name} is answered but not listed")


def features(court, broker, listed):
    """Rows 6 and 13: a feature is finalized only if its APIs are there."""
    with court.connect(broker) as conn:
        answer = conn.call("ApiVersions", 3, SOFTWARE)
    levels = {feature["Name"]: feature["MaxVersionLevel"] for feature in answer["FinalizedFeatures"]}
    if levels.get("transaction.version", 0) >= 2:
        court.check(listed.get(26, (0, 0))[1] >= 5, "6: transaction.version 2 without EndTxn 5")
    if levels.get("share.version", 0) >= 1:
        court.check(78 in listed, "13: share.version without ShareFetch")
    court.check(answer["FinalizedFeaturesEpoch"] >= -1, "13: the epoch of features is below -1")


def idempotence(court, broker):
    """Row 8: the last five batches are known; a duplicate is answered with its first offset."""
    with court.connect(broker) as conn:
        topics.create(conn, "trap-idempotent", 1)
        pid = topics.producer_id(conn)

        def send(sequence, count=2):
            return topics.produce(conn, "trap-idempotent", [(b"k", b"v")] * count, producer=pid, epoch=0,
                                  sequence=sequence)
        for step in range(8):
            answer = send(2 * step)
            court.check((answer["ErrorCode"], answer["BaseOffset"]) == (0, 2 * step), f"8: batch {step}: {answer}")
        for step in range(3, 8):
            answer = send(2 * step)
            court.check((answer["ErrorCode"], answer["BaseOffset"]) == (0, 2 * step),
                        f"8: duplicate of batch {step} is answered with {answer}")
        court.check(send(40)["ErrorCode"] == 45, "8: a gap is not OUT_OF_ORDER_SEQUENCE_NUMBER")
        court.check(topics.offsets(conn, "trap-idempotent", 1) == [16], "8: a duplicate was appended")
    with court.connect(broker) as conn:
        seen = {topics.producer_id(conn) for _ in range(50)}
        court.check(len(seen) == 50, f"8: only {len(seen)} producer ids of 50 are different")


def stable_ids(court, broker):
    """Row 9: ids stay over connections and a restart; an unknown id is UNKNOWN_TOPIC_ID."""
    ids = Ids()
    with court.connect(broker) as conn:
        first = topics.create(conn, "trap-id", 1)
        ids.ids[first] = "trap-id"
        answers = {conn.call("Metadata", version, {"Topics": [{"Name": "trap-id"}]})["Topics"][0]["TopicId"]
                   for version in range(10, 14)}
        court.check(answers == {first}, f"9: ids of one topic: {answers}")
        answer = conn.call("Produce", 13, produce(ids, "trap-none", batch.batch([(b"k", b"v")])))
        error = answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"]
        court.check(error == 100, f"9: Produce 13 to an unknown id is answered with {error}")
        answer = conn.call("Fetch", 13, fetch(ids, "trap-none"))
        error = answer["ErrorCode"] or answer["Responses"][0]["Partitions"][0]["ErrorCode"]
        court.check(error == 100, f"9: Fetch 13 of an unknown id is answered with {error}")
        answer = conn.call("Produce", 13, produce(ids, "trap-id", batch.batch([(b"k", b"v")])))
        court.check(answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"] == 0, "9: Produce 13 by id failed")
    broker.stop()
    broker.start()
    with court.connect(broker) as conn:
        court.check(topics.wait_leaders(conn, "trap-id") == first, "9: the id changed over a restart")
        court.check(topics.offsets(conn, "trap-id", 1) == [1], "9: the record did not survive the restart")


def empty_fetch(court, broker):
    """Row 10: an empty fetch has records of length zero, not null; every version."""
    ids = Ids()
    with court.connect(broker) as conn:
        ids.ids[topics.create(conn, "trap-empty", 1)] = "trap-empty"
        low, high = court.spec().range("Fetch")
        for version in range(low, high + 1):
            answer = conn.call("Fetch", version, fetch(ids, "trap-empty"))
            part = answer["Responses"][0]["Partitions"][0]
            court.check(part["ErrorCode"] == 0 and part["Records"] == b"",
                        f"10: an empty Fetch v{version} has error {part['ErrorCode']}, records {part['Records']}")


def order_of_answers(court, broker):
    """Answers leave in the order of requests, also when a fetch waits in between."""
    ids = Ids()
    with court.connect(broker) as conn:
        ids.ids[topics.wait_leaders(conn, "trap-empty")] = "trap-empty"
        begun = time.monotonic()
        wait = conn.send("Fetch", 12, fetch(ids, "trap-empty", wait=400, min_bytes=1))
        quick = [conn.send("Metadata", 9, {"Topics": []}) for _ in range(20)]
        conn.receive("Fetch", 12, wait)
        waited = time.monotonic() - begun
        court.check(0.3 < waited < 3, f"a fetch with 400 ms to wait was answered after {waited:.3f} s")
        for correlation in quick:
            conn.receive("Metadata", 9, correlation)
        court.check(True, "order")

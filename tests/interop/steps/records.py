"""Produce, idempotence, and what may be appended."""
from kit import batch, topics
from steps.asks import TIME, fetch, known, produce, some


# Every wrong batch has a partition of its own, so that one that is accepted does not move the others.
PLACES = 60


def play(scene):
    scene.create("rec-v", 1, retention_ms=-1)
    scene.create("rec-bad", PLACES, retention_ms=-1)
    scene.create("rec-idem", 1, retention_ms=-1)
    scene.create("rec-log", 1, retention_ms=-1, message_timestamp_type="LogAppendTime")
    scene.create("rec-compact", 1, cleanup_policy="compact")
    scene.create("rec-small", 1, max_message_bytes=1000, retention_ms=-1)
    scene.create("rec-time", 1, retention_ms=-1, message_timestamp_before_max_ms=1000)
    every_version(scene)
    wrong_places(scene)
    wrong_batches(scene)
    idempotence(scene)
    init_producer(scene)


def every_version(scene):
    low, high = scene.spec.range("Produce")
    for version in range(low, high + 1):
        scene.step("three records", "Produce", version, produce(scene, "rec-v", some()))
        scene.step("acks 1", "Produce", version, produce(scene, "rec-v", some(1), acks=1))
    scene.step("gzip", "Produce", 9, produce(scene, "rec-v", some(5, codec="gzip")))
    scene.step("log append time", "Produce", 9, produce(scene, "rec-log", some(2)))
    scene.step("log append time is stored", "Fetch", 12, fetch(scene, "rec-log"))
    two = produce(scene, "rec-v", some(1))
    two["TopicData"].append({"Name": "rec-none", "TopicId": "ee" * 16,
                             "PartitionData": [{"Index": 0, "Records": some(1)}]})
    scene.step("one good topic, one unknown", "Produce", 9, two)
    scene.step("one good id, one unknown", "Produce", 13, two)
    scene.step("no topics", "Produce", 9, {"Acks": -1, "TimeoutMs": 1000, "TransactionalId": None, "TopicData": []})
    scene.conn.send("Produce", 9, produce(scene, "rec-v", some(1), acks=0))
    scene.step("after acks 0 comes the next answer", "Metadata", 9,
               {"Topics": [{"Name": "rec-none"}], "AllowAutoTopicCreation": False})
    scene.conn.send("Produce", 9, produce(scene, "rec-none", some(1), acks=0))
    scene.step("after a failed acks 0", "Metadata", 9,
               {"Topics": [{"Name": "rec-none"}], "AllowAutoTopicCreation": False})


def wrong_places(scene):
    for version in (3, 9, 13):
        scene.step("unknown topic", "Produce", version, produce(scene, "rec-none", some()))
        scene.step("unknown partition", "Produce", version, produce(scene, "rec-v", some(), partition=7))
        scene.step("partition -1", "Produce", version, produce(scene, "rec-v", some(), partition=-1))
        scene.step("acks 2", "Produce", version, produce(scene, "rec-v", some(), acks=2))
        scene.step("acks -2", "Produce", version, produce(scene, "rec-v", some(), acks=-2))
    scene.step("id zero", "Produce", 13, produce(scene, "rec-v", some(), topic_id="00" * 16))
    scene.step("invalid name", "Produce", 9, produce(scene, "bad name!", some()))


def wrong_batches(scene):
    good = [(b"k", b"v")] * 3

    places = []

    def step(label, data, topic="rec-bad", version=9):
        partition = 0
        if topic == "rec-bad":
            partition = len(places)
            places.append(label)
        scene.step(label, "Produce", version, produce(scene, topic, data, partition=partition))
    step("null records", None)
    step("empty records", b"")
    step("crc of another batch", some(crc=1))
    step("magic 0", batch.old_message(0, b"k", b"v"))
    step("magic 1", batch.old_message(1, b"k", b"v"))
    step("magic 3", some(magic=3))
    step("two batches", some(1) + some(1))
    step("half a batch", some(3)[:-4])
    step("bytes after the batch", some(3) + b"\0\0\0\0")
    step("less than a header", some(3)[:40])
    step("length one too small", some(3, length=len(some(3)) - 13))
    step("length zero", some(3, length=0))
    step("length negative", some(3, length=-1))
    step("base offset 7", batch.batch(good, base=7, timestamp=TIME))
    step("count one too many", batch.batch(good, count=4, timestamp=TIME))
    step("count one too few", batch.batch(good, count=2, timestamp=TIME))
    step("count zero", batch.batch([], timestamp=TIME))
    step("count negative", batch.batch(good, count=-1, timestamp=TIME))
    step("last delta too large", batch.batch(good, last_delta=9, timestamp=TIME))
    step("offset deltas with a gap", batch.batch(good, timestamp=TIME, payload=b"".join(
        batch.record(d, b"k", b"v") for d in (0, 2, 3))))
    step("offset deltas from 1", batch.batch(good, timestamp=TIME, payload=b"".join(
        batch.record(d, b"k", b"v") for d in (1, 2, 3))))
    step("record cut short", batch.batch(good, timestamp=TIME, payload=batch.record(0, b"k", b"v") * 2))
    step("bytes after the records", batch.batch(good, timestamp=TIME, payload=b"".join(
        batch.record(d, b"k", b"v") for d in range(3)) + b"zz"))
    step("record length huge", batch.batch([(b"k", b"v")], timestamp=TIME, payload=batch.zigzag(1 << 30) + b"\0" * 20))
    step("key length negative", batch.batch([(b"k", b"v")], timestamp=TIME,
                                            payload=batch.zigzag(8) + b"\0\0\0" + batch.zigzag(-5) + b"\0" * 6))
    step("header key null", batch.batch([(b"k", b"v", [(None, b"x")])], timestamp=TIME))
    step("header value null", batch.batch([(b"k", b"v", [(b"h", None)])], timestamp=TIME))
    step("control attribute", some(1, attributes=0x20))
    step("transactional attribute without producer id", some(1, attributes=0x10))
    step("unknown attribute bits", some(1, attributes=0x80))
    step("delete horizon attribute", some(1, attributes=0x40))
    step("log append time attribute", some(1, attributes=0x08))
    step("codec 5", some(1, attributes=5))
    step("gzip of rubbish", some(1, attributes=1))
    step("lz4 of rubbish", some(1, attributes=3))
    step("zstd in version 3", some(1, attributes=4), version=3)
    step("timestamp -1", some(1, timestamp=-1))
    step("timestamp two hours ahead", some(1, timestamp=4_102_444_800_000))
    step("max timestamp too small", some(2, max_timestamp=TIME - 5))
    step("timestamp too old for the topic", some(1), topic="rec-time")
    step("too large for the topic", batch.batch([(b"k", b"x" * 2000)], timestamp=TIME), topic="rec-small")
    step("just fits", batch.batch([(None, b"x" * 900)], timestamp=TIME), topic="rec-small")
    step("null key on a compacted topic", batch.batch([(None, b"v")]), topic="rec-compact")
    step("key on a compacted topic", batch.batch([(b"k", b"v")]), topic="rec-compact")
    step("too large for the default", batch.batch([(None, b"x" * 1_100_000)], timestamp=TIME))
    step("record errors come with version 8", batch.batch([(None, b"v")]), topic="rec-compact", version=8)
    for partition, label in enumerate(places):
        scene.step(f"kept: {label}", "Fetch", 12, fetch(scene, "rec-bad", partition=partition))


def idempotence(scene):
    def step(label, sequence, count=2, epoch=0, producer=None, **how):
        data = batch.batch([(b"k", b"%d" % i) for i in range(count)], producer=pid if producer is None else producer,
                           epoch=epoch, sequence=sequence, timestamp=TIME, **how)
        scene.step(label, "Produce", 9, produce(scene, "rec-idem", data))
    pid = topics.producer_id(scene.conn)
    step("unknown producer starts at 5", 5)
    step("next after 5", 7)
    for sequence in range(9, 21, 2):
        step(f"sequence {sequence}", sequence)
    step("duplicate of the last", 19)
    step("duplicate of the fifth last", 11)
    step("duplicate of the sixth last", 9)
    step("duplicate with another count", 19, count=1)
    step("gap", 25)
    step("sequence -1", -1)
    step("epoch 1 not from zero", 3, epoch=1)
    step("epoch 1 from zero", 0, epoch=1)
    step("epoch 0 is fenced", 2, epoch=0)
    step("epoch 2 skips", 0, epoch=2)
    step("epoch -1", 0, epoch=-1)
    step("producer id -2", 0, producer=-2)
    step("another producer at zero", 0, producer=pid + 5000)
    data = b"".join(batch.batch([(b"k", b"v")], producer=pid, epoch=2, sequence=s, timestamp=TIME) for s in (2, 3))
    scene.step("two idempotent batches", "Produce", 9, produce(scene, "rec-idem", data))
    step("wraps: at the top", 2147483646, producer=pid + 6000)
    step("wraps: past the top", 0, producer=pid + 6000)
    step("wraps: goes on", 2, producer=pid + 6000)
    scene.step("transactional without a transactional id", "Produce", 9, produce(
        scene, "rec-idem", batch.batch([(b"k", b"v")], producer=pid, epoch=2, sequence=4, attributes=0x10,
                                       timestamp=TIME)))
    scene.step("the log so far", "Fetch", 12, fetch(scene, "rec-idem"))


def init_producer(scene):
    low, high = scene.spec.range("InitProducerId")
    for version in range(low, high + 1):
        scene.step("idempotent", "InitProducerId", version, {"TransactionalId": None, "TransactionTimeoutMs": 60000})
    def step(label, txn=None, timeout=60000, pid=-1, epoch=-1):
        scene.step(label, "InitProducerId", 4, {"TransactionalId": txn, "TransactionTimeoutMs": timeout,
                                                "ProducerId": pid, "ProducerEpoch": epoch})
    step("timeout 0", timeout=0)
    step("timeout -1", timeout=-1)
    step("empty transactional id", txn="")
    step("producer id without epoch", pid=5)
    step("epoch without producer id", epoch=3)
    step("both", pid=5, epoch=3)
    known(scene, "rec-idem")

"""Fetch with its sessions, ListOffsets, OffsetForLeaderEpoch, DeleteRecords."""
from kit import topics
from steps.asks import TIME, fetch, offsets, produce, some


def play(scene):
    scene.create("read-a", 2, retention_ms=-1)
    scene.create("read-b", 1, retention_ms=-1)
    scene.create("read-empty", 1)
    for step in range(4):
        topics.produce(scene.conn, "read-a", [(b"k", b"v%d" % i) for i in range(5)], timestamp=TIME + step * 1000)
    topics.produce(scene.conn, "read-b", [(b"k", b"x" * 5000)], timestamp=TIME)
    topics.produce(scene.conn, "read-b", [(b"k", b"x" * 50)], timestamp=TIME)
    fetching(scene)
    sessions(scene)
    list_offsets(scene)
    leader_epochs(scene)
    delete_records(scene)


def fetching(scene):
    low, high = scene.spec.range("Fetch")
    for version in range(low, high + 1):
        scene.step("from the start", "Fetch", version, fetch(scene, "read-a"))
        scene.step("empty at the end", "Fetch", version, fetch(scene, "read-a", 20))
        scene.step("above the end", "Fetch", version, fetch(scene, "read-a", 21))
    for version in (4, 11, 12, 13, 18):
        scene.step("negative offset", "Fetch", version, fetch(scene, "read-a", -1))
        scene.step("unknown partition", "Fetch", version, fetch(scene, "read-a", partition=9))
        scene.step("unknown topic", "Fetch", version, fetch(scene, "read-none"))
    scene.step("middle of a batch", "Fetch", 12, fetch(scene, "read-a", 7))
    scene.step("id zero", "Fetch", 13, fetch(scene, "read-a", topic_id="00" * 16))
    scene.step("read committed", "Fetch", 12, fetch(scene, "read-a", isolation=1))
    scene.step("leader epoch 0", "Fetch", 12, fetch(scene, "read-a", leader=0))
    scene.step("leader epoch ahead", "Fetch", 12, fetch(scene, "read-a", leader=5))
    scene.step("leader epoch ahead by id", "Fetch", 16, fetch(scene, "read-a", leader=5))
    scene.step("last fetched epoch 0", "Fetch", 12, fetch(scene, "read-a", 20, leader=0, last_epoch=0))
    scene.step("last fetched epoch ahead", "Fetch", 12, fetch(scene, "read-a", 10, last_epoch=3))
    scene.step("partition max 1 byte", "Fetch", 12, fetch(scene, "read-b", max_bytes=1))
    scene.step("max 1 byte", "Fetch", 12, fetch(scene, "read-b", total=1))
    scene.step("max 0 bytes", "Fetch", 12, fetch(scene, "read-b", total=0))
    scene.step("partition max between two batches", "Fetch", 12, fetch(scene, "read-a", max_bytes=150))
    both = [("read-b", 0, 0), ("read-a", 0, 0)]
    scene.step("first partition fills it all", "Fetch", 12, fetch(scene, "", total=100, topics=both))
    scene.step("one good, one unknown", "Fetch", 12, fetch(scene, "", topics=[("read-a", 0, 18), ("read-none", 0, 0)]))
    scene.step("one good id, one unknown", "Fetch", 17, fetch(scene, "", topics=[("read-a", 0, 18),
                                                                                ("read-none", 0, 0)]))
    scene.step("same partition twice", "Fetch", 12, fetch(scene, "", topics=[("read-a", 0, 18), ("read-a", 0, 19)]))
    scene.step("waits and finds nothing", "Fetch", 12, fetch(scene, "read-empty", wait=200, min_bytes=1))
    scene.step("negative wait", "Fetch", 12, fetch(scene, "read-empty", wait=-1, min_bytes=1))
    scene.step("no topics", "Fetch", 12, fetch(scene, "", topics=[]))


def sessions(scene):
    for version in (7, 12, 13, 18):
        scene.step("session: unknown id", "Fetch", version, fetch(scene, "read-a", session=424242, epoch=1))
        scene.step("session: none, epoch 3", "Fetch", version, fetch(scene, "read-a", epoch=3))
        scene.step("session: full with an unknown id", "Fetch", version, fetch(scene, "read-a", session=77, epoch=0))
        wanted = [("read-a", 0, 20), ("read-b", 0, 2)]
        scene.step("session: opened", "Fetch", version, fetch(scene, "", epoch=0, topics=wanted))
        session = scene.last["SessionId"] if scene.last else 1
        scene.step("session: nothing new", "Fetch", version, fetch(scene, "", session=session, epoch=1, topics=[]))
        scene.step("session: one moved back", "Fetch", version,
                   fetch(scene, "read-a", 15, session=session, epoch=2))
        scene.step("session: bad epoch", "Fetch", version, fetch(scene, "", session=session, epoch=9, topics=[]))
        scene.step("session: one forgotten", "Fetch", version,
                   fetch(scene, "", session=session, epoch=3, topics=[], forgotten=[("read-a", 0)]))
        scene.step("session: out of range in it", "Fetch", version,
                   fetch(scene, "read-b", 99, session=session, epoch=4))
        scene.step("session: unknown topic added", "Fetch", version,
                   fetch(scene, "read-none", 0, session=session, epoch=5))
        scene.step("session: closed", "Fetch", version, fetch(scene, "", session=session, epoch=-1, topics=[]))
        scene.step("session: after the close", "Fetch", version,
                   fetch(scene, "", session=session, epoch=6, topics=[]))


def list_offsets(scene):
    low, high = scene.spec.range("ListOffsets")
    specials = {-1: 1, -2: 1, -3: 7, -4: 8, -5: 9, -6: 11}
    for version in range(low, high + 1):
        for special, since in specials.items():
            if version >= since - 1:
                scene.step(f"special {special}", "ListOffsets", version, offsets("read-a", special))
        scene.step("by time", "ListOffsets", version, offsets("read-a", TIME + 1000))
    for label, stamp in {"between": TIME + 1500, "before all": 0, "after all": TIME + 9_000_000, "special -7": -7,
                         "special -100": -100}.items():
        scene.step(label, "ListOffsets", 11, offsets("read-a", stamp))
        scene.step(label, "ListOffsets", 5, offsets("read-a", stamp))
    for special in specials:
        scene.step(f"empty log, special {special}", "ListOffsets", 11, offsets("read-empty", special))
    scene.step("empty log, by time", "ListOffsets", 11, offsets("read-empty", TIME))
    scene.step("read committed", "ListOffsets", 7, offsets("read-a", -1, isolation=1))
    scene.step("unknown topic", "ListOffsets", 7, offsets("read-none", -1))
    scene.step("unknown partition", "ListOffsets", 7, offsets("read-a", -1, partition=9))
    scene.step("unknown partition", "ListOffsets", 1, offsets("read-a", -1, partition=9))
    scene.step("leader epoch 0", "ListOffsets", 7, offsets("read-a", -1, leader=0))
    scene.step("leader epoch ahead", "ListOffsets", 7, offsets("read-a", -1, leader=4))
    scene.step("debugging replica", "ListOffsets", 7, offsets("read-a", -1, replica=-2))
    twice = offsets("read-a", -1)
    twice["Topics"][0]["Partitions"] *= 2
    scene.step("same partition twice", "ListOffsets", 7, twice)


def leader_epochs(scene):
    def ask(topic, epoch, current=-1, partition=0, replica=-1):
        return {"ReplicaId": replica, "Topics": [{"Topic": topic, "Partitions": [
            {"Partition": partition, "CurrentLeaderEpoch": current, "LeaderEpoch": epoch}]}]}
    low, high = scene.spec.range("OffsetForLeaderEpoch")
    for version in range(low, high + 1):
        scene.step("epoch 0", "OffsetForLeaderEpoch", version, ask("read-a", 0))
        scene.step("epoch ahead", "OffsetForLeaderEpoch", version, ask("read-a", 7))
        scene.step("unknown topic", "OffsetForLeaderEpoch", version, ask("read-none", 0))
    scene.step("epoch -1", "OffsetForLeaderEpoch", 4, ask("read-a", -1))
    scene.step("empty log", "OffsetForLeaderEpoch", 4, ask("read-empty", 0))
    scene.step("current epoch ahead", "OffsetForLeaderEpoch", 4, ask("read-a", 0, current=5))
    scene.step("unknown partition", "OffsetForLeaderEpoch", 4, ask("read-a", 0, partition=9))


def delete_records(scene):
    def ask(offset, topic="read-a", partition=0):
        return {"TimeoutMs": 5000, "Topics": [{"Name": topic, "Partitions": [
            {"PartitionIndex": partition, "Offset": offset}]}]}
    low, high = scene.spec.range("DeleteRecords")
    for version in range(low, high + 1):
        scene.step("a few", "DeleteRecords", version, ask(3 + version))
    scene.step("below the start", "DeleteRecords", 2, ask(1))
    scene.step("beyond the end", "DeleteRecords", 2, ask(999))
    scene.step("offset -2", "DeleteRecords", 2, ask(-2))
    scene.step("unknown topic", "DeleteRecords", 2, ask(1, topic="read-none"))
    scene.step("unknown partition", "DeleteRecords", 2, ask(1, partition=9))
    scene.create("read-compact", 1, cleanup_policy="compact")
    scene.step("on a compacted topic", "DeleteRecords", 2, ask(0, topic="read-compact"))
    scene.step("below the new start", "Fetch", 12, fetch(scene, "read-a", 1))
    scene.step("at the new start", "Fetch", 12, fetch(scene, "read-a", 5))
    scene.step("earliest moved", "ListOffsets", 7, offsets("read-a", -2))
    scene.step("all by -1", "DeleteRecords", 2, ask(-1))
    scene.step("empty after all", "Fetch", 12, fetch(scene, "read-a", 20))
    scene.step("earliest is the end", "ListOffsets", 7, offsets("read-a", -2))
    scene.step("max timestamp of nothing", "ListOffsets", 7, offsets("read-a", -3))
    scene.step("old start is out of range", "Fetch", 12, fetch(scene, "read-a", 19))
    scene.step("goes on after all", "Produce", 9, produce(scene, "read-a", some(1)))

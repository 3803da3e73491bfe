"""One member of a group, of three Python clients: CLIENT SETTINGS. See kit/members.py for settings, commands, events."""
import asyncio
import json
import queue
import sys
import threading


def tell(event, **facts):
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def plain(parts):
    return [[part.topic, part.partition] for part in parts]


def commands():
    """What the judge types, without waiting for it; the end of input means close."""
    typed = queue.Queue()

    def listen():
        for line in sys.stdin:
            typed.put(line.strip())
        typed.put("close")
    threading.Thread(target=listen, daemon=True).start()
    return typed


def next_command(typed):
    try:
        return typed.get_nowait()
    except queue.Empty:
        return None


def told_records(topic, partition, offsets):
    tell("records", topic=topic, partition=partition, first=offsets[0], last=offsets[-1], count=len(offsets))


def told_commit(positions, commit):
    """Commits the positions as (topic, partition, offset) and says so."""
    try:
        commit()
        tell("committed", offsets=positions)
    except Exception as error:
        tell("failed", what="commit", error=repr(error))


def confluent(settings, typed):
    from confluent_kafka import Consumer, TopicPartition
    config = {"bootstrap.servers": settings["address"], "group.id": settings["group"],
              "client.id": settings["client"], "enable.auto.commit": False, "enable.auto.offset.store": False,
              "auto.offset.reset": "earliest", "group.protocol": settings["protocol"],
              "topic.metadata.refresh.interval.ms": 2000, "reconnect.backoff.max.ms": 200}
    if settings["protocol"] == "classic":
        config.update({"partition.assignment.strategy": settings["assignor"], "heartbeat.interval.ms": 500,
                       "session.timeout.ms": settings["session"]})
    else:
        config["group.remote.assignor"] = settings["assignor"]
    if settings.get("instance"):
        config["group.instance.id"] = settings["instance"]
    consumer = Consumer(config)
    consumer.subscribe([settings.get("pattern") or settings["topic"]],
                       on_assign=lambda _, parts: tell("assigned", partitions=plain(parts)),
                       on_revoke=lambda _, parts: tell("revoked", partitions=plain(parts)),
                       on_lost=lambda _, parts: tell("lost", partitions=plain(parts)))
    while (command := next_command(typed)) != "close":
        if command == "commit":
            # A position is -1001 if nothing was read since the assignment.
            parts = [part for part in consumer.position(consumer.assignment()) if part.offset >= 0]
            told_commit([[part.topic, part.partition, part.offset] for part in parts], lambda: parts and consumer.commit(
                offsets=[TopicPartition(part.topic, part.partition, part.offset) for part in parts],
                asynchronous=False))
        runs = {}
        for message in consumer.consume(500, 0.05):
            if message.error():
                tell("failed", what="consume", error=str(message.error()))
            else:
                runs.setdefault((message.topic(), message.partition()), []).append(message.offset())
        for (topic, partition), offsets in runs.items():
            told_records(topic, partition, offsets)
    consumer.close()


def kafka_python(settings, typed):
    from kafka import ConsumerRebalanceListener, KafkaConsumer
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.structs import OffsetAndMetadata

    class Listener(ConsumerRebalanceListener):
        def on_partitions_assigned(self, assigned):
            tell("assigned", partitions=plain(assigned))

        def on_partitions_revoked(self, revoked):
            tell("revoked", partitions=plain(revoked))

        def on_partitions_lost(self, lost):
            tell("lost", partitions=plain(lost))
    assignor = {"range": RangePartitionAssignor, "cooperative-sticky": CooperativeStickyAssignor}[settings["assignor"]]
    consumer = KafkaConsumer(bootstrap_servers=settings["address"], group_id=settings["group"],
                             client_id=settings["client"], enable_auto_commit=False, auto_offset_reset="earliest",
                             partition_assignment_strategy=[assignor], session_timeout_ms=settings["session"],
                             heartbeat_interval_ms=500, group_instance_id=settings.get("instance"),
                             metadata_max_age_ms=2000)
    consumer.subscribe([settings["topic"]], listener=Listener())
    while (command := next_command(typed)) != "close":
        if command == "commit":
            positions = {part: consumer.position(part) for part in consumer.assignment()}
            told_commit([[part.topic, part.partition, at] for part, at in positions.items()],
                        lambda: consumer.commit({part: OffsetAndMetadata(at, "", -1) for part, at in positions.items()}))
        # kafka-python 3.0.12 spins for ever if a poll ends while the group rebalances, so a poll may take its time.
        for part, records in consumer.poll(1000).items():
            told_records(part.topic, part.partition, [record.offset for record in records])
    consumer.close()


async def aiokafka(settings, typed):
    from aiokafka import AIOKafkaConsumer
    from aiokafka.abc import ConsumerRebalanceListener
    from aiokafka.coordinator.assignors.range import RangePartitionAssignor

    class Listener(ConsumerRebalanceListener):
        def on_partitions_assigned(self, assigned):
            tell("assigned", partitions=plain(assigned))

        def on_partitions_revoked(self, revoked):
            tell("revoked", partitions=plain(revoked))
    consumer = AIOKafkaConsumer(bootstrap_servers=settings["address"], group_id=settings["group"],
                                client_id=settings["client"], enable_auto_commit=False, auto_offset_reset="earliest",
                                partition_assignment_strategy=[RangePartitionAssignor],
                                session_timeout_ms=settings["session"], heartbeat_interval_ms=500,
                                group_instance_id=settings.get("instance"), metadata_max_age_ms=2000)
    consumer.subscribe([settings["topic"]], listener=Listener())
    await consumer.start()
    while (command := next_command(typed)) != "close":
        if command == "commit":
            positions = {part: await consumer.position(part) for part in consumer.assignment()}
            try:
                await consumer.commit(positions)
                tell("committed", offsets=[[part.topic, part.partition, at] for part, at in positions.items()])
            except Exception as error:
                tell("failed", what="commit", error=repr(error))
        for part, records in (await consumer.getmany(timeout_ms=50)).items():
            told_records(part.topic, part.partition, [record.offset for record in records])
    await consumer.stop()


def main(client, settings):
    work = globals()[client](json.loads(settings), commands())
    if asyncio.iscoroutine(work):
        asyncio.run(work)
    tell("closed")


if __name__ == "__main__":
    main(*sys.argv[1:])

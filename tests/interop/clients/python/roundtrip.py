"""The three Python clients over files of records (see kit/crate.py).

CLIENT produce ADDRESS TOPIC CODEC FILE, or CLIENT consume ADDRESS TOPIC END,END,... FILE; no groups.
"""
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from kit import crate  # noqa: E402


def text_headers(headers):
    return [(name.decode(), value) for name, value in headers]


class Output:
    """Writes what was consumed and knows when every partition is at its end."""

    def __init__(self, path, ends):
        self.file = open(path, "wb")
        self.open = {partition: end for partition, end in enumerate(ends) if end > 0}

    def add(self, partition, offset, key, value, headers):
        self.file.write(partition.to_bytes(4, "big") + offset.to_bytes(8, "big"))
        self.file.write(crate.pack((key, value, [(name.encode(), data) for name, data in headers or ()])))
        if offset + 1 >= self.open.get(partition, 0):
            self.open.pop(partition, None)


def produce_confluent(address, topic, codec, records):
    from confluent_kafka import Producer
    failures = []
    producer = Producer({"bootstrap.servers": address, "compression.codec": codec, "linger.ms": 5,
                         "enable.idempotence": True, "queue.buffering.max.kbytes": 262144})

    def done(error, _):
        if error:
            failures.append(error)
    for key, value, headers in records:
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=done, headers=text_headers(headers))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(60)
    if left or failures:
        raise RuntimeError(f"{left} left, {len(failures)} failed: {failures[:1]}")


def consume_confluent(address, topic, output):
    from confluent_kafka import Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": address, "group.id": "unused", "enable.auto.commit": False,
                         "auto.offset.reset": "error", "check.crcs": True})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in output.open])
    while output.open:
        for message in consumer.consume(2000, 1.0):
            if message.error():
                raise RuntimeError(message.error())
            output.add(message.partition(), message.offset(), message.key(), message.value(), message.headers())
    consumer.close()


def produce_kafka_python(address, topic, codec, records):
    from kafka import KafkaProducer
    producer = KafkaProducer(bootstrap_servers=address, compression_type=None if codec == "none" else codec,
                             acks="all", linger_ms=5, max_request_size=2 << 20)
    sent = [producer.send(topic, value, key=key, headers=text_headers(headers)) for key, value, headers in records]
    producer.flush(60)
    for future in sent:
        future.get(30)
    producer.close()


def consume_kafka_python(address, topic, output):
    from kafka import KafkaConsumer, TopicPartition
    consumer = KafkaConsumer(bootstrap_servers=address, group_id=None, enable_auto_commit=False,
                             auto_offset_reset="none", max_poll_records=5000)
    parts = [TopicPartition(topic, partition) for partition in output.open]
    consumer.assign(parts)
    consumer.seek_to_beginning(*parts)
    while output.open:
        for records in consumer.poll(1000).values():
            for record in records:
                output.add(record.partition, record.offset, record.key, record.value, record.headers)
    consumer.close()


async def produce_aiokafka(address, topic, codec, records):
    from aiokafka import AIOKafkaProducer
    producer = AIOKafkaProducer(bootstrap_servers=address, compression_type=None if codec == "none" else codec,
                                acks="all", linger_ms=5, max_request_size=2 << 20, enable_idempotence=True)
    await producer.start()
    try:
        sent = [await producer.send(topic, value, key=key, headers=text_headers(headers))
                for key, value, headers in records]
        await asyncio.wait_for(asyncio.gather(*sent), 120)
    finally:
        await producer.stop()


async def consume_aiokafka(address, topic, output):
    from aiokafka import AIOKafkaConsumer, TopicPartition
    consumer = AIOKafkaConsumer(bootstrap_servers=address, group_id=None, enable_auto_commit=False,
                                auto_offset_reset="none")
    await consumer.start()
    try:
        parts = [TopicPartition(topic, partition) for partition in output.open]
        consumer.assign(parts)
        for part in parts:
            consumer.seek(part, 0)
        while output.open:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
                for record in records:
                    output.add(record.partition, record.offset, record.key, record.value, record.headers)
    finally:
        await consumer.stop()


def main(client, verb, address, topic, detail, path):
    if verb == "produce":
        work = globals()[f"produce_{client}"](address, topic, detail, crate.read(path))
    else:
        output = Output(path, [int(end) for end in detail.split(",")])
        work = globals()[f"consume_{client}"](address, topic, output)
    if asyncio.iscoroutine(work):
        asyncio.run(work)
    if verb == "consume":
        output.file.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

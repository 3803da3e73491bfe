"""Prints record batches as librdkafka builds them: name and hex.

A producer writes to the mock broker inside librdkafka, and a Fetch v4 request by hand gets the bytes back.
"""

import socket
import struct

from confluent_kafka import Producer


def produce(codec, count):
    """Produces `count` records to partition 0 of topic `t`; returns the producer and the broker's address."""
    producer = Producer(
        {
            "test.mock.num.brokers": 1,
            "bootstrap.servers": "ignored",
            "compression.codec": codec,
            "linger.ms": 300,
        }
    )
    broker = next(iter(producer.list_topics(timeout=10).brokers.values()))
    producer.list_topics("t", timeout=10)
    for i in range(count):
        producer.produce(
            "t",
            key=b"key-%d" % i,
            value=bytes([97 + i % 26]) * 900,
            headers=[("trace", b"1"), ("empty", None)],
            timestamp=1700000000000 + i,
            partition=0,
        )
    assert producer.flush(10) == 0
    return producer, (broker.host, broker.port)


def fetch(address):
    """The record set of partition 0 of topic `t`."""
    head = struct.pack(">hhih", 1, 4, 7, 1) + b"x"
    body = struct.pack(">iiiib", -1, 100, 1, 10_000_000, 0)
    body += struct.pack(">ih", 1, 1) + b"t" + struct.pack(">iiqi", 1, 0, 0, 10_000_000)
    with socket.create_connection(address) as connection:
        connection.sendall(struct.pack(">i", len(head + body)) + head + body)
        size = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))[0]
        response = connection.recv(size, socket.MSG_WAITALL)
    # correlation id, throttle, topics, name, partitions, index, error, high watermark, last stable offset
    at = 4 + 4 + 4 + (2 + 1) + 4 + 4 + 2 + 8 + 8
    aborted, length = struct.unpack_from(">ii", response, at)
    assert aborted <= 0
    return response[at + 8 : at + 8 + length]


for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
    for name, count in [("small", 3)] + ([("blocks", 150)] if codec != "none" else []):
        producer, address = produce(codec, count)
        print(f"{name}-{codec}", fetch(address).hex())

"""librdkafka's idempotent producer while its broker is killed; see clients/java/KillLoop.java for the lines.

kill_loop.py ADDRESS TOPIC PARTITIONS FILE, until standard input ends.
"""
import select
import sys
import time

from confluent_kafka import Producer


def main(address, topic, partitions, path):
    producer = Producer({
        "bootstrap.servers": address, "enable.idempotence": True, "acks": "all", "linger.ms": 2,
        "message.timeout.ms": 180000, "request.timeout.ms": 10000, "retry.backoff.ms": 20,
        "retry.backoff.max.ms": 100, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "log_level": 0})
    acks = open(path, "w")

    def done(error, message):
        value = message.value().decode()
        if error:
            acks.write(f"failed {error.name()} {value}\n")
        else:
            acks.write(f"{message.partition()} {message.offset()} {value}\n")
    value = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        if len(producer) < 1000:
            for _ in range(4):
                producer.produce(topic, b"librdkafka-%d" % value, partition=value % int(partitions), on_delivery=done)
                value += 1
        producer.poll(0)
        acks.flush()
        time.sleep(0.001)
    producer.flush(120)
    acks.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The real clients, each with two verbs over files of records: produce and consume. No client uses a group.

Every program takes: produce ADDRESS TOPIC CODEC FILE, or consume ADDRESS TOPIC END,END,... FILE.
"""
from kit import install
from kit.paths import CLASSES, GO, HERE, JAVA44, NODE, VENV

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def java(main, *arguments):
    return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{CLASSES}:{JAVA44}/*", main, *arguments]


def python(client):
    return [VENV / "bin/python", HERE / "clients/python/roundtrip.py", client]


def programs():
    """Installs them all; the command of each client up to its verb, kcat last because it has no program of ours."""
    install.java()
    install.python()
    install.node()
    install.go()
    install.kcat()
    kcat = ["python3", HERE / "clients/python/kcat.py"]
    return {
        "java": java("RoundTrip"),
        "confluent": python("confluent"),
        "kafka_python": python("kafka_python"),
        "aiokafka": python("aiokafka"),
        "kafkajs": ["node", NODE / "roundtrip.js"],
        "franz": [GO / "roundtrip", "franz"],
        "sarama": [GO / "roundtrip", "sarama"],
        "kcat": kcat,
    }

"""Plays raw requests against one broker and keeps each answer in a form that can be compared.

What differs by nature (ids, times, addresses, texts) becomes a word; error codes, values and shape stay.
"""
import time

from kit import batch, topics, wire

# Left out: texts and delays are a broker's own.
DROPPED = {"ThrottleTimeMs", "ErrorMessage", "ClusterId", "Host", "Port", "Rack", "BatchIndexErrorMessage",
           "Documentation", "FinalizedFeaturesEpoch", "SupportedFeatures", "FinalizedFeatures", "LogDir"}
NODES = {"NodeId", "ControllerId", "LeaderId", "BrokerId", "ReplicaNodes", "IsrNodes", "OfflineReplicas",
         "EligibleLeaderReplicas", "LastKnownElr"}
DEFAULT_CONFIG = 5
# What is served now; ApiVersions is compared on these alone.
SERVED = ["Produce", "Fetch", "ListOffsets", "Metadata", "FindCoordinator", "ApiVersions", "CreateTopics",
          "DeleteTopics", "DeleteRecords", "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs",
          "AlterConfigs", "DescribeLogDirs", "CreatePartitions", "IncrementalAlterConfigs", "DescribeCluster",
          "ListConfigResources", "DescribeTopicPartitions", "OffsetCommit", "OffsetFetch", "JoinGroup", "Heartbeat",
          "LeaveGroup", "SyncGroup", "DescribeGroups", "ListGroups", "DeleteGroups", "OffsetDelete",
          "ConsumerGroupHeartbeat", "ConsumerGroupDescribe"]


class Scene:
    """The steps so far and what the broker answered to each."""

    def __init__(self, spec, broker, ignored_configs=()):
        self.spec, self.broker, self.conn = spec, broker, None
        self.ignored_configs = ignored_configs
        self.steps, self.ids, self.node = [], {}, None
        self.last = self.answering = None
        self.reconnect()
        answer = self.conn.call("Metadata", 12, {"Topics": []})
        self.node = answer["Brokers"][0]["NodeId"]

    def reconnect(self):
        if self.conn:
            self.conn.close()
        self.conn = wire.Conn(self.spec, self.broker.address, 8)

    def create(self, topic, partitions=1, **configs):
        """Groundwork that is not a step."""
        self.ids[topics.create(self.conn, topic, partitions, **configs)] = topic

    def learn(self, topic):
        """Waits for a topic that a step made, so that its id can be named."""
        self.ids[topics.wait_leaders(self.conn, topic)] = topic

    def id(self, topic):
        return next(key for key, name in self.ids.items() if name == topic)

    def quiet(self, name, version, body):
        """A request that is not a step; returns the plain answer."""
        return self.conn.call(name, version, body)

    def step(self, label, name, version, body):
        """Sends a request and keeps the answer, or that there was none."""
        self.ask(f"{name} v{version}: {label}", name, version,
                 lambda: self.conn.send(name, version, body))

    def frame(self, label, name, version, frame):
        """Sends raw bytes; the answer, if any, is decoded as the named message."""
        self.ask(f"frame: {label}", name, version, lambda: self.conn.send_frame(frame))

    def ask(self, label, name, version, send):
        if any(step["step"] == label for step in self.steps):
            raise RuntimeError(f"two steps are named {label}")
        self.last = None
        try:
            send()
            self.last = self.conn.receive(name, version)
            answer = self.plain(name, self.last)
        except wire.Closed:
            answer = "closed"
        except TimeoutError:
            answer = "no answer"
        except ValueError as error:
            answer = f"not decodable: {error}"
        if isinstance(answer, str):
            self.reconnect()
        self.steps.append({"step": label, "answer": answer})

    def until(self, ready, timeout=10):
        """Kafka's controller answers before its broker has caught up; this waits for what a step needs."""
        deadline = time.monotonic() + timeout
        while not ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain before {self.steps[-1]['step']}")
            time.sleep(0.02)

    def plain(self, name, answer):
        self.answering = name
        if name == "ApiVersions":
            served = {self.spec.key(api) for api in SERVED}
            answer = dict(answer, ApiKeys=[a for a in answer["ApiKeys"] if a["ApiKey"] in served])
        return self.field(None, answer)

    def field(self, key, value):
        if isinstance(value, dict):
            return {name: self.field(name, part) for name, part in value.items() if name not in DROPPED}
        if key in NODES and isinstance(value, list):
            return [self.field(key, part) for part in value]
        if key == "Configs" and value:
            # Every answer to CreateTopics lists every config; one step of its own compares the defaults.
            value = [c for c in value if c["Name"] not in self.ignored_configs
                     and not (self.answering == "CreateTopics" and c["ConfigSource"] == DEFAULT_CONFIG)]
        if isinstance(value, list):
            return sorted((self.field(key, part) for part in value), key=repr)
        if key in NODES and isinstance(value, int):
            return "this node" if value == self.node else value
        if key == "TopicId":
            return "zero" if value == wire.ZERO_UUID else f"id of {self.ids.get(value, 'another')}"
        if key == "ProducerId" and value >= 0:
            return "a producer id"
        if key == "SessionId" and value:
            return "a session"
        if key in ("TotalBytes", "UsableBytes") and value > 0:
            return "bytes"
        if key == "LogAppendTimeMs" and value > 0:
            return "a time"
        if isinstance(value, (bytes, bytearray)):
            keep = ("base", "count", "attributes", "magic", "crc_ok", "size", "sequence", "leader_epoch")
            return {"batches": [{k: head[k] for k in keep} for head in batch.headers_of(value)],
                    "bytes": len(value)}
        return value

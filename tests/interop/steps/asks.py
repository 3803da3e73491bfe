"""Request bodies that several subjects share. They must hold for every version of their API."""
from kit import batch

TIME = 1_700_000_000_000


def produce(scene, topic, data, *, partition=0, acks=-1, txn=None, topic_id=None):
    """A produce of one partition; names and ids are both given, the version takes its own."""
    return {"Acks": acks, "TimeoutMs": 5000, "TransactionalId": txn, "TopicData": [
        {"Name": topic, "TopicId": topic_id or known(scene, topic),
         "PartitionData": [{"Index": partition, "Records": data}]}]}


def known(scene, topic):
    """The id of a topic, or one that no topic has."""
    return next((key for key, name in scene.ids.items() if name == topic), "ab" * 16)


def fetch(scene, topic, offset=0, *, partition=0, session=0, epoch=-1, leader=-1, last_epoch=-1, wait=0,
          min_bytes=0, max_bytes=1 << 20, total=1 << 20, isolation=0, topic_id=None, forgotten=(), topics=None):
    """A fetch of one partition, or of `topics`: (name, partition, offset) each."""
    wanted = [(topic, partition, offset)] if topics is None else topics
    return {"MaxWaitMs": wait, "MinBytes": min_bytes, "MaxBytes": total, "IsolationLevel": isolation,
            "SessionId": session, "SessionEpoch": epoch, "Topics": [
                {"Topic": name, "TopicId": topic_id or known(scene, name), "Partitions": [
                    {"Partition": index, "CurrentLeaderEpoch": leader, "FetchOffset": at,
                     "LastFetchedEpoch": last_epoch, "PartitionMaxBytes": max_bytes}]}
                for name, index, at in wanted],
            "ForgottenTopicsData": [{"Topic": name, "TopicId": known(scene, name), "Partitions": [index]}
                                    for name, index in forgotten]}


def offsets(topic, timestamp, *, partition=0, leader=-1, isolation=0, replica=-1):
    return {"ReplicaId": replica, "IsolationLevel": isolation, "TimeoutMs": 5000, "Topics": [
        {"Name": topic, "Partitions": [
            {"PartitionIndex": partition, "CurrentLeaderEpoch": leader, "Timestamp": timestamp}]}]}


def create(*topics, validate=False):
    return {"Topics": list(topics), "timeoutMs": 20000, "validateOnly": validate}


def new(name, partitions=1, replicas=1, assignments=(), **configs):
    """A topic to create; dots in config names are written as underscores."""
    return {"Name": name, "NumPartitions": partitions, "ReplicationFactor": replicas,
            "Assignments": [{"PartitionIndex": p, "BrokerIds": b} for p, b in assignments],
            "Configs": [{"Name": k.replace("_", "."), "Value": v} for k, v in configs.items()]}


def some(count=3, **how):
    how.setdefault("timestamp", TIME)
    return batch.batch([(b"k%d" % i, b"v%d" % i) for i in range(count)], **how)

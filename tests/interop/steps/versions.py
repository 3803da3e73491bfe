"""ApiVersions, Metadata, DescribeCluster, DescribeTopicPartitions, and frames that no API takes."""
import struct

from steps.asks import known


def play(scene):
    scene.create("meta-a", 3)
    scene.create("meta-b", 1)
    api_versions(scene)
    metadata(scene)
    cluster(scene)
    partitions(scene)
    frames(scene)


def api_versions(scene):
    software = {"ClientSoftwareName": "judge", "ClientSoftwareVersion": "1.0"}
    low, high = scene.spec.range("ApiVersions")
    for version in range(low, high + 1):
        scene.step("plain", "ApiVersions", version, software)
    scene.step("empty software name", "ApiVersions", 3, {})
    scene.step("bad software name", "ApiVersions", 3, {"ClientSoftwareName": "-a b", "ClientSoftwareVersion": "1"})
    scene.step("bad software version", "ApiVersions", 4, {"ClientSoftwareName": "a", "ClientSoftwareVersion": "1 2"})
    scene.step("another cluster", "ApiVersions", 5, dict(software, ClusterId="another", NodeId=scene.node))
    scene.step("another node", "ApiVersions", 5, dict(software, NodeId=99))
    scene.step("another cluster, no node", "ApiVersions", 5, dict(software, ClusterId="another"))
    body = scene.spec.request("ApiVersions", 4, software, 7)
    for version in (6, 99, 32767, -1):
        scene.frame(f"ApiVersions version {version}", "ApiVersions", 0, body[:2] + struct.pack(">h", version) + body[4:])


def metadata(scene):
    low, high = scene.spec.range("Metadata")
    for version in range(low, high + 1):
        scene.step("two topics", "Metadata", version,
                   {"Topics": [{"Name": "meta-a"}, {"Name": "meta-b"}], "AllowAutoTopicCreation": False})
        if version >= 4:
            scene.step("unknown and invalid names", "Metadata", version, {
                "Topics": [{"Name": "meta-none"}, {"Name": "bad name!"}, {"Name": "meta-a"}],
                "AllowAutoTopicCreation": False})
        if version >= 1:
            scene.step("no topics", "Metadata", version, {"Topics": [], "AllowAutoTopicCreation": False})
        if version >= 10:
            scene.step("by id", "Metadata", version, {
                "Topics": [{"Name": None, "TopicId": known(scene, "meta-a")}], "AllowAutoTopicCreation": False})
            scene.step("by unknown id", "Metadata", version, {
                "Topics": [{"Name": None, "TopicId": "cd" * 16}], "AllowAutoTopicCreation": False})
    all_topics = scene.quiet("Metadata", 12, {"Topics": None})
    names = sorted(topic["Name"] for topic in all_topics["Topics"])
    scene.steps.append({"step": "Metadata v12: all topics", "answer": names})
    scene.step("id zero and no name", "Metadata", 12, {"Topics": [{"Name": None}], "AllowAutoTopicCreation": False})
    scene.step("name and id", "Metadata", 12, {
        "Topics": [{"Name": "meta-a", "TopicId": known(scene, "meta-a")}], "AllowAutoTopicCreation": False})
    scene.step("empty name", "Metadata", 9, {"Topics": [{"Name": ""}], "AllowAutoTopicCreation": False})
    scene.step("name of 250", "Metadata", 9, {"Topics": [{"Name": "x" * 250}], "AllowAutoTopicCreation": False})
    scene.step("same name twice", "Metadata", 9,
               {"Topics": [{"Name": "meta-a"}, {"Name": "meta-a"}], "AllowAutoTopicCreation": False})
    scene.step("authorized operations", "Metadata", 10, {
        "Topics": [{"Name": "meta-a"}], "AllowAutoTopicCreation": False, "IncludeTopicAuthorizedOperations": True,
        "IncludeClusterAuthorizedOperations": True})
    scene.step("auto-creation answers first", "Metadata", 9, {"Topics": [{"Name": "meta-auto"}]})
    scene.learn("meta-auto")
    scene.step("auto-created", "Metadata", 9, {"Topics": [{"Name": "meta-auto"}]})


def cluster(scene):
    low, high = scene.spec.range("DescribeCluster")
    for version in range(low, high + 1):
        scene.step("plain", "DescribeCluster", version, {})
        scene.step("operations", "DescribeCluster", version, {"IncludeClusterAuthorizedOperations": True})
    scene.step("controllers", "DescribeCluster", 1, {"EndpointType": 2})
    scene.step("unknown endpoint type", "DescribeCluster", 1, {"EndpointType": 9})
    scene.step("fenced too", "DescribeCluster", 2, {"IncludeFencedBrokers": True})


def partitions(scene):
    name = "DescribeTopicPartitions"
    scene.step("two topics", name, 0, {"Topics": [{"Name": "meta-a"}, {"Name": "meta-b"}]})
    scene.step("unknown topic", name, 0, {"Topics": [{"Name": "meta-none"}]})
    scene.step("invalid name", name, 0, {"Topics": [{"Name": "bad name!"}]})
    scene.step("limit 2", name, 0, {"Topics": [{"Name": "meta-a"}, {"Name": "meta-b"}], "ResponsePartitionLimit": 2})
    scene.step("limit 0", name, 0, {"Topics": [{"Name": "meta-a"}], "ResponsePartitionLimit": 0})
    scene.step("limit -1", name, 0, {"Topics": [{"Name": "meta-a"}], "ResponsePartitionLimit": -1})
    scene.step("from cursor", name, 0, {"Topics": [{"Name": "meta-a"}, {"Name": "meta-b"}],
                                        "Cursor": {"TopicName": "meta-a", "PartitionIndex": 1}})
    scene.step("cursor at another topic", name, 0, {"Topics": [{"Name": "meta-a"}],
                                                    "Cursor": {"TopicName": "meta-b", "PartitionIndex": 0}})
    scene.step("cursor below zero", name, 0, {"Topics": [{"Name": "meta-a"}],
                                              "Cursor": {"TopicName": "meta-a", "PartitionIndex": -1}})


def frames(scene):
    def header(key, version, client=b"\0\x05judge"):
        return struct.pack(">hhi", key, version, 1) + client
    scene.frame("api key 9999", "Metadata", 0, header(9999, 0) + b"\0" * 8)
    scene.frame("api key -1", "Metadata", 0, header(-1, 0) + b"\0" * 8)
    scene.frame("dead api key 4", "Metadata", 0, header(4, 0) + b"\0" * 8)
    scene.frame("controller api BrokerRegistration", "Metadata", 0, header(62, 0) + b"\0" * 8)
    groups = ("OffsetCommit", "OffsetFetch", "FindCoordinator", "JoinGroup", "Heartbeat", "LeaveGroup", "SyncGroup",
              "DescribeGroups", "ListGroups", "DeleteGroups", "OffsetDelete", "ConsumerGroupHeartbeat",
              "ConsumerGroupDescribe")
    for api in ("Metadata", "Produce", "Fetch", "CreateTopics", "ListOffsets", *groups):
        low, high = scene.spec.range(api)
        key = scene.spec.key(api)
        scene.frame(f"{api} version {high + 1}", api, high, header(key, high + 1) + b"\0" * 8)
        if low:
            scene.frame(f"{api} version {low - 1}", api, low, header(key, low - 1) + b"\0" * 8)
    scene.frame("InitProducerId version 6 (unstable)", "InitProducerId", 5,
                scene.spec.request("InitProducerId", 6, {"TransactionalId": None}, 1))
    scene.frame("Metadata without a body", "Metadata", 1, header(3, 1))
    scene.frame("header cut short", "Metadata", 1, b"\0\x03\0")
    scene.frame("no bytes", "Metadata", 1, b"")
    whole = scene.spec.request("Metadata", 9, {"Topics": [{"Name": "meta-a"}], "AllowAutoTopicCreation": False}, 1)
    scene.frame("Metadata cut in the body", "Metadata", 9, whole[:-5])
    scene.frame("Metadata with bytes after the end", "Metadata", 9, whole + b"\0\0\0")
    null_client = scene.spec.request("Metadata", 1, {"Topics": []}, 1, client=None)
    scene.frame("null client id", "Metadata", 1, null_client)
    tagged = scene.spec.request("Metadata", 9, {"Topics": [], "_tags": [(77, b"unknown")]}, 1)
    scene.frame("unknown tagged field", "Metadata", 9, tagged)

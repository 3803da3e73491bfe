"""The differences from Kafka that we want, each with its reason. Nothing else may differ."""

# Topic configs that are not compared.
CONFIGS = {
    "flush.messages": "1 here: an acknowledged record is on disk; Kafka never syncs by default",
    "flush.ms": "shown with flush.messages; a topic that sets it chooses the page cache",
}

# (part of a step's name, reason) of the differential judge
WIRE = [
    ("Metadata v12: id zero and no name", "INVALID_REQUEST says what is wrong; Kafka fails with UNKNOWN_SERVER_ERROR"),
    ("auto-creation answers first", "the topic is there when the answer leaves; Kafka answers UNKNOWN_TOPIC first"),
    ("Produce v9: null records", "Kafka never answers; an error is better than a hanging client"),
    ("bytes after the batch", "refused; Kafka drops what follows the batch without a word"),
    ("offset deltas with a gap", "refused; Kafka stores a batch whose records do not have the offsets that it claims"),
    ("offset deltas from 1", "refused; Kafka stores a batch whose records do not have the offsets that it claims"),
    ("delete horizon attribute", "refused; only compaction sets it, and it changes what the timestamps mean"),
    ("Produce v9: codec 5", "INVALID_RECORD says what is wrong; Kafka fails with UNKNOWN_SERVER_ERROR"),
    ("Produce v9: gzip of rubbish", "INVALID_RECORD says what is wrong; Kafka fails with UNKNOWN_SERVER_ERROR"),
    ("Produce v9: lz4 of rubbish", "INVALID_RECORD says what is wrong; Kafka fails with UNKNOWN_SERVER_ERROR"),
    ("Produce v9: duplicate of the", "Kafka tells the batch's create time as its append time"),
    ("ListOffsets v7: max timestamp of nothing", "Kafka tells a record that was deleted"),
    ("IncrementalAlterConfigs v1: operation 9", "INVALID_REQUEST; Kafka fails with UNKNOWN_SERVER_ERROR"),
    ("name collides by dot and underscore", "Kafka lets two topics of one request collide that it refuses one by one"),
    ("validate only, version 7", "nothing was created, so there is no id; Kafka makes one up"),
]

# (part of a step's name, reason) of the admin judge
ADMIN = [
]

# (part of a step's name, reason) of the group_differential judge
GROUPS = [
    ("the older request is forgotten", "the request that a newer one replaces is answered; Kafka leaves it hanging"),
    ("the older one is forgotten", "the request that a newer one replaces is answered; Kafka leaves it hanging"),
    ("the-new-member-is-removed: DescribeGroups v6: turned back",
     "before the rebalance that follows, assignments say what members still read; Kafka's say what they were to read, "
     "and two members may read one partition"),
    ("no member, but an epoch", "UNKNOWN_MEMBER_ID; Kafka looks up a null and fails with UNKNOWN_SERVER_ERROR"),
]

BURIED = "a group of offsets alone never wrote a record of itself, so its deletion buries the offsets and nothing more"
# (part of a step's name, reason) of the judge of tools on groups
GROUP_TOOLS = [(f"{step}: {group}", BURIED) for step in ("GroupMetadataMessageFormatter", "dump")
               for group in ("gt-new", "gt-gone")]

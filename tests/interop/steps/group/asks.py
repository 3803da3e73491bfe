"""Requests of group members and their tools; each holds for every version of its API.

A function that takes an actor sends as that actor and remembers what the answer says about its membership.
"""

SESSION, REBALANCE = 30_000, 30_000


def subscription(play, *topics, version=1, owned=(), generation=-1, rack=None):
    """What a consumer of the classic protocol says about itself, in the embedded consumer protocol."""
    return version.to_bytes(2, "big") + play.spec.encode("ConsumerProtocolSubscription", version, {
        "Topics": list(topics), "OwnedPartitions": [{"Topic": t, "Partitions": p} for t, p in owned],
        "GenerationId": generation, "RackId": rack})


def assignment(play, *parts, version=1):
    """The leader's word on who owns what: (topic, partitions) each."""
    return version.to_bytes(2, "big") + play.spec.encode("ConsumerProtocolAssignment", version, {
        "AssignedPartitions": [{"Topic": t, "Partitions": p} for t, p in parts]})


# The classic protocol.

def join_body(actor, *, group=None, kind="consumer", protocols=(("range", b"meta"),), session=SESSION,
              rebalance=REBALANCE, member=None, instance=None):
    return {"GroupId": actor.play.group if group is None else group, "SessionTimeoutMs": session,
            "RebalanceTimeoutMs": rebalance, "MemberId": actor.id if member is None else member,
            "GroupInstanceId": instance, "ProtocolType": kind, "Reason": "judged",
            "Protocols": [{"Name": name, "Metadata": data} for name, data in protocols]}


def joins(actor, version=9, **how):
    """Sends a join whose answer comes when others have joined too."""
    actor.play.send("JoinGroup", version, join_body(actor, **how), actor)


def joined(label, actor):
    """Takes the answer to a join."""
    got = actor.play.take(label, actor)
    actor.id = got.get("MemberId") or actor.id
    if got.get("ErrorCode") == 0:
        actor.generation = got["GenerationId"]
    return got


def join(label, actor, version=9, **how):
    joins(actor, version, **how)
    return joined(label, actor)


def named(actor, version=9, **how):
    """The first of the two joins that a new member needs; it is answered at once with an id. Not a step."""
    got = actor.connect().call("JoinGroup", version, join_body(actor, **how))
    actor.id = got["MemberId"]
    actor.play.member(actor.id)


def sync_body(actor, shares=(), *, group=None, member=None, generation=None, instance=None, kind="consumer",
              name="range"):
    """Shares are (actor or member id, bytes)."""
    return {"GroupId": actor.play.group if group is None else group,
            "GenerationId": actor.generation if generation is None else generation,
            "MemberId": actor.id if member is None else member, "GroupInstanceId": instance, "ProtocolType": kind,
            "ProtocolName": name,
            "Assignments": [{"MemberId": getattr(who, "id", who), "Assignment": data} for who, data in shares]}


def syncs(actor, shares=(), version=5, **how):
    actor.play.send("SyncGroup", version, sync_body(actor, shares, **how), actor)


def synced(label, actor):
    return actor.play.take(label, actor)


def sync(label, actor, shares=(), version=5, **how):
    syncs(actor, shares, version, **how)
    return synced(label, actor)


def beat(label, actor, version=4, *, group=None, member=None, generation=None, instance=None):
    return actor.play.ask(label, "Heartbeat", version, {
        "GroupId": actor.play.group if group is None else group,
        "GenerationId": actor.generation if generation is None else generation,
        "MemberId": actor.id if member is None else member, "GroupInstanceId": instance}, actor)


def leave(label, actor, version=5, *, group=None, member=None, instance=None, members=None):
    """Members are (id, instance) pairs; versions 0 to 2 name one id."""
    member = actor.id if member is None else member
    members = [(member, instance)] if members is None else members
    return actor.play.ask(label, "LeaveGroup", version, {
        "GroupId": actor.play.group if group is None else group, "MemberId": member,
        "Members": [{"MemberId": one, "GroupInstanceId": two, "Reason": "judged"} for one, two in members]}, actor)


def pair(play, shares=(b"for a", b"for b"), **how):
    """Two members of a stable group, the first its leader. Not steps."""
    a, b = play.actor("a"), play.actor("b")
    named(a, **how)
    alone = a.connect().call("JoinGroup", 9, join_body(a, **how))
    a.generation = alone["GenerationId"]
    a.conn.call("SyncGroup", 4, sync_body(a, [(a, shares[0])]))
    named(b, **how)
    joins(b, **how)
    # The group must know b before a rejoins, or a would be alone again.
    play.until("the second member is known", lambda: state(play) == "PreparingRebalance")
    joins(a, **how)
    for one in (a, b):
        got = one.conn.receive("JoinGroup", 9, one.held[2])
        one.held, one.generation = None, got["GenerationId"]
    # Version 4 names no protocol, so this holds for groups of every kind.
    syncs(b, version=4)
    a.conn.call("SyncGroup", 4, sync_body(a, [(a, shares[0]), (b, shares[1])]))
    b.conn.receive("SyncGroup", 4, b.held[2])
    b.held = None
    return a, b


def lone(play, **how):
    """One member of a stable group. Not steps."""
    a = play.actor("a")
    if how.get("instance") is None:
        named(a, **how)
    got = a.connect().call("JoinGroup", 9, join_body(a, **how))
    a.id, a.generation = got["MemberId"], got["GenerationId"]
    play.member(a.id)
    a.conn.call("SyncGroup", 4, sync_body(a, [(a, b"all")], instance=how.get("instance")))
    return a


# The consumer protocol.

def beats_body(actor, *, epoch=None, group=None, member=None, instance=None, rack=None, timeout=-1, topics=None,
               regex=None, assignor=None, owned=None):
    """Owned are (topic, partitions)."""
    play = actor.play
    return {"GroupId": play.group if group is None else group, "MemberId": actor.id if member is None else member,
            "MemberEpoch": actor.generation if epoch is None else epoch, "InstanceId": instance, "RackId": rack,
            "RebalanceTimeoutMs": timeout, "SubscribedTopicNames": None if topics is None else list(topics),
            "SubscribedTopicRegex": regex, "ServerAssignor": assignor,
            "TopicPartitions": None if owned is None else [
                {"TopicId": play.topic_id(topic), "Partitions": list(parts)} for topic, parts in owned]}


def pulse(label, actor, version=1, **how):
    """A heartbeat of the consumer protocol."""
    got = actor.play.ask(label, "ConsumerGroupHeartbeat", version, beats_body(actor, **how), actor)
    if got.get("ErrorCode") == 0:
        actor.id, actor.generation = got["MemberId"] or actor.id, got["MemberEpoch"]
    return got


def enter(label, actor, topics=("group-four",), version=1, **how):
    """The first heartbeat of a member."""
    if version >= 1 and not actor.id:
        actor.id = actor.play.fresh()
    how.setdefault("timeout", REBALANCE)
    how.setdefault("owned", ())
    return pulse(label, actor, version, epoch=0, topics=topics, **how)


def quiet_pulse(actor, version=1, **how):
    """A heartbeat that is not a step; returns the plain answer."""
    got = actor.connect().call("ConsumerGroupHeartbeat", version, beats_body(actor, **how))
    if got["ErrorCode"] == 0:
        actor.id, actor.generation = got["MemberId"], got["MemberEpoch"]
    return got


def moved(actor):
    """Asks until the member's epoch has changed."""
    before = actor.generation
    actor.play.until("the epoch moves", lambda: quiet_pulse(actor)["ErrorCode"] or actor.generation != before)


# Tools.

def commit_body(play, parts, *, group=None, generation=-1, member="", instance=None, retention=-1):
    """Parts are (topic, partition, offset, leader epoch, metadata), the last two optional."""
    topics = []
    for topic, partition, offset, *rest in parts:
        epoch, note = (list(rest) + [-1, ""][len(rest):])
        topics.append({"Name": topic, "TopicId": play.topic_id(topic), "Partitions": [{
            "PartitionIndex": partition, "CommittedOffset": offset, "CommittedLeaderEpoch": epoch,
            "CommittedMetadata": note}]})
    return {"GroupId": play.group if group is None else group, "GenerationIdOrMemberEpoch": generation,
            "MemberId": member, "GroupInstanceId": instance, "RetentionTimeMs": retention, "Topics": topics}


def commit(label, play, parts, version=9, **how):
    return play.ask(label, "OffsetCommit", version, commit_body(play, parts, **how))


def commit_as(label, actor, parts, version=9, **how):
    how.setdefault("member", actor.id)
    how.setdefault("generation", actor.generation)
    return commit(label, actor.play, parts, version, **how)


def fetch_body(play, parts, *, version, group=None, stable=False, member=None, epoch=-1, groups=None):
    """Parts are (topic, partitions) or None for all; from version 8 on `groups` may name several."""
    def topics(wanted, ids):
        return None if wanted is None else [
            {"Name": topic, "PartitionIndexes": list(partitions), **({"TopicId": play.topic_id(topic)} if ids else {})}
            for topic, partitions in wanted]
    group = play.group if group is None else group
    if version < 8:
        return {"GroupId": group, "Topics": topics(parts, False), "RequireStable": stable}
    wanted = [(group, parts)] if groups is None else groups
    return {"RequireStable": stable, "Groups": [
        {"GroupId": name, "MemberId": member, "MemberEpoch": epoch, "Topics": topics(part, True)}
        for name, part in wanted]}


def offsets(label, play, parts, version=9, **how):
    # All topics come out of hash tables.
    loose = ("Topics", "Partitions") if parts is None else ()
    return play.ask(label, "OffsetFetch", version, fetch_body(play, parts, version=version, **how), loose=loose)


def describe(label, play, version=6, groups=None, operations=False):
    return play.ask(label, "DescribeGroups", version, {"Groups": groups or [play.group],
                                                       "IncludeAuthorizedOperations": operations})


def describe_consumer(label, play, version=1, groups=None, operations=False):
    return play.ask(label, "ConsumerGroupDescribe", version, {"GroupIds": groups or [play.group],
                                                              "IncludeAuthorizedOperations": operations})


def listed(label, play, version=5, states=(), types=()):
    return play.ask(label, "ListGroups", version, {"StatesFilter": list(states), "TypesFilter": list(types)})


def delete(label, play, version=3, groups=None):
    return play.ask(label, "DeleteGroups", version, {"GroupsNames": groups or [play.group]})


def forget(label, play, parts, group=None):
    """OffsetDelete; parts are (topic, partitions)."""
    return play.ask(label, "OffsetDelete", 0, {"GroupId": play.group if group is None else group, "Topics": [
        {"Name": topic, "Partitions": [{"PartitionIndex": p} for p in partitions]} for topic, partitions in parts]})


def state(play, group=None):
    """The state of a group of the classic protocol; not a step."""
    return play.quiet("DescribeGroups", 5, {"Groups": [group or play.group]})["Groups"][0]["GroupState"]


def known(play):
    """Kafka gives out an id before the group that it makes can be seen."""
    play.until("the group is seen", lambda: state(play) != "Dead")


def consumer_state(play):
    """State and epoch of a group of the consumer protocol; not a step."""
    group = play.quiet("ConsumerGroupDescribe", 0, {"GroupIds": [play.group]})["Groups"][0]
    return group["GroupState"], group["GroupEpoch"]

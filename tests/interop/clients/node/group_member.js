// One member of a group with kafkajs; kit/members.py states the settings, the commands and the events. kafkajs has
// no assignor that other clients know, so `range` is written here; it has no static members.
const readline = require('node:readline')
const { Kafka, logLevel, AssignerProtocol: { MemberAssignment, MemberMetadata } } = require('kafkajs')

const settings = JSON.parse(process.argv[2])
const tell = (event, facts) => process.stdout.write(JSON.stringify({ event, ...facts }) + '\n')

const range = ({ cluster }) => ({
  name: 'range',
  version: 0,
  protocol: ({ topics }) => ({ name: 'range', metadata: MemberMetadata.encode({ version: 0, topics }) }),
  assign: async ({ members, topics }) => {
    const wanted = Object.fromEntries(members.map(({ memberId, memberMetadata }) => (
      [memberId, MemberMetadata.decode(memberMetadata).topics])))
    const shares = Object.fromEntries(members.map(({ memberId }) => [memberId, {}]))
    for (const topic of topics) {
      const owners = Object.keys(wanted).filter((id) => wanted[id].includes(topic)).sort()
      const parts = cluster.findTopicPartitionMetadata(topic).map((part) => part.partitionId).sort((a, b) => a - b)
      owners.forEach((id, at) => {
        const from = Math.floor(parts.length / owners.length) * at + Math.min(at, parts.length % owners.length)
        const size = Math.floor(parts.length / owners.length) + (at < parts.length % owners.length ? 1 : 0)
        shares[id][topic] = parts.slice(from, from + size)
      })
    }
    return members.map(({ memberId }) => (
      { memberId, memberAssignment: MemberAssignment.encode({ version: 0, assignment: shares[memberId] }) }))
  },
})

async function main () {
  const kafka = new Kafka({ clientId: settings.client, brokers: [settings.address], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({
    groupId: settings.group, partitionAssigners: [range], sessionTimeout: settings.session, heartbeatInterval: 500,
    metadataMaxAge: 2000, maxWaitTimeInMs: 100, rebalanceTimeout: 10000,
  })
  let owned = []
  const positions = new Map()
  const drop = (event) => {
    if (owned.length) tell(event, { partitions: owned })
    owned = []
    positions.clear()
  }
  consumer.on(consumer.events.REBALANCING, () => drop('revoked'))
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    drop('lost')
    tell('failed', { what: 'run', error: String(payload.error) })
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    drop('revoked')
    owned = Object.entries(payload.memberAssignment).flatMap(([topic, parts]) => parts.map((part) => [topic, part]))
    tell('assigned', { partitions: owned })
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [settings.topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch: { topic, partition, messages } }) => {
      const last = messages[messages.length - 1].offset
      tell('records', { topic, partition, first: Number(messages[0].offset), last: Number(last), count: messages.length })
      positions.set(partition, [topic, partition, Number(last) + 1])
    },
  })
  for await (const command of readline.createInterface({ input: process.stdin })) {
    if (command === 'close') break
    const offsets = [...positions.values()]
    try {
      if (offsets.length) {
        await consumer.commitOffsets(offsets.map(([topic, partition, at]) => ({ topic, partition, offset: String(at) })))
      }
      tell('committed', { offsets })
    } catch (error) {
      tell('failed', { what: 'commit', error: String(error) })
    }
  }
  await consumer.disconnect()
  drop('revoked')
  tell('closed')
  process.exit(0)
}

main().catch((error) => { console.error(error); process.exit(1) })

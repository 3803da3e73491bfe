// kafkajs over files of records (see kit/crate.py): produce ADDRESS TOPIC CODEC FILE, or
// consume ADDRESS TOPIC END,END,... FILE. kafkajs has no consumer without a group, so its own cluster and
// broker classes fetch.
const fs = require('node:fs')
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const SnappyCodec = require('kafkajs-snappy')
const lz4 = require('lz4-napi')
const zstd = require('@bokuweb/zstd-wasm')
const fzstd = require('fzstd')

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: async (buffer) => lz4.decompressFrame(buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from(zstd.compress(encoder.buffer, 3)),
  decompress: async (buffer) => Buffer.from(fzstd.decompress(buffer)),
})
const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

function readCrate (path) {
  const data = fs.readFileSync(path)
  const records = []
  let at = 0
  const int = () => { at += 4; return data.readInt32BE(at - 4) }
  const blob = () => {
    const size = int()
    if (size < 0) return null
    at += size
    return data.subarray(at - size, at)
  }
  while (at < data.length) {
    const record = { key: blob(), value: blob(), headers: {} }
    for (let left = int(); left > 0; left--) {
      const name = blob().toString()
      const value = blob()
      const seen = record.headers[name]
      record.headers[name] = seen === undefined ? value : [].concat(seen, [value])
    }
    records.push(record)
  }
  return records
}

function blob (data) {
  const size = Buffer.alloc(4)
  size.writeInt32BE(data === null || data === undefined ? -1 : data.length)
  return data ? Buffer.concat([size, data]) : size
}

function int (value) {
  const out = Buffer.alloc(4)
  out.writeInt32BE(value)
  return out
}

function packed (partition, message) {
  const offset = Buffer.alloc(8)
  offset.writeBigInt64BE(BigInt(message.offset))
  const headers = []
  for (const [name, values] of Object.entries(message.headers || {})) {
    for (const value of [].concat(values)) headers.push(blob(Buffer.from(name)), blob(Buffer.from(value)))
  }
  return Buffer.concat([int(partition), offset, blob(message.key), blob(message.value), int(headers.length / 2), ...headers])
}

async function produce (kafka, topic, codec, path) {
  const producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1 })
  await producer.connect()
  const records = readCrate(path)
  for (let from = 0; from < records.length;) {
    let bytes = 0
    let to = from
    while (to < records.length && (to === from || bytes + (records[to].value?.length ?? 0) < 700000) && to - from < 2000) {
      bytes += (records[to++].value?.length ?? 0) + 100
    }
    await producer.send({ topic, acks: -1, compression: CODECS[codec], messages: records.slice(from, to) })
    from = to
  }
  await producer.disconnect()
}

async function consume (kafka, address, topic, ends, path) {
  const Cluster = require('kafkajs/src/cluster')
  const cluster = new Cluster({
    logger: kafka.logger(), brokers: [address], clientId: 'judge', connectionTimeout: 10000,
    socketFactory: require('kafkajs/src/network/socketFactory')(), enforceRequestTimeout: true, requestTimeout: 20000,
    metadataMaxAge: 300000, retry: { retries: 3 }, allowAutoTopicCreation: false,
  })
  await cluster.connect()
  await cluster.addTargetTopic(topic)
  const out = fs.openSync(path, 'w')
  const positions = ends.map(() => 0n)
  while (positions.some((position, partition) => position < ends[partition])) {
    const open = [...ends.keys()].filter((partition) => positions[partition] < ends[partition])
    const leaders = cluster.findLeaderForPartitions(topic, open)
    for (const [nodeId, partitions] of Object.entries(leaders)) {
      const broker = await cluster.findBroker({ nodeId })
      const answer = await broker.fetch({
        maxWaitTime: 500, minBytes: 1, maxBytes: 10485760, isolationLevel: 1,
        topics: [{ topic, partitions: partitions.map((partition) => (
          { partition, fetchOffset: positions[partition].toString(), maxBytes: 4194304 })) }],
      })
      for (const { partition, messages } of answer.responses.flatMap((response) => response.partitions)) {
        const chunks = []
        for (const message of messages) {
          if (BigInt(message.offset) < positions[partition]) continue
          positions[partition] = BigInt(message.offset) + 1n
          chunks.push(packed(partition, message))
        }
        fs.writeSync(out, Buffer.concat(chunks))
      }
    }
  }
  fs.closeSync(out)
  await cluster.disconnect()
}

async function main ([verb, address, topic, detail, path]) {
  await zstd.init()
  const kafka = new Kafka({ clientId: 'judge', brokers: [address], logLevel: logLevel.ERROR, retry: { retries: 3 } })
  if (verb === 'produce') await produce(kafka, topic, detail, path)
  else await consume(kafka, address, topic, detail.split(',').map(BigInt), path)
}

main(process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1) })

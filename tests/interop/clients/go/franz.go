package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func franzCodec(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

func franzProduce(address, topic, codec string, records []record) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ProducerBatchCompression(franzCodec(codec)),
		kgo.ProducerLinger(5*time.Millisecond), kgo.RecordDeliveryTimeout(time.Minute))
	must(err)
	defer client.Close()
	failed := make(chan error, len(records))
	for _, r := range records {
		var headers []kgo.RecordHeader
		for _, h := range r.headers {
			headers = append(headers, kgo.RecordHeader{Key: h.name, Value: h.value})
		}
		client.Produce(context.Background(), &kgo.Record{Topic: topic, Key: r.key, Value: r.value, Headers: headers},
			func(_ *kgo.Record, err error) {
				if err != nil {
					failed <- err
				}
			})
	}
	must(client.Flush(context.Background()))
	select {
	case err := <-failed:
		must(err)
	default:
	}
}

func franzConsume(address, topic string, out *output) {
	from := map[int32]kgo.Offset{}
	left := 0
	for partition, end := range out.ends {
		if end > 0 {
			from[int32(partition)] = kgo.NewOffset().At(0)
			left++
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	must(err)
	defer client.Close()
	for left > 0 {
		fetches := client.PollFetches(context.Background())
		for _, problem := range fetches.Errors() {
			must(problem.Err)
		}
		fetches.EachRecord(func(got *kgo.Record) {
			var headers []header
			for _, h := range got.Headers {
				headers = append(headers, header{h.Key, h.Value})
			}
			out.add(got.Partition, got.Offset, record{got.Key, got.Value, headers})
			if got.Offset+1 == out.ends[got.Partition] {
				left--
			}
		})
	}
	out.close()
}

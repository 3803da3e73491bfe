package main

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

var saramaCodecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.ApiVersionsRequest = true
	config.Version = sarama.MaxVersion
	return config
}

func saramaProduce(address, topic, codec string, records []record) {
	config := saramaConfig()
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	config.Producer.Compression = saramaCodecs[codec]
	config.Producer.Return.Successes = true
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	config.Producer.Flush.Bytes = 512 << 10
	producer, err := sarama.NewAsyncProducer([]string{address}, config)
	must(err)
	done := make(chan struct{})
	go func() {
		for range records {
			select {
			case <-producer.Successes():
			case problem := <-producer.Errors():
				must(problem)
			}
		}
		close(done)
	}()
	for _, r := range records {
		message := &sarama.ProducerMessage{Topic: topic}
		if r.key != nil {
			message.Key = sarama.ByteEncoder(r.key)
		}
		if r.value != nil {
			message.Value = sarama.ByteEncoder(r.value)
		}
		for _, h := range r.headers {
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(h.name), Value: h.value})
		}
		producer.Input() <- message
	}
	<-done
	must(producer.Close())
}

func saramaConsume(address, topic string, out *output) {
	config := saramaConfig()
	config.Consumer.Return.Errors = true
	consumer, err := sarama.NewConsumer([]string{address}, config)
	must(err)
	for partition, end := range out.ends {
		if end == 0 {
			continue
		}
		part, err := consumer.ConsumePartition(topic, int32(partition), sarama.OffsetOldest)
		must(err)
		for at := int64(-1); at+1 < end; {
			select {
			case got := <-part.Messages():
				at = got.Offset
				var headers []header
				for _, h := range got.Headers {
					headers = append(headers, header{string(h.Key), h.Value})
				}
				out.add(got.Partition, got.Offset, record{got.Key, got.Value, headers})
			case problem := <-part.Errors():
				must(problem)
			case <-time.After(30 * time.Second):
				must(fmt.Errorf("partition %d stands at %d of %d", partition, at+1, end))
			}
		}
		must(part.Close())
	}
	out.close()
	must(consumer.Close())
}

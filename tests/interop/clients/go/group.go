package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// memberSettings and the events below are stated in kit/members.py.
type memberSettings struct {
	Address, Group, Client, Topic, Pattern, Protocol, Assignor, Instance string
	Session                                                              int
}

var tellLock sync.Mutex

func tell(event string, facts map[string]any) {
	if facts == nil {
		facts = map[string]any{}
	}
	facts["event"] = event
	line, err := json.Marshal(facts)
	must(err)
	tellLock.Lock()
	defer tellLock.Unlock()
	_, err = os.Stdout.Write(append(line, '\n'))
	must(err)
}

// tellParts names its event only if it is about something: franz-go calls back with nothing as well.
func tellParts(event string) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
		parts := [][]any{}
		for topic, numbers := range topics {
			for _, number := range numbers {
				parts = append(parts, []any{topic, number})
			}
		}
		tell(event, map[string]any{"partitions": parts})
	}
}

func memberClient(settings memberSettings) *kgo.Client {
	options := []kgo.Opt{
		kgo.SeedBrokers(settings.Address), kgo.ClientID(settings.Client), kgo.ConsumerGroup(settings.Group),
		kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMaxAge(2 * time.Second), kgo.MetadataMinAge(200 * time.Millisecond),
		kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.OnPartitionsAssigned(tellParts("assigned")), kgo.OnPartitionsRevoked(tellParts("revoked")),
		kgo.OnPartitionsLost(tellParts("lost")),
	}
	if settings.Pattern != "" {
		options = append(options, kgo.ConsumeRegex(), kgo.ConsumeTopics(settings.Pattern))
	} else {
		options = append(options, kgo.ConsumeTopics(settings.Topic))
	}
	if settings.Instance != "" {
		options = append(options, kgo.InstanceID(settings.Instance))
	}
	balancers := map[string]kgo.GroupBalancer{"range": kgo.RangeBalancer(), "uniform": kgo.StickyBalancer(),
		"cooperative-sticky": kgo.CooperativeStickyBalancer()}
	options = append(options, kgo.Balancers(balancers[settings.Assignor]))
	if settings.Protocol == "consumer" {
		options = append(options, kgo.ServerSideBalancer())
	} else {
		options = append(options, kgo.HeartbeatInterval(500*time.Millisecond),
			kgo.SessionTimeout(time.Duration(settings.Session)*time.Millisecond))
	}
	client, err := kgo.NewClient(options...)
	must(err)
	return client
}

func memberCommit(client *kgo.Client, commands context.Context) {
	offsets := [][]any{}
	for topic, parts := range client.UncommittedOffsets() {
		for number, at := range parts {
			offsets = append(offsets, []any{topic, number, at.Offset})
		}
	}
	if err := client.CommitUncommittedOffsets(commands); err != nil {
		tell("failed", map[string]any{"what": "commit", "error": err.Error()})
		return
	}
	tell("committed", map[string]any{"offsets": offsets})
}

func groupMember(text string) {
	var settings memberSettings
	must(json.Unmarshal([]byte(text), &settings))
	commands := make(chan string, 16)
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			commands <- lines.Text()
		}
		commands <- "close"
	}()
	client := memberClient(settings)
	for open := true; open; {
		select {
		case command := <-commands:
			if command == "commit" {
				memberCommit(client, context.Background())
			} else {
				open = false
			}
		default:
		}
		wait, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		fetches := client.PollFetches(wait)
		cancel()
		for _, problem := range fetches.Errors() {
			if !errors.Is(problem.Err, context.DeadlineExceeded) {
				tell("failed", map[string]any{"what": "poll", "error": problem.Err.Error()})
			}
		}
		fetches.EachPartition(func(part kgo.FetchTopicPartition) {
			if count := len(part.Records); count > 0 {
				tell("records", map[string]any{"topic": part.Topic, "partition": part.Partition, "count": count,
					"first": part.Records[0].Offset, "last": part.Records[count-1].Offset})
			}
		})
	}
	client.Close()
	tell("closed", nil)
}

// Command roundtrip runs franz-go and sarama over files of records (see kit/crate.py):
// CLIENT produce ADDRESS TOPIC CODEC FILE, or CLIENT consume ADDRESS TOPIC END,END,... FILE; no groups.
// member SETTINGS is one franz-go member of a group.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

type header struct {
	name  string
	value []byte
}

type record struct {
	key, value []byte
	headers    []header
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func readInt(in io.Reader) int32 {
	var size int32
	must(binary.Read(in, binary.BigEndian, &size))
	return size
}

func readBlob(in io.Reader) []byte {
	size := readInt(in)
	if size < 0 {
		return nil
	}
	data := make([]byte, size)
	_, err := io.ReadFull(in, data)
	must(err)
	return data
}

func readCrate(path string) []record {
	file, err := os.Open(path)
	must(err)
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	var records []record
	for {
		if _, err := in.Peek(1); err != nil {
			return records
		}
		r := record{key: readBlob(in), value: readBlob(in)}
		for left := readInt(in); left > 0; left-- {
			r.headers = append(r.headers, header{string(readBlob(in)), readBlob(in)})
		}
		records = append(records, r)
	}
}

type output struct {
	out  *bufio.Writer
	file *os.File
	ends []int64
}

func newOutput(path, ends string) *output {
	file, err := os.Create(path)
	must(err)
	o := &output{out: bufio.NewWriterSize(file, 1<<20), file: file}
	for _, text := range strings.Split(ends, ",") {
		end, err := strconv.ParseInt(text, 10, 64)
		must(err)
		o.ends = append(o.ends, end)
	}
	return o
}

func (o *output) blob(data []byte) {
	size := int32(len(data))
	if data == nil {
		size = -1
	}
	must(binary.Write(o.out, binary.BigEndian, size))
	_, err := o.out.Write(data)
	must(err)
}

func (o *output) add(partition int32, offset int64, r record) {
	must(binary.Write(o.out, binary.BigEndian, partition))
	must(binary.Write(o.out, binary.BigEndian, offset))
	o.blob(r.key)
	o.blob(r.value)
	must(binary.Write(o.out, binary.BigEndian, int32(len(r.headers))))
	for _, h := range r.headers {
		o.blob([]byte(h.name))
		o.blob(h.value)
	}
}

func (o *output) close() {
	must(o.out.Flush())
	must(o.file.Close())
}

func main() {
	if os.Args[1] == "member" {
		groupMember(os.Args[2])
		return
	}
	client, verb, address, topic, detail, path := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	switch client + " " + verb {
	case "franz produce":
		franzProduce(address, topic, detail, readCrate(path))
	case "franz consume":
		franzConsume(address, topic, newOutput(path, detail))
	case "sarama produce":
		saramaProduce(address, topic, detail, readCrate(path))
	case "sarama consume":
		saramaConsume(address, topic, newOutput(path, detail))
	default:
		must(fmt.Errorf("no such client or verb: %s %s", client, verb))
	}
}

// Gen writes the vectors of the native format: go run ./testdata/vectors/gen
//
// A vector is a text header, an empty line, and the bytes of a file. The header says what
// a reader must make of it:
//
//	expect   success, or the first damage: torn, cut, corrupt, newer, gap, bad body, left out
//	flows    how many flows come out
//	damage   how many places of damage are told
//	offset   of the first of them in the file
//	sha256   of the flows as JSON lines
//	comment  what the vector is about
//
// Vectors are never written anew to make a test pass: a file that was once readable stays
// readable. Gen leaves alone what is there; new ones are added at the end of the list.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/jsonl"
	"flowkit/flowfile/native"
)

type vector struct {
	name    string
	expect  string
	flows   int
	damage  int
	offset  int
	comment string
	data    []byte
}

func main() {
	if err := run("testdata/vectors/native"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	for _, v := range vectors() {
		path := filepath.Join(dir, v.name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		sum, err := v.check()
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "expect: %s\nflows: %d\ndamage: %d\n", v.expect, v.flows, v.damage)
		if v.damage > 0 {
			fmt.Fprintf(&b, "offset: %d\n", v.offset)
		}
		fmt.Fprintf(&b, "sha256: %x\ncomment: %s\n\n", sum, v.comment)
		b.Write(v.data)
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// check reads the vector and compares with what was claimed; it returns the hash of the
// flows.
func (v *vector) check() ([]byte, error) {
	src := native.NewReader(bytes.NewReader(v.data), native.ReaderOptions{Need: flowfile.NeedBodies | flowfile.NeedMessages, Workers: 1})
	defer src.Close()
	sum := sha256.New()
	out := jsonl.NewWriter(sum, jsonl.Options{})
	var damage []*flowfile.Damage
	flows := 0
	for f, err := range flowfile.Flows(src) {
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			damage = append(damage, d)
			continue
		case err != nil:
			return nil, err
		}
		flows++
		if err := out.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
			return nil, err
		}
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	switch {
	case flows != v.flows || len(damage) != v.damage:
		return nil, fmt.Errorf("%d flows, %d damages: %v", flows, len(damage), damage)
	case v.damage > 0 && damage[0].Offset != int64(v.offset):
		return nil, fmt.Errorf("damage at %d, not %d", damage[0].Offset, v.offset)
	case v.damage > 0 && !strings.Contains(damage[0].Error(), v.expect):
		return nil, fmt.Errorf("not %s: %v", v.expect, damage[0])
	}
	return sum.Sum(nil), nil
}

// write returns the file that flowkit's writer makes.
func write(o native.WriterOptions, flows ...*flowfile.Flow) []byte {
	var b bytes.Buffer
	o.Workers = 1
	w := native.NewWriter(&b, o)
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return fix(b.Bytes(), 0x5e55)
}

// get is an HTTP flow as a record.
func get(id string, more ...any) object {
	return append(object{
		"type", "http", "id", id, "ts", 1_790_000_000_000_000_000,
		"req",
		object{
			"method", "GET", "scheme", "https", "host", "shop.example", "port", 443, "path", "/" + id,
			"headers",
			list{"Host", "shop.example"},
			"start", 1000, "end", 2000,
		},
		"resp",
		object{"status", 200, "reason", "OK", "headers", list{"Content-Type", "text/plain"}, "start", 3000, "end", 4000},
	}, more...)
}

func body(s string) []part { return []part{{n: 1, total: len(s), data: []byte(s)}} }

func msg(id string, n int, text string) entry {
	return entry{
		object{"type", "msg", "flow", id, "n", n, "ts", 1_790_000_000_000_005_000 + n, "client", n%2 == 0, "op", 1},
		[]part{{n: 2, total: len(text), data: []byte(text)}},
	}
}

func chunk(id string, off int, text string, last bool) entry {
	return entry{
		object{"type", "part", "flow", id, "part", 1, "off", off, "last", last},
		[]part{{n: 1, total: -1, data: []byte(text)}},
	}
}

func end(id string, more ...any) entry {
	return entry{append(object{"type", "end", "flow", id}, more...), nil}
}

func vectors() []vector {
	text := strings.Repeat("All work and no play makes Jack a dull boy. ", 20)
	noisy := strings.Map(func(r rune) rune { return 'a' + (r*r*7+r)%26 }, text)
	three := func() *file {
		f := (&file{}).newSession(1).block(entry{object{"type", "meta", "schema", 1, "creator", "gen"}, nil}, entry{get("a"), body(text)})
		f.block(entry{get("b"), body(noisy)})
		return f.block(entry{get("c"), body(text + noisy)})
	}
	whole := three()
	first, second := whole.blockAt(1), whole.blockAt(2)
	cut := func(n int) []byte { return bytes.Clone(whole.data[:n]) }
	flip := func(at int) []byte {
		b := bytes.Clone(whole.data)
		b[at] ^= 0x10
		return b
	}
	segments := func(at int) int { return at + 8 + int(whole.data[at+4]) + int(whole.data[at+5])<<8 }

	bodies := func(at int) int { return segments(at) + int(whole.data[at+92]) + int(whole.data[at+93])<<8 }

	large := flowfile.New(flowfile.Head{
		ID: "large", Created: 1_790_000_000_000_000_000,
		Request:  flowfile.NewRequest(flowfile.RequestHead{Method: "GET", Scheme: "https", Host: "shop.example", Port: 443, Path: "/large"}),
		Response: flowfile.NewResponse(flowfile.ResponseHead{Status: 200, MessageHead: flowfile.MessageHead{Body: flowfile.StringBody(strings.Repeat(text, 3000))}}),
	})
	kinds := flowtest.Flows(18, 77)[9:]

	newer := three()
	newer.data = cut(second)
	newer.major = 2
	newer.block(entry{get("x"), body(text)})
	newer.major = 0
	newer.block(entry{get("d"), body(text)})

	kind := (&file{}).newSession(1).block(entry{get("a"), nil})
	kind.kind = 0x20
	kind.block(entry{get("x"), nil})
	kind.kind = 0
	kind.block(entry{get("b"), nil})

	extra := (&file{segment: 0x21}).newSession(1).block(entry{get("a"), body(text)})
	critical := (&file{}).newSession(1).block(entry{get("a"), nil})
	critical.segment = 0xa1
	refused := len(critical.data)
	critical.block(entry{get("x"), body(text)})
	critical.segment = 0
	critical.block(entry{get("b"), nil})

	behind := &file{data: cut(len(whole.data) - 30)}
	behind.newSession(2).block(entry{get("d"), body(text)})

	gap := bytes.Clone(append(cut(first), whole.data[second:]...))

	unknown := get("a", "x_new", object{"deep", list{1, nil, "two"}}, "x_nil", nil)
	unknown[7] = append(unknown[7].(object), "x_req", 1.5)
	unknown[9] = append(unknown[9].(object), "x_resp", []byte{0xff})

	marker := flowfile.New(flowfile.Head{
		ID: "marker", Created: 1_790_000_000_000_000_000,
		Request:  flowfile.NewRequest(flowfile.RequestHead{Method: "GET", Path: "/"}),
		Response: flowfile.NewResponse(flowfile.ResponseHead{Status: 200, MessageHead: flowfile.MessageHead{Body: flowfile.BytesBody(bytes.Clone(whole.data))}}),
	})

	return []vector{
		{"empty", "success", 0, 0, 0, "no bytes at all", nil},
		{"no-flows", "success", 0, 0, 0, "a writer that had nothing to write", write(native.WriterOptions{Creator: "gen"})},
		{"one-flow", "success", 1, 0, 0, "one flow and the index", write(native.WriterOptions{}, large.Clone())},
		{"no-index", "success", 1, 0, 0, "closed without an index", write(native.WriterOptions{NoIndex: true}, kinds[0])},
		{"kinds", "success", 9, 0, 0, "HTTP, WebSocket, TCP, UDP, DNS; bodies absent, empty, truncated", write(native.WriterOptions{}, kinds...)},
		{"large-body", "success", 1, 0, 0, "a body in parts", write(native.WriterOptions{NoIndex: true}, large)},
		{"by-hand", "success", 3, 0, 0, "three blocks, written by the text of the specification", whole.data},
		{"torn-in-header", "torn", 2, 1, second, "killed in the header of the last block", cut(second + 40)},
		{"torn-in-records", "torn", 2, 1, second, "killed in the records of the last block", cut(segments(second) + 30)},
		{"torn-in-body", "torn", 3, 1, second, "killed in the bodies of the last block: its flow is there, without its body", cut(len(whole.data) - 30)},
		{"torn-in-first", "torn", 0, 1, 0, "killed in the first block", cut(50)},
		{"zero-tail", "torn", 3, 1, len(whole.data), "zero bytes behind the last block, as after a power loss", append(cut(len(whole.data)), make([]byte, 3000)...)},
		{"garbage-tail", "torn", 3, 1, len(whole.data), "bytes behind the last block that are none of ours", append(cut(len(whole.data)), noisy...)},
		{"appended-behind-torn", "cut", 4, 1, second, "a session behind a torn block; the torn block's flow is there, without its body", behind.data},
		{"flipped-header", "corrupt", 2, 1, first, "a bit of a header", flip(first + 70)},
		{"flipped-records", "corrupt", 2, 1, first, "a bit of a records segment", flip(segments(first) + 20)},
		{"flipped-body", "bad body", 3, 1, bodies(first), "a bit of a body segment", flip(bodies(first) + 20)},
		{"block-missing", "gap", 2, 1, first, "a block of the session is not there", gap},
		{"newer-version", "newer", 3, 1, second, "a block of major version 2 among those of version 1", newer.data},
		{"unknown-block", "success", 2, 0, 0, "a block of a kind that is not known is passed over", kind.data},
		{"unknown-segment", "success", 1, 0, 0, "a segment of a kind that is not known is passed over", extra.data},
		{"critical-segment", "newer", 2, 1, refused, "a segment of a kind that must be known", critical.data},
		{"unknown-record", "left out", 2, 1, 0, "a record of a type that is not known", (&file{}).newSession(1).block(
			entry{get("a"), nil}, entry{object{"type", "quic", "id", "x", "ts", 5}, body(text)}, entry{get("b"), nil}).data},
		{"unknown-keys", "success", 1, 0, 0, "keys that are not known are kept", (&file{}).newSession(1).block(entry{unknown, nil}).data},
		{"cat-of-two", "success", 10, 0, 0, "two files one behind the other", append(write(native.WriterOptions{}, kinds...), write(native.WriterOptions{}, kinds[0])...)},
		{"interleaved", "success", 3, 0, 0, "flows that grow at once, over blocks; late response, error and close", (&file{}).newSession(1).
			block(entry{get("a", "open", true), []part{{n: 1, total: -1, flags: 2}}}, entry{get("b", "open", true), nil}).
			block(msg("b", 0, "hello"), chunk("a", 0, "one ", false), entry{object{"type", "http", "id", "c", "ts", 77, "open", true, "req", object{"method", "GET", "path", "/c"}}, nil}).
			block(msg("b", 1, "there"), chunk("a", 4, "two ", false)).
			block(end("c", "resp", object{"status", 404, "headers", list{}, "start", 9}, "error", object{"msg", "reset", "at", 10}),
				chunk("a", 8, "three", true), end("b", "msgs", 2, "ws", object{"code", 1000, "by_client", true, "end", 9000}), end("a")).data},
		{"missing-end", "success", 3, 0, 0, "the session ends before its flows do", (&file{}).newSession(1).
			block(entry{get("a", "open", true), []part{{n: 1, total: 10, flags: 2}}}, entry{get("b", "open", true), nil}, entry{get("c", "open", true), body(text)}).
			block(msg("b", 0, "hello"), chunk("a", 0, "one ", false)).data},
		{"marker-in-body", "success", 1, 0, 0, "a body that is a flow file", write(native.WriterOptions{NoIndex: true}, marker)},
	}
}

// blockAt returns the offset of block n.
func (f *file) blockAt(n int) int {
	at := 0
	for range n {
		i := bytes.Index(f.data[at+16:], []byte(sync))
		at += 16 + i - 8
	}
	return at
}

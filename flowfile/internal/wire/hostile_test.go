package wire

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/internal/mp"
)

// hostile are values that do not belong anywhere.
var hostile = map[string][]byte{
	"nil":               {0xc0},
	"float":             {0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0},
	"bool":              {0xc3},
	"int":               {0x05},
	"negative":          {0xff},
	"2^62":              {0xcf, 0x40, 0, 0, 0, 0, 0, 0, 0},
	"2^64-1":            {0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	"-2^63":             {0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0},
	"text":              {0xa1, 'x'},
	"bin":               {0xc4, 1, 0xff},
	"empty list":        {0x90},
	"empty map":         {0x80},
	"odd list":          {0x93, 0xa1, 'a', 0xa1, 'b', 0xa1, 'c'},
	"list of lists":     {0x92, 0x91, 0x90, 0x90},
	"huge list":         {0xdd, 0xff, 0xff, 0xff, 0xff},
	"huge map":          {0xdf, 0xff, 0xff, 0xff, 0xff},
	"huge text":         {0xdb, 0xff, 0xff, 0xff, 0xff},
	"huge bin":          {0xc6, 0xff, 0xff, 0xff, 0xff},
	"huge ext":          {0xc9, 0xff, 0xff, 0xff, 0xff, 1},
	"ext":               {0xd4, 1, 0},
	"never used":        {0xc1},
	"nested lists":      bytes.Repeat([]byte{0x91}, 100_000),
	"nested maps":       bytes.Repeat([]byte{0x81, 0xa1, 'k'}, 100_000),
	"nested and closed": append(bytes.Repeat([]byte{0x91}, 100_000), 0xc0),
	"number of text":    {0x81, 0xc0, 0xa1, 'x'},
	"number of list":    {0x81, 0xc0, 0x90},
	"key of nil":        {0x82, 0xc0, 0xa1, '1', 0xa0, 0xc0},
	"key of int":        {0x81, 0x01, 0x01},
	"twice":             {0x82, 0xa1, 'k', 0x01, 0xa1, 'k', 0x02},
}

var keys = map[string][]string{
	"http": {
		"id", "ts", "created", "open", "incomplete", "req", "resp", "ws", "q", "a", "error", "intercepted", "replay", "mark",
		"comment", "meta", "src", "msgs", "cut_req", "cut_resp", "unknown", "",
	},
	"req": {
		"method", "scheme", "host", "port", "authority", "path", "ver", "headers", "trailers", "start", "end", "unknown",
	},
	"resp":  {"status", "reason", "headers"},
	"ws":    {"by_client", "code", "reason", "end", "unknown"},
	"q":     {"id", "query", "op", "aa", "tc", "rd", "ra", "z", "rcode", "at", "questions", "answers", "authorities", "additionals", "unknown"},
	"error": {"msg", "at", "unknown"},
	"src":   {"format", "version", "head", "holes", "changed", "unknown"},
	"conn": {
		"id", "transport", "peer", "sock", "addr", "via", "start", "tcp", "tls_at", "end", "tls", "tls_ver", "cipher", "ciphers",
		"sni", "alpn", "alpn_offers", "certs", "mode", "error", "state", "unknown",
	},
	"msg":  {"flow", "n", "ts", "client", "op", "dropped", "injected", "unknown"},
	"part": {"flow", "part", "off", "last", "unknown"},
	"end":  {"flow", "msgs", "incomplete", "cut_req", "cut_resp", "resp", "ts", "id"},
}

// each calls f with every hostile value under every key of every record.
func each(f func(name string, record []byte)) {
	for in, ks := range keys {
		for _, k := range ks {
			for what, v := range hostile {
				name := in + "." + k + " = " + what
				switch in {
				case "http", "conn":
					f(name, obj("type", in, k, v))
					f(name+", twice", obj("type", in, k, v, k, v))
				case "msg", "part", "end":
					if k == "flow" {
						f(name, obj("type", in, k, v))
						continue
					}
					f(name, obj("type", in, "flow", "x", k, v))
				default:
					f(name, obj("type", "http", in, obj(k, v)))
				}
			}
		}
	}
}

// Whatever stands where, the answer is a value or an error, and what is a value can be
// written and read again. It costs no more memory than a small multiple of the bytes.
func TestHostile(t *testing.T) {
	var enc Encoder
	n, good := 0, 0
	each(func(name string, record []byte) {
		n++
		var err error
		if used := allocated(func() { _, err = decode(record) }); used > 1<<20+16*uint64(len(record)) {
			t.Errorf("%s: %d bytes allocated for %d", name, used, len(record))
		}
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
			}
			return
		}
		good++
		again(t, &enc, name, record)
	})
	t.Logf("%d records, %d of them valid", n, good)
	if n < 2000 || good < 200 {
		t.Error("the test does not test")
	}
}

// again decodes, encodes and decodes a flow's record.
func again(t *testing.T, enc *Encoder, name string, record []byte) {
	t.Helper()
	g, err := flowOf(record)
	if err != nil || !bytes.HasPrefix(record[1:], []byte("\xa4type\xa4http")) {
		return
	}
	f := g.Finish()
	first := bytes.Clone(enc.Flow(f, false))
	if err := enc.Err(); err != nil {
		t.Errorf("%s: was read and cannot be written: %v", name, err)
		return
	}
	g, err = flowOf(first)
	if err != nil {
		t.Errorf("%s: was written and cannot be read: %v", name, err)
		return
	}
	f2 := g.Finish()
	if d := cmp.Diff(flowtest.Tree(f), flowtest.Tree(f2)); d != "" {
		t.Errorf("%s: %s", name, d)
	}
	if !bytes.Equal(first, enc.Flow(f2, false)) {
		t.Errorf("%s: the second encoding differs from the first", name)
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestFiveBytes(t *testing.T) {
	prefix := func(b ...byte) []byte { return append([]byte("\x81\xa4type"), b...) }
	for _, b := range [][]byte{
		{0xdd, 0xff, 0xff, 0xff, 0xff},
		{0xdf, 0xff, 0xff, 0xff, 0xff},
		{0xc6, 0xff, 0xff, 0xff, 0xff},
		{0xdb, 0xff, 0xff, 0xff, 0xff},
		{0xdf, 0x00, 0x00, 0x00, 0x02},
		prefix(0xdb, 0xff, 0xff, 0xff, 0xff),
		prefix(0xa4, 'c', 'o', 'n', 'n'),
	} {
		if used := allocated(func() { _, _ = decode(b) }); used > 64<<10 {
			t.Errorf("%x: %d bytes allocated", b, used)
		}
	}
	// A count that no bytes stand for.
	if used := allocated(func() { _, _ = decode(obj("type", "conn", "certs", 65536)) }); used > 64<<10 {
		t.Errorf("certificates: %d bytes allocated", used)
	}
}

// Large records cost a small multiple of what they are, up to the limits.
func TestManyValues(t *testing.T) {
	many := func(n int, v byte) []byte {
		var w mp.Writer
		w.ArrayLen(n)
		w.Raw(bytes.Repeat([]byte{v}, n))
		return bytes.Clone(w.Bytes())
	}
	mapOf := func(n int, head ...any) []byte {
		var w mp.Writer
		w.MapLen(len(head)/2 + n)
		for i := 0; i < len(head); i += 2 {
			w.Str(head[i].(string))
			put(&w, head[i+1])
		}
		w.Raw(bytes.Repeat([]byte{0xa0, 0xc0}, n))
		return bytes.Clone(w.Bytes())
	}
	const full = 8 << 20 // a segment of it
	for name, record := range map[string][]byte{
		"headers":      obj("type", "http", "req", obj("headers", many(full, 0xa0))),
		"questions":    obj("type", "dns", "q", obj("questions", many(full, 0xa0))),
		"holes":        obj("type", "http", "src", obj("holes", many(full, 0))),
		"metadata":     obj("type", "http", "meta", obj("l", many(full, 0x90))),
		"maps":         obj("type", "http", "meta", obj("l", many(full, 0x80))),
		"unknown keys": mapOf(full/2, "type", "http"),
		"in a request": obj("type", "http", "req", mapOf(full/2)),
		"metadata map": obj("type", "http", "meta", mapOf(full/2)),
		"ciphers":      obj("type", "conn", "ciphers", many(full, 0xa0)),
	} {
		var err error
		if used := allocated(func() { _, err = decode(record) }); used > 200<<20 {
			t.Errorf("%s: %d MB allocated", name, used>>20)
		}
		if err == nil {
			t.Errorf("%s: %d values were taken", name, full)
		}
	}
}

// What is beyond the limits of a reader is not written.
func TestLimits(t *testing.T) {
	deep := any("x")
	for range maxDepth {
		deep = flowfile.List{deep}
	}
	nested := func(n int) string { return strings.Repeat("\x91", n) + "\xc0" }
	head := func(change func(h *flowfile.Head)) flowfile.Head {
		h := flowfile.Head{ID: "a"}
		change(&h)
		return h
	}
	fields := make([]flowfile.Field, maxHeaders+1)
	for _, c := range []struct {
		name string
		head flowfile.Head
		ok   bool
	}{
		{"depth", head(func(h *flowfile.Head) { h.Metadata = flowfile.Map{{Key: "k", Value: deep.(flowfile.List)[0]}} }), true},
		{"too deep", head(func(h *flowfile.Head) { h.Metadata = flowfile.Map{{Key: "k", Value: deep}} }), false},
		{"values", head(func(h *flowfile.Head) { h.Metadata = flowfile.Map{{Key: "k", Value: make(flowfile.List, maxValues-2)}} }), true},
		{"too many values", head(func(h *flowfile.Head) { h.Metadata = flowfile.Map{{Key: "k", Value: make(flowfile.List, maxValues-1)}} }), false},
		{"headers", head(func(h *flowfile.Head) {
			h.Request = flowfile.NewRequest(flowfile.RequestHead{MessageHead: flowfile.MessageHead{Headers: fields[1:]}})
		}), true},
		{"too many headers", head(func(h *flowfile.Head) {
			h.Request = flowfile.NewRequest(flowfile.RequestHead{MessageHead: flowfile.MessageHead{Headers: fields}})
		}), false},
		{"unknown keys", head(func(h *flowfile.Head) { h.Extra = extras(maxExtra) }), true},
		{"too many unknown keys", head(func(h *flowfile.Head) { h.Extra = extras(maxExtra + 1) }), false},
		{"unknown and deep", head(func(h *flowfile.Head) { h.Extra = flowfile.Extra{{Key: "k", Value: nested(mp.MaxDepth)}} }), true},
		{"unknown and too deep", head(func(h *flowfile.Head) { h.Extra = flowfile.Extra{{Key: "k", Value: nested(mp.MaxDepth + 1)}} }), false},
		{"unknown and broken", head(func(h *flowfile.Head) { h.Extra = flowfile.Extra{{Key: "k", Value: "\x92"}} }), false},
		{"unknown and two", head(func(h *flowfile.Head) { h.Extra = flowfile.Extra{{Key: "k", Value: "\x01\x01"}} }), false},
		{"unknown and nothing", head(func(h *flowfile.Head) { h.Extra = flowfile.Extra{{Key: "k"}} }), false},
		{"questions", head(func(h *flowfile.Head) {
			h.DNSRequest = &flowfile.DNSMessage{Questions: make([]flowfile.DNSQuestion, maxList+1)}
		}), false},
		{"answers", head(func(h *flowfile.Head) {
			h.DNSRequest = &flowfile.DNSMessage{Answers: make([]flowfile.DNSRecord, maxList)}
		}), true},
	} {
		var enc Encoder
		record := enc.Flow(flowfile.New(c.head), false)
		err := enc.Err()
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := flowOf(record); c.ok && err != nil {
			t.Errorf("%s: was written and cannot be read: %v", c.name, err)
		}
		enc.Flow(flowfile.New(flowfile.Head{}), false)
		if enc.Err() != nil {
			t.Errorf("%s: the error stays", c.name)
		}
	}
	var enc Encoder
	for _, c := range []*flowfile.Conn{
		{Certificates: make([]flowfile.Body, maxCerts+1)},
		{Ciphers: make([]string, maxList+1)},
		{Peer: &flowfile.Addr{Extra: make([]int64, maxAddr+1)}},
		{Via: &flowfile.Via{Addr: flowfile.Addr{Extra: make([]int64, maxAddr+1)}}},
	} {
		if enc.Conn(c); enc.Err() == nil {
			t.Errorf("%+.100v was written", c)
		}
	}
	testConn(t, &flowfile.Conn{
		Certificates: make([]flowfile.Body, maxCerts), Ciphers: make([]string, maxList),
		Peer: &flowfile.Addr{Extra: make([]int64, maxAddr)},
		Via:  &flowfile.Via{Scheme: "http", Addr: flowfile.Addr{Host: "h", Extra: make([]int64, maxAddr)}},
	})
}

func extras(n int) flowfile.Extra {
	e := make(flowfile.Extra, n)
	for i := range e {
		e[i].Value = "\xc0"
	}
	return e
}

// lateRecord is all of f as what became known late.
func lateRecord(f *flowfile.Flow) []byte {
	var enc Encoder
	after := bytes.Clone(enc.Flow(f, true))
	record, _ := enc.Late(f.ID(), enc.Flow(flowfile.New(flowfile.Head{ID: f.ID()}), true), after)
	return bytes.Clone(record)
}

// Every prefix of a record and every record with a byte changed.
func TestDamagedRecords(t *testing.T) {
	var enc Encoder
	n := 20
	if os.Getenv("FLOWKIT_LONG") == "1" {
		n = 200
	}
	for _, f := range flowtest.Flows(n, 5) {
		records := [][]byte{bytes.Clone(enc.Flow(f, true)), bytes.Clone(enc.Conn(f.Client())), bytes.Clone(enc.End(f.ID(), End{Messages: 300})), lateRecord(f)}
		for _, record := range records {
			for i := range record {
				if _, err := decode(record[:i]); err == nil {
					t.Fatalf("%d of %d bytes are a record", i, len(record))
				}
				old := record[i]
				for _, b := range []byte{old ^ 0x80, old ^ 1, 0xdf, 0xc0} {
					record[i] = b
					_, _ = decode(record)
				}
				record[i] = old
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	var enc Encoder
	for _, x := range flowtest.Flows(30, 9) {
		f.Add(bytes.Clone(enc.Flow(x, false)))
		f.Add(bytes.Clone(enc.Conn(x.Server())))
		for m := range x.Messages().All() {
			f.Add(bytes.Clone(enc.Msg(x.ID(), 1, &m)))
		}
	}
	f.Add(bytes.Clone(enc.Part("x", 1, 2, true)))
	f.Add(bytes.Clone(enc.End("x", End{Messages: 3})))
	for _, x := range flowtest.Flows(8, 3) {
		f.Add(lateRecord(x))
	}
	each(func(_ string, record []byte) {
		if len(record) < 1000 {
			f.Add(record)
		}
	})
	f.Fuzz(func(t *testing.T, record []byte) {
		if used := allocated(func() { _, _ = decode(record) }); used > 4<<20+100*uint64(len(record)) {
			t.Errorf("%d bytes allocated for %d", used, len(record))
		}
		var enc Encoder
		again(t, &enc, "record", record)
	})
}

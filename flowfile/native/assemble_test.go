package native_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/mp"
	"flowkit/flowfile/internal/wire"
	"flowkit/flowfile/native"
)

// raw writes records as a live capture does, which the Writer never would.
type raw struct {
	t   testing.TB
	buf bytes.Buffer
	w   *block.Writer
	enc wire.Encoder
}

func newRaw(t testing.TB) *raw {
	r := &raw{t: t}
	r.session()
	return r
}

// session closes the session and begins another.
func (r *raw) session() *raw {
	if r.w != nil {
		r.close()
	}
	r.w = block.NewWriter(&r.buf, block.WriterOptions{Workers: 1, NoIndex: true})
	return r
}

func (r *raw) close() []byte {
	r.t.Helper()
	if err := r.w.Close(); err != nil {
		r.t.Fatal(err)
	}
	return r.buf.Bytes()
}

// block closes the block.
func (r *raw) block() *raw {
	r.t.Helper()
	if err := r.w.Flush(); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *raw) add(e *block.Entry) *raw {
	r.t.Helper()
	if err := r.w.Add(e); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *raw) head(f *flowfile.Flow, open bool, parts ...block.Part) *raw {
	return r.add(&block.Entry{Record: r.enc.Flow(f, open), ID: f.ID(), Starts: true, Parts: parts})
}

func (r *raw) msg(id string, n int, text string) *raw {
	m := flowfile.Msg{FromClient: n%2 == 0, Opcode: 1, Time: flowfile.Time(1000 + n)}
	return r.add(&block.Entry{
		Record: r.enc.Msg(id, n, &m),
		Parts:  []block.Part{{N: wire.PartPayload, Data: []byte(text), Total: int64(len(text))}},
	})
}

func (r *raw) part(id string, part int, off int64, data string, last bool) *raw {
	return r.add(&block.Entry{
		Record: r.enc.Part(id, part, off, last),
		Parts:  []block.Part{{N: part, Data: []byte(data), Off: off, Total: -1}},
	})
}

func (r *raw) end(id string, x wire.End) *raw {
	return r.add(&block.Entry{Record: r.enc.End(id, x)})
}

// late writes an end record with keys of its own.
func (r *raw) late(id string, put func(w *mp.Writer), keys int, parts ...block.Part) *raw {
	var w mp.Writer
	w.MapLen(2 + keys)
	w.Str("type")
	w.Str("end")
	w.Str("flow")
	w.Str(id)
	put(&w)
	return r.add(&block.Entry{Record: w.Bytes(), Parts: parts})
}

func get(id string) *flowfile.Flow {
	return flowfile.New(flowfile.Head{
		ID: id, Created: 1000,
		Request: flowfile.NewRequest(flowfile.RequestHead{Method: "GET", Scheme: "http", Host: "h", Port: 80, Path: "/" + id}),
	})
}

func getOK(id string) *flowfile.Flow {
	f := get(id)
	f.SetResponse(flowfile.NewResponse(flowfile.ResponseHead{Status: 200}))
	return f
}

func continues(part int, total int64) block.Part {
	return block.Part{N: part, Total: total, Flags: wire.FlagContinues}
}

// modes are the ways to read; each must give the same.
var modes = []struct {
	name    string
	pipe    bool
	file    bool
	workers int
}{
	{"bytes", false, false, 1},
	{"bytes, workers", false, false, 3},
	{"file", false, true, 2},
	{"pipe", true, false, 1},
	{"pipe, workers", true, false, 3},
}

// each reads data in every mode.
func each(t *testing.T, data []byte, check func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage)) {
	t.Helper()
	for _, m := range modes {
		var in io.Reader = bytes.NewReader(data)
		if m.pipe {
			in = onlyReader{in}
		}
		if m.file {
			path := filepath.Join(t.TempDir(), "a.flow")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			in = f
		}
		flows, damage := read(t, in, native.ReaderOptions{Need: needAll, Workers: m.workers, TempDir: t.TempDir()})
		check(t, m.name, flows, damage)
	}
}

// say tells a flow in one line: id, bodies, messages, whether it is complete.
func say(f *flowfile.Flow) string {
	s := f.ID()
	body := func(b flowfile.Body) string {
		if b.State() == flowfile.BodyAbsent {
			return "-"
		}
		data, err := b.Bytes(-1)
		if err != nil {
			return "!" + err.Error()
		}
		s := fmt.Sprintf("%q", data)
		if len(data) > 20 {
			s = fmt.Sprint(len(data))
		}
		if b.State() == flowfile.BodyTruncated {
			s += fmt.Sprintf("/%d", b.Total())
		}
		return s
	}
	if r := f.Request(); r != nil {
		s += " req " + body(r.Body())
	}
	if r := f.Response(); r != nil {
		s += fmt.Sprintf(" %d %s", r.Status(), body(r.Body()))
	}
	for m, err := range f.Messages().All() {
		if err != nil {
			s += " !" + err.Error()
			continue
		}
		s += " <" + body(m.Body) + ">"
	}
	if f.Incomplete() {
		s += " incomplete"
	}
	if e := f.Error(); e != nil {
		s += " error " + e.Msg
	}
	return s
}

func TestAssemble(t *testing.T) {
	for _, c := range []struct {
		name   string
		write  func(r *raw)
		want   []string
		damage int
	}{
		{"interleaved over blocks", func(r *raw) {
			r.head(getOK("a"), true, continues(1, -1)).head(get("b"), true).block()
			r.msg("b", 0, "x").part("a", 1, 0, "one", false).head(getOK("c"), true, continues(0, 4)).block()
			r.part("c", 0, 0, "re", false).msg("b", 1, "y").part("a", 1, 3, "two", false).block()
			r.head(get("d"), false).part("c", 0, 2, "st", true).part("a", 1, 6, "3", true).end("c", wire.End{}).block()
			r.msg("b", 2, "z").end("b", wire.End{Messages: 3}).end("a", wire.End{})
		}, []string{`d req -`, `c req "rest" 200 -`, `b req - <"x"> <"y"> <"z">`, `a req - 200 "onetwo3"`}, 0},
		{"late response, error and end of the conversation", func(r *raw) {
			r.head(get("a"), true).block().part("a", 1, 0, "body", true).block()
			r.late("a", func(w *mp.Writer) {
				w.Str("resp")
				w.MapLen(1)
				w.Str("status")
				w.Int(404)
				w.Str("error")
				w.MapLen(1)
				w.Str("msg")
				w.Str("reset")
				w.Str("ws")
				w.MapLen(1)
				w.Str("code")
				w.Int(1001)
			}, 3)
		}, []string{`a req - 404 "body" error reset`}, 0},
		{"late response with its body", func(r *raw) {
			r.head(get("a"), true).block()
			r.late("a", func(w *mp.Writer) {
				w.Str("resp")
				w.MapLen(1)
				w.Str("status")
				w.Int(200)
			}, 1, block.Part{N: 1, Data: []byte("late"), Total: 4})
		}, []string{`a req - 200 "late"`}, 0},
		{"no end", func(r *raw) {
			r.head(getOK("a"), true, continues(1, 10)).head(getOK("b"), true, block.Part{N: 1, Data: []byte("whole"), Total: 5})
			r.head(get("c"), true).block().part("a", 1, 0, "one", false).msg("c", 0, "x")
		}, []string{`a req - 200 "one"/10 incomplete`, `b req - 200 "whole" incomplete`, `c req - <"x"> incomplete`}, 0},
		{"last part, no end", func(r *raw) {
			r.head(getOK("a"), true, continues(1, 3)).part("a", 1, 0, "one", true)
		}, []string{`a req - 200 "one" incomplete`}, 0},
		{"the same id twice", func(r *raw) {
			r.head(get("a"), true).msg("a", 0, "x").block().head(get("a"), true).msg("a", 0, "y").end("a", wire.End{Messages: 1})
			r.head(get("a"), false).head(get("a"), false)
		}, []string{`a req - <"x"> incomplete`, `a req - <"y">`, `a req -`, `a req -`}, 0},
		{"another session while flows are open", func(r *raw) {
			r.head(get("b"), true).head(get("a"), true).msg("a", 0, "x").session()
			r.head(get("c"), false).msg("a", 1, "y").end("b", wire.End{})
		}, []string{`b req - incomplete`, `a req - <"x"> incomplete`, `c req -`}, 1},
		{"a part is missing", func(r *raw) {
			r.head(getOK("a"), true, continues(1, 9)).part("a", 1, 0, "one", false).part("a", 1, 6, "333", true).end("a", wire.End{})
		}, []string{`a req - 200 "one"/9`}, 0},
		{"parts overlap", func(r *raw) {
			r.head(getOK("a"), true, continues(1, -1)).part("a", 1, 0, "one", false).part("a", 1, 2, "3", true).end("a", wire.End{})
		}, []string{`a req - 200 "one"/-1`}, 0},
		{"parts behind the last", func(r *raw) {
			r.head(getOK("a"), true, continues(1, -1)).part("a", 1, 0, "one", true).part("a", 1, 3, "two", true).end("a", wire.End{})
		}, []string{`a req - 200 "one"/-1`}, 0},
		{"all parts are missing", func(r *raw) {
			r.head(getOK("a"), true, continues(1, 5)).head(getOK("b"), true, continues(1, -1)).end("a", wire.End{}).end("b", wire.End{})
		}, []string{`a req - 200 ""/5`, `b req - 200 ""/-1`}, 0},
		{"an empty body in parts", func(r *raw) {
			r.head(getOK("a"), true, continues(1, -1)).part("a", 1, 0, "", true).end("a", wire.End{})
		}, []string{`a req - 200 ""`}, 0},
		{"truncated, in parts", func(r *raw) {
			p := continues(1, 1000)
			p.Flags |= wire.FlagTruncated
			r.head(getOK("a"), true, p).part("a", 1, 0, "one", true).end("a", wire.End{})
		}, []string{`a req - 200 "one"/1000`}, 0},
		{"cut while it was written", func(r *raw) {
			r.head(getOK("a"), true, continues(1, 5)).part("a", 1, 0, "one", true).end("a", wire.End{Truncated: [2]int64{0, 5}})
			r.head(getOK("b"), true, continues(1, -1)).part("b", 1, 0, "one", true).end("b", wire.End{Truncated: [2]int64{0, -1}})
		}, []string{`a req - 200 "one"/5`, `b req - 200 "one"/-1`}, 0},
		{"not stored", func(r *raw) {
			r.head(getOK("a"), false, block.Part{N: 1, Total: 5, Flags: wire.FlagNotStored})
		}, []string{`a req - 200 -`}, 0},
		{"absent, empty, truncated", func(r *raw) {
			r.head(getOK("a"), false, block.Part{N: 0}, block.Part{N: 1, Data: []byte("abc"), Total: 7, Flags: wire.FlagTruncated})
			r.head(getOK("b"), true, block.Part{N: 0}, block.Part{N: 1, Data: []byte("abc"), Total: 7, Flags: wire.FlagTruncated}).end("b", wire.End{})
		}, []string{`a req "" 200 "abc"/7`, `b req "" 200 "abc"/7`}, 0},
		{"entries without a head, told once", func(r *raw) {
			r.msg("a", 0, "x").msg("b", 0, "x").part("a", 1, 0, "x", true).end("c", wire.End{}).head(get("d"), false)
		}, []string{`d req -`}, 1},
		{"behind the end", func(r *raw) {
			r.head(get("a"), true).end("a", wire.End{}).msg("a", 0, "late")
		}, []string{`a req -`}, 1},
		{"a bad end", func(r *raw) {
			r.head(get("a"), true).msg("a", 0, "x").block()
			r.late("a", func(w *mp.Writer) { w.Str("resp"); w.Int(5) }, 1).head(get("b"), false)
		}, []string{`a req - <"x"> incomplete`, `b req -`}, 1},
		{"bad records", func(r *raw) {
			for _, b := range []string{"\x80", "\x81\xa1x\x01", "\x81\xa4type\x01", "\x82\xa4type\xa4http\xa3req\x01", "\x81\xa4type\xa3msg", "\x81\xa4type\xa3new"} {
				r.add(&block.Entry{Record: []byte(b)})
			}
			r.head(get("a"), false)
		}, []string{`a req -`}, 6},
		{"a bad message", func(r *raw) {
			r.head(get("a"), true).msg("a", 0, "x")
			r.add(&block.Entry{Record: []byte("\x83\xa4type\xa3msg\xa4flow\xa1a\xa1n\xa1x")})
			r.msg("a", 2, "z").end("a", wire.End{Messages: 3})
		}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRaw(t)
			c.write(r)
			each(t, r.close(), func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
				var got []string
				for _, f := range flows {
					got = append(got, say(f))
				}
				if c.want == nil { // told by the iterator, in its place
					if len(got) != 1 || !strings.Contains(got[0], `<"x"> !`) || !strings.Contains(got[0], `<"z">`) {
						t.Errorf("%s: %s", name, got)
					}
					return
				}
				if d := cmp.Diff(c.want, got); d != "" {
					t.Errorf("%s: %s", name, d)
				}
				if len(damage) != c.damage {
					t.Errorf("%s: damage %v", name, damage)
				}
			})
		})
	}
}

// Damage in the middle of a large body: the part before it is there, and what was lost is
// said.
func TestDamageInLargeBody(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcde\n"), 12<<20/16)
	f := getOK("large")
	f.Response().InitBody(flowfile.BytesBody(body))
	data := encode(t, []*flowfile.Flow{get("before"), f, get("behind")}, native.WriterOptions{})
	index, err := block.ReadIndex(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range index.Blocks {
		for _, at := range []int64{b.Offset + 20, b.Offset + b.Len - 100} { // its header, its last body segment
			bad := bytes.Clone(data)
			bad[at] ^= 4
			each(t, bad, func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
				if len(damage) == 0 {
					t.Errorf("%s, block %d: no damage", name, i)
				}
				for _, f := range flows {
					if f.ID() != "large" {
						continue
					}
					got := f.Response().Body()
					b, err := got.Bytes(-1)
					if err != nil || got.State() != flowfile.BodyTruncated || !bytes.HasPrefix(body, b) || len(b) == len(body) {
						t.Errorf("%s, block %d: state %d, %d bytes, %v", name, i, got.State(), len(b), err)
					}
					if got.Total() != int64(len(body)) {
						t.Errorf("%s, block %d: total %d", name, i, got.Total())
					}
				}
				if want := 3; i > 0 && i < len(index.Blocks)-1 && len(flows) != want {
					t.Errorf("%s, block %d: %d flows", name, i, len(flows))
				}
			})
		}
	}
}

// A damaged segment with the inline body of an open flow, or of one that ends there.
func TestDamageInBodyOfOpenFlow(t *testing.T) {
	r := newRaw(t)
	noise := strings.Repeat("n", 200)
	r.head(getOK("a"), true, block.Part{N: 1, Data: []byte(noise), Total: 200, Incompressible: true}).block()
	r.msg("a", 0, "x").end("a", wire.End{Messages: 1})
	data := r.close()
	index, err := block.ReadIndex(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	data[index.Blocks[0].Len-3] ^= 1
	each(t, data, func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
		if len(flows) != 1 || len(damage) != 1 || say(flows[0]) != `a req - 200 ""/200 <"x">` {
			t.Errorf("%s: %v %s", name, damage, say(flows[0]))
		}
	})
}

func TestManyMessages(t *testing.T) {
	const n = 100_000
	log := &flowfile.MessageLog{}
	for i := range n {
		log.Append(flowfile.Msg{FromClient: i%3 == 0, Opcode: 1, Time: flowfile.Time(i + 1), Body: flowfile.StringBody(fmt.Sprint("message ", i))})
	}
	f := get("a")
	f.Messages().Replace(log)
	data := encode(t, []*flowfile.Flow{f, get("b")}, native.WriterOptions{})
	for _, pipe := range []bool{false, true} {
		var in io.Reader = bytes.NewReader(data)
		if pipe {
			in = onlyReader{in}
		}
		flows, damage := read(t, in, native.ReaderOptions{Need: needAll, TempDir: t.TempDir()})
		if len(flows) != 2 || len(damage) != 0 || flows[0].Messages().Len() != n {
			t.Fatalf("%d flows, %d messages, %v", len(flows), flows[0].Messages().Len(), damage)
		}
		i := 0
		for m, err := range flows[0].Messages().All() {
			b, berr := m.Body.Bytes(-1)
			if err != nil || berr != nil || string(b) != fmt.Sprint("message ", i) || m.Time != flowfile.Time(i+1) || m.FromClient != (i%3 == 0) {
				t.Fatalf("message %d: %q %v %v", i, b, err, berr)
			}
			i++
		}
		if i != n {
			t.Errorf("%d messages", i)
		}
		for range flows[0].Messages().All() { // again, and not to the end
			break
		}
	}
}

func TestLargeMessages(t *testing.T) {
	log := &flowfile.MessageLog{}
	sizes := []int{1<<20 + 1, 8<<20 + 5, 33 << 20, 0, 1 << 20}
	text := bytes.Repeat([]byte("large "), 6<<20)
	for _, n := range sizes {
		log.Append(flowfile.Msg{Body: flowfile.BytesBody(text[:n])})
	}
	log.Append(flowfile.Msg{})
	log.Append(flowfile.Msg{Body: flowfile.StringBody("cut").Truncate(99)})
	f := get("a")
	f.Messages().Replace(log)
	var said []*flowfile.Damage
	data := encode(t, []*flowfile.Flow{f}, native.WriterOptions{OnDamage: func(d *flowfile.Damage) { said = append(said, d) }})
	if len(said) != 1 || !strings.Contains(said[0].Error(), "33554432 of 34603008 bytes") {
		t.Errorf("%v", said)
	}
	each(t, data, func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
		if len(flows) != 1 || len(damage) != 0 {
			t.Fatalf("%s: %d flows, %v", name, len(flows), damage)
		}
		i := 0
		for m, err := range flows[0].Messages().All() {
			if err != nil {
				t.Fatal(name, err)
			}
			b, err := m.Body.Bytes(-1)
			if err != nil {
				t.Fatal(name, err)
			}
			switch {
			case i == 2:
				if len(b) != 32<<20 || m.Body.State() != flowfile.BodyTruncated || m.Body.Total() != 33<<20 || !bytes.HasPrefix(text, b) {
					t.Errorf("%s: %d bytes, total %d", name, len(b), m.Body.Total())
				}
			case i < len(sizes):
				if !bytes.Equal(b, text[:sizes[i]]) || m.Body.State() != flowfile.BodyPresent {
					t.Errorf("%s: message %d has %d bytes", name, i, len(b))
				}
			case i == 5 && m.Body.State() != flowfile.BodyAbsent:
				t.Errorf("%s: an absent payload became %d", name, m.Body.State())
			case i == 6 && (m.Body.State() != flowfile.BodyTruncated || m.Body.Total() != 99):
				t.Errorf("%s: a cut payload became %d", name, m.Body.State())
			}
			i++
		}
		if i != 7 {
			t.Errorf("%s: %d messages", name, i)
		}
	})
	w := native.NewWriter(io.Discard, native.WriterOptions{})
	if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); !errors.Is(err, flowfile.ErrTooLarge) && err == nil {
		t.Errorf("a message that is too large, and nobody is told: %v", err)
	}
}

// Bodies of every state and of sizes on both sides of the limits, and the same again when
// what was read is written.
func TestBodies(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 300_000)
	bodies := []flowfile.Body{
		{},
		flowfile.StringBody(""),
		flowfile.StringBody("").Truncate(-1),
		flowfile.StringBody("").Truncate(5),
		flowfile.StringBody("abc").Truncate(-1),
		flowfile.StringBody("abc").Truncate(1 << 50),
	}
	for _, n := range []int{1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 2_999_999} {
		bodies = append(bodies, flowfile.BytesBody(text[:n]), flowfile.BytesBody(text[:n]).Truncate(-1), flowfile.BytesBody(text[:n]).Truncate(1<<40),
			flowfile.ContentBody(unsized(text[:n])), flowfile.ContentBody(unsized(text[:n])).Truncate(1<<40))
	}
	var flows []*flowfile.Flow
	for i, b := range bodies {
		f := getOK(fmt.Sprint(i))
		f.Request().InitBody(b)
		f.Response().InitBody(bodies[(i+1)%len(bodies)])
		flows = append(flows, f)
	}
	want := trees(flows)
	for i := range want {
		for _, k := range []string{"request", "response"} { // a size that was not known is known now
			m := want[i][k].(map[string]any)
			m["body"] = strings.ReplaceAll(m["body"].(string), "state=1 total=-1", "state=1 total=known")
		}
	}
	known := func(ts []map[string]any) []map[string]any {
		for i := range ts {
			for _, k := range []string{"request", "response"} {
				m := ts[i][k].(map[string]any)
				var state, total, size int
				if n, _ := fmt.Sscanf(m["body"].(string), "state=%d total=%d len=%d", &state, &total, &size); n == 3 && state == 1 && total == size {
					if strings.Contains(want[i][k].(map[string]any)["body"].(string), "known") {
						m["body"] = strings.Replace(m["body"].(string), fmt.Sprint("total=", total), "total=known", 1)
					}
				}
			}
		}
		return ts
	}
	data := encode(t, flows, native.WriterOptions{})
	each(t, data, func(t *testing.T, name string, got []*flowfile.Flow, damage []*flowfile.Damage) {
		if d := cmp.Diff(want, known(trees(got))); d != "" || len(damage) > 0 {
			t.Fatalf("%s: %v %s", name, damage, d)
		}
		if name != "file" && name != "pipe" {
			return
		}
		again, damage := read(t, bytes.NewReader(encode(t, got, native.WriterOptions{})), native.ReaderOptions{Need: needAll})
		if d := cmp.Diff(want, known(trees(again))); d != "" || len(damage) > 0 {
			t.Fatalf("%s, again: %v %s", name, damage, d)
		}
	})
}

// unsized is a content whose size is not known.
type unsized []byte

func (u unsized) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(u)), nil }
func (u unsized) Size() int64                  { return -1 }

// An incomplete flow stays one when it is written again, and what it lacks stays lacking.
func TestIncompleteAgain(t *testing.T) {
	r := newRaw(t)
	r.head(getOK("a"), true, continues(1, 10)).part("a", 1, 0, "one", false).head(get("b"), true).msg("b", 0, "x").head(get("c"), true)
	flows, _ := read(t, bytes.NewReader(r.close()), native.ReaderOptions{Need: needAll})
	again, damage := read(t, bytes.NewReader(encode(t, flows, native.WriterOptions{})), native.ReaderOptions{Need: needAll})
	var got []string
	for _, f := range again {
		got = append(got, say(f))
	}
	want := []string{`a req - 200 "one"/10 incomplete`, `b req - <"x"> incomplete`, `c req - incomplete`}
	if d := cmp.Diff(want, got); d != "" || len(damage) > 0 {
		t.Error(d, damage)
	}
}

// A time of creation that is not known stays unknown in an open flow.
func TestCreatedUnknown(t *testing.T) {
	log := &flowfile.MessageLog{}
	log.Append(flowfile.Msg{Time: 7})
	f := flowfile.New(flowfile.Head{
		ID: "a", Messages: log, Request: flowfile.NewRequest(flowfile.RequestHead{MessageHead: flowfile.MessageHead{Start: 1000}}),
	})
	got, _ := read(t, bytes.NewReader(encode(t, []*flowfile.Flow{f}, native.WriterOptions{})), native.ReaderOptions{Need: needAll})
	if d := cmp.Diff(flowtest.Tree(f), flowtest.Tree(got[0])); d != "" {
		t.Error(d)
	}
}

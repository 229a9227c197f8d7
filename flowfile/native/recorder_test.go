package native_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
	"flowkit/flowfile/native"
)

var fastest = native.WriterOptions{Level: native.Fastest, Workers: 1}

// safe is a buffer that may be read while it is written to.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

// recorded reads what was recorded, in every way, and wants no damage. The last way's flows
// are returned, by id.
func recorded(t *testing.T, data []byte) map[string]*flowfile.Flow {
	t.Helper()
	var last []*flowfile.Flow
	for _, pipe := range []bool{true, false} {
		var r io.Reader = bytes.NewReader(data)
		if pipe {
			r = onlyReader{r}
		}
		got, damage := read(t, r, native.ReaderOptions{Need: needAll, TempDir: t.TempDir()})
		if len(damage) > 0 {
			t.Fatalf("pipe %v: %v", pipe, damage)
		}
		if last != nil {
			if d := cmp.Diff(trees(last), trees(got)); d != "" {
				t.Fatalf("a pipe and a file differ: %s", d)
			}
		}
		last = got
	}
	flows := map[string]*flowfile.Flow{}
	for _, f := range last {
		if flows[f.ID()] != nil {
			t.Fatalf("flow %s twice", f.ID())
		}
		flows[f.ID()] = f
	}
	return flows
}

// stream records f as a proxy does that holds nothing of it: the head without response, then
// what comes, in small pieces, the bodies and messages among them.
func stream(r *native.Recorder, f *flowfile.Flow, rnd *rand.Rand) {
	now := f.Clone()
	now.Messages().Replace(nil)
	resp := now.Response()
	now.SetResponse(nil)
	var bodies [2]flowfile.Body
	if q := now.Request(); q != nil {
		bodies[0] = q.Body()
		q.InitBody(flowfile.Body{})
	}
	if resp != nil {
		bodies[1] = resp.Body()
		resp.InitBody(flowfile.Body{})
	}
	var e native.End
	o := r.Open(now)
	pieces := func(part int) {
		b := bodies[part]
		if b.State() == flowfile.BodyAbsent {
			return
		}
		if b.State() == flowfile.BodyTruncated {
			e.Truncated[part] = b.Total()
		}
		data, _ := b.Bytes(-1)
		buf := make([]byte, 0, 70_000)
		for o.Part(part, nil); len(data) > 0; {
			n := min(len(data), rnd.IntN(cap(buf)))
			buf = append(buf[:0], data[:n]...)
			data = data[n:]
			o.Part(part, buf)
			clear(buf) // it is ours again
		}
	}
	pieces(0)
	if rnd.IntN(2) == 0 && resp != nil {
		now.SetResponse(resp)
		o.Update(now)
	}
	for m := range f.Messages().All() {
		o.Message(&m)
		m = flowfile.Msg{}
	}
	pieces(1)
	now.SetResponse(resp)
	e.Incomplete = f.Incomplete()
	o.End(now, e)
}

// Flows of all kinds from many goroutines, whole ones and growing ones, come out as they are.
func TestRecorder(t *testing.T) {
	const each, goroutines = 30, 12
	out := &safe{}
	r := native.NewRecorder(native.NewWriter(out, fastest), native.RecorderOptions{FlushEvery: 2 * time.Millisecond, Queue: 200_000})
	var wg sync.WaitGroup
	var all []*flowfile.Flow
	for g := range goroutines {
		flows := flowtest.Flows(each, uint64(100+g))
		for i, f := range flows {
			f.SetID(fmt.Sprintf("%d-%d", g, i))
			f.SetExtra(nil) // unknown fields are of readers
			if rp := f.Response(); rp != nil && i%9 == 4 {
				rp.InitBody(flowfile.BytesBody(noise()[i*1000 : i*1000+1_500_000]))
			}
		}
		all = append(all, flows...)
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 1))
			for i, f := range flows {
				if i%3 == 0 {
					r.Flow(f)
				} else {
					stream(r, f, rnd)
				}
				if i%7 == 0 {
					if err := r.Flush(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if s := r.Stats(); s.Flows != each*goroutines || s.Open != 0 || s.Queued != 0 || s.Lost != (native.Loss{}) || s.Bytes != int64(len(out.bytes())) {
		t.Errorf("%+v", s)
	}
	got := recorded(t, out.bytes())
	if len(got) != len(all) {
		t.Fatalf("%d flows of %d", len(got), len(all))
	}
	for _, f := range all {
		if d := cmp.Diff(flowtest.Tree(f), flowtest.Tree(got[f.ID()])); d != "" {
			t.Fatal(d)
		}
	}
	r.Flow(all[0]) // nothing happens
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Flush(); err != nil {
		t.Error(err)
	}
}

// lateChanges are what may become known, or change, or go, after the head was written.
var lateChanges = map[string]func(f *flowfile.Flow){
	"nothing": func(f *flowfile.Flow) {},
	"response": func(f *flowfile.Flow) {
		f.SetResponse(flowfile.NewResponse(flowfile.ResponseHead{Status: 201, Reason: "Made"}))
	},
	"response body": func(f *flowfile.Flow) { f.Response().InitBody(flowfile.StringBody(strings.Repeat("late ", 99))) },
	"large body":    func(f *flowfile.Flow) { f.Response().InitBody(flowfile.BytesBody(noise()[:3<<20])) },
	"large cut":     func(f *flowfile.Flow) { f.Response().InitBody(flowfile.BytesBody(noise()[:2<<20]).Truncate(5 << 20)) },
	"empty body":    func(f *flowfile.Flow) { f.Response().InitBody(flowfile.StringBody("")) },
	"body goes":     func(f *flowfile.Flow) { f.Request().InitBody(flowfile.Body{}) },
	"body changes":  func(f *flowfile.Flow) { f.Request().InitBody(flowfile.StringBody("another")) },
	"body cut":      func(f *flowfile.Flow) { f.Request().InitBody(f.Request().Body().Truncate(-1)) },
	"no response":   func(f *flowfile.Flow) { f.SetResponse(nil) },
	"no request":    func(f *flowfile.Flow) { f.SetRequest(nil) },
	"request":       func(f *flowfile.Flow) { f.Request().SetPath("/elsewhere"); f.Request().Headers().Add("X-New", "1") },
	"trailers": func(f *flowfile.Flow) {
		h := flowfile.NewHeaders([]flowfile.Field{{Name: "Digest", Value: "x"}})
		f.Response().SetTrailers(&h)
		f.Response().SetEnd(f.Created() + 99)
	},
	"times":       func(f *flowfile.Flow) { f.Request().SetEnd(f.Created() + 5); f.Response().SetStart(f.Created() + 7) },
	"created":     func(f *flowfile.Flow) { f.SetCreated(f.Created() + 1) },
	"not created": func(f *flowfile.Flow) { f.SetCreated(0) },
	"error":       func(f *flowfile.Flow) { f.SetError(&flowfile.Error{Msg: "peer gone", Time: f.Created() + 3}) },
	"no error":    func(f *flowfile.Flow) { f.SetError(nil) },
	"websocket": func(f *flowfile.Flow) {
		yes := true
		f.SetWebSocket(&flowfile.WebSocket{ClosedByClient: &yes, CloseCode: 1001, CloseReason: "away", End: f.Created() + 77})
	},
	"no websocket": func(f *flowfile.Flow) { f.SetWebSocket(nil) },
	"client": func(f *flowfile.Flow) {
		c := *f.Client()
		c.End, c.Error, c.Certificates = c.Start+1000, "reset", []flowfile.Body{flowfile.StringBody("PEM")}
		f.SetClient(&c)
	},
	"server": func(f *flowfile.Flow) {
		f.SetServer(&flowfile.Conn{ID: "s9", TLS: true, TLSVersion: "TLSv1.3", Start: f.Created(), TLSSetup: f.Created() + 4})
	},
	"comment":     func(f *flowfile.Flow) { f.SetComment("late"); f.SetMarked(":red_circle:"); f.SetReplay("response") },
	"no comment":  func(f *flowfile.Flow) { f.SetComment(""); f.SetMarked(""); f.SetReplay("") },
	"metadata":    func(f *flowfile.Flow) { f.SetMetadata(flowtest.Metadata()) },
	"no metadata": func(f *flowfile.Flow) { f.SetMetadata(nil) },
	"intercepted": func(f *flowfile.Flow) { f.SetIntercepted(!f.Intercepted()) },
	"dns": func(f *flowfile.Flow) {
		f.SetDNSRequest(&flowfile.DNSMessage{ID: 7, Query: true})
		f.SetDNSResponse(&flowfile.DNSMessage{ID: 7, Time: f.Created() + 9})
	},
	"no dns":  func(f *flowfile.Flow) { f.SetDNSRequest(nil); f.SetDNSResponse(nil) },
	"unknown": func(f *flowfile.Flow) { f.SetExtra(flowfile.Extra{{Key: "new", Value: "\x02"}}) },
}

// fullFlow has all that lateChanges may change.
func fullFlow(id string) *flowfile.Flow {
	now := flowfile.Time(1_790_000_000_000_000_000)
	f := liveFlow(id, &flowfile.Conn{ID: "c", Start: now}, &flowfile.Conn{ID: "s", Start: now}, "answer")
	f.Request().InitBody(flowfile.StringBody("question"))
	f.SetError(&flowfile.Error{Msg: "first", Time: now + 1})
	f.SetWebSocket(&flowfile.WebSocket{CloseCode: 1000})
	f.SetComment("first")
	f.SetMarked("x")
	f.SetReplay("request")
	f.SetIntercepted(true)
	f.SetMetadata(flowfile.Map{{Key: "a", Value: int64(1)}})
	f.SetDNSRequest(&flowfile.DNSMessage{ID: 1})
	f.SetDNSResponse(&flowfile.DNSMessage{ID: 1})
	f.SetExtra(flowfile.Extra{{Key: "new", Value: "\x01"}})
	return f
}

// Whatever becomes known after the head, at the end or before, is read back.
func TestRecorderLate(t *testing.T) {
	for name, change := range lateChanges {
		for _, update := range []int{0, 1, 2} { // never; with the change; without, before it
			t.Run(fmt.Sprintf("%s/%d", name, update), func(t *testing.T) {
				out := &safe{}
				r := native.NewRecorder(native.NewWriter(out, fastest), native.RecorderOptions{})
				f := fullFlow("id-0001")
				o := r.Open(f)
				if update == 2 {
					f.SetComment("in between")
					o.Update(f)
					f.SetComment("first")
				}
				change(f)
				if update == 1 {
					o.Update(f)
				}
				if update > 0 { // each in a block of its own
					if err := r.Flush(); err != nil {
						t.Fatal(err)
					}
				}
				want := flowtest.Tree(f)
				o.End(f, native.End{})
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				if s := r.Stats(); s.Lost != (native.Loss{}) {
					t.Errorf("%+v", s)
				}
				if d := cmp.Diff(want, flowtest.Tree(recorded(t, out.bytes())["id-0001"])); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// A flow about which nothing was known at first.
func TestRecorderLateTimes(t *testing.T) {
	out := &safe{}
	r := native.NewRecorder(native.NewWriter(out, fastest), native.RecorderOptions{})
	o := r.Open(flowfile.New(flowfile.Head{ID: "x"}))
	f := fullFlow("x")
	want := flowtest.Tree(f)
	o.End(f, native.End{})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, flowtest.Tree(recorded(t, out.bytes())["x"])); d != "" {
		t.Error(d)
	}
}

// A session that was killed has what was flushed: heads, what was updated, the first bytes of
// bodies, messages.
func TestRecorderKilledFlows(t *testing.T) {
	out := &safe{}
	r := native.NewRecorder(native.NewWriter(out, fastest), native.RecorderOptions{})
	f := fullFlow("a")
	resp := f.Response()
	f.SetResponse(nil)
	o := r.Open(f)
	f.SetResponse(resp)
	resp.InitBody(flowfile.Body{})
	o.Update(f)
	o.Part(1, []byte("first "))
	o.Part(1, []byte("bytes"))
	for i := range 3 {
		o.Message(&flowfile.Msg{Time: flowfile.Time(i), Body: flowfile.StringBody("hello")})
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	killed := out.bytes()
	if s := r.Stats(); s.Open != 1 || s.Bytes != int64(len(killed)) {
		t.Errorf("%+v", s)
	}
	o.Part(1, []byte(" and more"))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data []byte
		body string
	}{{killed, "first bytes"}, {out.bytes(), "first bytes and more"}} {
		got := recorded(t, c.data)["a"]
		if got == nil || !got.Incomplete() || got.Response() == nil || got.Messages().Len() != 3 {
			t.Fatalf("%+v", got)
		}
		b := got.Response().Body()
		if data, err := b.Bytes(-1); err != nil || string(data) != c.body || b.State() != flowfile.BodyTruncated || b.Total() != -1 {
			t.Errorf("%q %v, total %d", data, err, b.Total())
		}
	}
}

// A body whose end was not seen says so.
func TestRecorderTruncated(t *testing.T) {
	for _, total := range []int64{-1, 1000} {
		out := &safe{}
		r := native.NewRecorder(native.NewWriter(out, fastest), native.RecorderOptions{})
		f := fullFlow("a")
		f.Response().InitBody(flowfile.Body{})
		o := r.Open(f)
		o.Part(1, []byte("begin"))
		o.End(nil, native.End{Truncated: [2]int64{0, total}, Incomplete: true})
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got := recorded(t, out.bytes())["a"]
		if b := got.Response().Body(); b.State() != flowfile.BodyTruncated || b.Total() != total || b.Size() != 5 || !got.Incomplete() {
			t.Errorf("state %d, total %d, size %d", b.State(), b.Total(), b.Size())
		}
	}
}

// Small pieces become few records, and what waits is written after FlushEvery without being
// asked for.
func TestRecorderGathersAndFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &safe{}
		r := native.NewRecorder(native.NewWriter(out, fastest), native.RecorderOptions{FlushEvery: time.Second})
		f := fullFlow("a")
		f.Response().InitBody(flowfile.Body{})
		o := r.Open(f)
		for range 1000 {
			o.Part(1, []byte("0123456789"))
		}
		time.Sleep(time.Second - 1)
		synctest.Wait()
		if n := len(out.bytes()); n != 0 {
			t.Errorf("%d bytes were written early", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		first := out.bytes()
		if n := recordsOf(t, first, "part"); n != 1 {
			t.Errorf("%d part records", n)
		}
		for range 1000 {
			o.Part(1, []byte("0123456789"))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(out.bytes()) == len(first) {
			t.Error("nothing was written in the second interval")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(out.bytes()) > len(first)*2 {
			t.Error("something was written in an idle hour")
		}
		f.Response().SetReason("late")
		o.End(f, native.End{})
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if n := recordsOf(t, out.bytes(), "part"); n != 3 {
			t.Errorf("%d part records", n)
		}
		if b := recorded(t, out.bytes())["a"].Response().Body(); b.Size() != 20_000 || b.State() != flowfile.BodyPresent {
			t.Errorf("body of %d bytes, state %d", b.Size(), b.State())
		}
	})
}

// recordsOf returns how many records of a type there are.
func recordsOf(t *testing.T, data []byte, typ string) (n int) {
	t.Helper()
	blocks := block.NewReader(bytes.NewReader(data), block.ReaderOptions{})
	var dec wire.Decoder
	for {
		b, err := blocks.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		entries, err := b.Entries()
		if err != nil {
			t.Fatal(err)
		}
		for entries.Next() {
			if got, err := dec.Begin(entries.Record()); err != nil {
				t.Fatal(err)
			} else if got == typ {
				n++
			}
		}
	}
}

// stuck is a writer that waits until it is let go.
type stuck struct{ gate chan struct{} }

func (s stuck) Write(b []byte) (int, error) {
	<-s.gate
	return len(b), nil
}

// Callers wait while the queue is full, and go on when it is not.
func TestRecorderQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 1 << 20
		s := stuck{make(chan struct{})}
		r := native.NewRecorder(native.NewWriter(s, fastest), native.RecorderOptions{Queue: limit})
		calls := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			o := r.Open(fullFlow("a"))
			for i := range 600 {
				o.Part(0, noise()[i*1000:][:100_000])
				calls++
			}
			o.End(nil, native.End{})
		}()
		synctest.Wait()
		if q := r.Stats().Queued; q < limit || q > 2*limit || calls > 100 {
			t.Errorf("%d bytes queued, %d calls", q, calls)
		}
		close(s.gate)
		<-done
		if calls != 600 {
			t.Errorf("%d calls", calls)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if q := r.Stats().Queued; q != 0 {
			t.Errorf("%d bytes queued", q)
		}
	})
}

// A pipe that breaks, or a device that is full, ends the recording and nothing else.
func TestRecorderFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	var told []native.Loss
	r := native.NewRecorder(native.NewWriter(full, fastest), native.RecorderOptions{
		Queue: 100_000, FlushEvery: time.Millisecond, OnLoss: func(l native.Loss) { told = append(told, l) },
	})
	flows := flowtest.Flows(100, 5)
	o := r.Open(fullFlow("open"))
	for _, f := range flows[:10] {
		r.Flow(f)
	}
	if err := r.Flush(); err == nil {
		t.Error("no error")
	}
	for i, f := range flows[10:] {
		f.SetID(fmt.Sprint("again ", i))
		r.Flow(f)
		o.Part(0, noise()[:50_000])
		o.Message(&flowfile.Msg{Body: flowfile.StringBody("hello")})
	}
	o.End(nil, native.End{})
	if err := r.Close(); err == nil {
		t.Error("no error")
	}
	s := r.Stats()
	if s.Lost.Messages < 90 || s.Lost.Bytes < 90*50_000 || s.Lost.Err == nil || s.Bytes != 0 || s.Open != 0 {
		t.Errorf("%+v", s)
	}
	if s.Lost.Flows < 101 || s.Lost.Flows > 102 { // the open one may count as head and as flow
		t.Errorf("%d flows lost", s.Lost.Flows)
	}
	if len(told) != 1 || told[0].Err == nil {
		t.Errorf("told %+v", told)
	}
}

// A flow that the format cannot hold is counted, and the others are recorded.
func TestRecorderLeavesOut(t *testing.T) {
	out := &safe{}
	damage := 0
	o := fastest
	o.OnDamage = func(*flowfile.Damage) { damage++ }
	r := native.NewRecorder(native.NewWriter(out, o), native.RecorderOptions{})
	huge := func(id string) *flowfile.Flow {
		f := fullFlow(id)
		f.Request().Headers().Replace(slices.Repeat([]flowfile.Field{{Name: "a", Value: "b"}}, 100_001))
		return f
	}
	r.Flow(huge("1"))
	open := r.Open(huge("2"))
	open.Part(1, []byte("lost"))
	open.Message(&flowfile.Msg{})
	open.Update(fullFlow("2"))
	open.End(fullFlow("2"), native.End{})
	late := r.Open(fullFlow("3"))
	late.Update(huge("3"))
	late.End(huge("3"), native.End{})
	r.Flow(fullFlow("4"))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	got := recorded(t, out.bytes())
	if len(got) != 2 || got["3"] == nil || !got["3"].Incomplete() || got["4"] == nil {
		t.Errorf("%v", got)
	}
	if s := r.Stats(); s.Lost.Flows != 3 || s.Lost.Messages != 1 || s.Lost.Bytes != 4 || damage != 4 {
		t.Errorf("%+v, %d damages", s, damage)
	}
}

// Conversations of thousands of messages.
func TestRecorderMessages(t *testing.T) {
	const each = 5000
	path := filepath.Join(t.TempDir(), "a.flow")
	w, _, err := native.OpenAppend(path, fastest, false)
	if err != nil {
		t.Fatal(err)
	}
	r := native.NewRecorder(w, native.RecorderOptions{FlushEvery: time.Millisecond, Queue: 100_000})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			o := r.Open(fullFlow(fmt.Sprint(g)))
			for i := range each {
				o.Message(&flowfile.Msg{FromClient: i%2 == 0, Opcode: 1, Time: flowfile.Time(i + 1), Body: flowfile.StringBody(fmt.Sprintf("message %d of %d", i, g))})
			}
			o.End(nil, native.End{})
		})
	}
	wg.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flows := recorded(t, data)
	for g := range 4 {
		f := flows[fmt.Sprint(g)]
		i := 0
		for m, err := range f.Messages().All() {
			b, berr := m.Body.Bytes(-1)
			if err != nil || berr != nil || string(b) != fmt.Sprintf("message %d of %d", i, g) || m.Time != flowfile.Time(i+1) {
				t.Fatalf("%d: %q %v %v", i, b, err, berr)
			}
			i++
		}
		if i != each {
			t.Errorf("%d messages", i)
		}
	}
}

// A large body goes through in memory that does not grow with it.
func TestRecorderLargeBody(t *testing.T) {
	size := int64(100 << 20)
	if os.Getenv("FLOWKIT_LONG") == "1" {
		size = 1 << 30
	}
	path := filepath.Join(t.TempDir(), "a.flow")
	w, _, err := native.OpenAppend(path, fastest, false)
	if err != nil {
		t.Fatal(err)
	}
	r := native.NewRecorder(w, native.RecorderOptions{Queue: 4 << 20})
	f := fullFlow("a")
	f.Response().InitBody(flowfile.Body{})
	o := r.Open(f)
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	for off := int64(0); off < size; off += 32 << 10 {
		o.Part(1, noise()[off%(4<<20):][:32<<10])
		if off%(16<<20) == 0 {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
	o.End(f, native.End{})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if more := int64(peak) - int64(before.HeapAlloc); more > 60<<20 {
		t.Errorf("%d bytes of memory for a body of %d", more, size)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, damage := read(t, file, native.ReaderOptions{Need: needAll})
	if len(got) != 1 || len(damage) > 0 {
		t.Fatalf("%d flows, %v", len(got), damage)
	}
	body, err := got[0].Response().Body().Open()
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	buf := make([]byte, 32<<10)
	for off := int64(0); off < size; off += 32 << 10 {
		if _, err := io.ReadFull(body, buf); err != nil || !bytes.Equal(buf, noise()[off%(4<<20):][:32<<10]) {
			t.Fatalf("at %d: %v", off, err)
		}
	}
	if n, err := body.Read(buf); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("more behind the end: %d %v", n, err)
	}
}

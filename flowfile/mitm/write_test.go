package mitm_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// unsized is a body whose size is not known until it is read.
type unsized string

func (u unsized) Open() (io.ReadCloser, error) { return flowfile.StringBody(string(u)).Open() }
func (u unsized) Size() int64                  { return -1 }

// zeros is a body of so many zeros, claim of which it says to have.
type zeros struct{ n, claim int64 }

func (z zeros) Size() int64                  { return z.claim }
func (z zeros) Open() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zero{}, z.n)), nil }

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func exchange(body flowfile.Body) *flowfile.Flow {
	return flowfile.New(flowfile.Head{
		ID: "x", Created: 1e18,
		Request:  flowfile.NewRequest(flowfile.RequestHead{Method: "GET"}),
		Response: flowfile.NewResponse(flowfile.ResponseHead{Status: 200, MessageHead: flowfile.MessageHead{Body: body}}),
	})
}

// TestWriteUnknownSize writes bodies and messages that are measured first.
func TestWriteUnknownSize(t *testing.T) {
	want, _ := write(t, 0, exchange(flowfile.StringBody("body")))
	if got, _ := write(t, 0, exchange(flowfile.ContentBody(unsized("body")))); !bytes.Equal(got, want) {
		t.Error("a body of unknown size is written otherwise")
	}
	var dumps [2][]byte
	for k, body := range []flowfile.Body{flowfile.ContentBody(unsized("message")), flowfile.StringBody("message")} {
		l := new(flowfile.MessageLog)
		for range 6000 {
			l.Append(flowfile.Msg{Time: 1e18, Body: body})
		}
		dumps[k], _ = write(t, 0, flowfile.New(flowfile.Head{Kind: flowfile.TCP, Messages: l}))
	}
	if !bytes.Equal(dumps[0], dumps[1]) {
		t.Error("messages of unknown size are written otherwise")
	}
	if f := readAll(t, bytes.NewReader(dumps[0]))[0]; f.Messages().Len() != 6000 {
		t.Errorf("%d messages", f.Messages().Len())
	}
}

// TestWriteLarge writes a body without holding it in memory.
func TestWriteLarge(t *testing.T) {
	const size = 256 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := mitm.NewWriter(io.Discard, mitm.WriterOptions{})
	f := exchange(flowfile.ContentBody(zeros{size, size}))
	if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

// TestWriteErrors keeps the first error.
func TestWriteErrors(t *testing.T) {
	for _, z := range []zeros{{5 << 20, 4 << 20}, {4 << 20, 5 << 20}} {
		w := mitm.NewWriter(io.Discard, mitm.WriterOptions{})
		b := &flowfile.Batch{Flows: []*flowfile.Flow{exchange(flowfile.ContentBody(z))}}
		if err := w.Write(b); err == nil {
			t.Errorf("%v: no error", z)
		}
		if err := w.Close(); err == nil {
			t.Errorf("%v: no error at the end", z)
		}
	}
	w := mitm.NewWriter(io.Discard, mitm.WriterOptions{Version: 16})
	if err := w.Write(new(flowfile.Batch)); err == nil {
		t.Error("version 16 was taken")
	}
	full := errors.New("full")
	w = mitm.NewWriter(failing{full}, mitm.WriterOptions{})
	if err := w.Write(&flowfile.Batch{Flows: smallFlows()}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("%v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestDrop leaves out what was dropped, and writes a flow with response and error once.
func TestDrop(t *testing.T) {
	flows := smallFlows()
	flows[1].Drop()
	data, _ := write(t, 0, flows...)
	if got := readAll(t, bytes.NewReader(data)); len(got) != len(flows)-1 {
		t.Errorf("%d flows", len(got))
	}
}

// TestTruncated writes what there is of a body, and says so.
func TestTruncated(t *testing.T) {
	data, lost := write(t, 0, exchange(flowfile.StringBody("part").Truncate(100)))
	if lost.Fields != 1 {
		t.Errorf("lost %+v", lost)
	}
	if b := readAll(t, bytes.NewReader(data))[0].Response().Body(); b.Size() != 4 {
		t.Errorf("%d bytes", b.Size())
	}
	data, _ = write(t, 0, exchange(flowfile.Body{}))
	if b := readAll(t, bytes.NewReader(data))[0].Response().Body(); b.State() != flowfile.BodyAbsent {
		t.Error("an absent body is there")
	}
}

// Example copies a dump and adds a header to every request.
func Example() {
	var dump bytes.Buffer
	w := mitm.NewWriter(&dump, mitm.WriterOptions{})
	_ = w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{exchange(flowfile.StringBody("hello"))}})
	_ = w.Close()

	r := mitm.NewReader(&dump, mitm.ReaderOptions{Name: "x.mitm"})
	for f, err := range flowfile.Flows(r) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		f.Request().Headers().Set("X-Seen", "1")
		fmt.Println(f.Request().Method(), f.Response().Status(), f.Response().Body().Size())
	}
	// Output: GET 200 5
}

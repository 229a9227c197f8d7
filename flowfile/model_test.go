package flowfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"flowkit/flowfile"
)

func ExampleHeaders() {
	h := flowfile.NewHeaders([]flowfile.Field{{Name: "X-Id", Value: "1"}, {Name: "x-ID", Value: "2"}})
	h.Add("Accept", "*/*")
	h.Set("x-id", "3")
	fmt.Println(h.Fields())
	// Output: [{X-Id 3} {Accept */*}]
}

func TestHeadersKeepOthersUntouched(t *testing.T) {
	fields := []flowfile.Field{{"a", "1"}, {"B", "2"}, {"A", "3"}}
	h := flowfile.NewHeaders(fields)
	h.Add("c", "4")
	h.Set("b", "5")
	if !h.Del("A") || h.Del("A") {
		t.Error("Del does not tell whether there was one")
	}
	if got := fmt.Sprint(h.Fields()); got != "[{B 5} {c 4}]" {
		t.Error(got)
	}
	if got := fmt.Sprint(fields); got != "[{a 1} {B 2} {A 3}]" {
		t.Error("the caller's slice was changed:", got)
	}
}

func TestEqualFold(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Host", "hOST", true},
		{"Host", "Hos", false},
		{"a@", "a`", false}, // differ by 0x20 but are no letters
		{"[", "{", false},
		{"\xe9", "\xc9", false},
		{"\xff", "\xff", true},
		{"", "", true},
	} {
		if got := flowfile.EqualFold(c.a, c.b); got != c.want {
			t.Errorf("%q %q: %v", c.a, c.b, got)
		}
	}
}

// Every float64 of mitmproxy's timestamps comes back as it was.
func TestSecondsRoundTrip(t *testing.T) {
	for _, f := range []float64{946681200, 946681200.5, 1790000000.1234567, 1e7, 1609459200.999999, 4102444800.25} {
		for range 1000 {
			if got := flowfile.TimeFromSeconds(f).Seconds(); got != f {
				t.Fatalf("%s became %s", strconv.FormatFloat(f, 'g', -1, 64), strconv.FormatFloat(got, 'g', -1, 64))
			}
			f = math.Nextafter(f, math.Inf(1)) + 0.0001
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300} {
		if got := flowfile.TimeFromSeconds(f); got.Known() {
			t.Errorf("%v became %d", f, got)
		}
	}
}

// TestSecondsShort: the short way of our days gives what the parser of decimals gives.
func TestSecondsShort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 {
		at := (1<<30-1+r.Int64N(1<<30+2))*1e9 + r.Int64N(1e9)
		if i%2 == 0 {
			at = at/1953125*1953125 + r.Int64N(3) - 1 // 5^9
		}
		want, err := strconv.ParseFloat(strconv.FormatInt(at, 10)+"e-9", 64)
		if got := flowfile.Time(at).Seconds(); err != nil || got != want {
			t.Fatalf("%d: %v, not %v", at, got, want)
		}
	}
}

func TestBodyStates(t *testing.T) {
	var absent flowfile.Body
	empty := flowfile.StringBody("")
	cut := flowfile.StringBody("abc").Truncate(10)
	for _, c := range []struct {
		b           flowfile.Body
		state       flowfile.BodyState
		size, total int64
	}{{absent, flowfile.BodyAbsent, 0, 0}, {empty, flowfile.BodyPresent, 0, 0}, {cut, flowfile.BodyTruncated, 3, 10}} {
		if c.b.State() != c.state || c.b.Size() != c.size || c.b.Total() != c.total {
			t.Errorf("state %d size %d total %d, want %+v", c.b.State(), c.b.Size(), c.b.Total(), c)
		}
	}
	if _, err := cut.Bytes(2); !errors.Is(err, flowfile.ErrTooLarge) {
		t.Errorf("Bytes beyond the limit: %v", err)
	}
}

func TestSpool(t *testing.T) {
	s := &flowfile.Spool{Dir: t.TempDir(), Memory: 100}
	var want [3]bytes.Buffer
	var w [3]*flowfile.SpoolWriter
	for i := range w {
		w[i] = s.NewWriter()
	}
	for i := range 600 { // interleaved, on both sides of the limit
		p := bytes.Repeat([]byte{byte(i)}, i%17)
		want[i%3].Write(p)
		if _, err := w[i%3].Write(p); err != nil {
			t.Fatal(err)
		}
	}
	for i := range w {
		c := w[i].Content()
		for range 2 { // it can be opened again
			r, err := c.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want[i].Bytes()) || c.Size() != int64(want[i].Len()) {
				t.Fatalf("content %d differs: %v", i, err)
			}
			r.Close()
		}
	}
}

func TestSplitAuthority(t *testing.T) {
	for _, c := range []struct {
		in, host string
		port     int
		ok       bool
	}{
		{"example.com", "example.com", 0, true},
		{"example.com:8080", "example.com", 8080, true},
		{"[::1]:443", "::1", 443, true},
		{"[::1]", "::1", 0, true},
		{"example.com:", "example.com", 0, true},
		{"example.com:+1", "", 0, false},
		{"example.com:99999", "", 0, false},
		{"a/b", "", 0, false},
		{"[::1", "", 0, false},
		{"", "", 0, false},
	} {
		host, port, ok := flowfile.SplitAuthority(c.in)
		if host != c.host || port != c.port || ok != c.ok {
			t.Errorf("%q: %q %d %v", c.in, host, port, ok)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	buf := []byte("GET")
	f := flowfile.New(flowfile.Head{ID: "x", Request: flowfile.NewRequest(flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Body: flowfile.BytesBody(buf)}, Method: "GET",
	})})
	c := f.Clone()
	buf[0] = 'X'
	if b, _ := c.Request().Body().Bytes(-1); string(b) != "GET" {
		t.Errorf("the clone's body is %q", b)
	}
	c.Request().SetMethod("PUT")
	if f.Request().Method() != "GET" || f.Changed() != 0 {
		t.Error("the clone's setter changed the flow")
	}
}

func TestChangedParts(t *testing.T) {
	f := flowfile.New(flowfile.Head{
		Request:  flowfile.NewRequest(flowfile.RequestHead{Method: "GET"}),
		Response: flowfile.NewResponse(flowfile.ResponseHead{Status: 200}),
	})
	f.Request().Headers().Set("a", "b")
	f.Response().SetStatus(404)
	f.SetComment("c")
	p := f.Changed()
	if p.OfRequest() != flowfile.PartHeaders || p.OfResponse() != flowfile.PartStatus || p&0xffff != flowfile.PartComment {
		t.Errorf("%b", p)
	}
}

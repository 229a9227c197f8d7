package python

import (
	"math"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"flowkit/flowfile"
)

func TestMarshalRoundTrip(t *testing.T) {
	for _, v := range []any{
		nil, true, false, int64(0), int64(-1), int64(math.MaxInt32), int64(math.MinInt32), int64(math.MaxInt32 + 1),
		int64(math.MaxInt64), int64(math.MinInt64), flowfile.BigInt("123456789012345678901234567890"),
		flowfile.BigInt("-9223372036854775809"), 0.0, 1.5, math.Inf(1), "", "caf\u00e9", "\xff\xfe raw", "\U0001f63a",
		flowfile.Bytes(""), flowfile.Bytes("\x00\xff"),
		flowfile.List{},
		flowfile.List{int64(1), "two", nil},
		flowfile.Map{{Key: "k", Value: flowfile.List{true}}, {Key: "\xe9", Value: 1.5}},
	} {
		var m marshal
		if err := m.value(v); err != nil {
			t.Errorf("%#v: %v", v, err)
			continue
		}
		u := unmarshal{b: m.buf}
		got, err := u.value(0)
		if err != nil || u.pos != len(m.buf) || !reflect.DeepEqual(got, v) {
			t.Errorf("%#v came back as %#v, %v", v, got, err)
		}
	}
}

// TestMarshalAsPython has a python3 read what marshal writes and write it again.
func TestMarshalAsPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	var m marshal
	want := flowfile.Map{
		{Key: "n", Value: flowfile.List{int64(-5), int64(1 << 40), flowfile.BigInt("-99999999999999999999"), 0.1, nil, true}},
		{Key: "raw", Value: "a\xff\u00e9"},
		{Key: "b", Value: flowfile.Bytes("\x00")},
	}
	if err := m.value(want); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", "import sys, marshal; v = marshal.loads(sys.stdin.buffer.read()); sys.stdout.buffer.write(marshal.dumps(v, 2))")
	cmd.Stdin = strings.NewReader(string(m.buf))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	u := unmarshal{b: out}
	if got, err := u.value(0); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v\nwant %#v", got, err, want)
	}
}

func FuzzUnmarshal(f *testing.F) {
	var m marshal
	_ = m.value(flowfile.Map{{Key: "k", Value: flowfile.List{int64(1 << 40), "x", flowfile.Bytes("y"), 1.5}}})
	f.Add(m.buf)
	f.Add([]byte("(\x02\x00\x00\x00NT"))
	f.Add([]byte("[\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		u := unmarshal{b: b}
		v, err := u.value(0)
		if err != nil {
			return
		}
		if u.pos > len(b) {
			t.Fatal("read behind the end")
		}
		a := apply{raw: b}
		_, _ = readyOf(v)
		_ = a.diff([]*flowfile.Flow{flowfile.New(flowfile.Head{
			Request: flowfile.NewRequest(flowfile.RequestHead{}), Response: flowfile.NewResponse(flowfile.ResponseHead{}),
		})}, listOf(v))
	})
}

package jsonw

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestWriter(t *testing.T) {
	for _, pretty := range []bool{false, true} {
		var out bytes.Buffer
		w := New(&out, pretty)
		w.Object()
		w.Key("a")
		w.Array()
		w.Int(-1)
		w.Decimal(1e21)
		w.Array()
		w.EndArray()
		w.Object()
		w.EndObject()
		w.EndArray()
		w.Key("b\n")
		w.Null()
		w.Key("c")
		w.Bool(true)
		w.EndObject()
		w.Line()
		w.Raw("1")
		w.Line()
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		want := `{"a":[-1,1000000000000000000000,[],{}],"b\n":null,"c":true}` + "\n1\n"
		if pretty {
			want = "{\n  \"a\": [\n    -1,\n    1000000000000000000000,\n    [],\n    {}\n  ],\n  \"b\\n\": null,\n  \"c\": true\n}\n1\n"
		}
		if got := out.String(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// Streams give the same as strings at once, wherever they are cut.
func TestStreams(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"\\\n\x00\x7f", "é€😀", "\xff\xc3", strings.Repeat("x€", 40_000)} {
		for _, piece := range []int{1, 2, 3, 7, 1 << 20} {
			if piece < 7 && len(s) > 1000 {
				continue
			}
			var out bytes.Buffer
			w := New(&out, false)
			w.Array()
			text := w.TextStream()
			for rest := []byte(s); len(rest) > 0; {
				n := min(piece, len(rest))
				_, _ = text.Write(rest[:n])
				rest = rest[n:]
			}
			_ = text.Close()
			b64 := w.Base64Stream()
			_, _ = b64.Write([]byte(s))
			_ = b64.Close()
			w.String(s)
			w.Base64(s)
			w.EndArray()
			_ = w.Flush()
			var got []string
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("%q: %v", out.String(), err)
			}
			var want string
			b, _ := json.Marshal(s)
			_ = json.Unmarshal(b, &want)
			coded := base64.StdEncoding.EncodeToString([]byte(s))
			if got[0] != want || got[1] != coded || got[2] != want || got[3] != coded {
				t.Errorf("%.20q in pieces of %d: %.100q", s, piece, got)
			}
		}
	}
}

func TestErrorStays(t *testing.T) {
	w := New(errWriter{}, false)
	for range 100_000 {
		w.String("x")
	}
	if !errors.Is(w.Flush(), iotest.ErrTimeout) || w.Err() == nil {
		t.Error(w.Err())
	}
}

type errWriter struct{}

func (errWriter) Write([]byte) (int, error) { return 0, iotest.ErrTimeout }

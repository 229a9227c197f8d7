package coding

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"flowkit/flowfile"
)

func ExampleDecode() {
	wire, _ := Encode([]byte("hello"), "gzip, br")
	b, err := Decode(wire, "gzip, br", 1<<20)
	fmt.Println(string(b), err)
	// Output: hello <nil>
}

var codings = []string{"", "none", "identity", "gzip", "X-GZip", "deflate", "deflateraw", "br", "zstd", "gzip, br", "deflate,,zstd", "identity, gzip"}

// mixed returns n bytes that compress somewhat.
func mixed(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefgh"[r.IntN(8)]
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	for _, name := range codings {
		for _, n := range []int{0, 1, 100, 100_000, 3 << 20} {
			content := mixed(n)
			wire, err := Encode(content, name)
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			again, err := Encode(content, name)
			if err != nil || !bytes.Equal(wire, again) {
				t.Errorf("%q, %d bytes: not deterministic", name, n)
			}
			got, err := Decode(wire, name, int64(n))
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%q, %d bytes: %d bytes, %v", name, n, len(got), err)
			}
			if n > 0 {
				got, err = Decode(wire, name, int64(n)-1)
				if !errors.Is(err, ErrTooLarge) || !bytes.Equal(got, content[:n-1]) {
					t.Errorf("%q, %d bytes, limit below: %d bytes, %v", name, n, len(got), err)
				}
			}
		}
	}
}

func TestEmptyIsEmpty(t *testing.T) {
	for _, name := range codings {
		if got, err := Decode(nil, name, 10); err != nil || len(got) != 0 {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

func TestUnknown(t *testing.T) {
	for _, name := range []string{"compress", "gzip, aws-chunked", "gzip;q=1", strings.Repeat("gzip,", 9)} {
		if _, err := Decode([]byte("x"), name, 1); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := Encode([]byte("x"), name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestMislabelled(t *testing.T) {
	enc := func(name, s string) string {
		b, err := Encode([]byte(s), name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	check := func(wire, name, want string) {
		t.Helper()
		if got, err := Decode([]byte(wire), name, 1<<20); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	check(enc("deflateraw", "hello"), "deflate", "hello")
	check(enc("deflate", "hello"), "deflateraw", "hello")
	check(enc("deflate", "hello"), "gzip", "hello")
	check(enc("gzip", "hello"), "deflate", "hello")
	check(enc("gzip", "a")+enc("gzip", "")+enc("gzip", "b"), "gzip", "ab")
	check(enc("gzip", "a")+"\x00\x00\x00", "gzip", "a")
	check(enc("gzip", "a")+"\r\n", "gzip", "a")
	check(enc("zstd", "a")+enc("zstd", "b"), "zstd", "ab")
	check("\x01\x05\x00\xfa\xffhello", "deflate", "hello")
	if _, err := Decode([]byte("plain text"), "gzip", 100); err == nil {
		t.Error("plain text is gzip")
	}
}

func TestTruncated(t *testing.T) {
	content := mixed(300_000)
	for _, name := range []string{"gzip", "deflate", "deflateraw", "br", "zstd"} {
		wire, err := Encode(content, name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(wire[:len(wire)*3/4], name, 1<<20)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		if len(got) < len(content)/4 || !bytes.HasPrefix(content, got) {
			t.Errorf("%s: %d bytes of %d", name, len(got), len(content))
		}
		h := flowfile.MessageHead{Headers: []flowfile.Field{{Name: "Content-Encoding", Value: name}}, Body: flowfile.BytesBody(wire[:len(wire)/2]).Truncate(int64(len(wire)))}
		m := flowfile.NewMessage(h)
		if got, err := DecodedBody(&m, 1<<20); err != nil || !bytes.HasPrefix(content, got) {
			t.Errorf("%s: truncated body: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestBombs(t *testing.T) {
	zeros := make([]byte, 48<<20)
	once := func(b []byte, name string) []byte {
		b, err := Encode(b, name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var members bytes.Buffer
	w := gzip.NewWriter(&members)
	empty := once(nil, "gzip")
	for members.Len() < 100_000 {
		for range 1000 {
			if _, err := w.Write(empty); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Close()
	bombs := []struct {
		name string
		wire []byte
	}{
		{"gzip", once(zeros, "gzip")},
		{"deflate", once(zeros, "deflate")},
		{"br", once(zeros, "br")},
		{"zstd", once(zeros, "zstd")},
		{"gzip, gzip", once(once(zeros, "gzip"), "gzip")},
		{"gzip, gzip", members.Bytes()},
		// A frame that asks for a window of 3.75 TiB.
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 1, 0, 0}},
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x98, 1, 0, 0}},
	}
	for _, b := range bombs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		got, err := Decode(b.wire, b.name, 1<<20)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil || len(got) > 1<<20 {
			t.Errorf("%s: %d bytes, %v", b.name, len(got), err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 40<<20 {
			t.Errorf("%s: %d MiB allocated", b.name, n>>20)
		}
		if took > 2*time.Second {
			t.Errorf("%s: took %v", b.name, took)
		}
	}
}

func TestReaderAfterClose(t *testing.T) {
	wire, _ := Encode([]byte("hello"), "gzip")
	r, err := NewReader(bytes.NewReader(wire), "gzip")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()
	if _, err := r.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Error("read after close:", err)
	}
}

// Other decoders read what Encode writes.
func TestGzipTool(t *testing.T) {
	tool, err := exec.LookPath("gzip")
	if err != nil {
		t.Skip("no gzip here")
	}
	wire, _ := Encode(mixed(1000), "gzip")
	cmd := exec.Command(tool, "-dc")
	cmd.Stdin = bytes.NewReader(wire)
	if out, err := cmd.Output(); err != nil || !bytes.Equal(out, mixed(1000)) {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range codings {
		wire, _ := Encode([]byte("hello hello hello"), name)
		f.Add(wire, name)
	}
	f.Fuzz(func(t *testing.T, wire []byte, name string) {
		got, err := Decode(wire, name, 1<<16)
		if len(got) > 1<<16 {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"gzip", "br", "zstd"} {
		b.Run(name, func(b *testing.B) {
			content := mixed(20_000)
			wire, _ := Encode(content, name)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(wire, name, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

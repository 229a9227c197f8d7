package mp

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

func Example() {
	var w Writer
	w.MapLen(2)
	w.Str("method")
	w.Str("GET")
	w.Str("status")
	w.Int(200)

	var r Reader
	r.Reset(w.Bytes())
	for range r.MapLen() {
		switch key := r.Str(); key {
		case "status":
			fmt.Println(key, r.Int())
		default:
			r.Skip()
		}
	}
	fmt.Println(r.Err())
	// Output:
	// status 200
	// <nil>
}

func TestRoundTrip(t *testing.T) {
	ints := []int64{
		0, 1, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxInt64,
		-1, -32, -33, -128, -129, -32768, -32769, math.MinInt32, math.MinInt32 - 1, math.MinInt64,
	}
	lens := []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536}
	var w Writer
	for _, i := range ints {
		w.Int(i)
	}
	w.Uint(math.MaxUint64)
	for _, n := range lens {
		s := strings.Repeat("x", n)
		w.Str(s)
		w.Str(s + "\xff")
		w.Bin([]byte(s))
		w.BinString(s)
		w.ArrayLen(n)
		w.Raw(bytes.Repeat([]byte{0xc0}, n))
		w.MapLen(n)
		w.Raw(bytes.Repeat([]byte{0xc0}, 2*n))
	}
	w.Bool(true)
	w.Bool(false)
	w.Float(1.5)
	w.Int(7)
	w.Nil()
	w.Nil()
	w.Nil()

	var r Reader
	r.Reset(w.Bytes())
	for _, i := range ints {
		if got := r.Int(); got != i {
			t.Errorf("int %d: %d", i, got)
		}
	}
	if got := r.Uint(); got != math.MaxUint64 {
		t.Errorf("uint: %d", got)
	}
	for _, n := range lens {
		s := strings.Repeat("x", n)
		kinds := []Kind{KindStr, KindBin, KindBin, KindBin}
		for i, want := range []string{s, s + "\xff", s, s} {
			if k := r.Kind(); k != kinds[i] {
				t.Errorf("kind %v of string %d", k, i)
			}
			if got := r.Str(); got != want {
				t.Errorf("string %d of %d bytes: %d bytes", i, n, len(got))
			}
		}
		if got := r.ArrayLen(); got != n {
			t.Errorf("array of %d: %d", n, got)
		}
		r.Take(n)
		if got := r.MapLen(); got != n {
			t.Errorf("map of %d: %d", n, got)
		}
		r.Take(2 * n)
	}
	if !r.Bool() || r.Bool() || r.Float() != 1.5 || r.Float() != 7 {
		t.Error("bool or float")
	}
	if !r.IsNil() || r.ArrayLen() != -1 || r.MapLen() != -1 || r.IsNil() {
		t.Error("nil")
	}
	if r.Err() != nil || r.Len() != 0 || r.Kind() != KindEnd {
		t.Errorf("%v, %d bytes left", r.Err(), r.Len())
	}
}

// The Writer's forms are those of the library.
func TestWriterMatchesLibrary(t *testing.T) {
	var w Writer
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(w.Bytes(), b.Bytes()) {
			t.Fatalf("%x, library %x", w.Bytes(), b.Bytes())
		}
		w.Reset()
		b.Reset()
	}
	for _, i := range []int64{0, -1, -32, -33, 127, 128, -128, 65536, math.MinInt64, math.MaxInt64} {
		w.Int(i)
		check(e.EncodeInt(i))
	}
	for _, n := range []int{0, 15, 16, 70000} {
		w.MapLen(n)
		check(e.EncodeMapLen(n))
		w.ArrayLen(n)
		check(e.EncodeArrayLen(n))
	}
	for _, n := range []int{0, 31, 32, 300} {
		w.Str(strings.Repeat("ä", n))
		check(e.EncodeString(strings.Repeat("ä", n)))
		w.Bin(make([]byte, n))
		check(e.EncodeBytes(make([]byte, n)))
	}
	w.Nil()
	check(e.EncodeNil())
	w.Float(math.Pi)
	check(e.EncodeFloat64(math.Pi))
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		b      string
		read   func(r *Reader)
		want   error
		offset int
	}{
		{"end", "", func(r *Reader) { r.Int() }, ErrShort, 0},
		{"fixstr", "\xa5abc", func(r *Reader) { r.Str() }, ErrShort, 1},
		{"str8", "\xd9\x05abc", func(r *Reader) { r.Str() }, ErrShort, 2},
		{"str8 without length", "\xd9", func(r *Reader) { r.Str() }, ErrShort, 1},
		{"str16", "\xda\xff\xffabc", func(r *Reader) { r.Str() }, ErrShort, 3},
		{"str32", "\xdb\xff\xff\xff\xff", func(r *Reader) { r.Str() }, ErrShort, 5},
		{"bin32", "\xc6\xff\xff\xff\xff", func(r *Reader) { r.Str() }, ErrShort, 5},
		{"array32", "\xdd\xff\xff\xff\xff", func(r *Reader) { r.ArrayLen() }, ErrShort, 5},
		{"map32", "\xdf\xff\xff\xff\xff", func(r *Reader) { r.MapLen() }, ErrShort, 5},
		{"fixmap", "\x82\x01\x01\x01", func(r *Reader) { r.MapLen() }, ErrShort, 1},
		{"int of a str", "\xa1a", func(r *Reader) { r.Int() }, ErrKind, 0},
		{"str of an int", "\x01", func(r *Reader) { _ = r.Str() }, ErrKind, 0},
		{"str of nil", "\xc0", func(r *Reader) { _ = r.Str() }, ErrKind, 0},
		{"map of ext", "\xc7\x01\x01\x01", func(r *Reader) { r.MapLen() }, ErrKind, 0},
		{"bool of nil", "\xc0", func(r *Reader) { r.Bool() }, ErrKind, 0},
		{"float of nil", "\xc0", func(r *Reader) { r.Float() }, ErrKind, 0},
		{"int too big", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", func(r *Reader) { r.Int() }, ErrRange, 0},
		{"uint negative", "\xff", func(r *Reader) { r.Uint() }, ErrRange, 0},
		{"uint negative 64", "\xd3\xff\xff\xff\xff\xff\xff\xff\xff", func(r *Reader) { r.Uint() }, ErrRange, 0},
		{"int64 cut", "\xd3\xff", func(r *Reader) { r.Int() }, ErrShort, 0},
		{"skip ext cut", "\xc7\x09\x01", func(r *Reader) { r.Skip() }, ErrShort, 0},
		{"skip invalid", "\x91\xc1", func(r *Reader) { r.Skip() }, ErrKind, 1},
		{"skip array cut", "\x93\x01\x02", func(r *Reader) { r.Skip() }, ErrShort, 0},
		{"skip map cut", "\x81\xa1k", func(r *Reader) { r.Skip() }, ErrShort, 3},
		{"skip map32", "\xdf\xff\xff\xff\xff", func(r *Reader) { r.Skip() }, ErrShort, 0},
		{"skip deep", strings.Repeat("\x91", 8<<20), func(r *Reader) { r.Skip() }, ErrDepth, MaxDepth},
		{"take", "\x01", func(r *Reader) { r.Take(2) }, ErrShort, 0},
		{"take negative", "\x01", func(r *Reader) { r.Take(-1) }, ErrShort, 0},
		{"fail", "\x01\x02", func(r *Reader) { r.Int(); r.Fail(ErrRange) }, ErrRange, 1},
	} {
		var r Reader
		r.Reset([]byte(c.b))
		c.read(&r)
		var e *Error
		if !errors.Is(r.Err(), c.want) || !errors.As(r.Err(), &e) || e.Offset != c.offset {
			t.Errorf("%s: %v", c.name, r.Err())
		}
		first := r.Err()
		if r.Int() != 0 || r.Str() != "" || r.ArrayLen() != 0 || r.MapLen() != 0 || r.Uint() != 0 || r.Bool() ||
			r.Float() != 0 || r.Raw() != nil || r.Take(0) != nil || r.IsNil() || r.Kind() != KindEnd {
			t.Errorf("%s: a value after the error", c.name)
		}
		r.Fail(ErrRange)
		if !errors.Is(r.Err(), first) {
			t.Errorf("%s: error replaced by %v", c.name, r.Err())
		}
	}
}

func TestDepth(t *testing.T) {
	var r Reader
	ok := strings.Repeat("\x91", MaxDepth) + "\xc0"
	r.Reset([]byte(ok))
	if got := r.Raw(); string(got) != ok || r.Err() != nil {
		t.Errorf("%d levels: %v", MaxDepth, r.Err())
	}
	r.Reset([]byte("\x91" + ok))
	if r.Skip(); !errors.Is(r.Err(), ErrDepth) {
		t.Errorf("%d levels: %v", MaxDepth+1, r.Err())
	}
}

func TestRawKinds(t *testing.T) {
	for _, s := range []string{
		"\xd4\x01a", "\xd5\x01ab", "\xd6\x01abcd", "\xd7\x01abcdefgh", "\xd8\x01abcdefghijklmnop",
		"\xc7\x02\x01ab", "\xc8\x00\x02\x01ab", "\xc9\x00\x00\x00\x02\x01ab",
		"\xca1234", "\xcb12345678", "\x92\x90\x80", "\x82\xa1a\x93\x01\x02\x03\xa1b\x81\x01\x02", "\xdc\x00\x02\x01\x02", "\xde\x00\x01\x01\x02",
	} {
		var r Reader
		r.Reset([]byte(s + "\x05"))
		if got := r.Raw(); string(got) != s || r.Int() != 5 {
			t.Errorf("%x: %x, %v", s, got, r.Err())
		}
	}
}

func TestStrAliases(t *testing.T) {
	b := []byte("\xa3abc\xd9\x03abc\xda\x00\x03abc")
	var r Reader
	r.Reset(b)
	for _, at := range []int{1, 6, 12} {
		if s := r.Str(); s != "abc" || unsafe.StringData(s) != &b[at] {
			t.Errorf("%q does not stand at %d", s, at)
		}
	}
	if n := testing.AllocsPerRun(100, func() { r.Reset(b); r.Str(); r.Str(); r.Str() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzMP(f *testing.F) {
	f.Add([]byte("\x82\xa1a\x01\xa1b\x93\xc0\xc3\xcb12345678"))
	f.Add([]byte("\xdd\xff\xff\xff\xff"))
	f.Add(bytes.Repeat([]byte{0x91}, 100))
	f.Add([]byte("\xc7\x01\x05\xda\x00\x02ab\xd3\x80\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Reader
		r.Reset(b)
		for r.Len() > 0 && r.Err() == nil {
			start := r.Pos()
			raw := r.Raw()
			if r.Err() != nil {
				break
			}
			if len(raw) == 0 || r.Pos() != start+len(raw) {
				t.Fatalf("value of %d bytes at %d to %d", len(raw), start, r.Pos())
			}
			var sub Reader
			sub.Reset(raw)
			walk(&sub, 0)
			if sub.Err() == nil && sub.Len() > 0 {
				t.Fatalf("%x: tokens end %d bytes before the value", raw, sub.Len())
			}
		}
	})
}

// walk reads one value by its tokens, checking that each call consumes something.
func walk(r *Reader, depth int) {
	if depth > MaxDepth {
		return
	}
	switch r.Kind() {
	case KindArray:
		for range r.ArrayLen() {
			walk(r, depth+1)
		}
	case KindMap:
		for range r.MapLen() {
			walk(r, depth+1)
			walk(r, depth+1)
		}
	case KindStr, KindBin:
		_ = r.Str()
	case KindInt:
		r.Int()
	case KindFloat:
		r.Float()
	case KindBool:
		r.Bool()
	case KindNil:
		r.IsNil()
	default:
		r.Skip()
	}
}

// head makes a record like that of an HTTP flow.
func head() []byte {
	var w Writer
	w.MapLen(4)
	w.Str("type")
	w.Str("http")
	w.Str("ts")
	w.Int(1_800_000_000_000_000_000)
	for _, side := range []string{"req", "resp"} {
		w.Str(side)
		w.MapLen(3)
		w.Str("method")
		w.Str("GET")
		w.Str("status")
		w.Int(200)
		w.Str("headers")
		w.ArrayLen(30)
		for i := range 15 {
			w.Str("content-security-policy"[:5+i])
			w.Str(strings.Repeat("value ", i))
		}
	}
	return w.Bytes()
}

func BenchmarkRead(b *testing.B) {
	h := head()
	b.SetBytes(int64(len(h)))
	b.ReportAllocs()
	var r Reader
	for b.Loop() {
		r.Reset(h)
		walk(&r, 0)
	}
	if r.Err() != nil {
		b.Fatal(r.Err())
	}
}

func BenchmarkSkip(b *testing.B) {
	h := head()
	b.SetBytes(int64(len(h)))
	b.ReportAllocs()
	var r Reader
	for b.Loop() {
		r.Reset(h)
		r.Skip()
	}
}

// BenchmarkLibrary reads the same without the inline forms.
func BenchmarkLibrary(b *testing.B) {
	h := head()
	b.SetBytes(int64(len(h)))
	b.ReportAllocs()
	s := &source{}
	d := msgpack.NewDecoder(s)
	var one func()
	one = func() {
		c, err := d.PeekCode()
		if err != nil {
			b.Fatal(err)
		}
		switch kindOf(c) {
		case KindMap:
			n, _ := d.DecodeMapLen()
			for range 2 * n {
				one()
			}
		case KindArray:
			n, _ := d.DecodeArrayLen()
			for range n {
				one()
			}
		case KindInt:
			_, _ = d.DecodeInt64()
		default:
			n, _ := d.DecodeBytesLen()
			_ = view(s.b[s.pos : s.pos+n])
			s.pos += n
		}
	}
	for b.Loop() {
		s.b, s.pos = h, 0
		one()
	}
}

func BenchmarkWrite(b *testing.B) {
	b.ReportAllocs()
	long := strings.Repeat("v", 60)
	var w Writer
	for b.Loop() {
		w.Reset()
		w.MapLen(40)
		for i := range 40 {
			w.Str("key")
			w.Str(long[:i])
		}
	}
	b.SetBytes(int64(w.Len()))
}

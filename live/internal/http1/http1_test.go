package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"flowkit/flowfile"

	"github.com/google/go-cmp/cmp"
)

func Example() {
	in := bufio.NewReader(strings.NewReader("POST /x HTTP/1.1\r\nHost: a\r\nx-a:  1\r\nTransfer-Encoding: chunked\r\n\r\n5;ext\r\nhello\r\n0\r\n\r\n"))
	var h RequestHead
	if err := ReadRequest(in, Limits{}, &h); err != nil {
		fmt.Println(err)
		return
	}
	var body Body
	body.Reset(in, h.Body, Limits{})
	var sent strings.Builder
	var out BodyWriter
	out.Reset(&sent, h.Body)
	out.Head(AppendRequest(nil, &h))
	for !body.Done() {
		piece, err := body.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := out.Write(piece); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := out.Close(body.Trailers()); err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(sent.String()) {
		fmt.Printf("%q\n", line)
	}
	// Output:
	// "POST /x HTTP/1.1\r\n"
	// "Host: a\r\n"
	// "x-a: 1\r\n"
	// "Transfer-Encoding: chunked\r\n"
	// "\r\n"
	// "5\r\n"
	// "hello\r\n"
	// "0\r\n"
	// "\r\n"
}

func read(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }

func TestReadRequest(t *testing.T) {
	const fields = "Host: a\r\n"
	check := func(head string, want RequestHead) {
		t.Helper()
		var h RequestHead
		if err := ReadRequest(read(head+"rest"), Limits{}, &h); err != nil {
			t.Errorf("%q: %v", head, err)
			return
		}
		got := h
		got.Method, got.Target, got.Version, got.Fields = "", "", "", nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", head, diff)
		}
		if out := string(AppendRequest(nil, &h)); out != head {
			t.Errorf("%q is written as %q", head, out)
		}
		framed := h
		framed.Body, framed.Close, framed.Expect, framed.Upgrade = Framing{Kind: UntilClose}, !h.Close, !h.Expect, "x"
		if err := framed.Frame(); err != nil || !cmp.Equal(framed, h) {
			t.Errorf("%q: Frame: %v, %+v", head, err, framed)
		}
	}
	check("GET / HTTP/1.1\r\n"+fields+"\r\n", RequestHead{})
	check("GET / HTTP/1.0\r\n\r\n", RequestHead{Close: true})
	check("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", RequestHead{})
	check("GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n", RequestHead{Close: true})
	check("GET / HTTP/1.1\r\n"+fields+"Connection: x ,\tClOsE\r\n\r\n", RequestHead{Close: true})
	check("GET / HTTP/1.1\r\n"+fields+"Connection: closed\r\n\r\n", RequestHead{})
	check("POST / HTTP/1.1\r\n"+fields+"Content-Length: 0\r\n\r\n", RequestHead{Body: Framing{Kind: Length}})
	check("POST / HTTP/1.1\r\n"+fields+"Content-Length: 7\r\n\r\n", RequestHead{Body: Framing{Kind: Length, Length: 7}})
	check("POST / HTTP/1.1\r\n"+fields+"Transfer-Encoding: chunked\r\n\r\n", RequestHead{Body: Framing{Kind: Chunked}})
	check("POST / HTTP/1.1\r\n"+fields+"Expect: 100-Continue\r\nContent-Length: 7\r\n\r\n",
		RequestHead{Expect: true, Body: Framing{Kind: Length, Length: 7}})
	check("POST / HTTP/1.1\r\n"+fields+"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", RequestHead{Body: Framing{Kind: Length}})
	check("POST / HTTP/1.0\r\n"+fields+"Expect: anything\r\nContent-Length: 7\r\n\r\n",
		RequestHead{Close: true, Body: Framing{Kind: Length, Length: 7}})
	check("GET / HTTP/1.1\r\n"+fields+"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", RequestHead{Upgrade: "websocket"})
	check("GET / HTTP/1.1\r\n"+fields+"Upgrade: a\r\nConnection: Upgrade\r\nupgrade: b\r\n\r\n", RequestHead{Upgrade: "a, b"})
	check("GET / HTTP/1.1\r\n"+fields+"Upgrade: websocket\r\n\r\n", RequestHead{})
	check("GET / HTTP/1.0\r\n"+fields+"Upgrade: websocket\r\nConnection: upgrade, keep-alive\r\n\r\n", RequestHead{})
	check("CONNECT a:443 HTTP/1.1\r\n\r\n", RequestHead{})
	check("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nContent-Length: 0\r\n\r\n", RequestHead{})
	check("OPTIONS * HTTP/1.1\r\nHost: \r\n\r\n", RequestHead{})
	check("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", RequestHead{})
	check("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", RequestHead{})
	check("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\nX: \r\nx-y: \"a,b\"\r\n\r\n", RequestHead{})
}

func TestReadResponse(t *testing.T) {
	check := func(method, head string, want ResponseHead) {
		t.Helper()
		var h ResponseHead
		if err := ReadResponse(read(head+"rest"), method, Limits{}, &h); err != nil {
			t.Errorf("%q: %v", head, err)
			return
		}
		got := h
		got.Version, got.Reason, got.Fields = "", "", nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", head, diff)
		}
		if out := string(AppendResponse(nil, &h)); out != head {
			t.Errorf("%q is written as %q", head, out)
		}
		framed := h
		framed.Body, framed.Close = Framing{Kind: 99}, !h.Close
		if err := framed.Frame(method); err != nil || !cmp.Equal(framed, h) {
			t.Errorf("%q: Frame: %v, %+v", head, err, framed)
		}
	}
	check("GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", ResponseHead{Status: 200, Body: Framing{Kind: Length, Length: 3}})
	check("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0010\r\n\r\n", ResponseHead{Status: 200, Body: Framing{Kind: Length, Length: 10}})
	check("GET", "HTTP/1.1 200 All is well\r\nTransfer-Encoding: chunked\r\n\r\n", ResponseHead{Status: 200, Body: Framing{Kind: Chunked}})
	check("GET", "HTTP/1.1 200 \r\n\r\n", ResponseHead{Status: 200, Body: Framing{Kind: UntilClose}, Close: true})
	check("GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n",
		ResponseHead{Status: 200, Body: Framing{Kind: Length, Length: 3}, Close: true})
	check("GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n",
		ResponseHead{Status: 200, Body: Framing{Kind: Length, Length: 3}})
	check("GET", "HTTP/1.1 999 Denied\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
		ResponseHead{Status: 999, Body: Framing{Kind: Length, Length: 3}, Close: true})
	check("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ResponseHead{Status: 200})
	check("HEAD", "HTTP/1.1 200 OK\r\n\r\n", ResponseHead{Status: 200})
	check("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", ResponseHead{Status: 204})
	check("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n", ResponseHead{Status: 204, Close: true})
	check("GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 1\r\n\r\n", ResponseHead{Status: 205, Body: Framing{Kind: Length, Length: 1}})
	check("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ResponseHead{Status: 304})
	check("GET", "HTTP/1.1 100 Continue\r\n\r\n", ResponseHead{Status: 100})
	check("GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", ResponseHead{Status: 101})
	check("CONNECT", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ResponseHead{Status: 200})
	check("CONNECT", "HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\n", ResponseHead{Status: 407, Body: Framing{Kind: Length, Length: 3}})
	check("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \x01\r\n\r\n", ResponseHead{Status: 200, Body: Framing{Kind: Length}})
}

// A head that is read owes nothing to the reader's buffer, and nothing to the next head.
func TestHeadsAreOwned(t *testing.T) {
	br := bufio.NewReaderSize(strings.NewReader("GET /1 HTTP/1.1\r\nHost: one\r\n\r\nGET /2 HTTP/1.1\r\nHost: two\r\nX: y\r\n\r\n"), 64)
	var h RequestHead
	if err := ReadRequest(br, Limits{}, &h); err != nil {
		t.Fatal(err)
	}
	first := h
	if err := ReadRequest(br, Limits{}, &h); err != nil {
		t.Fatal(err)
	}
	if got := string(AppendRequest(nil, &first)); got != "GET /1 HTTP/1.1\r\nHost: one\r\n\r\n" {
		t.Errorf("the first head became %q", got)
	}
	if err := ReadRequest(br, Limits{}, &h); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	check := func(in io.Reader, want error) {
		t.Helper()
		var h RequestHead
		if err := ReadRequest(bufio.NewReaderSize(in, 16), Limits{}, &h); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	check(strings.NewReader(""), io.EOF)
	check(strings.NewReader("\r\n"), io.EOF)
	check(strings.NewReader("G"), io.ErrUnexpectedEOF)
	check(strings.NewReader("\r\nGET / HTTP/1.1\r\n"), io.ErrUnexpectedEOF)
	check(strings.NewReader("GET / HTTP/1.1\r\nHost: a\r\n"), io.ErrUnexpectedEOF)
	check(strings.NewReader("GET / HTTP/1.1\r\nHost: a\r\n\r"), io.ErrUnexpectedEOF)
	check(iotest.ErrReader(broken), broken)
	check(io.MultiReader(strings.NewReader("GET / HTTP/1.1\r\nHo"), iotest.ErrReader(broken)), broken)
	var h ResponseHead
	if err := ReadResponse(read(""), "GET", Limits{}, &h); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
}

func TestLimits(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n"
	check := func(l Limits, status int) {
		t.Helper()
		var h RequestHead
		err := ReadRequest(read(head+strings.Repeat("body", 1000)), l, &h)
		var e *Error
		if errors.As(err, &e); (e == nil) != (status == 0) || e != nil && e.Status != status {
			t.Errorf("%+v: got %v, want status %d", l, err, status)
		}
	}
	check(Limits{Head: len(head), Fields: 2}, 0)
	check(Limits{Head: len(head) - 1}, 431)
	check(Limits{Head: 10}, 431)
	check(Limits{Fields: 1}, 431)
	head = "GET /" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nHost: a\r\n\r\n"
	check(Limits{Head: 100}, 414)
}

func TestFrame(t *testing.T) {
	refused := func(h RequestHead, words string) {
		t.Helper()
		if err := h.Frame(); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: got %v, want %s", h, err, words)
		}
	}
	host := flowfile.Field{Name: "Host", Value: "a"}
	with := func(f ...flowfile.Field) []flowfile.Field { return append([]flowfile.Field{host}, f...) }
	refused(RequestHead{"GET", "/", "HTTP/1.1", with(flowfile.Field{Name: "X", Value: "a\r\nY: b"}), Framing{}, false, false, ""}, "X holds a byte")
	refused(RequestHead{"GET", "/", "HTTP/1.1", with(flowfile.Field{Name: "X: a\r\nY", Value: "b"}), Framing{}, false, false, ""}, "not a token")
	refused(RequestHead{"GET", "/ HTTP/1.1\r\nX: y", "HTTP/1.1", with(), Framing{}, false, false, ""}, "target holds a byte")
	refused(RequestHead{"GET /", "/", "HTTP/1.1", with(), Framing{}, false, false, ""}, "method is not a token")
	refused(RequestHead{"GET", "/", "HTTP/2.0", with(), Framing{}, false, false, ""}, "HTTP/2.0")
	refused(RequestHead{"GET", "/", "", with(), Framing{}, false, false, ""}, "no HTTP version")
	refused(RequestHead{"GET", "", "HTTP/1.1", with(), Framing{}, false, false, ""}, "neither a path nor a URL")
	r := ResponseHead{Version: "HTTP/1.1", Status: 200, Reason: "OK\r\nX: y"}
	if err := r.Frame("GET"); err == nil || !strings.Contains(err.Error(), "reason holds") {
		t.Errorf("got %v", err)
	}
	length := flowfile.Field{Name: "Content-Length", Value: "5"}
	given := []flowfile.Field{length, length}
	r = ResponseHead{Version: "HTTP/1.1", Status: 200, Fields: given}
	if err := r.Frame("GET"); err != nil || len(r.Fields) != 1 || len(given) != 2 {
		t.Errorf("got %v, %v, %v", err, r.Fields, given)
	}
}

func TestHelpers(t *testing.T) {
	fields := []flowfile.Field{{Name: "Connection", Value: "a, ,b"}, {Name: "X", Value: "1"}, {Name: "connection", Value: " Close ,c"}}
	if got := slices.Collect(Tokens(fields, "CONNECTION")); !slices.Equal(got, []string{"a", "b", "Close", "c"}) {
		t.Errorf("tokens %q", got)
	}
	if !HasToken(fields, "Connection", "close") || HasToken(fields, "Connection", "clos") || HasToken(fields, "X", "close") {
		t.Error("HasToken")
	}
	if v, ok := Get(fields, "x"); v != "1" || !ok {
		t.Error("Get")
	}
	if _, ok := Get(fields, "Y"); ok {
		t.Error("Get of nothing")
	}
	check := func(want int64, ok, bad bool, values ...string) {
		t.Helper()
		var fields []flowfile.Field
		for _, v := range values {
			fields = append(fields, flowfile.Field{Name: "content-length", Value: v})
		}
		n, got, err := ContentLength(fields)
		if n != want || got != ok || (err != nil) != bad {
			t.Errorf("%q: %d, %v, %v", values, n, got, err)
		}
	}
	check(0, false, false)
	check(5, true, false, "5")
	check(5, true, false, "5", "5, 5")
	check(9223372036854775807, true, false, "9223372036854775807")
	check(0, false, true, "5", "6")
	check(0, false, true, "9223372036854775808")
	check(0, false, true, "")
}

func TestTokenBytes(t *testing.T) {
	const others = "!#$%&'*+-.^_`|~"
	for c := range 256 {
		want := c < 128 && (isDigit(byte(c)) || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte(others, byte(c)) >= 0)
		if isTokenByte(byte(c)) != want {
			t.Errorf("%q", rune(c))
		}
	}
}

// bodies are framings of "hello, world" in front of "rest".
var bodies = []struct {
	name string
	in   string
	f    Framing
}{
	{"length", "hello, worldrest", Framing{Kind: Length, Length: 12}},
	{"chunked", "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\nrest", Framing{Kind: Chunked}},
	{"small chunks", "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n9\r\nlo, world\r\n0\r\n\r\nrest", Framing{Kind: Chunked}},
	{"trailers", "C\r\nhello, world\r\n0\r\nA: b\r\n\r\nrest", Framing{Kind: Chunked}},
	{"until close", "hello, world", Framing{Kind: UntilClose}},
}

func TestBody(t *testing.T) {
	const want = "hello, world"
	ways := []struct {
		name string
		read func(*Body) (string, error)
	}{
		{"Read", func(b *Body) (string, error) {
			data, err := io.ReadAll(struct{ io.Reader }{b})
			return string(data), err
		}},
		{"Read 3", func(b *Body) (string, error) {
			var sb strings.Builder
			_, err := io.CopyBuffer(&sb, struct{ io.Reader }{b}, make([]byte, 3))
			return sb.String(), err
		}},
		{"WriteTo", func(b *Body) (string, error) {
			var sb strings.Builder
			n, err := b.WriteTo(&sb)
			if int(n) != sb.Len() {
				return "", fmt.Errorf("WriteTo counts %d of %d", n, sb.Len())
			}
			return sb.String(), err
		}},
		{"Next", func(b *Body) (string, error) {
			var sb strings.Builder
			for !b.Done() {
				n := b.Buffered()
				p, err := b.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					return "", err
				}
				if n > 0 && len(p) != n {
					return "", fmt.Errorf("Buffered is %d, Next returns %d", n, len(p))
				}
				b.Done() // may look ahead, but not at p
				sb.Write(p)
			}
			return sb.String(), nil
		}},
	}
	for _, c := range bodies {
		for _, w := range ways {
			for _, slow := range []bool{false, true} {
				var r io.Reader = strings.NewReader(c.in)
				if slow {
					r = iotest.OneByteReader(r)
				}
				br := bufio.NewReaderSize(r, 16)
				var b Body
				b.Reset(br, c.f, Limits{})
				got, err := w.read(&b)
				if err != nil || got != want {
					t.Errorf("%s, %s: %q, %v", c.name, w.name, got, err)
				}
				if _, err := b.Read(make([]byte, 1)); err != io.EOF || !b.Done() || b.Buffered() != 0 {
					t.Errorf("%s, %s: the end is %v", c.name, w.name, err)
				}
				if (len(b.Trailers()) > 0) != (c.name == "trailers") {
					t.Errorf("%s, %s: trailers %v", c.name, w.name, b.Trailers())
				}
				if rest, _ := io.ReadAll(br); c.f.Kind != UntilClose && string(rest) != "rest" {
					t.Errorf("%s, %s: left %q", c.name, w.name, rest)
				}
			}
		}
	}
}

// A body that is cut at any byte is an error after what was there.
func TestBodyCut(t *testing.T) {
	for _, c := range bodies {
		if c.f.Kind == UntilClose {
			continue
		}
		whole := strings.TrimSuffix(c.in, "rest")
		for i := range len(whole) {
			var b Body
			b.Reset(read(whole[:i]), c.f, Limits{})
			got, err := io.ReadAll(&b)
			if err != io.ErrUnexpectedEOF || !strings.HasPrefix("hello, world", string(got)) {
				t.Errorf("%s cut at %d: %q, %v", c.name, i, got, err)
			}
			if _, err := b.Next(); err != io.ErrUnexpectedEOF || b.Done() {
				t.Errorf("%s cut at %d: then %v", c.name, i, err)
			}
		}
	}
}

func TestBodyOfNothing(t *testing.T) {
	var b Body
	for range 2 {
		if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF || !b.Done() || b.Buffered() != 0 {
			t.Errorf("%d, %v", n, err)
		}
		b.Reset(read("rest"), Framing{Kind: Length}, Limits{})
	}
}

// What is there is given at once: nothing waits for the next chunk, its size, or the line end behind the data.
func TestBodyDoesNotWait(t *testing.T) {
	for _, f := range []Framing{{Kind: Chunked}, {Kind: Length, Length: 100}, {Kind: UntilClose}} {
		for _, next := range []bool{false, true} {
			client, server := net.Pipe()
			br := bufio.NewReader(server)
			var b Body
			b.Reset(br, f, Limits{})
			for _, in := range []string{"5\r\nhello\r\n", "5\r\nhello\r\n3", "\r\nabc", "\r\n3\r\ndef\r\n3\r"} {
				want := "hello"
				switch {
				case f.Kind != Chunked:
					want = in
				case strings.HasSuffix(in, "abc"):
					want = "abc"
				case strings.HasPrefix(in, "\r"):
					want = "def"
				}
				done := make(chan error, 1)
				go func() {
					_, err := io.WriteString(client, in)
					done <- err
				}()
				p := make([]byte, 64)
				var err error
				if next {
					p, err = b.Next()
				} else {
					var n int
					n, err = b.Read(p)
					p = p[:n]
				}
				if err != nil || string(p) != want {
					t.Errorf("%v: %q, %v, want %q", f, p, err, want)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			client.Close()
			server.Close()
		}
	}
}

// Done knows the end of a chunked body together with its last bytes, and leaves them alone.
func TestDoneLooksAhead(t *testing.T) {
	var b Body
	br := read("5\r\nhello\r\n0\r\n\r\nrest")
	b.Reset(br, Framing{Kind: Chunked}, Limits{})
	p, err := b.Next()
	if err != nil || !b.Done() || string(p) != "hello" || br.Buffered() != len("rest") {
		t.Errorf("%q, %v, %v", p, err, b.Done())
	}
}

// writes keeps what each Write gets.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

func TestBodyWriter(t *testing.T) {
	trailers := []flowfile.Field{{Name: "A", Value: "b"}}
	big := strings.Repeat("x", 40000)
	check := func(f Framing, do func(*BodyWriter) error, want ...string) {
		t.Helper()
		var w writes
		var b BodyWriter
		b.Reset(&w, f)
		b.Head([]byte("HEAD"))
		if err := do(&b); err != nil {
			t.Errorf("%v: %v", f, err)
		}
		if diff := cmp.Diff(want, []string(w)); diff != "" {
			t.Errorf("%v: (-want +got)\n%s", f, diff)
		}
	}
	whole := func(parts ...string) func(*BodyWriter) error {
		return func(b *BodyWriter) error {
			for _, p := range parts {
				if n, err := b.Write([]byte(p)); err != nil || n != len(p) {
					return fmt.Errorf("%d of %d, %w", n, len(p), err)
				}
			}
			return b.Close(trailers)
		}
	}
	finish := func(s string, trailers ...flowfile.Field) func(*BodyWriter) error {
		return func(b *BodyWriter) error { return b.Finish([]byte(s), trailers) }
	}
	flushed := func(b *BodyWriter) error {
		if err := b.Flush(); err != nil {
			return err
		}
		if err := b.Flush(); err != nil {
			return err
		}
		return finish("hello")(b)
	}
	check(Framing{}, whole(), "HEAD")
	check(Framing{}, finish(""), "HEAD")
	check(Framing{Kind: Length, Length: 5}, whole("", "hel", "lo"), "HEADhel", "lo")
	check(Framing{Kind: Length, Length: 5}, finish("hello"), "HEADhello")
	check(Framing{Kind: Length, Length: 5}, flushed, "HEAD", "hello")
	check(Framing{Kind: Length, Length: 0}, whole(), "HEAD")
	check(Framing{Kind: UntilClose}, whole("hel", "lo"), "HEADhel", "lo")
	check(Framing{Kind: Chunked}, whole(), "HEAD0\r\nA: b\r\n\r\n")
	check(Framing{Kind: Chunked}, whole("hel", "", "lo"), "HEAD3\r\nhel\r\n", "2\r\nlo\r\n", "0\r\nA: b\r\n\r\n")
	check(Framing{Kind: Chunked}, finish("hello"), "HEAD5\r\nhello\r\n0\r\n\r\n")
	check(Framing{Kind: Chunked}, finish("hello", trailers...), "HEAD5\r\nhello\r\n", "0\r\nA: b\r\n\r\n")
	check(Framing{Kind: Chunked}, finish(""), "HEAD0\r\n\r\n")
	check(Framing{Kind: Chunked}, flushed, "HEAD", "5\r\nhello\r\n0\r\n\r\n")

	// A large piece is written as it is, or in chunks that fit a TLS record.
	first := pieceSize - len("HEAD") - 18 - 7
	check(Framing{Kind: Length, Length: 40000}, finish(big), "HEAD"+big[:first], big[first:])
	check(Framing{Kind: Length, Length: 40000}, func(b *BodyWriter) error { return errors.Join(b.Flush(), finish(big)(b)) }, "HEAD", big)
	later := pieceSize - 18 - 7
	last := 40000 - first - later
	check(Framing{Kind: Chunked}, finish(big),
		fmt.Sprintf("HEAD%x\r\n%s\r\n", first, big[:first]),
		fmt.Sprintf("%x\r\n%s\r\n", later, big[:later]),
		fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", last, big[:last]))
}

func TestBodyWriterErrors(t *testing.T) {
	check := func(f Framing, do func(*BodyWriter) error, words, out string) {
		t.Helper()
		var w writes
		var b BodyWriter
		b.Reset(&w, f)
		err := do(&b)
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v: got %v, want %s", f, err, words)
		}
		if got := strings.Join(w, ""); got != out {
			t.Errorf("%v: wrote %q, want %q", f, got, out)
		}
		if _, err := b.Write([]byte("more")); err == nil {
			t.Errorf("%v: goes on after %v", f, err)
		}
		if err := b.Close(nil); err == nil {
			t.Errorf("%v: closed after an error", f)
		}
	}
	write := func(s string) func(*BodyWriter) error {
		return func(b *BodyWriter) error {
			_, err := b.Write([]byte(s))
			return err
		}
	}
	closed := func(s string, trailers ...flowfile.Field) func(*BodyWriter) error {
		return func(b *BodyWriter) error {
			if err := write(s)(b); err != nil {
				return err
			}
			return b.Close(trailers)
		}
	}
	check(Framing{}, write("x"), "body where there is none", "")
	check(Framing{Kind: Length, Length: 2}, write("abc"), "longer than its length", "")
	check(Framing{Kind: Length, Length: 5}, closed("abc"), "2 bytes before its length", "abc")
	check(Framing{Kind: Length, Length: 5}, func(b *BodyWriter) error { return b.Finish([]byte("abc"), nil) }, "2 bytes before", "abc")
	check(Framing{Kind: Chunked}, closed("a", flowfile.Field{Name: "X", Value: "a\r\n"}), "X holds a byte", "1\r\na\r\n")
	check(Framing{Kind: Chunked}, closed("a", flowfile.Field{Name: "host", Value: "a"}), "a trailer is host", "1\r\na\r\n")
	check(Framing{Kind: Chunked}, func(b *BodyWriter) error {
		return errors.Join(b.Finish([]byte("a"), nil), write("b")(b))
	}, "is closed", "1\r\na\r\n0\r\n\r\n")

	var b BodyWriter
	broken := errors.New("broken")
	for _, f := range []Framing{{Kind: Length, Length: 1}, {Kind: Chunked}, {Kind: UntilClose}} {
		b.Reset(failing{broken}, f)
		if _, err := b.Write([]byte("x")); err != broken {
			t.Errorf("%v: %v", f, err)
		}
		if err := b.Close(nil); err != broken {
			t.Errorf("%v: %v", f, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Over TCP large parts go out by writev.
func TestBodyWriterTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	done := make(chan []byte)
	go func() {
		data, _ := io.ReadAll(peer)
		done <- data
	}()
	var want bytes.Buffer
	var b BodyWriter
	for _, n := range []int{0, 1, writevMin, 10000, 100000} {
		data := bytes.Repeat([]byte{'a' + byte(n%26)}, n)
		for _, f := range []Framing{{Kind: Chunked}, {Kind: Length, Length: int64(n)}} {
			b.Reset(conn, f)
			b.Head([]byte("HEAD"))
			if err := b.Finish(data, nil); err != nil {
				t.Fatal(err)
			}
			want.WriteString("HEAD")
			switch {
			case f.Kind == Length:
				want.Write(data)
			case n == 0:
				want.WriteString("0\r\n\r\n")
			default:
				fmt.Fprintf(&want, "%x\r\n%s\r\n0\r\n\r\n", n, data)
			}
		}
	}
	if cap(b.Scratch) > writevMin {
		t.Errorf("%d bytes of scratch", cap(b.Scratch))
	}
	conn.Close()
	if got := <-done; !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes arrived that differ from the %d sent", len(got), want.Len())
	}
}

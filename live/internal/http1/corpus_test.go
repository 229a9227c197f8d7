package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// smuggling is a case of testdata/smuggling; see README.md there.
type smuggling struct {
	name     string
	response bool
	method   string
	in       []byte
	verb     string // refuse, cut or forward
	status   int    // 0: not an *Error
	words    string
	out      []byte
	rest     []byte
}

var repeated = regexp.MustCompile(`\{(\d+)\*([^}]*)\}`)

// corpus reads all cases.
func corpus(t testing.TB) []smuggling {
	t.Helper()
	files, err := filepath.Glob("testdata/smuggling/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	var cases []smuggling
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c *smuggling
		var to *[]byte
		for i, line := range strings.Split(string(text), "\n") {
			word, arg, _ := strings.Cut(line, " ")
			switch word {
			case "", "from", "expect":
			case "case":
				cases = append(cases, smuggling{name: strings.TrimSuffix(filepath.Base(file), ".txt") + "/" + arg})
				c = &cases[len(cases)-1]
			case "request", "response":
				c.response, c.method = word == "response", arg
				to = &c.in
			case "refuse", "cut":
				status, words, _ := strings.Cut(arg, " ")
				c.verb, c.words = word, words
				if c.status, err = strconv.Atoi(status); err != nil {
					t.Fatalf("%s:%d: %v", file, i+1, err)
				}
			case "forward":
				c.verb = word
				to = &c.out
			case "rest":
				to = &c.rest
			case "|":
				*to = append(*to, unescape(t, arg)...)
			default:
				t.Fatalf("%s:%d: %q is not a line of a case", file, i+1, line)
			}
		}
	}
	return cases
}

func unescape(t testing.TB, line string) string {
	t.Helper()
	line = repeated.ReplaceAllStringFunc(line, func(s string) string {
		m := repeated.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[1])
		return strings.Repeat(m[2], n)
	})
	line, open := strings.CutSuffix(line, `\`)
	if !open {
		line += `\r\n`
	}
	line = strings.ReplaceAll(line, `\0`, `\x00`)
	s, err := strconv.Unquote(`"` + strings.ReplaceAll(line, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return s
}

// forward does what a proxy does with one message: it returns what goes on. headErr is that of the head, bodyErr that of
// the body.
func forward(br *bufio.Reader, response bool, method string) (out []byte, f Framing, headErr, bodyErr error) {
	var head []byte
	if response {
		var h ResponseHead
		if err := ReadResponse(br, method, Limits{}, &h); err != nil {
			return nil, f, err, nil
		}
		head, f = AppendResponse(nil, &h), h.Body
	} else {
		var h RequestHead
		if err := ReadRequest(br, Limits{}, &h); err != nil {
			return nil, f, err, nil
		}
		head, f = AppendRequest(nil, &h), h.Body
	}
	var body Body
	var w BodyWriter
	var buf bytes.Buffer
	body.Reset(br, f, Limits{})
	w.Reset(&buf, f)
	w.Head(head)
	data, err := io.ReadAll(struct{ io.Reader }{&body})
	if _, werr := w.Write(data); werr != nil {
		return nil, f, nil, werr
	}
	if err != nil {
		err = errors.Join(err, w.Flush())
		return buf.Bytes(), f, nil, err
	}
	if err := w.Close(body.Trailers()); err != nil {
		return nil, f, nil, err
	}
	return buf.Bytes(), f, nil, nil
}

func TestSmuggling(t *testing.T) {
	cases := corpus(t)
	if len(cases) < 60 {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []struct {
				name string
				br   *bufio.Reader
			}{
				{"at once", bufio.NewReaderSize(bytes.NewReader(c.in), 4096)},
				{"byte by byte", bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(c.in)), 4096)},
				{"small buffer", bufio.NewReaderSize(bytes.NewReader(c.in), 16)},
				{"large buffer", bufio.NewReaderSize(bytes.NewReader(c.in), 1<<20)},
			} {
				if err := c.run(r.br); err != nil {
					t.Errorf("%s: %v", r.name, err)
				}
			}
		})
	}
}

func (c *smuggling) run(br *bufio.Reader) error {
	out, f, headErr, bodyErr := forward(br, c.response, c.method)
	switch c.verb {
	case "refuse":
		return c.refused(headErr)
	case "cut":
		if headErr != nil {
			return headErr
		}
		if f.Kind == Chunked && bytes.HasSuffix(out, []byte("\r\n0\r\n\r\n")) {
			return errors.New("the body was ended")
		}
		return c.refused(bodyErr)
	}
	if err := errors.Join(headErr, bodyErr); err != nil {
		return err
	}
	rest, err := io.ReadAll(br)
	if err != nil {
		return err
	}
	if !bytes.Equal(out, c.out) || !bytes.Equal(rest, c.rest) {
		return fmt.Errorf("forwarded %q and left %q, want %q and %q", out, rest, c.out, c.rest)
	}
	return nil
}

func (c *smuggling) refused(err error) error {
	var e *Error
	if err == nil || !strings.Contains(err.Error(), c.words) {
		return fmt.Errorf("got %v, want %d %s", err, c.status, c.words)
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		return fmt.Errorf("%q is not one line", err)
	}
	if errors.As(err, &e) != (c.status != 0) || e != nil && e.Status != c.status {
		return fmt.Errorf("got %#v, want status %d", err, c.status)
	}
	return nil
}

// What goes on is one message for net/http, too.
func TestForwardedIsOneMessage(t *testing.T) {
	for _, c := range corpus(t) {
		if c.verb == "forward" && c.method != "CONNECT" { // net/http leaves tunnels to its callers
			if err := sameForNetHTTP(c.out, c.response, c.method); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// errNetHTTP says that net/http does not read the head.
var errNetHTTP = errors.New("net/http refuses")

// sameForNetHTTP compares where net/http and this package see the end of a forwarded message, and the body.
func sameForNetHTTP(msg []byte, response bool, method string) error {
	br := bufio.NewReader(bytes.NewReader(msg))
	var body Body
	if response {
		var h ResponseHead
		if err := ReadResponse(br, method, Limits{}, &h); err != nil {
			return err
		}
		body.Reset(br, h.Body, Limits{})
	} else {
		var h RequestHead
		if err := ReadRequest(br, Limits{}, &h); err != nil {
			return err
		}
		body.Reset(br, h.Body, Limits{})
	}
	ours, err := io.ReadAll(&body)
	if err != nil {
		return err
	}
	if n, _ := io.Copy(io.Discard, br); n != 0 {
		return fmt.Errorf("%d bytes are left", n)
	}

	const next = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n"
	untilClose := body.kind == UntilClose
	stream := append([]byte(nil), msg...)
	if !untilClose {
		stream = append(stream, next...)
	}
	br = bufio.NewReader(bytes.NewReader(stream))
	var r io.ReadCloser
	if response {
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			return fmt.Errorf("%w: %w", errNetHTTP, err)
		}
		r = resp.Body
	} else {
		req, err := http.ReadRequest(br)
		if err != nil {
			return fmt.Errorf("%w: %w", errNetHTTP, err)
		}
		r = req.Body
	}
	theirs, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("net/http: body: %w", err)
	}
	if !bytes.Equal(theirs, ours) {
		return fmt.Errorf("net/http reads the body %q, want %q", theirs, ours)
	}
	rest, _ := io.ReadAll(br)
	if !untilClose && string(rest) != next {
		return fmt.Errorf("net/http leaves %q, want the next request", rest)
	}
	return nil
}

package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
)

// checkMessage checks what has to hold for any bytes: a message is refused, or it goes on as one message, for this
// package and for net/http, whatever the size of the buffer and of the reads.
func checkMessage(t *testing.T, data []byte, response bool, method string) {
	t.Helper()
	br := bufio.NewReader(bytes.NewReader(data))
	out, f, headErr, bodyErr := forward(br, response, method)
	rest, _ := io.ReadAll(br)
	small := bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(data)), 16)
	out2, f2, headErr2, bodyErr2 := forward(small, response, method)
	if (headErr == nil) != (headErr2 == nil) || (bodyErr == nil) != (bodyErr2 == nil) || f != f2 {
		t.Fatalf("with a small buffer: %v, %v, not %v, %v", headErr2, bodyErr2, headErr, bodyErr)
	}
	if headErr != nil || bodyErr != nil {
		return
	}
	rest2, _ := io.ReadAll(small)
	if !bytes.Equal(out, out2) || !bytes.Equal(rest, rest2) {
		t.Fatalf("with a small buffer %q and %q, not %q and %q", out2, rest2, out, rest)
	}
	again := bufio.NewReader(bytes.NewReader(out))
	out3, f3, headErr, bodyErr := forward(again, response, method)
	if err := errors.Join(headErr, bodyErr); err != nil || f3 != f || !bytes.Equal(out3, out) {
		t.Fatalf("%q goes on as %q: %v", out, out3, err)
	}
	if err := sameForNetHTTP(out, response, method); err != nil && !errors.Is(err, errNetHTTP) {
		t.Fatalf("%q: %v", out, err)
	}
}

// sameAsRead compares the body and the end of a message that both net/http and this package accept as it came.
func sameAsRead(data []byte, response bool, method string) error {
	br := bufio.NewReader(bytes.NewReader(data))
	theirs := bufio.NewReader(bytes.NewReader(data))
	var body Body
	var r io.ReadCloser
	if response {
		var h ResponseHead
		resp, err := http.ReadResponse(theirs, &http.Request{Method: method})
		if err != nil || ReadResponse(br, method, Limits{}, &h) != nil {
			return nil
		}
		body.Reset(br, h.Body, Limits{})
		r = resp.Body
	} else {
		var h RequestHead
		req, err := http.ReadRequest(theirs)
		if err != nil || ReadRequest(br, Limits{}, &h) != nil {
			return nil
		}
		body.Reset(br, h.Body, Limits{})
		r = req.Body
	}
	a, err1 := io.ReadAll(&body)
	b, err2 := io.ReadAll(r)
	if err1 != nil || err2 != nil {
		return nil
	}
	restA, _ := io.ReadAll(br)
	restB, _ := io.ReadAll(theirs)
	if !bytes.Equal(a, b) || !bytes.Equal(restA, restB) {
		return fmt.Errorf("body %q and rest %q, for net/http %q and %q", a, restA, b, restB)
	}
	return nil
}

func FuzzRequest(f *testing.F) {
	for _, c := range corpus(f) {
		if !c.response && len(c.in) < 4096 {
			f.Add(c.in)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkMessage(t, data, false, "")
		if err := sameAsRead(data, false, ""); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzResponse(f *testing.F) {
	for _, c := range corpus(f) {
		if c.response && len(c.in) < 4096 {
			f.Add(c.in, c.method == "HEAD")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		checkMessage(t, data, true, method)
		if err := sameAsRead(data, true, method); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzChunked reads a chunked body in all ways: they agree.
func FuzzChunked(f *testing.F) {
	for _, c := range corpus(f) {
		if _, body, ok := bytes.Cut(c.in, []byte("\r\n\r\n")); ok && len(body) < 4096 {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		br := bufio.NewReader(bytes.NewReader(data))
		var b Body
		b.Reset(br, Framing{Kind: Chunked}, Limits{})
		want, wantErr := io.ReadAll(struct{ io.Reader }{&b})
		rest, _ := io.ReadAll(br)

		br = bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(data)), 16)
		var b2 Body
		b2.Reset(br, Framing{Kind: Chunked}, Limits{})
		var got []byte
		var err error
		for {
			n, done := b2.Buffered(), b2.Done()
			var p []byte
			if p, err = b2.Next(); err != nil {
				break
			}
			if done || len(p) == 0 || n > 0 && n != len(p) {
				t.Fatalf("Buffered is %d, Done %v, Next returns %d", n, done, len(p))
			}
			b2.Done()
			got = append(got, p...)
		}
		rest2, _ := io.ReadAll(br)
		if !bytes.Equal(got, want) || (err == io.EOF) != (wantErr == nil) || err == io.EOF && !bytes.Equal(rest, rest2) {
			t.Fatalf("Next: %q, %v, left %q; Read: %q, %v, left %q", got, err, rest2, want, wantErr, rest)
		}
		if wantErr == nil && !b2.Done() {
			t.Fatal("not done")
		}
	})
}

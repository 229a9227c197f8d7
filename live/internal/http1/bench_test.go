package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"testing"
)

const (
	benchRequest = "GET /shop/items?page=2&sort=price HTTP/1.1\r\n" +
		"Host: shop.example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Connection: keep-alive\r\n" +
		"Referer: http://shop.example.com/shop/\r\n" +
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; seen=1,2,3,4,5\r\n" +
		"Upgrade-Insecure-Requests: 1\r\n" +
		"Sec-Fetch-Mode: navigate\r\n" +
		"If-None-Match: \"5f3e-61c8a9d3b2c40\"\r\n" +
		"Priority: u=0, i\r\n\r\n"
	benchResponse = "HTTP/1.1 200 OK\r\n" +
		"Server: nginx/1.26.3\r\n" +
		"Date: Fri, 27 Nov 2026 10:00:00 GMT\r\n" +
		"Content-Type: text/html; charset=utf-8\r\n" +
		"%s\r\n" +
		"Last-Modified: Thu, 26 Nov 2026 10:00:00 GMT\r\n" +
		"Connection: keep-alive\r\n" +
		"ETag: \"5f3e-61c8a9d3b2c40\"\r\n" +
		"Cache-Control: max-age=60\r\n" +
		"Vary: Accept-Encoding\r\n" +
		"X-Request-Id: 7b1c9d52-1111-4222-8333-944455556666\r\n" +
		"Accept-Ranges: bytes\r\n\r\n"
)

// loop gives the same bytes for ever.
type loop struct {
	data []byte
	at   int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.data[l.at:])
	l.at = (l.at + n) % len(l.data)
	return n, nil
}

func looped(s string) *bufio.Reader { return bufio.NewReaderSize(&loop{data: []byte(s)}, 16<<10) }

func lengthResponse() string {
	return fmt.Sprintf(benchResponse, "Content-Length: 8192") + string(bytes.Repeat([]byte{'x'}, 8192))
}

func chunkedResponse(chunks int) string {
	size := 8192 / chunks
	chunk := fmt.Sprintf("%x\r\n%s\r\n", size, bytes.Repeat([]byte{'x'}, size))
	return fmt.Sprintf(benchResponse, "Transfer-Encoding: chunked") + string(bytes.Repeat([]byte(chunk), chunks)) + "0\r\n\r\n"
}

// relay passes responses on as a proxy does.
type relay struct {
	head ResponseHead
	body Body
	out  BodyWriter
	buf  []byte
}

func (r *relay) one(br *bufio.Reader, w io.Writer) error {
	if err := ReadResponse(br, "GET", Limits{}, &r.head); err != nil {
		return err
	}
	r.buf = AppendResponse(r.buf[:0], &r.head)
	r.body.Reset(br, r.head.Body, Limits{})
	r.out.Reset(w, r.head.Body)
	r.out.Head(r.buf)
	for !r.body.Done() {
		p, err := r.body.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if r.body.Done() {
			return r.out.Finish(p, r.body.Trailers())
		}
		if _, err := r.out.Write(p); err != nil {
			return err
		}
	}
	return r.out.Close(r.body.Trailers())
}

// The heads are all that is allocated: a string and a list each.
func TestAllocations(t *testing.T) {
	var h RequestHead
	br := looped(benchRequest)
	if n := testing.AllocsPerRun(1000, func() {
		if err := ReadRequest(br, Limits{}, &h); err != nil {
			t.Fatal(err)
		}
	}); n > 2 {
		t.Errorf("ReadRequest: %v allocations", n)
	}
	for _, in := range []string{lengthResponse(), chunkedResponse(1), chunkedResponse(64)} {
		br := looped(in)
		var r relay
		if n := testing.AllocsPerRun(1000, func() {
			if err := r.one(br, io.Discard); err != nil {
				t.Fatal(err)
			}
		}); n > 2 {
			t.Errorf("relay: %v allocations", n)
		}
	}
}

func BenchmarkReadRequest(b *testing.B) {
	br := looped(benchRequest)
	var h RequestHead
	b.ReportAllocs()
	b.SetBytes(int64(len(benchRequest)))
	for b.Loop() {
		if err := ReadRequest(br, Limits{}, &h); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	var h RequestHead
	if err := ReadRequest(looped(benchRequest), Limits{}, &h); err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(benchRequest)))
	for b.Loop() {
		buf = AppendRequest(buf[:0], &h)
	}
}

// BenchmarkRelay is one 8 kB response: read, and written again.
func BenchmarkRelay(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"length", lengthResponse()}, {"one chunk", chunkedResponse(1)}, {"64 chunks", chunkedResponse(64)},
	} {
		b.Run(c.name, func(b *testing.B) {
			br := looped(c.in)
			var r relay
			b.ReportAllocs()
			b.SetBytes(int64(len(c.in)))
			for b.Loop() {
				if err := r.one(br, io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadChunked(b *testing.B) {
	in := chunkedResponse(64)
	in = in[bytes.Index([]byte(in), []byte("\r\n\r\n"))+4:]
	br := looped(in)
	var body Body
	buf := make([]byte, 32<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		body.Reset(br, Framing{Kind: Chunked}, Limits{})
		for {
			if _, err := body.Read(buf); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

package live_test

import (
	"fmt"
	"strings"
	"testing"

	"flowkit/live"
)

// The heads that pass through an intercepted tunnel are the same bytes on both sides: order, case and duplicates of fields,
// and all of values but the white space around them. What is not canonical on the line itself is made so.
func TestHeadBytesTLS(t *testing.T) {
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, "x-%c%d: %d\r\n", 'A'+i*7%26, i%17, i)
	}
	const bare = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
	for _, tt := range []struct {
		name           string
		request, heard string // heard: "", the same
		answer, got    string // answer: "", bare; got: "", the same
	}{
		{name: "plain", request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{
			name:    "order, case and duplicates",
			request: "get /A/../b//c?q=%7e&&Q=%7E;{}|^\"'\\` HTTP/1.1\r\nx-b: 1\r\nX-A: 2\r\nhOST: a\r\nX-b: 3\r\naccept-ENCODING: gzip\r\nCookie: a=b\r\nx-B: 1\r\ncookie: c=d\r\nTE: trailers\r\nConnection: TE, x-hop\r\nX-HOP: 1\r\n\r\n",
			answer:  "HTTP/1.1 299 my own  Reason\r\nx-Z: 1\r\nSet-Cookie: a\r\nX-z: 2\r\nset-cookie: b\r\ncontent-LENGTH: 2\r\nSET-COOKIE: a\r\nserver: S\r\nDATE: now\r\nconnection: X-Hop\r\nx-hop: 2\r\n\r\nok",
		},
		{
			name:    "values",
			request: "GET / HTTP/1.1\r\nHost: a\r\nx-empty: \r\nx-inner: a \t b\tc  d\r\nx-bytes: \xe9\xa0\xff\x80\r\nx-list: ,, a ,b,, \"c, \\\"d\"\r\nx-colon: a: b: c:\r\n!#$%&'*+-.^_`|~0: token\r\n\r\n",
			answer:  "HTTP/1.1 200 \xe9t\xe9\r\nx-empty: \r\nx-inner: a \t b\tc  d\r\nx-bytes: \xe9\xa0\xff\x80\r\nx-colon: a: b: c:\r\n!#$%&'*+-.^_`|~0: token\r\nx-control: a\x01\x7fb\r\nContent-Length: 0\r\n\r\n",
		},
		{
			name:    "spacing",
			request: "GET / HTTP/1.1\r\nHost:a\r\nx-none:1\r\nX-Many: \t  2 \t \r\nx-empty:\r\nx-blank: \t \r\n\r\n",
			heard:   "GET / HTTP/1.1\r\nHost: a\r\nx-none: 1\r\nX-Many: 2\r\nx-empty: \r\nx-blank: \r\n\r\n",
			answer:  "HTTP/1.1 200 OK\r\nx-none:1\r\nX-Many: \t  2 \t \r\nx-empty:\r\nX-Before \t: 3\r\nx-folded: a\r\n  b\r\n\tc\r\nx-lf: 4\nContent-Length:0\r\n\r\n",
			got:     "HTTP/1.1 200 OK\r\nx-none: 1\r\nX-Many: 2\r\nx-empty: \r\nX-Before: 3\r\nx-folded: a    b  \tc\r\nx-lf: 4\r\nContent-Length: 0\r\n\r\n",
		},
		{
			name:    "an empty line before the request, no reason",
			request: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
			heard:   "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
			answer:  "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
			got:     "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
		},
		{
			name:    "a body and its length",
			request: "PoSt / HTTP/1.1\r\nX-A: 1\r\ncontent-LENGTH: 4\r\nhost: a\r\nX-a: 2\r\n\r\nbody",
		},
		{
			name:    "chunks and trailers",
			request: "POST / HTTP/1.1\r\nhost: a\r\nTRAILER: x-b, X-A\r\ntransfer-ENCODING: ChunkeD\r\nX-a: 2\r\n\r\n4\r\nbody\r\n0\r\nx-B: 1\r\nX-A: 2\r\nx-b: 3\r\n\r\n",
			answer:  "HTTP/1.1 200 OK\r\nTRAILER: x-b, X-A\r\ntransfer-ENCODING: ChunkeD\r\nX-a: 2\r\n\r\n4\r\nbody\r\n0\r\nx-B: 1\r\nX-A: 2\r\nx-b: 3\r\n\r\n",
		},
		{
			name:    "what is for a proxy",
			request: "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 b\r\nX-Forwarded-For: c\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nMax-Forwards: 1\r\n\r\n",
			heard:   "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 b\r\nX-Forwarded-For: c\r\nProxy-Authorization: Basic x\r\nMax-Forwards: 1\r\n\r\n",
			answer:  "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nVia: 1.1 b\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n",
		},
		{
			name:    "many fields",
			request: "GET / HTTP/1.1\r\n" + many.String() + "Host: a\r\n" + many.String() + "\r\n",
			answer:  "HTTP/1.1 200 OK\r\n" + many.String() + "Content-Length: 0\r\n" + many.String() + "\r\n",
		},
		{
			name:    "HTTP/1.0",
			request: "GET / HTTP/1.0\r\nx-b: 1\r\nConnection: Keep-Alive\r\nX-B: 2\r\n\r\n",
			answer:  "HTTP/1.0 200 ok\r\nx-b: 1\r\ncontent-length: 0\r\nCONNECTION: keep-alive\r\nX-B: 2\r\n\r\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			heard, answer := pick(tt.heard, tt.request), pick(tt.answer, bare)
			got := pick(tt.got, answer)
			cert, pool := certificate(t, nil)
			addr := rawOrigin(t, func(_ int, w *wire) {
				w = overTLS(t, w, &cert)
				for range 2 {
					w.expect(heard)
					w.send(answer)
				}
				if rest, _ := w.rest(); rest != "" {
					t.Errorf("the origin got %q more", rest)
				}
			})
			r := start(t, func(o *live.Options) { o.Roots = pool })
			w, _ := r.tunnel(addr).tls("127.0.0.1", "http/1.1")
			for range 2 { // on the same connections
				w.send(tt.request)
				w.expect(got)
			}
			w.closeWrite()
			if rest, err := w.rest(); rest != "" || err != nil {
				t.Errorf("the client got %q more, %v", rest, err)
			}
			w.Close()
			r.idle()
			if n := len(r.recorded()); n != 2 {
				t.Errorf("%d flows were recorded", n)
			}
		})
	}
}

package http1

import (
	"bufio"
	"errors"
	"strings"
	"testing"
)

// TestReadRequestRefuses holds heads that recipients read in different ways (RFC 9112 §11.2).
func TestReadRequestRefuses(t *testing.T) {
	const post, host = "POST / HTTP/1.1\r\n", "Host: a\r\n"
	for _, c := range []struct {
		name, in string
		status   int
	}{
		{"both lengths", post + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{"chunked twice", post + host + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
		{"two codings fields", post + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400},
		{"identity", post + host + "Transfer-Encoding: identity\r\n\r\n", 400},
		{"gzip, chunked", post + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
		{"vertical tab", post + host + "Transfer-Encoding: \vchunked\r\n\r\n", 400},
		{"space before colon", post + host + "Transfer-Encoding : chunked\r\n\r\n", 400},
		{"underscore", post + host + "Transfer_Encoding: chunked\r\n\r\n", 400},
		{"folded", post + host + "Transfer-Encoding:\r\n chunked\r\n\r\n", 400},
		{"coding in 1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", 400},
		{"same length twice", post + host + "Content-Length: 4\r\nContent-Length: 4\r\n\r\n", 400},
		{"length list", post + host + "Content-Length: 4, 4\r\n\r\n", 400},
		{"plus", post + host + "Content-Length: +4\r\n\r\n", 400},
		{"minus", post + host + "Content-Length: -4\r\n\r\n", 400},
		{"hex", post + host + "Content-Length: 0x4\r\n\r\n", 400},
		{"overflow", post + host + "Content-Length: 18446744073709551620\r\n\r\n", 400},
		{"bare LF", post + "Host: a\n\r\n", 400},
		{"bare CR", post + "Host: a\rX: b\r\n\r\n", 400},
		{"NUL", post + host + "X: a\x00b\r\n\r\n", 400},
		{"two Hosts", post + host + host + "\r\n", 400},
		{"no Host", post + "\r\n", 400},
		{"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
		{"long target", "GET /" + strings.Repeat("a", 300<<10), 414},
		{"long head", post + "X: " + strings.Repeat("a", 300<<10), 431},
		{"many fields", post + strings.Repeat("X: a\r\n", 1001) + "\r\n", 431},
	} {
		t.Run(c.name, func(t *testing.T) {
			var bad *Error
			err := ReadRequest(bufio.NewReader(strings.NewReader(c.in)), Limits{}, &RequestHead{})
			if !errors.As(err, &bad) || bad.Status != c.status {
				t.Errorf("got %v, want status %d", err, c.status)
			}
		})
	}
}

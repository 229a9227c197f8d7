package live

import (
	"bufio"
	"bytes"
)

// protocol is what a connection speaks, by its first bytes.
type protocol uint8

const (
	unknown protocol = iota // more bytes are needed
	overTLS
	overHTTP1
	overHTTP2 // the preface of RFC 9113 §3.4
	overSOCKS5
	overOther
)

const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// sniff tells what b begins. Bytes that could still become a request line are unknown.
func sniff(b []byte) protocol {
	switch {
	case len(b) == 0:
		return unknown
	case b[0] == 0x16: // handshake record, RFC 8446 §5.1
		if len(b) < 2 {
			return unknown
		}
		if b[1] == 3 {
			return overTLS
		}
		return overOther
	case b[0] == 5:
		return overSOCKS5
	}
	if len(b) < len(http2Preface) && http2Preface[:len(b)] == string(b) {
		return unknown
	}
	if bytes.HasPrefix(b, []byte(http2Preface)) {
		return overHTTP2
	}
	b = bytes.TrimLeft(b, "\r\n") // RFC 9112 §2.2: empty lines before a request line are ignored
	line, _, whole := bytes.Cut(b, []byte{'\n'})
	for _, c := range line {
		if c < ' ' && c != '\t' && c != '\r' {
			return overOther
		}
	}
	if !whole {
		if method, _, ok := bytes.Cut(line, []byte{' '}); len(method) > 32 || !ok && len(line) > 32 {
			return overOther
		}
		return unknown
	}
	if i := bytes.LastIndexByte(line, ' '); i > 0 && bytes.HasPrefix(line[i+1:], []byte("HTTP/1.")) {
		return overHTTP1
	}
	return overOther
}

// peek reads until sniff knows, the buffer is full, or reading fails.
func peek(br *bufio.Reader) (protocol, error) {
	for n := 1; ; n = br.Buffered() + 1 {
		if n > br.Size() {
			// A request line as long as the buffer: the codec says what is wrong with it, if anything.
			return overHTTP1, nil
		}
		_, err := br.Peek(n)
		b, _ := br.Peek(br.Buffered())
		if what := sniff(b); what != unknown {
			return what, nil
		}
		if err != nil {
			if len(b) > 0 {
				return overOther, nil
			}
			return unknown, err
		}
	}
}

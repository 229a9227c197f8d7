package websocket

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
)

// window is how far back DEFLATE refers (RFC 1951), the most that RFC 7692 lets two sides agree on.
const window = 1 << 15

// extensions is what the two sides agreed on.
type extensions struct {
	deflate bool // permessage-deflate, RFC 7692
	opaque  bool // something that we do not understand: reserved bits and payloads mean what they mean
	client  compression
	server  compression
}

// compression is how one side compresses.
type compression struct {
	takeover bool // its window lives on from message to message
	bits     int  // its window is 1<<bits bytes, 8 to 15
}

// parseExtensions parses the Sec-WebSocket-Extensions of a 101 (RFC 6455 §9.1, RFC 7692 §7.1). What it does not understand,
// be it another extension or an answer that the RFC forbids, is opaque: it is for the two sides to understand it.
func parseExtensions(s string) extensions {
	opaque := extensions{opaque: true}
	var ext extensions
	for item := range splitQuoted(s, ',') {
		item = trim(item)
		if item == "" {
			continue // RFC 9110 §5.6.1: empty list elements
		}
		first, seen := true, map[string]bool{}
		for param := range splitQuoted(item, ';') {
			name, value, hasValue := strings.Cut(param, "=")
			name, value = strings.ToLower(trim(name)), unquote(trim(value))
			if first {
				if name != "permessage-deflate" || hasValue || ext.deflate {
					return opaque
				}
				first = false
				full := compression{takeover: true, bits: 15}
				ext = extensions{deflate: true, client: full, server: full}
				continue
			}
			if seen[name] {
				return opaque
			}
			seen[name] = true
			side, name, _ := strings.Cut(name, "_")
			c := &ext.client
			if side == "server" {
				c = &ext.server
			} else if side != "client" {
				return opaque
			}
			switch {
			case name == "no_context_takeover" && !hasValue:
				c.takeover = false
			case name == "max_window_bits" && parseBits(value) != 0:
				c.bits = parseBits(value)
			default:
				return opaque
			}
		}
	}
	return ext
}

// parseBits parses max_window_bits, 8 to 15 without leading zeros (RFC 7692 §7.1.2); 0: it is none.
func parseBits(s string) int {
	for bits := 8; bits <= 15; bits++ {
		if s == fmt.Sprint(bits) {
			return bits
		}
	}
	return 0
}

func trim(s string) string { return strings.Trim(s, " \t") }

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// splitQuoted yields what is between sep in s, except within quotes.
func splitQuoted(s string, sep byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '"':
				quoted = !quoted
			case s[i] == '\\' && quoted:
				i++
			case s[i] == sep && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}

// tail is what RFC 7692 §7.2.2 puts behind a compressed message: the end of the empty block that the sender took off. Behind
// it is an empty final block, so that the decompressor comes to a clean end.
const (
	tail       = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff"
	finalBlock = 5
)

// An inflater decompresses one side's messages, one after the other.
type inflater struct {
	takeover bool
	z        io.ReadCloser
	history  []byte // what the next message may refer to is at its end; only with takeover
}

// message decompresses the message that is src into dst.
func (f *inflater) message(dst io.Writer, src *source) error {
	to := dst
	if f.takeover {
		to = historyWriter{f, dst}
	}
	for {
		dict := f.history[max(0, len(f.history)-window):]
		if f.z == nil {
			f.z = flate.NewReaderDict(src, dict)
		} else if err := f.z.(flate.Resetter).Reset(src, dict); err != nil {
			return err
		}
		if _, err := io.Copy(to, f.z); err != nil {
			return err
		}
		if src.tail {
			return nil
		}
		src.some = len(src.b) > 0 // A sender may end blocks with a final one (RFC 7692 §7.2.3.4), behind which more can come.
	}
}

// historyWriter keeps what is written as history of the messages to come.
type historyWriter struct {
	f   *inflater
	dst io.Writer
}

func (w historyWriter) Write(p []byte) (int, error) {
	f := w.f
	if len(p) >= window {
		f.history = append(f.history[:0], p[len(p)-window:]...)
	} else {
		if len(f.history)+len(p) > 2*window {
			f.history = f.history[:copy(f.history, f.history[len(f.history)-window:])]
		}
		f.history = append(f.history, p...)
	}
	return w.dst.Write(p)
}

// A deflater compresses messages that we encode ourselves in place of one side.
type deflater struct {
	bits int
	w    *flate.Writer
	out  bytes.Buffer // what is compressed and not yet sent
}

// reset forgets what was compressed: what comes next refers only to itself.
func (z *deflater) reset() {
	z.out.Reset()
	switch {
	case z.w != nil:
		z.w.Reset(&z.out)
	case z.bits < 15:
		z.w, _ = flate.NewWriterWindow(&z.out, 1<<z.bits)
	default:
		z.w, _ = flate.NewWriter(&z.out, flate.BestSpeed)
	}
}

func (z *deflater) write(p []byte) { _, _ = z.w.Write(p) } // to memory

// flush ends a message and returns what of it was not sent before, valid until sent.
func (z *deflater) flush() []byte {
	_ = z.w.Flush()
	b := z.out.Bytes()
	return b[:len(b)-4] // RFC 7692 §7.2.1: without 00 00 ff ff
}

// sent forgets what flush returned.
func (z *deflater) sent() {
	if z.out.Reset(); z.out.Cap() > keepBuffer {
		z.out = bytes.Buffer{}
	}
}

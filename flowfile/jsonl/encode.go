package jsonl

import (
	"encoding/base64"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"flowkit/flowfile"
)

// encoder appends JSON to a buffer and gives it to w when it is large.
type encoder struct {
	w   io.Writer
	buf []byte
	sep bool // a comma is due
	err error
}

const flushAt = 256 << 10

func (e *encoder) flush() {
	if e.err == nil && len(e.buf) > 0 {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) open(c byte) {
	e.comma()
	e.buf = append(e.buf, c)
	e.sep = false
}

func (e *encoder) close(c byte) {
	e.buf = append(e.buf, c)
	e.sep = true
	if len(e.buf) > flushAt {
		e.flush()
	}
}

func (e *encoder) comma() {
	if e.sep {
		e.buf = append(e.buf, ',')
	}
	e.sep = true
}

func (e *encoder) key(k string) {
	e.comma()
	e.buf = appendString(e.buf, k)
	e.buf = append(e.buf, ':')
	e.sep = false
}

// raw appends a value that is JSON already.
func (e *encoder) raw(s string) {
	e.comma()
	e.buf = append(e.buf, s...)
}

// str writes text as a string and other bytes as {"base64": …}.
func (e *encoder) str(s string) {
	if utf8.ValidString(s) {
		e.comma()
		e.buf = appendString(e.buf, s)
		return
	}
	e.open('{')
	e.key("base64")
	e.base64(s)
	e.close('}')
}

func (e *encoder) base64(s string) {
	e.comma()
	e.buf = append(e.buf, '"')
	e.buf = base64.StdEncoding.AppendEncode(e.buf, []byte(s))
	e.buf = append(e.buf, '"')
}

func (e *encoder) int(n int64) {
	e.comma()
	e.buf = strconv.AppendInt(e.buf, n, 10)
}

func (e *encoder) bool(b bool) {
	e.comma()
	e.buf = strconv.AppendBool(e.buf, b)
}

// float writes numbers so that they read as floats again.
func (e *encoder) float(f float64) {
	switch {
	case math.IsNaN(f):
		e.raw(`{"float":"nan"}`)
		return
	case math.IsInf(f, 0):
		s := "inf"
		if f < 0 {
			s = "-inf"
		}
		e.raw(`{"float":"` + s + `"}`)
		return
	}
	e.comma()
	at := len(e.buf)
	e.buf = strconv.AppendFloat(e.buf, f, 'g', -1, 64)
	for _, c := range e.buf[at:] {
		if c == '.' || c == 'e' {
			return
		}
	}
	e.buf = append(e.buf, ".0"...)
}

// The fields below are left out when they are empty.

func (e *encoder) optStr(k, v string) {
	if v != "" {
		e.key(k)
		e.str(v)
	}
}

func (e *encoder) optInt(k string, v int64) {
	if v != 0 {
		e.key(k)
		e.int(v)
	}
}

func (e *encoder) optBool(k string, v bool) {
	if v {
		e.key(k)
		e.bool(true)
	}
}

func (e *encoder) optTime(k string, t flowfile.Time) {
	if t.Known() {
		e.key(k)
		e.str(t.RFC3339())
	}
}

const hexDigits = "0123456789abcdef"

// appendString appends s, which must be valid UTF-8, as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(b, s[from:]...)
}

// value writes metadata.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case nil:
		e.raw("null")
	case bool:
		e.bool(v)
	case int64:
		e.int(v)
	case float64:
		e.float(v)
	case flowfile.BigInt:
		e.raw(string(v))
	case string:
		e.str(v)
	case flowfile.Bytes:
		e.open('{')
		e.key("base64")
		e.base64(string(v))
		e.close('}')
	case flowfile.List:
		e.open('[')
		for _, x := range v {
			e.value(x)
		}
		e.close(']')
	case flowfile.Map:
		e.mapping(v)
	}
}

// mapping writes a map as an object, unless it would read as something else.
func (e *encoder) mapping(m flowfile.Map) {
	if plainMap(m) {
		e.open('{')
		for _, x := range m {
			e.key(x.Key)
			e.value(x.Value)
		}
		e.close('}')
		return
	}
	e.open('{')
	e.key("map")
	e.open('[')
	for _, x := range m {
		e.open('[')
		e.str(x.Key)
		e.value(x.Value)
		e.close(']')
	}
	e.close(']')
	e.close('}')
}

func plainMap(m flowfile.Map) bool {
	seen := make(map[string]bool, len(m))
	for _, x := range m {
		if !utf8.ValidString(x.Key) || seen[x.Key] {
			return false
		}
		seen[x.Key] = true
	}
	return len(m) != 1 || !special(m[0].Key)
}

// special tells whether an object with this one key stands for another kind of value.
func special(key string) bool { return key == "base64" || key == "float" || key == "map" }

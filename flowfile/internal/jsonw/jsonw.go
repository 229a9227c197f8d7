// Package jsonw writes JSON token by token, so that strings larger than memory can be
// written. It knows nothing of flows.
package jsonw

import (
	"bufio"
	"encoding/base64"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// Writer writes JSON values. The caller keeps the grammar: a Key before each value in an
// object, as many ends as beginnings. The first error of the underlying writer stays.
type Writer struct {
	w      *bufio.Writer
	err    error
	pretty bool
	depth  int
	comma  bool // the next element of the container needs one
	value  bool // the next value follows its key
	buf    []byte
}

// New returns a Writer to w, indented by two spaces if pretty.
func New(w io.Writer, pretty bool) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), pretty: pretty}
}

// Err returns the first error.
func (w *Writer) Err() error { return w.err }

// Flush hands all that was written to the underlying writer.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

func (w *Writer) byte(c byte) {
	if w.err == nil {
		w.err = w.w.WriteByte(c)
	}
}

func (w *Writer) newline() {
	if !w.pretty {
		return
	}
	w.byte('\n')
	for range w.depth {
		w.write([]byte("  "))
	}
}

// element begins a value or key of the current container.
func (w *Writer) element() {
	if w.value {
		w.value = false
		return
	}
	if w.comma {
		w.byte(',')
	}
	if w.depth > 0 {
		w.newline()
	}
}

func (w *Writer) begin(c byte) {
	w.element()
	w.byte(c)
	w.depth++
	w.comma = false
}

func (w *Writer) end(c byte) {
	w.depth--
	if w.comma {
		w.newline()
	}
	w.byte(c)
	w.comma = true
}

// Object begins an object.
func (w *Writer) Object() { w.begin('{') }

// EndObject ends it.
func (w *Writer) EndObject() { w.end('}') }

// Array begins an array.
func (w *Writer) Array() { w.begin('[') }

// EndArray ends it.
func (w *Writer) EndArray() { w.end(']') }

// Key writes a key; a value must follow.
func (w *Writer) Key(s string) {
	w.element()
	w.quote(s)
	w.byte(':')
	if w.pretty {
		w.byte(' ')
	}
	w.value = true
}

// Line ends a value that is a line of its own.
func (w *Writer) Line() {
	w.byte('\n')
	w.comma, w.value, w.depth = false, false, 0
}

// String writes a string; bytes that are not UTF-8 become U+FFFD.
func (w *Writer) String(s string) {
	w.element()
	w.quote(s)
	w.comma = true
}

func (w *Writer) quote(s string) {
	w.byte('"')
	w.buf = AppendEscaped(w.buf[:0], s)
	w.write(w.buf)
	w.byte('"')
	if cap(w.buf) > 1<<20 {
		w.buf = nil
	}
}

// Raw writes a value that is JSON already.
func (w *Writer) Raw(s string) {
	w.element()
	w.write([]byte(s))
	w.comma = true
}

// Int writes a number.
func (w *Writer) Int(n int64) {
	w.element()
	w.buf = strconv.AppendInt(w.buf[:0], n, 10)
	w.write(w.buf)
	w.comma = true
}

// Decimal writes a number without exponent, as short as it can be; not finite ones as 0.
func (w *Writer) Decimal(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	w.element()
	w.buf = strconv.AppendFloat(w.buf[:0], f, 'f', -1, 64)
	w.write(w.buf)
	w.comma = true
}

// Bool writes true or false.
func (w *Writer) Bool(b bool) { w.Raw(strconv.FormatBool(b)) }

// Null writes null.
func (w *Writer) Null() { w.Raw("null") }

// Base64 writes s as a string in base64.
func (w *Writer) Base64(s string) {
	if len(s) > 32<<10 {
		b := w.Base64Stream()
		_, _ = io.WriteString(b, s)
		_ = b.Close()
		return
	}
	w.element()
	w.byte('"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf[:0], []byte(s))
	w.write(w.buf)
	w.byte('"')
	w.comma = true
}

// TextStream begins a string whose UTF-8 is written piece by piece; Close ends it.
func (w *Writer) TextStream() io.WriteCloser {
	w.element()
	w.byte('"')
	return &text{w: w}
}

type text struct {
	w    *Writer
	rest []byte // the beginning of a rune
}

func (t *text) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		chunk := p[:min(len(p), 32<<10)]
		p = p[len(chunk):]
		if len(t.rest) > 0 {
			chunk = append(t.rest, chunk...)
			t.rest = nil
		}
		cut := len(chunk) - partial(chunk)
		t.w.buf = AppendEscaped(t.w.buf[:0], chunk[:cut])
		t.w.write(t.w.buf)
		t.rest = append([]byte(nil), chunk[cut:]...)
	}
	return n, t.w.err
}

func (t *text) Close() error {
	t.w.buf = AppendEscaped(t.w.buf[:0], t.rest)
	t.w.write(t.w.buf)
	t.w.byte('"')
	t.w.comma = true
	return t.w.err
}

// partial returns how many bytes at the end of b may be the beginning of a rune.
func partial(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// Base64Stream begins a string in base64 whose bytes are written piece by piece; Close
// ends it.
func (w *Writer) Base64Stream() io.WriteCloser {
	w.element()
	w.byte('"')
	return &base64Text{base64.NewEncoder(base64.StdEncoding, sink{w}), w}
}

type base64Text struct {
	io.WriteCloser
	w *Writer
}

func (b *base64Text) Close() error {
	_ = b.WriteCloser.Close()
	b.w.byte('"')
	b.w.comma = true
	return b.w.err
}

type sink struct{ w *Writer }

func (s sink) Write(p []byte) (int, error) {
	s.w.write(p)
	return len(p), s.w.err
}

const hex = "0123456789abcdef"

// AppendEscaped appends s as the inside of a JSON string; bytes that are not UTF-8 become
// U+FFFD.
func AppendEscaped[T string | []byte](b []byte, s T) []byte {
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		b = append(b, s[done:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			if c < ' ' {
				b = append(b, `\u00`...)
				b = append(b, hex[c>>4], hex[c&15])
			} else {
				b = append(b, `\ufffd`...)
			}
		}
		i++
		done = i
	}
	return append(b, s[done:]...)
}

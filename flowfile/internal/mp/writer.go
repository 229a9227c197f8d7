package mp

import (
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Writer appends msgpack tokens to its own buffer, each in its shortest form. The zero
// value is ready. It cannot fail. A Writer must not be copied after its first use.
type Writer struct {
	buf buffer
	enc *msgpack.Encoder // writes to buf; made when first needed
}

// Reset empties the buffer and keeps its memory.
func (w *Writer) Reset() { w.buf = w.buf[:0] }

// Bytes returns what was written since Reset. It is valid until the next call.
func (w *Writer) Bytes() []byte { return w.buf }

// Len returns the number of bytes written since Reset.
func (w *Writer) Len() int { return len(w.buf) }

// MapLen starts a map of n pairs: the caller writes n keys and n values.
func (w *Writer) MapLen(n int) {
	if n < 16 {
		w.buf = append(w.buf, msgpcode.FixedMapLow|byte(n))
		return
	}
	must(w.encoder().EncodeMapLen(n))
}

// ArrayLen starts an array of n elements.
func (w *Writer) ArrayLen(n int) {
	if n < 16 {
		w.buf = append(w.buf, msgpcode.FixedArrayLow|byte(n))
		return
	}
	must(w.encoder().EncodeArrayLen(n))
}

// Str writes s as a str if it is valid UTF-8, else as a bin.
func (w *Writer) Str(s string) {
	if !utf8.ValidString(s) {
		w.BinString(s)
		return
	}
	if len(s) < 32 {
		w.buf = append(w.buf, msgpcode.FixedStrLow|byte(len(s)))
		w.buf = append(w.buf, s...)
		return
	}
	must(w.encoder().EncodeString(s))
}

// Bin writes b as a bin.
func (w *Writer) Bin(b []byte) {
	must(w.encoder().EncodeBytesLen(len(b)))
	w.buf = append(w.buf, b...)
}

// BinString writes the bytes of s as a bin.
func (w *Writer) BinString(s string) {
	must(w.encoder().EncodeBytesLen(len(s)))
	w.buf = append(w.buf, s...)
}

// Int writes an integer.
func (w *Writer) Int(i int64) {
	if i >= -32 && i < 128 {
		w.buf = append(w.buf, byte(i))
		return
	}
	must(w.encoder().EncodeInt(i))
}

// Uint writes an unsigned integer.
func (w *Writer) Uint(u uint64) { must(w.encoder().EncodeUint(u)) }

// Bool writes a bool.
func (w *Writer) Bool(b bool) { must(w.encoder().EncodeBool(b)) }

// Float writes a 64-bit float.
func (w *Writer) Float(f float64) { must(w.encoder().EncodeFloat64(f)) }

// Nil writes a nil.
func (w *Writer) Nil() { w.buf = append(w.buf, msgpcode.Nil) }

// Raw appends b, which must be one or more whole values.
func (w *Writer) Raw(b []byte) { w.buf = append(w.buf, b...) }

func (w *Writer) encoder() *msgpack.Encoder {
	if w.enc == nil {
		w.enc = msgpack.NewEncoder(&w.buf)
	}
	return w.enc
}

// must holds because buffer's writes never fail.
func must(err error) {
	if err != nil {
		panic("mp: internal error: " + err.Error())
	}
}

// buffer is the io.Writer and io.ByteWriter that the msgpack encoder writes to.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

func (b *buffer) WriteByte(c byte) error {
	*b = append(*b, c)
	return nil
}

// WriteString spares the encoder a conversion.
func (b *buffer) WriteString(s string) (int, error) {
	*b = append(*b, s...)
	return len(s), nil
}

package mp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Reader reads the tokens of one segment. The zero value reads an empty segment; Reset
// gives it another. The first error sticks: every later call returns the zero value and
// Err tells the error. A Reader must not be copied after its first use, and not be used by
// two goroutines at a time.
//
// Strings and slices it returns alias the segment: they are valid as long as nobody
// changes the segment's bytes, and keep the whole segment in memory.
type Reader struct {
	src source
	dec *msgpack.Decoder // reads from src; made when first needed
	err error
}

// Reset makes r read b from its start and forgets an earlier error.
func (r *Reader) Reset(b []byte) {
	r.src.b = b
	r.src.pos = 0
	r.err = nil
}

// Pos returns the offset of the next token in the segment.
func (r *Reader) Pos() int { return r.src.pos }

// Len returns the number of bytes left.
func (r *Reader) Len() int { return len(r.src.b) - r.src.pos }

// Err returns the first error, an *Error, or nil.
func (r *Reader) Err() error { return r.err }

// Fail sets the sticky error at the present offset, unless there is one already. A caller
// uses it when a token is well formed but wrong.
func (r *Reader) Fail(err error) { r.failAt(r.src.pos, err) }

func (r *Reader) failAt(pos int, err error) {
	if r.err != nil || err == nil {
		return
	}
	var placed *Error
	if errors.As(err, &placed) {
		r.err = err
		return
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrShort
	}
	r.err = &Error{Offset: pos, Err: err}
}

// Kind tells what the next token is, without consuming it.
func (r *Reader) Kind() Kind {
	if r.err != nil || r.src.pos >= len(r.src.b) {
		return KindEnd
	}
	return kindOf(r.src.b[r.src.pos])
}

// MapLen reads the header of a map and returns its number of pairs, or -1 for a nil.
// A map that could not fit in the rest of the segment is an error.
func (r *Reader) MapLen() int {
	if c, ok := r.code(); ok && msgpcode.IsFixedMap(c) {
		r.src.pos++
		return r.counted(int(c&msgpcode.FixedMapMask), 2)
	}
	if !r.want(KindMap, KindNil) {
		return 0
	}
	n, err := r.decoder().DecodeMapLen()
	if err != nil {
		r.Fail(err)
		return 0
	}
	return r.counted(n, 2)
}

// ArrayLen reads the header of an array and returns its number of elements, or -1 for a
// nil. An array that could not fit in the rest of the segment is an error.
func (r *Reader) ArrayLen() int {
	if c, ok := r.code(); ok && msgpcode.IsFixedArray(c) {
		r.src.pos++
		return r.counted(int(c&msgpcode.FixedArrayMask), 1)
	}
	if !r.want(KindArray, KindNil) {
		return 0
	}
	n, err := r.decoder().DecodeArrayLen()
	if err != nil {
		r.Fail(err)
		return 0
	}
	return r.counted(n, 1)
}

// counted checks a count of elements of at least size bytes against the rest.
func (r *Reader) counted(n, size int) int {
	if n > r.Len()/size {
		r.Fail(fmt.Errorf("%d elements: %w", n, ErrShort))
		return 0
	}
	return n
}

// Str reads a str or a bin. The string aliases the segment.
func (r *Reader) Str() string {
	if c, ok := r.code(); ok {
		b, i := r.src.b, r.src.pos
		if msgpcode.IsFixedString(c) {
			if n := int(c & msgpcode.FixedStrMask); n <= len(b)-i-1 {
				r.src.pos = i + 1 + n
				return view(b[i+1 : i+1+n])
			}
		} else if (c == msgpcode.Str8 || c == msgpcode.Bin8) && i+1 < len(b) {
			if n := int(b[i+1]); n <= len(b)-i-2 {
				r.src.pos = i + 2 + n
				return view(b[i+2 : i+2+n])
			}
		}
	}
	if !r.want(KindStr, KindBin) {
		return ""
	}
	n, err := r.decoder().DecodeBytesLen()
	if err != nil {
		r.Fail(err)
		return ""
	}
	return view(r.Take(n))
}

// Int reads an integer. An unsigned integer above the int64 range is an error.
func (r *Reader) Int() int64 {
	if c, ok := r.code(); ok && msgpcode.IsFixedNum(c) {
		r.src.pos++
		return int64(int8(c))
	}
	if r.err == nil {
		if n, size := wideInt(r.src.b[r.src.pos:]); size > 0 {
			r.src.pos += size
			return n
		}
	}
	return r.slowInt()
}

// wideInt reads an integer of more than one byte, the commonest tokens after short strings:
// sizes, offsets and times. Its size is 0 for everything else.
func wideInt(b []byte) (n int64, size int) {
	if len(b) == 0 {
		return 0, 0
	}
	switch c := b[0]; {
	case c == msgpcode.Uint8 && len(b) >= 2:
		return int64(b[1]), 2
	case c == msgpcode.Uint16 && len(b) >= 3:
		return int64(binary.BigEndian.Uint16(b[1:])), 3
	case c == msgpcode.Uint32 && len(b) >= 5:
		return int64(binary.BigEndian.Uint32(b[1:])), 5
	case c == msgpcode.Int64 && len(b) >= 9:
		return int64(binary.BigEndian.Uint64(b[1:])), 9
	case c == msgpcode.Int32 && len(b) >= 5:
		return int64(int32(binary.BigEndian.Uint32(b[1:]))), 5
	case c == msgpcode.Int16 && len(b) >= 3:
		return int64(int16(binary.BigEndian.Uint16(b[1:]))), 3
	}
	return 0, 0
}

func (r *Reader) slowInt() int64 {
	if !r.want(KindInt, KindInt) {
		return 0
	}
	start, unsigned := r.src.pos, r.src.b[r.src.pos] == msgpcode.Uint64
	n, err := r.decoder().DecodeInt64()
	if err == nil && unsigned && n < 0 {
		err = ErrRange
	}
	if err != nil {
		r.failAt(start, err)
		return 0
	}
	return n
}

// Uint reads an integer. A negative one is an error.
func (r *Reader) Uint() uint64 {
	if !r.want(KindInt, KindInt) {
		return 0
	}
	start, unsigned := r.src.pos, r.src.b[r.src.pos] == msgpcode.Uint64
	n, err := r.decoder().DecodeUint64()
	if err == nil && !unsigned && int64(n) < 0 {
		err = ErrRange
	}
	if err != nil {
		r.failAt(start, err)
		return 0
	}
	return n
}

// Bool reads a bool.
func (r *Reader) Bool() bool {
	if !r.want(KindBool, KindBool) {
		return false
	}
	v, err := r.decoder().DecodeBool()
	r.Fail(err)
	return v
}

// Float reads a float, or an integer as a float.
func (r *Reader) Float() float64 {
	if !r.want(KindFloat, KindInt) {
		return 0
	}
	v, err := r.decoder().DecodeFloat64()
	if err != nil {
		r.Fail(err)
		return 0
	}
	return v
}

// IsNil consumes a nil if it is next, and reports whether it was.
func (r *Reader) IsNil() bool {
	if c, ok := r.code(); !ok || c != msgpcode.Nil {
		return false
	}
	r.src.pos++
	return true
}

// Take consumes n bytes of the segment, whatever they are, and returns them. They alias
// the segment. A negative n or one beyond the rest is an error.
func (r *Reader) Take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > r.Len() {
		r.Fail(fmt.Errorf("%d bytes: %w", n, ErrShort))
		return nil
	}
	i := r.src.pos
	r.src.pos = i + n
	return r.src.b[i : i+n : i+n]
}

// code returns the code of the next token; false at the end or after an error.
func (r *Reader) code() (byte, bool) {
	if r.err != nil || r.src.pos >= len(r.src.b) {
		return 0, false
	}
	return r.src.b[r.src.pos], true
}

// want reports whether the next token is of kind a or b, and fails if not.
func (r *Reader) want(a, b Kind) bool {
	k := r.Kind()
	if k == a || k == b {
		return true
	}
	if k == KindEnd {
		r.Fail(ErrShort)
		return false
	}
	r.Fail(fmt.Errorf("%w: want %v, found %v", ErrKind, a, k))
	return false
}

func (r *Reader) decoder() *msgpack.Decoder {
	if r.dec == nil {
		r.dec = msgpack.NewDecoder(&r.src)
	}
	return r.dec
}

// view returns b as a string without copying.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

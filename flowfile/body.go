package flowfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unsafe"
)

// BodyState tells what is there of a body.
type BodyState uint8

// The states of a body. Absent is not empty: the bytes are not known (streamed and not
// kept, or never recorded). Truncated: a first part is known.
const (
	BodyAbsent BodyState = iota
	BodyPresent
	BodyTruncated
)

// Body is a message's bytes as they were on the wire, content-encoding still applied.
// It is a value; copying it copies no bytes. The zero value is absent.
type Body struct {
	state BodyState
	data  string  // the bytes, if src is nil
	src   Content // where the bytes lie
	total int64   // truncated: full length on the wire, -1 unknown
}

// Content is where a body's bytes lie: a place in a file, a spool. It is safe for
// concurrent use and may be opened many times.
type Content interface {
	// Open returns the bytes from the beginning.
	Open() (io.ReadCloser, error)
	// Size returns their number, -1 if it is unknown until they are read.
	Size() int64
}

// BytesContent is a Content that has its bytes at hand or can get them in one piece.
type BytesContent interface {
	Content
	// Bytes returns all bytes; the caller must not change them.
	Bytes() ([]byte, error)
}

// ExtentContent is a Content that lies uncompressed in a file.
type ExtentContent interface {
	Content
	// Extent returns the place, and false if there is none.
	Extent() (Extent, bool)
}

// Extent is a range of bytes in a file.
type Extent struct {
	File        string
	Offset, Len int64
}

// BytesBody returns a present body of b, which must not be changed afterwards.
func BytesBody(b []byte) Body {
	return Body{state: BodyPresent, data: unsafe.String(unsafe.SliceData(b), len(b))}
}

// StringBody returns a present body of s.
func StringBody(s string) Body { return Body{state: BodyPresent, data: s} }

// ContentBody returns a present body whose bytes lie in c.
func ContentBody(c Content) Body { return Body{state: BodyPresent, src: c} }

// Truncate returns b marked as the first part of total bytes, -1 if unknown.
func (b Body) Truncate(total int64) Body {
	b.state, b.total = BodyTruncated, total
	return b
}

// State tells what is there.
func (b Body) State() BodyState { return b.state }

// Size returns the number of bytes that are there: 0 for an absent body, -1 if it is
// unknown until the body is read.
func (b Body) Size() int64 {
	if b.src != nil {
		return b.src.Size()
	}
	return int64(len(b.data))
}

// Total returns the length on the wire: Size, but for a truncated body; -1 if unknown.
func (b Body) Total() int64 {
	if b.state == BodyTruncated {
		return b.total
	}
	return b.Size()
}

// Open returns the bytes from the beginning; an absent body has none.
func (b Body) Open() (io.ReadCloser, error) {
	if b.src != nil {
		return b.src.Open()
	}
	return io.NopCloser(strings.NewReader(b.data)), nil
}

// ErrTooLarge is returned for a body that exceeds the limit of who wants it in memory.
var ErrTooLarge = errors.New("body too large")

// Bytes returns all bytes, which the caller must not change; a body of more than limit
// bytes is ErrTooLarge (limit < 0: none).
func (b Body) Bytes(limit int64) ([]byte, error) {
	if b.src == nil {
		if limit >= 0 && int64(len(b.data)) > limit {
			return nil, tooLarge(int64(len(b.data)), limit)
		}
		return unsafe.Slice(unsafe.StringData(b.data), len(b.data)), nil
	}
	if n := b.src.Size(); limit >= 0 && n > limit {
		return nil, tooLarge(n, limit)
	}
	if c, ok := b.src.(BytesContent); ok {
		return c.Bytes()
	}
	r, err := b.src.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var in io.Reader = r
	if limit >= 0 {
		in = io.LimitReader(r, limit+1)
	}
	var buf bytes.Buffer
	if n := b.src.Size(); n > 0 && n < 1<<30 {
		buf.Grow(int(n) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(in); err != nil {
		return nil, err
	}
	if limit >= 0 && int64(buf.Len()) > limit {
		return nil, tooLarge(-1, limit)
	}
	return buf.Bytes(), nil
}

func tooLarge(n, limit int64) error {
	if n < 0 {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, n, limit)
}

// Content returns where the bytes lie, nil for bytes in memory and absent bodies.
func (b Body) Content() Content { return b.src }

// Extent returns the place of the bytes if they lie uncompressed in a file.
func (b Body) Extent() (Extent, bool) {
	if c, ok := b.src.(ExtentContent); ok {
		return c.Extent()
	}
	return Extent{}, false
}

func (b Body) clone() Body {
	b.data = strings.Clone(b.data)
	return b
}

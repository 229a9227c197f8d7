package mitm

import (
	"io"

	"flowkit/flowfile"
)

// chunk is a stretch of input that flows lie in. What was read into it is never written
// again; it stays while something refers to it, a mapping until exit. Its fields do not
// change: flows are used beside the reader.
type chunk struct {
	data   []byte // also what is not yet read
	base   int64  // place of data[0] in the input
	name   string // the file that data is mapped from at base, "" for none
	mapped bool
}

// mapped is a body that lies in a mapped file.
type mapped struct {
	chunk *chunk
	off   int // in chunk.data
	n     int
}

var (
	_ flowfile.BytesContent  = (*mapped)(nil)
	_ flowfile.ExtentContent = (*mapped)(nil)
)

func (m *mapped) bytes() []byte { return m.chunk.data[m.off : m.off+m.n : m.off+m.n] }

// Open returns the bytes from the beginning.
func (m *mapped) Open() (io.ReadCloser, error) { return flowfile.BytesBody(m.bytes()).Open() }

// Size returns the number of bytes.
func (m *mapped) Size() int64 { return int64(m.n) }

// Bytes returns the bytes in the mapping.
func (m *mapped) Bytes() ([]byte, error) { return m.bytes(), nil }

// Extent returns the place in the file.
func (m *mapped) Extent() (flowfile.Extent, bool) {
	if m.chunk.name == "" {
		return flowfile.Extent{}, false
	}
	return flowfile.Extent{File: m.chunk.name, Offset: m.chunk.base + int64(m.off), Len: int64(m.n)}, true
}

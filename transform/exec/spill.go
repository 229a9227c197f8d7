package exec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"flowkit/flowfile"
	"flowkit/flowfile/jsonl"
)

// spill is a temporary file of flows, each a line of JSON that has also the origin. Larger
// bodies lie beside their line; those that lie in an input stay there.
//
//	bodies | header | refs | line
type spill struct {
	file *os.File
	size int64  // with what is in buf
	buf  []byte // the end of the file, not yet written

	inputs []*os.File
	byName map[string]int // in inputs, -1 for a file that is of no use
}

// spillHeader is what a record in the file begins with.
type spillHeader struct {
	Prev   int64 // the one before of the same id, -1 for none
	Number int64
	Sum    uint64
	Size   int64 // of the entry
	Refs   uint32
	Line   uint32
}

// spillRef is a body that is not in the line.
type spillRef struct {
	Total  int64
	Offset int64
	Len    int64
	Input  int32 // where it lies: an input, -1 for the file itself
	Part   uint8 // flowfile.BodyRequest or BodyResponse
	State  flowfile.BodyState
	_      [2]byte
}

var (
	headerSize = binary.Size(spillHeader{})
	refSize    = binary.Size(spillRef{})
)

const (
	spillBuffer = 1 << 20
	inLine      = 1 << 10  // the largest body that a line has
	inRecord    = 16 << 20 // the most bytes of messages that a line has
	maxInputs   = 64       // files that are open for the bodies in them
)

// errStays is a flow that stays in memory: its body cannot be read, or its messages are so
// many that whoever read them does not hold them in memory either.
var errStays = errors.New("not to be spilled")

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "flowkit-exec-*")
	if err != nil {
		return nil, err
	}
	// Where an open file cannot be unlinked it stays in the temporary folder.
	_ = os.Remove(f.Name())
	return &spill{file: f, byName: make(map[string]int)}, nil
}

// Write appends p.
func (s *spill) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	s.size += int64(len(p))
	if len(s.buf) < spillBuffer {
		return len(p), nil
	}
	return len(p), s.flush()
}

func (s *spill) flush() error {
	_, err := s.file.WriteAt(s.buf, s.size-int64(len(s.buf)))
	s.buf = s.buf[:0]
	return err
}

// get reads n bytes.
func (s *spill) get(at int64, n int) ([]byte, error) {
	if at+int64(n) > s.size-int64(len(s.buf)) {
		if err := s.flush(); err != nil {
			return nil, err
		}
	}
	b := make([]byte, n)
	_, err := s.file.ReadAt(b, at)
	return b, err
}

// add writes the flow of e and returns its place.
func (s *spill) add(e *entry, prev int64) (int64, error) {
	if !messagesFit(e.flow.Messages()) {
		return 0, errStays
	}
	n := e.flow.Copy()
	if o := n.Origin(); o != nil {
		n.SetOrigin(flowfile.KeptOrigin(o.Format(), o.Kept(e.flow)))
	}
	var refs []spillRef
	keep := func(m *flowfile.Message, part uint8) error {
		ref, ok, err := s.body(m.Body())
		if err != nil || !ok {
			return err
		}
		ref.Part = part
		refs = append(refs, ref)
		m.InitBody(flowfile.Body{})
		return nil
	}
	if r := n.Request(); r != nil {
		if err := keep(&r.Message, flowfile.BodyRequest); err != nil {
			return 0, err
		}
	}
	if r := n.Response(); r != nil {
		if err := keep(&r.Message, flowfile.BodyResponse); err != nil {
			return 0, err
		}
	}
	var line bytes.Buffer
	w := jsonl.NewWriter(&line, jsonl.Options{})
	if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{n}}); err != nil {
		return 0, errStays
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	h := spillHeader{
		Prev: prev, Number: e.number, Sum: e.sum, Size: e.size, Refs: uint32(len(refs)), Line: uint32(line.Len()),
	}
	at := s.size
	record, err := binary.Append(nil, binary.LittleEndian, &h)
	if err == nil {
		record, err = binary.Append(record, binary.LittleEndian, refs)
	}
	if err != nil {
		panic("exec: internal error: " + err.Error())
	}
	if _, err := s.Write(record); err != nil {
		return 0, err
	}
	_, err = s.Write(line.Bytes())
	return at, err
}

func messagesFit(ms *flowfile.Messages) bool {
	if ms.Len() > maxMessages {
		return false
	}
	left := int64(inRecord)
	for m, err := range ms.All() {
		if left -= m.Body.Size(); err != nil || m.Body.Size() < 0 || left < 0 {
			return false
		}
	}
	return true
}

// body puts a body beside the line; false is one for the line.
func (s *spill) body(b flowfile.Body) (ref spillRef, ok bool, err error) {
	ref = spillRef{Total: b.Total(), Offset: s.size, Len: b.Size(), Input: -1, State: b.State()}
	if ref.Len >= 0 && ref.Len <= inLine {
		return ref, false, nil
	}
	if x, ok := b.Extent(); ok {
		if i := s.input(x.File, b); i >= 0 {
			ref.Offset, ref.Input = x.Offset, int32(i)
			return ref, true, nil
		}
	}
	r, err := b.Open()
	if err != nil {
		return ref, false, errStays
	}
	defer r.Close()
	w := &noting{w: s}
	ref.Len, err = io.Copy(w, r)
	switch {
	case w.err != nil:
		return ref, false, w.err
	case err != nil:
		return ref, false, errStays
	}
	return ref, true, nil
}

// input returns the number of the file of a body, -1 if it is not to be had.
func (s *spill) input(name string, b flowfile.Body) int {
	if i, ok := s.byName[name]; ok {
		return i
	}
	i := -1
	if f, err := os.Open(name); err == nil {
		if x, _ := b.Extent(); len(s.inputs) < maxInputs && sameBytes(io.NewSectionReader(f, x.Offset, x.Len), b) {
			i = len(s.inputs)
			s.inputs = append(s.inputs, f)
		} else { // another file has its name by now
			f.Close()
		}
	}
	s.byName[name] = i
	return i
}

// header reads the header of a record.
func (s *spill) header(at int64) (*spillHeader, error) {
	b, err := s.get(at, headerSize)
	if err != nil {
		return nil, err
	}
	h := &spillHeader{}
	if _, err := binary.Decode(b, binary.LittleEndian, h); err != nil {
		panic("exec: internal error: " + err.Error())
	}
	return h, nil
}

// relink changes which record comes before that at.
func (s *spill) relink(at, prev int64) error {
	if err := s.flush(); err != nil {
		return err
	}
	_, err := s.file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(prev)), at)
	return err
}

// read reads a record; prev is the one before it of the same id.
func (s *spill) read(at int64) (e *entry, prev int64, err error) {
	h, err := s.header(at)
	if err != nil {
		return nil, 0, err
	}
	b, err := s.get(at+int64(headerSize), int(h.Refs)*refSize+int(h.Line))
	if err != nil {
		return nil, 0, err
	}
	refs := make([]spillRef, h.Refs)
	n, err := binary.Decode(b, binary.LittleEndian, refs)
	if err != nil {
		panic("exec: internal error: " + err.Error())
	}
	f, err := jsonl.ParseLine(b[n:])
	if err != nil {
		return nil, 0, fmt.Errorf("a flow in the temporary file: %w", err)
	}
	for _, ref := range refs {
		m := messageOf(f, ref.Part)
		if m == nil {
			return nil, 0, errors.New("a flow in the temporary file has no place for its body")
		}
		m.InitBody(s.restore(ref))
	}
	return &entry{flow: f, number: h.Number, sum: h.Sum, size: h.Size}, h.Prev, nil
}

func messageOf(f *flowfile.Flow, part uint8) *flowfile.Message {
	switch {
	case part == flowfile.BodyRequest && f.Request() != nil:
		return &f.Request().Message
	case part == flowfile.BodyResponse && f.Response() != nil:
		return &f.Response().Message
	}
	return nil
}

func (s *spill) restore(ref spillRef) flowfile.Body {
	p := &place{file: s.file, off: ref.Offset, n: ref.Len}
	if ref.Input >= 0 {
		p.file, p.named = s.inputs[ref.Input], true
	}
	b := flowfile.ContentBody(p)
	if ref.State == flowfile.BodyTruncated {
		b = b.Truncate(ref.Total)
	}
	return b
}

// place is a body in a file, which stays open as long as there is one.
type place struct {
	file   *os.File
	off, n int64
	named  bool // it is to be had by its name, too
}

var (
	_ flowfile.BytesContent  = (*place)(nil)
	_ flowfile.ExtentContent = (*place)(nil)
)

// Open returns the bytes from the beginning.
func (p *place) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(p.file, p.off, p.n)), nil
}

// Size returns their number.
func (p *place) Size() int64 { return p.n }

// Bytes reads them.
func (p *place) Bytes() ([]byte, error) {
	b := make([]byte, p.n)
	_, err := p.file.ReadAt(b, p.off)
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return b, nil
}

// Extent returns the place in the input.
func (p *place) Extent() (flowfile.Extent, bool) {
	return flowfile.Extent{File: p.file.Name(), Offset: p.off, Len: p.n}, p.named
}

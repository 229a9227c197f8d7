package block

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// output puts finished blocks one behind the other. One goroutine writes at a time; failed
// may be called beside it.
type output struct {
	w     io.Writer
	file  file  // w, if a partial block may be cut off again; else nil
	start int64 // offset of the session in file

	session uint64
	seq     uint64
	off     int64  // bytes written since the session's first block; changed under mu
	prevLen uint32 // of the block written last
	last    Header // of the block written last, if there is one
	index   *indexBuilder

	waiting []*packed // that an error kept from being written

	mu  sync.Mutex
	err error
}

// file is what of *os.File it takes to cut off a partial block.
type file interface {
	io.Seeker
	Truncate(size int64) error
}

func newOutput(w io.Writer, o WriterOptions) *output {
	out := &output{w: w, session: o.Session}
	for out.session &= 1<<56 - 1; out.session == 0; out.session &= 1<<56 - 1 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		out.session = binary.LittleEndian.Uint64(b[:])
	}
	if !o.NoIndex {
		out.index = &indexBuilder{}
	}
	return out
}

// failed returns the error that ended writing.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func (o *output) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
}

// written returns how many bytes were written.
func (o *output) written() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.off
}

// advance notes n bytes of the file as the session's.
func (o *output) advance(n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.off += n
}

// unwritten returns how many flows begin in the blocks that wait.
func (o *output) unwritten() (flows int) {
	for _, p := range o.waiting {
		flows += p.h.Flows
	}
	return flows
}

// writeData finishes the header of a packed block and writes the block, or has it wait. It
// reports whether it wrote it.
func (o *output) writeData(p *packed) bool {
	if !o.own(&p.h, p.buf) {
		o.waiting = append(o.waiting, p)
		return false
	}
	if o.index != nil {
		o.index.add(&p.h, p.ids)
		if o.index.full() {
			o.writeIndex()
		}
	}
	return true
}

// own writes a block of the writer's session: buf is room for the header h and the
// segments. It reports whether it did.
func (o *output) own(h *Header, buf []byte) bool {
	h.Session, h.Seq, h.SessOff, h.PrevLen = o.session, o.seq, uint64(o.off), o.prevLen
	if h.Seq == 0 {
		h.Flags |= flagFirst
	}
	h.put(buf[:h.Len])
	if !o.write(h, buf) {
		return false
	}
	o.seq++
	return true
}

// copyBlock writes a block of another session. Where it does not go on from the block
// before, a seam tells the reader that nothing is missing.
func (o *output) copyBlock(h *Header, buf []byte) {
	if o.off > 0 && h.Seq > 0 && !(h.Session == o.last.Session && h.Seq == o.last.Seq+1 && h.follows(&o.last)) {
		seam := &Header{Kind: kindSeam, Len: headerSize}
		if !o.own(seam, make([]byte, headerSize)) {
			return
		}
		if o.index != nil {
			o.index.add(seam, nil)
		}
	}
	if o.write(h, buf) && o.index != nil {
		o.index.copied(h)
		if o.index.full() {
			o.writeIndex()
		}
	}
}

// writeIndex writes the index of the blocks since the last one.
func (o *output) writeIndex() {
	if o.index == nil || len(o.index.blocks) == 0 || o.failed() != nil {
		return
	}
	p := o.index.pack()
	o.index = &indexBuilder{}
	if !hasSync(p.buf[p.h.Len:]) { // one in 2^64; a file needs no index
		o.own(&p.h, p.buf)
	}
}

// write writes a whole block in one call. On an error it ends writing.
func (o *output) write(h *Header, buf []byte) bool {
	if o.failed() != nil {
		return false
	}
	n, err := o.w.Write(buf)
	if err == nil && n < len(buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		err = fmt.Errorf("write block at byte %d: %w", o.start+o.off, err)
		if n > 0 {
			err = o.cutBack(err)
		}
		o.fail(err)
		return false
	}
	o.advance(int64(len(buf)))
	o.prevLen = uint32(len(buf))
	o.last = *h
	return true
}

// retry takes the error back, and writes the blocks that wait.
func (o *output) retry() {
	if o.failed() == nil {
		return
	}
	if err := o.resume(); err != nil {
		return
	}
	o.mu.Lock()
	o.err = nil
	o.mu.Unlock()
	waiting := o.waiting
	o.waiting = nil
	for _, p := range waiting {
		o.writeData(p)
	}
}

// resume puts the file's position to where the next block goes: where the last whole one
// ends, or, if what is behind that cannot be cut off, behind it. Then neither the length of
// the block before nor an index can vouch for it, and readers may find entries of the partial
// block twice.
func (o *output) resume() error {
	end := o.start + o.off
	if err := o.file.Truncate(end); err == nil {
		_, err = o.file.Seek(end, io.SeekStart)
		return err
	}
	size, err := o.file.Seek(0, io.SeekEnd)
	if err != nil || size < end {
		return fmt.Errorf("file of %d bytes where %d were written: %w", size, end, err)
	}
	if size > end {
		o.advance(size - end)
		o.prevLen = 0
		if o.index != nil {
			o.index = &indexBuilder{}
		}
	}
	return nil
}

// cutBack takes a partial block off the end of a file that is ours.
func (o *output) cutBack(err error) error {
	if o.file == nil {
		return err
	}
	if cut := o.file.Truncate(o.start + o.off); cut != nil {
		return fmt.Errorf("%w; then cut off the partial block: %w", err, cut)
	}
	return err
}

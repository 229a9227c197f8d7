package block

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Tail is what OpenAppend found at the end of a file.
type Tail struct {
	Offset  int64 // end of the last whole block, 0 if there is none
	Torn    int64 // bytes behind it that are no whole block
	Trimmed bool  // they were cut off
}

// Errors of OpenAppend.
var (
	// ErrNotFlow means the file has content, and none of it is a flow file.
	ErrNotFlow = errors.New("not a flow file")
	// ErrLocked means another process is writing to the file.
	ErrLocked = errors.New("file is being written by another process")
	// ErrNotRegular means the path is a pipe, a device or a folder.
	ErrNotRegular = errors.New("not a regular file")
)

// OpenAppend opens the file for a new session behind its end, and creates it with mode 0600
// if it is not there. It takes a lock that is held until Close.
//
// A torn tail stays where it is, and the session goes behind it: readers find it there, and
// lose nothing that the tail may still hold. With trim the tail is cut off. Nothing before
// the end of the last whole block is ever touched.
func OpenAppend(path string, o WriterOptions, trim bool) (*Writer, *Tail, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|nonBlock, 0o600)
	if err != nil {
		return nil, nil, err
	}
	t, err := prepare(f, trim)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s for appending: %w", path, err), f.Close())
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	w := NewWriter(f, o)
	w.file, w.out.file, w.out.start = f, f, end
	return w, t, nil
}

// prepare locks f, finds its end and trims it.
func prepare(f *os.File, trim bool) (*Tail, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	if err := lock(f); err != nil {
		return nil, err
	}
	if st, err = f.Stat(); err != nil { // again: somebody may have written before the lock
		return nil, err
	}
	end, err := findEnd(f, st.Size())
	if err != nil {
		return nil, err
	}
	t := &Tail{Offset: end, Torn: st.Size() - end}
	if trim && t.Torn > 0 {
		if err := f.Truncate(end); err != nil {
			return nil, err
		}
		t.Trimmed = true
	}
	return t, nil
}

// findEnd returns the end of the last whole block of a file. Whole means that it is all
// there and its records are sound; a bad body in it is not worth losing the rest for.
func findEnd(ra io.ReaderAt, size int64) (int64, error) {
	x := &Index{dec: &decoder{}}
	if rest, err := x.fromEnd(ra, size); err != nil || rest < size {
		return size, err
	}
	var blocks []int64 // offsets of those that are all there
	w := walker{src: fixedSource(ra, size), dec: x.dec}
	for {
		h, err := w.next()
		switch {
		case errors.As(err, new(*DamageError)):
			continue
		case errors.Is(err, io.EOF):
			return w.lastWhole(ra, size, blocks)
		case err != nil:
			return 0, err
		}
		off := w.pos
		reached, err := w.accept(h)
		if err != nil {
			return 0, err
		}
		if reached == off+h.total() {
			blocks = append(blocks, off)
		}
	}
}

// lastWhole returns the end of the last of the blocks that is sound.
func (w *walker) lastWhole(ra io.ReaderAt, size int64, blocks []int64) (int64, error) {
	for i := len(blocks) - 1; i >= 0; i-- {
		h, err := w.headerAt(blocks[i])
		if err != nil {
			return 0, err
		}
		p := &hop{h: h, off: blocks[i]}
		if len(h.Segments) > 0 && h.Kind == kindData {
			p.h = &Header{Len: h.Len, Segments: h.Segments[:1]}
		}
		if sound, err := w.sound(p); err != nil || sound {
			return blocks[i] + h.total(), err
		}
	}
	if size > 0 && len(blocks) == 0 && !startsFlow(ra, size) {
		return 0, ErrNotFlow
	}
	return 0, nil
}

// startsFlow reports whether the file starts like a block header, as far as it goes, or
// has only zero bytes: a torn flow file without a whole block.
func startsFlow(ra io.ReaderAt, size int64) bool {
	head := make([]byte, min(size, 16))
	if n, _ := ra.ReadAt(head, 0); n < len(head) {
		return false
	}
	magic := []byte{0x5f, 0x2a, 0x4d, 0x18}
	if string(head[:min(4, len(head))]) == string(magic[:min(4, len(head))]) {
		return len(head) <= offSync || string(head[offSync:]) == syncMarker[:len(head)-offSync]
	}
	_, zeros := firstNonZero(ra, size)
	return zeros
}

// firstNonZero returns the first byte that is not zero, or that there is none.
func firstNonZero(ra io.ReaderAt, size int64) (off int64, none bool) {
	buf := make([]byte, readChunk)
	for off < size {
		n, err := ra.ReadAt(buf[:min(readChunk, size-off)], off)
		if !allZero(buf[:n]) {
			return off, false
		}
		off += int64(n)
		if err != nil {
			return off, errors.Is(err, io.EOF)
		}
	}
	return off, true
}

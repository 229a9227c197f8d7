package block

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// source is the input as the walker sees it: bytes at offsets, from somewhere on. The
// bytes it returns are valid until its next call.
type source interface {
	// peek returns the n bytes at off, fewer only if the input ends before.
	peek(off int64, n int) ([]byte, error)
	// reach returns how far the input goes, but at most to.
	reach(to int64) (int64, error)
	// forget says that nothing before off will be asked for.
	forget(off int64)
}

// readChunk is how much is read at a time when the amount is free to choose.
const readChunk = 64 << 10

// fileSource reads by pread, never by mapping: a file that shrinks is short, not fatal.
type fileSource struct {
	ra   io.ReaderAt
	size func() (int64, error)
	last int64 // size when last asked
	buf  []byte
}

func (s *fileSource) peek(off int64, n int) ([]byte, error) {
	if cap(s.buf) < n {
		s.buf = make([]byte, max(n, 4096))
	}
	got, err := s.ra.ReadAt(s.buf[:n], off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read at byte %d: %w", off, err)
	}
	return s.buf[:got], nil
}

func (s *fileSource) reach(to int64) (int64, error) {
	if to > s.last {
		size, err := s.size()
		if err != nil {
			return 0, err
		}
		s.last = size
	}
	return min(to, s.last), nil
}

func (s *fileSource) forget(int64) {}

// fixedSource is the first size bytes of ra.
func fixedSource(ra io.ReaderAt, size int64) *fileSource {
	return &fileSource{ra: io.NewSectionReader(ra, 0, size), size: func() (int64, error) { return size, nil }}
}

// streamSource keeps a window of a stream: from the oldest byte that may be asked for to
// the newest byte read.
type streamSource struct {
	r    io.Reader
	base int64 // offset of buf[0]
	buf  []byte
	err  error // that ended the stream; io.EOF at its end
}

// fill reads until the window goes to offset to, as far as the stream does.
func (s *streamSource) fill(to int64) error {
	for s.base+int64(len(s.buf)) < to && s.err == nil {
		want := min(max(int(to-s.base)-len(s.buf), readChunk), 1<<20)
		if cap(s.buf)-len(s.buf) < want {
			grown := make([]byte, len(s.buf), max(2*cap(s.buf), len(s.buf)+want))
			copy(grown, s.buf)
			s.buf = grown
		}
		n, err := s.r.Read(s.buf[len(s.buf) : len(s.buf)+want])
		s.buf = s.buf[:len(s.buf)+n]
		s.err = err
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return fmt.Errorf("read at byte %d: %w", s.base+int64(len(s.buf)), s.err)
	}
	return nil
}

func (s *streamSource) peek(off int64, n int) ([]byte, error) {
	err := s.fill(off + int64(n))
	i := min(max(off-s.base, 0), int64(len(s.buf)))
	b := s.buf[i:min(i+int64(n), int64(len(s.buf)))]
	if len(b) == n {
		err = nil // the error comes when its place does
	}
	return b, err
}

func (s *streamSource) reach(to int64) (int64, error) {
	err := s.fill(to)
	end := min(to, s.base+int64(len(s.buf)))
	if end == to {
		err = nil
	}
	return end, err
}

func (s *streamSource) forget(off int64) {
	n := min(max(off-s.base, 0), int64(len(s.buf)))
	if n < int64(len(s.buf)) && n < readChunk {
		return // not worth moving
	}
	s.buf = s.buf[:copy(s.buf, s.buf[n:])]
	s.base += n
}

// open tells how to read r: at any offset if it can, else as a stream. Start is the
// offset of its first byte.
func open(r io.Reader) (src source, ra io.ReaderAt, start int64) {
	if f, ok := r.(*os.File); ok {
		st, err := f.Stat()
		if err != nil || !st.Mode().IsRegular() {
			return &streamSource{r: r}, nil, 0
		}
		size := func() (int64, error) {
			st, err := f.Stat()
			if err != nil {
				return 0, err
			}
			return st.Size(), nil
		}
		return &fileSource{ra: f, size: size}, f, position(f)
	}
	sized, ok := r.(interface {
		io.ReaderAt
		Size() int64
	})
	if !ok {
		return &streamSource{r: r}, nil, 0
	}
	size := func() (int64, error) { return sized.Size(), nil }
	return &fileSource{ra: sized, size: size}, sized, position(r)
}

// position returns the offset r stands at.
func position(r io.Reader) int64 {
	s, ok := r.(io.Seeker)
	if !ok {
		return 0
	}
	pos, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return pos
}

// findSync returns the offset in b of the first sync marker at or after from, or -1.
func findSync(b []byte, from int) int {
	if from > len(b) {
		return -1
	}
	i := bytes.Index(b[from:], []byte(syncMarker))
	if i < 0 {
		return -1
	}
	return from + i
}

package flowfile

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// SpoolMemory is how much a Spool holds in memory before it makes a file.
const SpoolMemory = 8 << 20

// Spool keeps bytes that cannot be read again, in memory at first and beyond
// SpoolMemory in an unlinked temporary file, which the system frees when the process
// ends. The zero value is ready and uses os.TempDir. It is safe for concurrent use.
type Spool struct {
	Dir    string // where the file is made; "" is os.TempDir
	Memory int64  // what is held in memory; 0 is SpoolMemory

	mu   sync.Mutex
	held int64
	file *os.File
	size int64 // bytes in file
}

// Add copies b and returns where it lies.
func (s *Spool) Add(b []byte) (Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.Memory
	if limit == 0 {
		limit = SpoolMemory
	}
	if s.file == nil && s.held+int64(len(b)) <= limit {
		s.held += int64(len(b))
		return memory(string(b)), nil
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	if _, err := s.file.WriteAt(b, s.size); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	c := &spooled{s.file, s.size, int64(len(b))}
	s.size += c.n
	return c, nil
}

// AddReader copies all of r and returns where it lies.
func (s *Spool) AddReader(r io.Reader) (Content, error) {
	w := s.NewWriter()
	if _, err := io.Copy(w, r); err != nil {
		return nil, err
	}
	return w.Content(), nil
}

func (s *Spool) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.Dir, "flowkit-spool-*")
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	// Where an open file cannot be unlinked it stays in the temporary folder.
	_ = os.Remove(f.Name())
	s.file = f
	return nil
}

// SpoolWriter collects one content piece by piece; several may be open at once.
type SpoolWriter struct {
	s      *Spool
	pieces []Content
	n      int64
}

// NewWriter begins a content that grows.
func (s *Spool) NewWriter() *SpoolWriter { return &SpoolWriter{s: s} }

func (w *SpoolWriter) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := w.s.Add(b)
	if err != nil {
		return 0, err
	}
	w.n += int64(len(b))
	// Neighbouring pieces of the file are one.
	if len(w.pieces) > 0 {
		last, ok1 := w.pieces[len(w.pieces)-1].(*spooled)
		next, ok2 := c.(*spooled)
		if ok1 && ok2 && last.file == next.file && last.off+last.n == next.off {
			w.pieces[len(w.pieces)-1] = &spooled{last.file, last.off, last.n + next.n}
			return len(b), nil
		}
	}
	w.pieces = append(w.pieces, c)
	return len(b), nil
}

// Content returns what was written so far.
func (w *SpoolWriter) Content() Content {
	if len(w.pieces) == 1 {
		return w.pieces[0]
	}
	return &Joined{Pieces: w.pieces, Total: w.n}
}

// memory is a Content in memory.
type memory string

func (m memory) Open() (io.ReadCloser, error) { return StringBody(string(m)).Open() }
func (m memory) Size() int64                  { return int64(len(m)) }
func (m memory) Bytes() ([]byte, error)       { return StringBody(string(m)).Bytes(-1) }

// spooled is a Content in the spool's file.
type spooled struct {
	file   *os.File
	off, n int64
}

func (c *spooled) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(c.file, c.off, c.n)), nil
}
func (c *spooled) Size() int64 { return c.n }

func (c *spooled) Bytes() ([]byte, error) {
	b := make([]byte, c.n)
	if _, err := c.file.ReadAt(b, c.off); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return b, nil
}

// Joined is a Content of several pieces, one behind the other.
type Joined struct {
	Pieces []Content
	Total  int64 // their sizes added up, -1 if unknown
}

// Open returns the pieces' bytes one after the other, one piece open at a time.
func (j *Joined) Open() (io.ReadCloser, error) { return &joinedReader{pieces: j.Pieces}, nil }

// Size returns Total.
func (j *Joined) Size() int64 { return j.Total }

type joinedReader struct {
	pieces []Content
	cur    io.ReadCloser
}

func (r *joinedReader) Read(p []byte) (int, error) {
	for {
		if r.cur == nil {
			if len(r.pieces) == 0 {
				return 0, io.EOF
			}
			c, err := r.pieces[0].Open()
			if err != nil {
				return 0, err
			}
			r.cur, r.pieces = c, r.pieces[1:]
		}
		n, err := r.cur.Read(p)
		if err == io.EOF {
			cerr := r.cur.Close()
			r.cur = nil
			err = cerr
			if n == 0 && err == nil {
				continue
			}
		}
		return n, err
	}
}

func (r *joinedReader) Close() error {
	r.pieces = nil
	if r.cur == nil {
		return nil
	}
	err := r.cur.Close()
	r.cur = nil
	return err
}

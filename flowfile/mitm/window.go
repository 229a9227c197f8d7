package mitm

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"flowkit/flowfile"
)

// Sizes of what is read from a pipe.
const (
	chunkSize = 512 << 10 // beginning with a small one
	largest   = 8 << 20   // a larger record goes to a file
)

// window is the input from the first byte that was not yet taken. A regular file is one
// mapping; anything else is read into chunks, each a fresh allocation because flows stay
// in it.
type window struct {
	r     io.Reader
	file  *os.File // r, if it is one
	chunk *chunk
	pos   int // of the first byte not taken, in chunk.data
	end   int // behind the last byte read, in chunk.data
	empty int // reads in a row that gave nothing
	eof   bool
	err   error // what ended the input besides io.EOF
	short bool  // the last read gave less than was asked for
	spool *flowfile.Spool
	done  atomic.Int64
	total int64
}

func newWindow(r io.Reader, spool *flowfile.Spool) *window {
	w := &window{r: r, spool: spool, chunk: new(chunk)}
	f, ok := r.(*os.File)
	if !ok {
		return w
	}
	w.file = f
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return w
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil || info.Size() == 0 || at > info.Size() || int64(int(info.Size())) != info.Size() {
		return w
	}
	w.total = info.Size()
	w.done.Store(at)
	w.chunk.base = at
	data, err := mapFile(f, info.Size())
	if err != nil {
		return w
	}
	w.chunk = &chunk{data: data, name: f.Name(), mapped: true}
	w.pos, w.end, w.eof = int(at), len(data), true
	return w
}

// rest returns the bytes that are there and not taken.
func (w *window) rest() []byte { return w.chunk.data[w.pos:w.end] }

// offset returns the place of the first byte not taken.
func (w *window) offset() int64 { return w.chunk.base + int64(w.pos) }

// take drops n bytes.
func (w *window) take(n int) {
	w.pos += n
	w.done.Store(w.offset())
}

// fill reads until n bytes are there or the input ends.
func (w *window) fill(n int) error {
	for len(w.rest()) < n && !w.eof {
		if n > largest {
			return w.spill(n)
		}
		if err := w.read(n); err != nil {
			return err
		}
	}
	return nil
}

// read reads once, towards n bytes.
func (w *window) read(n int) error {
	rest := w.rest()
	if size := len(w.chunk.data); size-w.pos < max(n, len(rest)+1) || size-w.end < 4<<10 {
		data := make([]byte, max(min(chunkSize, max(64<<10, 4*size)), n+n/2))
		copy(data, rest)
		w.replace(data, len(rest))
	}
	free := w.chunk.data[w.end:]
	k, err := w.r.Read(free)
	w.end += k
	w.short = k < len(free)
	switch {
	case err == io.EOF:
		w.eof = true
	case err != nil:
		w.eof, w.err = true, fmt.Errorf("read: %w", err)
	case k > 0:
		w.empty = 0
	default:
		if w.empty++; w.empty > 100 {
			w.eof, w.err = true, fmt.Errorf("read: %w", io.ErrNoProgress)
		}
	}
	return nil
}

// replace makes data, of which the first n bytes are the rest, the chunk.
func (w *window) replace(data []byte, n int) {
	w.chunk = &chunk{data: data, base: w.offset()}
	w.pos, w.end = 0, n
}

// spill puts the rest and what is missing to n bytes into an unlinked file and maps it.
func (w *window) spill(n int) error {
	dir := ""
	if w.spool != nil {
		dir = w.spool.Dir
	}
	f, err := os.CreateTemp(dir, "flowkit-record-*")
	if err != nil {
		return fmt.Errorf("spool a large record: %w", err)
	}
	defer f.Close()
	// Where an open file cannot be unlinked it is removed in the end.
	if os.Remove(f.Name()) != nil {
		defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	}
	rest := w.rest()
	if _, err := f.Write(rest); err != nil {
		return fmt.Errorf("spool a large record: %w", err)
	}
	in := &noted{r: io.LimitReader(w.r, int64(n-len(rest)))}
	k, err := io.Copy(f, in)
	if err != nil {
		if in.err == nil {
			return fmt.Errorf("spool a large record: %w", err)
		}
		w.err = fmt.Errorf("read: %w", in.err)
	}
	if int(k) < n-len(rest) {
		w.eof = true
	}
	data, err := mapFile(f, int64(len(rest))+k)
	if err != nil {
		if data, err = readFile(f, int64(len(rest))+k); err != nil {
			return fmt.Errorf("map a large record: %w", err)
		}
	}
	w.replace(data, len(data))
	w.chunk.mapped = true
	return nil
}

// noted remembers the error of a reader, to tell it from that of the writer.
type noted struct {
	r   io.Reader
	err error
}

func (n *noted) Read(p []byte) (int, error) {
	k, err := n.r.Read(p)
	if err != nil && err != io.EOF {
		n.err = err
	}
	return k, err
}

func readFile(f *os.File, n int64) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, n), b)
	return b, err
}

// wouldBlock tells whether reading on may wait for who writes the input.
func (w *window) wouldBlock() bool {
	if w.eof {
		return false
	}
	if w.file != nil {
		if ready, ok := readable(w.file); ok {
			return !ready
		}
	}
	return w.short
}

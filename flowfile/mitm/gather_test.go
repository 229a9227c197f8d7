package mitm

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// behind is a writer that says which file it writes to.
type behind struct{ file *os.File }

func (b behind) File() *os.File              { return b.file }
func (b behind) Write(p []byte) (int, error) { return b.file.Write(p) }

// TestGather: pieces of all sizes come out in their order, whatever they are written to.
func TestGather(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var buf bytes.Buffer
	for name, w := range map[string]io.Writer{"buffer": &buf, "file": file, "behind": behind{file}} {
		buf.Reset()
		if err := file.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewSource(1))
		var want []byte
		g := newGather(w)
		for range 4000 {
			p := make([]byte, r.Intn(1<<r.Intn(18)))
			r.Read(p)
			want = append(want, p...)
			if r.Intn(2) == 0 {
				err = g.stay(p)
			} else {
				_, err = g.Write(p)
				clear(p) // was copied
			}
			if r.Intn(500) == 0 {
				err = errors.Join(err, g.flush())
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(g.pieces) > gatherPieces+1 || g.size > gatherBytes+bufferSize {
				t.Fatalf("%s: %d pieces, %d bytes wait", name, len(g.pieces), g.size)
			}
		}
		if err := g.flush(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := buf.Bytes()
		if w != io.Writer(&buf) {
			if got, err = os.ReadFile(file.Name()); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes that differ from the %d written", name, len(got), len(want))
		}
	}
}

// TestGatherErrors: the error is that of the writer.
func TestGatherErrors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	p := make([]byte, 2*longPiece)
	g := newGather(w)
	if err := errors.Join(g.stay(p), g.stay(p), g.flush()); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("%v, want %v", err, syscall.EPIPE)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	g = newGather(behind{full})
	if err := errors.Join(g.stay(p), g.stay(p), g.flush()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want %v", err, syscall.ENOSPC)
	}
}

// TestGatherPipe: a pipe takes what its reader has taken before.
func TestGatherPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := make([]byte, 5<<20)
	rand.New(rand.NewSource(1)).Read(want)
	done := make(chan error, 1)
	go func() {
		g := newGather(w)
		var err error
		for p := want; len(p) > 0 && err == nil; {
			n := min(len(p), 3000)
			err = g.stay(p[:n:n])
			p = p[n:]
		}
		done <- errors.Join(err, g.flush(), w.Close())
	}()
	got, err := io.ReadAll(r)
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes that differ from the %d written", len(got), len(want))
	}
}

// TestGatherShrunk: a file that shrinks between Write and Flush is told from a failure of
// the output.
func TestGatherShrunk(t *testing.T) {
	if !canWritev {
		t.Skip("pieces are copied here")
	}
	dir := t.TempDir()
	in, err := os.Create(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := in.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	data, err := mapFile(in, 1<<20)
	if err != nil {
		t.Skip(err)
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := NewWriter(out, WriterOptions{})
	if err := errors.Join(w.w.stay(data[:100<<10]), w.w.stay(data[512<<10:600<<10])); err != nil {
		t.Fatal(err)
	}
	if err := in.Truncate(4096); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != ErrInputChanged {
		t.Errorf("%v, want %v", err, ErrInputChanged)
	}
}

package mitm

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// gather is what is written but not yet handed on, in pieces: short ones are copied, long
// ones stay where they are until one system call takes all of them.
type gather struct {
	w      io.Writer
	file   *os.File // behind w, nil if there is none
	long   int      // from what size a piece is not copied
	pieces [][]byte
	size   int    // bytes in pieces
	buf    []byte // the short pieces
	open   bool   // the last piece is the end of buf
}

// Limits of a gather.
const (
	bufferSize   = 128 << 10 // of short pieces
	gatherPieces = 512       // systems take 1024
	gatherBytes  = 1 << 20
)

func newGather(w io.Writer) *gather {
	g := &gather{w: w, long: bufferSize, buf: make([]byte, 0, bufferSize)}
	switch w := w.(type) {
	case *os.File:
		g.file = w
	case interface{ File() *os.File }:
		g.file = w.File()
	}
	if g.file != nil && canWritev {
		g.long = longPiece
	}
	return g
}

// Write copies p.
func (g *gather) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > cap(g.buf)-len(g.buf) {
		k := cap(g.buf) - len(g.buf)
		g.short(p[:k])
		p = p[k:]
		if err := g.flush(); err != nil {
			return n - len(p), err
		}
	}
	g.short(p)
	return n, nil
}

// short copies p, for which there is room.
func (g *gather) short(p []byte) {
	at := len(g.buf)
	g.buf = append(g.buf, p...)
	g.size += len(p)
	if !g.open {
		g.pieces, g.open = append(g.pieces, g.buf[at:at]), true
	}
	last := &g.pieces[len(g.pieces)-1]
	*last = (*last)[:len(*last)+len(p)]
}

// stay writes p, which never changes.
func (g *gather) stay(p []byte) error {
	if len(p) < g.long {
		_, err := g.Write(p)
		return err
	}
	g.pieces, g.open = append(g.pieces, p), false
	if g.size += len(p); g.size < gatherBytes && len(g.pieces) < gatherPieces {
		return nil
	}
	return g.flush()
}

// flush hands all pieces on.
func (g *gather) flush() error {
	left := g.pieces
	if g.file != nil && len(left) > 1 {
		left = writev(g.file, left)
	}
	var err error
	for _, p := range left {
		if _, err = g.w.Write(p); err != nil {
			break
		}
	}
	clear(g.pieces)
	g.pieces, g.size, g.buf, g.open = g.pieces[:0], 0, g.buf[:0], false
	if errors.Is(err, syscall.EFAULT) { // of a mapped file that has shrunk
		return ErrInputChanged
	}
	return err
}

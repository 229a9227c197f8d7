package python

import (
	"bytes"
	"os"
	"path/filepath"

	"flowkit/flowfile"
)

// files are the input files that the child has mapped.
type files struct {
	known map[string]*file // by the name that bodies give
}

type file struct {
	number int
	size   int64
}

// of returns the number and the name of the file that bodies of the flows lie in, -1 and ""
// if there is none: of several files the first, the bodies in others are fetched.
func (x *files) of(w *worker, flows []*flowfile.Flow) (int, string, error) {
	for _, f := range flows {
		for part := range 2 {
			b := bodyOf(f, part)
			e, ok := b.Extent()
			if !ok {
				continue
			}
			in, err := x.get(w, e, b)
			if err != nil || in == nil {
				return -1, "", err
			}
			if e.Offset+e.Len > in.size {
				return -1, "", nil // the file has grown
			}
			return in.number, e.File, nil
		}
	}
	return -1, "", nil
}

// get returns the file of an extent, nil if the child cannot have it.
func (x *files) get(w *worker, e flowfile.Extent, b flowfile.Body) (*file, error) {
	if in, ok := x.known[e.File]; ok {
		return in, nil
	}
	if x.known == nil {
		x.known = make(map[string]*file)
	}
	x.known[e.File] = nil
	path, err := filepath.Abs(e.File)
	if err != nil {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil // it was unlinked, say; the bodies are fetched
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !same(f, e, b) {
		return nil, nil
	}
	device, inode, ok := identity(info)
	if !ok {
		return nil, nil
	}
	in := &file{number: len(x.known), size: info.Size()}
	x.known[e.File] = in
	m := buffers.get()
	m.tuple(5)
	m.integer(int64(in.number))
	m.text(path)
	m.integer(device)
	m.integer(inode)
	m.integer(in.size)
	w.send(frameFile, m)
	return in, nil
}

// same tells whether f has the body's bytes where the body says: it may be another file
// that stands under the name by now.
func same(f *os.File, e flowfile.Extent, b flowfile.Body) bool {
	data, err := b.Bytes(-1)
	if err != nil {
		return false
	}
	data = data[:min(len(data), 4096)]
	got := make([]byte, len(data))
	n, _ := f.ReadAt(got, e.Offset)
	return n == len(data) && bytes.Equal(got, data)
}

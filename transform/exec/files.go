package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"flowkit/flowfile"
)

// writeFiles writes the bodies of a flow to the files that its line names. Of a body that
// cannot be read the file has the beginning.
func (v *viewer) writeFiles(f *flowfile.Flow, number int64) error {
	if v.bodies.Mode != Files {
		return nil
	}
	if r := f.Request(); r != nil {
		if err := writeFile(v.path(number, "request"), r.Body()); err != nil {
			return err
		}
	}
	if r := f.Response(); r != nil {
		return writeFile(v.path(number, "response"), r.Body())
	}
	return nil
}

func writeFile(path string, body flowfile.Body) error {
	if body.State() == flowfile.BodyAbsent {
		return nil
	}
	// The folder was empty, but a program may put files there, too.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write a body: %w", err)
	}
	w := &noting{w: file}
	if from, err := body.Open(); err == nil {
		_, _ = io.Copy(w, from) // what cannot be read is told where it is stored
		from.Close()
	}
	if err := file.Close(); w.err == nil {
		w.err = err
	}
	if w.err != nil {
		return fmt.Errorf("write a body: %w", w.err)
	}
	return nil
}

// noting remembers the error of its writer: io.Copy has also those of the reader.
type noting struct {
	w   io.Writer
	err error
}

func (n *noting) Write(p []byte) (int, error) {
	k, err := n.w.Write(p)
	n.err = err
	return k, err
}

// fileBody returns the body that a line refers to. A file that flowkit wrote stands for
// the flow's own body unless it was changed; a program may remove it when it is done.
func (m *merger) fileBody(path string, ours bool, own flowfile.Body) (body flowfile.Body, changed bool, err error) {
	file, err := os.Open(path)
	if ours && errors.Is(err, fs.ErrNotExist) {
		return own, false, nil
	}
	if err != nil {
		return body, false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", path)
	}
	if err != nil {
		return body, false, err
	}
	if ours && (own.Size() < 0 || own.Size() == info.Size()) && sameBytes(file, own) {
		return own, false, nil
	}
	body, err = m.readBack(io.NewSectionReader(file, 0, info.Size()), info.Size())
	return body, true, err
}

// readBack copies r, for the file is the program's.
func (m *merger) readBack(r io.Reader, size int64) (flowfile.Body, error) {
	if size <= 64<<10 {
		b, err := io.ReadAll(r)
		return flowfile.BytesBody(b), err
	}
	c, err := m.spool.AddReader(r)
	if err != nil {
		return flowfile.Body{}, &storeError{err}
	}
	return flowfile.ContentBody(c), nil
}

// sameBytes tells whether r has the bytes of body. One that cannot be read is taken for
// what the file has.
func sameBytes(r io.Reader, body flowfile.Body) bool {
	from, err := body.Open()
	if err != nil {
		return true
	}
	defer from.Close()
	var a, b [32 << 10]byte
	for {
		n, err1 := io.ReadFull(from, a[:])
		k, err2 := io.ReadFull(r, b[:])
		switch end1, end2 := isEnd(err1), isEnd(err2); {
		case err1 != nil && !end1:
			return true
		case err2 != nil && !end2 || !bytes.Equal(a[:n], b[:k]):
			return false
		case end1 || end2:
			return end1 == end2
		}
	}
}

func isEnd(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

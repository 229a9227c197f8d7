package native

import (
	"errors"
	"io"

	"flowkit/flowfile/internal/block"
)

// Whole tells whether the native file in r has no damage: every block is read and every
// checksum compared, nothing is decompressed. Such files can be joined byte by byte.
func Whole(r io.ReaderAt, size int64) (bool, error) {
	return CopyWhole(io.Discard, r, size)
}

// CopyWhole copies the native file in r to w as it is, index included, while it checks it
// like Whole. At the first damage it stops and returns false; what is in w by then is of no
// use.
func CopyWhole(w io.Writer, r io.ReaderAt, size int64) (bool, error) {
	pieces := make(chan []byte, 1) // checked, to be written
	free := make(chan []byte, 3)   // buffers that are not in use
	failed := make(chan error, 1)  // of writing
	for range cap(free) {
		free <- nil
	}
	go func() {
		var err error
		for p := range pieces {
			if err == nil {
				_, err = w.Write(p)
			}
			free <- p
		}
		failed <- err
	}()
	whole, err := checked(r, size, func(fill func(buf []byte) ([]byte, error)) error {
		p, err := fill(<-free)
		if err == nil {
			pieces <- p
		}
		return err
	})
	close(pieces)
	if werr := <-failed; werr != nil {
		return false, werr
	}
	return whole, err
}

// checked calls emit for each block, and for what is between them, in their order.
func checked(r io.ReaderAt, size int64, emit func(fill func(buf []byte) ([]byte, error)) error) (bool, error) {
	blocks := block.NewReader(io.NewSectionReader(r, 0, size), block.ReaderOptions{})
	end := int64(0)
	rest := func(to int64) error { // blocks that hold no flows: indexes
		for end < to {
			n := min(to-end, 4<<20)
			err := emit(func(buf []byte) ([]byte, error) {
				if int64(cap(buf)) < n {
					buf = make([]byte, n)
				}
				_, err := r.ReadAt(buf[:n], end)
				if err == io.EOF {
					err = nil
				}
				return buf[:n], err
			})
			if err != nil {
				return err
			}
			end += n
		}
		return nil
	}
	for {
		b, err := blocks.Next()
		if err == io.EOF {
			return true, rest(size)
		}
		if err == nil {
			err = rest(b.Offset)
		}
		if err == nil {
			end += b.Len()
			err = emit(b.Verbatim)
		}
		var d *block.DamageError
		if errors.As(err, &d) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

package native

import (
	"errors"
	"io"

	"flowkit/flowfile/internal/block"
)

// Whole tells whether the native file in r has no damage: every block is read and every
// checksum compared, nothing is decompressed. Such files can be joined byte by byte, their
// indexes included.
func Whole(r io.ReaderAt, size int64) (bool, error) {
	blocks := block.NewReader(io.NewSectionReader(r, 0, size), block.ReaderOptions{})
	var buf []byte
	for {
		b, err := blocks.Next()
		if err == io.EOF {
			return true, nil
		}
		if err == nil {
			buf, err = b.Verbatim(buf)
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

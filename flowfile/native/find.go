package native

import (
	"io"

	"flowkit/flowfile/internal/block"
)

// Find asks the index of the native file in r where the flow of an id begins. The offset is
// that of its block: a Reader that starts there (of a file whose position is there) delivers
// the flow. The index knows ids by a hash, so another flow of the block may come first.
//
// A file that was cut off, or joined with one without index, may have flows that the index
// does not know: if nothing is found and complete is false, only reading all of it tells.
func Find(r io.ReaderAt, size int64, id string) (offsets []int64, complete bool, err error) {
	x, err := block.ReadIndex(r, size)
	if err != nil {
		return nil, false, err
	}
	for _, p := range x.Lookup(id) {
		if n := len(offsets); n == 0 || offsets[n-1] != p.Offset {
			offsets = append(offsets, p.Offset)
		}
	}
	return offsets, x.Complete, nil
}

package native

import (
	"io"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// What CheckIndex and RebuildIndex tell.
type (
	IndexState = block.IndexState
	Rebuilt    = block.Rebuilt
)

// CheckIndex tells whether the index of the native file in r agrees with the file.
func CheckIndex(r io.ReaderAt, size int64) (*IndexState, error) {
	return block.CheckIndex(r, size, flowID())
}

// RebuildIndex appends an index to a native file if those that it has do not tell of all its
// flows. It takes the lock of writers.
func RebuildIndex(path string) (*Rebuilt, error) { return block.RebuildIndex(path, flowID()) }

func flowID() block.FlowID {
	var dec wire.Decoder
	return func(record []byte) string {
		typ, err := dec.Begin(record)
		if err != nil {
			return ""
		}
		kind, known := flowfile.ParseKind(typ)
		if !known {
			return ""
		}
		g, err := dec.Flow(kind, wire.Parts{})
		if err != nil {
			return ""
		}
		return g.Head.ID
	}
}

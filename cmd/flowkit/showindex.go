package main

import (
	"io"
	"os"

	"flowkit/flowfile"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/native"
)

// indexed finds a flow by its whole id through the index of a native file, which takes the
// same time in a file of any size. It returns nil where there is no such way: the flow may
// still be there.
func (o *showOptions) indexed(need flowfile.Need) *flowfile.Flow {
	if len(o.paths) != 1 || o.paths[0] == "-" {
		return nil
	}
	f, err := os.Open(o.paths[0])
	if err != nil {
		return nil
	}
	size := size64(f)
	head := make([]byte, formats.SniffLen)
	n, _ := f.ReadAt(head, 0)
	if own, err := formats.ByName("flow"); err != nil || size == 0 || !own.Sniff(head[:n]) {
		f.Close()
		return nil
	}
	offsets, _, err := native.Find(f, size, o.which)
	if err != nil {
		return nil
	}
	for _, at := range offsets {
		src := native.NewReader(io.NewSectionReader(f, at, size-at), native.ReaderOptions{
			Name: o.paths[0], Need: need, Workers: 1, TempDir: o.tempDir,
		})
		for flow, err := range flowfile.Flows(src) {
			if err == nil && flow.ID() == o.which {
				return flow // which reads its bodies from f, so f stays open
			}
		}
	}
	return nil
}

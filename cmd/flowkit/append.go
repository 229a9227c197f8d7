package main

import (
	"errors"
	"os"
	"path/filepath"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile/native"
)

// appendTo opens a native file to go on behind its last block, or makes it, and says what it found.
func appendTo(s *cli.Streams, path string, o native.WriterOptions, trim bool) (*native.Writer, error) {
	w, tail, err := native.OpenAppend(path, o, trim)
	switch {
	case errors.Is(err, native.ErrLocked):
		return nil, cli.Hinted(cli.Usage, "choose another name, or end what writes to it", "%s: %w", path, native.ErrLocked)
	case errors.Is(err, native.ErrNotFlow):
		return nil, cli.Hinted(cli.Usage, "choose another name", "%s: %w, and nothing is appended to it", path, native.ErrNotFlow)
	case errors.Is(err, os.ErrNotExist):
		return nil, cli.Hinted(cli.Usage, "mkdir -p "+filepath.Dir(path), "%s: there is no folder %s", path, filepath.Dir(path))
	case err != nil:
		return nil, cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	if tail.Torn > 0 {
		what := "left in place (--trim cuts them off)"
		if trim {
			what = "cut off"
		}
		s.Say("%s: the last %d bytes, from byte %d, are a torn block; they are %s", path, tail.Torn, tail.Offset, what)
	}
	return w, nil
}

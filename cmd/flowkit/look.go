package main

import (
	"context"
	"errors"
	"io"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/flowfile/filter"
)

// look calls see with each flow of the inputs that the filter matches and its number from
// 1 in the input, until see returns an error; io.EOF ends the look without one.
func look(ctx context.Context, s *cli.Streams, in *inputs, flt *filter.Filter, need flowfile.Need, see func(n int, f *flowfile.Flow) error) error {
	if flt != nil {
		need |= flt.Needs()
	}
	files, err := in.files(s, need)
	if err != nil {
		return err
	}
	defer files.Close()
	if !s.OutIsTTY { // there the lines are progress enough
		defer in.progress(s, files)()
	}
	c := &conversion{streams: s}
	n := 0
	for f, err := range flowfile.Flows(files) {
		if err := ctx.Err(); err != nil {
			return err
		}
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			c.damage(d)
			continue
		case err != nil:
			return &cli.Error{Code: cli.Input, Err: plainPathError(err)}
		}
		n++
		if flt != nil {
			ok, err := flt.Match(f)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		if err := see(n, f); err != nil {
			if err == io.EOF {
				return c.said()
			}
			return err
		}
	}
	return c.said()
}

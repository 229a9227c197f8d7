package main

import (
	"context"
	"strconv"
	"strings"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/replay"
)

// only is a stage that lets the flows of --only pass: numbers, as ls prints them, or ids or
// their beginnings.
type only struct {
	wanted  []string
	numbers map[int]bool // that have not come yet
	ids     []string
	found   map[string]bool // of wanted
	n       int             // flows so far
}

func newOnly(wanted []string) *only {
	o := &only{wanted: wanted, numbers: make(map[int]bool), found: make(map[string]bool)}
	for _, w := range wanted {
		if n, err := strconv.Atoi(w); err == nil && len(w) < 8 {
			o.numbers[n] = true
		} else {
			o.ids = append(o.ids, w)
		}
	}
	return o
}

// Run drops all other flows. It ends the run when no other can come.
func (o *only) Run(_ context.Context, b *flowfile.Batch) error {
	over := false
	for _, f := range b.Flows {
		o.n++
		if over || !o.wants(f) {
			f.Drop()
		}
		over = len(o.ids) == 0 && len(o.numbers) == 0
	}
	if over {
		return replay.ErrStop
	}
	return nil
}

func (o *only) wants(f *flowfile.Flow) bool {
	wanted := o.numbers[o.n]
	if wanted {
		o.found[strconv.Itoa(o.n)] = true
		delete(o.numbers, o.n)
	}
	for _, id := range o.ids {
		if strings.HasPrefix(f.ID(), id) {
			o.found[id] = true
			wanted = true
		}
	}
	return wanted
}

// missing says what did not come.
func (o *only) missing() error {
	for _, w := range o.wanted {
		if n, err := strconv.Atoi(w); err == nil && len(w) < 8 {
			w = strconv.Itoa(n)
		}
		if !o.found[w] {
			return cli.Hinted(cli.Negative, "flowkit ls prints numbers, ls --ids prints ids", "there is no flow %s", w)
		}
	}
	return nil
}

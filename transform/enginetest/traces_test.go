package enginetest

import (
	"fmt"
	"strings"
	"testing"

	"flowkit/replay"
)

// The vectors are those of replay.Order, seen from Go.
func TestTraces(t *testing.T) {
	for _, tr := range Traces() {
		for _, c := range []struct {
			classic bool
			want    string
		}{{false, tr.Modern}, {true, tr.Classic}} {
			f := tr.Flow()
			var got []string
			order := replay.Order{Classic: c.classic, Want: replay.AllHooks}
			err := order.Sequence(f, func(e *replay.Event) error {
				got = append(got, name(e, f.Messages().Len()))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if g := strings.Join(got, " "); g != c.want {
				t.Errorf("%s, classic %v:\n got %s\nwant %s", tr.Shape, c.classic, g, c.want)
			}
		}
	}
}

// name writes an event as traces.txt does.
func name(e *replay.Event, all int) string {
	h := e.Hook.String()
	switch {
	case !strings.Contains(h, "_") || strings.HasPrefix(h, "dns"):
		return h
	case e.Messages != nil:
		all = e.Messages.Len()
	}
	return fmt.Sprintf("%s(%d)", h, all)
}

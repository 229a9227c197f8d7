package flowfile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
)

func TestCopy(t *testing.T) {
	for i, f := range flowtest.Flows(40, 3) {
		f.SetComment("marked before")
		before, marks := flowtest.Tree(f), f.Changed()
		n := f.Copy()
		if d := cmp.Diff(before, flowtest.Tree(n)); d != "" || n.Changed() != marks || n.Origin() != f.Origin() {
			t.Errorf("flow %d: the copy differs: %s", i, d)
		}
		if r := n.Request(); r != nil {
			r.SetPath("/changed")
			r.Headers().Set("Host", "changed")
			r.Headers().Add("X-New", "1")
		}
		if r := n.Response(); r != nil {
			r.SetBody(flowfile.StringBody("changed"))
			if tr := r.Trailers(); tr != nil {
				tr.Del("grpc-status")
			}
		}
		n.Messages().Replace(&flowfile.MessageLog{})
		n.Drop()
		if d := cmp.Diff(before, flowtest.Tree(f)); d != "" || f.Changed() != marks || f.Dropped() {
			t.Errorf("flow %d: a change of the copy is seen in it: %s", i, d)
		}
	}
}

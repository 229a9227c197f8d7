package native_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/native"
)

func TestFind(t *testing.T) {
	flows := flowtest.Flows(150, 11)
	var data []byte
	for i := 0; i < len(flows); i += 50 { // three sessions
		data = append(data, encode(t, flows[i:i+50], native.WriterOptions{})...)
	}
	for _, f := range flows {
		offsets, complete, err := native.Find(bytes.NewReader(data), int64(len(data)), f.ID())
		if err != nil || !complete || len(offsets) != 1 {
			t.Fatalf("flow %s: offsets %v, complete %v, %v", f.ID(), offsets, complete, err)
		}
		r := io.NewSectionReader(bytes.NewReader(data), offsets[0], int64(len(data))-offsets[0])
		found := false
		for g, err := range flowfile.Flows(native.NewReader(r, native.ReaderOptions{Need: needAll, Workers: 1})) {
			if err != nil {
				t.Fatal(err)
			}
			if g.ID() == f.ID() {
				if diff := cmp.Diff(flowtest.Tree(f), flowtest.Tree(g)); diff != "" {
					t.Fatal(diff)
				}
				found = true
				break
			}
		}
		if !found {
			t.Fatalf("flow %s is not behind byte %d", f.ID(), offsets[0])
		}
	}
	if offsets, complete, err := native.Find(bytes.NewReader(data), int64(len(data)), "nothing"); err != nil || !complete || len(offsets) != 0 {
		t.Errorf("an id that is not there: %v %v %v", offsets, complete, err)
	}
	torn := append(data, encode(t, flowtest.Flows(5, 12), native.WriterOptions{NoIndex: true})...)
	if _, complete, err := native.Find(bytes.NewReader(torn), int64(len(torn)), "nothing"); err != nil || complete {
		t.Errorf("a session without index: complete %v, %v", complete, err)
	}
}

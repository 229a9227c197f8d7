package har

import (
	"encoding/json"
	"io"
	"net/url"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
)

func TestConformance(t *testing.T) {
	for _, pretty := range []bool{false, true} {
		flowtest.TestSink(t, func(w io.Writer) flowfile.Sink {
			return NewWriter(w, Options{Pretty: pretty})
		}, func(t *testing.T, data []byte) []*flowfile.Flow {
			var v struct {
				Log *struct {
					Entries []struct{ Request struct{ Method, URL string } }
				}
			}
			if err := json.Unmarshal(data, &v); err != nil || v.Log == nil || v.Log.Entries == nil {
				t.Fatalf("%v in %.500s", err, data)
			}
			var flows []*flowfile.Flow
			for _, e := range v.Log.Entries {
				u, err := url.Parse(e.Request.URL)
				if err != nil {
					t.Fatal(err)
				}
				flows = append(flows, flowfile.New(flowfile.Head{
					Request: flowfile.NewRequest(flowfile.RequestHead{Method: e.Request.Method, Path: u.Path}),
				}))
			}
			return flows
		})
	}
}

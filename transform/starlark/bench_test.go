package starlark_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
	"flowkit/transform/script"
	"flowkit/transform/starlark"
)

var benchScripts = []struct{ name, src string }{
	{"noop", "def response(flow): pass"},
	{"header add", `def response(flow): flow.response.headers["newheader"] = "foo"`},
	{"header read", `def request(flow): state.add(flow.request.headers.get("host", ""))`},
	{"filter regex", `def response(flow):
    if re.search(r"^/v1/items/\d+\?", flow.request.path) and "json" in flow.response.headers.get("content-type", ""):
        flow.marked = ":x:"`},
	{"body replace", `def response(flow): flow.response.content = flow.response.content.replace(b"kalo", b"tesh")`},
	{"query edit", `def request(flow): flow.request.query["page"] = "0"`},
	{"json", `def response(flow):
    if "json" in flow.response.headers.get("content-type", ""):
        d = flow.response.json()
        d["n"] = len(d["items"])
        flow.response.text = json.dumps(d)`},
}

// BenchmarkScript takes a flow through a hook. The flows are those of flowtest.Dump, with
// bodies of 10 kB in the middle, which the scripts that touch them find without coding, so
// that it is the engine that is measured.
func BenchmarkScript(b *testing.B) {
	var dump bytes.Buffer
	if err := flowtest.Dump(&dump, 256, 1); err != nil {
		b.Fatal(err)
	}
	for _, s := range benchScripts {
		b.Run(s.name, func(b *testing.B) {
			session, err := starlark.Engine{}.Load(context.Background(), []script.Spec{{
				Path: "x.star", Source: []byte(s.src), Log: slog.New(slog.DiscardHandler),
			}})
			if err != nil {
				b.Fatal(err)
			}
			flows := benchFlows(b, dump.Bytes())
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i == len(flows) { // as they were, outside of the measurement
					b.StopTimer()
					flows, i = benchFlows(b, dump.Bytes()), 0
					b.StartTimer()
				}
				if err := session.Run(context.Background(), &flowfile.Batch{Flows: flows[i : i+1]}); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// benchFlows reads flows and decodes their bodies.
func benchFlows(b *testing.B, dump []byte) []*flowfile.Flow {
	var all []*flowfile.Flow
	for f, err := range flowfile.Flows(mitm.NewReader(bytes.NewReader(dump), mitm.ReaderOptions{})) {
		if err != nil {
			b.Fatal(err)
		}
		content, err := coding.DecodedBody(&f.Response().Message, -1)
		if err != nil {
			b.Fatal(err)
		}
		f.Response().Headers().Del("content-encoding")
		f.Response().SetBody(flowfile.BytesBody(content))
		all = append(all, f)
	}
	return all
}

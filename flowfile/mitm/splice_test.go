package mitm_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// edits are the setters of the model, each with the elements that it changes.
var edits = []struct {
	name string
	do   func(f *flowfile.Flow) bool // false: not for this flow
	want []string
}{
	{"id", func(f *flowfile.Flow) bool { f.SetID("new"); return true }, []string{".id"}},
	{"created", func(f *flowfile.Flow) bool { f.SetCreated(5e17); return true }, []string{".timestamp_created"}},
	{"error", func(f *flowfile.Flow) bool {
		f.SetError(&flowfile.Error{Msg: "gone", Time: 5e17})
		return true
	}, []string{".error"}},
	{"no error", func(f *flowfile.Flow) bool { f.SetError(nil); return true }, []string{".error"}},
	{"intercepted", func(f *flowfile.Flow) bool { f.SetIntercepted(!f.Intercepted()); return true }, []string{".intercepted"}},
	{"replay", func(f *flowfile.Flow) bool { f.SetReplay("response"); return true }, []string{".is_replay"}},
	{"marked", func(f *flowfile.Flow) bool { f.SetMarked(":new:"); return true }, []string{".marked"}},
	{"comment", func(f *flowfile.Flow) bool { f.SetComment("né\xff"); return true }, []string{".comment"}},
	{"metadata", func(f *flowfile.Flow) bool {
		f.SetMetadata(f.Metadata().With("a", flowfile.List{nil, true, int64(-1), 1e16, flowfile.BigInt("123456789012345678901"), "x", flowfile.Map{{Key: "k", Value: 0.1}}}))
		return true
	}, []string{".metadata"}},
	{"client", func(f *flowfile.Flow) bool {
		c := *f.Client()
		c.SNI, c.TLS = "new.example", !c.TLS
		f.SetClient(&c)
		return true
	}, []string{".client_conn.sni", ".client_conn.tls"}},
	{"server", func(f *flowfile.Flow) bool {
		c := *f.Server()
		c.Address, c.Error = &flowfile.Addr{Host: "::1", Port: 1, Extra: []int64{0, 2}}, "broken"
		f.SetServer(&c)
		return true
	}, []string{".server_conn.address", ".server_conn.error"}},
	{"equal server", func(f *flowfile.Flow) bool {
		c := *f.Server()
		f.SetServer(&c)
		return true
	}, nil},
	{"method", onRequest(func(r *flowfile.Request) { r.SetMethod("PURGE") }), []string{".request.method"}},
	{"scheme", onRequest(func(r *flowfile.Request) { r.SetScheme("ftp") }), []string{".request.scheme"}},
	{"host", onRequest(func(r *flowfile.Request) { r.SetHost("new.example") }), []string{".request.host"}},
	{"port", onRequest(func(r *flowfile.Request) { r.SetPort(12345) }), []string{".request.port"}},
	{"authority", onRequest(func(r *flowfile.Request) { r.SetAuthority("a:1") }), []string{".request.authority"}},
	{"path", onRequest(func(r *flowfile.Request) { r.SetPath("/\xff") }), []string{".request.path"}},
	{"version", onRequest(func(r *flowfile.Request) { r.SetVersion("HTTP/3") }), []string{".request.http_version"}},
	{"header", onRequest(func(r *flowfile.Request) { r.Headers().Add("X-New", "1") }), []string{".request.headers"}},
	{"trailers", onRequest(func(r *flowfile.Request) {
		h := flowfile.NewHeaders([]flowfile.Field{{Name: "t", Value: "v"}})
		r.SetTrailers(&h)
	}), []string{".request.trailers"}},
	{"body", onRequest(func(r *flowfile.Request) { r.SetBody(flowfile.StringBody(strings.Repeat("x", 9999))) }), []string{".request.content"}},
	{"start and end", onRequest(func(r *flowfile.Request) { r.SetStart(5e17); r.SetEnd(6e17) }), []string{".request.timestamp_start", ".request.timestamp_end"}},
	{"status", onResponse(func(r *flowfile.Response) { r.SetStatus(599) }), []string{".response.status_code"}},
	{"reason", onResponse(func(r *flowfile.Response) { r.SetReason("\xe9") }), []string{".response.reason"}},
	{"response header", onResponse(func(r *flowfile.Response) { r.Headers().Replace(nil) }), []string{".response.headers"}},
	{"no response body", onResponse(func(r *flowfile.Response) { r.SetBody(flowfile.Body{}) }), []string{".response.content"}},
	{"no response end", onResponse(func(r *flowfile.Response) { r.SetEnd(0) }), []string{".response.timestamp_end"}},
	{"request and response", func(f *flowfile.Flow) bool {
		return onResponse(func(r *flowfile.Response) { r.SetStatus(1); f.Request().SetPath("/new") })(f)
	}, []string{".request.path", ".response.status_code"}},
	{"new request", onRequest(nil, func(f *flowfile.Flow) {
		f.SetRequest(flowfile.NewRequest(flowfile.RequestHead{Method: "NEW"}))
	}), []string{".request"}},
	{"new response", onRequest(nil, func(f *flowfile.Flow) {
		f.SetResponse(flowfile.NewResponse(flowfile.ResponseHead{Status: 999}))
	}), []string{".response"}},
	{"no response", onRequest(nil, func(f *flowfile.Flow) { f.SetResponse(nil) }), []string{".response"}},
	{"websocket", func(f *flowfile.Flow) bool {
		if f.WebSocket() == nil {
			return false
		}
		w := *f.WebSocket()
		w.CloseCode, w.End = 4000, 5e17
		f.SetWebSocket(&w)
		return true
	}, []string{".websocket.close_code", ".websocket.timestamp_end", ".websocket.close_reason"}},
	{"messages", func(f *flowfile.Flow) bool {
		if f.Kind() == flowfile.DNS || f.Kind() == flowfile.HTTP && f.WebSocket() == nil {
			return false
		}
		l := new(flowfile.MessageLog)
		l.Append(flowfile.Msg{FromClient: true, Opcode: 2, Time: 5e17, Injected: true, Body: flowfile.StringBody("new")})
		f.Messages().Replace(l)
		return true
	}, []string{".websocket.messages", ".messages"}},
	{"new websocket", onRequest(nil, func(f *flowfile.Flow) { f.SetWebSocket(&flowfile.WebSocket{CloseCode: 1}) }), []string{".websocket"}},
	{"query", func(f *flowfile.Flow) bool {
		if f.Kind() != flowfile.DNS {
			return false
		}
		m := *f.DNSRequest()
		m.ID = 4711
		f.SetDNSRequest(&m)
		f.SetDNSResponse(&m)
		return true
	}, []string{".request", ".response"}},
}

func onRequest(do func(*flowfile.Request), more ...func(*flowfile.Flow)) func(*flowfile.Flow) bool {
	return func(f *flowfile.Flow) bool {
		if f.Request() == nil {
			return false
		}
		if do != nil {
			do(f.Request())
		}
		for _, m := range more {
			m(f)
		}
		return true
	}
}

func onResponse(do func(*flowfile.Response)) func(*flowfile.Flow) bool {
	return func(f *flowfile.Flow) bool {
		if f.Response() == nil {
			return false
		}
		do(f.Response())
		return true
	}
}

// TestSplice changes one part of every flow of every dump and looks at what differs.
func TestSplice(t *testing.T) {
	for _, path := range dumps(t) {
		data := load(t, path)
		was := parseAll(t, data)
		for i := range was {
			// Keys from the future and odd types must survive every edit.
			was[i].add("future", tnet{tag: ']', in: []tnet{{tag: ',', text: "a"}}})
			for _, key := range []string{"client_conn", "request", "websocket"} {
				if v := was[i].at(key); v != nil && v.tag == '}' {
					v.add("future", tnet{tag: '~'})
				}
			}
			was[i].at("comment").tag = ','
		}
		data = appendTnet(nil, was...)
		for _, edit := range edits {
			flows := readAll(t, bytes.NewReader(data))
			edited := make([]bool, len(flows))
			for i, f := range flows {
				edited[i] = edit.do(f)
			}
			out, _ := write(t, 0, flows...)
			again := readAll(t, bytes.NewReader(out))
			for i, is := range parseAll(t, out) {
				name := fmt.Sprintf("%s %d, %s", path[len(path)-16:], i, edit.name)
				got := differ(was[i], is, "")
				if !edited[i] && len(got) > 0 {
					t.Fatalf("%s: %v differ in a flow that was not edited", name, got)
				}
				for _, p := range got {
					if !covered(p, edit.want) {
						t.Errorf("%s: %s differs", name, p)
					}
				}
				if edited[i] && len(got) == 0 && len(edit.want) > 0 && edit.name[:2] != "no" {
					t.Errorf("%s: nothing differs", name)
				}
				// What was written is what was set.
				if !bytes.Equal(model(t, flows[i]), model(t, again[i])) && edit.name != "comment" {
					t.Errorf("%s: the model differs", name)
				}
			}
		}
	}
}

// covered tells whether path lies in one of the elements.
func covered(path string, elements []string) bool {
	for _, e := range elements {
		if path == e || strings.HasPrefix(path, e+".") || strings.HasPrefix(path, e+"[") {
			return true
		}
	}
	return false
}

// model returns f as the model writer writes it.
func model(t *testing.T, f *flowfile.Flow) []byte {
	t.Helper()
	o := f.Origin()
	f.SetOrigin(nil)
	b, _ := write(t, 0, f)
	f.SetOrigin(o)
	return b
}

// TestKept gives records back from what was kept of them and the model.
func TestKept(t *testing.T) {
	for _, path := range dumps(t) {
		data := load(t, path)
		for _, edit := range append(edits[:0:0], append(edits, edits[0])...) {
			flows, direct := readAll(t, bytes.NewReader(data)), readAll(t, bytes.NewReader(data))
			plain := 0
			for i, f := range flows {
				if edit.name != "equal server" { // once without edit
					edit.do(f)
					edit.do(direct[i])
				}
				k := f.Origin().Kept(f)
				if k == nil || k.Format != mitm.Format || k.Version != f.Origin().(*mitm.Record).Version() {
					t.Fatalf("%s %d: kept %v", path, i, k)
				}
				if k.Head == "" {
					plain++
				}
				flows[i] = kept(f, k)
			}
			want, _ := write(t, 0, direct...)
			if got, _ := write(t, 0, flows...); !bytes.Equal(got, want) {
				t.Errorf("%s, %s: what was given back differs", path, edit.name)
			}
			if n := len(flows); strings.HasSuffix(path, "proxy.mitm") && edit.name != "new websocket" && plain < n-3 {
				t.Errorf("%s, %s: only %d of %d records are plain", path, edit.name, plain, n)
			}
		}
	}
}

// kept returns f as a native file would give it back: a copy in which nothing is marked.
func kept(f *flowfile.Flow, k *flowfile.Kept) *flowfile.Flow {
	c := f.Clone()
	c.SetOrigin(flowfile.KeptOrigin("flow", k))
	if f.Messages().Len() > 0 {
		l := new(flowfile.MessageLog)
		for m := range f.Messages().All() {
			l.Append(m)
		}
		h := flowfile.Head{
			ID: c.ID(), Kind: c.Kind(), Created: c.Created(), Client: c.Client(), Server: c.Server(), Error: c.Error(),
			Intercepted: c.Intercepted(), Replay: c.Replay(), Marked: c.Marked(), Comment: c.Comment(),
			Metadata: c.Metadata(), Request: c.Request(), Response: c.Response(), WebSocket: c.WebSocket(),
			Messages: l, Origin: c.Origin(),
		}
		return flowfile.New(h)
	}
	return c
}

// TestKeptMessages keeps a record with long messages and a key that is not known.
func TestKeptMessages(t *testing.T) {
	l := new(flowfile.MessageLog)
	for i := range 6000 {
		l.Append(flowfile.Msg{FromClient: i%2 == 0, Time: 1e18 + flowfile.Time(i), Body: flowfile.StringBody(strings.Repeat("m", i%100))})
	}
	body := flowfile.MessageHead{Body: flowfile.StringBody("body")}
	for _, f := range []*flowfile.Flow{
		flowfile.New(flowfile.Head{ID: "tcp", Kind: flowfile.TCP, Messages: l}),
		flowfile.New(flowfile.Head{
			ID: "websocket", Messages: l,
			Request:  flowfile.NewRequest(flowfile.RequestHead{MessageHead: body}),
			Response: flowfile.NewResponse(flowfile.ResponseHead{MessageHead: body}),
		}),
	} {
		data, _ := write(t, 0, f)
		was := parseAll(t, data)
		was[0].add("future", tnet{tag: '~'})
		data = appendTnet(nil, was...)
		f = readAll(t, bytes.NewReader(data))[0]
		k := f.Origin().Kept(f)
		if len(k.Head) == 0 || len(k.Head) > len(data)-100_000 {
			t.Fatalf("kept %d of %d bytes", len(k.Head), len(data))
		}
		g := kept(f, k)
		if got, _ := write(t, 0, g); !bytes.Equal(got, data) {
			t.Errorf("%s: what was given back differs", f.ID())
		}
		g.SetComment("new")
		got, _ := write(t, 0, g)
		if d := differ(parseAll(t, data)[0], parseAll(t, got)[0], ""); len(d) != 1 || d[0] != ".comment" {
			t.Errorf("%s: %v differ", f.ID(), d)
		}
	}
}

package starlark_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark"
)

type testProxy struct{ wishes []string }

func (p *testProxy) Inject(flow string, toClient bool, opcode int, data []byte) error {
	p.wishes = append(p.wishes, fmt.Sprintf("inject %s %v %d %s", flow, toClient, opcode, data))
	return nil
}
func (p *testProxy) Kill(flow string) { p.wishes = append(p.wishes, "kill "+flow) }
func (p *testProxy) Shutdown()        { p.wishes = append(p.wishes, "shutdown") }

// liveScript starts a script with live traffic and returns what hands it an event.
func liveScript(t *testing.T, src string, p script.Proxy) (fire func(*replay.Event) *replay.Event, errs *[]string, out *bytes.Buffer) {
	t.Helper()
	out, errs = &bytes.Buffer{}, new([]string)
	session, err := starlark.Engine{}.Load(t.Context(), []script.Spec{{
		Path: "x.star", Source: []byte(src), Output: out, Log: slog.New(slog.DiscardHandler),
	}})
	if err != nil {
		t.Fatal(err)
	}
	session.OnError(func(_ *flowfile.Flow, e *replay.EventError) error {
		*errs = append(*errs, e.Err.(*script.Error).Msg)
		return nil
	})
	l := session.(script.Live)
	if err := l.StartLive(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return func(e *replay.Event) *replay.Event {
		t.Helper()
		e.Live = true
		if err := l.Handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		return e
	}, errs, out
}

func TestLiveConnections(t *testing.T) {
	fire, errs, out := liveScript(t, `
def client_connected(client):
    if client.peername[1] == 5:
        client.error = "go away"
def server_connect(data):
    print(data.client.id, data.server.address)
    data.server.address = ("other.example", 81)
    data.server.via = ("http", ("proxy", 3128))
def tls_clienthello(data):
    data.ignore_connection = data.client_hello.sni == "pinned.example" and b"h2" in data.client_hello.alpn_protocols
    print(data.context.client.id, data.client_hello.cipher_suites)
def next_layer(data):
    if data.data_client().startswith(b"RAW"):
        data.protocol = "tcp"
def socks5_auth(data):
    data.valid = data.password == "secret"
def serverdisconnect(conn):
    print(conn.id)
def tick():
    ctx.shutdown()
def add_log(entry):
    print(entry.level, entry.msg)
def http_connect(flow):
    flow.comment = "connect"
`, &testProxy{})
	shared := flowOf("http")
	conns := func() *replay.Conns { return &replay.Conns{Client: shared.Client(), Server: shared.Server()} }
	e := fire(&replay.Event{Hook: replay.ClientConnected, Conns: conns()})
	if e.Conns.Client.Error != "go away" || shared.Client().Error != "e" {
		t.Error("the connection was not replaced")
	}
	e = fire(&replay.Event{Hook: replay.ServerConnect, Conns: conns()})
	if e.Conns.Server.Address.String() != "other.example:81" || e.Conns.Server.Via.Addr.Port != 3128 {
		t.Error(e.Conns.Server)
	}
	c := conns()
	c.Hello = &replay.ClientHello{SNI: "pinned.example", ALPN: []string{"h2"}, Ciphers: []uint16{1}}
	c.Next, c.Auth = nil, nil
	if fire(&replay.Event{Hook: replay.TLSClientHello, Conns: c}); !c.Ignore {
		t.Error("not ignored")
	}
	c = conns()
	c.Next = &replay.Layer{Protocol: "http", FromClient: []byte("RAW")}
	if fire(&replay.Event{Hook: replay.NextLayer, Conns: c}); c.Next.Protocol != "tcp" {
		t.Error(c.Next.Protocol)
	}
	c = conns()
	c.Auth = &replay.Auth{Password: "secret"}
	if fire(&replay.Event{Hook: replay.SOCKS5Auth, Conns: c}); !c.Auth.Valid {
		t.Error("not valid")
	}
	fire(&replay.Event{Hook: replay.ServerDisconnected, Conns: conns()})
	fire(&replay.Event{Hook: replay.Tick})
	fire(&replay.Event{Hook: replay.AddLog, Log: &replay.LogEntry{Level: "warn", Text: "careful"}})
	f := flowOf("http")
	if fire(&replay.Event{Hook: replay.HTTPConnect, Flow: f}); f.Comment() != "connect" {
		t.Error(f.Comment())
	}
	want := "client (\"shop.example\", 80)\nclient [1]\nserver\nwarn careful\n"
	if len(*errs) > 0 || out.String() != want {
		t.Errorf("%q %s", *errs, out)
	}
}

func TestLiveVerdictsAndStreams(t *testing.T) {
	p := &testProxy{}
	fire, errs, _ := liveScript(t, `
def request(flow):
    if flow.killable:
        flow.kill()
    flow.comment = "%s %s" % (flow.live, flow.killable)
def requestheaders(flow):
    flow.request.stream = True
def responseheaders(flow):
    seen = []
    def upper(part):
        seen.append(len(part))
        return [part.upper(), b"."] if part else bytes(str(seen), "utf-8")
    flow.response.stream = upper
def response(flow):
    flow.response.stream = True
def websocket_message(flow):
    flow.websocket.messages[-1].drop()
    flow.inject(True, "text")
    flow.inject(False, b"binary")
def tick():
    ctx.shutdown()
`, p)
	f := flowOf("http")
	f.SetError(nil)
	fire(&replay.Event{Hook: replay.Request, Flow: f})
	if !replay.IsKilled(f) || f.Comment() != "True False" {
		t.Error(f.Comment())
	}
	if e := fire(&replay.Event{Hook: replay.RequestHeaders, Flow: f, Stream: &replay.Stream{}}); !e.Stream.On || e.Stream.Chunk != nil {
		t.Error("the request does not stream")
	}
	e := fire(&replay.Event{Hook: replay.ResponseHeaders, Flow: f, Stream: &replay.Stream{}})
	got := ""
	for i, part := range []string{"ab", "c", ""} {
		b, err := e.Stream.Chunk(context.Background(), []byte(part), i == 2)
		if err != nil {
			t.Fatal(err)
		}
		got += string(b) + " "
	}
	if got != "AB. C. [2, 1, 0] " {
		t.Error(got)
	}
	log := &flowfile.MessageLog{}
	log.Append(flowfile.Msg{Opcode: 1, Body: flowfile.StringBody("x")})
	fire(&replay.Event{Hook: replay.WebSocketMessage, Flow: flowOf("ws"), Messages: log})
	fire(&replay.Event{Hook: replay.Tick})
	if !log.At(0).Dropped || fmt.Sprint(p.wishes) != "[inject id-ws true 1 text inject id-ws false 2 binary shutdown]" {
		t.Error(log.At(0), p.wishes)
	}
	fire(&replay.Event{Hook: replay.Response, Flow: f})
	if len(*errs) != 1 || !strings.Contains((*errs)[0], "before the body comes") {
		t.Errorf("%q", *errs)
	}
}

// Scripts that depend on the order run one at a time, others beside each other.
func TestLiveTurns(t *testing.T) {
	fire, errs, _ := liveScript(t, `
def request(flow):
    n = state.get("n", 0)
    for _ in range(1000):
        pass
    state["n"] = n + 1
    flow.comment = str(n)
`, &testProxy{})
	var wg sync.WaitGroup
	flows := numbered(100)
	for _, f := range flows {
		wg.Go(func() { fire(&replay.Event{Hook: replay.Request, Flow: f}) })
	}
	wg.Wait()
	seen := make(map[string]bool)
	for _, f := range flows {
		seen[f.Comment()] = true
	}
	if len(seen) != 100 || len(*errs) > 0 {
		t.Errorf("%d of 100 %q", len(seen), *errs)
	}
}

// What is a hook of live traffic may be a helper of a script that was written for recorded flows.
func TestHelpersNamedAsLiveHooks(t *testing.T) {
	printed, errs := scripted(t, `
def tick(a, b, c):
    return a + b + c
def log(x):
    return x
def response(flow):
    print(log(tick(1, 2, 3)))
`, flowOf("http"))
	if printed != "6" || len(errs) > 0 {
		t.Errorf("%s %q", printed, errs)
	}
}

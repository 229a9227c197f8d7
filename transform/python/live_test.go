package python_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/python"
	"flowkit/transform/script"
)

// testProxy notes what scripts want of it.
type testProxy struct{ wishes chan string }

func (p testProxy) Inject(flow string, toClient bool, opcode int, data []byte) error {
	p.wishes <- fmt.Sprintf("inject %s %v %d %s", flow, toClient, opcode, data)
	return nil
}
func (p testProxy) Kill(flow string) { p.wishes <- "kill " + flow }
func (p testProxy) Shutdown()        { p.wishes <- "shutdown" }

// buffer is a log or output that several goroutines write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// liveScript is a script with live traffic.
type liveScript struct {
	*testing.T
	script.Live
	proxy testProxy
	log   *buffer

	mu   sync.Mutex
	errs []string
}

var liveCache = sync.OnceValue(func() string {
	dir, _ := os.MkdirTemp("", "flowkit-live-test-*")
	return dir
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(liveCache())
	os.Exit(code)
}

var (
	findPython sync.Once
	livePython string // any version
)

func liveEngine(t *testing.T) python.Engine {
	t.Helper()
	findPython.Do(func() {
		for _, path := range interpreters(t) {
			livePython = path
		}
	})
	if livePython == "" {
		t.Skip("there is no python3 to run scripts with")
	}
	return python.Engine{Python: livePython, CacheDir: liveCache()}
}

func newLive(t *testing.T, src string, limits script.Limits) *liveScript {
	t.Helper()
	t.Parallel()
	s := &liveScript{T: t, proxy: testProxy{make(chan string, 10)}, log: &buffer{}}
	path := filepath.Join(t.TempDir(), "x.py")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	session, err := liveEngine(t).Load(t.Context(), []script.Spec{{
		Path: path, Limits: limits, Log: slog.New(slog.NewTextHandler(s.log, nil)), Output: s.log,
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Live = session.(script.Live)
	s.start()
	return s
}

func (s *liveScript) start() {
	s.Helper()
	s.OnError(func(_ *flowfile.Flow, e *replay.EventError) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.errs = append(s.errs, e.Error())
		return nil
	})
	s.Cleanup(func() {
		if err := s.Close(); err != nil {
			s.Error(err)
		}
	})
	if err := s.StartLive(s.Context(), s.proxy); err != nil {
		s.Fatal(err)
	}
}

func (s *liveScript) fire(e *replay.Event) *replay.Event {
	s.Helper()
	e.Live = true
	if err := s.Handle(s.Context(), e); err != nil {
		s.Fatal(err)
	}
	return e
}

// until waits until the log and output have what.
func (s *liveScript) until(what string) {
	s.Helper()
	for range 2000 {
		if strings.Contains(s.log.String(), what) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.Fatalf("%q is not in the log:\n%s", what, s.log)
}

func (s *liveScript) noErrors() {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errs) > 0 {
		s.Errorf("%q", s.errs)
	}
	s.errs = nil
}

func (s *liveScript) equal(what string, got, want any) {
	s.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		s.Errorf("%s is %q, want %q", what, g, w)
	}
}

const begun = flowfile.Time(1_700_000_000_500_000_000)

func liveClient(id string) *flowfile.Conn {
	return &flowfile.Conn{ID: id, Transport: "tcp", Peer: &flowfile.Addr{Host: "127.0.0.1", Port: 5}, Start: begun, State: 3}
}

func liveFlowOf(id string) *flowfile.Flow {
	return flowfile.New(flowfile.Head{
		ID: id, Created: begun, Client: liveClient("c1"), Server: &flowfile.Conn{ID: "s1", Address: &flowfile.Addr{Host: "shop.example", Port: 80}},
		Request: flowfile.NewRequest(flowfile.RequestHead{
			MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: []flowfile.Field{{Name: "Host", Value: "shop.example"}}, Start: begun},
			Method:      "GET", Scheme: "http", Host: "shop.example", Port: 80, Path: "/",
		}),
	})
}

func answer(f *flowfile.Flow, body string) {
	f.SetResponse(flowfile.NewResponse(flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Body: flowfile.StringBody(body), Start: begun},
		Status:      200, Reason: "OK",
	}))
}

func kindOf(t *testing.T, f *flowfile.Flow) string {
	t.Helper()
	b, err := f.Response().Body().Bytes(-1)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A flow is one object from its first event to its last, and bodies of all sizes come along.
func TestLiveFlowsStay(t *testing.T) {
	s := newLive(t, `
first = {}
def requestheaders(flow):
    flow.mine = [flow.id]
    flow.request.mine = 7
    first[flow.id] = flow
    flow.request.headers["x"] = "1"
def request(flow):
    assert first[flow.id] is flow and flow.request.mine == 7
    assert flow.request.headers["x"] == "1"
    flow.comment = flow.request.text[:3] + str(len(flow.request.content))
    flow.metadata["k"] = 1
def response(flow):
    assert flow.mine == [flow.id] and flow.live and flow.killable
    assert flow.metadata == {"k": 1}, flow.metadata
    assert first[flow.id].response is flow.response
    flow.response.text = flow.response.text[:5] + "!"
    flow.response.headers["len"] = flow.comment
def done():
    for f in first.values():
        print(f.id, f.live, f.request.content[:3], f.response.text)
`, script.Limits{})
	spool := &flowfile.Spool{}
	for i, size := range []int{4, 100_000, 3_000_000} {
		f := liveFlowOf(fmt.Sprint("f", i))
		s.fire(&replay.Event{Hook: replay.RequestHeaders, Flow: f, Stream: &replay.Stream{}})
		s.equal("the header", f.Request().Headers().Get("x"), "1")
		body := flowfile.StringBody(strings.Repeat("b", size))
		if i == 2 {
			c, err := spool.Add([]byte(strings.Repeat("b", size)))
			if err != nil {
				t.Fatal(err)
			}
			body = flowfile.ContentBody(c)
		}
		f.Request().SetBody(body)
		s.fire(&replay.Event{Hook: replay.Request, Flow: f})
		s.equal("the comment", f.Comment(), fmt.Sprint("bbb", size))
		answer(f, strings.Repeat("r", size))
		s.fire(&replay.Event{Hook: replay.Response, Flow: f})
		s.equal("the response", kindOf(t, f), strings.Repeat("r", min(size, 5))+"!")
		s.equal("the header", f.Response().Headers().Get("len"), f.Comment())
		s.End(f)
	}
	s.noErrors()
	if err := s.Done(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.until("f2 False b'bbb' rrrrr!\n")
	s.equal("what done printed", s.log.String(), "f0 False b'bbb' rrrr!\nf1 False b'bbb' rrrrr!\nf2 False b'bbb' rrrrr!\n")
}

func TestLiveVerdicts(t *testing.T) {
	s := newLive(t, `
from mitmproxy import http
def request(flow):
    if flow.request.path == "/kill":
        flow.kill()
        assert not flow.killable
    elif flow.request.path == "/answer":
        flow.response = http.Response.make(418, b"tea")
    elif flow.request.path == "/elsewhere":
        flow.request.host, flow.request.port, flow.request.scheme = "other.example", 8443, "https"
    elif flow.request.path == "/drop":
        flow.drop()
`, script.Limits{})
	flows := map[string]*flowfile.Flow{}
	for _, path := range []string{"/kill", "/answer", "/elsewhere", "/drop"} {
		f := liveFlowOf(path)
		f.Request().SetPath(path)
		flows[path] = f
		s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	}
	s.noErrors()
	s.equal("killed", replay.IsKilled(flows["/kill"]), true)
	s.equal("the answer", flows["/answer"].Response().Status(), 418)
	s.equal("the URL", flows["/elsewhere"].Request().URL(), "https://other.example:8443/elsewhere")
	s.equal("dropped", flows["/drop"].Dropped(), true)
}

// Async and @concurrent hooks of several flows run beside each other, and beside plain ones.
func TestLiveHooksRunBesideEachOther(t *testing.T) {
	s := newLive(t, `
import asyncio, threading
from mitmproxy.script import concurrent
both = asyncio.Event()
barrier = threading.Barrier(2, timeout=20)
waiting = 0
async def request(flow):
    global waiting
    waiting += 1
    if waiting == 2:
        both.set()
    await both.wait()
    flow.comment = "async"
class Other:
    @concurrent
    def response(self, flow):
        barrier.wait()
        flow.comment += " thread"
addons = [Other()]
`, script.Limits{})
	for _, h := range []replay.Hook{replay.Request, replay.Response} {
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				f := liveFlowOf(fmt.Sprint(h, i))
				answer(f, "")
				f.SetComment("c")
				s.fire(&replay.Event{Hook: h, Flow: f})
				want := map[replay.Hook]string{replay.Request: "async", replay.Response: "c thread"}[h]
				s.equal("the comment", f.Comment(), want)
			})
		}
		wg.Wait()
	}
	s.noErrors()
}

// An exception skips what is left of its script, AddonHalt what is left of all.
func TestLiveHooksThatRaise(t *testing.T) {
	s := newLive(t, `
from mitmproxy.exceptions import AddonHalt
class A:
    def __init__(self, letter, raises=None):
        self.letter, self.raises = letter, raises
    async def request(self, flow):
        flow.comment += self.letter
        if self.raises:
            raise self.raises
    def response(self, flow):
        flow.comment += self.letter
        if self.raises:
            raise self.raises
class B(A):
    def request(self, flow):
        self.response(flow)
def named(addon, name):
    addon.name = name
    return addon
addons = [named(A("a"), "1"), named(B("b"), "2"), named(A("c"), "3"), named(B("d", AddonHalt()), "4"), named(A("e"), "5")]
`, script.Limits{})
	for _, h := range []replay.Hook{replay.Request, replay.Response} {
		f := liveFlowOf("1")
		answer(f, "")
		s.fire(&replay.Event{Hook: h, Flow: f})
		s.equal("the comment", f.Comment(), "abcd")
	}
	s.noErrors()
}

func TestLiveIntercept(t *testing.T) {
	s := newLive(t, `
held = []
def request(flow):
    flow.intercept()
    held.append(flow)
def tick():
    for f in held:
        f.comment = "resumed"
        f.resume()
`, script.Limits{Timeout: 200 * time.Millisecond})
	f := liveFlowOf("1")
	done := make(chan error)
	go func() { done <- s.Handle(t.Context(), &replay.Event{Hook: replay.Request, Flow: f, Live: true}) }()
	select {
	case err := <-done:
		t.Fatal("it was not held", err)
	case <-time.After(400 * time.Millisecond): // longer than the timeout
	}
	s.fire(&replay.Event{Hook: replay.Tick})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.equal("the comment", f.Comment(), "resumed")
	s.equal("intercepted", f.Intercepted(), false)
	// A client that leaves ends the wait.
	g := liveFlowOf("2")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := s.Handle(ctx, &replay.Event{Hook: replay.Request, Flow: g, Live: true}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.End(g)
	s.noErrors()
}

func TestLiveConnections(t *testing.T) {
	s := newLive(t, `
from mitmproxy import connection, tls
from mitmproxy.proxy import layers
def client_connected(client):
    assert isinstance(client, connection.Client)
    client.seen = True
    if client.peername[1] == 6:
        client.error = "go away"
def server_connect(data):
    assert data.client.seen
    if data.server.address[0] == "blocked.example":
        data.server.error = "blocked"
    else:
        data.server.address = ("other.example", 81)
def tls_clienthello(data: tls.ClientHelloData):
    assert data.context.client.seen
    if data.client_hello.sni == "pinned.example":
        data.ignore_connection = True
    data.establish_server_tls_first = b"h2" in data.client_hello.alpn_protocols
def tls_failed_client(data):
    print("failed", data.conn.error)
def next_layer(nextlayer):
    if nextlayer.data_client().startswith(b"RAW"):
        nextlayer.layer = layers.TCPLayer(nextlayer.context, ignore=True)
    elif nextlayer.data_client().startswith(b"TCP"):
        nextlayer.layer = layers.TCPLayer(nextlayer.context)
    elif nextlayer.data_client().startswith(b"BAD"):
        nextlayer.layer = layers.modes.HttpProxy(nextlayer.context)
def socks5_auth(data):
    data.valid = (data.username, data.password) == ("bob", "secret")
def http_connect(flow):
    flow.comment = flow.request.method
def request(flow):
    flow.comment = str(flow.client_conn.seen)
def client_disconnected(client):
    print("gone", client.seen)
`, script.Limits{})
	client := liveClient("c1")
	conns := func(server *flowfile.Conn) *replay.Conns { return &replay.Conns{Client: client, Server: server} }
	e := s.fire(&replay.Event{Hook: replay.ClientConnected, Conns: conns(nil)})
	s.equal("the error", e.Conns.Client.Error, "")
	other := *client
	other.ID, other.Peer = "c2", &flowfile.Addr{Host: "127.0.0.1", Port: 6}
	e = s.fire(&replay.Event{Hook: replay.ClientConnected, Conns: &replay.Conns{Client: &other}})
	s.equal("the error", e.Conns.Client.Error, "go away")
	server := func(host string) *flowfile.Conn {
		return &flowfile.Conn{ID: host, Transport: "tcp", Address: &flowfile.Addr{Host: host, Port: 80}}
	}
	e = s.fire(&replay.Event{Hook: replay.ServerConnect, Conns: conns(server("blocked.example"))})
	s.equal("the error", e.Conns.Server.Error, "blocked")
	e = s.fire(&replay.Event{Hook: replay.ServerConnect, Conns: conns(server("shop.example"))})
	s.equal("the address", e.Conns.Server.Address, "other.example:81")
	c := conns(nil)
	c.Hello = &replay.ClientHello{SNI: "pinned.example", ALPN: []string{"h2"}}
	s.fire(&replay.Event{Hook: replay.TLSClientHello, Conns: c})
	s.equal("what became of the hello", fmt.Sprint(c.Ignore, c.ServerFirst), "true true")
	failed := *client
	failed.Error = "bad certificate"
	s.fire(&replay.Event{Hook: replay.TLSFailedClient, Conns: &replay.Conns{Client: &failed}})
	for data, want := range map[string]string{"RAW": "tcp true", "TCP": "tcp false", "GET": "http false"} {
		c := conns(nil)
		c.Next = &replay.Layer{Protocol: "http", FromClient: []byte(data)}
		s.fire(&replay.Event{Hook: replay.NextLayer, Conns: c})
		s.equal("the layer of "+data, fmt.Sprint(c.Next.Protocol, " ", c.Ignore), want)
	}
	for password, want := range map[string]bool{"secret": true, "guess": false} {
		c := conns(nil)
		c.Auth = &replay.Auth{User: "bob", Password: password}
		s.fire(&replay.Event{Hook: replay.SOCKS5Auth, Conns: c})
		s.equal("valid", c.Auth.Valid, want)
	}
	f := liveFlowOf("connect")
	f.Request().SetMethod("CONNECT")
	s.fire(&replay.Event{Hook: replay.HTTPConnect, Flow: f, Conns: conns(nil)})
	s.equal("the comment", f.Comment(), "CONNECT")
	s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	s.equal("the comment", f.Comment(), "True")
	s.fire(&replay.Event{Hook: replay.ClientDisconnected, Conns: conns(nil)})
	s.noErrors()
	bad := conns(nil)
	bad.Next = &replay.Layer{Protocol: "http", FromClient: []byte("BAD")}
	s.fire(&replay.Event{Hook: replay.NextLayer, Conns: bad})
	if len(s.errs) != 1 || !strings.Contains(s.errs[0], "mitmproxy's own proxy") {
		t.Errorf("%q", s.errs)
	}
	s.until("gone True\n")
	s.equal("the output", s.log.String(), "failed bad certificate\ngone True\n")
}

// What scripts before 7 have of connections.
func TestLiveOldHooks(t *testing.T) {
	s := newLive(t, `
def clientconnect(layer):
    print("clientconnect", layer.client_conn.address.host)
def serverconnect(conn):
    print("serverconnect", conn.address[0])
def tick():
    print("tick")
def log(entry):
    if entry.level == "warn":
        print("log", entry.msg)
def clientdisconnect(layer):
    print("clientdisconnect")
`, script.Limits{})
	c := &replay.Conns{Client: liveClient("c")}
	s.fire(&replay.Event{Hook: replay.ClientConnected, Conns: c})
	s.fire(&replay.Event{Hook: replay.ServerConnect, Conns: &replay.Conns{Client: c.Client, Server: &flowfile.Conn{ID: "s", Address: &flowfile.Addr{Host: "h", Port: 1}}}})
	s.fire(&replay.Event{Hook: replay.Tick})
	s.fire(&replay.Event{Hook: replay.AddLog, Log: &replay.LogEntry{Level: "warn", Text: "careful"}})
	s.fire(&replay.Event{Hook: replay.ClientDisconnected, Conns: c})
	s.noErrors()
	s.until("clientdisconnect\n")
	s.equal("the output", s.log.String(), "clientconnect 127.0.0.1\nserverconnect h\ntick\nlog careful\nclientdisconnect\n")
}

func TestLiveStreams(t *testing.T) {
	s := newLive(t, `
def requestheaders(flow):
    flow.request.stream = True
def responseheaders(flow):
    path = flow.request.path
    if path == "/upper":
        flow.response.stream = lambda data: data.upper() if data else b"<end>"
    elif path == "/parts":
        flow.response.stream = lambda data: [data, b"|"]
    elif path == "/chunks":
        def old(chunks):
            for chunk in chunks:
                yield chunk + b";"
            yield b"."
        flow.response.stream = old
    elif path == "/triples":
        def old(chunks):
            for prefix, content, suffix in chunks:
                yield prefix, content.replace(b"a", b"b"), suffix
        flow.response.stream = old
    elif path == "/raises":
        flow.response.stream = lambda data: 1 / 0
`, script.Limits{})
	for path, want := range map[string]string{
		"/upper": "ABRA CADABRA <end>", "/parts": "abra| cadabra| |", "/chunks": "abra; cadabra; .", "/triples": "bbrb cbdbbrb ",
	} {
		f := liveFlowOf(path)
		f.Request().SetPath(path)
		e := s.fire(&replay.Event{Hook: replay.RequestHeaders, Flow: f, Stream: &replay.Stream{}})
		s.equal("the request's stream", fmt.Sprint(e.Stream.On, e.Stream.Chunk == nil), "true true")
		answer(f, "")
		e = s.fire(&replay.Event{Hook: replay.ResponseHeaders, Flow: f, Stream: &replay.Stream{}})
		var got []string
		for i, part := range []string{"abra", "cadabra", ""} {
			out, err := e.Stream.Chunk(t.Context(), []byte(part), i == 2)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(out))
		}
		s.equal(path, strings.Join(got, " "), want)
		s.End(f)
	}
	s.noErrors()
	f := liveFlowOf("raises")
	f.Request().SetPath("/raises")
	answer(f, "")
	e := s.fire(&replay.Event{Hook: replay.ResponseHeaders, Flow: f, Stream: &replay.Stream{}})
	if _, err := e.Stream.Chunk(t.Context(), []byte("x"), false); err == nil || len(s.errs) != 1 {
		t.Errorf("%v %q", err, s.errs)
	}
}

func TestLiveMessages(t *testing.T) {
	s := newLive(t, `
from mitmproxy import ctx
def websocket_message(flow):
    m = flow.websocket.messages[-1]
    if m.text == "drop":
        m.drop()
    elif m.text == "edit":
        m.text = "edited"
    elif m.text == "inject":
        ctx.master.commands.call("inject.websocket", flow, True, b"hello")
    elif m.text == "kill":
        flow.kill()
def websocket_end(flow):
    flow.comment = " ".join(m.text for m in flow.websocket.messages)
def tcp_message(flow):
    if flow.messages[-1].content == b"remove":
        del flow.messages[-1]
    else:
        ctx.master.commands.call("inject.tcp", flow, False, b"pong")
`, script.Limits{})
	f := liveFlowOf("ws")
	f.SetWebSocket(&flowfile.WebSocket{})
	log := &flowfile.MessageLog{}
	s.fire(&replay.Event{Hook: replay.WebSocketStart, Flow: f, Messages: log})
	for i, text := range []string{"keep", "drop", "edit", "inject", "kill"} {
		log.Append(flowfile.Msg{Opcode: 1, FromClient: true, Time: begun, Body: flowfile.StringBody(text)})
		s.fire(&replay.Event{Hook: replay.WebSocketMessage, Flow: f, Messages: log})
		last := log.At(log.Len() - 1)
		b, _ := last.Body.Bytes(-1)
		want := []string{"keep false", "drop true", "edited false", "inject false", "kill false"}[i]
		s.equal("message", fmt.Sprint(string(b), " ", last.Dropped), want)
	}
	s.equal("the wish", <-s.proxy.wishes, "inject ws true 1 hello")
	s.equal("killed", replay.IsKilled(f), true)
	s.fire(&replay.Event{Hook: replay.WebSocketEnd, Flow: f, Messages: log})
	s.equal("the comment", f.Comment(), "keep drop edited inject kill")

	g := flowfile.New(flowfile.Head{ID: "tcp", Kind: flowfile.TCP, Created: begun})
	log = &flowfile.MessageLog{}
	for i, text := range []string{"remove", "ping"} {
		log.Append(flowfile.Msg{FromClient: true, Time: begun, Body: flowfile.StringBody(text)})
		s.fire(&replay.Event{Hook: replay.TCPMessage, Flow: g, Messages: log})
		s.equal("the messages", log.Len(), i)
	}
	s.equal("the wish", <-s.proxy.wishes, "inject tcp false 0 pong")
	s.noErrors()
}

// What is asked for between events.
func TestLiveWishes(t *testing.T) {
	s := newLive(t, `
import asyncio
from mitmproxy import ctx
async def later(flow):
    await asyncio.sleep(0.01)
    flow.kill()
    ctx.master.shutdown()
def running():
    print("running")
def request(flow):
    asyncio.create_task(later(flow))
`, script.Limits{})
	f := liveFlowOf("1")
	s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	s.equal("the wish", <-s.proxy.wishes, "kill 1")
	s.equal("the wish", <-s.proxy.wishes, "shutdown")
	s.noErrors()
	s.equal("the output", s.log.String(), "running\n")
}

// A hook that takes too long, or ends the process, does not hold traffic up.
func TestLiveTrouble(t *testing.T) {
	s := newLive(t, `
import asyncio, os, signal, time
from mitmproxy.script import concurrent
async def request(flow):
    flow.comment = "before"
    if flow.id == "slow":
        while True:
            pass
    if flow.id == "async":
        await asyncio.sleep(100)
    if flow.id == "raises":
        1 / 0
@concurrent
def response(flow):
    if flow.id == "thread":
        time.sleep(2)
def error(flow):
    os._exit(3)
`, script.Limits{Timeout: 300 * time.Millisecond})
	for _, id := range []string{"slow", "async", "raises"} {
		f := liveFlowOf(id)
		s.fire(&replay.Event{Hook: replay.Request, Flow: f})
		s.equal("the comment", f.Comment(), "before")
	}
	f := liveFlowOf("thread")
	answer(f, "")
	s.fire(&replay.Event{Hook: replay.Response, Flow: f})
	if got := strings.Join(s.errs, "\n"); strings.Count(got, "\n") != 3 || strings.Count(got, "--script-timeout") != 3 {
		t.Errorf("%s", got)
	}
	for range 3 { // it is told once
		s.fire(&replay.Event{Hook: replay.Error, Flow: liveFlowOf("crash")})
		s.fire(&replay.Event{Hook: replay.Request, Flow: liveFlowOf("after")})
	}
	if got := s.log.String(); strings.Count(got, "traffic goes on without its scripts") != 1 {
		t.Errorf("%s", got)
	}
	<-s.Live.(*python.Session).Crashed()
}

func TestLiveReload(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.py")
	version := 0
	write := func(src string) {
		version++
		src += strings.Repeat("\n", version) // another size
		if err := os.WriteFile(path+".new", []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("def request(flow):\n    flow.comment = 'one'\ndef done():\n    print('done of one')\n")
	s := &liveScript{T: t, proxy: testProxy{make(chan string, 10)}, log: &buffer{}}
	r, err := script.NewReloader(t.Context(), liveEngine(t), []script.Spec{{Path: path, Log: slog.New(slog.NewTextHandler(s.log, nil)), Output: s.log}}, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	s.Live = r
	s.start()
	f := liveFlowOf("kept")
	s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	s.equal("the comment", f.Comment(), "one")
	write("def request(flow):\n    flow.comment = two\ndef broken(:\n")
	s.until("what was loaded before goes on")
	s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	s.equal("the comment", f.Comment(), "one")
	write("def request(flow):\n    flow.comment = 'two'\ndef response(flow):\n    flow.comment += flow.request.path\n")
	s.until("done of one")
	s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	s.equal("the comment", f.Comment(), "two")
	answer(f, "")
	s.fire(&replay.Event{Hook: replay.Response, Flow: f})
	s.equal("the comment", f.Comment(), "two/")
	s.End(f)
	s.noErrors()
	if err := s.Done(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A process that answers nothing any more is ended, and events are given up.
func TestLiveWedged(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the time of all limits")
	}
	s := newLive(t, `
import asyncio, time
async def block():
    time.sleep(60)
def request(flow):
    flow.comment = "x"
    asyncio.get_event_loop().create_task(block())
`, script.Limits{Timeout: 100 * time.Millisecond})
	s.fire(&replay.Event{Hook: replay.Request, Flow: liveFlowOf("1")})
	begin := time.Now()
	f := liveFlowOf("2")
	s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	if d := time.Since(begin); d > 5*time.Second || f.Comment() != "" {
		t.Errorf("%v %q", d, f.Comment())
	}
	<-s.Live.(*python.Session).Crashed()
	s.until("it goes on unchanged")
	s.fire(&replay.Event{Hook: replay.Request, Flow: f})
	s.until("did not answer any more")
}

func BenchmarkLive(b *testing.B) {
	python3, err := exec.LookPath("python3")
	if err != nil {
		b.Skip(err)
	}
	for name, src := range map[string]string{
		"header": "def response(flow):\n    flow.response.headers['x'] = 'y'\n",
		"body":   "def request(flow):\n    pass\ndef response(flow):\n    flow.response.content = flow.response.content.upper()\n",
	} {
		b.Run(name, func(b *testing.B) {
			session, err := python.Engine{Python: python3, CacheDir: liveCache()}.Load(b.Context(), []script.Spec{{Path: "x.py", Source: []byte(src)}})
			if err != nil {
				b.Fatal(err)
			}
			defer session.Close()
			l := session.(script.Live)
			if err := l.StartLive(b.Context(), testProxy{}); err != nil {
				b.Fatal(err)
			}
			body := strings.Repeat("b", 8<<10)
			want := l.Hooks()
			b.ReportAllocs()
			for b.Loop() {
				f := liveFlowOf("1")
				if want.Has(replay.Request) {
					_ = l.Handle(b.Context(), &replay.Event{Hook: replay.Request, Flow: f, Live: true})
				}
				answer(f, body)
				if err := l.Handle(b.Context(), &replay.Event{Hook: replay.Response, Flow: f, Live: true}); err != nil {
					b.Fatal(err)
				}
				l.End(f)
			}
		})
	}
}

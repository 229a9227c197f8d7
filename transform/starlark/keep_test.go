package starlark_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
)

func numbered(n int) []*flowfile.Flow {
	var flows []*flowfile.Flow
	for i := range n {
		f := flowOf("http")
		f.SetID(fmt.Sprint(i))
		flows = append(flows, f)
	}
	return flows
}

const handedOn = "the flow was handed on when its hook returned; keep what you need of it, not the flow: its id, a header, flow.response.copy()"

// What belongs to a flow and was kept beyond its hook fails, and does not touch the flow.
func TestKeptValuesFail(t *testing.T) {
	for _, c := range []struct{ kind, keep, use string }{
		{"http", "flow", "old.id"},
		{"http", "flow", "old.request"},
		{"http", "flow", `old.comment = "x"`},
		{"http", "flow.drop", "old()"},
		{"http", "flow.intercept", "old()"},
		{"http", "flow.request", "old.url"},
		{"http", "flow.request", `old.url = "http://x/"`},
		{"http", "flow.response.decode", "old()"},
		{"http", "flow.response.json", "old()"},
		{"http", "flow.response.set_text", `old("x")`},
		{"http", "flow.request.anticache", "old()"},
		{"http", "flow.response", "flow.response = old"},
		{"http", "flow.request", "flow.request = old"},
		{"http", "flow.request.headers", `old["a"] = "b"`},
		{"http", "flow.request.headers", `old.add("a", "b")`},
		{"http", "flow.request.headers", `old.clear()`},
		{"http", "flow.request.trailers", `old["a"] = "b"`},
		{"http", "flow.request.query", `old["a"] = "b"`},
		{"http", "flow.request.cookies", `old["a"] = "b"`},
		{"http", "flow.request.urlencoded_form", `old["a"] = "b"`},
		{"http", "flow.metadata", `old["a"] = "b"`},
		{"http", "flow.metadata", `old.pop("k")`},
		{"http", "flow.error", `old.msg = "b"`},
		{"ws", "flow.websocket", "old.close_code"},
		{"ws", "flow.websocket", "old.close_code = 1"},
		{"ws", "flow.websocket.messages", "old[0].content"},
		{"ws", "flow.websocket.messages", "old.pop()"},
		{"ws", "flow.websocket.messages", "for m in old: m.content"},
		{"ws", "flow.websocket.messages[0]", "old.content"},
		{"ws", "flow.websocket.messages[0]", `old.content = b""`},
		{"ws", "flow.websocket.messages[0].drop", "old()"},
	} {
		src := hook(c.kind, `if "old" in state:
    old = state["old"]
    `+c.use+`
    fail("it worked")
state["old"] = `+c.keep)
		first, second := flowOf(c.kind), flowOf(c.kind)
		_, errs := scripted(t, src, first, second)
		if len(errs) != 1 || !strings.HasSuffix(errs[0], handedOn) {
			t.Errorf("%s, then %s: %q", c.keep, c.use, errs)
		}
		if first.Changed() != 0 || second.Changed() != 0 {
			t.Errorf("%s, then %s changed %b and %b", c.keep, c.use, first.Changed(), second.Changed())
		}
	}
}

// Headers, a query, metadata and an error that were kept show what they held last.
func TestKeptValuesThatWork(t *testing.T) {
	for _, c := range []struct{ keep, change, use, want string }{
		{"flow.request.headers", `flow.request.headers["a"] = "b"`, `old["a"], old["host"]`, `("b", "shop.example")`},
		{"flow.request.trailers", `flow.request.trailers["a"] = "b"`, `old.items()`, `[("T", "1"), ("a", "b")]`},
		{"flow.request.query", `flow.request.path = "/?z=1"`, `old.items()`, `[("z", "1")]`},
		{"flow.request.cookies", ``, `old.items()`, `[("s", "1")]`},
		{"flow.request.urlencoded_form", ``, `old.items()`, `[("a", "1"), ("b", "2")]`},
		{"flow.metadata", `flow.metadata["a"] = "b"`, `old.items()`, `[("k", 1), ("a", "b")]`},
		{"flow.error", ``, `old.msg`, `"reset"`},
		{"flow.client_conn", ``, `old.sni`, `"shop.example"`},
		{"flow.response.content", ``, `old`, `b'{"n": [1, 2]}'`},
		{"flow.response.copy()", `flow.response.status_code = 500`, `old.status_code, old.text`, `(200, "{\"n\": [1, 2]}")`},
		{"str(flow.request)", ``, `old`, `"Request(POST http://10.0.0.1/a/b?q=1)"`},
		{"flow", ``, `str(old)`, `"<flow that was handed on>"`},
		{"flow.request", ``, `str(old)`, `"<Request of a flow that was handed on>"`},
	} {
		src := hook("http", `if "old" in state:
    old = state["old"]
    print(repr((`+c.use+`)))
else:
    state["old"] = `+c.keep+`
    `+c.change+"\n")
		printed, errs := scripted(t, src, flowOf("http"), flowOf("http"))
		if printed != c.want || len(errs) > 0 {
			t.Errorf("%s, then %s: %s %q, want %s", c.keep, c.use, printed, errs, c.want)
		}
	}
}

// A response that a script made can be set in many flows; they share nothing.
func TestMadeResponses(t *testing.T) {
	for name, src := range map[string]string{
		"a global": `
CANNED = Response.make(200, "x", {"a": "b"})
def response(flow):
    flow.response = CANNED
    flow.response.headers["id"] = flow.id
`,
		"kept in state": `
def response(flow):
    r = state.setdefault("r", Response.make(200, "x", {"a": "b"}))
    flow.response = r
    r.headers["id"] = flow.id
`,
		"a copy": `
def response(flow):
    if "r" not in state:
        state["r"] = Response.make(200, "x", {"a": "b"})
    flow.response = state["r"].copy()
    flow.response.headers["id"] = flow.id
`,
		"by the variable": `
def response(flow):
    r = Response.make(200, "x", {"a": "b"})
    flow.response = r
    flow.response = r
    h = r.headers
    h["id"] = flow.id
    if not flow.response == r: fail("not the same")
`,
	} {
		flows := numbered(3)
		if _, errs := scripted(t, src, flows...); len(errs) > 0 {
			t.Errorf("%s: %q", name, errs)
		}
		for i, f := range flows {
			want := fmt.Sprintf("[{a b} {content-length 1} {id %d}]", i)
			if got := fmt.Sprint(f.Response().Headers().Fields()); got != want {
				t.Errorf("%s: flow %d has %s, want %s", name, i, got, want)
			}
		}
	}
}

func TestGlobalsAreFrozen(t *testing.T) {
	for _, c := range []struct{ global, use, want string }{
		{"Response.make()", `G.status_code = 1`, "the Response was made when the script was loaded and cannot change; make it in the hook"},
		{"Response.make()", `G.set_text("x")`, "set_text: the Response was made when the script was loaded and cannot change; make it in the hook"},
		{"Response.make()", `G.decode()`, "decode: the Response was made when the script was loaded and cannot change; make it in the hook"},
		{"Response.make()", `G.headers["a"] = "b"`, "cannot assign to frozen Headers"},
		{`Error("x")`, `G.msg = "y"`, "the Error was made when the script was loaded and cannot change; make it in the hook"},
		{"Headers()", `G["a"] = "b"`, "cannot assign to frozen Headers"},
		{"[]", `G.append(1)`, "append: cannot append to frozen list"},
		{"{}", `G[1] = 1`, "cannot insert into frozen hash table"},
	} {
		_, errs := scripted(t, "G = "+c.global+"\n"+hook("http", c.use), flowOf("http"))
		if len(errs) != 1 || errs[0] != c.want {
			t.Errorf("%s, then %s: %q, want %q", c.global, c.use, errs, c.want)
		}
	}
}

// Messages stay themselves when others are taken out.
func TestMessagesHaveIdentity(t *testing.T) {
	f := flowOf("ws")
	printed, errs := scripted(t, hook("ws", `ms = flow.websocket.messages
one, two, three = ms[0], ms[1], ms[2]
gone = ms.pop(1)
print(one.text, two.text, three.text, gone.text, gone == two, one == ms[0], three == ms[-1], three == one, one != three)
three.content = b"THREE"
two.content = b"lost"
for m in ms[:]:
    if m.from_client:
        ms.remove(m)
for m in ms:
    m.content += b"!"
print(two.text, len(ms), ms)
ms.remove(two)`), f)
	want := "one two three two True True True False True\nlost 1 <1 messages>"
	if printed != want || fmt.Sprint(errs) != "[remove: the message is not in the list]" {
		t.Errorf("%s %q, want %s", printed, errs, want)
	}
	for m, err := range f.Messages().All() {
		if b, _ := m.Body.Bytes(-1); err != nil || string(b) != "THREE!" {
			t.Errorf("%s %v", b, err)
		}
	}
	if f.Messages().Len() != 1 {
		t.Errorf("%d messages", f.Messages().Len())
	}
}

// Calls at the same time share nothing: a global response, options, modules, threads.
func TestConcurrentCalls(t *testing.T) {
	session, err := loadSource(`
CANNED = Response.make(200, "x", {"a": "b"})
ERROR = Error("made up")
WORD = re.compile(r"[a-z]+")
def response(flow):
    flow.error = ERROR
    flow.response = CANNED
    flow.response.headers["id"] = flow.id + options.get("x", "")
    flow.comment = WORD.sub("w", flow.request.path) + CANNED.text + str(CANNED.headers)
    if flow.id.endswith("7"):
        flow.nope
`)
	if err != nil {
		t.Fatal(err)
	}
	session.OnError(func(*flowfile.Flow, *replay.EventError) error { return nil })
	var wg sync.WaitGroup
	flows := numbered(200)
	for batch := range slices.Chunk(flows, 20) {
		wg.Go(func() {
			if err := session.Run(context.Background(), &flowfile.Batch{Flows: batch}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, f := range flows {
		if got, want := fmt.Sprint(f.Response().Headers().Fields()), fmt.Sprintf("[{a b} {content-length 1} {id %d}]", i); got != want {
			t.Errorf("flow %d has %s, want %s", i, got, want)
		}
	}
}

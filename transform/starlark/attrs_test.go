package starlark_test

import (
	"fmt"
	"strings"
	"testing"

	"flowkit/flowfile"
)

// hook wraps statements in the last hook of a kind of flows.
func hook(kind, body string) string {
	return "def " + lastHook[kind] + "(flow):\n    " + strings.ReplaceAll(body, "\n", "\n    ") + "\n"
}

// Every attribute that an object lists can be read.
func TestEveryAttributeIsReadable(t *testing.T) {
	objects := map[string][]string{
		"http": {"flow", "flow.request", "flow.response", "flow.error", "flow.metadata", "flow.client_conn", "flow.server_conn", "flow.request.headers", "flow.request.query", "ctx", "ctx.log", "options", "http"},
		"ws":   {"flow", "flow.websocket", "flow.websocket.messages", "flow.websocket.messages[0]"},
		"tcp":  {"flow", "flow.messages"},
		"udp":  {"flow", "flow.messages"},
		"dns":  {"flow", "flow.request", "flow.response", "flow.request.questions[0]", "flow.request.answers[0]"},
	}
	for kind, exprs := range objects {
		for _, expr := range exprs {
			src := hook(kind, `for name in dir(`+expr+`):
    print(name, type(getattr(`+expr+`, name)))`)
			printed, errs := scripted(t, src, flowOf(kind))
			if len(errs) > 0 {
				t.Errorf("%s %s: %v", kind, expr, errs)
			}
			if len(printed) == 0 {
				t.Errorf("%s %s has no attributes", kind, expr)
			}
		}
	}
}

func TestAttributesHaveTheirValues(t *testing.T) {
	for _, c := range []struct{ kind, expr, want string }{
		{"http", "flow.id", `"id-http"`},
		{"http", "flow.type", `"http"`},
		{"http", "flow.live", `False`},
		{"http", "flow.timestamp_created", `1.7000000005e+09`},
		{"http", "flow.timestamp_start", `1.7000000005e+09`},
		{"http", "flow.marked", `"m"`},
		{"http", "flow.is_replay", `"request"`},
		{"http", "flow.metadata", `{"k": 1}`},
		{"http", `flow.metadata.get("k"), flow.metadata.get("x", 2), "k" in flow.metadata, len(flow.metadata)`, `(1, 2, True, 1)`},
		{"http", "flow.error.msg, flow.error.timestamp", `("reset", 1.7000000005e+09)`},
		{"http", "flow.websocket", `None`},
		{"http", "flow.request.method", `"POST"`},
		{"http", "flow.request.url", `"http://10.0.0.1/a/b?q=1"`},
		{"http", "flow.request.pretty_url", `"http://shop.example/a/b?q=1"`},
		{"http", "flow.request.pretty_host, flow.request.host, flow.request.host_header", `("shop.example", "10.0.0.1", "shop.example")`},
		{"http", "flow.request.path_components", `("a", "b")`},
		{"http", "flow.request.urlencoded_form.items()", `[("a", "1"), ("b", "2")]`},
		{"http", "flow.request.cookies.items()", `[("s", "1")]`},
		{"http", "flow.request.trailers", `Headers[("T", "1")]`},
		{"http", "flow.response.trailers", `None`},
		{"http", "flow.response.json()", `{"n": [1, 2]}`},
		{"http", "flow.response.content, flow.response.text", `(b'{"n": [1, 2]}', "{\"n\": [1, 2]}")`},
		{"http", "flow.response.raw_content[:2]", `b'\x1f\x8b'`},
		{"http", "flow.request == flow.request, flow.response == flow.request", `(True, False)`},
		{"http", "flow.client_conn.peername, flow.client_conn.alpn, flow.client_conn.tls_established", `(("127.0.0.1", 5), b'h2', True)`},
		{"http", "flow.server_conn.address, flow.server_conn.sockname, flow.server_conn.via", `(("shop.example", 80), None, ("http", ("proxy", 3128)))`},
		{"ws", "flow.websocket.close_code, flow.websocket.close_reason, flow.websocket.closed_by_client", `(1000, "bye", True)`},
		{"ws", "[m.text for m in flow.websocket.messages]", `["one", "two", "three"]`},
		{"ws", "flow.websocket.messages[-1].content, flow.websocket.messages[0].from_client", `(b'three', True)`},
		{"ws", "[m.content for m in flow.websocket.messages[1:]]", `[b'two', b'three']`},
		{"tcp", "len(flow.messages), flow.messages[0].timestamp", `(3, 1.7000000005e+09)`},
		{"dns", "flow.request.questions[0].name, flow.response.answers[0].data, flow.request.reserved", `("shop.example", b'\x7f\x00\x00\x01', 0)`},
	} {
		printed, errs := scripted(t, hook(c.kind, "print(repr(("+c.expr+")))"), flowOf(c.kind))
		if printed != c.want || len(errs) > 0 {
			t.Errorf("%s: %s %v, want %s", c.expr, printed, errs, c.want)
		}
	}
}

// Setting an attribute changes it, and marks its part of the flow and no other.
func TestSet(t *testing.T) {
	const req, resp = 16, 32 // see flowfile.Parts
	for _, c := range []struct {
		kind, target, value, want string
		changed                   flowfile.Parts
	}{
		{"http", "flow.marked", `":x:"`, `":x:"`, flowfile.PartMarked},
		{"http", "flow.comment", `"new"`, `"new"`, flowfile.PartComment},
		{"http", "flow.is_replay", `None`, `None`, flowfile.PartReplay},
		{"http", "flow.is_replay", `"response"`, `"response"`, flowfile.PartReplay},
		{"http", "flow.intercepted", `True`, `True`, flowfile.PartIntercepted},
		{"http", "flow.timestamp_created", `1.5`, `1.5`, flowfile.PartCreated},
		{"http", "flow.metadata", `{"a": [1, {"b": None}]}`, `{"a": [1, {"b": None}]}`, flowfile.PartMetadata},
		{"http", `flow.metadata["k"]`, `b"\xff"`, `b'\xff'`, flowfile.PartMetadata},
		{"http", `flow.metadata["big"]`, `1 << 70`, `1180591620717411303424`, flowfile.PartMetadata},
		{"http", "flow.error", `None`, `None`, flowfile.PartError},
		{"http", "flow.error", `Error("x", 2)`, `x`, flowfile.PartError},
		{"http", "flow.error", `"y"`, `y`, flowfile.PartError},
		{"http", "flow.error.msg", `"z"`, `"z"`, flowfile.PartError},
		{"http", "flow.error.timestamp", `3`, `3.0`, flowfile.PartError},
		{"http", "flow.response", `None`, `None`, flowfile.PartResponse},
		{"http", "flow.response", `Response.make(404)`, `Response(404)`, flowfile.PartResponse | (flowfile.PartBody|flowfile.PartHeaders)<<resp},
		{"http", "flow.request.method", `"put"`, `"PUT"`, flowfile.PartMethod << req},
		{"http", "flow.request.scheme", `"https"`, `"https"`, flowfile.PartScheme << req},
		{"http", "flow.request.host", `"h"`, `"h"`, (flowfile.PartHost | flowfile.PartHeaders) << req},
		{"http", "flow.request.port", `81`, `81`, (flowfile.PartPort | flowfile.PartHeaders) << req},
		{"http", "flow.request.authority", `"h:1"`, `"h:1"`, flowfile.PartAuthority << req},
		{"http", "flow.request.path", `"/x"`, `"/x"`, flowfile.PartPath << req},
		{"http", "flow.request.path_components", `["x", "y"]`, `("x", "y")`, flowfile.PartPath << req},
		{"http", "flow.request.query", `{"x": "1"}`, `Query[("x", "1")]`, flowfile.PartPath << req},
		{"http", `flow.request.query["x"]`, `"1"`, `"1"`, flowfile.PartPath << req},
		{"http", "flow.request.url", `"https://h/x"`, `"https://h/x"`, (flowfile.PartScheme | flowfile.PartHost | flowfile.PartPort | flowfile.PartPath | flowfile.PartHeaders) << req},
		{"http", "flow.request.host_header", `"hh"`, `"hh"`, flowfile.PartHeaders << req},
		{"http", "flow.request.cookies", `{"x": "1"}`, `Cookies[("x", "1")]`, flowfile.PartHeaders << req},
		{"http", "flow.request.urlencoded_form", `{"x": "1"}`, `Form[("x", "1")]`, (flowfile.PartHeaders | flowfile.PartBody) << req},
		{"http", "flow.request.headers", `[("A", "b")]`, `Headers[("A", "b")]`, flowfile.PartHeaders << req},
		{"http", `flow.request.headers["A"]`, `"b"`, `"b"`, flowfile.PartHeaders << req},
		{"http", "flow.request.trailers", `None`, `None`, flowfile.PartTrailers << req},
		{"http", `flow.request.trailers["T"]`, `"2"`, `"2"`, flowfile.PartTrailers << req},
		{"http", "flow.response.trailers", `Headers(a_b = "c")`, `Headers[("a-b", "c")]`, flowfile.PartTrailers << resp},
		{"http", "flow.request.http_version", `"HTTP/2.0"`, `"HTTP/2.0"`, flowfile.PartVersion << req},
		{"http", "flow.request.timestamp_start", `None`, `None`, flowfile.PartStart << req},
		{"http", "flow.request.timestamp_end", `4.25`, `4.25`, flowfile.PartEnd << req},
		{"http", "flow.response.status_code", `404`, `404`, flowfile.PartStatus << resp},
		{"http", "flow.response.reason", `"Nope"`, `"Nope"`, flowfile.PartReason << resp},
		{"http", "flow.response.content", `b"x"`, `b'x'`, (flowfile.PartBody | flowfile.PartHeaders) << resp},
		{"http", "flow.response.content", `None`, `None`, flowfile.PartBody << resp},
		{"http", "flow.response.text", `"x"`, `"x"`, (flowfile.PartBody | flowfile.PartHeaders) << resp},
		{"http", "flow.response.raw_content", `b"x"`, `b'x'`, flowfile.PartBody << resp},
		{"ws", "flow.websocket.close_code", `None`, `None`, flowfile.PartWebSocket},
		{"ws", "flow.websocket.close_reason", `"r"`, `"r"`, flowfile.PartWebSocket},
		{"ws", "flow.websocket.closed_by_client", `False`, `False`, flowfile.PartWebSocket},
		{"ws", "flow.websocket.timestamp_end", `None`, `None`, flowfile.PartWebSocket},
		{"ws", "flow.websocket.messages[1].content", `b"x"`, `b'x'`, flowfile.PartMessages},
		{"ws", "flow.websocket.messages[1].text", `"x"`, `"x"`, flowfile.PartMessages},
		{"ws", "flow.websocket.messages[1].dropped", `True`, `True`, flowfile.PartMessages},
		{"ws", "flow.websocket.messages[1].from_client", `True`, `True`, flowfile.PartMessages},
		{"tcp", "flow.messages[0].timestamp", `5`, `5.0`, flowfile.PartMessages},
		{"udp", "flow.messages[-1].content", `b""`, `b''`, flowfile.PartMessages},
	} {
		f := flowOf(c.kind)
		printed, errs := scripted(t, hook(c.kind, c.target+" = "+c.value+"\nprint(repr("+c.target+"))"), f)
		if printed != c.want || len(errs) > 0 {
			t.Errorf("%s = %s: %s %v, want %s", c.target, c.value, printed, errs, c.want)
		}
		if f.Changed() != c.changed {
			t.Errorf("%s = %s changed %b, want %b", c.target, c.value, f.Changed(), c.changed)
		}
	}
}

func TestErrorsOfAttributes(t *testing.T) {
	for _, c := range []struct{ kind, code, want string }{
		// What can only be read.
		{"http", `flow.id = "x"`, `id of a flow cannot be set`},
		{"http", `flow.live = True`, `live of a flow cannot be set`},
		{"http", `flow.request.pretty_url = "x"`, `pretty_url of a Request cannot be set`},
		{"http", `flow.client_conn.sni = "x"`, `sni of a Client cannot be set`},
		{"http", `flow.server_conn.address = ("x", 1)`, `address of a Server cannot be set`},
		{"http", `ctx.options.x = 1`, `option x cannot be set by a script, only with --set`},
		{"http", `flow.response.stream = True`, `stream has no meaning for recorded flows: their bodies are whole`},
		{"dns", `flow.request.id = 1`, `id of a DNSMessage cannot be set`},
		{"dns", `flow.request = None`, `request of a dns flow cannot be set`},
		{"dns", `flow.request.questions[0].name = "x"`, `name of a Question cannot be set`},
		{"ws", `flow.websocket.messages[0].type = 2`, `type of a message cannot be set`},
		// What is not there.
		{"http", `flow.respones`, `flow has no .respones field or method (did you mean .response?)`},
		{"http", `flow.coment = "x"`, `a flow has no attribute coment (did you mean .comment?)`},
		{"http", `flow.response.status`, `Response has no .status field or method`},
		{"http", `flow.response.statuscode`, `Response has no .statuscode field or method (did you mean .status_code?)`},
		{"http", `flow.request.header`, `Request has no .header field or method (did you mean .headers?)`},
		{"http", `flow.request.hedaers = {}`, `a Request has no attribute hedaers (did you mean .headers?)`},
		{"http", `flow.client_conn.peer_name`, `Client has no .peer_name field or method (did you mean .peername?)`},
		{"http", `flow.messages`, `a flow of type http has no messages; those of a WebSocket are flow.websocket.messages`},
		{"tcp", `flow.websocket.messages`, `NoneType has no .messages field or method`},
		{"http", `options.level`, `option level is not set; give it with --set level=value, or ask for options.get("level", default)`},
		// What has another type.
		{"http", `flow.comment = 1`, `comment must be a string, not int`},
		{"http", `flow.comment = b"x"`, `comment must be a string, not bytes`},
		{"http", `flow.intercepted = 1`, `intercepted must be a bool, not int`},
		{"http", `flow.is_replay = "both"`, `is_replay must be "request", "response" or None, not "both"`},
		{"http", `flow.timestamp_created = "now"`, `timestamp_created must be seconds (a number) or None, not string`},
		{"http", `flow.timestamp_created = float("nan")`, `timestamp_created: NaN is no time`},
		{"http", `flow.metadata = [1]`, `metadata must be a dict, not list`},
		{"http", `flow.metadata["f"] = flow`, `a value of type flow cannot be kept in metadata`},
		{"http", `flow.metadata[1] = 1`, `a key of metadata must be a string, not int`},
		{"http", "l = []\nl.append(l)\nflow.metadata[\"l\"] = l", `metadata is nested more than 30 deep`},
		{"http", `flow.error = 1`, `error must be an Error("...") or None, not int`},
		{"http", `flow.response = "x"`, `response must be a Response or None, not string`},
		{"http", `flow.response = flow.request`, `response must be a Response or None, not Request`},
		{"http", `flow.request = None`, `request must be a Request, not NoneType`},
		{"http", `flow.request.port = 70000`, `port must be from 0 to 65535, not 70000`},
		{"http", `flow.request.port = "80"`, `port must be an int, not string`},
		{"http", `flow.request.headers = "x"`, `headers: want a dict or a list of pairs, not string`},
		{"http", `flow.request.headers = ["ab"]`, `headers: "ab" is no pair of name and value`},
		{"http", `flow.request.headers = {"a": 1}`, `headers: a value must be a string, not int`},
		{"http", `flow.request.headers["a"] = 1`, `Headers: value of "a" must be a string, not int`},
		{"http", `flow.request.headers["nope"]`, `key "nope" not in Headers`},
		{"http", `flow.response.content = "x"`, `content must be bytes, not string; set text instead, or write b"..."`},
		{"http", `flow.response.content = 1`, `content must be bytes or None, not int`},
		{"http", `flow.response.text = b"x"`, `text must be a string, not bytes; set content instead`},
		{"http", `flow.response.raw_content = "x"`, `raw_content must be bytes or None, not string`},
		{"http", `flow.response.reason = "€"`, `reason must be Latin-1, which "€" is not`},
		{"http", `flow.response.encode("rot13")`, `encode: unknown content-coding "rot13"`},
		{"http", `flow.request.json()`, `json: `},
		{"http", `flow.request.url = "/x"`, `"/x" is no URL: there is no scheme`},
		{"http", `flow.kill()`, `kill: a recorded flow cannot be killed; flow.drop() takes it out of the output`},
		{"ws", `flow.websocket.messages[0].content = "x"`, `content must be bytes, not string`},
		{"tcp", `flow.messages[7]`, `messages index 7 out of range [-3:2]`},
		{"tcp", `flow.messages.pop(7)`, `pop: there is no such message: the list has 3`},
		{"tcp", "for m in flow.messages: flow.messages.pop()", `pop: cannot take messages out while looping over them; loop over messages[:], a copy of the list`},
	} {
		_, errs := scripted(t, hook(c.kind, c.code), flowOf(c.kind))
		if len(errs) != 1 || errs[0] != c.want && !(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(errs[0], c.want)) {
			t.Errorf("%s: %q, want %q", c.code, errs, c.want)
		}
	}
}

func TestUnknownTimesAndAbsentBodies(t *testing.T) {
	f := flowfile.New(flowfile.Head{
		ID:      "bare",
		Request: flowfile.NewRequest(flowfile.RequestHead{Method: "GET"}), Response: flowfile.NewResponse(flowfile.ResponseHead{}),
	})
	printed, errs := scripted(t, hook("http", `r = flow.response
print(r.timestamp_start, r.timestamp_end, flow.timestamp_created, r.content, r.text, r.raw_content, r.get_text(strict = False))
print(flow.client_conn, flow.server_conn, flow.error, flow.is_replay, len(flow.request.query), len(flow.request.cookies))
r.decode()
r.json()`), f)
	want := "None None None None None None None\nNone None None None 0 0"
	if printed != want || fmt.Sprint(errs) != "[json: the content is not there]" {
		t.Errorf("%s %q", printed, errs)
	}
}

// What is text in files stays text.
func TestTextIsValid(t *testing.T) {
	f := flowOf("http")
	_, errs := scripted(t, hook("http", `flow.request.headers["A"] = b"bad \xff"
flow.comment = flow.request.headers["A"]
flow.metadata[flow.comment] = flow.request.headers["A"]`), f)
	if f.Comment() != "bad \uFFFD" || fmt.Sprint(f.Metadata()) != "[{k 1} {bad \uFFFD bad \uFFFD}]" || len(errs) > 0 {
		t.Errorf("%q %v %v", f.Comment(), f.Metadata(), errs)
	}
	if got := f.Request().Headers().Get("A"); got != "bad \xff" {
		t.Errorf("the header is %q", got)
	}
}

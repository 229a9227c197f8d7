package filter

import (
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

type fields = []flowfile.Field

// testFlow is a flow with the name by which tables speak of it.
type testFlow struct {
	name string
	f    *flowfile.Flow
}

// testFlows are lower-case where mitmproxy 8 heeds case.
func testFlows(t testing.TB) []testFlow {
	gzipped, err := coding.Encode([]byte("needle in gzip\nsecond"), "gzip")
	if err != nil {
		t.Fatal(err)
	}
	client := &flowfile.Conn{Peer: &flowfile.Addr{Host: "127.0.0.1", Port: 50001}}
	server := &flowfile.Conn{Address: &flowfile.Addr{Host: "example.com", Port: 80}}
	request := func(method, path string, body flowfile.Body, headers fields) *flowfile.Request {
		return flowfile.NewRequest(flowfile.RequestHead{
			MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: headers, Body: body},
			Method:      method, Scheme: "http", Host: "example.com", Port: 80, Path: path,
		})
	}
	response := func(status int, body flowfile.Body, headers fields) *flowfile.Response {
		return flowfile.NewResponse(flowfile.ResponseHead{
			MessageHead: flowfile.MessageHead{Version: "HTTP/1.1", Headers: headers, Body: body},
			Status:      status, Reason: "x",
		})
	}
	empty := flowfile.StringBody("")
	get := flowfile.New(flowfile.Head{
		ID: "get", Client: client, Server: server,
		Request:  request("GET", "/a?x=1", empty, fields{{Name: "host", Value: "pretty.example:8080"}}),
		Response: response(200, flowfile.StringBody("plain body foo\n"), fields{{Name: "content-type", Value: "text/html; charset=utf-8"}, {Name: "x-a", Value: "b"}}),
		Marked:   ":red:", Comment: "first line\nsecond foo",
		Metadata: flowfile.Map{{Key: "k", Value: "v"}, {Key: "n", Value: int64(7)}},
	})
	post := flowfile.New(flowfile.Head{
		ID: "post", Client: client, Server: server, Replay: "request",
		Request:  request("POST", "/b/foo", flowfile.BytesBody(gzipped), fields{{Name: "content-type", Value: "application/json"}, {Name: "content-encoding", Value: "gzip"}}),
		Response: response(404, flowfile.Body{}, fields{{Name: "content-type", Value: "text/css"}}),
	})
	noresp := flowfile.New(flowfile.Head{
		ID: "noresp", Client: client, Replay: "response",
		Request: request("GET", "/foo", flowfile.StringBody("not gzip"), fields{{Name: "content-encoding", Value: "gzip"}}),
		Error:   &flowfile.Error{Msg: "boom", Time: 1},
	})
	ws := flowfile.New(flowfile.Head{
		ID: "ws", Client: client, Server: server,
		Request:   request("GET", "/ws", empty, fields{{Name: "upgrade", Value: "websocket"}}),
		Response:  response(101, empty, nil),
		WebSocket: &flowfile.WebSocket{}, Messages: messages("from client foo", "from server bar"),
	})
	tcp := flowfile.New(flowfile.Head{ID: "tcp", Kind: flowfile.TCP, Server: server, Messages: messages("hello foo", "\xffbar")})
	dns := flowfile.New(flowfile.Head{
		ID: "dns", Kind: flowfile.DNS, Client: client,
		DNSRequest:  &flowfile.DNSMessage{Query: true, Questions: []flowfile.DNSQuestion{{Name: "dns.foo", Type: 1, Class: 1}}},
		DNSResponse: &flowfile.DNSMessage{Questions: []flowfile.DNSQuestion{{Name: "dns.foo", Type: 1, Class: 1}}},
	})
	return []testFlow{{"get", get}, {"post", post}, {"noresp", noresp}, {"ws", ws}, {"tcp", tcp}, {"dns", dns}}
}

// messages is a log of what the client and the server said, in turns.
func messages(payloads ...string) *flowfile.MessageLog {
	l := new(flowfile.MessageLog)
	for i, p := range payloads {
		l.Append(flowfile.Msg{FromClient: i%2 == 0, Opcode: 1, Body: flowfile.StringBody(p)})
	}
	return l
}

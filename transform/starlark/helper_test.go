package starlark_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark"
)

// scripted runs a script over flows and returns what it printed and the errors it raised.
func scripted(t *testing.T, src string, flows ...*flowfile.Flow) (printed string, errs []string) {
	t.Helper()
	var out bytes.Buffer
	session, err := starlark.Engine{}.Load(context.Background(), []script.Spec{{
		Path: "x.star", Source: []byte(src), Output: &out, Log: slog.New(slog.DiscardHandler),
	}})
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	session.OnError(func(_ *flowfile.Flow, e *replay.EventError) error {
		errs = append(errs, e.Err.(*script.Error).Msg)
		return nil
	})
	if err := session.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := session.Run(context.Background(), &flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := session.Done(context.Background()); err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(out.String(), "\n"), errs
}

const at = flowfile.Time(1_700_000_000_500_000_000)

// flowOf returns a flow with something in every field: http, ws, tcp, udp or dns.
func flowOf(kind string) *flowfile.Flow {
	yes := true
	h := flowfile.Head{
		ID: "id-" + kind, Created: at, Comment: "c", Marked: "m", Replay: "request",
		Metadata: flowfile.Map{{Key: "k", Value: int64(1)}},
		Error:    &flowfile.Error{Msg: "reset", Time: at},
		Client: &flowfile.Conn{
			ID: "client", Transport: "tcp", Peer: &flowfile.Addr{Host: "127.0.0.1", Port: 5}, Sock: &flowfile.Addr{Host: "127.0.0.1", Port: 8080},
			Start: at, TLSSetup: at, End: at, TLS: true, TLSVersion: "TLSv1.3", Cipher: "AES", Ciphers: []string{"AES"}, SNI: "shop.example",
			ALPN: "h2", ALPNOffers: []string{"h2"}, ProxyMode: "regular", Error: "e",
		},
		Server: &flowfile.Conn{
			ID: "server", Transport: "tcp", Peer: &flowfile.Addr{Host: "10.0.0.1", Port: 80}, Address: &flowfile.Addr{Host: "shop.example", Port: 80},
			Start: at, TCPSetup: at, End: at, Via: &flowfile.Via{Scheme: "http", Addr: flowfile.Addr{Host: "proxy", Port: 3128}},
		},
	}
	msgs := &flowfile.MessageLog{}
	for i, s := range []string{"one", "two", "three"} {
		msgs.Append(flowfile.Msg{FromClient: i == 0, Opcode: 1, Time: at, Body: flowfile.StringBody(s)})
	}
	dns := &flowfile.DNSMessage{
		ID: 7, Query: true, RecursionDesired: true, Time: at, Questions: []flowfile.DNSQuestion{{Name: "shop.example", Type: 1, Class: 1}},
		Answers: []flowfile.DNSRecord{{Name: "shop.example", Type: 1, Class: 1, TTL: 60, Data: "\x7f\x00\x00\x01"}},
	}
	switch kind {
	case "tcp", "udp":
		h.Kind, _ = flowfile.ParseKind(kind)
		h.Messages = msgs
	case "dns":
		h.Kind, h.DNSRequest, h.DNSResponse = flowfile.DNS, dns, dns
	case "ws":
		h.WebSocket = &flowfile.WebSocket{ClosedByClient: &yes, CloseCode: 1000, CloseReason: "bye", End: at}
		h.Messages = msgs
		fallthrough
	default:
		trailers := flowfile.NewHeaders([]flowfile.Field{{Name: "T", Value: "1"}})
		m := flowfile.MessageHead{Version: "HTTP/1.1", Trailers: &trailers, Start: at, End: at, Body: flowfile.StringBody("a=1&b=2")}
		m.Headers = []flowfile.Field{
			{Name: "Host", Value: "shop.example"},
			{Name: "Content-Type", Value: "application/x-www-form-urlencoded"},
			{Name: "Cookie", Value: "s=1"},
		}
		h.Request = flowfile.NewRequest(flowfile.RequestHead{
			MessageHead: m, Method: "POST", Scheme: "http", Host: "10.0.0.1", Port: 80, Authority: "", Path: "/a/b?q=1",
		})
		wire, _ := coding.Encode([]byte(`{"n": [1, 2]}`), "gzip")
		m.Body = flowfile.BytesBody(wire)
		m.Headers = []flowfile.Field{{Name: "Content-Encoding", Value: "gzip"}, {Name: "Content-Type", Value: "application/json"}}
		m.Trailers = nil
		h.Response = flowfile.NewResponse(flowfile.ResponseHead{MessageHead: m, Status: 200, Reason: "OK"})
	}
	return flowfile.New(h)
}

// lastHook is a hook in which all of a flow is there.
var lastHook = map[string]string{
	"http": "response", "ws": "websocket_end", "tcp": "tcp_error", "udp": "udp_error", "dns": "dns_error",
}

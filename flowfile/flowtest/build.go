package flowtest

import (
	"fmt"
	"math/rand/v2"

	"flowkit/flowfile"
)

// Flows returns n flows of all kinds and of the shapes that formats get wrong: headers
// that are not UTF-8, bodies absent, empty, truncated, larger than a block; messages;
// metadata of all types; unknown fields. The same seed gives the same flows.
func Flows(n int, seed uint64) []*flowfile.Flow {
	g := &shaper{rand.New(rand.NewPCG(seed, 1))}
	flows := make([]*flowfile.Flow, n)
	for i := range flows {
		flows[i] = g.flow(i)
	}
	return flows
}

type shaper struct{ r *rand.Rand }

const epoch = flowfile.Time(1_790_000_000_123_456_789)

func (g *shaper) uuid() string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(g.r.Uint32())
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (g *shaper) flow(i int) *flowfile.Flow {
	at := epoch + flowfile.Time(i)*1_000_003
	h := flowfile.Head{
		ID: g.uuid(), Created: at, Client: g.conn(at, true), Server: g.conn(at, false),
	}
	switch i % 9 {
	case 3:
		h.Kind = flowfile.TCP
		h.Messages = g.messages(at, 0)
	case 5:
		h.Kind = flowfile.DNS
		h.DNSRequest, h.DNSResponse = g.dns(at, true), g.dns(at+1000, false)
	case 6:
		h.Kind = flowfile.UDP
		h.Messages = g.messages(at, 0)
	default:
		g.http(&h, i, at)
	}
	switch i % 7 {
	case 1:
		h.Error = &flowfile.Error{Msg: "connection reset \x1b[31m", Time: at + 77}
	case 2:
		h.Comment, h.Marked, h.Replay, h.Intercepted = "a comment\nof two lines", ":red_circle:", "request", true
	case 4:
		h.Metadata = Metadata()
	case 5:
		h.Extra = flowfile.Extra{{Key: "x_new", Value: "\x93\x01\xa3abc\xc0"}, {Key: "x_bin", Value: "\xc4\x02\xff\x00"}}
	}
	return flowfile.New(h)
}

// Metadata returns a map with a value of every type.
func Metadata() flowfile.Map {
	return flowfile.Map{
		{Key: "nil", Value: nil},
		{Key: "bool", Value: true},
		{Key: "int", Value: int64(-5)},
		{Key: "float", Value: 1.0},
		{Key: "big", Value: flowfile.BigInt("123456789012345678901234567890")},
		{Key: "text", Value: "grüße"},
		{Key: "bytes", Value: flowfile.Bytes("\x00\xff")},
		{Key: "list", Value: flowfile.List{int64(1), "two", flowfile.List{}}},
		{Key: "map", Value: flowfile.Map{{Key: "base64", Value: "not bytes"}}},
	}
}

func (g *shaper) http(h *flowfile.Head, i int, at flowfile.Time) {
	h.Request = flowfile.NewRequest(flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/1.1", Headers: g.headers(8), Body: g.body(i), Start: at, End: at + 500,
		},
		Method: "POST", Scheme: "https", Host: "api.shop.example", Port: 443, Path: fmt.Sprintf("/v1/items/%d?q=\xe9", i),
	})
	if i%11 == 7 {
		return // no response
	}
	resp := flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/2.0", Headers: g.headers(12), Body: g.body(i + 1), Start: at + 600, End: at + 900,
		},
		Status: 200 + i%3*100, Reason: "OK \xe9",
	}
	if i%10 == 4 {
		t := flowfile.NewHeaders([]flowfile.Field{{Name: "grpc-status", Value: "0"}})
		resp.Trailers = &t
	}
	if i%10 == 8 {
		byClient := i%20 == 8
		h.WebSocket = &flowfile.WebSocket{ClosedByClient: &byClient, CloseCode: 1000, CloseReason: "bye", End: at + 5000}
		h.Messages = g.messages(at, 1)
		resp.Status = 101
	}
	h.Response = flowfile.NewResponse(resp)
}

func (g *shaper) headers(n int) []flowfile.Field {
	names := [...]string{"Host", "Accept", "X-Trace", "x-trace", "Cookie", "Content-Type", "X-\xff", "", "Date"}
	fields := make([]flowfile.Field, 0, n)
	for range n {
		name := names[g.r.IntN(len(names))]
		fields = append(fields, flowfile.Field{Name: name, Value: fmt.Sprintf("v%d \xe9%c", g.r.IntN(1000), rune(g.r.IntN(300)))})
	}
	return fields
}

// body returns bodies of all states and of sizes on both sides of the formats' limits.
func (g *shaper) body(i int) flowfile.Body {
	switch i % 8 {
	case 0:
		return flowfile.Body{}
	case 1:
		return flowfile.StringBody("")
	case 2:
		return flowfile.BytesBody(g.bytes(200)).Truncate(1 << 40)
	case 3:
		return flowfile.StringBody("").Truncate(-1)
	case 4:
		return flowfile.StringBody(fmt.Sprintf(`{"id": %d, "name": "grüner Tee", "tags": ["a", "b"]}`, i))
	case 5:
		if i%64 == 5 {
			return flowfile.BytesBody(g.bytes(3<<20 + 17))
		}
	}
	return flowfile.BytesBody(g.bytes(g.r.IntN(5000)))
}

func (g *shaper) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.r.Uint32())
		if i%3 == 0 {
			b[i] = 'a'
		}
	}
	return b
}

func (g *shaper) conn(at flowfile.Time, client bool) *flowfile.Conn {
	// Few distinct connections, as in real captures.
	n := g.r.IntN(4)
	c := &flowfile.Conn{
		ID: fmt.Sprintf("00000000-0000-4000-8000-0000000000%02x", n), Transport: "tcp",
		Peer: &flowfile.Addr{Host: "127.0.0.1", Port: 40000 + n}, Sock: &flowfile.Addr{Host: "::1", Port: 8080, Extra: []int64{0, 3}},
		Start: epoch - flowfile.Time(n)*1e9, TLSSetup: epoch + 5, End: epoch + 6, TLS: true,
		TLSVersion: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", SNI: "api.shop.example", ALPN: "h2",
		ALPNOffers: []string{"h2", "http/1.1"}, State: 3,
	}
	if client {
		c.ProxyMode = "regular"
		c.MitmCert = flowfile.StringBody("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		return c
	}
	c.Address = &flowfile.Addr{Host: "api.shop.example", Port: 443}
	c.TCPSetup = epoch + 1
	c.Ciphers = []string{"A", "B"}
	c.Certificates = []flowfile.Body{flowfile.StringBody("leaf"), flowfile.StringBody("root")}
	if n == 2 {
		c.Via = &flowfile.Via{Scheme: "http", Addr: flowfile.Addr{Host: "proxy", Port: 3128}}
		c.Error = "certificate expired"
		c.Extra = flowfile.Extra{{Key: "quic", Value: "\xc3"}}
	}
	return c
}

func (g *shaper) messages(at flowfile.Time, opcode int) flowfile.MessageSource {
	log := &flowfile.MessageLog{}
	for i := range g.r.IntN(12) {
		m := flowfile.Msg{
			FromClient: g.r.IntN(2) == 0, Time: at + flowfile.Time(i)*1000 + 1, Body: flowfile.BytesBody(g.bytes(g.r.IntN(300))),
		}
		if opcode != 0 {
			m.Opcode, m.Dropped, m.Injected = 1+i%2, i%5 == 4, i%4 == 3
		}
		if i == 3 {
			m.Extra = flowfile.Extra{{Key: "mask", Value: "\x01"}}
		}
		log.Append(m)
	}
	if log.Len() == 0 {
		return nil
	}
	return log
}

func (g *shaper) dns(at flowfile.Time, query bool) *flowfile.DNSMessage {
	m := &flowfile.DNSMessage{
		ID: int64(g.r.IntN(65536)), Query: query, RecursionDesired: true, Time: at,
		Questions: []flowfile.DNSQuestion{{Name: "shop.example", Type: 28, Class: 1}},
	}
	if !query {
		m.RecursionAvailable, m.ResponseCode = true, 3
		m.Answers = []flowfile.DNSRecord{{Name: "shop.example", Type: 28, Class: 1, TTL: 60, Data: "\x00\xff\x01"}}
		m.Extra = flowfile.Extra{{Key: "ecs", Value: "\xa1x"}}
	}
	return m
}

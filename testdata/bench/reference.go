package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// referenceDump writes flows like those that the budgets of addons were set with: response
// bodies without a coding, of 2.1 kB in the middle and 10 kB on average, 45 % JSON, 30 %
// HTML, 25 % binary, with 8 and 9 headers.
func referenceDump(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := mitm.NewWriter(f, mitm.WriterOptions{Version: 17})
	r := rand.New(rand.NewPCG(7, 7))
	for i := 0; i < flows; i += flowfile.BatchFlows {
		var b flowfile.Batch
		for j := i; j < min(i+flowfile.BatchFlows, flows); j++ {
			b.Flows = append(b.Flows, referenceFlow(r, j))
		}
		if err := w.Write(&b); err != nil {
			return err
		}
	}
	return w.Close()
}

func referenceFlow(r *rand.Rand, i int) *flowfile.Flow {
	size := int(min(1e6, 2100*math.Exp(1.766*r.NormFloat64())))
	var body strings.Builder
	kind := "application/octet-stream"
	switch n := r.IntN(100); {
	case n < 45:
		kind = "application/json"
		body.WriteString(`{"items": [`)
		for k := 0; body.Len() < size; k++ {
			if k > 0 {
				body.WriteString(", ")
			}
			fmt.Fprintf(&body, `{"id": %d, "name": "item %x", "price": %.2f, "tags": ["a", "b"]}`, k, r.Uint32(), r.Float64()*100)
		}
		body.WriteString("]}")
	case n < 75:
		kind = "text/html; charset=utf-8"
		body.WriteString("<!doctype html><html><body>")
		for body.Len() < size {
			fmt.Fprintf(&body, "<p>paragraph %x of some text</p>\n", r.Uint32())
		}
	default:
		for body.Len() < size {
			body.WriteByte(byte(r.Uint32()))
		}
	}
	at := flowfile.Time(1_790_000_000_000_000_000) + flowfile.Time(i)*1_000_000
	conn := func(client bool) *flowfile.Conn {
		c := &flowfile.Conn{
			ID: fmt.Sprintf("c%07d-%v", i/4, client), Transport: "tcp", Start: at, TLS: true, TLSVersion: "TLSv1.3", SNI: "api.shop.example",
			Peer: &flowfile.Addr{Host: "192.0.2.1", Port: 443}, Sock: &flowfile.Addr{Host: "127.0.0.1", Port: 8080},
		}
		if !client {
			c.Address = &flowfile.Addr{Host: "api.shop.example", Port: 443}
		}
		return c
	}
	return flowfile.New(flowfile.Head{
		ID: fmt.Sprintf("%08x-0000-4000-8000-%012x", i, r.Uint32()), Created: at, Client: conn(true), Server: conn(false),
		Request: flowfile.NewRequest(flowfile.RequestHead{
			MessageHead: flowfile.MessageHead{
				Version: "HTTP/1.1", Body: flowfile.StringBody(""), Start: at, End: at + 1_000_000,
				Headers: fieldsOf("Host", "api.shop.example", "User-Agent", "Mozilla/5.0 (X11; Linux x86_64)", "Accept", "*/*",
					"Accept-Language", "en", "Accept-Encoding", "identity", "Cookie", fmt.Sprintf("session=%x", r.Uint64()),
					"Referer", "https://shop.example/", "Connection", "keep-alive"),
			},
			Method: "GET", Scheme: "https", Host: "api.shop.example", Port: 443, Path: fmt.Sprintf("/v1/items/%d?page=%d", i, i%7),
		}),
		Response: flowfile.NewResponse(flowfile.ResponseHead{
			MessageHead: flowfile.MessageHead{
				Version: "HTTP/1.1", Body: flowfile.StringBody(body.String()), Start: at + 20_000_000, End: at + 21_000_000,
				Headers: fieldsOf("Date", "Sat, 21 Nov 2026 06:22:14 GMT", "Content-Type", kind, "Content-Length", fmt.Sprint(body.Len()),
					"Server", "nginx", "Cache-Control", "no-store", "ETag", fmt.Sprintf(`"%x"`, r.Uint32()), "Vary", "Accept",
					"X-Request-Id", fmt.Sprintf("%x", r.Uint64()), "Connection", "keep-alive"),
			},
			Status: 200, Reason: "OK",
		}),
	})
}

func fieldsOf(kv ...string) []flowfile.Field {
	var all []flowfile.Field
	for i := 0; i < len(kv); i += 2 {
		all = append(all, flowfile.Field{Name: kv[i], Value: kv[i+1]})
	}
	return all
}

package native_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/native"
)

// liveFlow is an exchange as a proxy makes it: a keep-alive connection, usual headers, a
// response of the body given.
func liveFlow(id string, client, server *flowfile.Conn, body string) *flowfile.Flow {
	now := flowfile.Time(1_790_000_000_000_000_000)
	return flowfile.New(flowfile.Head{
		ID: id, Created: now, Client: client, Server: server,
		Request: flowfile.NewRequest(flowfile.RequestHead{
			Method: "GET", Scheme: "https", Host: "shop.example", Port: 443, Path: "/api/items?page=" + id,
			MessageHead: flowfile.MessageHead{
				Version: "HTTP/1.1", Start: now + 1000, End: now + 2000, Body: flowfile.StringBody(""),
				Headers: []flowfile.Field{
					{Name: "Host", Value: "shop.example"},
					{Name: "User-Agent", Value: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
					{Name: "Accept", Value: "application/json"},
					{Name: "Accept-Language", Value: "en-GB,en;q=0.5"},
					{Name: "Accept-Encoding", Value: "gzip, deflate, br, zstd"},
					{Name: "Cookie", Value: "session=0123456789abcdef; seen=1"},
				},
			},
		}),
		Response: flowfile.NewResponse(flowfile.ResponseHead{
			Status: 200, Reason: "OK",
			MessageHead: flowfile.MessageHead{
				Version: "HTTP/1.1", Start: now + 30_000_000, End: now + 31_000_000, Body: flowfile.StringBody(body),
				Headers: []flowfile.Field{
					{Name: "Content-Type", Value: "application/json"},
					{Name: "Content-Length", Value: fmt.Sprint(len(body))},
					{Name: "Date", Value: "Sat, 28 Nov 2026 03:00:00 GMT"},
					{Name: "Server", Value: "nginx"},
				},
			},
		}),
	})
}

// jsonBodies are bodies of 8 kB as an API answers, no two alike.
func jsonBodies(n int) []string {
	bodies := make([]string, n)
	for i := range bodies {
		var b []byte
		for k := 0; len(b) < 8192; k++ {
			b = fmt.Appendf(b, `{"id":%d,"sku":"%x","name":"item %d","price":%d.%02d,"tags":["a%d","b"],"stock":%d},`,
				i*1000+k, (i+1)*(k+7)*2654435761, k, k*37%900, i%100, k%9, (i*k)%1000)
		}
		bodies[i] = string(b[:8192])
	}
	return bodies
}

// BenchmarkRecorder is what a flow with a body of 8 kB or 1 MB costs, the recorder's own
// goroutine included.
func BenchmarkRecorder(b *testing.B) {
	client := &flowfile.Conn{ID: "c1", Transport: "tcp", Start: 1, Peer: &flowfile.Addr{Host: "10.0.0.1", Port: 40000}}
	server := &flowfile.Conn{ID: "s1", Transport: "tcp", Start: 1, Address: &flowfile.Addr{Host: "shop.example", Port: 443}, TLS: true}
	cut := func(s string, size, n int) []string {
		bodies := make([]string, n)
		for i := range bodies {
			off := i * 8191 % (len(s) - size + 1)
			bodies[i] = s[off : off+size]
		}
		return bodies
	}
	text, noisy := strings.Join(jsonBodies(500), ""), string(noise())
	for _, c := range []struct {
		name, contentType string
		bodies            []string
	}{
		{"8k/json", "application/json", cut(text, 8<<10, 500)},
		{"8k/noise", "application/json", cut(noisy, 8<<10, 500)},
		{"1M/json", "application/json", cut(text, 1<<20, 100)},
		{"1M/jpeg", "image/jpeg", cut(noisy, 1<<20, 100)},
	} {
		flows := make([]*flowfile.Flow, len(c.bodies))
		for i := range flows {
			flows[i] = liveFlow(fmt.Sprintf("5f0c8a52-0c59-4d0e-8a4b-%012d", i), client, server, c.bodies[i])
			hs := flows[i].Response().Headers()
			hs.Set("Content-Type", c.contentType)
		}
		for _, file := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/file=%v", c.name, file), func(b *testing.B) {
				o := native.WriterOptions{Level: native.Fastest, Workers: 1}
				w := native.NewWriter(io.Discard, o)
				if file {
					var err error
					if w, _, err = native.OpenAppend(filepath.Join(b.TempDir(), "a.flow"), o, false); err != nil {
						b.Fatal(err)
					}
				}
				r := native.NewRecorder(w, native.RecorderOptions{})
				b.SetBytes(int64(len(c.bodies[0])))
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					r.Flow(flows[i%len(flows)])
					i++
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(r.Stats().Bytes)/float64(i), "file-B/flow")
			})
		}
	}
}

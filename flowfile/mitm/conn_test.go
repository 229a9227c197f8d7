package mitm

import (
	"math/rand/v2"
	"testing"

	"flowkit/flowfile"
)

// TestCheckConn: what is checked when a record is read is what parsing refuses later.
func TestCheckConn(t *testing.T) {
	addr := &flowfile.Addr{Host: "2001:db8::1", Port: 443, Extra: []int64{0, 0}}
	conn := &flowfile.Conn{
		ID: "1", Peer: addr, Sock: addr, Address: addr, Via: &flowfile.Via{Scheme: "https", Addr: *addr},
		Ciphers: []string{"a", "b"}, ALPNOffers: []string{"h2", "http/1.1"}, Start: 1,
		Certificates: []flowfile.Body{flowfile.StringBody("-----BEGIN CERTIFICATE-----")},
	}
	r := rand.New(rand.NewPCG(1, 1))
	broken := 0
	for version := minVersion; version <= maxVersion; version++ {
		for _, server := range []bool{false, true} {
			e := encoder{version: version}
			e.reset(version)
			e.conn(conn, server)
			whole := e.bytes()[prefix(e.bytes()) : len(e.bytes())-1]
			for range 20_000 {
				b := append([]byte(nil), whole...)
				for range r.IntN(3) {
					b[r.IntN(len(b))] = "0123456789:;,#]}!~a"[r.IntN(19)]
				}
				checked := checkConn(b, server)
				_, _, parsed := parseConn(b, version, server)
				if (checked == nil) != (parsed == nil) || checked != nil && *checked != *parsed {
					t.Fatalf("%q: checked %v, parsed %v", b, checked, parsed)
				}
				if checked != nil {
					broken++
				}
			}
		}
	}
	if broken == 0 {
		t.Error("nothing was broken")
	}
}

package mitm_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

var update = flag.Bool("update", false, "write the dumps of testdata")

// What old records are made of.
func null() tnet         { return tnet{tag: '~'} }
func text(s string) tnet { return tnet{tag: ';', text: s} }
func raw(s string) tnet  { return tnet{tag: ',', text: s} }
func num(n int) tnet     { return tnet{tag: '#', text: fmt.Sprint(n)} }
func secs(f float64) tnet {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return tnet{tag: '^', text: s}
}
func yes(b bool) tnet      { return tnet{tag: '!', text: fmt.Sprint(b)} }
func list(in ...tnet) tnet { return tnet{tag: ']', in: in} }
func dict(kv ...any) tnet { // key, value …
	v := tnet{tag: '}'}
	for i := 0; i < len(kv); i += 2 {
		v.keys, v.in = append(v.keys, kv[i].(string)), append(v.in, kv[i+1].(tnet))
	}
	return v
}

// drop removes a key.
func (v *tnet) drop(keys ...string) {
	for _, key := range keys {
		for i, k := range v.keys {
			if k == key {
				v.keys, v.in = append(v.keys[:i:i], v.keys[i+1:]...), append(v.in[:i:i], v.in[i+1:]...)
				break
			}
		}
	}
}

// put gives a key a value.
func (v *tnet) put(key string, x tnet) {
	if at := v.at(key); at != nil {
		*at = x
		return
	}
	v.keys, v.in = append(v.keys, key), append(v.in, x)
}

// eras are the versions that there were, as they stand in a record.
var eras = []struct {
	name    string
	version tnet
}{
	{"0.11", list(num(0), num(11), num(3))},
	{"0.12", list(num(0), num(12), num(1))},
	{"0.13", list(num(0), num(13), num(0))},
	{"0.14", list(num(0), num(14), num(0))},
	{"0.15", list(num(0), num(15), num(0))},
	{"0.16", list(num(0), num(16), num(0))},
	{"0.17", list(num(0), num(17), num(0))},
	{"0.18", list(num(0), num(18), num(3))},
	{"0.19", list(num(0), num(19))},
	{"1.0", list(num(1), num(0), num(2))},
	{"2.0", list(num(2), num(0), num(2))},
	{"3.0", list(num(3), num(0), num(0))},
	{"4", num(4)},
	{"5", num(5)},
	{"6", num(6)},
	{"7", num(7)},
	{"8", num(8)},
	{"9", num(9)},
	{"10", num(10)},
	{"11", num(11)},
	{"12", num(12)},
	{"13", num(13)},
	{"14", num(14)},
	{"15", num(15)},
	{"16", num(16)},
	{"17", num(17)},
}

// since tells whether era i is of a version or a later one.
func since(i int, version string) bool {
	for j, e := range eras {
		if e.name == version {
			return i >= j
		}
	}
	panic("no version " + version)
}

// choose returns before up to a version, and after from it on.
func choose[T any](i int, version string, before, after T) T {
	if since(i, version) {
		return after
	}
	return before
}

const someCertificate = `-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUJOrNV4t9T/akOvXxjm7CKipzZiEwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjgwODUxNDJaGA8yMTI2MTEwNDA4NTE0Mlow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFdigHCPHuZy
JZZF1CPHMS91vN5vDyi2dAohcwsoAj9eeudS7f17sGtTalEJHJVPL68GY4up6Bb4
S4WdCzq9YDyjUzBRMB0GA1UdDgQWBBRyVlllOz53SNDeXbK1NLsBBtRctjAfBgNV
HSMEGDAWgBRyVlllOz53SNDeXbK1NLsBBtRctjAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIBpzrZDkiiitcn1gHe2k988mMHZsrOez4Ue923Q635wH
AiEA5EzD/9lqto3aPMWgFmFYpm/EtvUNZTPY03p+Zp7DO8E=
-----END CERTIFICATE-----
`

// record returns an exchange as mitmproxy wrote it in era i.
func record(i int, id string) tnet {
	str := choose(i, "0.18", raw, text)
	host := choose(i, "9", raw, text)
	address := func(h string, port int) tnet {
		a := list(str(h), num(port))
		if since(i, "3.0") {
			return a
		}
		return dict("address", a, "use_ipv6", yes(false))
	}
	request := dict(
		choose(i, "0.14", "httpversion", "http_version"), choose(i, "0.14", list(num(1), num(1)), raw("HTTP/1.1")),
		"headers", list(list(raw("Host"), raw("a.example")), list(raw("X-Odd"), raw("\xff"))),
		choose(i, "0.14", "content", choose(i, "0.16", "body", "content")), raw("question"),
		"method", raw("POST"), "scheme", raw("https"), "host", host("a.example"), "port", num(8443), "path", raw("/p?q=1"),
		"timestamp_start", secs(1400000001.25), "timestamp_end", secs(1400000001.5),
	)
	response := dict(
		choose(i, "0.14", "httpversion", "http_version"), choose(i, "0.14", list(num(1), num(1)), raw("HTTP/1.1")),
		choose(i, "0.14", "code", "status_code"), num(404), choose(i, "0.16", "msg", "reason"), raw("Not Found"),
		"headers", list(list(raw("Server"), raw("s"))),
		choose(i, "0.14", "content", choose(i, "0.16", "body", "content")), raw("answer"),
		"timestamp_start", secs(1400000002), "timestamp_end", secs(1400000003),
	)
	if !since(i, "9") {
		request.put("is_replay", yes(true))
		request.put(choose(i, "0.14", "form_in", "first_line_format"), str("relative"))
	} else {
		request.put("authority", raw(""))
	}
	if !since(i, "0.16") {
		request.put("form_out", str("relative"))
	}
	if since(i, "0.16") && !since(i, "0.19") {
		request.put("stickyauth", yes(false))
		request.put("stickycookie", yes(false))
	}
	if since(i, "8") {
		request.put("trailers", null())
		response.put("trailers", list(list(raw("X-T"), raw("1"))))
	}
	tls := choose(i, "6", "ssl", "tls")
	client := dict(
		"address", address("127.0.0.1", 5000), tls+"_established", yes(true),
		"timestamp_start", secs(1400000000), "timestamp_end", secs(1400000009), "timestamp_"+tls+"_setup", secs(1400000000.5),
	)
	server := dict(
		"address", address("a.example", 8443), "source_address", address("10.0.0.1", 5001),
		tls+"_established", yes(true), "sni", str("a.example"),
		"timestamp_start", secs(1400000000.125), "timestamp_tcp_setup", secs(1400000000.25),
		"timestamp_"+tls+"_setup", secs(1400000000.375), "timestamp_end", null(),
	)
	server.put(choose(i, "0.17", "state", choose(i, "0.18", "peer_address", "ip_address")),
		choose(i, "0.17", list(), address("192.0.2.1", 8443)))
	if !since(i, "10") {
		client.put("clientcert", null())
		server.put("cert", raw(someCertificate))
	} else {
		client.put("certificate_list", list())
		server.put("certificate_list", list(raw(someCertificate)))
		for _, c := range []*tnet{&client, &server} {
			c.put("state", num(0))
			c.put("error", null())
			c.put("tls", yes(true))
			c.put("alpn_offers", list())
			c.put("cipher_list", list())
		}
		client.put("sockname", list(text("127.0.0.1"), num(8080)))
		server.put("via2", null())
		server.put("cipher_name", null())
	}
	if since(i, "0.19") {
		client.put("sni", text("a.example"))
		client.put("cipher_name", text("AES"))
		client.put("tls_version", text("TLSv1.2"))
		for _, c := range []*tnet{&client, &server} {
			c.put(choose(i, "11", "alpn_proto_negotiated", "alpn"), raw("h2"))
		}
	}
	if since(i, "3.0") {
		client.put("mitmcert", null())
		server.put("tls_version", text("TLSv1.2"))
	}
	if since(i, "5") {
		client.put("id", text("client-1"))
		server.put("id", text("server-1"))
	}
	if since(i, "7") {
		client.put("tls_extensions", list())
	}
	if since(i, "0.14") {
		server.put("via", null())
	}
	v := dict(
		"response", response, "type", str("http"), "id", str(id), "error", null(), "version", eras[i].version,
		"client_conn", client, "server_conn", server, "intercepted", yes(false), "request", request,
	)
	if since(i, "0.18") {
		v.put("marked", choose(i, "13", yes(true), text(":default:")))
	}
	if since(i, "0.19") {
		v.put("metadata", dict("k", text("v")))
		if !since(i, "17") {
			v.put("mode", text("regular"))
		}
	}
	if since(i, "9") {
		v.put("is_replay", text("request"))
	}
	if since(i, "12") {
		v.put("websocket", null())
	}
	if since(i, "14") {
		v.put("comment", text(""))
	}
	if since(i, "16") {
		v.put("timestamp_created", secs(1400000001.25))
	}
	return v
}

// bytes returns the record; up to 0.17, and in some files of 0.18, keys are bytes.
func recordBytes(v tnet, byteKeys bool) []byte {
	b := appendTnet(nil, v)
	if byteKeys {
		b = appendByteKeys(nil, v)
	}
	return b
}

func appendByteKeys(b []byte, v tnet) []byte {
	p := []byte(v.text)
	for i, x := range v.in {
		if v.tag == '}' {
			p = fmt.Appendf(p, "%d:%s,", len(v.keys[i]), v.keys[i])
		}
		p = appendByteKeys(p, x)
	}
	return append(fmt.Appendf(b, "%d:%s", len(p), p), v.tag)
}

// TestEras reads the same exchange from a record of every version.
func TestEras(t *testing.T) {
	for i, e := range eras {
		for _, byteKeys := range []bool{false, true} {
			if byteKeys && since(i, "0.19") {
				continue
			}
			data := recordBytes(record(i, "id-1"), byteKeys)
			f := readAll(t, bytes.NewReader(data))[0]
			checkExchange(t, e.name, i, f)
			if got, _ := write(t, 0, f); !bytes.Equal(got, data) {
				t.Errorf("%s: the copy differs", e.name)
			}
			for to := 17; to <= 21; to++ {
				out, lost := write(t, to, readAll(t, bytes.NewReader(data))...)
				if lost != (mitm.Lost{}) {
					t.Errorf("%s to %d: lost %+v", e.name, to, lost)
				}
				checkExchange(t, fmt.Sprintf("%s to %d", e.name, to), i, readAll(t, bytes.NewReader(out))[0])
			}
		}
	}
}

// TestAllEras reads one dump with a record of every version, which cat a b > c can make.
func TestAllEras(t *testing.T) {
	var data []byte
	for i, e := range eras {
		data = append(data, recordBytes(record(i, "in-"+e.name), !since(i, "0.19"))...)
	}
	for i, f := range readAll(t, bytes.NewReader(load(t, fixture(t, "eras.mitm", data)))) {
		if want := "in-" + eras[i].name; f.ID() != want {
			t.Errorf("flow %d is %s, want %s", i, f.ID(), want)
		}
	}
}

// checkExchange checks the flow of record.
func checkExchange(t *testing.T, name string, i int, f *flowfile.Flow) {
	t.Helper()
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s is %v, want %v", name, what, got, want)
		}
	}
	at := func(s float64) flowfile.Time { return flowfile.TimeFromSeconds(s) }
	q, p, c, s := f.Request(), f.Response(), f.Client(), f.Server()
	check("id", f.ID(), "id-1")
	check("created", f.Created(), at(1400000001.25))
	check("replay", f.Replay(), "request")
	check("marked", f.Marked(), choose(i, "0.18", "", ":default:"))
	check("metadata", len(f.Metadata()), choose(i, "0.19", 0, 1))
	check("request", fmt.Sprint(q.Version(), q.Method(), " ", q.URL(), " ", q.Authority()), "HTTP/1.1POST https://a.example:8443/p?q=1 ")
	check("request headers", q.Headers().Fields(), []flowfile.Field{{Name: "Host", Value: "a.example"}, {Name: "X-Odd", Value: "\xff"}})
	check("request body", string(bodyBytes(t, q.Body())), "question")
	check("request times", []flowfile.Time{q.Start(), q.End()}, []flowfile.Time{at(1400000001.25), at(1400000001.5)})
	check("response", fmt.Sprint(p.Version(), p.Status(), p.Reason()), "HTTP/1.1404Not Found")
	check("response body", string(bodyBytes(t, p.Body())), "answer")
	check("response times", []flowfile.Time{p.Start(), p.End()}, []flowfile.Time{at(1400000002), at(1400000003)})
	check("trailers", p.Trailers() != nil, since(i, "8"))
	check("peer of the client", c.Peer, &flowfile.Addr{Host: "127.0.0.1", Port: 5000})
	check("address of the server", s.Address, &flowfile.Addr{Host: "a.example", Port: 8443})
	check("socket to the server", s.Sock, &flowfile.Addr{Host: "10.0.0.1", Port: 5001})
	if since(i, "0.17") {
		check("peer of the server", s.Peer, &flowfile.Addr{Host: "192.0.2.1", Port: 8443})
	}
	check("client TLS", c.TLS, true)
	check("server TLS", s.TLS, true)
	check("client times", []flowfile.Time{c.Start, c.TLSSetup, c.End}, []flowfile.Time{at(1400000000), at(1400000000.5), at(1400000009)})
	check("server times", []flowfile.Time{s.Start, s.TCPSetup, s.TLSSetup, s.End},
		[]flowfile.Time{at(1400000000.125), at(1400000000.25), at(1400000000.375), 0})
	check("certificates", len(s.Certificates), 1)
	check("SNI", s.SNI, "a.example")
	check("ALPN", c.ALPN, choose(i, "0.19", "", "h2"))
	check("offers", fmt.Sprint(c.ALPNOffers, c.Ciphers), choose(i, "0.19", "[] []", choose(i, "10", "[h2] [AES]", "[] []")))
	check("ids", c.ID != "" && s.ID != "" && c.ID != s.ID, true)
}

// TestConnectionIDs: flows of one connection have its id in common, others have not.
func TestConnectionIDs(t *testing.T) {
	a, b, c := record(4, "1"), record(4, "2"), record(4, "3")
	*c.at("client_conn").at("timestamp_start") = secs(1400000000.0625)
	var data []byte
	for _, v := range []tnet{a, b, c} {
		data = append(data, recordBytes(v, true)...)
	}
	flows := readAll(t, bytes.NewReader(data))
	if flows[0].Client().ID != flows[1].Client().ID || flows[0].Server().ID != flows[2].Server().ID {
		t.Error("one connection has two ids")
	}
	if flows[0].Client().ID == flows[2].Client().ID {
		t.Error("two connections have one id")
	}
	if again := readAll(t, bytes.NewReader(data)); again[0].Client().ID != flows[0].Client().ID {
		t.Error("a connection has another id when it is read again")
	}
}

// TestUpstream: the proxy in between was a connection with all that belongs to one. mitmproxy
// forgets it.
func TestUpstream(t *testing.T) {
	for _, c := range []struct {
		via  tnet
		want *flowfile.Via
	}{
		{null(), nil},
		{
			dict("address", dict("address", list(text("p.example"), num(3128)), "use_ipv6", yes(false)), "ssl_established", yes(false)),
			&flowfile.Via{Scheme: "http", Addr: flowfile.Addr{Host: "p.example", Port: 3128}},
		},
		{
			dict("ssl_established", yes(true), "address", list(text("p.example"), num(3128))),
			&flowfile.Via{Scheme: "https", Addr: flowfile.Addr{Host: "p.example", Port: 3128}},
		},
		{dict("address", null()), nil},
		{dict(), nil},
	} {
		v := record(era("0.18"), "id")
		v.at("server_conn").put("via", c.via)
		f := readAll(t, bytes.NewReader(recordBytes(v, false)))[0]
		if got := f.Server().Via; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v, want %+v", got, c.want)
		}
		if _, lost := write(t, 17, f); lost != (mitm.Lost{}) {
			t.Errorf("lost %+v", lost)
		}
	}
}

// TestVersionPlace: the version stands at the end of a record, at its beginning or in between.
func TestVersionPlace(t *testing.T) {
	for i, e := range eras {
		v := record(i, "id-1")
		version := v.get("version")
		v.drop("version")
		last := v
		last.put("version", version)
		first := tnet{tag: '}', keys: append([]string{"version"}, v.keys...), in: append([]tnet{version}, v.in...)}
		for _, x := range []tnet{first, last} {
			checkExchange(t, e.name, i, readAll(t, bytes.NewReader(recordBytes(x, !since(i, "0.19"))))[0])
		}
	}
}

// TestOldGaps leaves out one key after the other, or makes it null: the record is read.
func TestOldGaps(t *testing.T) {
	for i, e := range eras {
		for _, side := range []string{"", "request", "response", "client_conn", "server_conn"} {
			whole := record(i, "id")
			keys := whole.get(side).keys
			if side == "" {
				keys = whole.keys
			}
			for _, key := range keys {
				if key == "type" || key == "version" {
					continue
				}
				for _, missing := range []bool{true, false} {
					v := record(i, "id")
					d := &v
					if side != "" {
						d = v.at(side)
					}
					if missing {
						d.drop(key)
					} else {
						d.put(key, null())
					}
					flows, damage := read(t, bytes.NewReader(recordBytes(v, false)))
					if len(flows) != 1 || len(damage) > 0 {
						t.Errorf("%s without %s.%s: %v", e.name, side, key, damage)
						continue
					}
					f := flows[0]
					f.Client()
					f.Server()
					f.SetComment("x")
					write(t, 0, f)
				}
			}
		}
	}
}

// TestOldUnknown: a key that nobody knows costs nothing and, where it cannot be written, is counted.
func TestOldUnknown(t *testing.T) {
	for i, e := range eras[:len(eras)-1] {
		v := record(i, "id")
		v.put("future", null())
		v.at("request").put("future", null())
		v.at("client_conn").put("future", null())
		data := recordBytes(v, false)
		f := readAll(t, bytes.NewReader(data))[0]
		if got, _ := write(t, 0, f); !bytes.Equal(got, data) {
			t.Errorf("%s: the copy differs", e.name)
		}
		if _, lost := write(t, 21, f); lost != (mitm.Lost{Fields: 3}) {
			t.Errorf("%s: lost %+v", e.name, lost)
		}
	}
}

// TestOldChanged: a changed record is one of version 17.
func TestOldChanged(t *testing.T) {
	for i, e := range eras[:len(eras)-1] {
		data := append(recordBytes(record(i, "1"), false), recordBytes(record(i, "2"), false)...)
		flows := readAll(t, bytes.NewReader(data))
		flows[1].Request().Headers().Set("X-New", "1")
		flows[1].SetComment("changed")
		out, lost := write(t, 0, flows...)
		if lost != (mitm.Lost{Updated: 1}) {
			t.Errorf("%s: lost %+v", e.name, lost)
		}
		again := parseAll(t, out)
		if differ(again[0], parseAll(t, data)[0], "") != nil {
			t.Errorf("%s: the record that was not changed differs", e.name)
		}
		if v := again[1].get("version").text; v != "17" {
			t.Errorf("%s: written in version %s", e.name, v)
		}
		f := readAll(t, bytes.NewReader(out))[1]
		if f.Comment() != "changed" || f.Request().Headers().Get("X-New") != "1" || string(bodyBytes(t, f.Response().Body())) != "answer" {
			t.Errorf("%s: %+v", e.name, f)
		}
		// Also when another format kept the record.
		flows = readAll(t, bytes.NewReader(data))
		for j, f := range flows {
			flows[j] = kept(f, f.Origin().Kept(f))
		}
		if got, _ := write(t, 0, flows...); !bytes.Equal(got, data) {
			t.Errorf("%s: what was given back differs", e.name)
		}
		flows[1].SetComment("changed")
		out, lost = write(t, 0, flows...)
		if v := parseAll(t, out)[1].get("version").text; v != "17" || lost.Updated != 1 {
			t.Errorf("%s: kept, changed and written in version %s", e.name, v)
		}
	}
}

// TestOldBackup: the state before a user's edits is a record itself, of its own version.
func TestOldBackup(t *testing.T) {
	for i, e := range eras[:len(eras)-1] {
		v := record(i, "id")
		before := record(i, "id")
		*before.at("request").at("method") = raw("PUT")
		v.put("backup", before)
		data := recordBytes(v, false)
		f := readAll(t, bytes.NewReader(data))[0]
		out, lost := write(t, 21, f)
		if lost != (mitm.Lost{}) {
			t.Errorf("%s: lost %+v", e.name, lost)
		}
		b := parseAll(t, out)[0].get("backup")
		if b.get("version").text != "21" || b.get("request", "method").text != "PUT" || b.get("request", "content").text != "question" {
			t.Errorf("%s: the backup is %v", e.name, b)
		}
		// It does not outlive another format and a change, and that is counted.
		g := kept(f, f.Origin().Kept(f))
		g.SetComment("changed")
		if _, lost := write(t, 0, g); lost != (mitm.Lost{Fields: 1, Updated: 1}) {
			t.Errorf("%s: lost %+v", e.name, lost)
		}
	}
}

// TestOldBroken: damage within an old record costs that record.
func TestOldBroken(t *testing.T) {
	good := recordBytes(record(15, "good"), false)
	for name, breakIt := range map[string]func(v *tnet){
		"request":  func(v *tnet) { *v.at("request") = tnet{tag: '}', text: "5:broke"} },
		"headers":  func(v *tnet) { *v.at("request").at("headers") = list(text("x")) },
		"client":   func(v *tnet) { *v.at("client_conn") = tnet{tag: '}', text: "5:broke"} },
		"type":     func(v *tnet) { *v.at("type") = text("gopher") },
		"version":  func(v *tnet) { *v.at("version") = list(num(0), num(10), num(1)) },
		"version2": func(v *tnet) { *v.at("version") = num(3) },
		"version3": func(v *tnet) { *v.at("version") = list() },
	} {
		v := record(15, "bad")
		breakIt(&v)
		bad := recordBytes(v, false)
		data := append(append(bytes.Clone(good), bad...), good...)
		flows, damage := tiles(t, name, data, bytes.NewReader(data))
		if len(flows) != 2 || len(damage) != 1 || damage[0].Offset != int64(len(good)) || damage[0].Length != int64(len(bad)) {
			t.Errorf("%s: %d flows, %v", name, len(flows), damage)
		}
	}
}

// TestVersionNotKnown says which version it is.
func TestVersionNotKnown(t *testing.T) {
	v := record(0, "id")
	for want, version := range map[string]tnet{
		"format version 0.10.1 is not known; the oldest that is read is 0.11": list(num(0), num(10), num(1)),
		"format version 3 is not known; the oldest that is read is 0.11":      num(3),
		"no format version": null(),
	} {
		v.put("version", version)
		_, damage := read(t, bytes.NewReader(recordBytes(v, false)))
		if len(damage) != 1 || damage[0].Err.Error() != want {
			t.Errorf("%v, want %s", damage, want)
		}
	}
}

// fixture returns a dump of testdata, which -update writes.
func fixture(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(load(t, path), data) {
		t.Fatalf("%s is not what the test makes; -update writes it", path)
	}
	return path
}

// TestOldLarge: bodies and messages of old records stay where they are.
func TestOldLarge(t *testing.T) {
	const size = 32 << 20
	v := record(era("7"), "large")
	v.at("response").put("content", raw(strings.Repeat("b", size)))
	path := filepath.Join(t.TempDir(), "x.mitm")
	data := appendTnet(nil, v, handshake(era("7"), "a"), socket(era("7"), "a", strings.Repeat("m", size)))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, r := range map[string]io.Reader{"file": file, "pipe": oneByOne(data, 1<<20)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := mitm.NewWriter(io.Discard, mitm.WriterOptions{Version: 21})
		src := mitm.NewReader(r, mitm.ReaderOptions{Spool: &flowfile.Spool{Dir: t.TempDir()}})
		n := 0
		for f, err := range flowfile.Flows(src) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if f.Response().Body().Size()+int64(f.Messages().Len()) < 2 {
				t.Errorf("%s: %s has neither body nor messages", name, f.ID())
			}
			if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; n != 2 || got > 8<<20 {
			t.Errorf("%s: %d flows, %d bytes allocated", name, n, got)
		}
	}
}

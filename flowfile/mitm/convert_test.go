package mitm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
)

// form collects the key orders and the tags of every place in records.
type form struct {
	orders map[string][]string
	tags   map[string]string
}

func (x *form) see(v tnet, path string) {
	if !strings.Contains(x.tags[path], string(v.tag)) {
		x.tags[path] += string(v.tag)
	}
	if v.tag == '}' {
		if o := strings.Join(v.keys, " "); !slices.Contains(x.orders[path], o) {
			x.orders[path] = append(x.orders[path], o)
		}
	}
	for i, in := range v.in {
		if v.tag == '}' {
			x.see(in, path+"."+v.keys[i])
		} else {
			x.see(in, path+"[]")
		}
	}
}

func formOf(vs []tnet) *form {
	x := &form{map[string][]string{}, map[string]string{}}
	for _, v := range vs {
		x.see(v, v.get("type").text)
	}
	return x
}

// TestConvert converts every dump to every version: the keys must be those of that
// version, in mitmproxy's order, and nothing else may change.
func TestConvert(t *testing.T) {
	forms := map[int]*form{}
	for v := 17; v <= 21; v++ {
		forms[v] = formOf(parseAll(t, load(t, dumpOf(t, v))))
	}
	for _, path := range allDumps(t) {
		data := load(t, path)
		for to := 17; to <= 21; to++ {
			name := fmt.Sprintf("%s to %d", filepath.Base(path), to)
			flows := readAll(t, bytes.NewReader(data))
			if flows[0].Origin().(*mitm.Record).Version() == to {
				continue
			}
			out, lost := write(t, to, flows...)
			converted := parseAll(t, out)
			compareForms(t, name, formOf(converted), forms[to])
			before := slices.DeleteFunc(slices.Clone(flows), func(f *flowfile.Flow) bool { return f.Kind() == flowfile.UDP && to == 17 })
			if int(lost.Flows) != len(flows)-len(before) {
				t.Errorf("%s: %d flows lost, want %d", name, lost.Flows, len(flows)-len(before))
			}
			after := readAll(t, bytes.NewReader(out))
			if len(after) != len(before) {
				t.Fatalf("%s: %d flows, want %d", name, len(after), len(before))
			}
			for i := range before {
				if v := after[i].Origin().(*mitm.Record).Version(); v != to {
					t.Errorf("%s: version %d", name, v)
				}
				compareFlows(t, fmt.Sprintf("%s, flow %d", name, i), after[i], before[i])
			}
		}
	}
}

// compareForms checks that got has no key order and no tag that want has not.
func compareForms(t *testing.T, name string, got, want *form) {
	t.Helper()
	for path, orders := range got.orders {
		if strings.Contains(path, ".metadata") {
			continue
		}
		for _, o := range orders {
			if w, ok := want.orders[path]; ok && !slices.Contains(w, o) {
				t.Errorf("%s: %s has keys\n%s, want\n%s", name, path, o, w)
			}
		}
	}
	for path, tags := range got.tags {
		for _, tag := range tags {
			w, ok := want.tags[path]
			if ok && (strings.Contains(path, "timestamp") || strings.HasSuffix(path, ".messages[][]")) {
				w += "~"
				if strings.Contains(w, "#") {
					w += "^"
				}
			}
			// The made dumps have a value where traffic has none.
			if ok && tag != '~' && w != "~" && !strings.ContainsRune(w, tag) {
				t.Errorf("%s: %s has tag %c, want one of %s", name, path, tag, w)
			}
		}
	}
}

// compareFlows compares all that is in both flows, but for what versions do not hold.
func compareFlows(t *testing.T, name string, got, want *flowfile.Flow) {
	t.Helper()
	g, w := shape(t, got, 0), shape(t, want, 0)
	for _, k := range []string{"offset", "file_version"} {
		delete(g, k)
		delete(w, k)
	}
	// What is not known has a stand-in.
	if r := want.Request(); r != nil && r.Start() == 0 {
		delete(g["request"].(map[string]any), "ts_start")
		delete(w["request"].(map[string]any), "ts_start")
	}
	walk(t, name, g, w)
	for _, side := range []func(*flowfile.Flow) *flowfile.Conn{(*flowfile.Flow).Client, (*flowfile.Flow).Server} {
		a, b := *side(got), *side(want)
		a.State, b.State = 0, 0
		a.Transport, b.Transport = "", ""
		a.ProxyMode, b.ProxyMode = "", ""
		if b.Sock == nil && a.Sock.String() == ":0" { // from version 19 on an address must be there
			a.Sock = nil
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: connection\n%+v, want\n%+v", name, a, b)
		}
	}
	if !reflect.DeepEqual(got.Metadata(), want.Metadata()) || got.Created() != want.Created() {
		t.Errorf("%s: metadata or time of creation differ", name)
	}
	if !reflect.DeepEqual(got.DNSRequest(), want.DNSRequest()) || !reflect.DeepEqual(got.DNSResponse(), want.DNSResponse()) {
		t.Errorf("%s: DNS differs", name)
	}
}

// readScript prints what mitmproxy reads from the dumps that are its arguments, and
// whether it would write the same.
const readScript = `
import io, json, sys
from mitmproxy.io import FlowReader, FlowWriter
out = []
for name in sys.argv[1:]:
    flows = []
    again = io.BytesIO()
    for f in FlowReader(open(name, "rb")).stream():
        d = {"id": f.id, "type": f.get_state()["type"], "comment": f.comment, "created": f.timestamp_created,
             "backup": f._backup is not None,
             "peer": list(f.client_conn.peername or ()), "address": list(f.server_conn.address or ()),
             "certs": len(f.server_conn.certificate_list), "error": f.error.msg if f.error else None}
        if d["type"] == "http":
            d["url"] = f.request.url
            d["headers"] = len(f.request.headers.fields)
            if f.response:
                d["status"] = f.response.status_code
                d["body"] = -1 if f.response.raw_content is None else len(f.response.raw_content)
            if f.websocket:
                d["messages"] = len(f.websocket.messages)
        if d["type"] == "tcp":
            d["messages"] = len(f.messages)
        FlowWriter(again).add(f)
        flows.append(d)
    out.append({"flows": flows, "same": again.getvalue() == open(name, "rb").read()})
json.dump(out, sys.stdout)
`

// TestConvertForMitmproxy has mitmproxy 8.1.1 read what was converted to its version.
func TestConvertForMitmproxy(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import mitmproxy").CombinedOutput(); err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatalf("no mitmproxy: %v\n%s", err, out)
		}
		t.Skipf("no mitmproxy: %v", err)
	}
	var generated bytes.Buffer
	if err := flowtest.Dump(&generated, 50, 7); err != nil {
		t.Fatal(err)
	}
	sources := [][]byte{generated.Bytes()}
	for _, path := range allDumps(t) {
		sources = append(sources, load(t, path))
	}
	sources = append(sources, conversations())
	for i := range eras {
		sources = append(sources, recordBytes(record(i, "id"), !since(i, "0.19")))
	}
	args := []string{"-c", readScript}
	var want [][]*flowfile.Flow
	add := func(flows []*flowfile.Flow) {
		out, _ := write(t, 17, flows...)
		path := filepath.Join(t.TempDir(), "x.mitm")
		if err := os.WriteFile(path, out, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
		want = append(want, slices.DeleteFunc(flows, func(f *flowfile.Flow) bool { return f.Kind() == flowfile.UDP }))
	}
	for _, data := range sources {
		add(readAll(t, bytes.NewReader(data)))
		clones := readAll(t, bytes.NewReader(data)) // also from the model alone
		for i, f := range clones {
			clones[i] = f.Clone()
		}
		add(clones)
	}
	add([]*flowfile.Flow{flowfile.New(flowfile.Head{
		ID:      "bare",
		Request: flowfile.NewRequest(flowfile.RequestHead{Method: "GET", Scheme: "http", Host: "h", Port: 80, Path: "/"}),
	})})
	var stderr bytes.Buffer
	cmd := exec.Command(python, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("mitmproxy: %v\n%s", err, stderr.String())
	}
	var got []struct {
		Flows []map[string]any
		Same  bool
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if len(got[i].Flows) != len(want[i]) {
			t.Errorf("dump %d: %d flows, want %d", i, len(got[i].Flows), len(want[i]))
			continue
		}
		if i < 2 && !got[i].Same { // the generated ones; the made ones have odd types
			t.Errorf("dump %d: mitmproxy writes other bytes", i)
		}
		for j, f := range want[i] {
			walk(t, fmt.Sprintf("dump %d, flow %d", i, j), got[i].Flows[j], summary(f, got[i].Flows[j]))
		}
	}
}

// summary is what readScript prints of f.
func summary(f *flowfile.Flow, got map[string]any) map[string]any {
	m := map[string]any{
		"id": f.ID(), "type": f.Kind().String(), "comment": f.Comment(), "created": f.Created().Seconds(),
		"error": nil, "peer": []any{"", 0.0}, "address": []any{}, "certs": 0.0, "backup": got["backup"],
	}
	if f.Error() != nil {
		m["error"] = f.Error().Msg
	}
	if c := f.Client(); c != nil {
		m["peer"], m["address"], m["certs"] = address(c.Peer), address(f.Server().Address), float64(len(f.Server().Certificates))
		if m["address"] == nil {
			m["address"] = []any{}
		}
	} else {
		m["peer"] = []any{}
	}
	if r := f.Request(); r != nil {
		m["url"], m["headers"] = str(r.URL()), float64(r.Headers().Len())
	}
	if r := f.Response(); r != nil {
		m["status"], m["body"] = float64(r.Status()), -1.0
		if b := r.Body(); b.State() != flowfile.BodyAbsent {
			m["body"] = float64(b.Size())
		}
	}
	if f.WebSocket() != nil || f.Kind() == flowfile.TCP {
		m["messages"] = float64(f.Messages().Len())
	}
	return m
}

// TestConvertBackup converts the state before a user's edits along with the flow.
func TestConvertBackup(t *testing.T) {
	for _, v := range []int{17, 18, 19, 20, 21} {
		flows := readAll(t, bytes.NewReader(load(t, dumpOf(t, v))))
		to := 17 + (v-17+2)%5
		out, _ := write(t, to, flows...)
		n := 0
		for _, r := range parseAll(t, out) {
			if b := r.get("backup"); b.tag == '}' {
				n++
				if got := b.get("version").text; got != fmt.Sprint(to) {
					t.Errorf("%d to %d: the backup has version %s", v, to, got)
				}
			}
		}
		if n != 1 {
			t.Errorf("%d to %d: %d backups, want 1", v, to, n)
		}
	}
}

// TestConvertLost counts what a version has no place for.
func TestConvertLost(t *testing.T) {
	vs := parseAll(t, load(t, dumpOf(t, 21)))[:1]
	vs[0].add("future", tnet{tag: '~'})
	vs[0].at("request").add("future", tnet{tag: '~'})
	vs[0].at("client_conn").add("future", tnet{tag: '~'})
	*vs[0].at("client_conn").at("proxy_mode") = tnet{tag: ';', text: "socks5"}
	*vs[0].at("client_conn").at("tls_version") = tnet{tag: ';', text: "QUICv1"}
	data := appendTnet(nil, vs...)
	out, lost := write(t, 18, readAll(t, bytes.NewReader(data))...)
	if lost != (mitm.Lost{Fields: 3}) {
		t.Errorf("lost %+v", lost)
	}
	if got := parseAll(t, out)[0].get("client_conn", "tls_version").text; got != "QUIC" {
		t.Errorf("tls_version %s", got)
	}
	if _, lost = write(t, 17, readAll(t, bytes.NewReader(data))...); lost != (mitm.Lost{Fields: 4}) {
		t.Errorf("lost %+v", lost)
	}
	if got := readAll(t, bytes.NewReader(out))[0].Client().TLSVersion; got != "QUICv1" {
		t.Errorf("read %s", got)
	}
}

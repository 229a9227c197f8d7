package mitm_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowkit/flowfile/mitm"
)

// migrateScript writes, beside each dump that is an argument, what mitmproxy makes of its
// records one by one in its own version, and prints which of them it could not read.
const migrateScript = `
import io, json, sys
from mitmproxy.io import FlowReader, FlowWriter, tnetstring
out = []
for name in sys.argv[1:]:
    data, failed, i = open(name, "rb").read(), [], 0
    with open(name + ".17", "wb") as f:
        w, at = FlowWriter(f), 0
        while at < len(data):
            colon = data.index(b":", at)
            end = colon + 2 + int(data[at:colon])
            try:
                for flow in FlowReader(io.BytesIO(data[at:end])).stream():
                    w.add(flow)
            except BaseException as e:
                failed.append(i)
            at, i = end, i + 1
    out.append(failed)
json.dump(out, sys.stdout)
`

// migrated are where a record that flowkit takes to version 17 is other than that which
// mitmproxy 8.1.1 does, and why. All else is equal, value by value.
var migrated = []struct {
	path string
	ok   func(got, want tnet) bool
	why  string
}{
	{".client_conn.id", anything, "up to version 4 connections have no id: mitmproxy rolls dice, flowkit takes the same for the same connection"},
	{".server_conn.id", anything, "likewise"},
	{".client_conn.sockname", unknown, "up to version 9 it is not known; mitmproxy says ['', 0]"},
	{".client_conn.address", sameText, "up to 0.17 text is bytes"},
	{".server_conn.address", sameText, "likewise"},
	{".server_conn.ip_address", sameText, "likewise"},
	{".server_conn.source_address", sameText, "likewise"},
	{".request.timestamp_start", since1970, "the handshake of a WebSocket that is not in the dump: not known, mitmproxy says 1970, flowkit the client's start"},
	{".request.timestamp_end", since1970, "likewise"},
	{".timestamp_created", since1970, "likewise"},
	{".metadata", anything, "mitmproxy takes away which handshake it was, and warns of duplicates, which flowkit does not make"},
	{".websocket.timestamp_end", anything, "flowkit takes the end of the connection"},
	{".backup", anything, "mitmproxy leaves it in its version, in which it cannot be gone back to"},
	{".websocket.close_reason", emptyOrNull, "the model does not tell them apart"},
	{".client_conn.alpn", emptyOrNull, "the model does not tell them apart"},
	{".server_conn.alpn", emptyOrNull, "likewise"},
}

func anything(tnet, tnet) bool { return true }

func since1970(_, want tnet) bool { return want.text == "0" || want.text == "0.0" }

// unknown is a null where mitmproxy has a value that stands for it.
func unknown(got, _ tnet) bool { return got.tag == '~' }

// sameText also takes what mitmproxy makes of the dictionaries that mitmproxy 2.0 wrote
// where its version had lists.
func sameText(got, want tnet) bool {
	if len(want.in) == 2 && (want.in[0].text == "use_ipv6" || want.in[1].text == "use_ipv6") {
		return true
	}
	a, b := appendTnet(nil, got), appendTnet(nil, want)
	return bytes.Equal(bytes.ReplaceAll(a, []byte(";"), []byte(",")), bytes.ReplaceAll(b, []byte(";"), []byte(",")))
}

func emptyOrNull(got, want tnet) bool { return got.text == "" && want.text == "" }

// TestMigrateForMitmproxy compares the ladder with mitmproxy's own.
func TestMigrateForMitmproxy(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import mitmproxy").CombinedOutput(); err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatalf("no mitmproxy: %v\n%s", err, out)
		}
		t.Skipf("no mitmproxy: %v", err)
	}
	dir := t.TempDir()
	args := []string{"-c", migrateScript}
	add := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	add("eras.mitm", load(t, filepath.Join("testdata", "eras.mitm")))
	for _, path := range allDumps(t) {
		if strings.HasPrefix(filepath.Base(path), "fmt") && !slices.Contains(dumps(t), path) {
			add(filepath.Base(path), load(t, path))
		}
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("mitmproxy: %v\n%s", err, stderr.String())
	}
	var failed [][]int
	if err := json.Unmarshal(out, &failed); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	compared := 0
	for i, path := range args[2:] {
		flows := readAll(t, bytes.NewReader(load(t, path)))
		converted, lost := write(t, 17, flows...)
		extensions := int64(0) // of TLS; mitmproxy leaves them out too and does not say so
		for _, r := range parseAll(t, load(t, path)) {
			if len(r.get("client_conn", "tls_extensions").in) > 0 {
				extensions++
			}
		}
		if lost != (mitm.Lost{Fields: extensions}) {
			t.Errorf("%s: lost %+v", path, lost)
		}
		got, want := parseAll(t, converted), parseAll(t, load(t, path+".17"))
		for j := range got {
			if slices.Contains(failed[i], j) {
				continue
			}
			w := want[0]
			want = want[1:]
			compared++
			for _, p := range differing(got[j], w, "") {
				d := slices.IndexFunc(migrated, func(m struct {
					path string
					ok   func(got, want tnet) bool
					why  string
				},
				) bool {
					return m.path == p && m.ok(at(got[j], p), at(w, p))
				})
				if d < 0 {
					t.Errorf("%s %d: %s is %s, want %s", filepath.Base(path), j, p, appendTnet(nil, at(got[j], p)), appendTnet(nil, at(w, p)))
					continue
				}
				seen[migrated[d].path] = true
			}
		}
		if len(want) > 0 {
			t.Errorf("%s: %d records too few", path, len(want))
		}
	}
	if compared < 100 {
		t.Errorf("only %d records were compared", compared)
	}
	for _, m := range migrated {
		if !seen[m.path] {
			t.Errorf("%s does not differ", m.path)
		}
	}
}

// differing is differ for dictionaries in any order, and numbers in any form.
func differing(a, b tnet, path string) (out []string) {
	if a.tag != '}' || b.tag != '}' {
		if !bytes.Equal(plainNumbers(a), plainNumbers(b)) {
			return []string{path}
		}
		return nil
	}
	for _, k := range a.keys {
		if !slices.Contains(b.keys, k) {
			out = append(out, path+"."+k)
		}
	}
	for _, k := range b.keys {
		if !slices.Contains(a.keys, k) {
			out = append(out, path+"."+k)
			continue
		}
		if p := path + "." + k; p == ".metadata" || p == ".backup" {
			if !bytes.Equal(appendTnet(nil, a.get(k)), appendTnet(nil, b.get(k))) {
				out = append(out, p)
			}
			continue
		}
		out = append(out, differing(a.get(k), b.get(k), path+"."+k)...)
	}
	return out
}

// plainNumbers returns v with 1.0 as 1.
func plainNumbers(v tnet) []byte { return appendTnet(nil, plain(v)) }

func plain(v tnet) tnet {
	if v.tag == '^' {
		v.tag, v.text = '#', strings.TrimSuffix(v.text, ".0")
	}
	v.in = slices.Clone(v.in)
	for i := range v.in {
		v.in[i] = plain(v.in[i])
	}
	return v
}

func at(v tnet, path string) tnet { return v.get(strings.Split(path, ".")[1:]...) }

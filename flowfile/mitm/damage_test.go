package mitm_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// fewRecords returns a small dump and where its records begin; the last is its length.
func fewRecords(t testing.TB) ([]byte, []int) {
	t.Helper()
	var flows []*flowfile.Flow
	for _, f := range readAll(t, bytes.NewReader(load(t, dumpOf(t, 21)))) {
		if f.WebSocket() != nil || f.Kind() != flowfile.HTTP || len(flows) == 0 {
			flows = append(flows, f)
		}
		if len(flows) == 4 {
			break
		}
	}
	data, _ := write(t, 0, flows...)
	return data, starts(t, data)
}

func starts(t testing.TB, data []byte) []int {
	t.Helper()
	at := []int{0}
	for rest := data; len(rest) > 0; {
		_, rest = parseTnet(t, rest)
		at = append(at, len(data)-len(rest))
	}
	return at
}

// tiles reads data and checks that flows and damage lie side by side and cover it. All come
// in the order of their places, but for handshakes up to version 11, which are held.
func tiles(t testing.TB, name string, data []byte, r io.Reader) (flows []*flowfile.Flow, damage []*flowfile.Damage) {
	t.Helper()
	type tile struct{ from, to int64 }
	var all []tile
	last := int64(-1)
	add := func(from, n int64, held bool) {
		t.Helper()
		all = append(all, tile{from, from + n})
		if n <= 0 || !held && from <= last {
			t.Fatalf("%s: %d bytes at %d behind what is at %d", name, n, from, last)
		}
		if !held {
			last = from
		}
	}
	for f, err := range flowfile.Flows(mitm.NewReader(r, mitm.ReaderOptions{})) {
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			damage = append(damage, d)
			add(d.Offset, d.Length, false)
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		default:
			o := f.Origin().(*mitm.Record)
			flows = append(flows, f)
			add(o.Offset(), int64(o.Size()), o.Version() < 12 && f.Response() != nil && f.Response().Status() == 101 && f.WebSocket() == nil)
			if h := o.Handshake(); h != nil {
				add(h.Offset(), int64(h.Size()), true)
			}
		}
	}
	slices.SortFunc(all, func(a, b tile) int { return cmp.Compare(a.from, b.from) })
	at := int64(0)
	for _, x := range all {
		if x.from != at {
			t.Fatalf("%s: nothing or too much is at %d, where %d to %d comes next", name, at, x.from, x.to)
		}
		at = x.to
	}
	if at != int64(len(data)) {
		t.Fatalf("%s: %d bytes of %d are accounted for", name, at, len(data))
	}
	return flows, damage
}

// TestPrefixes cuts a dump at every byte.
func TestPrefixes(t *testing.T) {
	data, at := fewRecords(t)
	prefixes(t, data, at)
}

func TestPrefixesOld(t *testing.T) {
	data := append(recordBytes(record(era("0.11"), "1"), true), recordBytes(record(era("8"), "2"), false)...)
	prefixes(t, data, starts(t, data))
}

func prefixes(t *testing.T, data []byte, at []int) {
	t.Helper()
	for n := range data {
		flows, damage := tiles(t, fmt.Sprintf("%d bytes", n), data[:n], bytes.NewReader(data[:n]))
		whole := 0
		for at[whole+1] <= n {
			whole++
		}
		if len(flows) != whole {
			t.Fatalf("%d bytes: %d flows, want %d", n, len(flows), whole)
		}
		switch torn := at[whole] < n; {
		case !torn && len(damage) > 0:
			t.Fatalf("%d bytes: %v", n, damage[0])
		case torn && (len(damage) != 1 || !damage[0].Torn):
			t.Fatalf("%d bytes: damage %v, want one torn record", n, damage)
		}
	}
}

// TestFlippedBytes breaks a dump at every byte: the other records are read, and what is
// reported lies in the broken one.
func TestFlippedBytes(t *testing.T) {
	data, at := fewRecords(t)
	flippedBytes(t, data, at)
}

func TestFlippedBytesOld(t *testing.T) {
	var data []byte
	for _, version := range []string{"0.13", "9"} {
		data = append(data, recordBytes(record(era(version), version), !since(era(version), "0.19"))...)
	}
	flippedBytes(t, data, starts(t, data))
}

func flippedBytes(t *testing.T, data []byte, at []int) {
	t.Helper()
	broken := bytes.Clone(data)
	k := 0
	for n := range data {
		if at[k+1] <= n {
			k++
		}
		for _, c := range []byte{data[n] ^ 1, data[n] ^ 0x80, '9'} {
			if c == data[n] {
				continue
			}
			broken[n] = c
			name := fmt.Sprintf("byte %d is %q", n, c)
			flows, damage := tiles(t, name, broken, bytes.NewReader(broken))
			for _, f := range flows {
				o := f.Origin().(*mitm.Record)
				if i := int(o.Offset()); !bytes.Equal(broken[i:i+o.Size()], data[i:min(i+o.Size(), len(data))]) && (i != at[k] || i+o.Size() != at[k+1]) {
					t.Fatalf("%s: a flow at %d", name, i)
				}
			}
			if len(flows) < len(at)-2 {
				t.Fatalf("%s: %d flows, want at least %d", name, len(flows), len(at)-2)
			}
			for _, d := range damage {
				if d.Offset < int64(at[k]) || d.Offset+d.Length > int64(at[k+1]) {
					t.Fatalf("%s: %v, want it between %d and %d", name, d, at[k], at[k+1])
				}
			}
		}
		broken[n] = data[n]
	}
}

// TestGarbage puts things between records that are none.
func TestGarbage(t *testing.T) {
	data, at := fewRecords(t)
	for _, garbage := range []string{
		"\n", "\r\n\r\n", "x", "12", "999999999999:", "999999999999:4:type;", "30:4:type;4:http;", "0:}", "0:~", "3:abc;",
		string(data[:at[1]/2]), string(data[10:at[1]]), strings.Repeat("7:", 2000),
	} {
		var in []byte
		for i := range at[1:] {
			in = append(append(in, garbage...), data[at[i]:at[i+1]]...)
		}
		in = append(in, garbage...)
		for name, r := range map[string]io.Reader{"memory": bytes.NewReader(in), "pipe": oneByOne(in, 1000)} {
			name = fmt.Sprintf("%.20q, %s", garbage, name)
			flows, damage := tiles(t, name, in, r)
			if len(flows) != len(at)-1 || len(damage) != len(at) {
				t.Errorf("%s: %d flows and %d errors", name, len(flows), len(damage))
			}
			for i, d := range damage {
				if d.Length != int64(len(garbage)) {
					t.Errorf("%s: error %d: %v", name, i, d)
				}
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	if flows, damage := tiles(t, "empty", nil, strings.NewReader("")); len(flows)+len(damage) > 0 {
		t.Error("something came of nothing")
	}
}

// TestLinear reads what is made to be slow.
func TestLinear(t *testing.T) {
	const size = 4 << 20
	end := bytes.Repeat([]byte("0:~"), 1<<16)
	for name, in := range map[string][]byte{
		"huge lengths":    bytes.Repeat([]byte("999999999999:4:type;"), size/20),
		"fitting lengths": bytes.Repeat([]byte("1000000:4:type;0:~}"), size/19),
		"digits":          bytes.Repeat([]byte("1"), size),
		"colons":          bytes.Repeat([]byte("1:"), size/2),
		"many elements":   append(bytes.Repeat([]byte("196608:1:a;"), 1<<14), append(end, bytes.Repeat([]byte("}"), size/4)...)...),
		"many keys":       manyKeys(),
	} {
		for _, r := range []io.Reader{bytes.NewReader(in), oneByOne(in, 64<<10)} {
			start := time.Now()
			tiles(t, name, in, r)
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("%s: %v", name, d)
			}
		}
	}
}

// manyKeys returns old records with so many keys that it matters how they are looked up.
func manyKeys() (in []byte) {
	const n = 60_000
	i := era("7")
	h, w := handshake(i, "a"), socket(i, "a", "x")
	for _, d := range []*tnet{&h, &w, h.at("metadata"), w.at("metadata"), h.at("request"), h.at("client_conn")} {
		for j := range n {
			d.keys, d.in = append(d.keys, fmt.Sprint("k", j)), append(d.in, null())
		}
	}
	in = appendTnet(nil, h, w)
	for j := range n {
		h.keys, h.in = append(h.keys, fmt.Sprint("l", j)), append(h.in, null())
	}
	return appendTnet(in, h)
}

// TestDepth refuses metadata that nests without end.
func TestDepth(t *testing.T) {
	v := parseAll(t, load(t, dumpOf(t, 21)))[:1]
	deep := tnet{tag: '~'}
	for range 100 {
		deep = tnet{tag: ']', in: []tnet{deep}}
	}
	v[0].at("metadata").add("deep", deep)
	data := appendTnet(nil, v...)
	_, damage := tiles(t, "deep", data, bytes.NewReader(data))
	if len(damage) != 1 || !strings.Contains(damage[0].Error(), "nested too deep") {
		t.Errorf("%v", damage)
	}
}

// TestTenPlaces breaks ten of twenty-one records in as many ways: the others come out, and
// ten messages say where.
func TestTenPlaces(t *testing.T) {
	for _, version := range []string{"0.11", "0.18", "2.0", "7", "11", "12", "16", "17"} {
		i := era(version)
		var in []byte
		var want []string
		var at []int64
		good := 0
		add := func(b []byte) { in = append(in, b...) }
		broken := func(b []byte) {
			at = append(at, int64(len(in)))
			add(b)
		}
		sound := func() []byte {
			good++
			want = append(want, fmt.Sprint("good ", good))
			return recordBytes(record(i, want[good-1]), !since(i, "0.19"))
		}
		bad := func(change func(v *tnet)) []byte {
			v := record(i, "bad")
			change(&v)
			return recordBytes(v, !since(i, "0.19"))
		}
		whole := bad(func(*tnet) {})
		places := [][]byte{
			[]byte("\n"),          // somebody's editor
			whole[:len(whole)-40], // a copy that stopped
			whole[25:],            // one that began late
			bytes.Replace(whole, []byte("7:version"), []byte("7:vers\x00on"), 1), // a bit or more
			bad(func(v *tnet) { *v.at("type") = text("gopher") }),
			bad(func(v *tnet) { *v.at("version") = null() }),
			bad(func(v *tnet) { *v.at("request").at("headers") = list(list(raw("a"))) }),
			bad(func(v *tnet) { *v.at("response") = tnet{tag: '}', text: "3:abc"} }),
			append([]byte("99:"), whole[bytes.IndexByte(whole, ':')+1:]...), // a length that lies
			bytes.Repeat([]byte{0}, 1000),                                   // a disk that was full
		}
		add(sound())
		for _, p := range places {
			broken(p)
			add(sound())
		}
		if version == "7" {
			fixture(t, "v7-ten-places.mitm", in)
		}
		for name, r := range map[string]io.Reader{"memory": bytes.NewReader(in), "pipe": oneByOne(in, 333)} {
			name = version + ", " + name
			flows, damage := tiles(t, name, in, r)
			var got []string
			for _, f := range flows {
				got = append(got, f.ID())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
			if len(damage) != len(at) {
				t.Fatalf("%s: %d messages, want %d: %v", name, len(damage), len(at), damage)
			}
			for j, d := range damage {
				if d.Offset != at[j] || d.Length != int64(len(places[j])) || !strings.HasPrefix(d.Error(), fmt.Sprintf("byte %d: ", at[j])) {
					t.Errorf("%s: %v, want it at %d and of %d bytes", name, d, at[j], len(places[j]))
				}
			}
		}
	}
}

// smallFlows returns a flow of each kind.
func smallFlows() []*flowfile.Flow {
	l := new(flowfile.MessageLog)
	l.Append(flowfile.Msg{FromClient: true, Opcode: 1, Time: 1e18, Body: flowfile.StringBody("a")})
	m := flowfile.MessageHead{
		Version: "HTTP/1.1", Headers: []flowfile.Field{{Name: "a", Value: "b"}}, Body: flowfile.StringBody("{}"), Start: 1e18,
	}
	return []*flowfile.Flow{
		flowfile.New(flowfile.Head{
			ID: "1", Request: flowfile.NewRequest(flowfile.RequestHead{MessageHead: m, Method: "GET"}),
			Response: flowfile.NewResponse(flowfile.ResponseHead{MessageHead: m, Status: 200}), Messages: l,
			Metadata: flowfile.Map{{Key: "a", Value: flowfile.List{int64(1), nil}}}, Error: &flowfile.Error{Msg: "e"},
		}),
		flowfile.New(flowfile.Head{Kind: flowfile.TCP, Messages: l}),
		flowfile.New(flowfile.Head{Kind: flowfile.UDP, Messages: l}),
		flowfile.New(flowfile.Head{Kind: flowfile.DNS, DNSRequest: &flowfile.DNSMessage{
			Questions: []flowfile.DNSQuestion{{Name: "a", Type: 1, Class: 1}}, Answers: []flowfile.DNSRecord{{Name: "a", Data: "b"}},
		}}),
	}
}

func FuzzReader(f *testing.F) {
	for _, flow := range smallFlows() {
		data, _ := write(f, 0, flow)
		f.Add(data)
		data, _ = write(f, 17, flow)
		f.Add(data)
	}
	f.Add([]byte("57:4:type;4:http;7:version;2:21#7:request;0:~8:metadata;0:}}"))
	f.Add([]byte("999999999999:4:type;"))
	for i := range eras {
		f.Add(recordBytes(record(i, "id"), !since(i, "0.19")))
	}
	f.Add(conversations())
	f.Add([]byte("51:7:version,9:1:0#2:11#]4:type,4:http,7:request,0:}}"))
	f.Add([]byte("53:7:version;1:7#4:type;9:websocket;8:messages;4:0:]]]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		flows, _ := tiles(t, "fuzz", data, bytes.NewReader(data))
		if piped, _ := tiles(t, "fuzz pipe", data, oneByOne(data, 100)); len(piped) != len(flows) {
			t.Fatalf("%d flows through a pipe, %d without", len(piped), len(flows))
		}
		for _, f := range flows {
			f.Origin().Kept(f)
		}
		copied, _ := write(t, 0, flows...)
		if again, _ := tiles(t, "copy", copied, bytes.NewReader(copied)); len(again) != len(flows) {
			t.Fatalf("%d flows, %d in a copy", len(flows), len(again))
		}
		out, _ := write(t, 17, flows...)
		readAll(t, bytes.NewReader(out))
		for _, f := range flows {
			f.SetComment("x")
			if r := f.Request(); r != nil {
				r.Headers().Add("a", "b")
			}
		}
		out, lost := write(t, 0, flows...)
		if again, _ := tiles(t, "again", out, bytes.NewReader(out)); len(again) != len(flows)-int(lost.Flows) {
			t.Fatalf("%d flows, %d after an edit", len(flows), len(again))
		}
	})
}

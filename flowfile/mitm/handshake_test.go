package mitm_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
	"flowkit/flowfile/native"
)

// era returns the number of a version in eras.
func era(name string) int {
	for i, e := range eras {
		if e.name == name {
			return i
		}
	}
	panic("no version " + name)
}

// handshake returns the record of a WebSocket's handshake.
func handshake(i int, id string) tnet {
	v := record(i, id)
	*v.at("request").at("headers") = list(list(raw("Upgrade"), raw("websocket")), list(raw("Sec-WebSocket-Key"), raw("k")))
	v.at("request").put("content", raw(""))
	v.at("request").put("path", raw("/ws/"+id))
	v.at("request").drop("is_replay")
	v.put("is_replay", null())
	if !since(i, "9") {
		v.drop("is_replay")
	}
	p := v.at("response")
	p.put("status_code", num(101))
	p.put("reason", raw("Switching Protocols"))
	p.put("headers", list(list(raw("upgrade"), raw("WebSocket"))))
	p.put("content", raw("early data"))
	v.put("marked", yes(false))
	v.put("metadata", dict("websocket", yes(true), "websocket_flow", text("of "+id), "note", text("of the handshake")))
	v.at("client_conn").put("timestamp_end", null())
	return v
}

// socket returns the record of the WebSocket that belongs to a handshake.
func socket(i int, id string, messages ...string) tnet {
	v := record(i, "of "+id)
	v.drop("request", "response", "is_replay")
	v.put("type", text("websocket"))
	v.put("marked", yes(true))
	v.put("metadata", dict("websocket_handshake", text(id), "seen", yes(true)))
	var ms []tnet
	for j, m := range messages {
		ms = append(ms, list(num(1), yes(j%2 == 0), raw(m), secs(1400000004+float64(j)), yes(false)))
	}
	v.put("messages", list(ms...))
	v.put("close_sender", text("server"))
	v.put("close_code", num(1001))
	v.put("close_message", text("(message missing)"))
	v.put("close_reason", text("going away"))
	for _, k := range []string{"client_protocol", "client_extensions", "server_protocol", "server_extensions"} {
		v.put(k, null())
	}
	v.put("client_key", text("k"))
	v.put("server_accept", text("a"))
	return v
}

// stream returns the record of a TCP flow.
func stream(i int, id string) tnet {
	v := record(i, id)
	v.drop("request", "response", "is_replay")
	v.put("type", text("tcp"))
	v.put("messages", list(list(yes(true), raw("ping"), secs(1400000005.5)), list(yes(false), raw("pong"), secs(1400000006.5))))
	return v
}

// conversations returns a dump in which WebSockets overlap, one is without its handshake and
// one handshake without its WebSocket.
func conversations() []byte {
	i := era("7")
	return appendTnet(nil,
		record(i, "first"),
		handshake(i, "a"),
		handshake(i, "b"),
		stream(i, "tcp"),
		socket(i, "a", "hello", "world"),
		handshake(i, "open"),
		record(i, "last"),
		socket(i, "b"),
		socket(i, "lost", "who?"),
	)
}

// TestHandshake reads a dump with both records of WebSockets. It is meant to differ from
// mitmproxy 8.1.1 to 12 in this:
//
//   - There is one flow. mitmproxy gives the handshake too, as a flow with the same id, and
//     writes "duplicated" into the metadata of the other.
//   - Connections, error, mark and metadata are those of the WebSocket's record where it has
//     some, for it was written later. mitmproxy takes the handshake's alone.
//   - The WebSocket ended when its client's connection did. mitmproxy does not say.
//   - Metadata that tied the two together are gone. Where the handshake is missing its id
//     stays in the metadata; mitmproxy drops it.
func TestHandshake(t *testing.T) {
	data := conversations()
	path := fixture(t, "v7-websocket.mitm", data)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, r := range map[string]io.Reader{"file": file, "memory": bytes.NewReader(data), "pipe": oneByOne(data, 700)} {
		flows, damage := tiles(t, name, data, r)
		if len(damage) > 0 {
			t.Fatal(damage)
		}
		var order []string
		for _, f := range flows {
			order = append(order, f.ID())
		}
		if got, want := strings.Join(order, " "), "first tcp a last b of lost open"; got != want {
			t.Fatalf("%s: %s, want %s", name, got, want)
		}
		a := flows[2]
		if u := a.Request().URL(); u != "https://a.example:8443/ws/a" {
			t.Errorf("%s: %s", name, u)
		}
		if p := a.Response(); p.Status() != 101 || string(bodyBytes(t, p.Body())) != "early data" {
			t.Errorf("%s: response %d", name, p.Status())
		}
		if w := a.WebSocket(); w == nil || w.CloseCode != 1001 || w.CloseReason != "going away" || w.ClosedByClient == nil || *w.ClosedByClient ||
			w.End != flowfile.TimeFromSeconds(1400000009) {
			t.Errorf("%s: closed %+v", name, w)
		}
		var said []string
		for m, err := range a.Messages().All() {
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, fmt.Sprint(m.Opcode, m.FromClient, string(bodyBytes(t, m.Body)), m.Time.Seconds()))
		}
		if got := strings.Join(said, " "); got != "1 truehello1.400000004e+09 1 falseworld1.400000005e+09" {
			t.Errorf("%s: said %s", name, got)
		}
		if a.Marked() != ":default:" || a.Client().End == 0 || a.Replay() != "" {
			t.Errorf("%s: marked %q, replay %q, end %v", name, a.Marked(), a.Replay(), a.Client().End)
		}
		if got := fmt.Sprint(a.Metadata()); !strings.Contains(got, "of the handshake") || !strings.Contains(got, "seen") || strings.Contains(got, "websocket") {
			t.Errorf("%s: metadata %s", name, got)
		}
		if n := flows[4].Messages().Len(); n != 0 || flows[4].WebSocket() == nil {
			t.Errorf("%s: %d messages", name, n)
		}
		if lost := flows[5]; lost.Request().URL() != "http://unknown/" || lost.Response() != nil || lost.Messages().Len() != 1 {
			t.Errorf("%s: %s", name, lost.Request().URL())
		}
		if open := flows[6]; open.WebSocket() != nil || open.Response().Status() != 101 {
			t.Errorf("%s: a WebSocket came of a handshake", name)
		}
	}
}

// TestHandshakeWrite: both records of a flow that was not changed are written as they stand;
// a changed one becomes one record.
func TestHandshakeWrite(t *testing.T) {
	i := era("7")
	ha, hb, wa, wb, x := handshake(i, "a"), handshake(i, "b"), socket(i, "a", "hello", "world"), socket(i, "b"), record(i, "x")
	data := appendTnet(nil, ha, x, hb, wa, wb)
	want := appendTnet(nil, x, ha, wa, hb, wb)
	flows := readAll(t, bytes.NewReader(data))
	if got, lost := write(t, 0, flows...); !bytes.Equal(got, want) || lost != (mitm.Lost{}) {
		t.Errorf("the copy is\n%.300q, want\n%.300q (%+v)", got, want, lost)
	}
	if again := readAll(t, bytes.NewReader(want)); len(again) != 3 {
		t.Errorf("%d flows in the copy", len(again))
	}
	for j, f := range flows {
		flows[j] = kept(f, f.Origin().Kept(f))
	}
	if got, _ := write(t, 0, flows...); !bytes.Equal(got, want) {
		t.Error("what was given back differs")
	}
	through := throughNative(t, readAll(t, bytes.NewReader(data)))
	if got, _ := write(t, 0, through...); !bytes.Equal(got, want) {
		t.Error("what a native file gives back differs")
	}
	flows = readAll(t, bytes.NewReader(data))
	flows[1].SetComment("changed")
	out, lost := write(t, 0, flows...)
	vs := parseAll(t, out)
	if lost != (mitm.Lost{Updated: 1}) || len(vs) != 4 || vs[1].get("version").text != "17" || len(vs[1].get("websocket", "messages").in) != 2 {
		t.Errorf("lost %+v; %d records", lost, len(vs))
	}
	flows = readAll(t, bytes.NewReader(data))
	out, lost = write(t, 18, flows...)
	again := readAll(t, bytes.NewReader(out))
	if lost != (mitm.Lost{}) || len(again) != 3 || string(bodyBytes(t, again[1].Response().Body())) != "early data" {
		t.Errorf("lost %+v; %d flows", lost, len(again))
	}
	for j := range again {
		compareFlows(t, fmt.Sprint("flow ", j), again[j], flows[j])
	}
}

// throughNative writes flows into a native file and reads them back.
func throughNative(t *testing.T, flows []*flowfile.Flow) (out []*flowfile.Flow) {
	t.Helper()
	var buf bytes.Buffer
	w := native.NewWriter(&buf, native.WriterOptions{})
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for f, err := range flowfile.Flows(native.NewReader(&buf, native.ReaderOptions{Need: flowfile.NeedMessages | flowfile.NeedBodies})) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// TestHandshakeLongMessages: what is kept of a long conversation is without its messages.
func TestHandshakeLongMessages(t *testing.T) {
	i := era("11")
	var said []string
	for j := range 3000 {
		said = append(said, strings.Repeat("m", j%100))
	}
	data := appendTnet(nil, handshake(i, "a"), socket(i, "a", said...))
	f := readAll(t, bytes.NewReader(data))[0]
	k := f.Origin().Kept(f)
	if len(k.Head) > len(data)-100_000 {
		t.Errorf("kept %d of %d bytes", len(k.Head), len(data))
	}
	if got, _ := write(t, 0, kept(f, k)); !bytes.Equal(got, data) {
		t.Error("what was given back differs")
	}
	if got, _ := write(t, 0, throughNative(t, readAll(t, bytes.NewReader(data)))...); !bytes.Equal(got, data) {
		t.Error("what a native file gives back differs")
	}
}

// TestHandshakesHeld: no more than so many are held, the oldest is let go first.
func TestHandshakesHeld(t *testing.T) {
	i := era("6")
	const n = 1024
	var data []byte
	for j := range n + 2 {
		data = appendTnet(data, handshake(i, fmt.Sprint(j)))
	}
	data = appendTnet(data, socket(i, "0", "too late"), socket(i, "2", "in time"))
	for name, r := range map[string]io.Reader{"memory": bytes.NewReader(data), "pipe": oneByOne(data, 50_000)} {
		flows, _ := tiles(t, name, data, r)
		var order []string
		for _, f := range flows {
			order = append(order, f.ID())
		}
		if got, want := strings.Join(order[:5], " "), "0 1 of 0 2 3"; got != want || len(flows) != n+3 {
			t.Errorf("%s: %d flows: %s …, want %s", name, len(flows), got, want)
		}
	}
	big := handshake(i, "big")
	big.at("response").put("content", raw(strings.Repeat("b", 9<<20)))
	data = appendTnet(nil, handshake(i, "small"), big, socket(i, "small", "x"), socket(i, "big", "x"))
	flows, _ := tiles(t, "big", data, oneByOne(data, 1<<20))
	if len(flows) < 2 || flows[0].ID() != "small" && flows[0].WebSocket() == nil {
		t.Errorf("%d flows", len(flows))
	}
}

// TestHandshakeBroken: a handshake whose WebSocket is broken still comes out.
func TestHandshakeBroken(t *testing.T) {
	i := era("7")
	w := socket(i, "a", "x")
	*w.at("messages") = list(num(1))
	data := appendTnet(nil, handshake(i, "a"), w, record(i, "x"))
	flows, damage := tiles(t, "broken", data, bytes.NewReader(data))
	if len(flows) != 2 || len(damage) != 1 || flows[1].ID() != "a" || flows[1].Response().Status() != 101 {
		t.Errorf("%d flows, %v", len(flows), damage)
	}
	// And before an error that ends the input.
	r := io.MultiReader(bytes.NewReader(appendTnet(nil, handshake(i, "a"), record(i, "x"))), iotest.ErrReader(io.ErrClosedPipe))
	var ids []string
	var last error
	for f, err := range flowfile.Flows(mitm.NewReader(r, mitm.ReaderOptions{})) {
		if last = err; err == nil {
			ids = append(ids, f.ID())
		}
	}
	if got := strings.Join(ids, " "); got != "x a" || last == nil {
		t.Errorf("%s, %v", got, last)
	}
}

package mitm

import (
	"bytes"
	"slices"
	"strings"

	"flowkit/flowfile"
)

// Up to version 11 a WebSocket was a record of its own, written when it was closed; that of
// its handshake was written before it, when the response came. The two are one flow. So a
// handshake is held back until its WebSocket comes or the input ends, and the flow stands
// in the place of the WebSocket.

// Limits of what is held; beyond them the oldest is let go.
const (
	heldFlows = 1024
	heldBytes = 8 << 20 // in memory
)

// handshakes are those that are held, oldest first. The zero value is ready.
type handshakes struct {
	flows []*flowfile.Flow
	bytes int
}

// isHandshake tells whether the WebSocket of f may be in another record.
func isHandshake(f *flowfile.Flow) bool {
	r, p := f.Origin().(*Record), f.Response()
	if r.version >= 12 || p == nil || p.Status() != 101 || f.WebSocket() != nil || f.ID() == "" {
		return false
	}
	return upgrades(p.Headers()) || f.Request() != nil && upgrades(f.Request().Headers())
}

func upgrades(h *flowfile.Headers) bool {
	return strings.EqualFold(h.Get("Upgrade"), "websocket")
}

// add holds f and returns what is let go for it.
func (h *handshakes) add(f *flowfile.Flow) []*flowfile.Flow {
	h.flows = append(h.flows, f)
	h.bytes += inMemory(f)
	n := 0
	for len(h.flows)-n > heldFlows || h.bytes > heldBytes {
		h.bytes -= inMemory(h.flows[n])
		n++
	}
	let := slices.Clone(h.flows[:n])
	h.flows = slices.Delete(h.flows, 0, n)
	return let
}

// take returns the flow of an id, of several the last, and holds it no longer; nil if there
// is none.
func (h *handshakes) take(id string) *flowfile.Flow {
	i := len(h.flows) - 1
	for i >= 0 && h.flows[i].ID() != id {
		i--
	}
	if i < 0 {
		return nil
	}
	f := h.flows[i]
	h.flows = slices.Delete(h.flows, i, i+1)
	h.bytes -= inMemory(f)
	return f
}

// putBack holds f again, as one of the oldest.
func (h *handshakes) putBack(f *flowfile.Flow) {
	h.flows = slices.Insert(h.flows, 0, f)
	h.bytes += inMemory(f)
}

// all returns all that are held and holds them no longer.
func (h *handshakes) all() []*flowfile.Flow {
	all := h.flows
	*h = handshakes{}
	return all
}

// inMemory returns about what f takes: its head, and its record if that is not mapped.
func inMemory(f *flowfile.Flow) int {
	r := f.Origin().(*Record)
	n := r.n - r.bodies[0].n - r.bodies[1].n
	if !r.chunk.mapped {
		n += r.n
	}
	return n
}

// detached returns f with a record of its own, so that it does not keep the chunk with
// what was read before and behind it.
func (p *parser) detached(f *flowfile.Flow) *flowfile.Flow {
	r := f.Origin().(*Record)
	if r.chunk.mapped || r.n == len(r.chunk.data) {
		return f
	}
	d, err := p.record(&chunk{data: bytes.Clone(r.bytes()), base: r.Offset()}, 0, r.n)
	if err != nil {
		return f // never: it was read before
	}
	return d
}

// handshakeID returns the id of the handshake's flow, "" if the record does not say.
func (o *old) handshakeID() string {
	e := o.open("metadata").get("websocket_handshake")
	return e.text()
}

// fold returns the record of the handshake with what the record of a WebSocket says, at the
// version before the two became one. Without a handshake, that is a record with a request
// of which nothing is known.
func (o *old) fold(handshake *flowfile.Flow) (*old, error) {
	if err := o.climb(rungFold); err != nil || handshake == nil {
		return o, err
	}
	r := handshake.Origin().(*Record)
	b := r.bytes()
	it, _, _ := next(b, 0, len(b))
	var t top
	if err := t.parse(b, it); err != nil {
		return nil, err
	}
	_, rung, err := versionOf(b, t.version)
	if err != nil {
		return nil, err
	}
	h, err := newOld(r, it, rung)
	if err != nil {
		return nil, err
	}
	if err := h.climb(rungFold); err != nil {
		return nil, err
	}
	h.addWebSocket(o)
	h.fail(o.err)
	return h, h.err
}

// addWebSocket makes the record of a handshake that of its WebSocket too.
func (o *old) addWebSocket(w *old) {
	o.set("websocket", w.webSocket())
	o.messages = w.take("messages")
	// Connections were closed in between, and the user may have marked the WebSocket.
	for _, key := range []string{"client_conn", "server_conn", "error"} {
		if e := w.take(key); !e.null() {
			o.set(key, e)
		}
	}
	for _, key := range []string{"marked", "intercepted"} {
		if e := w.take(key); e.isTrue() {
			o.set(key, e)
		}
	}
	w.open("metadata").drop("websocket_handshake")
	o.open("metadata").drop("websocket_flow", "websocket")
	if m := w.take("metadata"); o.open("metadata") == nil {
		o.set("metadata", m)
	} else if m.in != nil {
		o.open("metadata").merge(m.in, true)
	}
	w.drop("id", "type", "version", "mode", "is_replay")
	o.merge(&w.dict, false) // what nobody knows
}

// webSocket takes the keys of a WebSocket from the record and returns the dictionary that
// they became.
func (o *old) webSocket() elem {
	d, e := o.dictElement()
	switch sender := o.take("close_sender"); sender.text() {
	case "client":
		d.set("closed_by_client", trueElement)
	case "server":
		d.set("closed_by_client", falseElement)
	}
	for _, key := range []string{"close_code", "close_reason"} {
		d.set(key, o.take(key))
	}
	d.set("timestamp_end", o.client().get("timestamp_end"))
	o.drop("close_message", "client_key", "client_protocol", "client_extensions",
		"server_accept", "server_protocol", "server_extensions")
	return e
}

// webSocketOfFlow is the step to 12: the WebSocket is part of the flow of its handshake,
// here of one that is not there.
func webSocketOfFlow(o *old) {
	if !o.isWebSocket() {
		return
	}
	o.set("websocket", o.webSocket())
	o.messages = o.take("messages")
	o.set("type", textElement("http"))
	request, e := o.dictElement()
	for _, x := range []entry{
		{"http_version", bytesElement("HTTP/1.1")},
		{"headers", elem{tag: ']'}},
		{"method", bytesElement("GET")},
		{"scheme", bytesElement("http")},
		{"host", textElement("unknown")},
		{"port", elem{tag: '#', payload: "80"}},
		{"authority", bytesElement("")},
		{"path", bytesElement("/")},
	} {
		request.set(x.key, x.elem)
	}
	o.set("request", e)
}

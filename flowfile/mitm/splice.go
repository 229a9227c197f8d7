package mitm

import (
	"bytes"
	"slices"

	"flowkit/flowfile"
)

// The keys that a part of a flow is stored in.
var (
	flowParts = []partKey{
		{flowfile.PartID, "id"},
		{flowfile.PartCreated, "timestamp_created"},
		{flowfile.PartError, "error"},
		{flowfile.PartIntercepted, "intercepted"},
		{flowfile.PartReplay, "is_replay"},
		{flowfile.PartMarked, "marked"},
		{flowfile.PartComment, "comment"},
		{flowfile.PartMetadata, "metadata"},
	}
	messageParts = []partKey{
		{flowfile.PartVersion, "http_version"},
		{flowfile.PartHeaders, "headers"},
		{flowfile.PartTrailers, "trailers"},
		{flowfile.PartBody, "content"},
		{flowfile.PartStart, "timestamp_start"},
		{flowfile.PartEnd, "timestamp_end"},
		{flowfile.PartMethod, "method"},
		{flowfile.PartScheme, "scheme"},
		{flowfile.PartHost, "host"},
		{flowfile.PartPort, "port"},
		{flowfile.PartAuthority, "authority"},
		{flowfile.PartPath, "path"},
		{flowfile.PartStatus, "status_code"},
		{flowfile.PartReason, "reason"},
	}
	webSocketKeys = []string{"closed_by_client", "close_code", "close_reason", "timestamp_end"}
)

type partKey struct {
	part flowfile.Parts
	key  string
}

// keysOf returns the keys of the parts in changed.
func keysOf(keys []string, table []partKey, changed flowfile.Parts) []string {
	for _, p := range table {
		if changed.Has(p.part) {
			keys = append(keys, p.key)
		}
	}
	return keys
}

// splice writes the record k with the changed parts of f in their places; all else is
// as it was, but for the lengths of what encloses a change.
func (e *encoder) splice(f *flowfile.Flow, k *skeleton, changed flowfile.Parts) error {
	if changed == 0 {
		e.part(k, f, 0, len(k.head))
		return e.err
	}
	it, err := k.top()
	if err != nil {
		return err
	}
	keys := keysOf(nil, flowParts, changed)
	if changed.Has(flowfile.PartClient) {
		keys = append(keys, "client_conn")
	}
	if changed.Has(flowfile.PartServer) {
		keys = append(keys, "server_conn")
	}
	keys = append(keys, specialKeys(f, changed)...)
	e.dictionaryOf(k, f, it, keys, func(key string, v *item) {
		switch key {
		case "client_conn":
			e.spliceConn(k, f, v, f.Client(), false)
		case "server_conn":
			e.spliceConn(k, f, v, f.Server(), true)
		case "request", "response", "websocket":
			e.spliceSpecial(key, k, f, v, changed)
		default:
			e.field(key, f, nil)
		}
		e.key(key)
	})
	return e.err
}

// spliceHeaders is splice for a change of headers alone, the most frequent one, which
// needs no second look at the record. It is false if it is not known where they are.
func (e *encoder) spliceHeaders(f *flowfile.Flow, r *Record, changed flowfile.Parts) bool {
	parts := [2]flowfile.Parts{changed.OfRequest(), changed.OfResponse()}
	if changed&0xffff != 0 || (parts[0]|parts[1]) != flowfile.PartHeaders || r.twice {
		return false
	}
	for i, p := range parts {
		if p != 0 && (r.places[i].message.e == 0 || r.places[i].headers.e == 0) {
			return false
		}
	}
	b := r.bytes()
	order := [2]int{flowfile.BodyResponse, flowfile.BodyRequest}
	if r.places[0].message.s > r.places[1].message.s {
		order = [2]int{flowfile.BodyRequest, flowfile.BodyResponse}
	}
	to := len(b) - 1
	record := e.begin('}')
	for _, i := range order {
		if parts[i] == 0 {
			continue
		}
		var key string
		var headers *flowfile.Headers
		if i == flowfile.BodyRequest {
			key, headers = "request", f.Request().Headers()
		} else {
			key, headers = "response", f.Response().Headers()
		}
		p := r.places[i]
		e.stretchRaw(b[p.message.e+1 : to])
		message := e.begin('}')
		e.stretchRaw(b[p.headers.e+1 : p.message.e])
		e.headers(headers)
		e.key("headers")
		e.stretchRaw(b[p.message.s:pairStart(b, "headers", p.headers)])
		e.end(message)
		e.key(key)
		to = pairStart(b, key, p.message)
	}
	e.stretchRaw(b[prefix(b):to])
	e.end(record)
	return true
}

// specialKeys returns the keys that hold what a kind of flow has besides, if changed.
func specialKeys(f *flowfile.Flow, changed flowfile.Parts) []string {
	var keys []string
	switch f.Kind() {
	case flowfile.HTTP:
		if changed.Has(flowfile.PartRequest) || changed.OfRequest() != 0 {
			keys = append(keys, "request")
		}
		if changed.Has(flowfile.PartResponse) || changed.OfResponse() != 0 {
			keys = append(keys, "response")
		}
		if changed&(flowfile.PartWebSocket|flowfile.PartMessages) != 0 {
			keys = append(keys, "websocket")
		}
	case flowfile.DNS:
		if changed.Has(flowfile.PartDNSRequest) {
			keys = append(keys, "request")
		}
		if changed.Has(flowfile.PartDNSResponse) {
			keys = append(keys, "response")
		}
	default:
		if changed.Has(flowfile.PartMessages) {
			keys = append(keys, "messages")
		}
	}
	return keys
}

// dictionaryOf writes the dictionary it of k, in which put writes value and key of those
// in keys; it is told the old value, nil if there is none.
func (e *encoder) dictionaryOf(k *skeleton, f *flowfile.Flow, it item, keys []string, put func(key string, old *item)) {
	n := len(e.fields)
	all, err := k.fields(e.fields, it)
	if err != nil {
		e.fail(err)
		return
	}
	fs := all[n:]
	e.fields = all
	defer func() { e.fields = e.fields[:n] }()
	mark := e.begin('}')
	for i := len(fs) - 1; i >= 0; i-- {
		if !slices.Contains(keys, fs[i].key) {
			// Neighbours that stay are one stretch.
			first := i
			for first > 0 && !slices.Contains(keys, fs[first-1].key) {
				first--
			}
			e.part(k, f, fs[first].start, fs[i].end)
			i = first
			continue
		}
		put(fs[i].key, &fs[i].value)
	}
	for _, key := range keys {
		if !slices.ContainsFunc(fs, func(x field) bool { return x.key == key }) {
			put(key, nil)
		}
	}
	e.end(mark)
}

// spliceSpecial writes a value that has parts of its own.
func (e *encoder) spliceSpecial(key string, k *skeleton, f *flowfile.Flow, v *item, changed flowfile.Parts) {
	inside := v != nil && v.tag == '}' && f.Kind() == flowfile.HTTP
	switch {
	case inside && key == "websocket" && f.WebSocket() != nil:
		e.spliceWebSocket(k, f, v, changed)
	case !inside || key == "websocket",
		key == "request" && (changed.Has(flowfile.PartRequest) || f.Request() == nil),
		key == "response" && (changed.Has(flowfile.PartResponse) || f.Response() == nil):
		e.special(key, f)
	case key == "request":
		e.dictionaryOf(k, f, *v, keysOf(nil, messageParts, changed.OfRequest()), func(key string, _ *item) {
			e.requestField(key, f.Request(), f.Created())
			e.key(key)
		})
	default:
		started := responseStart(f)
		e.dictionaryOf(k, f, *v, keysOf(nil, messageParts, changed.OfResponse()), func(key string, _ *item) {
			e.responseField(key, f.Response(), started)
			e.key(key)
		})
	}
}

func (e *encoder) spliceWebSocket(k *skeleton, f *flowfile.Flow, v *item, changed flowfile.Parts) {
	var keys []string
	if changed.Has(flowfile.PartMessages) {
		keys = append(keys, "messages")
	}
	if changed.Has(flowfile.PartWebSocket) {
		keys = append(keys, webSocketKeys...)
	}
	e.dictionaryOf(k, f, *v, keys, func(key string, _ *item) {
		if key == "messages" {
			e.messages(f, true)
		} else {
			e.websocketField(key, f.WebSocket())
		}
		e.key(key)
	})
}

// spliceConn writes the connection v of k with the fields in which c differs from it.
func (e *encoder) spliceConn(k *skeleton, f *flowfile.Flow, v *item, c *flowfile.Conn, server bool) {
	if v == nil || v.tag != '}' || c == nil {
		e.conn(c, server)
		return
	}
	old, _, err := parseConn(k.head[v.s:v.e], e.version, server)
	if err != nil {
		e.conn(c, server)
		return
	}
	e.connLost(c)
	var keys []string
	was, is := encoder{version: e.version}, encoder{version: e.version}
	for _, key := range connKeys(e.version, server) {
		was.reset(e.version)
		was.connField(key, old, server)
		is.reset(e.version)
		is.connField(key, c, server)
		if !bytes.Equal(was.bytes(), is.bytes()) {
			keys = append(keys, key)
		}
	}
	e.dictionaryOf(k, f, *v, keys, func(key string, _ *item) {
		e.connField(key, c, server)
		e.key(key)
	})
}

// convert writes the record r of f in e.version. What has the same form in all versions
// and was not changed is taken as it is.
func (e *encoder) convert(f *flowfile.Flow, r *Record) error {
	e.converting = true
	k := r.skeleton()
	it, err := k.top()
	if err != nil {
		return err
	}
	fs, err := k.fields(nil, it)
	if err != nil {
		return err
	}
	changed := f.Changed()
	touched := append(keysOf(nil, flowParts, changed), specialKeys(f, changed)...)
	return e.flowFrom(f, r, func(key string) bool {
		switch key {
		case "error", "messages":
		case "metadata":
			if e.version < 19 { // must be JSON
				return false
			}
		case "request", "response", "websocket":
			if r.inner > 0 { // unknown keys must go
				return false
			}
		default:
			return false
		}
		i := slices.IndexFunc(fs, func(x field) bool { return x.key == key })
		if i < 0 || slices.Contains(touched, key) {
			return false
		}
		v := fs[i].value
		e.stretch(k.head[v.s:v.e], v.tag)
		return true
	})
}

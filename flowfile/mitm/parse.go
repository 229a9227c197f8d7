package mitm

import (
	"errors"

	"flowkit/flowfile"
)

// node is a flow with all that belongs to it, one allocation.
type node struct {
	flow     flowfile.Flow
	request  flowfile.Request
	response flowfile.Response
	record   Record
	bodies   [2]mapped
}

// parser turns records into flows.
type parser struct {
	conns connCache
	// fields collects the headers of one record before they are given their own array.
	fields []flowfile.Field
	held   handshakes
}

// top are the elements of a record.
type top struct {
	id, kind, version, err, client, server item
	intercepted, replay, marked, metadata  item
	comment, created, backup               item
	request, response, websocket, messages item
	unknown                                int
	twice                                  bool // request or response
}

// record parses c.data[off:off+n], which is a complete element.
func (p *parser) record(c *chunk, off, n int) (*flowfile.Flow, error) {
	b := c.data[off : off+n : off+n]
	it, after, ok := next(b, 0, n)
	if !ok || after != n || it.tag != '}' {
		return nil, errors.New("no record")
	}
	var t top
	if err := t.parse(b, it); err != nil {
		return nil, err
	}
	version, rung, err := versionOf(b, t.version)
	if err != nil {
		return nil, err
	}
	x := &node{record: Record{chunk: c, off: off, n: n, version: version}}
	if version < minVersion {
		return p.old(x, it, rung, t.backup)
	}
	return p.flow(x, b, &t, nil)
}

// flow makes a flow of the elements t of b: the record of x, or what o has become.
func (p *parser) flow(x *node, b []byte, t *top, o *old) (*flowfile.Flow, error) {
	version, mapped := x.record.version, x.record.chunk.mapped
	if o != nil {
		version, mapped = minVersion, false
	}
	kind, ok := flowfile.ParseKind(text(b, t.kind))
	if !ok {
		if t.kind.tag == 0 {
			return nil, errors.New("no flow type")
		}
		return nil, errors.New("unknown flow type " + quote(text(b, t.kind)))
	}
	x.record.unknown, x.record.twice = t.unknown, t.twice
	var err error
	h := flowfile.Head{
		ID: text(b, t.id), Kind: kind, Created: moment(b, t.created),
		Intercepted: boolean(b, t.intercepted), Replay: text(b, t.replay),
		Marked: marked(b, t.marked), Comment: text(b, t.comment), Origin: &x.record,
	}
	x.record.backup = span{t.backup.s, t.backup.e - t.backup.s}
	if t.backup.tag != '}' {
		x.record.backup = span{}
	}
	if h.Error, err = p.error(b, t.err); err != nil {
		return nil, err
	}
	if t.metadata.tag == '}' && t.metadata.s < t.metadata.e {
		if h.Metadata, err = dictionary(b, t.metadata, 0); err != nil {
			return nil, err
		}
	}
	if t.client.tag == '}' {
		if x.record.client, err = p.conns.get(b, t.client, version, false, mapped); err != nil {
			return nil, err
		}
	}
	if t.server.tag == '}' {
		if x.record.server, err = p.conns.get(b, t.server, version, true, mapped); err != nil {
			return nil, err
		}
	}
	h.Conns = (*conns)(&x.record)
	switch kind {
	case flowfile.HTTP:
		err = p.http(x, b, t, &h)
	case flowfile.DNS:
		h.DNSRequest, err = parseDNS(b, t.request, &x.record)
		if err == nil {
			h.DNSResponse, err = parseDNS(b, t.response, &x.record)
		}
	default:
		h.Messages, err = messages(b, t.messages, false, &x.record)
	}
	if err == nil && o != nil {
		err = o.attach(x, &h)
	}
	if err != nil {
		return nil, err
	}
	x.flow.Init(h)
	return &x.flow, nil
}

// messages returns nil for a list that is not there.
func messages(b []byte, it item, websocket bool, r *Record) (flowfile.MessageSource, error) {
	if it.tag == 0 {
		return nil, nil
	}
	l, err := parseMessages(b, it, websocket)
	if err != nil {
		return nil, err
	}
	r.messages, r.websocket = span{it.s, it.e - it.s}, websocket
	return l, nil
}

func (t *top) parse(b []byte, it item) error {
	for i := it.s; i < it.e; {
		k, v, after, ok := pair(b, i, it.e)
		if !ok {
			return badElement(i)
		}
		i = after
		switch string(b[k.s:k.e]) {
		case "id":
			t.id = v
		case "type":
			t.kind = v
		case "version":
			t.version = v
		case "error":
			t.err = v
		case "client_conn":
			t.client = v
		case "server_conn":
			t.server = v
		case "intercepted":
			t.intercepted = v
		case "is_replay":
			t.replay = v
		case "marked":
			t.marked = v
		case "metadata":
			t.metadata = v
		case "comment":
			t.comment = v
		case "timestamp_created":
			t.created = v
		case "backup":
			t.backup = v
		case "request":
			t.twice = t.twice || t.request.tag != 0
			t.request = v
		case "response":
			t.twice = t.twice || t.response.tag != 0
			t.response = v
		case "websocket":
			t.websocket = v
		case "messages":
			t.messages = v
		default:
			t.unknown++
		}
	}
	return nil
}

// marked was a boolean once; mitmproxy made it ":default:".
func marked(b []byte, it item) string {
	if it.tag == '!' && boolean(b, it) {
		return ":default:"
	}
	return text(b, it)
}

func (p *parser) error(b []byte, it item) (*flowfile.Error, error) {
	if it.tag != '}' {
		return nil, nil
	}
	e := new(flowfile.Error)
	for i := it.s; i < it.e; {
		k, v, after, ok := pair(b, i, it.e)
		if !ok {
			return nil, badElement(i)
		}
		i = after
		switch string(b[k.s:k.e]) {
		case "msg":
			e.Msg = text(b, v)
		case "timestamp":
			e.Time = moment(b, v)
		}
	}
	return e, nil
}

// http parses what an HTTP flow has besides.
func (p *parser) http(x *node, b []byte, t *top, h *flowfile.Head) error {
	p.fields = p.fields[:0]
	var req flowfile.RequestHead
	var resp flowfile.ResponseHead
	var hs [4]fieldRange // headers and trailers of the request, of the response
	if t.request.tag == '}' {
		x.record.note(&x.record.places[flowfile.BodyRequest].message, t.request)
		if err := p.request(x, b, t.request, &req, &hs); err != nil {
			return err
		}
	} else if t.request.tag != '~' && t.request.tag != 0 {
		return &syntaxError{t.request.s, "request is no dictionary"}
	}
	if t.response.tag == '}' {
		x.record.note(&x.record.places[flowfile.BodyResponse].message, t.response)
		if err := p.response(x, b, t.response, &resp, &hs); err != nil {
			return err
		}
	} else if t.response.tag != '~' && t.response.tag != 0 {
		return &syntaxError{t.response.s, "response is no dictionary"}
	}
	all := append([]flowfile.Field(nil), p.fields...)
	if t.request.tag == '}' {
		req.Headers, req.Trailers = hs[0].of(all), hs[1].trailers(all)
		x.request.Init(req)
		h.Request = &x.request
	}
	if t.response.tag == '}' {
		resp.Headers, resp.Trailers = hs[2].of(all), hs[3].trailers(all)
		x.response.Init(resp)
		h.Response = &x.response
	}
	if t.websocket.tag == '}' {
		return p.websocket(x, b, t.websocket, h)
	}
	return nil
}

// fieldRange is a part of parser.fields.
type fieldRange struct {
	from, to int
	there    bool
}

func (r fieldRange) of(all []flowfile.Field) []flowfile.Field { return all[r.from:r.to:r.to] }

func (r fieldRange) trailers(all []flowfile.Field) *flowfile.Headers {
	if !r.there {
		return nil
	}
	h := flowfile.NewHeaders(r.of(all))
	return &h
}

func (p *parser) request(x *node, b []byte, it item, h *flowfile.RequestHead, hs *[4]fieldRange) error {
	for i := it.s; i < it.e; {
		k, v, after, ok := pair(b, i, it.e)
		if !ok {
			return badElement(i)
		}
		i = after
		switch string(b[k.s:k.e]) {
		case "method":
			h.Method = text(b, v)
		case "scheme":
			h.Scheme = text(b, v)
		case "host":
			h.Host = text(b, v)
		case "port":
			h.Port = int(number(b, v))
		case "authority":
			h.Authority = text(b, v)
		case "path":
			h.Path = text(b, v)
		default:
			if err := p.message(x, b, k, v, &h.MessageHead, hs[:2], flowfile.BodyRequest); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parser) response(x *node, b []byte, it item, h *flowfile.ResponseHead, hs *[4]fieldRange) error {
	for i := it.s; i < it.e; {
		k, v, after, ok := pair(b, i, it.e)
		if !ok {
			return badElement(i)
		}
		i = after
		switch string(b[k.s:k.e]) {
		case "status_code":
			h.Status = int(number(b, v))
		case "reason":
			h.Reason = text(b, v)
		default:
			if err := p.message(x, b, k, v, &h.MessageHead, hs[2:], flowfile.BodyResponse); err != nil {
				return err
			}
		}
	}
	return nil
}

// message reads a key that requests and responses share.
func (p *parser) message(x *node, b []byte, k, v item, h *flowfile.MessageHead, hs []fieldRange, part int) error {
	switch string(b[k.s:k.e]) {
	case "http_version":
		h.Version = text(b, v)
	case "headers":
		x.record.note(&x.record.places[part].headers, v)
		return p.headers(b, v, &hs[0])
	case "trailers":
		return p.headers(b, v, &hs[1])
	case "timestamp_start":
		h.Start = moment(b, v)
	case "timestamp_end":
		h.End = moment(b, v)
	case "content":
		h.Body = x.body(&x.record, v, part)
	default:
		x.record.inner++
	}
	return nil
}

// body returns the body that v is in r; null is absent.
func (x *node) body(r *Record, v item, part int) flowfile.Body {
	if v.tag != ',' && v.tag != ';' {
		return flowfile.Body{}
	}
	x.record.bodies[part] = span{v.s, v.e - v.s}
	switch {
	case v.s == v.e:
		return flowfile.StringBody("")
	case r.chunk.name == "":
		return flowfile.BytesBody(r.chunk.data[r.off+v.s : r.off+v.e : r.off+v.e])
	}
	x.bodies[part] = mapped{r.chunk, r.off + v.s, v.e - v.s}
	return flowfile.ContentBody(&x.bodies[part])
}

// headers reads a list of [name, value]; null is none.
func (p *parser) headers(b []byte, it item, r *fieldRange) error {
	if it.tag != ']' {
		return nil
	}
	*r = fieldRange{from: len(p.fields), there: true}
	for i := it.s; i < it.e; {
		l, after, ok := next(b, i, it.e)
		if !ok || l.tag != ']' {
			return &syntaxError{i, "broken header"}
		}
		k, v, end, ok := pair(b, l.s, l.e)
		if !ok || end != l.e {
			return &syntaxError{i, "broken header"}
		}
		p.fields = append(p.fields, flowfile.Field{Name: text(b, k), Value: text(b, v)})
		i = after
	}
	r.to = len(p.fields)
	return nil
}

func (p *parser) websocket(x *node, b []byte, it item, h *flowfile.Head) error {
	w := new(flowfile.WebSocket)
	for i := it.s; i < it.e; {
		k, v, after, ok := pair(b, i, it.e)
		if !ok {
			return badElement(i)
		}
		i = after
		switch string(b[k.s:k.e]) {
		case "messages":
			var err error
			if h.Messages, err = messages(b, v, true, &x.record); err != nil {
				return err
			}
		case "closed_by_client":
			if v.tag == '!' {
				c := boolean(b, v)
				w.ClosedByClient = &c
			}
		case "close_code":
			w.CloseCode = int(number(b, v))
		case "close_reason":
			w.CloseReason = text(b, v)
		case "timestamp_end":
			w.End = moment(b, v)
		default:
			x.record.inner++
		}
	}
	h.WebSocket = w
	return nil
}

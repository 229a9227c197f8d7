package har

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// Format is the name of the format, as in flowfile.Kept.
const Format = "har"

// convert turns an entry into a flow, and marks in it where bodies belong.
func (r *Reader) convert(index int, v value) (*entry, error) {
	if !v.is(object) {
		return nil, errors.New("an object is wanted")
	}
	q := v.get("request")
	if !q.is(object) {
		return nil, errors.New("it has no request")
	}
	e := &entry{index: index, value: v, pageref: v.get("pageref").str()}
	t := phases(&v)
	h := flowfile.Head{
		Created: t.start, Comment: v.get("comment").str(), Marked: v.get("_marked").str(),
		Error: failure(&v, t),
	}
	request := readRequest(q)
	request.Start, request.End, request.Body = t.start, t.sent, r.requestBody(q)
	if a := v.get("response"); answered(a) {
		response := readResponse(a)
		response.Start, response.End = t.answered, t.end
		response.Body, e.extra = r.responseBody(a, response.Headers)
		request.Version = either(either(request.Version, response.Version), "HTTP/1.1")
		response.Version = either(response.Version, request.Version)
		h.Response = flowfile.NewResponse(response)
	}
	request.Version = either(request.Version, "HTTP/1.1")
	h.Request = flowfile.NewRequest(request)
	h.Server = r.conns.server(&v, &request, t, r.log.port(&v, request.Port))
	r.webSocket(&v, &h)
	if h.ID = v.get("_id").str(); h.ID == "" {
		h.ID = makeID(index, &v)
	}
	e.flow = flowfile.New(h)
	return e, nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// makeID returns an id that is the same whenever the same HAR is read: a UUID of version 8
// from the entry and its number.
func makeID(index int, v *value) string {
	h := sha256.New()
	fmt.Fprint(h, index, "\n")
	hash(h.Write, v)
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// hash writes what v says, of long texts their length.
func hash(write func([]byte) (int, error), v *value) {
	s := v.s
	if v.long != nil {
		s = strconv.FormatInt(v.long.Size(), 10)
	}
	var b [64]byte
	n := append(b[:0], byte('0'+v.kind))
	n = strconv.AppendInt(n, int64(len(s)+len(v.items)), 10)
	_, _ = write(append(n, ':'))
	for len(s) > 0 {
		n := copy(b[:], s)
		_, _ = write(b[:n])
		s = s[n:]
	}
	for i := range v.items {
		_, _ = write([]byte(v.items[i].key))
		hash(write, &v.items[i].value)
	}
}

func readRequest(q *value) flowfile.RequestHead {
	h := flowfile.RequestHead{Method: q.get("method").str()}
	h.Version = readVersion(q.get("httpVersion").str())
	own := q.get("_url")
	if !own.is(text) {
		own = q.get("url")
	}
	u := splitURL(own.str())
	h.Scheme, h.Host, h.Port, h.Path = u.scheme, u.host, u.port, u.path
	h.Headers = readHeaders(q.get("headers"), func(f flowfile.Field) {
		switch f.Name {
		case ":authority":
			h.Authority = f.Value
			h.Version = either(h.Version, "HTTP/2.0")
		case ":method", ":path", ":scheme":
			h.Version = either(h.Version, "HTTP/2.0")
		}
	})
	h.Trailers = readTrailers(q)
	if h.Method == "CONNECT" {
		h.Authority, h.Scheme, h.Path = flowfile.HostPort(h.Host, h.Port), "", ""
	}
	return h
}

func readResponse(a *value) flowfile.ResponseHead {
	h := flowfile.ResponseHead{Status: max(int(a.get("status").int()), 0), Reason: a.get("statusText").str()}
	h.Version = readVersion(a.get("httpVersion").str())
	h.Headers = readHeaders(a.get("headers"), func(f flowfile.Field) {})
	h.Trailers = readTrailers(a)
	return h
}

func readTrailers(m *value) *flowfile.Headers {
	t := m.get("_trailers")
	if !t.is(array) {
		return nil
	}
	h := flowfile.NewHeaders(readHeaders(t, func(flowfile.Field) {}))
	return &h
}

// readVersion returns an HTTP version as the other formats have it, "" if it is unknown.
func readVersion(s string) string {
	switch v := strings.ToLower(strings.TrimSpace(s)); v {
	case "", "unknown", "ori", "undefined", "null":
		return ""
	case "http/0.9", "http/1.0", "http/1.1":
		return strings.ToUpper(v)
	case "0.9", "1.0", "1.1":
		return "HTTP/" + v
	case "h2", "h2c", "http/2", "http/2.0", "http2", "2", "2.0":
		return "HTTP/2.0"
	case "h3", "http/3", "http/3.0", "http3", "3", "3.0":
		return "HTTP/3"
	default:
		if strings.HasPrefix(v, "h3-") {
			return "HTTP/3"
		}
		return s
	}
}

// readHeaders reads a list of headers, or an object of them, without those that are
// HTTP/2's own, which pseudo is told. Lists, and lines joined by newlines, are several.
func readHeaders(v *value, pseudo func(flowfile.Field)) []flowfile.Field {
	var fields []flowfile.Field
	add := func(name string, v *value) {
		if strings.HasPrefix(name, ":") {
			pseudo(flowfile.Field{Name: name, Value: clean(v.str())})
			return
		}
		name = clean(name)
		if v.is(array) {
			for i := range v.items {
				fields = append(fields, flowfile.Field{Name: name, Value: clean(v.items[i].str())})
			}
			return
		}
		for line := range strings.SplitSeq(clean(v.str()), "\n") {
			fields = append(fields, flowfile.Field{Name: name, Value: strings.TrimSuffix(line, "\r")})
		}
	}
	for i := range v.items {
		m := &v.items[i]
		switch {
		case v.is(object):
			add(m.key, &m.value)
		case m.is(object):
			add(m.get("name").str(), m.get("value"))
		}
	}
	return fields
}

// answered tells whether a response came: Chrome writes status 0 if none did.
func answered(a *value) bool {
	if !a.is(object) {
		return false
	}
	if a.get("status").int() > 0 {
		return true
	}
	content := a.get("content").get("text")
	return len(a.get("headers").items) > 0 || content.s != "" || content.long != nil
}

// failure returns why the exchange failed, nil if it did not.
func failure(v *value, t times) *flowfile.Error {
	a := v.get("response")
	for _, m := range []*value{a.get("_error"), v.get("_error")} {
		if s := m.str(); m.is(text) && s != "" {
			return &flowfile.Error{Msg: s, Time: t.end}
		}
		if s := m.get("message").str(); s != "" {
			return &flowfile.Error{Msg: s, Time: t.end}
		}
	}
	if answered(a) {
		return nil
	}
	msg := "no response was recorded"
	for _, m := range []*value{a.get("statusText"), a.get("status")} {
		if s := m.str(); m.is(text) && s != "" {
			msg += ": " + s
			break
		}
	}
	return &flowfile.Error{Msg: msg, Time: t.end}
}

package har

import (
	"io"
	"strings"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/internal/mp"
)

// Ways in which the text of content was made of the body, as kept in flowfile.Kept.Extra.
const (
	// keptCoded: the content-codings of the headers were undone.
	keptCoded = "coded"
	// keptCharset: the charset that was undone.
	keptCharset = "charset"
)

// requestBody reads the body of a request and marks where in the entry it belongs.
func (r *Reader) requestBody(q *value) flowfile.Body {
	p := q.get("postData")
	if c := q.get("_content"); c.get("text").is(text) {
		p = c
	}
	size := q.get("bodySize").int()
	if !p.is(object) {
		if size > 0 {
			return flowfile.Body{}
		}
		return flowfile.StringBody("")
	}
	t, fields := p.get("text"), p.get("params")
	switch {
	case t.is(text) && (t.s != "" || t.long != nil || len(fields.items) == 0):
		b, ok := r.bytes(t, p.get("encoding").str())
		if ok {
			t.hole = flowfile.BodyRequest + 1
		}
		return marked(b, p)
	case len(fields.items) > 0:
		if b, ok := formBody(fields, either(contentType(q), p.get("mimeType").str()), size); ok {
			return flowfile.StringBody(b)
		}
		return flowfile.Body{}
	case size > 0 || p.get("_file").some():
		return flowfile.Body{}
	}
	return flowfile.StringBody("")
}

func contentType(m *value) string {
	h := flowfile.NewHeaders(readHeaders(m.get("headers"), func(flowfile.Field) {}))
	return h.Get("Content-Type")
}

// marked returns b as flowkit's own mark says that it is.
func marked(b flowfile.Body, p *value) flowfile.Body {
	own := p.get("_flowkit")
	if !own.get("truncated").true() && !own.get("unreadable").true() {
		return b
	}
	if total := own.get("total"); total.is(number) {
		return b.Truncate(total.int())
	}
	return b.Truncate(-1)
}

// responseBody reads the body of a response and marks where in the entry it belongs. HARs
// have bodies decoded; the model has them as on the wire. It also returns how a Writer
// gets the text again.
func (r *Reader) responseBody(a *value, fields []flowfile.Field) (flowfile.Body, flowfile.Extra) {
	c := a.get("content")
	t := c.get("text")
	if !t.is(text) {
		if c.get("size").int() == 0 && a.get("bodySize").int() <= 0 && c.get("_flowkit").kind == absent {
			return flowfile.StringBody(""), nil
		}
		return flowfile.Body{}, nil
	}
	b, ok := r.bytes(t, c.get("encoding").str())
	if ok {
		t.hole = flowfile.BodyResponse + 1
	}
	if !ok || c.get("_flowkit").kind != absent {
		return marked(b, c), nil
	}
	return r.wire(t, b, fields, c.get("encoding").kind != text)
}

// wire makes of a decoded body, whose text in the HAR is t, one as on the wire.
func (r *Reader) wire(t *value, b flowfile.Body, fields []flowfile.Field, isText bool) (flowfile.Body, flowfile.Extra) {
	m := flowfile.NewMessage(flowfile.MessageHead{Headers: fields, Body: b})
	var extra flowfile.Extra
	if charset := r.charset(&m, t); isText && charset != "" {
		if coded, ok := inCharset(t.s, charset); ok {
			b = flowfile.BytesBody(coded)
			extra = append(extra, flowfile.ExtraField{Key: keptCharset, Value: packed(charset)})
		}
	}
	if coding.Of(&m) == "" || b.Size() == 0 || !isText && isCoded(&m) {
		return b, extra
	}
	coded, err := newRecoded(b, m.Headers().Values("Content-Encoding"), r.o.Spool)
	if err != nil || len(coded.names) == 0 {
		return b, extra // of a coding that nobody knows, or of none
	}
	extra = append(extra, flowfile.ExtraField{Key: keptCoded, Value: packedTrue})
	return flowfile.ContentBody(coded), extra
}

const packedTrue = "\xc3"

func packed(s string) string {
	var w mp.Writer
	w.Str(s)
	return string(w.Bytes())
}

// charset returns the charset that a browser undid to get the text t, "" for UTF-8 and for
// text that is the same in all.
func (r *Reader) charset(m *flowfile.Message, t *value) string {
	ct := m.Headers().Get("Content-Type")
	if t.long != nil || !textual(ct) {
		return ""
	}
	name := coding.Charset(ct, []byte(t.s[:min(len(t.s), 64<<10)]))
	c := &checker{ascii: true}
	c.add([]byte(t.s))
	c.end()
	switch {
	case strings.EqualFold(name, "utf-8"), c.bad, c.ascii && !shifty(name):
		return ""
	case name == "latin-1" && !strings.Contains(strings.ToLower(ct), "charset"):
		return ""
	}
	return name
}

// inCharset returns text in a charset, and false if it has no bytes for it.
func inCharset(s, charset string) ([]byte, bool) {
	const kind = "text/plain; charset="
	m := flowfile.NewMessage(flowfile.MessageHead{Headers: []flowfile.Field{{Name: "Content-Type", Value: kind + charset}}})
	if coding.SetText(&m, s) != nil || m.Headers().Get("Content-Type") != kind+charset {
		return nil, false
	}
	b, err := m.Body().Bytes(-1)
	if err != nil {
		return nil, false
	}
	again, err := coding.DecodeText(b, charset)
	return b, err == nil && again == s
}

// isCoded tells whether the body of m is under its content-codings, as it should be, and
// not decoded already.
func isCoded(m *flowfile.Message) bool {
	in, err := coding.OpenDecoded(m)
	if err != nil {
		return false
	}
	defer in.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(in, 1<<20))
	return err == nil
}

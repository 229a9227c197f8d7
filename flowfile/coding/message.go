package coding

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// Of returns the content-codings of m: its Content-Encoding headers as one list.
func Of(m *flowfile.Message) string {
	fields := m.Headers().Fields()
	found := ""
	for i := range fields {
		if !flowfile.EqualFold(fields[i].Name, "Content-Encoding") {
			continue
		}
		if found == "" {
			found = fields[i].Value
		} else {
			found += ", " + fields[i].Value
		}
	}
	return found
}

// OpenDecoded returns the content of m without its codings as a stream, for bodies that
// may be larger than memory.
func OpenDecoded(m *flowfile.Message) (io.ReadCloser, error) {
	in, err := m.Body().Open()
	if err != nil {
		return nil, err
	}
	r, err := NewReader(in, Of(m))
	if err != nil {
		in.Close()
		return nil, err
	}
	return &opened{r, in}, nil
}

// opened closes the body behind its decoder.
type opened struct {
	io.ReadCloser
	body io.Closer
}

func (o *opened) Close() error {
	err := o.ReadCloser.Close()
	return errors.Join(err, o.body.Close())
}

// DecodedBody returns the content of m without its codings, at most limit bytes (limit
// < 0: none); nil if the body is absent. The caller must not change it. With an error it
// returns what could be decoded up to there; that a truncated body's coding ends too
// early is no error.
func DecodedBody(m *flowfile.Message, limit int64) ([]byte, error) {
	body := m.Body()
	if body.State() == flowfile.BodyAbsent {
		return nil, nil
	}
	content, err := decodeBody(body, Of(m), limit)
	if body.State() == flowfile.BodyTruncated && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if content == nil && err == nil {
		content = []byte{}
	}
	return content, err
}

func decodeBody(body flowfile.Body, encoding string, limit int64) ([]byte, error) {
	names, err := split(encoding)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return body.Bytes(limit)
	}
	if body.Content() == nil {
		b, err := body.Bytes(-1)
		if err != nil {
			return nil, err
		}
		return Decode(b, encoding, limit)
	}
	in, err := body.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := newReader(in, encoding, innerLimit(limit))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readAll(r, limit, 4*body.Size())
}

// SetDecoded puts content under the codings of m in place of its body, and its length
// into Content-Length unless there is a Transfer-Encoding. A Content-Encoding that cannot
// be applied is removed. A nil content makes the body absent and leaves the headers. The
// message keeps content; the caller must not change it afterwards.
func SetDecoded(m *flowfile.Message, content []byte) error {
	if content == nil {
		m.SetBody(flowfile.Body{})
		return nil
	}
	wire, err := Encode(content, Of(m))
	if errors.Is(err, ErrUnknown) {
		m.Headers().Del("Content-Encoding")
		wire, err = content, nil
	}
	if err != nil {
		return err
	}
	m.SetBody(flowfile.BytesBody(wire))
	if _, ok := m.Headers().Lookup("Transfer-Encoding"); !ok {
		setHeader(m.Headers(), "content-length", strconv.Itoa(len(wire)))
	}
	return nil
}

// setHeader is Headers.Set that keeps the spelling of a name that is there, and touches
// nothing if the value is there already.
func setHeader(h *flowfile.Headers, name, value string) {
	found, same := 0, false
	for _, f := range h.Fields() {
		if !flowfile.EqualFold(f.Name, name) {
			continue
		}
		if found == 0 {
			name, same = f.Name, f.Value == value
		}
		found++
	}
	if found == 1 && same {
		return
	}
	h.Set(name, value)
}

// contentType returns the Content-Type headers of m as one.
func contentType(m *flowfile.Message) string {
	if vs := m.Headers().Values("Content-Type"); len(vs) > 0 {
		return strings.Join(vs, ", ")
	}
	return ""
}

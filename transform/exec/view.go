package exec

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

// viewer makes the flows that programs see. It gives the same view of a flow each time.
type viewer struct {
	bodies Bodies
	max    int64
}

// Keys that lines have besides those of JSON lines.
const (
	fileKey   = "body_file" // of a request or response: where its body lies
	numberKey = "n"         // of a message whose body is not in the line: its number
)

// maxMessages is how many messages a line has at most; of more it has none.
const maxMessages = 100_000

// of returns f, the flow of that number, as the program sees it. It has no origin, and its
// marks mean nothing.
func (v *viewer) of(f *flowfile.Flow, number int64) *flowfile.Flow {
	n := f.Copy()
	n.SetOrigin(nil)
	n.SetID(idOf(f, number))
	if r := n.Request(); r != nil {
		if v.bodies.Mode == Files && r.Body().State() != flowfile.BodyAbsent {
			r = requestWith(r, append(slices.Clip(r.Extra()), v.fileField(number, "request")))
			n.SetRequest(r)
		}
		r.InitBody(v.body(&r.Message))
	}
	if r := n.Response(); r != nil {
		if v.bodies.Mode == Files && r.Body().State() != flowfile.BodyAbsent {
			r = responseWith(r, append(slices.Clip(r.Extra()), v.fileField(number, "response")))
			n.SetResponse(r)
		}
		r.InitBody(v.body(&r.Message))
	}
	if f.Messages().Len() > 0 {
		n.Messages().Replace(v.messages(f.Messages()))
	}
	if v.bodies.Mode == None {
		n.SetClient(withoutCertificates(n.Client()))
		n.SetServer(withoutCertificates(n.Server()))
	}
	return n
}

// idOf returns the id by which a flow is found again.
func idOf(f *flowfile.Flow, number int64) string {
	if id := f.ID(); id != "" {
		return id
	}
	return fmt.Sprintf("flowkit-%d", number)
}

// body returns what the line has of the body of m: as it is, its text, or nothing.
func (v *viewer) body(m *flowfile.Message) flowfile.Body {
	body := m.Body()
	switch v.bodies.Mode {
	case Text:
		text, ok := textOf(m, v.max)
		if !ok {
			return flowfile.Body{}
		}
		shown := flowfile.StringBody(text)
		if body.State() == flowfile.BodyTruncated {
			shown = shown.Truncate(-1)
		}
		return shown
	case Base64:
		return atMost(body, v.max)
	}
	return flowfile.Body{}
}

// atMost returns body with its bytes in memory, absent if they are more than most or
// cannot be read.
func atMost(body flowfile.Body, most int64) flowfile.Body {
	if body.State() == flowfile.BodyAbsent {
		return body
	}
	b, err := body.Bytes(most)
	if err != nil {
		return flowfile.Body{}
	}
	kept := flowfile.BytesBody(b)
	if body.State() == flowfile.BodyTruncated {
		kept = kept.Truncate(body.Total())
	}
	return kept
}

// textOf returns the decoded body of m if it is text.
func textOf(m *flowfile.Message, most int64) (string, bool) {
	if m.Body().State() == flowfile.BodyAbsent || m.Body().Size() > most {
		return "", false
	}
	text, err := coding.Text(m, most)
	return text, err == nil && isText(text)
}

// isText tells whether s has no control characters that text has not: what a charset makes
// of other bytes has.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\n\v\f\r\b\x1b", r)
	})
}

// messages returns what the line has of the messages: nothing, if they cannot be read or
// are too many; else their heads, and bodies up to the limit.
func (v *viewer) messages(ms *flowfile.Messages) flowfile.MessageSource {
	if ms.Len() > maxMessages {
		return nil
	}
	log := &flowfile.MessageLog{}
	left := v.max
	for m, err := range ms.All() {
		if err != nil {
			return nil
		}
		body := v.payload(m.Body, left)
		if body.State() == flowfile.BodyAbsent && m.Body.State() != flowfile.BodyAbsent {
			m.Extra = append(slices.Clip(m.Extra), numberField(log.Len()))
		}
		m.Body = body
		left -= body.Size()
		log.Append(m)
	}
	return log
}

func (v *viewer) payload(body flowfile.Body, most int64) flowfile.Body {
	if v.bodies.Mode == None {
		return flowfile.Body{}
	}
	body = atMost(body, most)
	if v.bodies.Mode == Text {
		if b, err := body.Bytes(-1); err != nil || !isText(string(b)) {
			return flowfile.Body{}
		}
	}
	return body
}

func withoutCertificates(c *flowfile.Conn) *flowfile.Conn {
	if c == nil || c.Certificates == nil && c.MitmCert.State() == flowfile.BodyAbsent {
		return c
	}
	n := *c
	n.Certificates, n.MitmCert = nil, flowfile.Body{}
	return &n
}

// path returns where the body of a part of a flow lies.
func (v *viewer) path(number int64, part string) string {
	return filepath.Join(v.bodies.Dir, fmt.Sprintf("%08d.%s", number, part))
}

func (v *viewer) fileField(number int64, part string) flowfile.ExtraField {
	return flowfile.ExtraField{Key: fileKey, Value: packStr(v.path(number, part))}
}

func numberField(n int) flowfile.ExtraField {
	return flowfile.ExtraField{Key: numberKey, Value: packInt(n)}
}

// requestWith returns r with other unknown fields.
func requestWith(r *flowfile.Request, extra flowfile.Extra) *flowfile.Request {
	return flowfile.NewRequest(flowfile.RequestHead{
		MessageHead: messageWith(&r.Message, extra), Method: r.Method(), Scheme: r.Scheme(), Host: r.Host(),
		Port: r.Port(), Authority: r.Authority(), Path: r.Path(),
	})
}

// responseWith returns r with other unknown fields.
func responseWith(r *flowfile.Response, extra flowfile.Extra) *flowfile.Response {
	return flowfile.NewResponse(flowfile.ResponseHead{
		MessageHead: messageWith(&r.Message, extra), Status: r.Status(), Reason: r.Reason(),
	})
}

func messageWith(m *flowfile.Message, extra flowfile.Extra) flowfile.MessageHead {
	return flowfile.MessageHead{
		Version: m.Version(), Headers: m.Headers().Fields(), Trailers: m.Trailers(), Body: m.Body(),
		Start: m.Start(), End: m.End(), Extra: extra,
	}
}

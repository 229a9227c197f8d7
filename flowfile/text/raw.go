package text

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// RequestHead returns the head of r as HTTP/1 has it, up to the empty line and with it.
func RequestHead(r *flowfile.Request) string {
	var b strings.Builder
	version, http1 := r.Version(), later(r.Version()) == 0
	if !http1 || version == "" {
		version = "HTTP/1.1"
	}
	target := r.Path()
	switch {
	case !http1 || r.Authority() == "" && r.Method() != "CONNECT":
	case r.Method() == "CONNECT" && r.Authority() == "":
		target = flowfile.HostPort(r.Host(), r.Port())
	case r.Method() == "CONNECT":
		target = r.Authority()
	default:
		target = r.Scheme() + "://" + r.Authority() + r.Path()
	}
	b.WriteString(r.Method() + " " + target + " " + version + "\r\n")
	if !http1 {
		if _, ok := r.Headers().Lookup("Host"); !ok && r.Authority() != "" {
			b.WriteString("Host: " + r.Authority() + "\r\n")
		}
	}
	writeFields(&b, &r.Message)
	return b.String()
}

// ResponseHead returns the head of r as HTTP/1 has it, up to the empty line and with it.
func ResponseHead(r *flowfile.Response) string {
	var b strings.Builder
	version := r.Version()
	if later(version) != 0 || version == "" {
		version = "HTTP/1.1"
	}
	fmt.Fprintf(&b, "%s %03d %s\r\n", version, r.Status(), r.Reason())
	writeFields(&b, &r.Message)
	return b.String()
}

func writeFields(b *strings.Builder, m *flowfile.Message) {
	_, length := m.Headers().Lookup("Content-Length")
	for _, f := range m.Headers().Fields() {
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	// A body of HTTP/2 ends by itself.
	if n := m.Body().Total(); later(m.Version()) != 0 && !length && !chunked(m) && n > 0 {
		b.WriteString("Content-Length: " + strconv.FormatInt(n, 10) + "\r\n")
	}
	b.WriteString("\r\n")
}

func chunked(m *flowfile.Message) bool {
	for _, v := range m.Headers().Values("Transfer-Encoding") {
		for s := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.Trim(s, " \t"), "chunked") {
				return true
			}
		}
	}
	return false
}

func (w *Writer) rawRequest(f *flowfile.Flow) error {
	r := f.Request()
	if r == nil {
		w.counts.Refused++
		return nil
	}
	if _, err := w.w.WriteString(RequestHead(r)); err != nil {
		return err
	}
	has := chunked(&r.Message) || strings.Trim(r.Headers().Get("Content-Length"), "0 \t") != ""
	return w.rawBody(f, "request body", &r.Message, has)
}

func (w *Writer) rawResponse(f *flowfile.Flow) error {
	r := f.Response()
	if r == nil {
		w.counts.Refused++
		return nil
	}
	if _, err := w.w.WriteString(ResponseHead(r)); err != nil {
		return err
	}
	return w.rawBody(f, "response body", &r.Message, HasBody(f))
}

// HasBody tells whether a response has a body, be it empty.
func HasBody(f *flowfile.Flow) bool {
	r := f.Response()
	switch {
	case r == nil, r.Status() < 200, r.Status() == 204, r.Status() == 304:
		return false
	case f.Request() == nil:
		return true
	case f.Request().Method() == "HEAD":
		return false
	}
	return f.Request().Method() != "CONNECT" || r.Status() >= 300
}

// rawBody writes the body of m, and counts it as cut if some of it is missing.
func (w *Writer) rawBody(f *flowfile.Flow, what string, m *flowfile.Message, has bool) error {
	w.counts.Written++
	if later(m.Version()) != 0 {
		w.counts.Later++
	}
	b, chunks := m.Body(), chunked(m)
	switch {
	case b.State() == flowfile.BodyAbsent && has:
		w.counts.Cut++
		return nil
	case b.State() == flowfile.BodyAbsent, !has && b.Size() == 0:
		return nil
	}
	err := w.copyBody(b, chunks)
	if err != nil {
		var bad *bodyError
		if !errors.As(err, &bad) {
			return err
		}
		err = fmt.Errorf("flow %s: %s: %w", f.ID(), what, bad.err)
		if w.o.OnDamage == nil {
			return err
		}
		w.o.OnDamage(&flowfile.Damage{Offset: -1, Length: -1, Err: err})
		w.counts.Cut++
		return nil
	}
	if b.State() == flowfile.BodyTruncated {
		w.counts.Cut++
		return nil
	}
	if !chunks {
		return nil
	}
	w.w.WriteString("0\r\n")
	if t := m.Trailers(); t != nil {
		for _, f := range t.Fields() {
			w.w.WriteString(f.Name + ": " + f.Value + "\r\n")
		}
	}
	_, err = w.w.WriteString("\r\n")
	return err
}

// bodyError is an error of reading, not of writing.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }

// copyBody writes a body, in chunks if it has to.
func (w *Writer) copyBody(b flowfile.Body, chunks bool) error {
	in, err := b.Open()
	if err != nil {
		return &bodyError{err}
	}
	defer in.Close()
	piece := make([]byte, 64<<10)
	for {
		n, err := fill(in, piece)
		if n > 0 {
			if chunks {
				fmt.Fprintf(w.w, "%x\r\n", n)
			}
			w.w.Write(piece[:n])
			if chunks {
				w.w.WriteString("\r\n")
			}
		}
		switch {
		case err == io.EOF:
			_, err := w.w.Write(nil)
			return err
		case err != nil:
			return &bodyError{err}
		}
	}
}

// fill reads until piece is full; an error is that of the reader.
func fill(r io.Reader, piece []byte) (n int, err error) {
	for n < len(piece) && err == nil {
		var k int
		k, err = r.Read(piece[n:])
		n += k
	}
	return n, err
}

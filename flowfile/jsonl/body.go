package jsonl

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
	"unsafe"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

const (
	// holdBody is the largest body that is taken into memory to be written.
	holdBody = 1 << 20
	// maxContent is the largest decoded body that is shown.
	maxContent = 16 << 20
)

// body writes a body: null, or its bytes as they were on the wire.
func (w *Writer) body(f *flowfile.Flow, what string, b flowfile.Body) {
	if b.State() == flowfile.BodyAbsent {
		w.j.Null()
		return
	}
	w.j.Object()
	defer w.j.EndObject()
	total := b.Total()
	complete := b.State() == flowfile.BodyPresent
	if err := w.bodyText(b); err != nil {
		w.lost(f, what, err)
		complete = false
	}
	if !complete {
		w.bool("truncated", true)
		if total >= 0 {
			w.number("total", total)
		}
	}
}

func (w *Writer) bodyText(b flowfile.Body) error {
	if n := b.Size(); b.Content() != nil && (n < 0 || n > holdBody) {
		return w.bodyStream(b)
	}
	data, err := b.Bytes(-1)
	if err != nil {
		w.j.Key("text")
		w.j.String("")
		return err
	}
	s := unsafe.String(unsafe.SliceData(data), len(data))
	if utf8.Valid(data) {
		w.j.Key("text")
		w.j.String(s)
	} else {
		w.j.Key("base64")
		w.j.Base64(s)
	}
	return nil
}

// bodyStream reads a body twice: to see whether it is UTF-8, and to write it.
func (w *Writer) bodyStream(b flowfile.Body) error {
	var check utf8Checker
	if _, err := copyBody(&check, b); err != nil {
		check.bad = true // what can be read is written
	}
	var out io.WriteCloser
	if check.ok() {
		w.j.Key("text")
		out = w.j.TextStream()
	} else {
		w.j.Key("base64")
		out = w.j.Base64Stream()
	}
	_, err := copyBody(out, b)
	_ = out.Close()
	if w.j.Err() != nil {
		return nil // the writer's own error stays
	}
	return err
}

func copyBody(w io.Writer, b flowfile.Body) (int64, error) {
	r, err := b.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(w, r)
}

// utf8Checker tells whether what is written to it is UTF-8.
type utf8Checker struct {
	bad  bool
	rest []byte // the beginning of a rune
}

func (c *utf8Checker) ok() bool { return !c.bad && len(c.rest) == 0 }

func (c *utf8Checker) Write(p []byte) (int, error) {
	n := len(p)
	if c.bad {
		return n, nil
	}
	if len(c.rest) > 0 {
		p = append(c.rest, p...)
		c.rest = nil
	}
	cut := len(p)
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		if utf8.RuneStart(p[len(p)-i]) {
			if !utf8.FullRune(p[len(p)-i:]) {
				cut = len(p) - i
			}
			break
		}
	}
	c.bad = !utf8.Valid(p[:cut])
	c.rest = bytes.Clone(p[cut:])
	return n, nil
}

// content writes the decoded body for people and jq.
func (w *Writer) content(m *flowfile.Message) {
	if m.Body().State() == flowfile.BodyAbsent {
		return
	}
	j := w.j
	j.Key("content")
	j.Object()
	defer j.EndObject()
	text, err := coding.Text(m, maxContent)
	if err != nil {
		j.Key("error")
		j.String(err.Error())
		return
	}
	j.Key("size")
	b, _ := coding.DecodedBody(m, maxContent)
	j.Int(int64(len(b)))
	if compact, ok := compactJSON(m, text); ok {
		j.Key("json")
		j.Raw(compact)
		return
	}
	if strings.Contains(text, "\x00") {
		return // binary
	}
	j.Key("text")
	j.String(text)
}

// compactJSON returns text on one line if it is JSON and said to be.
func compactJSON(m *flowfile.Message, text string) (string, bool) {
	if !strings.Contains(strings.ToLower(m.Headers().Get("Content-Type")), "json") || text == "" || !utf8.ValidString(text) {
		return "", false
	}
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(text)); err != nil {
		return "", false
	}
	return out.String(), true
}

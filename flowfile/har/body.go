package har

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

const (
	// keepBody is how much of a body is kept between its two readings.
	keepBody = 1 << 20
	// maxDecoded is the most that a body may become without its content-codings: what is
	// more was made to fill disks.
	maxDecoded = 1 << 30
)

// content is what the first reading of a body told.
type content struct {
	open      func() (io.ReadCloser, error)
	charset   string // "" or "utf-8": none to be undone
	kept      []byte // all of it, nil if it is too long
	size      int64  // decoded
	wire      int64  // on the wire, -1 if unknown
	isText    bool
	undecoded error // why it is as on the wire
	err       error // why it could not be read
}

// messageBody reads the body of m the first time.
func messageBody(m *flowfile.Message) content {
	body := m.Body()
	if body.State() == flowfile.BodyAbsent {
		return content{wire: -1}
	}
	ct := m.Headers().Get("Content-Type")
	c := read(func() (io.ReadCloser, error) { return coding.OpenDecoded(m) }, ct, truncated(body))
	if c.err != nil {
		// As it was on the wire, then.
		err := c.err
		c = read(body.Open, ct, false)
		c.undecoded = err
	}
	c.wire = body.Total()
	if c.wire < 0 && body.State() == flowfile.BodyPresent && c.err == nil {
		c.wire = wireSize(body, c, coding.Of(m) == "")
	}
	return c
}

// wireSize counts the bytes of a body that does not know how many it has.
func wireSize(body flowfile.Body, c content, plain bool) int64 {
	if plain || c.undecoded != nil {
		return c.size
	}
	r, err := body.Open()
	if err != nil {
		return -1
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		return -1
	}
	return n
}

// messageBody is messageBody, but for a draft that does not want the body.
func (w *Writer) messageBody(m *flowfile.Message) content {
	if w.draft != nil && w.draft.skip[m] {
		return content{wire: -1}
	}
	return messageBody(m)
}

// plainBody reads a body that has no headers the first time.
func plainBody(b flowfile.Body) content {
	if b.State() == flowfile.BodyAbsent {
		return content{wire: -1, isText: true}
	}
	c := read(b.Open, "", truncated(b))
	c.wire = b.Total()
	return c
}

func truncated(b flowfile.Body) bool { return b.State() == flowfile.BodyTruncated }

// read reads all that open opens: how much it is and whether it is text. If torn, it may
// end within its coding.
func read(open func() (io.ReadCloser, error), contentType string, torn bool) content {
	c := content{open: open}
	head, n, check, err := scan(open, torn, "")
	c.size, c.err = n, err
	if n <= keepBody && err == nil {
		c.kept = head
	}
	if err != nil {
		return c
	}
	c.isText = check.text()
	charset := coding.Charset(contentType, head)
	if !textual(contentType) || strings.EqualFold(charset, "utf-8") || c.isText && check.ascii && !shifty(charset) {
		return c
	}
	// The default of mitmproxy yields to UTF-8, what was declared does not.
	if c.isText && charset == "latin-1" && !strings.Contains(strings.ToLower(contentType), "charset") {
		return c
	}
	if _, err := coding.NewTextReader(nil, charset); err != nil {
		return c
	}
	if _, _, check, err = scan(open, torn, charset); err == nil && check.text() && !check.replaced {
		c.isText, c.charset = true, charset
	}
	return c
}

// shifty tells of a charset whose text may look like ASCII and be something else.
func shifty(charset string) bool {
	charset = strings.ToLower(charset)
	for _, s := range []string{"utf-16", "utf-32", "utf-7", "2022", "hz"} {
		if strings.Contains(charset, s) {
			return true
		}
	}
	return false
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// scan reads all that open opens and returns its first keepBody bytes, its length, and
// what it is under charset.
func scan(open func() (io.ReadCloser, error), torn bool, charset string) (head []byte, n int64, check *checker, err error) {
	check = &checker{ascii: true}
	r, err := open()
	if err != nil {
		return nil, 0, check, err
	}
	defer r.Close()
	var in io.Reader = r
	if charset != "" {
		if in, err = coding.NewTextReader(r, charset); err != nil {
			return nil, 0, check, err
		}
	}
	var kept bytes.Buffer
	pooled := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(pooled)
	buf := pooled[:]
	for {
		k, err := in.Read(buf)
		n += int64(k)
		check.add(buf[:k])
		if room := keepBody - kept.Len(); room > 0 {
			kept.Write(buf[:min(k, room)])
		}
		switch {
		case n > maxDecoded && charset == "":
			return nil, n, check, coding.ErrTooLarge
		case err == io.EOF, torn && errors.Is(err, io.ErrUnexpectedEOF):
			check.end()
			return kept.Bytes(), n, check, nil
		case err != nil:
			return nil, n, check, err
		}
	}
}

// textual tells whether a type is one of texts, so that a charset other than UTF-8 is
// believed.
func textual(contentType string) bool {
	ct := strings.ToLower(contentType)
	for _, s := range []string{
		"text/", "json", "xml", "html", "javascript", "ecmascript", "x-www-form-urlencoded", "yaml", "css", "graphql",
	} {
		if strings.Contains(ct, s) {
			return true
		}
	}
	return false
}

// checker tells whether bytes that come in pieces are UTF-8 without non-characters.
type checker struct {
	bad      bool
	ascii    bool
	replaced bool // U+FFFD was there
	rest     []byte
}

func (c *checker) text() bool { return !c.bad }

func (c *checker) add(p []byte) {
	if c.bad {
		return
	}
	if len(c.rest) > 0 {
		p = append(c.rest, p...)
		c.rest = nil
	}
	for i := 0; i < len(p); {
		if p[i] < utf8.RuneSelf {
			i++
			continue
		}
		c.ascii = false
		if !utf8.FullRune(p[i:]) {
			c.rest = append([]byte(nil), p[i:]...)
			return
		}
		r, n := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError {
			if n <= 1 {
				c.bad = true
				return
			}
			c.replaced = true
		}
		if r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef {
			c.bad = true
			return
		}
		i += n
	}
}

// end tells that no more comes.
func (c *checker) end() { c.bad = c.bad || len(c.rest) > 0 }

// copyBody writes the body the second time, as the value that is due: a string of text or
// of base64.
func (w *Writer) copyBody(f *flowfile.Flow, what string, c content, text bool) {
	if w.draft != nil {
		w.draft.body(w.j, held{what, c, text})
		return
	}
	var out io.WriteCloser
	if text {
		out = w.j.TextStream()
	} else {
		out = w.j.Base64Stream()
	}
	err := c.err
	if err == nil {
		err = c.copyTo(out, text)
	}
	_ = out.Close()
	if err != nil && w.j.Err() == nil {
		w.lost(f, what, err)
	}
}

func (c *content) copyTo(out io.Writer, text bool) error {
	var in io.Reader
	switch {
	case c.open == nil:
		return nil
	case c.kept != nil:
		in = bytes.NewReader(c.kept)
	default:
		r, err := c.open()
		if err != nil {
			return err
		}
		defer r.Close()
		in = io.LimitReader(r, c.size)
	}
	if text && c.charset != "" {
		t, err := coding.NewTextReader(in, c.charset)
		if err != nil {
			return err
		}
		in = t
	}
	_, err := io.Copy(out, in)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // of a truncated body; any other was seen the first time
	}
	return err
}

// responseBody writes content and returns bodySize.
func (w *Writer) responseBody(f *flowfile.Flow, m *flowfile.Message) int64 {
	c := w.messageBody(m)
	w.j.Object()
	w.int("size", max(w.fullSize(m, c), 0))
	if c.wire >= 0 && c.err == nil && !truncated(m.Body()) {
		w.int("compression", c.size-c.wire)
	}
	mime := m.Headers().Get("Content-Type")
	if mime == "" {
		mime = "x-unknown"
	}
	w.text("mimeType", mime)
	if m.Body().State() != flowfile.BodyAbsent {
		w.j.Key("text")
		w.copyBody(f, "response body", c, c.isText)
		if !c.isText {
			w.text("encoding", "base64")
		}
	}
	w.note(m.Body(), c)
	w.j.EndObject()
	return c.wire
}

// fullSize is the decoded size; of a truncated body without content-coding the whole.
func (w *Writer) fullSize(m *flowfile.Message, c content) int64 {
	if total := m.Body().Total(); truncated(m.Body()) && total >= 0 && coding.Of(m) == "" {
		return total
	}
	return c.size
}

// requestBody writes postData or _content and returns bodySize.
func (w *Writer) requestBody(f *flowfile.Flow, m *flowfile.Message) int64 {
	body := m.Body()
	c := w.messageBody(m)
	if c.size == 0 && c.err == nil && body.State() == flowfile.BodyPresent {
		return c.wire
	}
	if body.State() == flowfile.BodyAbsent {
		w.note(body, c)
		return -1
	}
	j := w.j
	mime := m.Headers().Get("Content-Type")
	if mime == "" {
		mime = "application/octet-stream"
	}
	if !c.isText {
		j.Key("_content")
		j.Object()
		j.Key("text")
		w.copyBody(f, "request body", c, false)
		w.int("size", c.size)
		w.text("encoding", "base64")
		w.note(body, c)
		j.EndObject()
		w.text("_requestBodyStatus", "discarded:not-representable")
		return c.wire
	}
	j.Key("postData")
	j.Object()
	w.text("mimeType", mime)
	w.params(mime, m.Headers(), c)
	j.Key("text")
	w.copyBody(f, "request body", c, true)
	w.note(body, c)
	j.EndObject()
	return c.wire
}

// note says in the object that is being written what is wrong with its body.
func (w *Writer) note(body flowfile.Body, c content) {
	comment, key := "", ""
	switch {
	case body.State() == flowfile.BodyAbsent:
		comment, key = "the body was not recorded", "absent"
	case c.err != nil:
		comment, key = "the body could not be read: "+c.err.Error(), "unreadable"
	case truncated(body):
		comment = "the body is truncated: " + strconv.FormatInt(max(body.Size(), 0), 10) + " bytes of "
		if body.Total() >= 0 {
			comment += strconv.FormatInt(body.Total(), 10)
		} else {
			comment += "an unknown number"
		}
		key = "truncated"
	case c.undecoded != nil:
		comment, key = "the content-encoding could not be undone: "+c.undecoded.Error(), "undecoded"
	default:
		return
	}
	w.text("comment", comment)
	w.j.Key("_flowkit")
	w.j.Object()
	w.j.Key(key)
	w.j.Bool(true)
	if truncated(body) && body.Total() >= 0 {
		w.int("total", body.Total())
	}
	w.j.EndObject()
}

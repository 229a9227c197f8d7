package har

import (
	"bytes"
	"io"
	"iter"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/internal/jsonw"
	"flowkit/flowfile/internal/mp"
)

// keptHAR is what was kept of the HAR that a flow came from: a HAR of this one entry.
type keptHAR struct {
	log, entry *value
	changed    flowfile.Parts
	coded      bool   // the codings of the response must be undone
	charset    string // so must this charset
}

// kept returns what was kept of f, nil if it came from elsewhere.
func (w *Writer) kept(f *flowfile.Flow) *keptHAR {
	if w.memo == f && f != nil {
		return w.memoKept
	}
	w.memo, w.memoKept = f, parseKept(f)
	return w.memoKept
}

func parseKept(f *flowfile.Flow) *keptHAR {
	if f.Origin() == nil {
		return nil
	}
	k := f.Origin().Kept(f)
	if k == nil || k.Format != Format || k.Head == "" {
		return nil
	}
	v, err := parseBytes([]byte(k.Head))
	if err != nil {
		return nil
	}
	log := v.get("log")
	entries := log.get("entries")
	if !entries.is(array) || len(entries.items) != 1 || !entries.items[0].is(object) {
		return nil
	}
	n := &keptHAR{log: log, entry: &entries.items[0].value, changed: k.Changed | f.Changed()}
	for _, h := range k.Holes {
		dig(v, h)
	}
	for _, x := range k.Extra {
		var r mp.Reader
		r.Reset([]byte(x.Value))
		switch {
		case x.Key == keptCoded && r.Kind() == mp.KindBool:
			n.coded = r.Bool()
		case x.Key == keptCharset && r.Kind() == mp.KindStr:
			n.charset = r.Str()
		}
	}
	return n
}

// dig makes the hole h in v.
func dig(v *value, h flowfile.Hole) {
	if v.kind == text && v.off+1 == h.Pos {
		v.hole = h.Part + 1
		return
	}
	for i := range v.items {
		dig(&v.items[i].value, h)
	}
}

// draft is an entry that is written from the model into memory, without the bodies.
type draft struct {
	buf  bytes.Buffer
	held []held
	offs []int
	skip map[*flowfile.Message]bool // their bodies are not wanted
}

// held is a body that is to be written later.
type held struct {
	what string
	c    content
	text bool
}

// heldHole is the hole of the first held body: those below are bodies as in flowfile.
const heldHole = 16

func (d *draft) body(j *jsonw.Writer, h held) {
	_ = j.Flush()
	d.offs = append(d.offs, d.buf.Len())
	d.held = append(d.held, h)
	j.String("")
}

// drafted writes f from the model into memory.
func (w *Writer) drafted(f *flowfile.Flow, t timings, skip map[*flowfile.Message]bool) (*value, []held) {
	d := &draft{skip: skip}
	sub := &Writer{j: jsonw.New(&d.buf, false), o: w.o, draft: d}
	sub.freshEntry(f, t)
	_ = sub.j.Flush()
	v, err := parseBytes(d.buf.Bytes())
	if err != nil {
		panic("har: internal error: " + err.Error())
	}
	for i, off := range d.offs {
		dig(v, flowfile.Hole{Pos: off + 1, Part: heldHole - 1 + i})
	}
	return v, d.held
}

// filler is what fills the holes of an entry.
type filler struct {
	f    *flowfile.Flow
	k    *keptHAR
	held []held
}

// emit writes v, its holes filled by fill.
func (w *Writer) emit(fill *filler, v *value) {
	j := w.j
	switch v.kind {
	case absent, null:
		j.Null()
	case boolean, number:
		j.Raw(v.s)
	case text:
		w.emitText(fill, v, false)
	case array:
		j.Array()
		for i := range v.items {
			w.emit(fill, &v.items[i].value)
		}
		j.EndArray()
	case object:
		w.emitObject(fill, v)
	}
}

func (w *Writer) emitObject(fill *filler, v *value) {
	w.j.Object()
	for i := range v.items {
		m := &v.items[i]
		w.j.Key(m.key)
		switch {
		case m.kind == text:
			w.emitText(fill, &m.value, isBase64(v.get("encoding").str()))
		case m.key == messagesKey && m.true() && fill != nil:
			w.messages(fill.f)
		case m.key == messagesKey && m.is(array) && fill != nil:
			w.keptMessages(fill.f, &m.value)
		default:
			w.emit(fill, &m.value)
		}
	}
	w.j.EndObject()
}

// keptMessages writes messages where a number stands for them, and what else there is as
// it was.
func (w *Writer) keptMessages(f *flowfile.Flow, list *value) {
	next, stop := iter.Pull2(f.Messages().All())
	defer stop()
	w.j.Array()
	defer w.j.EndArray()
	var r Reader
	for i := range list.items {
		v := &list.items[i].value
		n := int64(0)
		if v.is(number) {
			n = v.int()
		} else {
			w.emit(nil, v)
			if _, ok, _ := r.message(v); ok {
				next()
			}
		}
		for ; n > 0; n-- {
			m, err, ok := next()
			if !ok {
				return
			}
			if err != nil {
				w.lost(f, "WebSocket messages", err)
				return
			}
			w.message(f, m)
		}
	}
}

func (w *Writer) emitText(fill *filler, v *value, base64 bool) {
	switch {
	case v.hole >= heldHole && fill != nil:
		h := fill.held[v.hole-heldHole]
		w.copyBody(fill.f, h.what, h.c, h.text)
	case v.hole > 0 && fill != nil:
		w.fill(fill, v.hole-1, base64)
	default:
		b := append(w.scratch[:0], '"')
		b = append(appendText(b, v.s), '"')
		w.j.Raw(string(b))
		w.scratch = b
	}
}

// fill writes a body into its hole as it was there.
func (w *Writer) fill(fill *filler, part int, base64 bool) {
	what, open := "request body", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(nil)), nil }
	switch q, a := fill.f.Request(), fill.f.Response(); {
	case part == flowfile.BodyRequest && q != nil:
		open = q.Body().Open
	case part == flowfile.BodyResponse && a != nil:
		what, open = "response body", a.Body().Open
		if fill.k.coded {
			open = func() (io.ReadCloser, error) { return openPlain(&a.Message) }
		}
	}
	in, err := open()
	if err == nil {
		err = w.pour(in, part == flowfile.BodyResponse, fill.k.charset, base64)
	} else {
		w.j.String("")
	}
	if err != nil && w.j.Err() == nil {
		w.lost(fill.f, what, err)
	}
}

// openPlain opens the body of m without its codings.
func openPlain(m *flowfile.Message) (io.ReadCloser, error) {
	if c, ok := m.Body().Content().(*recoded); ok {
		return c.plain.Open()
	}
	return coding.OpenDecoded(m)
}

func (w *Writer) pour(in io.ReadCloser, response bool, charset string, base64 bool) error {
	defer in.Close()
	var r io.Reader = in
	var charsetErr error
	if response && charset != "" && !base64 {
		if t, err := coding.NewTextReader(in, charset); err == nil {
			r = t
		} else {
			charsetErr = err
		}
	}
	var out io.WriteCloser
	if base64 {
		out = w.j.Base64Stream()
	} else {
		out = w.j.TextStream()
	}
	_, err := io.Copy(out, r)
	_ = out.Close()
	if err == nil {
		err = charsetErr
	}
	return err
}

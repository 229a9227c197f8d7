package jsonl

import (
	"strconv"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/jsonw"
	"flowkit/flowfile/internal/mp"
)

// writeExtra writes unknown fields at the end of an object whose known keys are given.
// Those that are plain JSON are keys of their own, up to the first that is not: from
// there on they are in _msgpack, so that their order stays.
func writeExtra(j *jsonw.Writer, e flowfile.Extra, keys []string) {
	for len(e) > 0 {
		if known(keys, e[0].Key) || !utf8.ValidString(e[0].Key) || !writePlain(j, e[0]) {
			break
		}
		e = e[1:]
	}
	if len(e) == 0 {
		return
	}
	j.Key(extraKey)
	if !plainKeys(e) {
		j.Array()
		for _, f := range e {
			j.Array()
			writeBytes(j, f.Key)
			j.Base64(f.Value)
			j.EndArray()
		}
		j.EndArray()
		return
	}
	j.Object()
	for _, f := range e {
		j.Key(f.Key)
		j.Base64(f.Value)
	}
	j.EndObject()
}

func plainKeys(e flowfile.Extra) bool {
	m := make(flowfile.Map, len(e))
	for i := range e {
		m[i].Key = e[i].Key
	}
	return len(m) == 1 && utf8.ValidString(m[0].Key) || plainMap(m)
}

// writePlain writes a field whose msgpack is what reading its JSON gives again; otherwise
// nothing and false.
func writePlain(j *jsonw.Writer, f flowfile.ExtraField) bool {
	if f.Value == "" {
		return false
	}
	t := transcoder{}
	t.r.Reset([]byte(f.Value))
	t.value(0)
	if t.bad || t.r.Err() != nil || t.r.Len() != 0 {
		return false
	}
	back := parser{b: append([]byte(nil), t.out...)}
	var w mp.Writer
	back.msgpack(&w)
	back.end()
	if back.err != nil || string(w.Bytes()) != f.Value {
		return false
	}
	j.Key(f.Key)
	j.Raw(string(t.out))
	return true
}

// transcoder writes msgpack as JSON where JSON can say it.
type transcoder struct {
	r   mp.Reader
	out []byte
	bad bool
}

func (t *transcoder) value(depth int) {
	if t.bad || t.r.Err() != nil || depth > maxDepth {
		t.bad = true
		return
	}
	switch t.r.Kind() {
	case mp.KindNil:
		t.r.IsNil()
		t.out = append(t.out, "null"...)
	case mp.KindBool:
		t.out = strconv.AppendBool(t.out, t.r.Bool())
	case mp.KindInt:
		t.out = strconv.AppendInt(t.out, t.r.Int(), 10)
	case mp.KindFloat:
		t.float(t.r.Float())
	case mp.KindStr:
		t.str(t.r.Str())
	case mp.KindArray:
		n := t.r.ArrayLen()
		t.out = append(t.out, '[')
		for i := 0; i < n && !t.bad; i++ {
			if i > 0 {
				t.out = append(t.out, ',')
			}
			t.value(depth + 1)
		}
		t.out = append(t.out, ']')
	case mp.KindMap:
		n := t.r.MapLen()
		t.out = append(t.out, '{')
		for i := 0; i < n && !t.bad; i++ {
			if i > 0 {
				t.out = append(t.out, ',')
			}
			if t.r.Kind() != mp.KindStr {
				t.bad = true
				return
			}
			t.str(t.r.Str())
			t.out = append(t.out, ':')
			t.value(depth + 1)
		}
		t.out = append(t.out, '}')
	default:
		t.bad = true
	}
}

func (t *transcoder) float(f float64) {
	if f-f != 0 { // not finite
		t.bad = true
		return
	}
	t.out = append(t.out, formatFloat(f)...)
}

func (t *transcoder) str(s string) {
	if !utf8.ValidString(s) {
		t.bad = true
		return
	}
	t.out = append(t.out, '"')
	t.out = append(jsonw.AppendEscaped(t.out, s), '"')
}

// extraField reads the value of a key that flowkit does not know, or of _msgpack.
func (p *parser) extraField(e flowfile.Extra, key string) flowfile.Extra {
	if key != extraKey {
		var w mp.Writer
		p.msgpack(&w)
		return append(e, flowfile.ExtraField{Key: key, Value: string(w.Bytes())})
	}
	add := func(key string) {
		f := flowfile.ExtraField{Key: key, Value: p.base64()}
		var r mp.Reader
		r.Reset([]byte(f.Value))
		if r.Skip(); r.Err() != nil && p.err == nil {
			p.failWith(r.Err())
		} else if r.Len() != 0 {
			p.fail("more than one value of msgpack")
		}
		e = append(e, f)
	}
	if p.peek() == '{' {
		p.object(add)
		return e
	}
	p.array(func() {
		p.begin('[')
		key := p.bytes()
		p.expect(',')
		add(key)
		p.next(']', 1)
	})
	return e
}

// msgpack reads any value and appends it to w.
func (p *parser) msgpack(w *mp.Writer) {
	switch p.peek() {
	case '"':
		w.Str(p.str())
	case 't', 'f':
		w.Bool(p.boolean())
	case 'n':
		p.null()
		w.Nil()
	case '[':
		var items mp.Writer
		n := 0
		p.array(func() { p.msgpack(&items); n++ })
		w.ArrayLen(n)
		w.Raw(items.Bytes())
	case '{':
		var items mp.Writer
		n := 0
		p.object(func(key string) { items.Str(key); p.msgpack(&items); n++ })
		w.MapLen(n)
		w.Raw(items.Bytes())
	default:
		p.msgpackNumber(w)
	}
}

func (p *parser) msgpackNumber(w *mp.Writer) {
	s, whole := p.number()
	if whole {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			w.Int(n)
			return
		}
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			w.Uint(n)
			return
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		p.fail("%s is out of range", s)
	}
	w.Float(f)
}

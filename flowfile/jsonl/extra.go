package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/mp"
)

// extra writes unknown fields: those that plain JSON can hold under their own keys, the
// others in base64 under "_msgpack".
func (e *encoder) extra(x flowfile.Extra, known map[string]bool) {
	var rest flowfile.Extra
	for _, f := range x {
		s, ok := plainJSON(f.Value)
		if !ok || known[f.Key] || !utf8.ValidString(f.Key) {
			rest = append(rest, f)
			continue
		}
		e.key(f.Key)
		e.raw(s)
	}
	if len(rest) == 0 {
		return
	}
	e.key("_msgpack")
	e.open('[')
	for _, f := range rest {
		e.open('[')
		e.str(f.Key)
		e.base64(f.Value)
		e.close(']')
	}
	e.close(']')
}

// plainJSON returns the JSON of a msgpack value, and false if reading it again would give
// other bytes.
func plainJSON(raw string) (string, bool) {
	var r mp.Reader
	r.Reset([]byte(raw))
	e := &encoder{}
	toJSON(&r, e, 0)
	if r.Err() != nil || r.Len() != 0 {
		return "", false
	}
	var w mp.Writer
	if err := fromJSON(json.RawMessage(e.buf), &w, 0); err != nil || string(w.Bytes()) != raw {
		return "", false
	}
	return string(e.buf), true
}

var errNotJSON = errors.New("not for JSON")

const maxDepth = 30

func toJSON(r *mp.Reader, e *encoder, depth int) {
	if depth > maxDepth {
		r.Fail(errNotJSON)
		return
	}
	switch r.Kind() {
	case mp.KindNil:
		r.IsNil()
		e.raw("null")
	case mp.KindBool:
		e.bool(r.Bool())
	case mp.KindInt:
		e.int(r.Int())
	case mp.KindFloat:
		f := r.Float()
		if f-f != 0 { // NaN or infinite
			r.Fail(errNotJSON)
		}
		e.float(f)
	case mp.KindStr:
		s := r.Str()
		if !utf8.ValidString(s) {
			r.Fail(errNotJSON)
			return
		}
		e.str(s)
	case mp.KindArray:
		e.open('[')
		for n := r.ArrayLen(); n > 0 && r.Err() == nil; n-- {
			toJSON(r, e, depth+1)
		}
		e.close(']')
	case mp.KindMap:
		e.open('{')
		for n := r.MapLen(); n > 0 && r.Err() == nil; n-- {
			if r.Kind() != mp.KindStr {
				r.Fail(errNotJSON)
				return
			}
			k := r.Str()
			if !utf8.ValidString(k) {
				r.Fail(errNotJSON)
				return
			}
			e.key(k)
			toJSON(r, e, depth+1)
		}
		e.close('}')
	default:
		r.Fail(errNotJSON)
	}
}

// fromJSON converts the value of an unknown key to msgpack.
func fromJSON(raw json.RawMessage, w *mp.Writer, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deeply")
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return errors.New("no value")
	}
	switch raw[0] {
	case 'n':
		w.Nil()
	case 't', 'f':
		w.Bool(raw[0] == 't')
	case '"':
		s, err := unquote(raw)
		if err != nil {
			return err
		}
		w.Str(s)
	case '[':
		items, err := elements(raw)
		if err != nil {
			return err
		}
		w.ArrayLen(len(items))
		for _, x := range items {
			if err := fromJSON(x, w, depth+1); err != nil {
				return err
			}
		}
	case '{':
		members, err := members(raw)
		if err != nil {
			return err
		}
		w.MapLen(len(members))
		for _, m := range members {
			w.Str(m.key)
			if err := fromJSON(m.value, w, depth+1); err != nil {
				return err
			}
		}
	default:
		s := string(raw)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			w.Int(n)
			return nil
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return err
		}
		if !strings.ContainsAny(s, ".eE") { // a whole number beyond 64 bits: as metadata has it
			w.MapLen(1)
			w.Nil()
			w.Str(s)
			return nil
		}
		w.Float(f)
	}
	return nil
}

// compactJSON returns s without white space if it is JSON of one line's worth.
func compactJSON(s string) (string, bool) {
	t := strings.TrimLeft(s, " \t\r\n")
	if t == "" || t[0] != '{' && t[0] != '[' {
		return "", false
	}
	var b bytes.Buffer
	if json.Compact(&b, []byte(s)) != nil {
		return "", false
	}
	return b.String(), true
}

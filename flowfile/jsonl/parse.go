package jsonl

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/mp"
)

// member is one key of an object with its value.
type member struct {
	key   string
	value json.RawMessage
}

// members returns the members of an object in their order.
func members(raw json.RawMessage) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, errors.New("an object is wanted")
	}
	var ms []member
	for dec.More() {
		k, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: k.(string)}
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one value on the line")
	}
	return ms, nil
}

func elements(raw json.RawMessage) ([]json.RawMessage, error) {
	var items []json.RawMessage
	return items, into(raw, &items)
}

func into(raw json.RawMessage, v any) error { return json.Unmarshal(raw, v) }

func unquote(raw json.RawMessage) (string, error) {
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// parser remembers the first error, with the path of keys to it.
type parser struct {
	err  error
	path []string
}

func (p *parser) fail(err error) {
	switch {
	case p.err != nil || err == nil:
	case len(p.path) == 0:
		p.err = err
	default:
		p.err = fmt.Errorf("%s: %w", strings.Join(p.path, "."), err)
	}
}

// object calls f with each known member, and returns the others.
func (p *parser) object(raw json.RawMessage, known map[string]bool, f func(key string, v json.RawMessage)) flowfile.Extra {
	ms, err := members(raw)
	p.fail(err)
	var extra flowfile.Extra
	for _, m := range ms {
		if p.err != nil {
			return nil
		}
		p.path = append(p.path, m.key)
		switch {
		case m.key == "_msgpack":
			extra = append(extra, p.msgpack(m.value)...)
		case known[m.key]:
			if string(m.value) != "null" || m.key == "body" {
				f(m.key, m.value)
			}
		default:
			var w mp.Writer
			p.fail(fromJSON(m.value, &w, 0))
			extra = append(extra, flowfile.ExtraField{Key: m.key, Value: string(w.Bytes())})
		}
		p.path = p.path[:len(p.path)-1]
	}
	return extra
}

func (p *parser) msgpack(raw json.RawMessage) flowfile.Extra {
	items, err := elements(raw)
	p.fail(err)
	var extra flowfile.Extra
	for _, x := range items {
		kv, err := elements(x)
		if err != nil || len(kv) != 2 {
			p.fail(errors.New("a pair of key and base64 is wanted"))
			return nil
		}
		value := p.base64(kv[1])
		var r mp.Reader
		r.Reset([]byte(value))
		if r.Skip(); r.Err() != nil || r.Len() != 0 {
			p.fail(errors.New("not one msgpack value"))
		}
		extra = append(extra, flowfile.ExtraField{Key: p.str(kv[0]), Value: value})
	}
	return extra
}

// str reads a string, or {"base64": …}.
func (p *parser) str(raw json.RawMessage) string {
	if len(raw) > 0 && raw[0] == '{' {
		var x struct{ Base64 *string }
		p.fail(into(raw, &x))
		if x.Base64 == nil {
			p.fail(errors.New(`a string or {"base64": …} is wanted`))
			return ""
		}
		b, err := base64.StdEncoding.DecodeString(*x.Base64)
		p.fail(err)
		return string(b)
	}
	s, err := unquote(raw)
	p.fail(err)
	return s
}

func (p *parser) base64(raw json.RawMessage) string {
	s, err := unquote(raw)
	p.fail(err)
	b, err := base64.StdEncoding.DecodeString(s)
	p.fail(err)
	return string(b)
}

func (p *parser) int(raw json.RawMessage) int64 {
	var n int64
	p.fail(into(raw, &n))
	return n
}

func (p *parser) bool(raw json.RawMessage) bool {
	var b bool
	p.fail(into(raw, &b))
	return b
}

func (p *parser) time(raw json.RawMessage) flowfile.Time {
	t, err := time.Parse(time.RFC3339Nano, p.str(raw))
	p.fail(err)
	if err == nil && (t.Year() < 1678 || t.Year() > 2261) {
		p.fail(fmt.Errorf("the year %d cannot be kept in nanoseconds", t.Year()))
		return 0
	}
	return flowfile.TimeOf(t)
}

func (p *parser) strs(raw json.RawMessage) []string {
	items, err := elements(raw)
	p.fail(err)
	var ss []string
	for _, x := range items {
		ss = append(ss, p.str(x))
	}
	return ss
}

func (p *parser) ints(raw json.RawMessage) []int64 {
	var ns []int64
	p.fail(into(raw, &ns))
	return ns
}

func (p *parser) fields(raw json.RawMessage) []flowfile.Field {
	items, err := elements(raw)
	p.fail(err)
	var fs []flowfile.Field
	for _, x := range items {
		kv, err := elements(x)
		if err != nil || len(kv) != 2 {
			p.fail(errors.New("a pair of name and value is wanted"))
			return nil
		}
		fs = append(fs, flowfile.Field{Name: p.str(kv[0]), Value: p.str(kv[1])})
	}
	return fs
}

func (p *parser) body(raw json.RawMessage) flowfile.Body {
	if string(raw) == "null" {
		return flowfile.Body{}
	}
	var x struct {
		Text      *string
		Base64    *string
		Truncated bool
		Total     *int64
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	p.fail(dec.Decode(&x))
	var b flowfile.Body
	switch {
	case x.Base64 != nil:
		data, err := base64.StdEncoding.DecodeString(*x.Base64)
		p.fail(err)
		b = flowfile.BytesBody(data)
	case x.Text != nil:
		b = flowfile.StringBody(*x.Text)
	case x.Truncated:
		b = flowfile.StringBody("")
	default:
		p.fail(errors.New("text, base64 or null is wanted"))
	}
	if !x.Truncated {
		return b
	}
	if x.Total == nil {
		return b.Truncate(-1)
	}
	return b.Truncate(*x.Total)
}

func (p *parser) addr(raw json.RawMessage) *flowfile.Addr {
	items, err := elements(raw)
	if err != nil || len(items) < 2 {
		p.fail(errors.New("an address is [host, port]"))
		return nil
	}
	a := &flowfile.Addr{Host: p.str(items[0]), Port: int(p.int(items[1]))}
	for _, x := range items[2:] {
		a.Extra = append(a.Extra, p.int(x))
	}
	return a
}

// value reads metadata.
func (p *parser) value(raw json.RawMessage, depth int) any {
	if depth > maxDepth {
		p.fail(errors.New("nested too deeply"))
		return nil
	}
	switch raw[0] {
	case 'n':
		return nil
	case 't', 'f':
		return raw[0] == 't'
	case '"':
		return p.str(raw)
	case '[':
		items, err := elements(raw)
		p.fail(err)
		l := flowfile.List{}
		for _, x := range items {
			l = append(l, p.value(x, depth+1))
		}
		return l
	case '{':
		return p.mapping(raw, depth)
	}
	return p.number(string(raw))
}

func (p *parser) number(s string) any {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		return flowfile.BigInt(s)
	}
	f, err := strconv.ParseFloat(s, 64)
	p.fail(err)
	return f
}

func (p *parser) mapping(raw json.RawMessage, depth int) any {
	ms, err := members(raw)
	p.fail(err)
	if len(ms) == 1 && special(ms[0].key) {
		return p.special(ms[0], depth)
	}
	out := flowfile.Map{}
	for _, m := range ms {
		out = append(out, flowfile.MapEntry{Key: m.key, Value: p.value(m.value, depth+1)})
	}
	return out
}

func (p *parser) special(m member, depth int) any {
	switch m.key {
	case "base64":
		return flowfile.Bytes(p.base64(m.value))
	case "float":
		switch p.str(m.value) {
		case "inf":
			return math.Inf(1)
		case "-inf":
			return math.Inf(-1)
		}
		return math.NaN()
	}
	items, err := elements(m.value)
	p.fail(err)
	out := flowfile.Map{}
	for _, x := range items {
		kv, err := elements(x)
		if err != nil || len(kv) != 2 {
			p.fail(errors.New("a pair of key and value is wanted"))
			return out
		}
		out = append(out, flowfile.MapEntry{Key: p.str(kv[0]), Value: p.value(kv[1], depth+1)})
	}
	return out
}

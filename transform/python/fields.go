package python

import (
	"fmt"
	"math"

	"flowkit/flowfile"
	"flowkit/transform/script"
)

// fieldsOf takes the values of a tuple one by one; the first that is not what it should be
// is err.
type fieldsOf struct {
	t   tuple
	pos int
	err error
}

func (f *fieldsOf) value() any {
	if f.err != nil {
		return nil
	}
	if f.pos >= len(f.t) {
		f.err = errMarshal
		return nil
	}
	v := f.t[f.pos]
	f.pos++
	return v
}

func (f *fieldsOf) wrong(want string, v any) {
	if f.err == nil {
		f.err = fmt.Errorf("%w: %T where %s belongs", errMarshal, v, want)
	}
}

func (f *fieldsOf) text() string {
	v := f.value()
	s, ok := v.(string)
	if !ok {
		f.wrong("text", v)
	}
	return s
}

func (f *fieldsOf) textOrEmpty() string {
	v := f.value()
	s, ok := v.(string)
	if !ok && v != nil {
		f.wrong("text", v)
	}
	return s
}

func (f *fieldsOf) bytes() string {
	v := f.value()
	s, ok := v.(flowfile.Bytes)
	if !ok && v != nil {
		f.wrong("bytes", v)
	}
	return string(s)
}

func (f *fieldsOf) int() int64 {
	v := f.value()
	n, ok := v.(int64)
	if !ok && v != nil {
		if b, is := v.(bool); is && b {
			return 1
		} else if is {
			return 0
		}
		f.wrong("a whole number", v)
	}
	return n
}

func (f *fieldsOf) bool() bool {
	v := f.value()
	b, ok := v.(bool)
	if !ok && v != nil {
		f.wrong("a truth value", v)
	}
	return b
}

func (f *fieldsOf) time() flowfile.Time {
	switch v := f.value().(type) {
	case nil:
	case int64:
		return flowfile.TimeFromSeconds(float64(v))
	case float64:
		if !math.IsNaN(v) {
			return flowfile.TimeFromSeconds(v)
		}
	default:
		f.wrong("a time", v)
	}
	return 0
}

func (f *fieldsOf) tuple() tuple {
	v := f.value()
	switch t := v.(type) {
	case tuple:
		return t
	case flowfile.List:
		return tuple(t)
	case nil:
		return nil
	}
	f.wrong("a tuple", v)
	return nil
}

func (f *fieldsOf) list() []any { return f.tuple() }

func (f *fieldsOf) headers() []flowfile.Field {
	t := f.tuple()
	fields := make([]flowfile.Field, 0, len(t))
	for _, v := range t {
		pair, ok := v.(tuple)
		if !ok {
			f.wrong("a header", v)
			return nil
		}
		p := fieldsOf{t: pair}
		fields = append(fields, flowfile.Field{Name: p.bytes(), Value: p.bytes()})
		if p.err != nil {
			f.err = p.err
		}
	}
	return fields
}

// splice changes headers: some stay at the start, some at the end, and what is between is
// new.
func (f *fieldsOf) splice(h *flowfile.Headers) {
	t := f.tuple()
	x := fieldsOf{t: t}
	start, end := int(x.int()), int(x.int())
	old := h.Fields()
	if x.err != nil || start < 0 || end < 0 || start+end > len(old) {
		f.wrong("headers", t)
		return
	}
	between := fieldsOf{t: tuple{t[2:]}}
	fields := make([]flowfile.Field, 0, start+end+len(t)-2)
	fields = append(append(append(fields, old[:start]...), between.headers()...), old[len(old)-end:]...)
	if between.err != nil {
		f.err = between.err
		return
	}
	h.Replace(fields)
}

// readyOf reads a READY frame.
func readyOf(v any) (*ready, error) {
	m, ok := v.(flowfile.Map)
	if !ok {
		return nil, fmt.Errorf("ready: %w", errMarshal)
	}
	get := func(key string) any {
		v, _ := m.Get(key)
		return v
	}
	r := &ready{options: make(map[string][]script.Option)}
	r.python, _ = get("python").(string)
	r.failed, _ = get("failed").(bool)
	r.missing, _ = get("missing").(string)
	if n, ok := get("format").(int64); ok {
		r.format = int(n)
	}
	for _, v := range listOf(get("hooks")) {
		r.hooks = append(r.hooks, textsOf(v))
	}
	r.eras = textsOf(get("eras"))
	r.parallel = textsOf(get("parallel"))
	for _, v := range listOf(get("asserted")) {
		b, _ := v.(bool)
		r.asserted = append(r.asserted, b)
	}
	for _, v := range listOf(get("options")) {
		f := fieldsOf{t: listOf(v)}
		name, o := f.text(), script.Option{}
		o.Name, o.Type, o.Default, o.Help = f.text(), f.text(), f.text(), f.text()
		if f.err != nil {
			return nil, fmt.Errorf("ready: %w", f.err)
		}
		r.options[name] = append(r.options[name], o)
	}
	if len(r.eras) != len(r.hooks) || len(r.parallel) != len(r.hooks) || len(r.asserted) != len(r.hooks) {
		return nil, fmt.Errorf("ready: %w", errMarshal)
	}
	return r, nil
}

func listOf(v any) tuple {
	switch t := v.(type) {
	case tuple:
		return t
	case flowfile.List:
		return tuple(t)
	}
	return nil
}

func textsOf(v any) []string {
	var all []string
	for _, x := range listOf(v) {
		s, _ := x.(string)
		all = append(all, s)
	}
	return all
}

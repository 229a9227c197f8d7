package flowfile

import (
	"slices"
	"strings"
)

// Field is one header or trailer line: the bytes of its name and of its value, as they
// were on the wire.
type Field struct{ Name, Value string }

// Headers is an ordered list of fields. Names compare without case (ASCII). The zero
// value is empty and ready.
type Headers struct {
	fields  []Field
	changed bool
}

// NewHeaders returns headers that hold fields; it keeps the slice.
func NewHeaders(fields []Field) Headers { return Headers{fields: fields} }

// Fields returns the list; the caller must not change it.
func (h *Headers) Fields() []Field { return h.fields }

// Len returns the number of fields.
func (h *Headers) Len() int { return len(h.fields) }

// Get returns the first value of name, "" if there is none.
func (h *Headers) Get(name string) string {
	v, _ := h.Lookup(name)
	return v
}

// Lookup returns the first value of name and whether there is one.
func (h *Headers) Lookup(name string) (string, bool) {
	for i := range h.fields {
		if EqualFold(h.fields[i].Name, name) {
			return h.fields[i].Value, true
		}
	}
	return "", false
}

// Values returns all values of name, in order.
func (h *Headers) Values(name string) []string {
	var vs []string
	for i := range h.fields {
		if EqualFold(h.fields[i].Name, name) {
			vs = append(vs, h.fields[i].Value)
		}
	}
	return vs
}

// Set gives name one value: the first field of that name keeps its place and its
// spelling, the others are removed; without one a field is added at the end.
func (h *Headers) Set(name, value string) {
	out := make([]Field, 0, len(h.fields)+1)
	found := false
	for _, f := range h.fields {
		switch {
		case !EqualFold(f.Name, name):
			out = append(out, f)
		case !found:
			out, found = append(out, Field{f.Name, value}), true
		}
	}
	if !found {
		out = append(out, Field{name, value})
	}
	h.fields, h.changed = out, true
}

// Add appends a field.
func (h *Headers) Add(name, value string) {
	h.fields = append(slices.Clip(h.fields), Field{name, value})
	h.changed = true
}

// Del removes all fields of name and tells whether there was one.
func (h *Headers) Del(name string) bool {
	out := make([]Field, 0, len(h.fields))
	for _, f := range h.fields {
		if !EqualFold(f.Name, name) {
			out = append(out, f)
		}
	}
	if len(out) == len(h.fields) {
		return false
	}
	h.fields, h.changed = out, true
	return true
}

// Replace puts fields in place of all; it keeps the slice.
func (h *Headers) Replace(fields []Field) { h.fields, h.changed = fields, true }

// Size returns the bytes that the fields take as HTTP/1 lines ("name: value\r\n").
func (h *Headers) Size() int {
	n := 0
	for i := range h.fields {
		n += len(h.fields[i].Name) + len(h.fields[i].Value) + 4
	}
	return n
}

func (h *Headers) clone() Headers {
	fields := make([]Field, len(h.fields))
	for i, f := range h.fields {
		fields[i] = Field{strings.Clone(f.Name), strings.Clone(f.Value)}
	}
	if h.fields == nil {
		fields = nil
	}
	return Headers{fields: fields, changed: h.changed}
}

// EqualFold compares two header names: ASCII letters without case, all else exactly
// (RFC 9110 §5.1), also where they are not UTF-8.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		x |= 0x20
		if x != y|0x20 || x < 'a' || x > 'z' {
			return false
		}
	}
	return true
}

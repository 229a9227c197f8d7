package har

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/jsonw"
)

// kind is the kind of a JSON value.
type kind uint8

const (
	absent kind = iota // of a member that is not there
	null
	boolean
	number
	text
	array
	object
)

// value is a JSON value. A string is UTF-8, but for bytes that were none in the file and
// for halves of surrogate pairs, which are what they would be in UTF-8.
type value struct {
	kind  kind
	s     string           // boolean, number: as in the file; text: decoded
	long  flowfile.Content // of a text that is too long for memory, in place of s
	off   int              // text: place of the opening quote, within 2 GiB
	hole  int              // text: 1 + the part of the body that belongs here, 0 if none
	items []member         // array, object
}

// member is a member of an object or, without a key, an element of an array.
type member struct {
	key string
	value
}

var none = &value{}

// get returns the last member of that name; of no object, none.
func (v *value) get(key string) *value {
	if v.kind == object {
		for i := len(v.items) - 1; i >= 0; i-- {
			if v.items[i].key == key {
				return &v.items[i].value
			}
		}
	}
	return none
}

// at is get along a path.
func (v *value) at(path ...string) *value {
	for _, k := range path {
		v = v.get(k)
	}
	return v
}

func (v *value) is(k kind) bool { return v.kind == k }

// some tells whether it is there and not null.
func (v *value) some() bool { return v.kind > null }

// str returns a text, or a number or boolean as text; "" for all else.
func (v *value) str() string {
	switch v.kind {
	case text, number, boolean:
		return v.s
	}
	return ""
}

// float returns a number, also one that is written as text.
func (v *value) float() (float64, bool) {
	if v.kind != number && v.kind != text {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v.s), 64)
	return f, err == nil && f-f == 0
}

// int returns a whole number, also one that is written as text; -1 for all else.
func (v *value) int() int64 {
	f, ok := v.float()
	if !ok || f < -1<<53 || f > 1<<53 {
		return -1
	}
	return int64(f)
}

// true tells whether it is the boolean true.
func (v *value) true() bool { return v.kind == boolean && v.s == "true" }

// head builds the JSON of values with holes where bodies belong.
type head struct {
	buf   []byte
	holes []flowfile.Hole
	over  bool  // a text was too long
	err   error // a long text could not be read
}

func (h *head) raw(s string) { h.buf = append(h.buf, s...) }

func (h *head) key(k string) {
	h.buf = append(h.buf, '"')
	h.buf = appendText(h.buf, k)
	h.buf = append(h.buf, '"', ':')
}

func (h *head) value(v *value) {
	switch v.kind {
	case absent, null:
		h.raw("null")
	case boolean, number:
		h.raw(v.s)
	case text:
		h.text(v)
	case array:
		h.raw("[")
		for i := range v.items {
			if i > 0 {
				h.raw(",")
			}
			h.value(&v.items[i].value)
		}
		h.raw("]")
	case object:
		h.raw("{")
		for i := range v.items {
			if i > 0 {
				h.raw(",")
			}
			h.key(v.items[i].key)
			h.value(&v.items[i].value)
		}
		h.raw("}")
	}
}

func (h *head) text(v *value) {
	h.raw(`"`)
	switch {
	case v.hole > 0:
		h.holes = append(h.holes, flowfile.Hole{Pos: len(h.buf), Part: v.hole - 1})
	case v.long != nil && v.long.Size() > maxKept:
		h.over = true
	case v.long != nil:
		b, err := flowfile.ContentBody(v.long).Bytes(-1)
		if h.err == nil {
			h.err = err
		}
		h.buf = appendText(h.buf, string(b))
	default:
		h.buf = appendText(h.buf, v.s)
	}
	h.raw(`"`)
}

// appendText appends s as the inside of a JSON string: jsonw.AppendEscaped, but for halves
// of surrogate pairs, which are escaped again.
func appendText(b []byte, s string) []byte {
	for {
		i := surrogate(s)
		if i < 0 {
			return jsonw.AppendEscaped(b, s)
		}
		b = jsonw.AppendEscaped(b, s[:i])
		r := rune(s[i]&0x0f)<<12 | rune(s[i+1]&0x3f)<<6 | rune(s[i+2]&0x3f)
		b = append(b, `\u`...)
		b = strconv.AppendInt(b, int64(r), 16)
		s = s[i+3:]
	}
}

// surrogate returns where the first half of a surrogate pair is in s, -1 if nowhere.
func surrogate(s string) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], 0xed)
		if i < 0 {
			return -1
		}
		i += from
		if len(s) >= i+3 && s[i+1]&0xe0 == 0xa0 && s[i+2]&0xc0 == 0x80 {
			return i
		}
		from = i + 1
	}
}

// clean replaces halves of surrogate pairs, as browsers do where they make bytes of text.
func clean(s string) string {
	if surrogate(s) < 0 {
		return s
	}
	var b strings.Builder
	for {
		i := surrogate(s)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		b.WriteRune(utf8.RuneError)
		s = s[i+3:]
	}
}

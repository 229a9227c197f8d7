package lib

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// JSONError is a mistake in a JSON text. Line and Column count from 1, Column in
// characters and Offset in bytes.
type JSONError struct {
	Msg                  string
	Line, Column, Offset int
}

func (e *JSONError) Error() string {
	return fmt.Sprintf("%s: line %d column %d (byte %d)", e.Msg, e.Line, e.Column, e.Offset)
}

// jsonDecoder reads what Python's json.loads reads, which beyond RFC 8259 is NaN
// and the two infinities. Strings without escapes share the memory of the input.
//
// The decoder is written by hand since the standard library's tokens, outside
// the jsonv2 experiment, are slower than a whole decode here.
type jsonDecoder struct {
	src    string
	pos    int
	strict bool // no control characters in strings
	stack  []starlark.Value
	keys   [64]starlark.Value // recent keys, so that equal ones share a value
}

// decodeJSON decodes one value with nothing after it. Bytes may be UTF-8, with
// or without a byte order mark, UTF-16 or UTF-32.
func decodeJSON(s string, isBytes, strict bool) (starlark.Value, error) {
	d := &jsonDecoder{src: s, strict: strict}
	if isBytes {
		text, err := jsonText(s)
		if err != nil {
			return nil, err
		}
		d.src = text
	} else if strings.HasPrefix(s, "\ufeff") {
		return nil, d.fail(0, "Unexpected UTF-8 BOM (pass bytes to have it skipped)")
	}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	d.space()
	if d.pos < len(d.src) {
		return nil, d.fail(d.pos, "Extra data")
	}
	return v, nil
}

// jsonText finds the encoding by the zero bytes around the first character,
// which is always ASCII.
func jsonText(b string) (string, error) {
	const fn = "decode"
	switch {
	case strings.HasPrefix(b, "\xef\xbb\xbf"):
		return decodeUTF8(fn, b[3:], strict)
	case strings.HasPrefix(b, "\xff\xfe\x00\x00"):
		return decodeUTF32(b[4:], binary.LittleEndian)
	case strings.HasPrefix(b, "\x00\x00\xfe\xff"):
		return decodeUTF32(b[4:], binary.BigEndian)
	case strings.HasPrefix(b, "\xff\xfe"):
		return decodeUTF16(fn, b[2:], binary.LittleEndian, strict)
	case strings.HasPrefix(b, "\xfe\xff"):
		return decodeUTF16(fn, b[2:], binary.BigEndian, strict)
	case len(b) >= 4 && b[0] == 0 && b[1] == 0:
		return decodeUTF32(b, binary.BigEndian)
	case len(b) >= 2 && b[0] == 0:
		return decodeUTF16(fn, b, binary.BigEndian, strict)
	case len(b) >= 4 && b[1] == 0 && b[2] == 0:
		return decodeUTF32(b, binary.LittleEndian)
	case len(b) >= 2 && b[1] == 0:
		return decodeUTF16(fn, b, binary.LittleEndian, strict)
	}
	return decodeUTF8(fn, b, strict)
}

func decodeUTF32(b string, order binary.ByteOrder) (string, error) {
	var out []byte
	for i := 0; i < len(b); i += 4 {
		if len(b)-i < 4 {
			return "", fmt.Errorf("decode: 'utf-32' codec can't decode bytes in position %d: truncated data", i)
		}
		r := order.Uint32(Bytes(b[i:]).View())
		if r > utf8.MaxRune || utf16.IsSurrogate(rune(r)) {
			return "", fmt.Errorf("decode: 'utf-32' codec can't decode bytes in position %d: code point not in range(0x110000)", i)
		}
		out = utf8.AppendRune(out, rune(r))
	}
	return string(BytesView(out)), nil
}

func (d *jsonDecoder) fail(offset int, format string, args ...any) error {
	before := d.src[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return &JSONError{
		Msg:    fmt.Sprintf(format, args...),
		Line:   1 + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[start:]),
		Offset: offset,
	}
}

func (d *jsonDecoder) space() {
	for d.pos < len(d.src) {
		switch d.src[d.pos] {
		case ' ', '\n', '\r', '\t':
			d.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end.
func (d *jsonDecoder) peek() byte {
	if d.pos < len(d.src) {
		return d.src[d.pos]
	}
	return 0
}

func (d *jsonDecoder) value(depth int) (starlark.Value, error) {
	if depth > maxDepth {
		return nil, d.fail(d.pos, "Nested more than %d deep", maxDepth)
	}
	switch c := d.peek(); c {
	case '"':
		s, err := d.string()
		if err != nil {
			return nil, err
		}
		return starlark.String(s), nil
	case '{':
		return d.object(depth)
	case '[':
		return d.array(depth)
	case 't':
		return d.word("true", starlark.True)
	case 'f':
		return d.word("false", starlark.False)
	case 'n':
		return d.word("null", starlark.None)
	case 'N':
		return d.word("NaN", starlark.Float(math.NaN()))
	case 'I':
		return d.word("Infinity", starlark.Float(math.Inf(1)))
	default:
		return d.number()
	}
}

func (d *jsonDecoder) word(word string, v starlark.Value) (starlark.Value, error) {
	if !strings.HasPrefix(d.src[d.pos:], word) {
		return nil, d.fail(d.pos, "Expecting value")
	}
	d.pos += len(word)
	return v, nil
}

// array gathers the elements on the stack, to allocate just what they need.
func (d *jsonDecoder) array(depth int) (starlark.Value, error) {
	d.pos++
	d.space()
	if d.peek() == ']' {
		d.pos++
		return starlark.NewList(nil), nil
	}
	base := len(d.stack)
	for {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.stack = append(d.stack, v)
		d.space()
		switch d.peek() {
		case ',':
			comma := d.pos
			d.pos++
			d.space()
			if d.peek() == ']' {
				return nil, d.fail(comma, "Illegal trailing comma before end of array")
			}
		case ']':
			d.pos++
			elems := append([]starlark.Value(nil), d.stack[base:]...)
			d.stack = d.stack[:base]
			return starlark.NewList(elems), nil
		default:
			return nil, d.fail(d.pos, "Expecting ',' delimiter")
		}
	}
}

func (d *jsonDecoder) object(depth int) (starlark.Value, error) {
	d.pos++
	d.space()
	if d.peek() == '}' {
		d.pos++
		return new(starlark.Dict), nil
	}
	base := len(d.stack)
	for {
		if d.peek() != '"' {
			return nil, d.fail(d.pos, "Expecting property name enclosed in double quotes")
		}
		k, err := d.string()
		if err != nil {
			return nil, err
		}
		d.space()
		if d.peek() != ':' {
			return nil, d.fail(d.pos, "Expecting ':' delimiter")
		}
		d.pos++
		d.space()
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.stack = append(d.stack, d.key(k), v)
		d.space()
		switch d.peek() {
		case ',':
			comma := d.pos
			d.pos++
			d.space()
			if d.peek() == '}' {
				return nil, d.fail(comma, "Illegal trailing comma before end of object")
			}
		case '}':
			d.pos++
			return d.dict(base)
		default:
			return nil, d.fail(d.pos, "Expecting ',' delimiter")
		}
	}
}

// dict makes a dict of the keys and values on the stack from base on.
func (d *jsonDecoder) dict(base int) (starlark.Value, error) {
	members := d.stack[base:]
	// A dict grows before it takes one more than it was made for, so one less
	// will do, and eight members stay in the dict's own memory.
	dict := starlark.NewDict(len(members)/2 - 1)
	for i := 0; i < len(members); i += 2 {
		if err := dict.SetKey(members[i], members[i+1]); err != nil {
			return nil, err
		}
	}
	d.stack = d.stack[:base]
	return dict, nil
}

// key returns k as a value, the same one as before if k came up recently.
func (d *jsonDecoder) key(k string) starlark.Value {
	if k == "" || len(k) > 32 {
		return starlark.String(k)
	}
	slot := &d.keys[(len(k)*31+int(k[0])*7+int(k[len(k)-1]))%len(d.keys)]
	if old, ok := (*slot).(starlark.String); ok && string(old) == k {
		return *slot
	}
	*slot = starlark.String(k)
	return *slot
}

// string reads a string at its opening quote.
func (d *jsonDecoder) string() (string, error) {
	start := d.pos + 1
	for i := start; i < len(d.src); i++ {
		switch c := d.src[i]; {
		case c == '"':
			d.pos = i + 1
			return d.src[start:i], nil
		case c == '\\':
			return d.escaped(start, i)
		case c < ' ' && d.strict:
			return "", d.fail(i, "Invalid control character at")
		}
	}
	return "", d.fail(d.pos, "Unterminated string starting at")
}

// escaped reads a string from its first backslash, at i, on.
func (d *jsonDecoder) escaped(start, i int) (string, error) {
	out := append(make([]byte, 0, len(d.src[start:i])+32), d.src[start:i]...)
	for i < len(d.src) {
		c := d.src[i]
		switch {
		case c == '"':
			d.pos = i + 1
			return string(out), nil
		case c < ' ' && d.strict:
			return "", d.fail(i, "Invalid control character at")
		case c != '\\':
			out = append(out, c)
			i++
			continue
		}
		if i+1 == len(d.src) {
			break
		}
		switch c := d.src[i+1]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(d.src, i+2)
			if !ok {
				return "", d.fail(i+1, `Invalid \uXXXX escape`)
			}
			i += 4
			if utf16.IsSurrogate(r) {
				var n int
				out, n = d.surrogate(out, r, i+2)
				i += n
			} else {
				out = utf8.AppendRune(out, r)
			}
		default:
			return "", d.fail(i, `Invalid \escape`)
		}
		i += 2
	}
	return "", d.fail(start-1, "Unterminated string starting at")
}

// surrogate appends the character of which r is one half, and returns how much
// of the input at i was its other half. Alone, r stays as it is, in the form
// that the encoder turns back into the same escape.
func (d *jsonDecoder) surrogate(out []byte, r rune, i int) ([]byte, int) {
	if strings.HasPrefix(d.src[i:], `\u`) {
		if low, ok := hex4(d.src, i+2); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return utf8.AppendRune(out, full), 6
			}
		}
	}
	return appendSurrogate(out, r), 0
}

func hex4(s string, i int) (r rune, ok bool) {
	if len(s)-i < 4 {
		return 0, false
	}
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// maxDigits is Python's limit on integers, whose conversion takes more than
// linear time.
const maxDigits = 4300

func (d *jsonDecoder) number() (starlark.Value, error) {
	start, i := d.pos, d.pos
	src := d.src
	if i < len(src) && src[i] == '-' {
		i++
		if strings.HasPrefix(src[i:], "Infinity") {
			d.pos = i + len("Infinity")
			return starlark.Float(math.Inf(-1)), nil
		}
	}
	first := i
	for i < len(src) && isDigit(src[i]) {
		i++
	}
	if i == first {
		return nil, d.fail(start, "Expecting value")
	}
	if src[first] == '0' {
		i = first + 1 // as in Python, 01 is 0 and then extra data
	}
	digits, isFloat := i-first, false
	if i+1 < len(src) && src[i] == '.' && isDigit(src[i+1]) {
		isFloat = true
		for i++; i < len(src) && isDigit(src[i]); i++ {
		}
	}
	if i < len(src) && src[i]|0x20 == 'e' {
		j := i + 1
		if j < len(src) && (src[j] == '+' || src[j] == '-') {
			j++
		}
		if j < len(src) && isDigit(src[j]) {
			isFloat = true
			for i = j; i < len(src) && isDigit(src[i]); i++ {
			}
		}
	}
	d.pos = i
	switch {
	case isFloat:
		f, _ := strconv.ParseFloat(src[start:i], 64) // out of range is an infinity
		return starlark.Float(f), nil
	case digits <= 18:
		n, _ := strconv.ParseInt(src[start:i], 10, 64) // fits
		return starlark.MakeInt64(n), nil
	case digits > maxDigits:
		return nil, d.fail(start, "Integer of %d digits exceeds the limit of %d", digits, maxDigits)
	}
	n, _ := new(big.Int).SetString(src[start:i], 10) // digits only
	return starlark.MakeBigInt(n), nil
}

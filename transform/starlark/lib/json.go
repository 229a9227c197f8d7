package lib

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// maxDepth bounds the nesting of what json reads and writes.
const maxDepth = 512

// newJSON returns the json module. encode and decode are starlark-go's names.
func newJSON() *starlarkstruct.Module {
	loads := func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s textArg
		strict := true
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "s", &s, "strict?", &strict); err != nil {
			return nil, err
		}
		v, err := decodeJSON(s.s, s.isBytes, strict)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.Name(), err)
		}
		return v, nil
	}
	buffers := &sync.Pool{New: func() any { return new([]byte) }}
	dumps := func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		buf := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		return jsonDumps(thread, b.Name(), buf, args, kwargs)
	}
	return &starlarkstruct.Module{Name: "json", Members: starlark.StringDict{
		"decode": starlark.NewBuiltin("json.decode", loads),
		"dumps":  starlark.NewBuiltin("json.dumps", dumps),
		"encode": starlark.NewBuiltin("json.encode", dumps),
		"loads":  starlark.NewBuiltin("json.loads", loads),
	}}
}

// maxBuffer is the largest buffer kept for the next call.
const maxBuffer = 1 << 20

// jsonDumps encodes into buf and returns a copy.
func jsonDumps(thread *starlark.Thread, fn string, buf *[]byte, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v, indent, separators starlark.Value
	e := jsonEncoder{out: (*buf)[:0], ascii: true, nan: true, thread: thread}
	if err := starlark.UnpackArgs(fn, args, kwargs, "obj", &v, "indent?", &indent, "sort_keys?", &e.sorted,
		"separators?", &separators, "ensure_ascii?", &e.ascii, "allow_nan?", &e.nan, "skipkeys?", &e.skip, "default?", &e.dflt); err != nil {
		return nil, err
	}
	if e.dflt == starlark.None {
		e.dflt = nil
	}
	if err := e.layout(indent, separators); err != nil {
		return nil, fmt.Errorf("%s: %w", fn, err)
	}
	if err := e.value(v, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", fn, err)
	}
	if cap(e.out) <= maxBuffer {
		*buf = e.out
	}
	return starlark.String(e.out), nil
}

// jsonEncoder appends values to out in the spelling of Python's json.dumps.
type jsonEncoder struct {
	out        []byte
	comma      string
	colon      string
	indent     string
	lines      bool // one element on each line
	ascii, nan bool
	sorted     bool
	skip       bool
	dflt       starlark.Value // called with what JSON has no form for, or nil
	thread     *starlark.Thread
}

// layout applies the indent and separators arguments.
func (e *jsonEncoder) layout(indent, separators starlark.Value) error {
	e.comma, e.colon = ", ", ": "
	switch indent := indent.(type) {
	case nil, starlark.NoneType:
	case starlark.Int:
		n, err := starlark.AsInt32(indent)
		if err != nil || n > 1000 {
			return fmt.Errorf("indent %s is too large", indent)
		}
		e.indent, e.lines, e.comma = strings.Repeat(" ", max(n, 0)), true, ","
	case starlark.String:
		e.indent, e.lines, e.comma = string(indent), true, ","
	default:
		return fmt.Errorf("for parameter indent: got %s, want int, string or None", indent.Type())
	}
	switch separators := separators.(type) {
	case nil, starlark.NoneType:
		return nil
	case starlark.Indexable:
		if separators.Len() == 2 {
			comma, ok1 := separators.Index(0).(starlark.String)
			colon, ok2 := separators.Index(1).(starlark.String)
			if ok1 && ok2 {
				e.comma, e.colon = string(comma), string(colon)
				return nil
			}
		}
	}
	return errors.New("for parameter separators: want a pair of strings")
}

func (e *jsonEncoder) value(v starlark.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested more than %d deep, or circular", maxDepth)
	}
	switch v := v.(type) {
	case starlark.String:
		e.string(string(v))
	case starlark.Int:
		e.int(v)
	case starlark.NoneType:
		e.out = append(e.out, "null"...)
	case starlark.Bool:
		e.out = strconv.AppendBool(e.out, bool(v))
	case starlark.Float:
		return e.float(v)
	case *starlark.List:
		return e.array(v, depth)
	case starlark.Tuple:
		return e.array(v, depth)
	case *starlark.Dict:
		return e.object(v, depth)
	case Bytes, starlark.Bytes:
		return e.other(v, depth)
	case starlark.IterableMapping:
		return e.object(v, depth)
	case starlark.Sequence:
		return e.array(starlark.Tuple(slices.Collect(starlark.Elements(v))), depth)
	default:
		return e.other(v, depth)
	}
	return nil
}

// other asks the default function for a value that JSON can hold.
func (e *jsonEncoder) other(v starlark.Value, depth int) error {
	if e.dflt == nil {
		return fmt.Errorf("object of type %s is not JSON serializable", v.Type())
	}
	v, err := starlark.Call(e.thread, e.dflt, starlark.Tuple{v}, nil)
	if err != nil {
		return err
	}
	return e.value(v, depth+1)
}

func (e *jsonEncoder) int(v starlark.Int) {
	if n, ok := v.Int64(); ok {
		e.out = strconv.AppendInt(e.out, n, 10)
	} else {
		e.out = v.BigInt().Append(e.out, 10)
	}
}

func (e *jsonEncoder) float(v starlark.Float) error {
	f := float64(v)
	if !e.nan && (math.IsInf(f, 0) || math.IsNaN(f)) {
		return fmt.Errorf("out of range float value %s is not JSON compliant", v)
	}
	e.out = appendFloat(e.out, f)
	return nil
}

// appendFloat writes a float as Python's repr does, but for the special values
// as Python's json does.
func appendFloat(dst []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if slices.Contains(dst[start:], '.') {
		return dst
	}
	return append(dst, ".0"...)
}

// newline ends a line if there is one element on each.
func (e *jsonEncoder) newline(depth int) {
	if e.lines {
		e.out = append(e.out, '\n')
		for range depth {
			e.out = append(e.out, e.indent...)
		}
	}
}

func (e *jsonEncoder) array(list starlark.Indexable, depth int) error {
	n := list.Len()
	if n == 0 {
		e.out = append(e.out, "[]"...)
		return nil
	}
	e.out = append(e.out, '[')
	for i := range n {
		if i > 0 {
			e.out = append(e.out, e.comma...)
		}
		e.newline(depth + 1)
		if err := e.value(list.Index(i), depth+1); err != nil {
			return err
		}
	}
	e.newline(depth)
	e.out = append(e.out, ']')
	return nil
}

func (e *jsonEncoder) object(m starlark.IterableMapping, depth int) error {
	e.out = append(e.out, '{')
	start := len(e.out)
	if err := e.members(m, start, depth); err != nil {
		return err
	}
	if len(e.out) > start {
		e.newline(depth)
	}
	e.out = append(e.out, '}')
	return nil
}

func (e *jsonEncoder) members(m starlark.IterableMapping, start, depth int) (err error) {
	if d, ok := m.(*starlark.Dict); ok && !e.sorted {
		for k, v := range d.Entries() {
			if err = e.member(k, v, start, depth); err != nil {
				break
			}
		}
		return err
	}
	items := m.Items()
	if e.sorted {
		if err := sortItems(items); err != nil {
			return err
		}
	}
	for _, item := range items {
		if err := e.member(item[0], item[1], start, depth); err != nil {
			return err
		}
	}
	return nil
}

// member writes one member of an object whose contents begin at start.
func (e *jsonEncoder) member(k, v starlark.Value, start, depth int) error {
	if e.skip && !isKey(k) {
		return nil
	}
	if len(e.out) > start {
		e.out = append(e.out, e.comma...)
	}
	e.newline(depth + 1)
	if err := e.key(k); err != nil {
		return err
	}
	e.out = append(e.out, e.colon...)
	return e.value(v, depth+1)
}

func sortItems(items []starlark.Tuple) error {
	var failed error
	slices.SortStableFunc(items, func(a, b starlark.Tuple) int {
		if x, ok := a[0].(starlark.String); ok {
			if y, ok := b[0].(starlark.String); ok {
				return strings.Compare(string(x), string(y))
			}
		}
		less, err := starlark.Compare(syntax.LT, a[0], b[0])
		if err != nil {
			failed = fmt.Errorf("sort_keys: %w", err)
		}
		if less {
			return -1
		}
		if more, err := starlark.Compare(syntax.GT, a[0], b[0]); err == nil && more {
			return 1
		}
		return 0
	})
	return failed
}

func isKey(k starlark.Value) bool {
	switch k.(type) {
	case starlark.String, starlark.Int, starlark.Float, starlark.Bool, starlark.NoneType:
		return true
	}
	return false
}

// key writes a key; numbers, booleans and None become strings as in Python.
func (e *jsonEncoder) key(k starlark.Value) error {
	if s, ok := k.(starlark.String); ok {
		e.string(string(s))
		return nil
	}
	if !isKey(k) {
		return fmt.Errorf("keys must be string, int, float, bool or None, not %s", k.Type())
	}
	e.out = append(e.out, '"')
	if err := e.value(k, 0); err != nil {
		return err
	}
	e.out = append(e.out, '"')
	return nil
}

// plainASCII marks what a JSON string always shows as it is.
var plainASCII = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func (e *jsonEncoder) string(s string) {
	out := append(e.out, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainASCII[c] {
			i++
			continue
		}
		if c == 0x7f && !e.ascii {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			out = append(out, s[start:i]...)
			out = appendEscape(out, c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r, n = loneSurrogate(s[i:])
		} else if !e.ascii {
			i += n
			continue
		}
		out = append(out, s[start:i]...)
		out = appendUnicode(out, r)
		i += n
		start = i
	}
	out = append(out, s[start:]...)
	e.out = append(out, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return appendUnicode(dst, rune(c))
}

// appendUnicode writes \uXXXX, or two of them.
func appendUnicode(dst []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		dst = appendUnicode(dst, 0xd800+r>>10)
		r = 0xdc00 + r&0x3ff
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// loneSurrogate reads a surrogate in the three-byte form that the decoder leaves
// for a \ud800 without its other half. Any other broken byte is the surrogate
// that Python's surrogateescape makes of it.
func loneSurrogate(s string) (r rune, n int) {
	if len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2]&0xc0 == 0x80 {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3
	}
	return 0xdc00 | rune(s[0]), 1
}

// appendSurrogate is the inverse.
func appendSurrogate(dst []byte, r rune) []byte {
	return append(dst, 0xed, 0x80|byte(r>>6&0x3f), 0x80|byte(r&0x3f))
}

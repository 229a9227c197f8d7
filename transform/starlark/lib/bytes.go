package lib

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Bytes is an immutable byte string with Python's methods: the type of message
// bodies. The interpreter's own starlark.Bytes has no methods, so scripts never
// see it; see [RewriteBytesLiterals].
//
// As in Python an index is an int, a slice is bytes, str(b) is the b'...' form,
// and nothing converts between str and bytes silently. Methods that find nothing
// to change return the receiver's own memory.
type Bytes string

var (
	_ starlark.Comparable = Bytes("")
	_ starlark.Sliceable  = Bytes("")
	_ starlark.Sequence   = Bytes("")
	_ starlark.Container  = Bytes("")
	_ starlark.HasBinary  = Bytes("")
	_ starlark.HasAttrs   = Bytes("")
)

// BytesView returns b as a script value without copying it. The value may
// outlive the call that received it, so b must never change afterwards.
func BytesView(b []byte) Bytes { return Bytes(unsafe.String(unsafe.SliceData(b), len(b))) }

// View returns the contents without copying them. The caller must not modify
// the result.
func (b Bytes) View() []byte { return unsafe.Slice(unsafe.StringData(string(b)), len(b)) }

// String returns Python's repr: b'...'.
func (b Bytes) String() string {
	const digits = "0123456789abcdef"
	quote := byte('\'')
	if strings.IndexByte(string(b), '\'') >= 0 && strings.IndexByte(string(b), '"') < 0 {
		quote = '"'
	}
	out := make([]byte, 0, len(b)+3)
	out = append(out, 'b', quote)
	for i := range len(b) {
		switch c := b[i]; {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c < ' ' || c >= 0x7f:
			out = append(out, '\\', 'x', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return string(append(out, quote))
}

func (Bytes) Type() string            { return "bytes" }
func (Bytes) Freeze()                 {}
func (b Bytes) Truth() starlark.Bool  { return len(b) > 0 }
func (b Bytes) Hash() (uint32, error) { return starlark.Bytes(b).Hash() }
func (b Bytes) Len() int              { return len(b) }

// Index returns the byte as an int, as Python does.
func (b Bytes) Index(i int) starlark.Value { return starlark.MakeInt(int(b[i])) }

// Slice implements starlark.Sliceable.
func (b Bytes) Slice(start, end, step int) starlark.Value {
	if step == 1 {
		return b[start:end]
	}
	var out []byte
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		out = append(out, b[i])
	}
	return Bytes(out)
}

// Iterate yields ints.
func (b Bytes) Iterate() starlark.Iterator { return &bytesIterator{rest: b} }

type bytesIterator struct{ rest Bytes }

func (it *bytesIterator) Next(p *starlark.Value) bool {
	if it.rest == "" {
		return false
	}
	*p, it.rest = starlark.MakeInt(int(it.rest[0])), it.rest[1:]
	return true
}

func (*bytesIterator) Done() {}

// Has implements the in operator for a bytes or int on its left.
func (b Bytes) Has(y starlark.Value) (bool, error) {
	var sub byteOrBytes
	if err := sub.Unpack(y); err != nil {
		return false, fmt.Errorf("in bytes: %w", err)
	}
	return strings.Contains(string(b), sub.s), nil
}

// CompareSameType orders bytes; y may be of either bytes type.
func (b Bytes) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	s, _, ok := text(y)
	if !ok {
		return false, fmt.Errorf("cannot compare bytes with %s", y.Type())
	}
	cmp := strings.Compare(string(b), s)
	switch op {
	case syntax.EQL:
		return cmp == 0, nil
	case syntax.NEQ:
		return cmp != 0, nil
	case syntax.LT:
		return cmp < 0, nil
	case syntax.LE:
		return cmp <= 0, nil
	case syntax.GT:
		return cmp > 0, nil
	case syntax.GE:
		return cmp >= 0, nil
	}
	return false, fmt.Errorf("internal error: unexpected comparison %s", op)
}

// maxRepeat bounds bytes * int as the interpreter bounds str * int.
const maxRepeat = 1 << 30

// Binary implements + and *.
func (b Bytes) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	switch op {
	case syntax.PLUS:
		s, isBytes, _ := text(y)
		switch {
		case !isBytes:
			return nil, nil
		case side == starlark.Left:
			return b + Bytes(s), nil
		default:
			return Bytes(s) + b, nil
		}
	case syntax.STAR:
		n, ok := y.(starlark.Int)
		if !ok {
			return nil, nil
		}
		times, err := starlark.AsInt32(n)
		if err != nil {
			return nil, fmt.Errorf("bytes repeat: %w", err)
		}
		if times <= 0 || b == "" {
			return Bytes(""), nil
		}
		if times > maxRepeat/len(b) {
			return nil, fmt.Errorf("bytes repeat: result of %d * %d bytes is too large", len(b), times)
		}
		return Bytes(strings.Repeat(string(b), times)), nil
	}
	return nil, nil
}

func (b Bytes) Attr(name string) (starlark.Value, error) { return bytesMethods.attr(b, name) }
func (Bytes) AttrNames() []string                        { return bytesMethods.names() }

// bytesType is the builtin bytes: a constructor with the attribute fromhex.
type bytesType struct{}

var (
	_ starlark.Callable = bytesType{}
	_ starlark.HasAttrs = bytesType{}
)

func (bytesType) String() string        { return "<built-in function bytes>" }
func (bytesType) Type() string          { return "builtin_function_or_method" }
func (bytesType) Name() string          { return "bytes" }
func (bytesType) Freeze()               {}
func (bytesType) Truth() starlark.Bool  { return true }
func (bytesType) Hash() (uint32, error) { return starlark.String("bytes").Hash() }
func (bytesType) AttrNames() []string   { return []string{"fromhex"} }

func (bytesType) Attr(name string) (starlark.Value, error) {
	if name != "fromhex" {
		return nil, nil
	}
	return starlark.NewBuiltin("bytes.fromhex", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s string
		if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &s); err != nil {
			return nil, err
		}
		out, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
		if err != nil {
			return nil, fmt.Errorf("bytes.fromhex: %w", err)
		}
		return BytesView(out), nil
	}), nil
}

// CallInternal makes bytes of a str (in UTF-8 unless encoding is given), of
// bytes, or of an iterable of ints.
func (bytesType) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x starlark.Value
	var encoding, errs string
	if err := starlark.UnpackArgs("bytes", args, kwargs, "source?", &x, "encoding?", &encoding, "errors?", &errs); err != nil {
		return nil, err
	}
	if s, ok := x.(starlark.String); ok {
		return encodeText("bytes", string(s), encoding, errs)
	}
	if encoding != "" || errs != "" {
		return nil, errors.New("bytes: an encoding needs a str to encode")
	}
	if x == nil {
		return Bytes(""), nil
	}
	if s, _, ok := text(x); ok {
		return Bytes(s), nil
	}
	iterable, ok := x.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("bytes: got %s, want string, bytes or iterable of ints", x.Type())
	}
	var out []byte
	for v := range starlark.Elements(iterable) {
		var c byte
		if err := starlark.AsInt(v, &c); err != nil {
			return nil, fmt.Errorf("bytes: at index %d, %w", len(out), err)
		}
		out = append(out, c)
	}
	return BytesView(out), nil
}

// bytesArg unpacks a parameter that must be bytes.
type bytesArg struct{ s string }

// Unpack implements starlark.Unpacker.
func (a *bytesArg) Unpack(v starlark.Value) error {
	s, isBytes, _ := text(v)
	if !isBytes {
		return fmt.Errorf("got %s, want bytes", v.Type())
	}
	a.s = s
	return nil
}

// byteOrBytes unpacks a parameter that may be bytes or one byte as an int.
type byteOrBytes struct{ s string }

// Unpack implements starlark.Unpacker.
func (a *byteOrBytes) Unpack(v starlark.Value) error {
	if n, ok := v.(starlark.Int); ok {
		var c byte
		if err := starlark.AsInt(n, &c); err != nil {
			return err
		}
		a.s = string([]byte{c})
		return nil
	}
	s, isBytes, _ := text(v)
	if !isBytes {
		return fmt.Errorf("got %s, want bytes or int", v.Type())
	}
	a.s = s
	return nil
}

// affixes unpacks bytes or a tuple of them, for startswith and endswith.
type affixes struct{ list []string }

// Unpack implements starlark.Unpacker.
func (a *affixes) Unpack(v starlark.Value) error {
	tuple, ok := v.(starlark.Tuple)
	if !ok {
		tuple = starlark.Tuple{v}
	}
	for _, x := range tuple {
		var one bytesArg
		if err := one.Unpack(x); err != nil {
			return err
		}
		a.list = append(a.list, one.s)
	}
	return nil
}

// optInt unpacks an int or None and clamps it to what a slice can need.
type optInt struct {
	n   int
	set bool
}

// Unpack implements starlark.Unpacker.
func (o *optInt) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case starlark.Int:
		o.set = true
		n, ok := v.Int64()
		if !ok {
			n = int64(v.Sign()) * math.MaxInt64
		}
		o.n = int(min(max(n, math.MinInt/2), math.MaxInt/2))
		return nil
	}
	return fmt.Errorf("got %s, want int or None", v.Type())
}

// window resolves start and end of a sequence of n as Python slices do.
// ok is false if start lies beyond the end, where even "" is not found.
func window(start, end optInt, n int) (lo, hi int, ok bool) {
	hi = n
	if end.set {
		hi = clampIndex(end.n, n)
	}
	if start.set {
		if start.n > n {
			return n, n, false
		}
		lo = clampIndex(start.n, n)
	}
	return lo, max(lo, hi), lo <= hi
}

func clampIndex(i, n int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}

type bytesFunc = func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

var bytesMethods = methodsOf(map[string]bytesFunc{
	"count":        bytesCount,
	"decode":       bytesDecode,
	"endswith":     bytesAffix(strings.HasSuffix),
	"find":         bytesFind(strings.Index, false),
	"hex":          bytesHex,
	"index":        bytesFind(strings.Index, true),
	"isalnum":      bytesIs(func(c byte) bool { return isAlpha(c) || isDigit(c) }),
	"isalpha":      bytesIs(isAlpha),
	"isdigit":      bytesIs(isDigit),
	"isspace":      bytesIs(isSpace),
	"join":         bytesJoin,
	"lower":        bytesMap('A', 'Z'),
	"lstrip":       bytesStrip(true, false),
	"partition":    bytesPartition(strings.Index, false),
	"removeprefix": bytesRemove(strings.TrimPrefix),
	"removesuffix": bytesRemove(strings.TrimSuffix),
	"replace":      bytesReplace,
	"rfind":        bytesFind(strings.LastIndex, false),
	"rindex":       bytesFind(strings.LastIndex, true),
	"rpartition":   bytesPartition(strings.LastIndex, true),
	"rsplit":       bytesRsplit,
	"rstrip":       bytesStrip(false, true),
	"split":        bytesSplit,
	"splitlines":   bytesSplitlines,
	"startswith":   bytesAffix(strings.HasPrefix),
	"strip":        bytesStrip(true, true),
	"upper":        bytesMap('a', 'z'),
})

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// asciiSpace is what strip and split remove when not told.
const asciiSpace = " \t\n\v\f\r"

func bytesReplace(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var from, to bytesArg
	count := -1
	if err := starlark.UnpackArgs(fn, args, kwargs, "old", &from, "new", &to, "count?", &count); err != nil {
		return nil, err
	}
	if from.s != "" {
		return Bytes(strings.Replace(string(b), from.s, to.s, count)), nil
	}
	// strings.Replace would insert between runes; bytes have none.
	if count < 0 || count > len(b)+1 {
		count = len(b) + 1
	}
	var out strings.Builder
	for i := range count {
		out.WriteString(to.s)
		if i < len(b) {
			out.WriteByte(b[i])
		}
	}
	if count < len(b) {
		out.WriteString(string(b[count:]))
	}
	return Bytes(out.String()), nil
}

func bytesFind(index func(s, sub string) int, must bool) bytesFunc {
	return func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var sub byteOrBytes
		var start, end optInt
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &sub, &start, &end); err != nil {
			return nil, err
		}
		if lo, hi, ok := window(start, end, len(b)); ok {
			if i := index(string(b[lo:hi]), sub.s); i >= 0 {
				return starlark.MakeInt(lo + i), nil
			}
		}
		if must {
			return nil, fmt.Errorf("%s: subsection not found", fn)
		}
		return starlark.MakeInt(-1), nil
	}
}

func bytesCount(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var sub byteOrBytes
	var start, end optInt
	if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &sub, &start, &end); err != nil {
		return nil, err
	}
	lo, hi, ok := window(start, end, len(b))
	switch {
	case !ok:
		return starlark.MakeInt(0), nil
	case sub.s == "":
		return starlark.MakeInt(hi - lo + 1), nil
	}
	return starlark.MakeInt(strings.Count(string(b[lo:hi]), sub.s)), nil
}

func bytesAffix(has func(s, affix string) bool) bytesFunc {
	return func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var want affixes
		var start, end optInt
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &want, &start, &end); err != nil {
			return nil, err
		}
		lo, hi, ok := window(start, end, len(b))
		if !ok {
			return starlark.False, nil
		}
		for _, affix := range want.list {
			if has(string(b[lo:hi]), affix) {
				return starlark.True, nil
			}
		}
		return starlark.False, nil
	}
}

func bytesRemove(trim func(s, affix string) string) bytesFunc {
	return func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var affix bytesArg
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &affix); err != nil {
			return nil, err
		}
		return Bytes(trim(string(b), affix.s)), nil
	}
}

// optBytes unpacks bytes or None.
type optBytes struct {
	s   string
	set bool
}

// Unpack implements starlark.Unpacker.
func (o *optBytes) Unpack(v starlark.Value) error {
	if v == starlark.None {
		return nil
	}
	var b bytesArg
	if err := b.Unpack(v); err != nil {
		return err
	}
	o.s, o.set = b.s, true
	return nil
}

func bytesStrip(left, right bool) bytesFunc {
	return func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var chars optBytes
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 0, &chars); err != nil {
			return nil, err
		}
		if !chars.set {
			chars.s = asciiSpace
		}
		// By byte, not by rune as the strings package would.
		lo, hi := 0, len(b)
		for left && lo < hi && strings.IndexByte(chars.s, b[lo]) >= 0 {
			lo++
		}
		for right && lo < hi && strings.IndexByte(chars.s, b[hi-1]) >= 0 {
			hi--
		}
		return b[lo:hi], nil
	}
}

func bytesSplit(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	sep, limit, err := splitArgs(fn, args, kwargs)
	if err != nil {
		return nil, err
	}
	if sep.set {
		return bytesList(strings.SplitN(string(b), sep.s, limit)), nil
	}
	var fields []string
	rest := strings.TrimLeft(string(b), asciiSpace)
	for rest != "" {
		i := strings.IndexAny(rest, asciiSpace)
		if i < 0 || len(fields)+1 == limit {
			fields = append(fields, rest)
			break
		}
		fields = append(fields, rest[:i])
		rest = strings.TrimLeft(rest[i:], asciiSpace)
	}
	return bytesList(fields), nil
}

func bytesRsplit(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	sep, limit, err := splitArgs(fn, args, kwargs)
	if err != nil {
		return nil, err
	}
	var fields []string
	rest := string(b)
	if !sep.set {
		rest = strings.TrimRight(rest, asciiSpace)
	}
	for sep.set || rest != "" {
		i, width := strings.LastIndexAny(rest, asciiSpace), 1
		if sep.set {
			i, width = strings.LastIndex(rest, sep.s), len(sep.s)
		}
		if i < 0 || len(fields)+1 == limit {
			fields = append(fields, rest)
			break
		}
		fields = append(fields, rest[i+width:])
		rest = rest[:i]
		if !sep.set {
			rest = strings.TrimRight(rest, asciiSpace)
		}
	}
	slices.Reverse(fields)
	return bytesList(fields), nil
}

// splitArgs unpacks sep and maxsplit; limit is the number of parts, -1 for all.
func splitArgs(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (sep optBytes, limit int, err error) {
	limit = -1
	if err := starlark.UnpackArgs(fn, args, kwargs, "sep?", &sep, "maxsplit?", &limit); err != nil {
		return sep, 0, err
	}
	if sep.set && sep.s == "" {
		return sep, 0, fmt.Errorf("%s: empty separator", fn)
	}
	if limit < 0 || limit == math.MaxInt {
		return sep, -1, nil
	}
	return sep, limit + 1, nil
}

func bytesSplitlines(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	keep := false
	if err := starlark.UnpackArgs(fn, args, kwargs, "keepends?", &keep); err != nil {
		return nil, err
	}
	var lines []string
	for rest := string(b); rest != ""; {
		text, next := len(rest), len(rest)
		if i := strings.IndexAny(rest, "\r\n"); i >= 0 {
			text, next = i, i+1
			if strings.HasPrefix(rest[i:], "\r\n") {
				next++
			}
		}
		if keep {
			text = next
		}
		lines = append(lines, rest[:text])
		rest = rest[next:]
	}
	return bytesList(lines), nil
}

func bytesList(parts []string) *starlark.List {
	elems := make([]starlark.Value, len(parts))
	for i, s := range parts {
		elems[i] = Bytes(s)
	}
	return starlark.NewList(elems)
}

func bytesPartition(index func(s, sub string) int, last bool) bytesFunc {
	return func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var sep bytesArg
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &sep); err != nil {
			return nil, err
		}
		if sep.s == "" {
			return nil, fmt.Errorf("%s: empty separator", fn)
		}
		i := index(string(b), sep.s)
		switch {
		case i >= 0:
			return starlark.Tuple{b[:i], Bytes(sep.s), b[i+len(sep.s):]}, nil
		case last:
			return starlark.Tuple{Bytes(""), Bytes(""), b}, nil
		default:
			return starlark.Tuple{b, Bytes(""), Bytes("")}, nil
		}
	}
}

func bytesJoin(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var list starlark.Iterable
	if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &list); err != nil {
		return nil, err
	}
	var parts []string
	for v := range starlark.Elements(list) {
		var part bytesArg
		if err := part.Unpack(v); err != nil {
			return nil, fmt.Errorf("%s: at index %d, %w", fn, len(parts), err)
		}
		parts = append(parts, part.s)
	}
	return Bytes(strings.Join(parts, string(b))), nil
}

// bytesMap swaps the case of the ASCII letters from lo to hi.
func bytesMap(lo, hi byte) bytesFunc {
	return func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 0); err != nil {
			return nil, err
		}
		var out []byte
		for i := range len(b) {
			if lo <= b[i] && b[i] <= hi {
				if out == nil {
					out = []byte(b)
				}
				out[i] ^= 0x20
			}
		}
		if out == nil {
			return b, nil
		}
		return BytesView(out), nil
	}
}

// bytesIs reports whether b is not empty and all its bytes are in a class.
func bytesIs(class func(c byte) bool) bytesFunc {
	return func(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 0); err != nil {
			return nil, err
		}
		for i := range len(b) {
			if !class(b[i]) {
				return starlark.False, nil
			}
		}
		return starlark.Bool(b != ""), nil
	}
}

func bytesHex(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var sep textArg
	if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 0, &sep); err != nil {
		return nil, err
	}
	digits := hex.EncodeToString(b.View())
	if sep.s == "" {
		return starlark.String(digits), nil
	}
	var out strings.Builder
	for i := 0; i < len(digits); i += 2 {
		if i > 0 {
			out.WriteString(sep.s)
		}
		out.WriteString(digits[i : i+2])
	}
	return starlark.String(out.String()), nil
}

func bytesDecode(b Bytes, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	encoding, errs := "", ""
	if err := starlark.UnpackArgs(fn, args, kwargs, "encoding?", &encoding, "errors?", &errs); err != nil {
		return nil, err
	}
	s, err := decodeText(fn, string(b), encoding, errs)
	if err != nil {
		return nil, err
	}
	return starlark.String(s), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

package python

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"unicode/utf8"
	"unsafe"

	"flowkit/flowfile"
)

// Codes of Python's marshal that have been the same since Python 3.4 and that version 2 of
// the format, which has no references, is made of.
const (
	codeNone   = 'N'
	codeTrue   = 'T'
	codeFalse  = 'F'
	codeInt    = 'i' // 4 bytes
	codeFloat  = 'g' // 8 bytes
	codeLong   = 'l' // number of digits of 15 bits, its sign that of the number
	codeBytes  = 's'
	codeText   = 'u' // UTF-8, surrogates allowed
	codeTuple  = '('
	codeList   = '['
	codeDict   = '{' // key, value, …, end
	codeEnd    = '0'
	maxDepth   = 200 // of nested values; Python's own limit is 2,000
	digitBits  = 15
	digitRange = 1 << digitBits
)

// marshal builds marshal data.
type marshal struct{ buf []byte }

func (m *marshal) count(code byte, n int) {
	m.buf = binary.LittleEndian.AppendUint32(append(m.buf, code), uint32(n))
}

// tuple begins a tuple of n values.
func (m *marshal) tuple(n int) { m.count(codeTuple, n) }

// list begins a list of n values and returns where its length is, for fix.
func (m *marshal) list(n int) int {
	m.count(codeList, n)
	return len(m.buf) - 4
}

// fix sets a length that was not known when its value began.
func (m *marshal) fix(at, n int) { binary.LittleEndian.PutUint32(m.buf[at:], uint32(n)) }

// blob begins bytes that hold marshal data, and returns what end wants.
func (m *marshal) blob() int {
	m.count(codeBytes, 0)
	return len(m.buf)
}

// end ends a blob.
func (m *marshal) end(start int) { m.fix(start-4, len(m.buf)-start) }

func (m *marshal) none() { m.buf = append(m.buf, codeNone) }

func (m *marshal) boolean(b bool) {
	if b {
		m.buf = append(m.buf, codeTrue)
		return
	}
	m.buf = append(m.buf, codeFalse)
}

func (m *marshal) integer(n int64) {
	if n == int64(int32(n)) {
		m.buf = binary.LittleEndian.AppendUint32(append(m.buf, codeInt), uint32(n))
		return
	}
	sign, u := 1, uint64(n)
	if n < 0 {
		sign, u = -1, -u
	}
	at := len(m.buf) + 1
	m.count(codeLong, 0)
	digits := 0
	for ; u > 0; u >>= digitBits {
		m.buf = binary.LittleEndian.AppendUint16(m.buf, uint16(u&(digitRange-1)))
		digits++
	}
	m.fix(at, sign*digits)
}

// big writes a whole number of any size in decimal digits.
func (m *marshal) big(s string) error {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return fmt.Errorf("%q is no whole number", s)
	}
	if n.IsInt64() {
		m.integer(n.Int64())
		return nil
	}
	at := len(m.buf) + 1
	m.count(codeLong, 0)
	digits, mask := 0, big.NewInt(digitRange-1)
	u := new(big.Int).Abs(n)
	for ; u.Sign() > 0; u.Rsh(u, digitBits) {
		m.buf = binary.LittleEndian.AppendUint16(m.buf, uint16(new(big.Int).And(u, mask).Uint64()))
		digits++
	}
	m.fix(at, n.Sign()*digits)
	return nil
}

func (m *marshal) float(f float64) {
	m.buf = binary.LittleEndian.AppendUint64(append(m.buf, codeFloat), math.Float64bits(f))
}

// time writes a moment in seconds, None if it is unknown.
func (m *marshal) time(t flowfile.Time) {
	if t == 0 {
		m.none()
		return
	}
	m.float(t.Seconds())
}

func (m *marshal) bytes(s string) {
	m.count(codeBytes, len(s))
	m.buf = append(m.buf, s...)
}

// text writes a str. Bytes that are no UTF-8 become the surrogates that Python's
// surrogateescape makes of them (PEP 383).
func (m *marshal) text(s string) {
	m.count(codeText, len(s))
	if utf8.ValidString(s) {
		m.buf = append(m.buf, s...)
		return
	}
	start := len(m.buf)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			m.buf = append(m.buf, 0xed, 0xb0|s[0]>>6, 0x80|s[0]&0x3f)
		} else {
			m.buf = append(m.buf, s[:n]...)
		}
		s = s[n:]
	}
	m.fix(start-4, len(m.buf)-start)
}

func (m *marshal) textOrNone(s string) {
	if s == "" {
		m.none()
		return
	}
	m.text(s)
}

func (m *marshal) bytesOrNone(s string, there bool) {
	if !there {
		m.none()
		return
	}
	m.bytes(s)
}

// value writes a value of metadata.
func (m *marshal) value(v any) error {
	switch v := v.(type) {
	case nil:
		m.none()
	case bool:
		m.boolean(v)
	case int64:
		m.integer(v)
	case float64:
		m.float(v)
	case flowfile.BigInt:
		return m.big(string(v))
	case string:
		m.text(v)
	case flowfile.Bytes:
		m.bytes(string(v))
	case flowfile.List:
		m.list(len(v))
		for _, x := range v {
			if err := m.value(x); err != nil {
				return err
			}
		}
	case flowfile.Map:
		m.buf = append(m.buf, codeDict)
		for _, e := range v {
			m.text(e.Key)
			if err := m.value(e.Value); err != nil {
				return err
			}
		}
		m.buf = append(m.buf, codeEnd)
	default:
		return fmt.Errorf("metadata holds a %T", v)
	}
	return nil
}

var errMarshal = errors.New("broken marshal data")

// unmarshal reads marshal data of version 2. Strings and bytes lie in the data.
type unmarshal struct {
	b   []byte
	pos int
}

// Values as they are read: nil, bool, int64, float64, flowfile.BigInt, string (text),
// flowfile.Bytes, tuple, flowfile.List, flowfile.Map.
type tuple []any

func (u *unmarshal) take(n int) ([]byte, error) {
	if n < 0 || n > len(u.b)-u.pos {
		return nil, errMarshal
	}
	b := u.b[u.pos : u.pos+n : u.pos+n]
	u.pos += n
	return b, nil
}

func (u *unmarshal) count() (int, error) {
	b, err := u.take(4)
	if err != nil {
		return 0, err
	}
	return int(int32(binary.LittleEndian.Uint32(b))), nil
}

func (u *unmarshal) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("values are nested too deeply")
	}
	c, err := u.take(1)
	if err != nil {
		return nil, err
	}
	switch c[0] {
	case codeNone:
		return nil, nil
	case codeTrue:
		return true, nil
	case codeFalse:
		return false, nil
	case codeInt:
		n, err := u.count()
		return int64(n), err
	case codeLong:
		return u.long()
	case codeFloat:
		b, err := u.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case codeBytes:
		b, err := u.sized()
		return flowfile.Bytes(b), err
	case codeText:
		b, err := u.sized()
		return fromPython(b), err
	case codeTuple, codeList:
		list, err := u.values(depth)
		if c[0] == codeTuple {
			return tuple(list), err
		}
		return flowfile.List(list), err
	case codeDict:
		return u.dict(depth)
	}
	return nil, fmt.Errorf("%w: code %q", errMarshal, c[0])
}

func (u *unmarshal) sized() (string, error) {
	n, err := u.count()
	if err != nil {
		return "", err
	}
	b, err := u.take(n)
	return alias(b), err
}

func (u *unmarshal) values(depth int) ([]any, error) {
	n, err := u.count()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > len(u.b)-u.pos { // every value takes a byte at least
		return nil, errMarshal
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = u.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (u *unmarshal) dict(depth int) (any, error) {
	var m flowfile.Map
	for {
		if u.pos < len(u.b) && u.b[u.pos] == codeEnd {
			u.pos++
			return m, nil
		}
		k, err := u.value(depth + 1)
		if err != nil {
			return nil, err
		}
		v, err := u.value(depth + 1)
		if err != nil {
			return nil, err
		}
		switch k := k.(type) {
		case string:
			m = append(m, flowfile.MapEntry{Key: k, Value: v})
		case flowfile.Bytes:
			m = append(m, flowfile.MapEntry{Key: string(k), Value: v})
		default:
			return nil, fmt.Errorf("a key of a dictionary is a %T, not text", k)
		}
	}
}

func (u *unmarshal) long() (any, error) {
	n, err := u.count()
	if err != nil {
		return nil, err
	}
	size := max(n, -n)
	b, err := u.take(2 * size)
	if err != nil {
		return nil, err
	}
	x, d := new(big.Int), new(big.Int)
	for i := size - 1; i >= 0; i-- {
		x.Lsh(x, digitBits).Or(x, d.SetUint64(uint64(binary.LittleEndian.Uint16(b[2*i:]))))
	}
	if n < 0 {
		x.Neg(x)
	}
	if x.IsInt64() {
		return x.Int64(), nil
	}
	return flowfile.BigInt(x.String()), nil
}

// fromPython takes the surrogates back that stand for bytes.
func fromPython(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i] == 0xed && (s[i+1] == 0xb2 || s[i+1] == 0xb3) {
			out = append(out, s[i+1]<<6|s[i+2]&0x3f)
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

// alias returns b as a string without copying it; b must not change any more.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

package mitm

import (
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"flowkit/flowfile"
)

// maxDigits limits a length prefix, as mitmproxy does.
const maxDigits = 12

// maxDepth limits how deep metadata may nest.
const maxDepth = 64

// item is one element: its tag and where its payload lies.
type item struct {
	tag  byte
	s, e int
}

// next reads the head of the element at b[i:end] and returns the element and what comes
// behind it.
func next(b []byte, i, end int) (it item, after int, ok bool) {
	n, j := int64(0), i
	for ; j < end; j++ {
		c := b[j] - '0'
		if c > 9 {
			break
		}
		if n = n*10 + int64(c); j-i >= maxDigits {
			return item{}, 0, false
		}
	}
	if j == i || j >= end || b[j] != ':' {
		return item{}, 0, false
	}
	j++
	if n >= int64(end-j) {
		return item{}, 0, false
	}
	e := j + int(n)
	return item{b[e], j, e}, e + 1, tags[b[e]]
}

// tags are the tags there are.
var tags = [256]bool{',': true, ';': true, '#': true, '^': true, '!': true, '~': true, ']': true, '}': true}

// syntaxError is a place in a record that is no tnetstring or not what it should be.
type syntaxError struct {
	at   int // in the record, -1 if unknown
	what string
}

func (e *syntaxError) Error() string {
	if e.at < 0 {
		return e.what
	}
	return fmt.Sprintf("%s at byte %d of the record", e.what, e.at)
}

func badElement(at int) error { return &syntaxError{at, "broken element"} }

// alias returns b as a string without copying it. All bytes that the package hands out
// lie in chunks, which are never written again.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// unalias returns the bytes of s, which must not be changed.
func unalias(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// text returns the payload of text and bytes, "" for all else.
func text(b []byte, it item) string {
	if it.tag != ';' && it.tag != ',' {
		return ""
	}
	return alias(b[it.s:it.e])
}

// integer returns the value of a whole number, also of one written as float, text or
// boolean; 0 and false for all else.
func integer(b []byte, it item) (int64, bool) {
	switch it.tag {
	case '#', ';', ',':
		if n := it.e - it.s; n > 0 && n < 10 {
			if v, ok := digits(b[it.s:it.e]); ok {
				return v, true
			}
		}
		v, err := strconv.ParseInt(alias(b[it.s:it.e]), 10, 64)
		return v, err == nil
	case '^':
		v, err := strconv.ParseFloat(alias(b[it.s:it.e]), 64)
		if err != nil || !(v > -1<<62 && v < 1<<62) {
			return 0, false
		}
		return int64(v), true
	case '!':
		if boolean(b, it) {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// digits reads a short number without sign.
func digits(b []byte) (int64, bool) {
	var v int64
	for _, c := range b {
		if c -= '0'; c > 9 {
			return 0, false
		}
		v = v*10 + int64(c)
	}
	return v, true
}

// number is integer without the question whether there is one.
func number(b []byte, it item) int64 {
	v, _ := integer(b, it)
	return v
}

// boolean tells whether the element is true, or a number other than 0.
func boolean(b []byte, it item) bool {
	if it.tag == '!' {
		return it.e-it.s == 4
	}
	return it.tag == '#' && number(b, it) != 0
}

// moment returns a time: float, whole number or null.
func moment(b []byte, it item) flowfile.Time {
	switch it.tag {
	case '^', '#', ';', ',':
		if t, ok := clock(b[it.s:it.e]); ok {
			return t
		}
		f, err := strconv.ParseFloat(alias(b[it.s:it.e]), 64)
		if err != nil {
			return 0
		}
		return flowfile.TimeFromSeconds(f)
	}
	return 0
}

// clock reads the time of a clock of our days, 2004 to 2038, as mitmproxy writes it:
// 1700000000.1234567. It gives what reading it as a float64 gives, which at that size
// counts in 1/2^22 seconds.
func clock(b []byte) (flowfile.Time, bool) {
	if len(b) < 12 || len(b) > 19 || b[10] != '.' {
		return 0, false
	}
	whole, ok := digits(b[:10])
	frac, ok2 := digits(b[11:])
	if !ok || !ok2 || whole < 1<<30 || whole >= 1<<31 {
		return 0, false
	}
	scale := int64(1)
	for range b[11:] {
		scale *= 10
	}
	ticks := (frac<<22 + scale/2) / scale // never half way between two: that takes 23 digits
	return flowfile.Time(whole*1e9 + (ticks*1e9+1<<21)>>22), true
}

// value decodes a metadata value.
func value(b []byte, it item, depth int) (any, error) {
	if depth > maxDepth {
		return nil, &syntaxError{it.s, "nested too deep"}
	}
	p := b[it.s:it.e]
	switch it.tag {
	case ';':
		return alias(p), nil
	case ',':
		return flowfile.Bytes(alias(p)), nil
	case '!':
		return boolean(b, it), nil
	case '#':
		v, err := strconv.ParseInt(alias(p), 10, 64)
		if err != nil {
			return flowfile.BigInt(alias(p)), nil
		}
		return v, nil
	case '^':
		v, err := strconv.ParseFloat(alias(p), 64)
		if err != nil {
			return nil, &syntaxError{it.s, "broken float"}
		}
		return v, nil
	case ']':
		list := flowfile.List{}
		for i := it.s; i < it.e; {
			e, after, ok := next(b, i, it.e)
			if !ok {
				return nil, badElement(i)
			}
			v, err := value(b, e, depth+1)
			if err != nil {
				return nil, err
			}
			list, i = append(list, v), after
		}
		return list, nil
	case '}':
		return dictionary(b, it, depth)
	}
	return nil, nil
}

// dictionary decodes a metadata dictionary. Its order is that of the writer, who
// reversed it.
func dictionary(b []byte, it item, depth int) (flowfile.Map, error) {
	m := flowfile.Map{}
	for i := it.s; i < it.e; {
		k, v, after, ok := pair(b, i, it.e)
		if !ok {
			return nil, badElement(i)
		}
		x, err := value(b, v, depth+1)
		if err != nil {
			return nil, err
		}
		m, i = append(m, flowfile.MapEntry{Key: alias(b[k.s:k.e]), Value: x}), after
	}
	for i, j := 0, len(m)-1; i < j; i, j = i+1, j-1 {
		m[i], m[j] = m[j], m[i]
	}
	return m, nil
}

// pair reads a key and its value.
func pair(b []byte, i, end int) (k, v item, after int, ok bool) {
	k, after, ok = next(b, i, end)
	if !ok {
		return k, v, after, false
	}
	v, after, ok = next(b, after, end)
	return k, v, after, ok
}

// Sniff tells whether head, the first bytes of an input, begins a dump: the length of a
// dictionary whose first key is a name. A shorter head is judged by what is there.
func Sniff(head []byte) bool {
	n, ok := recordSize(head)
	return ok && len(head) > 0 && (n == 0 || plausible(head[prefix(head):], n))
}

// recordSize returns the bytes of the record that b begins with, 0 if there are too few
// to tell; it is false if b begins no record.
func recordSize(b []byte) (int, bool) {
	n := int64(0)
	for i, c := range b {
		switch d := c - '0'; {
		case c == ':' && i > 0:
			n += int64(i) + 2
			return int(n), n > 5 && n < math.MaxInt
		case d > 9 || i >= maxDigits:
			return 0, false
		default:
			n = n*10 + int64(d)
		}
	}
	return 0, true
}

// prefix returns the length of the length prefix and its colon.
func prefix(b []byte) int {
	for i, c := range b {
		if c == ':' {
			return i + 1
		}
	}
	return len(b)
}

// plausible tells whether b, the beginning of the payload of a record of n bytes, begins
// with a name as key: what is known before the whole record is there.
func plausible(b []byte, n int) bool {
	k, i := 0, 0
	for ; i < len(b) && b[i]-'0' <= 9 && i < 3; i++ {
		k = k*10 + int(b[i]-'0')
	}
	if i == len(b) {
		return true
	}
	if i == 0 || b[i] != ':' || k == 0 || k > 64 || i+1+k+1 > n {
		return false
	}
	for i++; k > 0; i, k = i+1, k-1 {
		if i == len(b) {
			return true
		}
		if c := b[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= '0' && c <= '9') {
			return false
		}
	}
	return i == len(b) || b[i] == ';' || b[i] == ','
}

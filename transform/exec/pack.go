package exec

import (
	"encoding/binary"

	"flowkit/flowfile"
)

// The values of unknown fields are msgpack; these are in its shortest form, which is what
// JSON lines have under a key of its own.

func packStr(s string) string {
	n := len(s)
	switch {
	case n < 32:
		return string([]byte{0xa0 | byte(n)}) + s
	case n < 1<<8:
		return string([]byte{0xd9, byte(n)}) + s
	case n < 1<<16:
		return string(binary.BigEndian.AppendUint16([]byte{0xda}, uint16(n))) + s
	}
	return string(binary.BigEndian.AppendUint32([]byte{0xdb}, uint32(n))) + s
}

func packInt(n int) string {
	switch {
	case n < 1<<7:
		return string([]byte{byte(n)})
	case n < 1<<8:
		return string([]byte{0xcc, byte(n)})
	case n < 1<<16:
		return string(binary.BigEndian.AppendUint16([]byte{0xcd}, uint16(n)))
	}
	return string(binary.BigEndian.AppendUint32([]byte{0xce}, uint32(n)))
}

// unpackStr returns the string that v is, false if it is something else.
func unpackStr(v string) (string, bool) {
	head := 0
	switch {
	case v == "":
		return "", false
	case v[0]&0xe0 == 0xa0:
		head = 1
	case v[0] == 0xd9:
		head = 2
	case v[0] == 0xda:
		head = 3
	case v[0] == 0xdb:
		head = 5
	}
	if head == 0 || len(v) < head {
		return "", false
	}
	s := v[head:]
	return s, packStr(s) == v
}

// unpackInt returns the number that v is, false if it is something else.
func unpackInt(v string) (int, bool) {
	n := 0
	switch {
	case v == "":
		return 0, false
	case len(v) == 1:
		n = int(v[0])
	case len(v) <= 5:
		for _, c := range []byte(v[1:]) {
			n = n<<8 | int(c)
		}
	}
	return n, packInt(n) == v
}

// take returns the value of key in e, and e without it.
func take(e flowfile.Extra, key string) (value string, rest flowfile.Extra) {
	for i, x := range e {
		if x.Key == key {
			return x.Value, append(e[:i:i], e[i+1:]...)
		}
	}
	return "", e
}

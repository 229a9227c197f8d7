package exec

import (
	"bytes"
	"slices"

	"flowkit/flowfile"
	"flowkit/flowfile/jsonl"
)

// To read a line takes far longer than to write one. So a line that came back is laid
// beside the line that went out, which is written once more, and of its keys only those
// are read whose values differ.

// edits are the keys of a line that may have been changed; nil is all.
type edits []string

func (e edits) has(key string) bool { return e == nil || slices.Contains(e, key) }

// known are the keys of a flow in a line; all others are unknown fields, told apart as one.
var known = []string{
	"type", "id", "created", "url", "start", "request", "response", "websocket", "messages", "dns_request",
	"dns_response", "error", "client", "server", "marked", "comment", "replay", "intercepted", "incomplete", "metadata",
	"origin",
}

// extraKey stands for the unknown fields in edits.
const extraKey = "_msgpack"

// readEdits returns the flow of line with its id, its type and the keys whose values differ
// from those of sent.
func readEdits(line, sent []member) (*flowfile.Flow, edits, error) {
	changed := edits{}
	for _, m := range line {
		if i := find(sent, m.key); i < 0 || !sameJSON(m.value, sent[i].value) {
			changed = append(changed, kindOf(m.key))
		}
	}
	for _, m := range sent {
		if find(line, m.key) < 0 {
			changed = append(changed, kindOf(m.key))
		}
	}
	short := []byte{'{'}
	for _, m := range line {
		if k := kindOf(m.key); k != "type" && k != "id" && !changed.has(k) {
			continue
		}
		if len(short) > 1 {
			short = append(short, ',')
		}
		short = append(append(append(append(short, '"'), m.key...), `":`...), m.value...)
	}
	f, err := jsonl.ParseLine(append(short, '}'))
	return f, changed, err
}

func kindOf(key string) string {
	if slices.Contains(known, key) {
		return key
	}
	return extraKey
}

// member is a key of an object and its value.
type member struct {
	key   string
	value []byte // with white space around it
}

func find(ms []member, key string) int {
	return slices.IndexFunc(ms, func(m member) bool { return m.key == key })
}

// str returns the value of a key that is a plain string, "" for anything else.
func str(ms []member, key string) string {
	i := find(ms, key)
	if i < 0 {
		return ""
	}
	v := bytes.TrimSpace(ms[i].value)
	if len(v) < 2 || v[0] != '"' || bytes.IndexByte(v, '\\') >= 0 {
		return ""
	}
	return string(v[1 : len(v)-1])
}

// membersOf takes an object apart without reading its values. It is false where it is not
// sure: for what is no object, keys with escapes, and keys that come twice.
func membersOf(line []byte) ([]member, bool) {
	line = bytes.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return nil, false
	}
	var ms []member
	for rest := line[1 : len(line)-1]; ; {
		rest = trimLeft(rest)
		if len(rest) == 0 || rest[0] != '"' {
			return nil, false
		}
		end := stringEnd(rest, 0)
		if end < 0 || bytes.IndexByte(rest[:end], '\\') >= 0 {
			return nil, false
		}
		m := member{key: string(rest[1:end])}
		rest = trimLeft(rest[end+1:])
		if len(rest) == 0 || rest[0] != ':' || find(ms, m.key) >= 0 {
			return nil, false
		}
		rest = rest[1:]
		n := valueEnd(rest)
		m.value = rest[:n]
		ms = append(ms, m)
		switch {
		case n == len(rest):
			return ms, true
		case rest[n] != ',':
			return nil, false
		}
		rest = rest[n+1:]
	}
}

func trimLeft(b []byte) []byte { return bytes.TrimLeft(b, " \t") }

// valueEnd returns where the value ends that b begins with.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = stringEnd(b, i); i < 0 {
				return len(b)
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// stringEnd returns where the string ends that begins at i, -1 if it does not.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// sameJSON compares two values but for the white space between their parts; b has none.
func sameJSON(a, b []byte) bool {
	for !bytes.Equal(a, b) {
		n := 0 // of what they have in common
		for n < len(a) && n < len(b) && a[n] == b[n] {
			if n++; a[n-1] != '"' {
				continue
			}
			end := stringEnd(a, n-1)
			if end < 0 || end >= len(b) || !bytes.Equal(a[n:end+1], b[n:end+1]) {
				return false
			}
			n = end + 1
		}
		if n == len(a) || a[n] != ' ' && a[n] != '\t' {
			return false
		}
		a, b = trimLeft(a[n:]), b[n:]
	}
	return true
}

// Package jsonl reads and writes flows as JSON lines: one object a line, all of a flow,
// both ways without loss. SCHEMA.md describes the keys. It is the text twin of the native
// format: for jq, for other languages, and for tests that people can read.
package jsonl

import (
	"bytes"

	"flowkit/flowfile"
)

// Options change how a Reader or a Writer works; the zero value is right for most.
type Options struct {
	Name string        // reader: for errors
	Need flowfile.Need // reader: not used, a line is parsed whole
	// Spool is not used by this version: a line is in memory while it is parsed.
	Spool *flowfile.Spool
	// Decoded makes the writer add "content" beside each body: decoded, as JSON or text.
	// A reader ignores it.
	Decoded bool
	// OnDamage is told of bodies that the writer could not read from their source; they
	// are written as truncated. Nil: the error ends the writing.
	OnDamage func(*flowfile.Damage)
}

// maxLine is the longest line that a Reader takes.
const maxLine = 256 << 20

// Sniff tells whether head, the beginning of an input, is that of an object which is no
// HAR file.
func Sniff(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}

// Package mp reads and writes msgpack tokens of one in-memory segment.
//
//	Reader  tokens of a segment; strings alias it, the first error sticks
//	Writer  appends tokens to its own buffer
//	Kind    what the next token is
//	Error   an error with the offset in the segment
//
// The bytes may be hostile. Every length is compared with what is left of the segment
// before anything is made of it, and nesting is limited to MaxDepth. The msgpack library is
// called for single tokens only, never for values: its decoder of whole values can be made
// to exhaust memory or the stack by five bytes. One-byte forms are decoded inline, because
// they are nine in ten tokens of a record.
//
// The package knows neither files nor the meaning of what it reads.
package mp

// MaxDepth is the deepest nesting of arrays and maps that Skip and Raw accept.
const MaxDepth = 32

package mp

import (
	"errors"
	"fmt"
)

// Errors a Reader may meet; they come wrapped in an *Error.
var (
	// ErrShort means a token or a count claims more than the segment holds.
	ErrShort = errors.New("runs past the end of the data")
	// ErrDepth means arrays and maps are nested deeper than MaxDepth.
	ErrDepth = errors.New("nested too deep")
	// ErrRange means an integer does not fit the type it is read as.
	ErrRange = errors.New("integer out of range")
	// ErrKind means another kind of token was expected.
	ErrKind = errors.New("unexpected token")
)

// Error is an error at a place in a segment.
type Error struct {
	Offset int // bytes from the start of the segment
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("msgpack at byte %d: %v", e.Offset, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

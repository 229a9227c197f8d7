package block

import (
	"errors"
	"fmt"
)

// Kind is the kind of a damage.
type Kind uint8

// The kinds of damage, each with its usual cause.
const (
	// Torn: the file ends inside a block. A writer was killed or the disk was full, or the
	// end of the file was zeroed by a power loss.
	Torn Kind = iota + 1
	// Cut: a block ends early and another starts inside its declared length. Somebody
	// appended behind a torn block; the entries before the cut are whole.
	Cut
	// Corrupt: bytes that are no block, or a block whose entries cannot be read, with a
	// good block behind it. A bad disk, a bad copy, an editor.
	Corrupt
	// Newer: a block of a later version of the format, skipped.
	Newer
	// BadBody: a body segment cannot be read; the entries of the block are whole.
	BadBody
	// Gap: blocks of a session are missing without a trace of them.
	Gap
)

// Sentinels for errors.Is, one for each kind of damage.
var (
	ErrTorn    = errors.New("file is torn off")
	ErrCut     = errors.New("block is cut short")
	ErrCorrupt = errors.New("damaged bytes")
	ErrNewer   = errors.New("newer version of the format")
	ErrBadBody = errors.New("damaged body segment")
	ErrGap     = errors.New("missing blocks")
)

func (k Kind) err() error {
	switch k {
	case Torn:
		return ErrTorn
	case Cut:
		return ErrCut
	case Corrupt:
		return ErrCorrupt
	case Newer:
		return ErrNewer
	case BadBody:
		return ErrBadBody
	case Gap:
		return ErrGap
	}
	return errors.New("unknown damage")
}

// String returns a short name: "torn", "cut", "corrupt", "newer", "bad body", "gap".
func (k Kind) String() string {
	names := [...]string{"none", "torn", "cut", "corrupt", "newer", "bad body", "gap"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// DamageError is one damaged place of a file. It is not the end of reading.
type DamageError struct {
	Offset  int64 // of the damaged block or bytes in the file
	Skipped int64 // bytes from Offset to where reading went on, or of the bad segment
	Kind    Kind
	Records int   // entries lost, -1 if unknown
	Cause   error // what was found; may be nil
}

// Error returns one line: what, where, how much, why.
func (e *DamageError) Error() string {
	s := fmt.Sprintf("%v at byte %d", e.Kind.err(), e.Offset)
	if e.Skipped > 0 {
		s += fmt.Sprintf(", %d bytes", e.Skipped)
	}
	if e.Records > 0 {
		s += fmt.Sprintf(", %d entries lost", e.Records)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *DamageError) Unwrap() error { return e.Cause }

// Is matches the sentinel of the kind.
func (e *DamageError) Is(target error) bool { return e.Kind.err() == target }

package flowfile

import (
	"errors"
	"fmt"
	"io"
	"iter"
)

// Limits of a batch.
const (
	BatchFlows = 256
	BatchBytes = 8 << 20
)

// Batch is a run of flows on their way through a pipeline: at most BatchFlows flows and,
// but for a single larger flow, about BatchBytes; closed early when the source would
// block. It belongs to whom it was handed.
type Batch struct {
	Flows []*Flow
}

// Source yields flows in the order of its input.
type Source interface {
	// Next returns the next flows, or an error that stands in their place: after a
	// *Damage the source goes on with the next call, any other error is final, io.EOF
	// the end. It is not safe for concurrent use.
	Next() (*Batch, error)
	// Close frees what the source holds. Flows that were delivered stay valid.
	Close() error
}

// Progress is implemented by sources that know how much of their input they have read.
type Progress interface {
	// Progress returns bytes read and bytes in all, 0 if unknown. Safe for concurrent use.
	Progress() (done, total int64)
}

// Sink consumes flows.
type Sink interface {
	// Write takes the flows of b in order.
	Write(b *Batch) error
	// Flush hands all that was written to the operating system.
	Flush() error
	// Close completes the output. It does not close the underlying writer.
	Close() error
}

// Need is what a pipeline wants of each flow.
type Need uint8

// Heads alone never touch a body; Messages and Bodies are fetched ahead of use.
const (
	NeedHeads    Need = 0
	NeedMessages Need = 1
	NeedBodies   Need = 2
)

// Flows iterates over the flows of s; the error is a *Damage, after which the iteration
// goes on, or final.
func Flows(s Source) iter.Seq2[*Flow, error] {
	return func(yield func(*Flow, error) bool) {
		for {
			b, err := s.Next()
			var damage *Damage
			switch {
			case err == io.EOF:
				return
			case errors.As(err, &damage):
				if !yield(nil, err) {
					return
				}
			case err != nil:
				yield(nil, err)
				return
			default:
				for _, f := range b.Flows {
					if !yield(f, nil) {
						return
					}
				}
			}
		}
	}
}

// Damage is a part of an input that could not be read. The stream goes on behind it.
type Damage struct {
	File   string // "" for a stream without a name
	Offset int64  // of the first byte that could not be read, -1 if unknown
	Length int64  // bytes passed over, -1 if unknown
	Line   int    // of a text format, from 1; 0 otherwise
	Flows  int    // flows lost, -1 if unknown
	Torn   bool   // the input ends in the middle of a record
	Err    error
}

func (d *Damage) Error() string {
	s := d.Err.Error()
	switch {
	case d.Line > 0:
		s = fmt.Sprintf("line %d: %s", d.Line, s)
	case d.Offset >= 0:
		s = fmt.Sprintf("byte %d: %s", d.Offset, s)
	}
	if d.File != "" {
		s = d.File + ": " + s
	}
	switch {
	case d.Torn:
		s += "; the input ends here, the flows before it are complete"
	case d.Length > 0:
		s += fmt.Sprintf("; %d bytes skipped", d.Length)
	}
	switch {
	case d.Flows == 1:
		s += ", 1 flow lost"
	case d.Flows > 1:
		s += fmt.Sprintf(", %d flows lost", d.Flows)
	}
	return s
}

func (d *Damage) Unwrap() error { return d.Err }

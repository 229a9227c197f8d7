package jsonl

import (
	"errors"
	"fmt"
	"io"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/jsonw"
)

// Writer writes JSON lines. Large bodies are written piece by piece.
type Writer struct {
	j      *jsonw.Writer
	o      Options
	damage error // of the batch in hand
}

var _ flowfile.Sink = (*Writer)(nil)

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer, o Options) *Writer { return &Writer{j: jsonw.New(w, false), o: o} }

// Write writes a line for each flow of b.
func (w *Writer) Write(b *flowfile.Batch) error {
	w.damage = nil
	for _, f := range b.Flows {
		if !f.Dropped() {
			w.flow(f)
			w.j.Line()
		}
	}
	return errors.Join(w.j.Err(), w.damage)
}

// Flush hands all that was written to the underlying writer.
func (w *Writer) Flush() error { return w.j.Flush() }

// Close is Flush: there is nothing behind the last line.
func (w *Writer) Close() error { return w.j.Flush() }

// lost tells of a part of f that could not be read.
func (w *Writer) lost(f *flowfile.Flow, what string, err error) {
	err = fmt.Errorf("flow %s: %s: %w", f.ID(), what, err)
	if w.o.OnDamage != nil {
		w.o.OnDamage(&flowfile.Damage{Length: -1, Err: err})
		return
	}
	w.damage = errors.Join(w.damage, err)
}

// str writes a member that is not empty.
func (w *Writer) str(key, s string) {
	if s != "" {
		w.bytes(key, s)
	}
}

// bytes writes a member, also if it is empty.
func (w *Writer) bytes(key, s string) {
	w.j.Key(key)
	writeBytes(w.j, s)
}

func (w *Writer) time(key string, t flowfile.Time) {
	if t != 0 {
		w.j.Key(key)
		w.j.String(t.RFC3339())
	}
}

func (w *Writer) bool(key string, b bool) {
	if b {
		w.j.Key(key)
		w.j.Bool(b)
	}
}

// int writes a member that is not zero.
func (w *Writer) int(key string, n int64) {
	if n != 0 {
		w.number(key, n)
	}
}

func (w *Writer) number(key string, n int64) {
	w.j.Key(key)
	w.j.Int(n)
}

func (w *Writer) strings(key string, l []string) {
	if len(l) == 0 {
		return
	}
	w.j.Key(key)
	w.j.Array()
	for _, s := range l {
		writeBytes(w.j, s)
	}
	w.j.EndArray()
}

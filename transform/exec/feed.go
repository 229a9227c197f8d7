package exec

import (
	"bufio"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"syscall"

	"flowkit/flowfile"
	"flowkit/flowfile/jsonl"
)

// feed writes the input to the program, until one of them has no more.
func (s *Stream) feed() {
	err := s.feedAll()
	var input *inputError
	given := errors.As(err, &input)
	switch {
	case gone(err):
		err = nil // it does not want the rest
	case given:
		err = input.error
	}
	s.mu.Lock()
	s.failed = err
	s.mu.Unlock()
	if err != nil && !given {
		s.Kill() // else what came before the error is still wanted
	}
	s.stdin.Close()
	_ = s.in.Close() // all that was wanted of it is there
}

// inputError is a final error of the input.
type inputError struct{ error }

// gone tells whether the program has closed its standard input, or has ended.
func gone(err error) bool { return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) }

func (s *Stream) feedAll() (err error) {
	defer guard(&err)()
	w := &lineWriter{w: bufio.NewWriterSize(s.stdin, 64<<10)}
	w.sum.SetSeed(s.store.seed)
	to := jsonl.NewWriter(w, jsonl.Options{})
	for number := int64(0); ; {
		b, err := s.in.Next()
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, new(*flowfile.Damage)):
			s.mu.Lock()
			s.notes = append(s.notes, err)
			s.mu.Unlock()
			continue
		case err != nil:
			return &inputError{err}
		}
		if number, err = s.sendAll(to, w, b, number); err != nil {
			return err
		}
	}
}

// sendAll writes the lines of a batch whose first flow has the number behind number. While
// it does, Close waits.
func (s *Stream) sendAll(to *jsonl.Writer, w *lineWriter, b *flowfile.Batch, number int64) (int64, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	for _, f := range b.Flows {
		if s.closed.Load() {
			return number, os.ErrClosed
		}
		if f.Dropped() {
			continue
		}
		number++
		if err := s.send(to, w, f, number); err != nil {
			return number, err
		}
	}
	// Who reads a pipe gets the flows now, not when there are more.
	return number, w.w.Flush()
}

// send writes the line of a flow. The program must not be able to answer before the flow
// can be found, so the end of the line comes last.
func (s *Stream) send(to *jsonl.Writer, w *lineWriter, f *flowfile.Flow, number int64) error {
	if err := s.view.writeFiles(f, number); err != nil {
		return err
	}
	w.begin()
	if err := to.Write(&flowfile.Batch{Flows: []*flowfile.Flow{s.view.of(f, number)}}); err != nil {
		return err
	}
	if err := to.Flush(); err != nil {
		return err
	}
	if err := s.store.add(f, number, w.sum.Sum64(), w.n); err != nil {
		return err
	}
	return w.end()
}

// lineWriter takes one line, sums it up and holds its end back.
type lineWriter struct {
	w   *bufio.Writer
	sum maphash.Hash
	n   int64 // bytes of the line
}

func (l *lineWriter) begin() {
	l.sum.Reset()
	l.n = 0
}

func (l *lineWriter) Write(p []byte) (int, error) {
	line := p
	if p[len(p)-1] == '\n' {
		line = p[:len(p)-1]
	}
	l.sum.Write(line)
	l.n += int64(len(line))
	if _, err := l.w.Write(line); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (l *lineWriter) end() error { return l.w.WriteByte('\n') }

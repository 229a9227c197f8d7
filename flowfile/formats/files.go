package formats

import (
	"errors"
	"io"
	"os"
	"sync"

	"flowkit/flowfile"
)

// Files is many inputs, one behind the other. The first input is opened by Start or by
// the first Next, the others when it is their turn.
//
// With Options.Follow the last path is followed: it may be a pattern, whose files are read
// in the order in which they were last written, each until there is another and nothing more
// comes of it, the last until Follow is closed. A file that is put in the place of the one
// that is followed is the next.
type Files struct {
	Paths   []string // "-" is Stdin
	Stdin   *os.File
	Options ReadOptions

	// Opened, if it is set, is called with each input that was opened.
	Opened func(*Input)

	next  int
	total int64
	tail  string        // the path or pattern that is followed
	seen  []os.FileInfo // its files

	mu   sync.Mutex // Progress is for other goroutines
	in   *Input
	done int64 // bytes of the inputs before in
}

var (
	_ flowfile.Source   = (*Files)(nil)
	_ flowfile.Progress = (*Files)(nil)
)

// Start opens the first input, so that its errors come before any output is opened, and
// asks all others whether they are there.
func (s *Files) Start() error {
	if err := s.startTail(); err != nil {
		return err
	}
	total := int64(0)
	for _, p := range s.Paths {
		fi, err := s.stat(p)
		if err != nil {
			return err
		}
		if !fi.Mode().IsRegular() {
			total = -1
		}
		if total >= 0 {
			total += fi.Size()
		}
	}
	s.total = max(total, 0)
	return s.open()
}

func (s *Files) stat(path string) (os.FileInfo, error) {
	if path == "-" {
		return s.Stdin.Stat()
	}
	return os.Stat(path)
}

func (s *Files) open() error {
	if s.next >= len(s.Paths) {
		return io.EOF
	}
	path := s.Paths[s.next]
	s.next++
	o := s.Options
	o.Name = path
	var in *Input
	var err error
	if path == "-" {
		o.Name = "standard input"
		in, err = OpenFile(s.Stdin, o)
	} else {
		if s.tail != "" && s.next == len(s.Paths) {
			o.follower = s.follower(path)
		}
		in, err = Open(path, o)
	}
	if err != nil {
		return err
	}
	s.set(in, 0)
	if s.Opened != nil {
		s.Opened(in)
	}
	return nil
}

// set makes in the input in hand, after one of so many bytes.
func (s *Files) set(in *Input, done int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in = in
	s.done += done
}

// Next returns the next flows.
func (s *Files) Next() (*flowfile.Batch, error) {
	for {
		if s.in == nil {
			first := s.next == 0
			err := s.open()
			if err == io.EOF || err != nil && first {
				return nil, err
			}
			if err != nil { // the others still come out
				return nil, s.failed(err)
			}
		}
		b, err := s.in.Next()
		if err == nil || errors.As(err, new(*flowfile.Damage)) {
			return b, err
		}
		in := s.in
		if f := in.follower; f != nil && f.successor != "" && err == io.EOF {
			s.Paths = append(s.Paths, f.successor)
		}
		_, total := in.Progress()
		s.set(nil, total)
		if cerr := in.Close(); err == io.EOF && cerr != nil {
			err = cerr
		}
		if err != io.EOF {
			return nil, s.failed(err)
		}
	}
}

// failed returns the final error of an input: one of many does not keep the others back.
func (s *Files) failed(err error) error {
	if len(s.Paths) == 1 {
		return err
	}
	return &flowfile.Damage{File: s.Paths[s.next-1], Offset: -1, Length: -1, Flows: -1, Err: &InputError{err}}
}

// InputError is an input that could not be opened or read on, among others.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }

func (e *InputError) Unwrap() error { return e.Err }

// Current returns the input in hand, nil between two.
func (s *Files) Current() *Input { return s.in }

// Progress adds up all inputs.
func (s *Files) Progress() (done, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done = s.done
	if in := s.in; in != nil {
		n, _ := in.Progress()
		done += n
	}
	return done, s.total
}

// Close closes the input in hand.
func (s *Files) Close() error {
	s.next = len(s.Paths)
	if s.in == nil {
		return nil
	}
	in := s.in
	s.set(nil, 0)
	return in.Close()
}

// Package output opens what a command writes to: a file that appears only when it is
// whole, a pipe, a device or standard output; never an input, never a terminal for bytes
// that are no text.
package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Output is an opened output. Commit or Discard ends it.
type Output struct {
	path   string // as the user names it
	file   *os.File
	temp   string // written beside and renamed to target; "" is written directly
	target string
	std    bool
}

var _ io.Writer = (*Output)(nil)

// ErrIsInput is returned for an output that is also an input.
var ErrIsInput = errors.New("is also an input")

// Check returns ErrIsInput if path names the same file as one of inputs or the open files.
func Check(path string, inputs []string, open ...*os.File) error {
	out, err := os.Stat(path)
	if err != nil || !out.Mode().IsRegular() {
		return nil // it does not exist, or will not be replaced
	}
	for _, in := range inputs {
		if fi, err := os.Stat(in); err == nil && os.SameFile(fi, out) {
			return fmt.Errorf("%s %w", path, ErrIsInput)
		}
	}
	for _, f := range open {
		if f == nil {
			continue
		}
		if fi, err := f.Stat(); err == nil && os.SameFile(fi, out) {
			return fmt.Errorf("%s %w", path, ErrIsInput)
		}
	}
	return nil
}

// Open opens path, "-" being stdout. A regular file, or one that is not there, is written
// beside and takes its name at Commit; captures hold secrets, so a new file is for its
// owner alone and an old one keeps its mode.
func Open(path string, stdout *os.File) (*Output, error) {
	if path == "-" || path == "" {
		return &Output{file: stdout, path: "standard output", std: true}, nil
	}
	mode := os.FileMode(0o600)
	fi, err := os.Stat(path)
	switch {
	case err == nil && fi.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	case err == nil && !fi.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &Output{file: f, path: path}, nil
	case err == nil:
		mode = fi.Mode().Perm()
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	// A symbolic link stays one: what it points to is replaced.
	target := path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		target = resolved
	}
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*.part")
	if err != nil {
		return nil, named(path, err)
	}
	if err := f.Chmod(mode); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, named(path, err)
	}
	return &Output{file: f, path: path, target: target, temp: f.Name()}, nil
}

// Error is an error of the output, under the name that the user knows.
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

func named(path string, err error) error {
	var pe *os.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return &Error{path, err}
}

// Write writes to the file, the pipe or the device.
func (o *Output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if err != nil {
		err = named(o.path, err)
	}
	return n, err
}

// File returns the file behind the output.
func (o *Output) File() *os.File { return o.file }

// Temp returns the name of the unfinished file, "" if there is none.
func (o *Output) Temp() string { return o.temp }

// Pipe tells whether somebody may be reading at the other end.
func (o *Output) Pipe() bool {
	fi, err := o.file.Stat()
	return err == nil && !fi.Mode().IsRegular()
}

// Commit makes the output whole.
func (o *Output) Commit() error {
	if o.std {
		return nil
	}
	if err := o.file.Close(); err != nil {
		o.remove()
		return named(o.path, err)
	}
	if o.temp == "" {
		return nil
	}
	if err := os.Rename(o.temp, o.target); err != nil {
		o.remove()
		return named(o.path, err)
	}
	o.temp = ""
	return nil
}

// CommitPartial ends an output that is complete up to a point: a file gets its name with
// ".partial" behind it, which is returned, and what was there before stays.
func (o *Output) CommitPartial() (name string, err error) {
	if o.temp != "" {
		o.path += ".partial"
		o.target += ".partial"
		name = o.path
	}
	return name, o.Commit()
}

// Discard takes an unfinished file away; what was there before stays.
func (o *Output) Discard() {
	if o.std {
		return
	}
	o.file.Close()
	o.remove()
}

func (o *Output) remove() {
	if o.temp != "" {
		os.Remove(o.temp)
	}
}

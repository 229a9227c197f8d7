package formats

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// follower reads a file that is being written: at its end it waits for more.
type follower struct {
	f    *os.File
	path string          // of the file, or the pattern that it matches
	stop <-chan struct{} // closed: the end is the end

	at        int64
	quiet     time.Time // since when nothing came, though there is a successor
	successor string    // what is to be read next, once Read has returned io.EOF
	seen      []os.FileInfo
}

const (
	followEvery = 100 * time.Millisecond
	// A file that has a successor may still get the ends of flows that had begun in it; this long after the last of them it
	// is left.
	followQuiet = 3 * time.Second
)

func (r *follower) Read(p []byte) (int, error) {
	for {
		n, err := r.f.Read(p)
		if n > 0 || err != nil && err != io.EOF {
			r.at += int64(n)
			r.quiet = time.Time{}
			return n, err
		}
		select {
		case <-r.stop:
			return 0, io.EOF
		default:
		}
		if fi, err := r.f.Stat(); err == nil && fi.Size() < r.at {
			return 0, fmt.Errorf("was cut to %d bytes behind byte %d while it was followed", fi.Size(), r.at)
		}
		if r.over() {
			return 0, io.EOF
		}
		select {
		case <-r.stop:
		case <-time.After(followEvery):
		}
	}
}

// over tells whether the file is left for its successor.
func (r *follower) over() bool {
	next := r.next()
	if next == "" {
		r.quiet = time.Time{}
		return false
	}
	if r.quiet.IsZero() {
		r.quiet = time.Now()
		if fi, err := r.f.Stat(); err == nil {
			r.quiet = fi.ModTime()
		}
	}
	if time.Since(r.quiet) < followQuiet {
		return false
	}
	r.successor = next
	return true
}

// next returns the path of the file that is to be read behind this one, if there is one: another of the same name, or the
// oldest that matches the pattern and was not read.
func (r *follower) next() string {
	paths, _ := matching(r.path)
	for _, path := range paths {
		fi, err := os.Stat(path)
		if err != nil || !fi.Mode().IsRegular() || slices.ContainsFunc(r.seen, func(s os.FileInfo) bool { return os.SameFile(s, fi) }) {
			continue
		}
		return path
	}
	return ""
}

// matching returns the files of a path, or those of a pattern (filepath.Match) in the order in which they were last written.
func matching(path string) ([]string, error) {
	if _, err := os.Lstat(path); err == nil || !isPattern(path) {
		return []string{path}, nil
	}
	paths, err := filepath.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	type file struct {
		path string
		at   time.Time
	}
	var files []file
	for _, p := range paths {
		if fi, err := os.Stat(p); err == nil {
			files = append(files, file{p, fi.ModTime()})
		}
	}
	slices.SortStableFunc(files, func(a, b file) int { return a.at.Compare(b.at) })
	paths = paths[:0]
	for _, f := range files {
		paths = append(paths, f.path)
	}
	return paths, nil
}

func isPattern(path string) bool { return strings.ContainsAny(path, "*?[") }

// startTail finds the first file of what is to be followed.
func (s *Files) startTail() error {
	last := len(s.Paths) - 1
	if s.Options.Follow == nil || last < 0 || s.Paths[last] == "-" {
		return nil
	}
	s.tail = s.Paths[last]
	paths, err := matching(s.tail)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("%s: there is no such file", s.tail)
	}
	s.Paths = append(slices.Clone(s.Paths[:last]), paths[0])
	s.total = 0
	return nil
}

// follower returns what follows the file of a path.
func (s *Files) follower(path string) *follower {
	if fi, err := os.Stat(path); err == nil {
		s.seen = append(s.seen, fi)
	}
	return &follower{path: s.tail, stop: s.Options.Follow, seen: s.seen}
}

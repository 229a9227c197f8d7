package exec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"flowkit/flowfile"
)

// maxLine is the longest line that is read, that of jsonl.
const maxLine = 256 << 20

// shownDamage is how many lines that are no flows are told one by one.
const shownDamage = 10

// lines reads what a program writes, line by line.
type lines struct {
	r    *bufio.Reader
	name string
	long []byte // a line that is longer than the buffer
	line int    // number of the last one
	at   int64  // its place
	off  int64  // behind it
	bad  int    // lines that were no flows
}

func newLines(r io.Reader, name string) *lines {
	return &lines{r: bufio.NewReaderSize(r, 256<<10), name: name}
}

// empty tells that the next line would have to be waited for.
func (l *lines) empty() bool { return l.r.Buffered() == 0 }

// next returns the next line that is not empty, good until the next call.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.read()
		switch {
		case err == io.EOF && len(line) == 0:
			return nil, l.end()
		case err != nil && err != io.EOF:
			return nil, err
		}
		l.line++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

// read returns a line with its end; behind the last one there may be none.
func (l *lines) read() ([]byte, error) {
	l.at, l.long = l.off, l.long[:0]
	for {
		piece, err := l.r.ReadSlice('\n')
		l.off += int64(len(piece))
		switch {
		case err == bufio.ErrBufferFull && len(l.long)+len(piece) > maxLine:
			return nil, l.skip()
		case err == bufio.ErrBufferFull:
			l.long = append(l.long, piece...)
		case len(l.long) > 0:
			l.long = append(l.long, piece...)
			return l.long, err
		default:
			return piece, err
		}
	}
}

// skip reads to the end of a line that is too long.
func (l *lines) skip() error {
	l.long = nil
	for {
		piece, err := l.r.ReadSlice('\n')
		l.off += int64(len(piece))
		if err != bufio.ErrBufferFull {
			l.line++
			return l.damage(fmt.Errorf("a line of more than %d MiB; with bodies in files (file:DIR) lines are short", maxLine>>20))
		}
	}
}

// damage returns what stands for the last line, of which err was the matter; nil if that
// was said often enough.
func (l *lines) damage(err error) error {
	if errors.As(err, new(*storeError)) {
		return err // nothing is wrong with the line
	}
	if l.bad++; l.bad > shownDamage {
		return nil
	}
	return &flowfile.Damage{File: l.name, Offset: l.at, Length: l.off - l.at, Line: l.line, Flows: -1, Err: err}
}

// end returns io.EOF, and before it once how many lines were not told of.
func (l *lines) end() error {
	n := l.bad - shownDamage
	if l.bad = 0; n <= 0 {
		return io.EOF
	}
	err := fmt.Errorf("%d more lines are no flows either", n)
	return &flowfile.Damage{File: l.name, Offset: -1, Length: -1, Flows: -1, Err: err}
}

// lineID returns the id of a line that begins as flowkit writes it.
func lineID(line []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`))
	if !ok {
		return "", false
	}
	_, rest, ok = bytes.Cut(rest, []byte(`","id":"`))
	if !ok {
		return "", false
	}
	i := bytes.IndexAny(rest, `"\`)
	if i < 0 || rest[i] != '"' {
		return "", false
	}
	return string(rest[:i]), true
}

package jsonl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"unicode/utf16"
	"unicode/utf8"

	"flowkit/flowfile"
)

// Reader reads JSON lines. It implements flowfile.Source and flowfile.Progress.
type Reader struct {
	o    Options
	r    *bufio.Reader
	line int
	off  atomic.Int64
	size int64
	held error // comes after the flows in hand
}

var (
	_ flowfile.Source   = (*Reader)(nil)
	_ flowfile.Progress = (*Reader)(nil)
)

// NewReader returns a reader of r.
func NewReader(r io.Reader, o Options) *Reader {
	rd := &Reader{o: o, r: bufio.NewReaderSize(r, 256<<10)}
	if f, ok := r.(*os.File); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			rd.size = fi.Size()
		}
	}
	return rd
}

// Progress returns the bytes read and the size of the file, 0 if it is a pipe.
func (r *Reader) Progress() (done, total int64) { return r.off.Load(), r.size }

// Close does nothing.
func (r *Reader) Close() error { return nil }

// Next returns the next flows; see flowfile.Source.
func (r *Reader) Next() (*flowfile.Batch, error) {
	if err := r.held; err != nil {
		if err != io.EOF {
			r.held = nil
		}
		return nil, err
	}
	b := &flowfile.Batch{}
	size := 0
	for len(b.Flows) < flowfile.BatchFlows && size < flowfile.BatchBytes {
		f, n, err := r.next()
		if err != nil {
			if len(b.Flows) == 0 {
				if err == io.EOF {
					r.held = err
				}
				return nil, err
			}
			r.held = err
			return b, nil
		}
		if f != nil {
			b.Flows = append(b.Flows, f)
			size += n
		}
		if ahead, _ := r.r.Peek(r.r.Buffered()); len(b.Flows) > 0 && bytes.IndexByte(ahead, '\n') < 0 {
			break // the next line would perhaps have to be waited for
		}
	}
	return b, nil
}

// next reads one line; an empty one gives no flow.
func (r *Reader) next() (*flowfile.Flow, int, error) {
	at := r.off.Load()
	line, long, err := r.readLine()
	if err != nil && (err != io.EOF || len(line) == 0) {
		return nil, 0, err
	}
	torn := err == io.EOF
	r.line++
	if long {
		return nil, 0, r.damage(at, false, fmt.Errorf("a line of more than %d MiB; flowkit's own format has no such limit", maxLine>>20))
	}
	if r.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return nil, 0, nil
	}
	err = checkText(line)
	if err == nil {
		var f *flowfile.Flow
		if f, err = parseFlow(line); err == nil {
			return f, len(line), nil
		}
	}
	var se *json.SyntaxError
	if torn && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, &se)) {
		return nil, 0, r.damage(at, true, errors.New("the line is not complete"))
	}
	return nil, 0, r.damage(at, false, err)
}

func (r *Reader) damage(at int64, torn bool, err error) error {
	return &flowfile.Damage{
		File: r.o.Name, Offset: at, Length: r.off.Load() - at, Line: r.line, Flows: 1, Torn: torn, Err: err,
	}
}

// checkText refuses what a JSON decoder would replace without a word: bytes that are not
// UTF-8 and halves of surrogate pairs.
func checkText(line []byte) error {
	if !utf8.Valid(line) {
		return errors.New("the line is not UTF-8; bytes that are no text go in {\"base64\": …}")
	}
	for rest := line; ; {
		i := bytes.Index(rest, []byte(`\u`))
		if i < 0 {
			return nil
		}
		escaped := 0 // backslashes before this one
		for j := i - 1; j >= 0 && rest[j] == '\\'; j-- {
			escaped++
		}
		first, ok := hex4(rest[i+2:])
		rest = rest[i+2:]
		if escaped%2 == 1 || !ok || !utf16.IsSurrogate(first) {
			continue
		}
		second := rune(0)
		if len(rest) >= 6 && rest[4] == '\\' && rest[5] == 'u' {
			second, _ = hex4(rest[6:])
		}
		if utf16.DecodeRune(first, second) == utf8.RuneError {
			return fmt.Errorf("\\u%04x is half of a surrogate pair; bytes that are no text go in {\"base64\": …}", first)
		}
		rest = rest[10:]
	}
}

// hex4 reads four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n), err == nil
}

// readLine returns the next line, in memory of its own; of a line that is too long, it
// skips the rest.
func (r *Reader) readLine() (line []byte, long bool, err error) {
	for {
		piece, err := r.r.ReadSlice('\n')
		r.off.Add(int64(len(piece)))
		if len(line)+len(piece) > maxLine {
			long = true
		}
		if !long {
			line = append(line, piece...)
		}
		if err != bufio.ErrBufferFull {
			return line, long, err
		}
	}
}

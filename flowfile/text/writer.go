package text

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"flowkit/flowfile"
)

// Form is what a Writer makes of a flow.
type Form uint8

// The forms.
const (
	Curl Form = iota
	HTTPie
	RawRequest
	RawResponse
)

// Options of a Writer.
type Options struct {
	Form Form
	// OnDamage is told of bodies that could not be read; nil: for raw messages Write returns
	// the error.
	OnDamage func(*flowfile.Damage)
}

// Counts say what a Writer did with the flows it got.
type Counts struct {
	Written int
	Refused int                   // as a comment that says why, or, in raw form, without such a message
	Cut     int                   // raw messages whose body is not all there
	Later   int                   // raw messages of HTTP/2 or 3, in the form of HTTP/1
	NotHTTP map[flowfile.Kind]int // nil: none
}

// Writer writes flows in one form. Of large bodies it keeps 64 KiB in memory.
type Writer struct {
	w      *bufio.Writer
	o      Options
	counts Counts
}

var _ flowfile.Sink = (*Writer)(nil)

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer, o Options) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), o: o}
}

// Counts says what was done so far.
func (w *Writer) Counts() Counts { return w.counts }

// Write writes the HTTP flows of b.
func (w *Writer) Write(b *flowfile.Batch) error {
	for _, f := range b.Flows {
		if f.Dropped() {
			continue
		}
		if f.Kind() != flowfile.HTTP {
			if w.counts.NotHTTP == nil {
				w.counts.NotHTTP = map[flowfile.Kind]int{}
			}
			w.counts.NotHTTP[f.Kind()]++
			continue
		}
		if err := w.flow(f); err != nil {
			return err
		}
	}
	return nil
}

// Flush hands all that was written to the underlying writer.
func (w *Writer) Flush() error { return w.w.Flush() }

// Close flushes.
func (w *Writer) Close() error { return w.w.Flush() }

func (w *Writer) flow(f *flowfile.Flow) error {
	var err error
	switch w.o.Form {
	case Curl:
		err = w.command(f, newCurl)
	case HTTPie:
		err = w.command(f, newHTTPie)
	case RawRequest:
		err = w.rawRequest(f)
	case RawResponse:
		err = w.rawResponse(f)
	}
	return err
}

// refusal is why a flow cannot be a command.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

func refuse(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// A command is a program's arguments. The body is not one of them.
type command struct {
	words  []string // each quoted, if it has to be
	indent []bool   // of words: it begins a line
	size   int      // of all arguments, unquoted
	notes  []string
	// argument precedes a body that can be an argument, stdin is one that reads it.
	argument, stdin []string
	// idle is for a command without a body on its standard input.
	idle []string
	body bool
}

const (
	// maxArgument is below what Linux takes as one argument, and maxArguments below what curl
	// takes as one head.
	maxArgument  = 120 << 10
	maxArguments = 900 << 10
	// bodyArgument is up to where a body is an argument.
	bodyArgument = 64 << 10
)

// plain adds words that need no quotes; the first begins a line.
func (c *command) plain(words ...string) {
	for i, s := range words {
		c.words, c.indent = append(c.words, s), append(c.indent, i == 0)
		c.size += len(s) + 1
	}
}

// quoted adds a word that is quoted.
func (c *command) quoted(s string) {
	c.words, c.indent = append(c.words, Quote(s)), append(c.indent, false)
	c.size += len(s) + 1
	if len(s) > maxArgument {
		c.size += maxArguments
	}
}

func (c *command) note(s string) { c.notes = append(c.notes, s) }

// command writes the command that build makes of f.
func (w *Writer) command(f *flowfile.Flow, build func(*flowfile.Flow) (*command, error)) error {
	c, err := build(f)
	var body []byte
	streamed := false
	if err == nil && c.size > maxArguments {
		err = refuse("its head is too long for a command")
	}
	if err == nil && c.body {
		body, streamed, err = readBody(f.Request().Body())
		if err != nil {
			w.damaged(f, err)
			err = refuse("the body cannot be read: %v", err)
		}
	}
	var r *refusal
	if errors.As(err, &r) {
		w.counts.Refused++
		_, err := fmt.Fprintf(w.w, "# flow %s: %s\n", comment(f.ID()), comment(r.why))
		return err
	}
	if err != nil {
		return err
	}
	w.counts.Written++
	for _, n := range c.notes {
		fmt.Fprintf(w.w, "# flow %s, note: %s\n", comment(f.ID()), comment(n))
	}
	switch {
	case !c.body:
		w.words(c, "", c.idle)
	case !streamed && len(body) <= bodyArgument && printable(body):
		w.words(c, "", append(c.argument, Quote(string(body))))
	default:
		err = w.printf(f.Request().Body(), body, streamed)
		w.words(c, "  ", c.stdin)
	}
	if err != nil {
		return err
	}
	_, err = w.w.WriteString("\n")
	return err
}

// words writes a command, and last behind all else.
func (w *Writer) words(c *command, indent string, last []string) {
	w.w.WriteString(indent)
	for i, s := range c.words {
		switch {
		case i == 0:
		case c.indent[i]:
			w.w.WriteString(" \\\n" + indent + "  ")
		default:
			w.w.WriteString(" ")
		}
		w.w.WriteString(s)
	}
	if len(last) > 0 {
		w.w.WriteString(" \\\n" + indent + "  " + strings.Join(last, " "))
	}
}

// printf writes the commands that print a body, up to the pipe.
func (w *Writer) printf(b flowfile.Body, body []byte, streamed bool) error {
	if !streamed && len(body) <= printfPiece {
		w.w.WriteString("printf '")
		w.w.Write(appendFormat(nil, body, true))
		w.w.WriteString("' |\n")
		return nil
	}
	w.w.WriteString("{\n")
	in, err := b.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	piece := make([]byte, printfPiece)
	var line []byte
	for {
		n, err := fill(in, piece)
		if n > 0 {
			line = append(line[:0], "  printf '"...)
			line = append(appendFormat(line, piece[:n], true), "'\n"...)
			if _, err := w.w.Write(line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err // it could be read a moment ago
		}
	}
	_, err = w.w.WriteString("} |\n")
	return err
}

// printfPiece is how much of a body goes into one printf.
const printfPiece = 32 << 10

// readBody reads a body of up to 1 MiB, and of a larger one sees that it can be read.
func readBody(b flowfile.Body) (body []byte, streamed bool, err error) {
	if n := b.Size(); n >= 0 && n <= 1<<20 {
		body, err = b.Bytes(-1)
		return body, false, err
	}
	in, err := b.Open()
	if err != nil {
		return nil, false, err
	}
	defer in.Close()
	_, err = io.Copy(io.Discard, in)
	return nil, true, err
}

// damaged tells of a body that cannot be read.
func (w *Writer) damaged(f *flowfile.Flow, err error) {
	if w.o.OnDamage == nil {
		return
	}
	w.o.OnDamage(&flowfile.Damage{Offset: -1, Length: -1, Err: fmt.Errorf("flow %s: request body: %w", f.ID(), err)})
}

// comment makes s fit into a comment line.
func comment(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			b.WriteByte('?')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

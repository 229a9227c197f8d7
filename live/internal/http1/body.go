package http1

import (
	"bufio"
	"bytes"
	"io"
	"math"

	"flowkit/flowfile"
)

// Body reads one body out of its framing: the bytes of the message, whatever their content coding. It never reads
// beyond the end of the message. The zero value is an empty body; Reset begins the next one. It allocates for trailers
// only.
type Body struct {
	br       *bufio.Reader
	limits   Limits
	kind     Kind
	state    state
	left     int64 // bytes to come of the body, or of the chunk
	excess   int64 // bytes of chunk lines beyond what is usual
	trailers []flowfile.Field
	err      error // io.EOF: read to the end
}

var (
	_ io.Reader   = (*Body)(nil)
	_ io.WriterTo = (*Body)(nil)
)

// state is where in a chunked body the reader stands when left is 0.
type state uint8

const (
	atSize    state = iota // before a chunk-size
	atDataEnd              // before the CRLF behind data
	atTrailer              // behind the last chunk
)

// Reset begins the body that is framed as f says and starts at the next byte of br. The limits are for trailers.
func (b *Body) Reset(br *bufio.Reader, f Framing, l Limits) {
	*b = Body{br: br, limits: l, kind: f.Kind}
	switch f.Kind {
	case Length:
		b.left = f.Length
	case UntilClose:
		b.left = math.MaxInt64
	}
	if f.Kind == Length && b.left <= 0 {
		b.err = io.EOF
	}
}

// Read reads what is there, at least one byte, into p. Once it has one it does not wait for more. The error is io.EOF at
// the end of the body, io.ErrUnexpectedEOF if the connection ended before, an *Error if chunks or trailers are
// malformed, else that of the reader; every error is final.
func (b *Body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := b.fill(); err != nil {
		return 0, err
	}
	n, err := b.br.Read(p[:min(int64(len(p)), b.left)])
	b.took(n)
	if err != nil && n == 0 {
		return 0, b.fail(err)
	}
	for n < len(p) && b.Buffered() > 0 {
		m, _ := b.br.Read(p[n:min(int64(len(p)), int64(n)+b.left)])
		b.took(m)
		n += m
	}
	return n, nil
}

// Next returns the next piece of the body without copying it: it lies in the buffer of the reader and is valid until the
// next use of either. It waits only if there is nothing yet. Errors are those of Read.
func (b *Body) Next() ([]byte, error) {
	if err := b.fill(); err != nil {
		return nil, err
	}
	if b.br.Buffered() == 0 {
		if _, err := b.br.Peek(1); err != nil {
			return nil, b.fail(err)
		}
	}
	n := int(min(int64(b.br.Buffered()), b.left))
	p, _ := b.br.Peek(n)
	_, _ = b.br.Discard(n) // cannot fail: it is buffered
	b.took(n)
	return p, nil
}

// WriteTo writes the rest of the body to w, piece by piece as Next returns them.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		p, err := b.Next()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(p)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// Buffered returns the number of bytes, of the body or its current chunk, that Next would return without waiting.
func (b *Body) Buffered() int {
	b.ahead()
	if b.err != nil {
		return 0
	}
	return int(min(int64(b.br.Buffered()), b.left))
}

// Done reports whether the whole message has been read, so that what follows on the connection is the next one. It looks
// at what is buffered, so that the end may be known together with the last bytes; a piece that Next returned stays valid.
func (b *Body) Done() bool {
	b.ahead()
	return b.err == io.EOF
}

// Trailers returns the fields behind a chunked body once it is Done. They are the caller's.
func (b *Body) Trailers() []flowfile.Field { return b.trailers }

// took counts n bytes that were taken from the reader.
func (b *Body) took(n int) {
	b.left -= int64(n)
	if b.left > 0 {
		return
	}
	if b.kind == Chunked {
		b.state = atDataEnd
	} else {
		b.err = io.EOF
	}
}

// fail keeps the error of the reader.
func (b *Body) fail(err error) error {
	if err == io.EOF && b.kind != UntilClose {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	return err
}

// fill goes on to the next bytes of data, so that left is not 0, or to the end.
func (b *Body) fill() error {
	if b.kind == None {
		b.err = io.EOF
	}
	for b.err == nil && b.left == 0 {
		var err error
		switch b.state {
		case atDataEnd:
			err = b.dataEnd()
		case atSize:
			err = b.size()
		case atTrailer:
			if err = b.trailer(); err == nil {
				b.err = io.EOF
				return b.err
			}
		}
		if err != nil {
			return b.fail(err)
		}
	}
	return b.err
}

// ahead is fill as far as it goes with what is buffered.
func (b *Body) ahead() {
	if b.kind == None {
		b.err = io.EOF
	}
	for b.err == nil && b.left == 0 {
		p, _ := b.br.Peek(b.br.Buffered())
		switch b.state {
		case atDataEnd:
			if len(p) < 2 {
				return
			}
			if err := b.dataEnd(); err != nil {
				b.err = err
			}
		case atSize:
			if bytes.IndexByte(p, '\n') < 0 {
				return
			}
			if err := b.size(); err != nil {
				b.err = err
			}
		case atTrailer:
			if len(p) < 2 || p[0] != '\r' || p[1] != '\n' {
				return
			}
			_ = b.fill()
		}
	}
}

func (b *Body) dataEnd() error {
	for _, want := range [...]byte{'\r', '\n'} {
		c, err := b.br.ReadByte()
		if err != nil {
			return err
		}
		if c != want {
			return refuse(400, "a chunk is longer than its size")
		}
	}
	b.state = atSize
	return nil
}

// Bounds of chunk lines: one that is longer, or many that are long for little data, are no use but to keep us busy.
const (
	maxChunkLine = 4 << 10
	maxExcess    = 16 << 10
)

// size reads a chunk-size, its extensions, which are dropped, and CRLF (RFC 9112 §7.1). White space behind the size is
// ignored, as some servers pad it.
func (b *Body) size() error {
	var size int64
	digits, line := 0, 0
	c, err := b.br.ReadByte()
	for ; err == nil; c, err = b.br.ReadByte() {
		d, ok := unhex(c)
		if !ok {
			break
		}
		if digits++; digits > 16 || size > math.MaxInt64>>4 {
			return refuse(400, "a chunk size is too large")
		}
		size = size<<4 | int64(d)
	}
	if err == nil && digits == 0 {
		return refuse(400, "a chunk has no size")
	}
	padded := true // nothing but white space so far
	for ; err == nil && c != '\r'; c, err = b.br.ReadByte() {
		switch {
		case c == ' ' || c == '\t':
		case padded && c != ';':
			return refuse(400, "a chunk size is not a hexadecimal number")
		case c < ' ' || c == 0x7f:
			return refuse(400, "a chunk extension holds a control byte")
		default:
			padded = false
		}
		if line++; line > maxChunkLine {
			return refuse(400, "a chunk extension is longer than 4096 bytes")
		}
	}
	if err == nil {
		c, err = b.br.ReadByte()
	}
	if err != nil {
		return err
	}
	if c != '\n' {
		return refuse(400, "a chunk size line does not end in CRLF")
	}
	b.excess = max(0, b.excess+int64(digits+line+4)-16-min(2*size, maxExcess))
	if b.excess > maxExcess {
		return refuse(400, "there is too little data in too many chunks")
	}
	b.left, b.state = size, atDataEnd
	if size == 0 {
		b.state = atTrailer
	}
	return nil
}

// trailer reads the trailer section (RFC 9112 §7.1.2).
func (b *Body) trailer() error {
	p, err := b.br.Peek(1)
	if err == nil && p[0] == '\r' {
		p, err = b.br.Peek(2)
	}
	if err != nil {
		return err
	}
	if len(p) == 2 && p[1] == '\n' {
		_, err = b.br.Discard(2)
		return err
	}
	text, lines, err := readSection(b.br, b.limits, trailers)
	if err != nil {
		return err
	}
	fields, err := parseFields(text, lines, trailers)
	if err != nil {
		return err
	}
	if err := checkTrailers(fields); err != nil {
		return err
	}
	b.trailers = fields
	return nil
}

// checkTrailers refuses fields that would change what a message is, if a recipient merged them into the head
// (RFC 9110 §6.5.1).
func checkTrailers(fields []flowfile.Field) error {
	for i := range fields {
		name := fields[i].Name
		if flowfile.EqualFold(name, "Host") ||
			len(name) == len("content-length") && looksLike(name, "content-length") ||
			len(name) == len("transfer-encoding") && looksLike(name, "transfer-encoding") {
			return refuse(400, "a trailer is ", name)
		}
	}
	return nil
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

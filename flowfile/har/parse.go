package har

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"flowkit/flowfile"
)

const (
	// maxString is the longest string that is kept in memory.
	maxString = 1 << 20
	// maxValue is what an entry may take in memory, without its longer strings.
	maxValue = 64 << 20
	// maxDepth is how deep values may be nested.
	maxDepth = 500
	// valueSize is about what a value takes besides its string.
	valueSize = 112
	// keepBack is how far the parser can go back.
	keepBack = 64 << 10
)

var errLarge = fmt.Errorf("it takes more than %d MiB, not counting strings of more than 1 MiB", maxValue>>20)

// syntaxError is JSON that is none.
type syntaxError struct {
	off int64
	msg string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.msg, e.off) }

// parser reads JSON values from a stream. It takes what browsers take and some more: a
// comma behind the last element; NaN, Infinity and undefined, which become null; numbers
// such as +1, 01 and .5.
type parser struct {
	r     io.Reader // nil: all is in buf
	buf   []byte
	pos   int
	end   int
	base  int64 // place of buf[0] in the stream
	err   error // of r
	spool *flowfile.Spool
	used  int   // memory of the value in hand
	quote int64 // where the last string began
	text  []byte
	// message is told of each WebSocket message of an entry, and before the first of nil.
	// It returns whether it keeps all of it. Nil: they are values as all others.
	message func(*value) (bool, error)
}

// parseBytes parses one value that is in memory.
func parseBytes(b []byte) (*value, error) {
	p := &parser{buf: b, end: len(b), err: io.EOF}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

func (p *parser) offset() int64 { return p.base + int64(p.pos) }

// fill reads on; it is false at the end. What was read since the last string began stays
// if it is not too much.
func (p *parser) fill() bool {
	if p.err != nil {
		return false
	}
	keep := p.pos
	if q := p.quote - p.base; q >= 0 && q < int64(p.pos) && int64(p.pos)-q <= keepBack {
		keep = int(q)
	}
	copy(p.buf, p.buf[keep:p.end])
	p.base += int64(keep)
	p.pos, p.end = p.pos-keep, p.end-keep
	for p.pos == p.end && p.err == nil {
		n, err := p.r.Read(p.buf[p.end:])
		p.end += n
		p.err = err
	}
	return p.pos < p.end
}

// peek returns the next byte, and false at the end.
func (p *parser) peek() (byte, bool) {
	if p.pos == p.end && !p.fill() {
		return 0, false
	}
	return p.buf[p.pos], true
}

// space passes over white space and returns the byte behind it, which is not taken.
func (p *parser) space() (byte, bool) {
	for {
		for p.pos < p.end {
			switch c := p.buf[p.pos]; c {
			case ' ', '\n', '\r', '\t':
				p.pos++
			default:
				return c, true
			}
		}
		if !p.fill() {
			return 0, false
		}
	}
}

// torn is the error at the end of the input.
func (p *parser) torn() error {
	if p.err != nil && p.err != io.EOF {
		return p.err
	}
	return io.ErrUnexpectedEOF
}

func (p *parser) bad(msg string) error { return &syntaxError{p.offset(), msg} }

func (p *parser) unexpected(c byte, want string) error {
	return p.bad(fmt.Sprintf("%s instead of %s", quoteByte(c), want))
}

func quoteByte(c byte) string {
	if c < utf8.RuneSelf {
		return strconv.QuoteRune(rune(c))
	}
	return fmt.Sprintf("byte 0x%02x", c)
}

// take counts memory.
func (p *parser) take(n int) error {
	if p.used += n; p.used > maxValue {
		return errLarge
	}
	return nil
}

// value reads a value.
func (p *parser) value(depth int) (value, error) {
	c, ok := p.space()
	if !ok {
		return value{}, p.torn()
	}
	if err := p.take(valueSize); err != nil {
		return value{}, err
	}
	if depth > maxDepth {
		return value{}, p.bad("nested too deeply")
	}
	switch {
	case c == '{' || c == '[':
		return p.container(depth)
	case c == '"':
		off := p.offset()
		s, long, err := p.string()
		return value{kind: text, s: s, long: long, off: int(off)}, err
	case c == '-' || c == '+' || c == '.' || '0' <= c && c <= '9':
		return p.number()
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		return p.word()
	}
	return value{}, p.unexpected(c, "a value")
}

func (p *parser) container(depth int) (value, error) {
	v := value{kind: array}
	closing := byte(']')
	if p.buf[p.pos] == '{' {
		v.kind, closing = object, '}'
	}
	p.pos++
	for {
		c, ok := p.space()
		if !ok {
			return v, p.torn()
		}
		if c == closing {
			p.pos++
			return v, nil
		}
		m, err := p.member(v.kind, depth)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, m)
		if err := p.comma(closing); err != nil {
			return v, err
		}
	}
}

func (p *parser) member(in kind, depth int) (m member, err error) {
	if in == object {
		if m.key, err = p.key(); err != nil {
			return m, err
		}
	}
	if depth == 0 && p.message != nil && m.key == messagesKey {
		c, ok := p.space()
		if ok && c == '[' {
			m.value, err = p.messages()
			return m, err
		}
	}
	m.value, err = p.value(depth + 1)
	return m, err
}

const messagesKey = "_webSocketMessages"

// members reads the members of an object behind its brace; member reads the value of each.
func (p *parser) members(member func(key string) error) error {
	for {
		c, ok := p.space()
		if !ok {
			return p.torn()
		}
		if c == '}' {
			p.pos++
			return nil
		}
		p.used = 0
		key, err := p.key()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if err := p.comma('}'); err != nil {
			return err
		}
	}
}

// messages reads a list of WebSocket messages. In place of those that p.message keeps
// stands their number, so that a list of any length fits.
func (p *parser) messages() (value, error) {
	p.pos++
	v := value{kind: array}
	kept := 0
	flush := func() {
		if kept > 0 {
			v.items = append(v.items, member{value: value{kind: number, s: strconv.Itoa(kept)}})
		}
		kept = 0
	}
	if _, err := p.message(nil); err != nil {
		return v, err
	}
	for {
		c, ok := p.space()
		switch {
		case !ok:
			return v, p.torn()
		case c == ']':
			p.pos++
			flush()
			return v, nil
		}
		used := p.used
		m, err := p.value(2)
		if err != nil {
			return v, err
		}
		whole, err := p.message(&m)
		switch {
		case err != nil:
			return v, err
		case whole:
			kept, p.used = kept+1, used
		default:
			flush()
			if m.kind == number { // it is no message, and must not be taken for a number of them
				m.kind = text
			}
			v.items = append(v.items, member{value: m})
		}
		if err := p.comma(']'); err != nil {
			return v, err
		}
	}
}

// key reads a key with its colon.
func (p *parser) key() (string, error) {
	c, ok := p.space()
	if !ok {
		return "", p.torn()
	}
	if c != '"' {
		return "", p.unexpected(c, "a key")
	}
	s, long, err := p.string()
	if err != nil {
		return "", err
	}
	if long != nil {
		return "", p.bad("a key of more than 1 MiB")
	}
	switch c, ok = p.space(); {
	case !ok:
		return "", p.torn()
	case c != ':':
		return "", p.unexpected(c, "a colon")
	}
	p.pos++
	return s, nil
}

// comma takes a comma, unless the container ends.
func (p *parser) comma(closing byte) error {
	c, ok := p.space()
	switch {
	case !ok:
		return p.torn()
	case c == ',':
		p.pos++
	case c != closing:
		return p.unexpected(c, "a comma")
	}
	return nil
}

// run takes bytes as long as ok.
func (p *parser) run(limit int, ok func(byte) bool) string {
	var b []byte
	for {
		c, more := p.peek()
		if !more || !ok(c) || len(b) >= limit {
			return string(b)
		}
		b = append(b, c)
		p.pos++
	}
}

func (p *parser) word() (value, error) {
	at := p.offset()
	s := p.run(16, func(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' })
	switch s {
	case "true", "false":
		return value{kind: boolean, s: s}, nil
	case "null", "NaN", "Infinity", "undefined":
		return value{kind: null}, nil
	}
	if _, more := p.peek(); !more {
		return value{}, p.torn()
	}
	return value{}, &syntaxError{at, strconv.Quote(s) + " instead of a value"}
}

func (p *parser) number() (value, error) {
	at := p.offset()
	s := p.run(1024, func(c byte) bool {
		return '0' <= c && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
	})
	if c, more := p.peek(); more && c == 'I' && (s == "-" || s == "+") {
		return p.word()
	}
	if validNumber(s) {
		return value{kind: number, s: s}, p.take(len(s))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		if _, more := p.peek(); !more {
			return value{}, p.torn()
		}
		return value{}, &syntaxError{at, strconv.Quote(s) + " is no number"}
	}
	return value{kind: number, s: strconv.FormatFloat(f, 'f', -1, 64)}, nil
}

// validNumber tells whether s is a number of JSON.
func validNumber(s string) bool {
	digits := func() bool {
		n := len(s)
		s = strings.TrimLeft(s, "0123456789")
		return len(s) < n
	}
	s = strings.TrimPrefix(s, "-")
	zero := strings.HasPrefix(s, "0")
	n := len(s)
	if !digits() || zero && n-len(s) > 1 {
		return false
	}
	if strings.HasPrefix(s, ".") {
		if s = s[1:]; !digits() {
			return false
		}
	}
	if s != "" && s[0]|0x20 == 'e' {
		s = strings.TrimLeft(s[1:], "+-")
		if !digits() {
			return false
		}
	}
	return s == ""
}

// isSyntax tells an error of the JSON from one of reading it.
func isSyntax(err error) bool {
	var se *syntaxError
	return errors.As(err, &se) || errors.Is(err, errLarge)
}

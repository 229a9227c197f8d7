package har

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"flowkit/flowfile"
)

// string reads a string; one of more than maxString goes to the spool.
func (p *parser) string() (string, flowfile.Content, error) {
	p.quote = p.offset()
	p.pos++
	b := p.text[:0]
	var long *flowfile.SpoolWriter
	defer func() {
		if cap(b) <= 2*maxString {
			p.text = b[:0]
		}
	}()
	for {
		if len(b) > maxString && p.r != nil {
			if long == nil {
				long = p.spool.NewWriter()
			}
			cut := len(b) - unfinished(b)
			if _, err := long.Write(b[:cut]); err != nil {
				return "", nil, err
			}
			b = append(b[:0], b[cut:]...)
		}
		i := p.pos
		for i < p.end && p.buf[i] >= ' ' && p.buf[i] != '"' && p.buf[i] != '\\' {
			i++
		}
		b = append(b, p.buf[p.pos:i]...)
		p.pos = i
		c, ok := p.peek()
		switch {
		case !ok:
			return "", nil, p.torn()
		case c == '"':
			p.pos++
			if long == nil {
				return string(b), nil, p.take(len(b))
			}
			if _, err := long.Write(b); err != nil {
				return "", nil, err
			}
			return "", long.Content(), nil
		case c == '\\':
			var err error
			if b, err = p.escape(b); err != nil {
				return "", nil, err
			}
		case c < ' ':
			return "", nil, p.bad(quoteByte(c) + " within a string")
		}
	}
}

// unfinished returns how many bytes at the end of b may go together with what follows.
func unfinished(b []byte) int {
	if n := len(b); n >= 3 && b[n-3] == 0xed && b[n-2]&0xf0 == 0xa0 {
		return 3 // the first half of a surrogate pair
	}
	return 0
}

// escape reads an escape sequence.
func (p *parser) escape(b []byte) ([]byte, error) {
	p.pos++
	c, ok := p.peek()
	if !ok {
		return b, p.torn()
	}
	p.pos++
	switch c {
	case '"', '\\', '/':
		return append(b, c), nil
	case 'b':
		return append(b, '\b'), nil
	case 'f':
		return append(b, '\f'), nil
	case 'n':
		return append(b, '\n'), nil
	case 'r':
		return append(b, '\r'), nil
	case 't':
		return append(b, '\t'), nil
	case 'u':
		return p.unicode(b)
	}
	p.pos--
	return b, p.bad(quoteByte(c) + " behind a backslash")
}

func (p *parser) unicode(b []byte) ([]byte, error) {
	r := rune(0)
	for range 4 {
		c, ok := p.peek()
		if !ok {
			return b, p.torn()
		}
		if !isHex(c) {
			return b, p.bad(quoteByte(c) + ` behind \u`)
		}
		n, _ := strconv.ParseUint(string(c), 16, 8)
		r = r<<4 | rune(n)
		p.pos++
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(b, r), nil
	}
	if n := len(b); r >= 0xdc00 && n >= 3 && b[n-3] == 0xed && b[n-2]&0xf0 == 0xa0 {
		first := 0xd000 | rune(b[n-2]&0x3f)<<6 | rune(b[n-1]&0x3f)
		return utf8.AppendRune(b[:n-3], utf16.DecodeRune(first, r)), nil
	}
	return append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f), nil
}

// back goes back behind the quote of the last string, where an entry may begin if the
// string had no end; it does nothing if that is too far.
func (p *parser) back() {
	if q := p.quote + 1 - p.base; q > 0 && q < int64(p.pos) && int64(p.pos)-q <= keepBack {
		p.pos = int(q)
	}
}

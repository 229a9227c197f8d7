package har

// strictJSON finds the first place where JSON.parse gives up. It is an io.Writer, told of
// the bytes that the tolerant parser reads.
type strictJSON struct {
	n     int64 // bytes seen
	stack []byte
	state jsonState
	word  string // what is missing of true, false or null
	hex   int    // digits that are missing behind \u
	bom   bool
	off   int64  // where it gave up
	msg   string // why, "" if it did not
}

type jsonState uint8

const (
	wantValue jsonState = iota
	wantFirst           // value or ]
	wantKey
	wantFirstKey // key or }
	wantColon
	wantComma // or the end of the container
	inString
	inEscape
	inWord
	inMinus
	inZero
	inDigits
	inPoint
	inFraction
	inE
	inESign
	inExponent
	atEnd
)

func (s *strictJSON) Write(p []byte) (int, error) {
	for i, c := range p {
		if s.msg != "" {
			break
		}
		at := s.n + int64(i)
		if at < 3 && c == "\xef\xbb\xbf"[at] && (at == 0 || s.bom) {
			s.bom = true // JSON.parse takes none, but most readers take it away before
			continue
		}
		s.byte(c)
		if s.msg != "" {
			s.off = at
		}
	}
	s.n += int64(len(p))
	return len(p), nil
}

// end tells that no more comes.
func (s *strictJSON) end() {
	if s.msg == "" && s.state != atEnd {
		s.off, s.msg = s.n, "the file ends within the JSON"
	}
}

func (s *strictJSON) bad(c byte, want string) { s.msg = quoteByte(c) + " instead of " + want }

func (s *strictJSON) byte(c byte) {
	switch s.state {
	case inString:
		s.inString(c)
	case inEscape:
		s.escape(c)
	case inWord:
		if c != s.word[0] {
			s.bad(c, "true, false or null")
			return
		}
		if s.word = s.word[1:]; s.word == "" {
			s.done()
		}
	case inMinus, inZero, inDigits, inPoint, inFraction, inE, inESign, inExponent:
		s.number(c)
	default:
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			s.token(c)
		}
	}
}

func (s *strictJSON) inString(c byte) {
	switch {
	case c == '"' && len(s.stack) > 0 && s.stack[len(s.stack)-1] == 'k':
		s.stack[len(s.stack)-1] = '{'
		s.state = wantColon
	case c == '"':
		s.done()
	case c == '\\':
		s.state = inEscape
	case c < ' ':
		s.bad(c, "its escape within a string")
	}
}

func (s *strictJSON) escape(c byte) {
	switch {
	case s.hex > 0 && isHex(c):
		if s.hex--; s.hex == 0 {
			s.state = inString
		}
	case s.hex > 0:
		s.bad(c, `four digits behind \u`)
	case c == 'u':
		s.hex = 4
	default:
		for _, k := range []byte(`"\/bfnrt`) {
			if c == k {
				s.state = inString
				return
			}
		}
		s.bad(c, "an escape")
	}
}

// number takes a byte of a number; of one that is complete, what follows.
func (s *strictJSON) number(c byte) {
	digit := '0' <= c && c <= '9'
	switch {
	case digit && s.state == inMinus && c == '0':
		s.state = inZero
	case digit && s.state == inMinus:
		s.state = inDigits
	case digit && (s.state == inDigits || s.state == inFraction || s.state == inExponent):
	case digit && s.state == inPoint:
		s.state = inFraction
	case digit && (s.state == inE || s.state == inESign):
		s.state = inExponent
	case c == '.' && (s.state == inZero || s.state == inDigits):
		s.state = inPoint
	case c|0x20 == 'e' && (s.state == inZero || s.state == inDigits || s.state == inFraction):
		s.state = inE
	case (c == '+' || c == '-') && s.state == inE:
		s.state = inESign
	case s.state == inMinus || s.state == inPoint || s.state == inE || s.state == inESign || digit:
		s.bad(c, "a number")
	default:
		s.done()
		s.byte(c)
	}
}

// token takes a byte between values.
func (s *strictJSON) token(c byte) {
	top := byte(0)
	if n := len(s.stack); n > 0 {
		top = s.stack[n-1]
	}
	switch s.state {
	case wantFirst:
		if c == ']' {
			s.pop()
			return
		}
		s.value(c)
	case wantValue:
		s.value(c)
	case wantKey, wantFirstKey:
		switch {
		case c == '"':
			s.stack[len(s.stack)-1] = 'k'
			s.state = inString
		case c == '}' && s.state == wantFirstKey:
			s.pop()
		default:
			s.bad(c, "a key")
		}
	case wantColon:
		if c != ':' {
			s.bad(c, "a colon")
			return
		}
		s.state = wantValue
	case wantComma:
		switch {
		case c == ',' && top == '{':
			s.state = wantKey
		case c == ',':
			s.state = wantValue
		case c == top+2: // { and }, [ and ]
			s.pop()
		default:
			s.bad(c, "a comma")
		}
	default:
		s.bad(c, "the end of the file")
	}
}

func (s *strictJSON) value(c byte) {
	switch {
	case c == '{':
		s.stack = append(s.stack, c)
		s.state = wantFirstKey
	case c == '[':
		s.stack = append(s.stack, c)
		s.state = wantFirst
	case c == '"':
		s.state = inString
	case c == '-':
		s.state = inMinus
	case c == '0':
		s.state = inZero
	case '1' <= c && c <= '9':
		s.state = inDigits
	case c == 't':
		s.word, s.state = "rue", inWord
	case c == 'f':
		s.word, s.state = "alse", inWord
	case c == 'n':
		s.word, s.state = "ull", inWord
	default:
		s.bad(c, "a value")
	}
}

func (s *strictJSON) pop() {
	s.stack = s.stack[:len(s.stack)-1]
	s.done()
}

// done goes on behind a value.
func (s *strictJSON) done() {
	if s.state = wantComma; len(s.stack) == 0 {
		s.state = atEnd
	}
}

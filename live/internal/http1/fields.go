package http1

import (
	"iter"
	"math"
	"strings"

	"flowkit/flowfile"
)

// Get returns the value of the first field of that name.
func Get(fields []flowfile.Field, name string) (value string, ok bool) {
	for i := range fields {
		if flowfile.EqualFold(fields[i].Name, name) {
			return fields[i].Value, true
		}
	}
	return "", false
}

// Tokens yields the members of all fields of that name, which is a list divided by commas (RFC 9110 §5.6.1), without
// the white space around them. Empty members are left out; quoted strings are not understood.
func Tokens(fields []flowfile.Field, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range fields {
			if !flowfile.EqualFold(fields[i].Name, name) {
				continue
			}
			for rest := fields[i].Value; rest != ""; {
				var token string
				token, rest, _ = strings.Cut(rest, ",")
				if token = trim(token); token != "" && !yield(token) {
					return
				}
			}
		}
	}
}

// HasToken reports whether the list that the fields of that name make has that member, without regard to case.
func HasToken(fields []flowfile.Field, name, token string) bool {
	for t := range Tokens(fields, name) {
		if flowfile.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// ContentLength returns what the Content-Length fields say: ok is whether there is one. The same value may be said more
// than once, in one field or in several; the error is an *Error of status 502.
func ContentLength(fields []flowfile.Field) (n int64, ok bool, err error) {
	m := said{length: -1}
	for i := range fields {
		if flowfile.EqualFold(fields[i].Name, "Content-Length") {
			if err := m.contentLength(fields[i].Value, response); err != nil {
				return 0, false, err
			}
		}
	}
	return max(m.length, 0), m.lengths > 0, nil
}

// parseLength parses 1*DIGIT.
func parseLength(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

func checkFields(fields []flowfile.Field, sd side) error {
	for i := range fields {
		if err := checkField(&fields[i], sd); err != nil {
			return err
		}
	}
	return nil
}

func checkField(f *flowfile.Field, sd side) error {
	if !isToken(f.Name) {
		return refuse(sd.status(400), "a field name is not a token: ", quote(f.Name))
	}
	if !isValue(f.Value, sd) {
		return refuse(sd.status(400), "the value of ", f.Name, " holds a byte that must not be in one: ", quote(f.Value))
	}
	return nil
}

// isValue reports whether s can be the value of a field (RFC 9110 §5.5). Responses may hold control bytes but those that
// would end a line or a string.
func isValue(s string, sd side) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != 0x7f || c == '\t' {
			continue
		}
		if sd != response || c == 0 || c == '\r' || c == '\n' {
			return false
		}
	}
	return true
}

// isToken reports whether s is a token (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// tokenLow and tokenHigh have a bit for each byte of a token, below 64 and from 64 to 127.
const (
	tokenLow  = 1<<'!' | 1<<'#' | 1<<'$' | 1<<'%' | 1<<'&' | 1<<'\'' | 1<<'*' | 1<<'+' | 1<<'-' | 1<<'.' | (1<<10-1)<<'0'
	tokenHigh = (1<<26-1)<<('A'-64) | (1<<26-1)<<('a'-64) | 1<<('^'-64) | 1<<('_'-64) | 1<<('`'-64) | 1<<('|'-64) | 1<<('~'-64)
)

func isTokenByte(c byte) bool {
	if c < 64 {
		return uint64(tokenLow)>>c&1 != 0
	}
	return c < 128 && uint64(tokenHigh)>>(c-64)&1 != 0
}

// isHost reports whether s consists of the bytes of uri-host [":" port] (RFC 9110 §7.2). A comma would be one, too, but
// it is where Host fields were joined.
func isHost(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c):
		case strings.IndexByte("-._~%!$&'()*+;=:[]", c) >= 0:
		default:
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// trim removes optional white space (RFC 9110 §5.6.3).
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

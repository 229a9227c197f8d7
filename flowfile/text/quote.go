package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote returns s as one word of a POSIX shell, which is printable text whatever s holds.
// A NUL cannot be in a word, nor a newline at the end of a word with control characters:
// s must have neither.
func Quote(s string) string {
	if printable([]byte(s)) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	b := append([]byte(nil), `"$(printf '`...)
	b = appendFormat(b, []byte(s), false)
	return string(append(b, `')"`...))
}

// printable tells whether b is text that a terminal shows as it is.
func printable(b []byte) bool {
	for i := 0; i < len(b); {
		if c := b[i]; c < utf8.RuneSelf {
			if c < 0x20 && c != '\n' && c != '\t' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 || !unicode.IsPrint(r) {
			return false
		}
		i += n
	}
	return true
}

// appendFormat appends b as the format of a printf in single quotes. A NUL ends what some
// shells take from $(…), and a pipe takes it: only there it may be.
func appendFormat(dst, b []byte, lines bool) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c == '\'':
			dst = append(dst, `\047`...)
		case c == '\\':
			dst = append(dst, `\\`...)
		case c == '%':
			dst = append(dst, `%%`...)
		case c == '\n' && lines:
			dst = append(dst, `\n`...)
		case c == '-' && i == 0: // no option
			dst = append(dst, `\055`...)
		case c < 0x20 || c == 0x7f:
			dst = appendOctal(dst, c)
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 || !unicode.IsPrint(r) {
				for _, c := range b[i : i+n] {
					dst = appendOctal(dst, c)
				}
			} else {
				dst = append(dst, b[i:i+n]...)
			}
			i += n
			continue
		}
		i++
	}
	return dst
}

func appendOctal(dst []byte, c byte) []byte {
	return append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
}

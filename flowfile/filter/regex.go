package filter

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
	"unsafe"

	"flowkit/flowfile"
)

// pattern is a compiled regex behind a search for the letters it cannot do without: Go
// finds no literal in a regex that ignores case.
type pattern struct {
	re *regexp.Regexp
	// any are literals one of which must occur; none: unknown.
	any []literal
	// exact: to find one of any is to match.
	exact bool
	// raw: re is for text whose characters are bytes.
	raw bool
}

func (p *pattern) match(s string) bool {
	if len(p.any) > 0 {
		found := false
		for _, l := range p.any {
			if found = l.in(s); found {
				break
			}
		}
		if !found || p.exact {
			return found
		}
	}
	if p.raw {
		return p.re.MatchReader(&rawReader{s})
	}
	return p.re.MatchString(s)
}

func (p *pattern) matchBytes(b []byte) bool {
	return p.match(unsafe.String(unsafe.SliceData(b), len(b)))
}

// rawReader reads bytes as characters.
type rawReader struct{ s string }

func (r *rawReader) ReadRune() (rune, int, error) {
	if r.s == "" {
		return 0, 0, io.EOF
	}
	c := r.s[0]
	r.s = r.s[1:]
	return rune(c), 1, nil
}

// compile compiles a regex of mitmproxy, which is one of Python, under flags: those of Go,
// and b if it searches bytes. If it cannot, it tells where and why.
func compile(expr, flags string) (p *pattern, offset int, msg string) {
	raw := strings.Contains(flags, "b") && namesByte.MatchString(expr)
	flags = strings.ReplaceAll(flags, "b", "")
	written := len(expr)
	if raw {
		expr = nameBytes(expr)
	}
	translated, offset, msg := translate(expr, strings.Contains(flags, "m"))
	if msg != "" {
		return nil, min(offset, written), msg
	}
	full := "(?" + flags + ")" + translated
	re, err := regexp.Compile(full)
	if err != nil {
		offset, msg = explain(expr, err)
		return nil, min(offset, written), msg
	}
	p = &pattern{re: re, raw: raw}
	if tree, err := syntax.Parse(full, syntax.Perl); err == nil {
		tree = tree.Simplify()
		found := required(tree)
		for _, s := range found {
			p.any = append(p.any, newLiteral(s))
		}
		p.exact = len(found) == 1 && tree.Op == syntax.OpLiteral &&
			(tree.Flags&syntax.FoldCase != 0 || strings.ToUpper(found[0]) == found[0])
	}
	return p, 0, ""
}

// namesByte finds an escape of a byte that is no character by itself.
var namesByte = regexp.MustCompile(`\\x[89a-fA-F]|\\[23][0-7][0-7]`)

// nameBytes writes the bytes of what is not ASCII as escapes.
func nameBytes(expr string) string {
	var b strings.Builder
	for i := range len(expr) {
		if expr[i] < utf8.RuneSelf {
			b.WriteByte(expr[i])
		} else {
			fmt.Fprintf(&b, `\x%02x`, expr[i])
		}
	}
	return b.String()
}

func explain(expr string, err error) (int, string) {
	var se *syntax.Error
	if !errors.As(err, &se) {
		return 0, "invalid regex: " + err.Error()
	}
	msg := fmt.Sprintf("invalid regex: %s", se.Code)
	switch se.Code {
	case syntax.ErrMissingRepeatArgument:
		msg += "; any characters are .*"
	case syntax.ErrInvalidRepeatSize:
		msg += "; the largest is 1000"
	case syntax.ErrInvalidRepeatOp:
		msg += "; there are no possessive quantifiers"
	case syntax.ErrInvalidUTF8:
		return 0, msg
	}
	return max(0, strings.Index(expr, se.Expr)), msg
}

// translate turns a Python regex into one of Go that matches the same, or tells where and
// why there is none.
func translate(expr string, lines bool) (out string, offset int, msg string) {
	var b strings.Builder
	inClass, classStart := false, 0
	lines = lines || inlineLines.MatchString(expr)
	for i := 0; i < len(expr); i++ {
		rest := expr[i:]
		switch {
		case expr[i] == '\\' && i+1 < len(expr):
			s, n, msg := escape(rest, inClass)
			if msg != "" {
				return "", i, msg
			}
			b.WriteString(s)
			i += n - 1
			continue
		case inClass:
			if expr[i] == '[' {
				b.WriteByte('\\') // Python has no [:alpha:]
			} else if expr[i] == ']' && i > classStart {
				inClass = false
			}
		case expr[i] == '[':
			inClass, classStart = true, i+1
			if strings.HasPrefix(rest, "[^") {
				classStart++
			}
		case strings.HasPrefix(rest, "(?"):
			if msg := group(rest[2:]); msg != "" {
				return "", i, msg
			}
		case strings.HasPrefix(rest, "{,"):
			// Python's {,n} is {0,n}; Go takes it for text.
			if end := strings.IndexByte(rest, '}'); end > 2 && strings.Trim(rest[2:end], "0123456789") == "" {
				b.WriteString("{0")
				continue
			}
		case expr[i] == '$' && !lines:
			// Python's $ is also before a line feed that ends the text.
			b.WriteString(`(?:\n?\z)`)
			continue
		}
		b.WriteByte(expr[i])
	}
	return b.String(), 0, ""
}

// inlineLines finds a flag m.
var inlineLines = regexp.MustCompile(`\(\?[a-zA-Z]*m`)

// escape translates the escape s begins with, of which it takes n bytes.
func escape(s string, inClass bool) (out string, n int, msg string) {
	switch c := s[1]; {
	case c == 'Z' && !inClass:
		return `\z`, 2, ""
	case c >= '1' && c <= '9' && !inClass:
		if len(s) >= 4 && isOctal(s[1]) && isOctal(s[2]) && isOctal(s[3]) {
			return s[:4], 4, ""
		}
		return "", 0, "backreferences are not supported (RE2)"
	case c == 'u' || c == 'U':
		digits := 4
		if c == 'U' {
			digits = 8
		}
		if len(s) < 2+digits {
			return s[:2], 2, ""
		}
		return `\x{` + s[2:2+digits] + `}`, 2 + digits, ""
	case c >= 0x80:
		return `\` + s[1:2], 2, ""
	}
	return s[:2], 2, ""
}

func isOctal(c byte) bool { return '0' <= c && c <= '7' }

// group refuses what begins with (? in Python only; s is what follows.
func group(s string) string {
	has := func(p string) bool { return strings.HasPrefix(s, p) }
	switch {
	case has("="), has("!"), has("<="), has("<!"):
		return "lookahead and lookbehind are not supported (RE2); combine filters by & and ! instead"
	case has("P="):
		return "backreferences are not supported (RE2)"
	case has(">"):
		return "atomic groups are not supported (RE2); plain groups (?:…) do"
	case has("("):
		return "conditionals are not supported (RE2)"
	case has("#"):
		return "comments in regexes are not supported (RE2)"
	}
	flags, _, _ := strings.Cut(strings.TrimLeft(s, "ims-U"), ":")
	flags, _, _ = strings.Cut(flags, ")")
	if flags != "" && strings.Trim(flags, "aLuxims-") == "" {
		return "the flags are i, m and s (RE2)"
	}
	return ""
}

// required returns lower-case ASCII literals one of which is in everything that re
// matches; nil if there are none.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		l := strings.ToLower(string(re.Rune))
		for i := range len(l) {
			if l[i] >= 0x80 {
				return nil
			}
		}
		return []string{l}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if r := required(sub); shortest(r) > shortest(best) {
				best = r
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			r := required(sub)
			if len(r) == 0 || len(all)+len(r) > 8 {
				return nil
			}
			all = append(all, r...)
		}
		return all
	}
	return nil
}

func shortest(l []string) int {
	n := 0
	for i, s := range l {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}

// literal is a lower-case ASCII string to look for in any case.
type literal struct {
	s  string
	at int // where its rarest byte is
}

// common are bytes from the rarest to the most frequent in URLs, headers and bodies.
const common = "jqxzkvywgbfhpumdlc9876543210-_.:/=\",<> nirsaote"

func newLiteral(s string) literal {
	at, rank := 0, len(common)
	for i := 0; i < len(s); i++ {
		if r := strings.IndexByte(common, s[i]); r < rank {
			at, rank = i, r
		}
	}
	return literal{s, at}
}

// in tells whether s contains l.
func (l literal) in(s string) bool {
	if len(l.s) == 0 {
		return true
	}
	end := len(s) - len(l.s) + l.at + 1
	if end <= l.at {
		return false
	}
	low := l.s[l.at]
	up := low
	if 'a' <= low && low <= 'z' {
		up -= 'a' - 'A'
	}
	nextLow, nextUp := next(s[:end], l.at, low), end
	if up != low {
		nextUp = next(s[:end], l.at, up)
	}
	for nextLow < end || nextUp < end {
		i := min(nextLow, nextUp)
		start := i - l.at
		if flowfile.EqualFold(s[start:start+len(l.s)], l.s) {
			return true
		}
		if i == nextLow {
			nextLow = next(s[:end], i+1, low)
		} else {
			nextUp = next(s[:end], i+1, up)
		}
	}
	return false
}

// next returns where c is in s from i on, len(s) if nowhere.
func next(s string, i int, c byte) int {
	if n := strings.IndexByte(s[i:], c); n >= 0 {
		return i + n
	}
	return len(s)
}

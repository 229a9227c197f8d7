package lib

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// template is a parsed replacement string: \1, \g<1>, \g<name>, \n and so on.
type template []templatePart

// templatePart is text, and then a group unless that is negative.
type templatePart struct {
	text  string
	group int
}

// expand writes the template for one match. A group without a part in the match
// is empty.
func (t template) expand(out *strings.Builder, s *subject, loc []int) {
	for _, part := range t {
		out.WriteString(part.text)
		if g := part.group; g >= 0 && loc[2*g] >= 0 {
			out.WriteString(s.full[loc[2*g]:loc[2*g+1]])
		}
	}
}

// template parses the replacement s for the pattern's groups.
func (p *Pattern) template(s string) (template, error) {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return template{{text: s, group: -1}}, nil
	}
	var t template
	text := []byte(s[:i])
	for i < len(s) {
		if s[i] != '\\' {
			text = append(text, s[i])
			i++
			continue
		}
		n, char, group, err := p.templateEscape(s[i:])
		if err != nil {
			return nil, &patternError{pattern: s, offset: i, msg: "in the replacement, " + err.Error()}
		}
		i += n
		switch {
		case group >= 0:
			t = append(t, templatePart{string(text), group})
			text = text[:0]
		case p.isBytes:
			text = append(text, char...)
		default:
			for _, c := range []byte(char) {
				text = utf8.AppendRune(text, rune(c))
			}
		}
	}
	return append(t, templatePart{string(text), -1}), nil
}

// templateEscape reads the escape at the start of s, which is n long and means a
// group or, with group < 0, some text.
func (p *Pattern) templateEscape(s string) (n int, char string, group int, err error) {
	if len(s) == 1 {
		return 0, "", 0, fmt.Errorf("bad escape (end of pattern)")
	}
	switch c := s[1]; {
	case c == 'g':
		return p.templateGroup(s)
	case c == '0':
		n = 2
		for n < 4 && isOctal(s, n, 1) {
			n++
		}
		return octalText(s[:n])
	case isDigit(c):
		if isOctal(s, 1, 3) {
			return octalText(s[:4])
		}
		n = 2
		if len(s) > 2 && isDigit(s[2]) {
			n = 3
		}
		group, err = p.templateNumber(s[1:n])
		return n, "", group, err
	case c == '\\':
		return 2, `\`, -1, nil
	case c == 'b':
		return 2, "\b", -1, nil
	case controlEscapes[rune(c)] != 0:
		return 2, string(controlEscapes[rune(c)]), -1, nil
	case isAlpha(c):
		return 0, "", 0, fmt.Errorf("bad escape %s", s[:2])
	}
	// Any other character, of which the rest may follow, keeps its backslash.
	return 1, `\`, -1, nil
}

func octalText(s string) (n int, char string, group int, err error) {
	v, err := strconv.ParseUint(s[1:], 8, 8)
	if err != nil {
		return 0, "", 0, fmt.Errorf("octal escape value %s outside of range 0-0o377", s)
	}
	return len(s), string([]byte{byte(v)}), -1, nil
}

// templateGroup reads \g<name> or \g<number>.
func (p *Pattern) templateGroup(s string) (n int, char string, group int, err error) {
	end := strings.IndexByte(s, '>')
	if len(s) < 3 || s[2] != '<' || end < 0 {
		return 0, "", 0, fmt.Errorf(`missing group name, want \g<name>`)
	}
	name := s[3:end]
	switch {
	case name != "" && isCount(name):
		group, err = p.templateNumber(name)
	case !isIdentifier(name):
		err = fmt.Errorf("bad character in group name %q", name)
	default:
		var ok bool
		if group, ok = p.named(name); !ok {
			err = fmt.Errorf("unknown group name %q", name)
		}
	}
	return end + 1, "", group, err
}

func (p *Pattern) templateNumber(digits string) (int, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || n >= len(p.names) {
		return 0, fmt.Errorf("invalid group reference %s", digits)
	}
	return n, nil
}

package filter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds brackets and signs within each other.
const maxDepth = 200

// SyntaxError is an expression that cannot be parsed.
type SyntaxError struct {
	Expr   string
	Offset int // of the first byte that is wrong
	Msg    string
}

// Error returns the message and, below it, the expression with a caret.
func (e *SyntaxError) Error() string {
	flat := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, e.Expr)
	column := utf8.RuneCountInString(e.Expr[:min(e.Offset, len(e.Expr))])
	return fmt.Sprintf("invalid filter: %s\n  %s\n  %s^", e.Msg, flat, strings.Repeat(" ", column))
}

type parser struct {
	expr  string
	pos   int
	depth int
}

func (p *parser) errorf(offset int, format string, args ...any) error {
	return &SyntaxError{p.expr, offset, fmt.Sprintf(format, args...)}
}

func (p *parser) parse() (*node, error) {
	p.space()
	if p.end() {
		return nil, p.errorf(0, "empty expression; ~all matches every flow")
	}
	n, err := p.filter()
	if err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.errorf(p.pos, ") without (")
	}
	return n, nil
}

// filter parses up to the end or a closing bracket.
func (p *parser) filter() (*node, error) {
	var kids []*node
	for {
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
		if p.end() || p.at(')') {
			return join(opAnd, kids), nil
		}
	}
}

func (p *parser) or() (*node, error)  { return p.list(opOr, '|', p.and) }
func (p *parser) and() (*node, error) { return p.list(opAnd, '&', p.not) }

// list parses operands with sign between them. It leaves the position behind white space.
func (p *parser) list(o op, sign byte, operand func() (*node, error)) (*node, error) {
	var kids []*node
	for {
		n, err := operand()
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
		p.space()
		if !p.at(sign) || p.last() {
			return join(o, kids), nil
		}
		p.pos++
	}
}

// last tells whether nothing comes behind the sign at the position: it is a word then.
func (p *parser) last() bool {
	return strings.Trim(p.expr[p.pos+1:], whitespace) == ""
}

// lastInBrackets is last for a bracket behind the sign.
func (p *parser) lastInBrackets() bool {
	return strings.HasPrefix(strings.TrimLeft(p.expr[p.pos+1:], whitespace), ")")
}

// join makes one node of kids. Nodes of the same kind within it become its own.
func join(o op, kids []*node) *node {
	if len(kids) == 1 {
		return kids[0]
	}
	n := &node{op: o}
	for _, k := range kids {
		if k.op == o {
			n.kids = append(n.kids, k.kids...)
		} else {
			n.kids = append(n.kids, k)
		}
	}
	return n
}

func (p *parser) not() (*node, error) {
	p.space()
	if !p.at('!') || p.last() || p.lastInBrackets() {
		return p.atom()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.pos++
	n, err := p.not()
	if err != nil {
		return nil, err
	}
	return &node{op: opNot, kids: []*node{n}}, nil
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.errorf(p.pos, "nested too deeply")
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) atom() (*node, error) {
	p.space()
	switch {
	case p.end():
		return nil, p.errorf(p.pos, "something must follow")
	case p.at(')'):
		return nil, p.errorf(p.pos, "something must come before )")
	case p.at('('):
		return p.brackets()
	case p.at('~'):
		return p.operator()
	}
	return p.regex(opURL, "i")
}

func (p *parser) brackets() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := p.pos
	p.pos++
	n, err := p.filter()
	if err != nil {
		return nil, err
	}
	if !p.at(')') {
		return nil, p.errorf(start, "( is never closed")
	}
	p.pos++
	return n, nil
}

func (p *parser) operator() (*node, error) {
	start := p.pos
	end := start + 1
	for end < len(p.expr) && isWordByte(p.expr[end]) {
		end++
	}
	name := p.expr[start+1 : end]
	for _, o := range operators {
		if o.name != name {
			continue
		}
		p.pos = end
		if err := p.behind(o.op, name); err != nil {
			return nil, err
		}
		switch {
		case o.op == opCode:
			return p.number()
		case o.op > opCode:
			return p.regex(o.op, o.flags)
		}
		return &node{op: o.op}, nil
	}
	return nil, p.errorf(start, "unknown operator ~%s%s", name, suggest(name))
}

// behind checks that the name of an operator ends here: mitmproxy wants white space,
// which is too much of a flag before a sign or bracket.
func (p *parser) behind(o op, name string) error {
	if p.end() {
		return nil
	}
	switch c := p.expr[p.pos]; {
	case c <= ' ' || c >= 0x7f:
		return nil
	case o < opCode && (c == ')' || c == '&' || c == '|'):
		return nil
	case o > opCode && (c == '\'' || c == '"'):
		return nil
	}
	if o >= opCode && p.at(')') {
		return p.errorf(p.pos, "~%s needs %s", name, wants(o))
	}
	return p.errorf(p.pos, "a space is missing behind ~%s", name)
}

func wants(o op) string {
	if o == opCode {
		return "a number"
	}
	return "a regex"
}

func (p *parser) number() (*node, error) {
	p.space()
	start := p.pos
	for !p.end() && p.expr[p.pos] >= '0' && p.expr[p.pos] <= '9' {
		p.pos++
	}
	digits := strings.TrimLeft(p.expr[start:p.pos], "0")
	if p.pos == start {
		return nil, p.errorf(start, "~c needs a number")
	}
	if digits == "" {
		digits = "0"
	}
	code, err := strconv.Atoi(digits)
	if err != nil {
		code = -1 // larger than any status
	}
	return &node{op: opCode, arg: digits, code: code}, nil
}

func (p *parser) regex(o op, flags string) (*node, error) {
	p.space()
	start := p.pos
	arg, err := p.word(o)
	if err != nil {
		return nil, err
	}
	rx, offset, msg := compile(arg, flags)
	if msg != "" {
		at := start
		if p.expr[start] != '\'' && p.expr[start] != '"' {
			at += offset
		} else if !strings.Contains(p.expr[start:p.pos], `\`) {
			at += offset + 1
		}
		return nil, p.errorf(at, "%s", msg)
	}
	return &node{op: o, arg: arg, rx: rx}, nil
}

func (p *parser) word(o op) (string, error) {
	if p.end() || p.at(')') || p.at('~') {
		return "", p.errorf(p.pos, "~%s needs %s", o.name(), wants(o))
	}
	if p.at('(') {
		return "", p.errorf(p.pos, `~%s needs %s; one with brackets in quotes: "(…)"`, o.name(), wants(o))
	}
	if p.at('\'') || p.at('"') {
		return p.quoted()
	}
	start := p.pos
	for !p.end() && isBare(p.expr[p.pos]) {
		p.pos++
	}
	return p.expr[start:p.pos], nil
}

func (p *parser) quoted() (string, error) {
	start, quote := p.pos, p.expr[p.pos]
	var b strings.Builder
	for i := start + 1; i < len(p.expr); i++ {
		switch c := p.expr[i]; {
		case c == quote:
			p.pos = i + 1
			return b.String(), nil
		case c == '\n' || c == '\r':
			return "", p.errorf(i, `a line ends within quotes; write it as \n`)
		case c == '\\' && i+1 < len(p.expr) && p.expr[i+1] != '\n':
			i++
			b.WriteByte(unescape(p.expr[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", p.errorf(start, "quote is never closed")
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'f':
		return '\f'
	}
	return c
}

const whitespace = " \t\r\n"

func (p *parser) space() {
	for !p.end() && strings.IndexByte(whitespace, p.expr[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) end() bool      { return p.pos >= len(p.expr) }
func (p *parser) at(c byte) bool { return p.pos < len(p.expr) && p.expr[p.pos] == c }

// isBare tells whether c may be in a bare word.
func isBare(c byte) bool { return strings.IndexByte("()~'\""+whitespace, c) < 0 }

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// spelled are words by which operators are looked for.
var spelled = map[string]string{
	"url": "u", "path": "u", "host": "d", "domain": "d", "method": "m", "code": "c",
	"status": "c", "request": "q", "response": "s", "error": "e", "type": "t", "mime": "t",
	"body": "b", "header": "h", "headers": "h", "asset": "a", "mark": "marked", "ws": "websocket",
	"metadata": "meta", "tls": "http", "ip": "dst", "server": "dst", "client": "src",
}

// suggest returns a hint at the operator that name was meant to be.
func suggest(name string) string {
	name = strings.ToLower(name)
	if s, ok := spelled[name]; ok {
		return "; did you mean ~" + s + "?"
	}
	best, distance := "", len(name)/2+1
	for _, o := range operators {
		if o.name == name {
			return "; did you mean ~" + o.name + "?"
		}
		if d := edits(name, o.name); d < distance && len(o.name) > 1 && len(name) > 1 {
			best, distance = o.name, d
		}
	}
	if best == "" && name != "" {
		if i := strings.IndexAny(name, "0123456789"); i > 0 {
			return suggest(name[:i])
		}
		return ""
	}
	if best == "" {
		return "; ~ begins an operator, put it in quotes to search for it"
	}
	return "; did you mean ~" + best + "?"
}

// edits returns how many letters must be put in, taken out or replaced to get from a to b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost++
			}
			left = row[j+1]
			row[j+1] = min(cost, row[j]+1, left+1)
		}
	}
	return row[len(b)]
}

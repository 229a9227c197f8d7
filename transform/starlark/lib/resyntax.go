package lib

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Python's flag bits.
const (
	flagI = 2
	flagL = 4
	flagM = 8
	flagS = 16
	flagU = 32
	flagX = 64
	flagA = 256
)

var flagLetters = map[byte]int{'i': flagI, 'L': flagL, 'm': flagM, 's': flagS, 'u': flagU, 'x': flagX, 'a': flagA}

// maxCount is the largest {n} that RE2 accepts.
const maxCount = 1000

// translation is a Python pattern as RE2 source.
//
// Groups are numbered as in Python and carry no names. Anchors, dots, categories
// and ASCII-only case are spelled out where they stand, so that of the flags only
// the Unicode case of (?i:...) covers a whole stretch of the pattern.
type translation struct {
	expr   string
	flags  int      // as given plus those written at the front
	names  []string // by group number; "" for an unnamed one and for group 0
	closed []int    // group numbers in the order of their closing parentheses
	dollar bool     // a $ that also matches before a final newline, here \z
	end    bool     // a \Z
	wide   bool     // the classes \w, \d differ between ASCII and all of Unicode
}

// patternError is a mistake in a pattern, with its byte offset.
type patternError struct {
	pattern string
	offset  int
	msg     string
}

func (e *patternError) Error() string {
	return fmt.Sprintf("re: %s at position %d of %q", e.msg, e.offset, e.pattern)
}

// scope is what an open parenthesis saves.
type scope struct {
	flags  int
	group  int // 0 if not capturing
	closer string
	offset int
}

// translator turns Python's syntax into RE2's, one character at a time.
type translator struct {
	src     string
	bytes   bool // each byte is a character, as in Latin-1
	unicode bool // write \w and \d as Unicode classes where Python has them so
	pos     int
	out     strings.Builder
	flags   int // in force here
	stack   []scope
	byName  map[string]int
	repeat  repeatState
	translation
}

// repeatState says whether a quantifier may follow.
type repeatState int

const (
	nothing repeatState = iota
	item
	repeated
)

// translate parses a Python pattern. With wide it spells \w and \d for all of
// Unicode, without for subjects that are ASCII.
func translate(pattern string, isBytes bool, flags int, wide bool) (tr *translation, err error) {
	t := &translator{src: pattern, bytes: isBytes, unicode: wide, byName: make(map[string]int)}
	t.names = []string{""}
	defer func() {
		if e, ok := recover().(*patternError); ok {
			tr, err = nil, e
		} else if e != nil {
			panic(e)
		}
	}()
	t.setGlobal(flags)
	for t.pos < len(t.src) {
		t.next()
	}
	if n := len(t.stack); n > 0 {
		t.failAt(t.stack[n-1].offset, "missing ), unterminated subpattern")
	}
	t.expr = t.out.String()
	if t.foldsUnicode() {
		t.expr = "(?i:" + t.expr + ")"
	}
	t.translation.flags = t.flags
	return &t.translation, nil
}

func (t *translator) failAt(offset int, format string, args ...any) {
	panic(&patternError{pattern: t.src, offset: offset, msg: fmt.Sprintf(format, args...)})
}

func (t *translator) pythonOnly(offset int, what, advice string) {
	t.failAt(offset, "%s is Python-only; flowkit's regular expressions are RE2, which run in linear time and %s", what, advice)
}

// setGlobal checks and applies the flags of the whole pattern.
func (t *translator) setGlobal(flags int) {
	if flags&^(flagI|flagL|flagM|flagS|flagU|flagX|flagA) != 0 {
		t.failAt(t.pos, "unknown flags %d", flags)
	}
	t.flags |= flags
	switch {
	case t.flags&flagL != 0:
		t.failAt(t.pos, "the LOCALE flag is not supported")
	case t.bytes && t.flags&flagU != 0:
		t.failAt(t.pos, "cannot use UNICODE flag with a bytes pattern")
	case t.flags&flagA != 0 && t.flags&flagU != 0:
		t.failAt(t.pos, "ASCII and UNICODE flags are incompatible")
	}
}

// asciiOnly reports whether classes and case go by ASCII here.
func (t *translator) asciiOnly() bool { return t.bytes || t.flags&flagA != 0 }

func (t *translator) foldsUnicode() bool { return t.flags&flagI != 0 && !t.asciiOnly() }
func (t *translator) foldsASCII() bool   { return t.flags&flagI != 0 && t.asciiOnly() }

// take reads one character.
func (t *translator) take() rune {
	if t.bytes {
		t.pos++
		return rune(t.src[t.pos-1])
	}
	r, n := utf8.DecodeRuneInString(t.src[t.pos:])
	if r == utf8.RuneError && n == 1 {
		t.failAt(t.pos, "invalid UTF-8 in a str pattern (use a bytes pattern)")
	}
	t.pos += n
	return r
}

// accept skips s if it comes next.
func (t *translator) accept(s string) bool {
	if strings.HasPrefix(t.src[t.pos:], s) {
		t.pos += len(s)
		return true
	}
	return false
}

// next translates one element.
func (t *translator) next() {
	start := t.pos
	switch c := t.take(); c {
	case '\\':
		t.escape(start)
	case '[':
		t.class(start)
	case '(':
		t.open(start)
	case ')':
		t.close(start)
	case '|':
		t.out.WriteByte('|')
		t.repeat = nothing
	case '*', '+', '?':
		t.quantifier(start, string(c))
	case '{':
		t.braces(start)
	case '.':
		if t.flags&flagS != 0 {
			t.emit("(?s:.)", item)
		} else {
			t.emit("(?-s:.)", item)
		}
	case '^':
		if t.flags&flagM != 0 {
			t.emit("(?m:^)", nothing)
		} else {
			t.emit(`\A`, nothing)
		}
	case '$':
		if t.flags&flagM != 0 {
			t.emit("(?m:$)", nothing)
		} else {
			t.dollar = true
			t.emit(`\z`, nothing)
		}
	default:
		if t.flags&flagX != 0 {
			if c == '#' {
				t.skipPast("\n")
				return
			}
			if c < utf8.RuneSelf && isSpace(byte(c)) {
				return
			}
		}
		t.literal(c)
	}
}

func (t *translator) emit(s string, r repeatState) {
	t.out.WriteString(s)
	t.repeat = r
}

// skipPast moves behind the next end, or to the end of the pattern.
func (t *translator) skipPast(end string) bool {
	i := strings.Index(t.src[t.pos:], end)
	if i < 0 {
		t.pos = len(t.src)
		return false
	}
	t.pos += i + len(end)
	return true
}

func (t *translator) literal(r rune) {
	switch {
	case t.foldsASCII() && r < utf8.RuneSelf && isAlpha(byte(r)):
		t.emit("["+string(r)+string(r^0x20)+"]", item)
	case r >= utf8.RuneSelf && !t.bytes && r != utf8.RuneError:
		t.emit(string(r), item)
	default:
		t.emit(quoteRune(r), item)
	}
}

// quoteRune writes a character so that it stands for itself, also in a class.
func quoteRune(r rune) string {
	if r < utf8.RuneSelf && (isAlpha(byte(r)) || isDigit(byte(r)) || r == '_' || r == '/') {
		return string(r)
	}
	return fmt.Sprintf(`\x{%x}`, r)
}

func (t *translator) quantifier(start int, op string) {
	switch t.repeat {
	case nothing:
		t.failAt(start, "nothing to repeat")
	case repeated:
		t.failAt(start, "multiple repeat")
	}
	if t.accept("?") {
		op += "?"
	} else if t.accept("+") {
		t.pythonOnly(start, "the possessive quantifier "+t.src[start:t.pos], "have none")
	}
	t.emit(op, repeated)
}

// braces translates {n}, {n,}, {,m}, {n,m}; any other { is itself.
func (t *translator) braces(start int) {
	rest := t.src[t.pos:]
	end := strings.IndexByte(rest, '}')
	if end < 0 {
		t.literal('{')
		return
	}
	lo, hi, ranged := strings.Cut(rest[:end], ",")
	if !ranged {
		hi = lo
	}
	if !isCount(lo) || !isCount(hi) || lo == "" && !ranged {
		t.literal('{')
		return
	}
	t.pos += end + 1
	least, most := t.count(start, lo, 0), t.count(start, hi, -1)
	if hi != "" && least > most {
		t.failAt(start, "min repeat greater than max repeat")
	}
	switch {
	case hi == "":
		t.quantifier(start, fmt.Sprintf("{%d,}", least))
	case least == most:
		t.quantifier(start, fmt.Sprintf("{%d}", least))
	default:
		t.quantifier(start, fmt.Sprintf("{%d,%d}", least, most))
	}
}

func isCount(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (t *translator) count(start int, s string, dflt int) int {
	if s == "" {
		return dflt
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > maxCount {
		t.failAt(start, "repeat count %s is above %d, the limit of RE2", s, maxCount)
	}
	return n
}

// open translates an opening parenthesis and what follows its question mark.
func (t *translator) open(start int) {
	if !t.accept("?") {
		t.push(start, "(", ")", true, "")
		return
	}
	switch {
	case t.accept(":"):
		t.push(start, "(?:", ")", false, "")
	case t.accept("P<"):
		t.push(start, "(", ")", true, t.groupName())
	case t.accept("P="):
		t.pythonOnly(start, "the backreference (?P=...)", "cannot refer back")
	case t.accept("#"):
		if !t.skipPast(")") {
			t.failAt(start, "missing ), unterminated comment")
		}
	case t.accept("="):
		t.pythonOnly(start, "lookahead (?=...)", "cannot look around")
	case t.accept("!"):
		t.pythonOnly(start, "negative lookahead (?!...)", "cannot look around")
	case t.accept("<="):
		t.pythonOnly(start, "lookbehind (?<=...)", "cannot look around")
	case t.accept("<!"):
		t.pythonOnly(start, "negative lookbehind (?<!...)", "cannot look around")
	case t.accept(">"):
		t.pythonOnly(start, "the atomic group (?>...)", "never backtrack")
	case t.accept("("):
		t.pythonOnly(start, "the conditional (?(...)...)", "have none")
	case t.accept("<"):
		t.failAt(start, "unknown extension ?<; a named group is (?P<name>...)")
	default:
		t.flagGroup(start)
	}
}

func (t *translator) groupName() string {
	start := t.pos
	if !t.skipPast(">") {
		t.failAt(start, "missing >, unterminated name")
	}
	name := t.src[start : t.pos-1]
	if !isIdentifier(name) {
		t.failAt(start, "bad character in group name %q", name)
	}
	if n, dup := t.byName[name]; dup {
		t.failAt(start, "redefinition of group name %q as group %d; was group %d", name, len(t.names), n)
	}
	return name
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) || r == utf8.RuneError {
			return false
		}
	}
	return s != ""
}

// push opens a group, at whose end the flags return to what they are now.
func (t *translator) push(start int, opener, closer string, capture bool, name string) {
	s := scope{flags: t.flags, closer: closer, offset: start}
	if capture {
		s.group = len(t.names)
		t.names = append(t.names, name)
		if name != "" {
			t.byName[name] = s.group
		}
	}
	t.stack = append(t.stack, s)
	t.emit(opener, nothing)
}

func (t *translator) close(start int) {
	n := len(t.stack)
	if n == 0 {
		t.failAt(start, "unbalanced parenthesis")
	}
	s := t.stack[n-1]
	t.stack = t.stack[:n-1]
	t.flags = s.flags
	if s.group > 0 {
		t.closed = append(t.closed, s.group)
	}
	t.emit(s.closer, item)
}

// flagGroup translates (?flags) at the front and (?flags-flags:...) anywhere.
func (t *translator) flagGroup(start int) {
	on, off, negative := 0, 0, false
	for t.pos < len(t.src) {
		c := t.src[t.pos]
		t.pos++
		switch bit := flagLetters[c]; {
		case bit != 0 && negative:
			off |= bit
		case bit != 0:
			on |= bit
		case c == '-' && !negative:
			negative = true
		case c == ')' && !negative && on != 0:
			if t.out.Len() > 0 || len(t.stack) > 0 {
				t.failAt(start, "global flags not at the start of the expression")
			}
			t.setGlobal(on)
			return
		case c == ':' && (on|off) != 0 && !(negative && off == 0):
			t.scopedFlags(start, on, off)
			return
		default:
			t.failAt(start, "unknown extension ?%s", t.src[start+2:t.pos])
		}
	}
	t.failAt(start, "missing ), unterminated flags")
}

func (t *translator) scopedFlags(start, on, off int) {
	const modes = flagL | flagU | flagA
	switch {
	case on&off != 0:
		t.failAt(start, "bad inline flags: flag turned on and off")
	case off&modes != 0:
		t.failAt(start, "bad inline flags: cannot turn off flags 'a', 'u' and 'L'")
	case on&flagL != 0:
		t.failAt(start, "the LOCALE flag is not supported")
	case t.bytes && on&flagU != 0:
		t.failAt(start, "bad inline flags: cannot use 'u' flag with a bytes pattern")
	case on&flagA != 0 && on&flagU != 0:
		t.failAt(start, "bad inline flags: flags 'a', 'u' and 'L' are incompatible")
	}
	t.push(start, "", ")", false, "")
	if on&modes != 0 {
		t.flags &^= modes
	}
	t.flags = t.flags&^off | on
	if t.foldsUnicode() {
		t.emit("(?i:", nothing)
	} else {
		t.emit("(?-i:", nothing)
	}
}

// escape translates a backslash outside a class.
func (t *translator) escape(start int) {
	if t.pos == len(t.src) {
		t.failAt(start, "bad escape (end of pattern)")
	}
	switch c := t.src[t.pos]; c {
	case 'A':
		t.pos++
		t.emit(`\A`, nothing)
	case 'Z', 'z':
		t.pos++
		t.end = true
		t.emit(`\z`, nothing)
	case 'b', 'B':
		t.pos++
		t.emit(`\`+string(rune(c)), nothing)
	case 'd', 'D', 's', 'S', 'w', 'W':
		t.pos++
		set := "[" + t.category(c) + "]"
		if t.foldsUnicode() {
			set = "(?-i:" + set + ")"
		}
		t.emit(set, item)
	case 'p', 'P':
		t.emit(t.property(start), item)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if !isOctal(t.src, t.pos, 3) {
			t.pythonOnly(start, "the backreference "+t.src[start:t.pos+1], "cannot refer back")
		}
		t.literal(t.octal(start))
	default:
		t.literal(t.charEscape(start))
	}
}

// property passes \pL and \p{Greek} on, which RE2 has and Python lacks.
func (t *translator) property(start int) string {
	t.pos++
	switch {
	case t.bytes:
		t.failAt(start, "bad escape %s in a bytes pattern", t.src[start:t.pos])
	case t.accept("{"):
		if !t.skipPast("}") {
			t.failAt(start, "missing }, unterminated property name")
		}
	case t.pos < len(t.src):
		t.take()
	}
	s := t.src[start:t.pos]
	if _, err := syntax.Parse(s, syntax.Perl); err != nil {
		t.failAt(start, "bad escape %s", s)
	}
	return s
}

func isOctal(s string, pos, n int) bool {
	if len(s)-pos < n {
		return false
	}
	return strings.Trim(s[pos:pos+n], "01234567") == ""
}

// octal reads up to three octal digits.
func (t *translator) octal(start int) rune {
	n := 1
	for n < 3 && isOctal(t.src, t.pos, n+1) {
		n++
	}
	v, _ := strconv.ParseUint(t.src[t.pos:t.pos+n], 8, 32)
	t.pos += n
	if v > 0o377 {
		t.failAt(start, "octal escape value %s outside of range 0-0o377", t.src[start:t.pos])
	}
	return rune(v)
}

var controlEscapes = map[rune]rune{'a': '\a', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// charEscape reads the escapes that mean one character in and out of classes.
func (t *translator) charEscape(start int) rune {
	c := t.take()
	if r, ok := controlEscapes[c]; ok {
		return r
	}
	switch {
	case c == '0':
		t.pos--
		return t.octal(start)
	case c == 'x':
		return t.hex(start, 2)
	case c == 'u' && !t.bytes:
		return t.hex(start, 4)
	case c == 'U' && !t.bytes:
		return t.hex(start, 8)
	case c < utf8.RuneSelf && (isAlpha(byte(c)) || isDigit(byte(c))):
		t.failAt(start, "bad escape %s", t.src[start:t.pos])
	}
	return c
}

func (t *translator) hex(start, n int) rune {
	end := min(t.pos+n, len(t.src))
	v, err := strconv.ParseUint(t.src[t.pos:end], 16, 32)
	if err != nil || end-t.pos < n || v > unicode.MaxRune {
		t.failAt(start, "incomplete or bad escape %q", t.src[start:end])
	}
	t.pos = end
	return rune(v)
}

// class translates [...] item by item.
func (t *translator) class(start int) {
	opener := "["
	if t.accept("^") {
		opener = "[^"
	}
	var chars, sets strings.Builder
	for first := true; first || !t.accept("]"); first = false {
		from := t.pos
		lo, set := t.classItem(start)
		if !strings.HasPrefix(t.src[t.pos:], "-") || strings.HasPrefix(t.src[t.pos:], "-]") {
			sets.WriteString(set)
			if set == "" {
				t.classRange(&chars, lo, lo)
			}
			continue
		}
		t.pos++
		hi, set2 := t.classItem(start)
		if set+set2 != "" || hi < lo {
			t.failAt(from, "bad character range %s", t.src[from:t.pos])
		}
		t.classRange(&chars, lo, hi)
	}
	if sets.Len() > 0 && t.foldsUnicode() {
		t.emit("(?-i:"+opener+sets.String()+foldClass(chars.String())+"])", item)
		return
	}
	t.emit(opener+sets.String()+chars.String()+"]", item)
}

// foldClass adds the other cases to the characters of a class. RE2 would fold
// categories too, and so let \W match k by way of the Kelvin sign.
func foldClass(chars string) string {
	if chars == "" {
		return ""
	}
	// With a second character, so that the tree is a class for sure.
	re, err := syntax.Parse("(?i:[\\x{0}\\x{2}"+chars+"])", syntax.Perl)
	if err != nil || re.Op != syntax.OpCharClass {
		return chars
	}
	var b strings.Builder
	b.WriteString(chars)
	for i := 0; i < len(re.Rune); i += 2 {
		if re.Rune[i] > 2 {
			writeRange(&b, re.Rune[i], re.Rune[i+1])
		}
	}
	return b.String()
}

// classItem reads one character, or a category as its ranges.
func (t *translator) classItem(start int) (r rune, set string) {
	if t.pos == len(t.src) {
		t.failAt(start, "unterminated character set")
	}
	from := t.pos
	if r = t.take(); r != '\\' {
		return r, ""
	}
	if t.pos == len(t.src) {
		t.failAt(start, "unterminated character set")
	}
	switch c := t.src[t.pos]; c {
	case 'd', 'D', 's', 'S', 'w', 'W':
		t.pos++
		return 0, t.category(c)
	case 'b':
		t.pos++
		return '\b', ""
	case 'p', 'P':
		return 0, t.property(from)
	case '1', '2', '3', '4', '5', '6', '7':
		return t.octal(from), ""
	}
	return t.charEscape(from), ""
}

// classRange writes lo-hi, and with it the other case of its ASCII letters.
func (t *translator) classRange(b *strings.Builder, lo, hi rune) {
	writeRange(b, lo, hi)
	if !t.foldsASCII() {
		return
	}
	for _, first := range [2]rune{'a', 'A'} {
		if l, h := max(lo, first), min(hi, first+25); l <= h {
			writeRange(b, l^0x20, h^0x20)
		}
	}
}

func writeRange(b *strings.Builder, lo, hi rune) {
	b.WriteString(quoteRune(lo))
	if hi > lo {
		b.WriteByte('-')
		b.WriteString(quoteRune(hi))
	}
}

// category returns the ranges of \d, \s, \w or of their complements, for use
// inside brackets.
func (t *translator) category(c byte) string {
	ascii := t.asciiOnly()
	if !ascii && c|0x20 != 's' {
		t.wide = true
		ascii = !t.unicode
	}
	return categories()[categoryKey{c, ascii}]
}

type categoryKey struct {
	letter byte
	ascii  bool
}

var (
	asciiDigits = &unicode.RangeTable{R16: []unicode.Range16{{Lo: '0', Hi: '9', Stride: 1}}}
	asciiSpaces = &unicode.RangeTable{R16: []unicode.Range16{{Lo: '\t', Hi: '\r', Stride: 1}, {Lo: ' ', Hi: ' ', Stride: 1}}}
	asciiLetter = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 'A', Hi: 'Z', Stride: 1}, {Lo: 'a', Hi: 'z', Stride: 1}}}
	underscore  = &unicode.RangeTable{R16: []unicode.Range16{{Lo: '_', Hi: '_', Stride: 1}}}
	// allSpaces is what Python's str.isspace accepts.
	allSpaces = &unicode.RangeTable{R16: []unicode.Range16{
		{Lo: 0x09, Hi: 0x0d, Stride: 1},
		{Lo: 0x1c, Hi: 0x20, Stride: 1},
		{Lo: 0x85, Hi: 0xa0, Stride: 0xa0 - 0x85},
		{Lo: 0x1680, Hi: 0x1680, Stride: 1},
		{Lo: 0x2000, Hi: 0x200a, Stride: 1},
		{Lo: 0x2028, Hi: 0x2029, Stride: 1},
		{Lo: 0x202f, Hi: 0x205f, Stride: 0x205f - 0x202f},
		{Lo: 0x3000, Hi: 0x3000, Stride: 1},
	}}
)

// categories holds the source of each category, some of it 10 kB long.
var categories = sync.OnceValue(func() map[categoryKey]string {
	m := make(map[categoryKey]string)
	add := func(letter byte, ascii bool, tables ...*unicode.RangeTable) {
		in, out := runeRanges(tables)
		m[categoryKey{letter, ascii}] = in
		m[categoryKey{letter &^ 0x20, ascii}] = out
	}
	add('d', true, asciiDigits)
	add('d', false, unicode.Nd)
	add('s', true, asciiSpaces)
	add('s', false, allSpaces)
	add('w', true, asciiLetter, asciiDigits, underscore)
	add('w', false, unicode.L, unicode.N, underscore)
	return m
})

// runeRanges writes the union of some tables, and its complement.
func runeRanges(tables []*unicode.RangeTable) (in, out string) {
	var ranges [][2]rune
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			ranges = append(ranges, [2]rune{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			ranges = append(ranges, [2]rune{r, r})
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	slices.SortFunc(ranges, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	var inside, outside strings.Builder
	free := rune(0) // first one not yet written
	for i := 0; i < len(ranges); {
		lo, hi := ranges[i][0], ranges[i][1]
		for i++; i < len(ranges) && ranges[i][0] <= hi+1; i++ {
			hi = max(hi, ranges[i][1])
		}
		writeRange(&inside, lo, hi)
		if free < lo {
			writeRange(&outside, free, lo-1)
		}
		free = hi + 1
	}
	writeRange(&outside, free, unicode.MaxRune)
	return inside.String(), outside.String()
}

// traits are what the matcher must know of a translated pattern.
type traits struct {
	empty     bool // can match the empty string
	looksBack bool // depends on what precedes the match
	onlyASCII bool // matches nothing but ASCII characters
}

func traitsOf(re *syntax.Regexp) traits {
	tr := traits{empty: canBeEmpty(re), onlyASCII: true}
	var walk func(re *syntax.Regexp)
	walk = func(re *syntax.Regexp) {
		switch re.Op {
		case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
			tr.looksBack = true
		case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
			tr.onlyASCII = false
		case syntax.OpLiteral:
			for _, r := range re.Rune {
				if r >= utf8.RuneSelf || re.Flags&syntax.FoldCase != 0 {
					tr.onlyASCII = false
				}
			}
		case syntax.OpCharClass:
			if n := len(re.Rune); n > 0 && re.Rune[n-1] >= utf8.RuneSelf {
				tr.onlyASCII = false
			}
		}
		for _, sub := range re.Sub {
			walk(sub)
		}
	}
	walk(re)
	return tr
}

func canBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune) == 0
	case syntax.OpNoMatch, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return canBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || canBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !canBeEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if canBeEmpty(sub) {
				return true
			}
		}
		return false
	}
	return true // *, ? and the assertions
}

package lib

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// Pattern is a compiled regular expression: Python's syntax and interface over
// RE2. It is immutable, and any number of threads may use it.
//
// It differs from Python in this:
//   - There are no lookarounds, backreferences, atomic or possessive parts.
//   - Offsets into a str are byte offsets, as everywhere in Starlark.
//   - \b goes by ASCII words, though \w, \d and \s know all of Unicode.
//   - After an empty match the search goes on at the next character, where
//     Python first tries for a longer match at the same place: findall("a*?", s).
//   - $ before a final newline is tried after $ at the very end, so that of two
//     matches with one start the longer wins: "\\s*?$".
type Pattern struct {
	source  string
	isBytes bool
	flags   int
	names   []string // by group number
	closed  []int
	dollar  bool
	wide    bool
	traits  traits
	index   *starlark.Dict // groupindex

	programs [2][modes]program // for ASCII subjects, for others
}

// mode is a way to apply a pattern. The modes from inContext on see one
// character before the place where the match may start.
type mode int

const (
	search mode = iota
	match
	fullmatch
	inContext
	modes = 2 * inContext
)

// wrappers turn a pattern into the program of a mode. In context the pattern is
// a group of its own, which find takes off again.
var wrappers = [modes][2]string{
	search:                {"", ""},
	match:                 {`\A(?:`, ")"},
	fullmatch:             {`\A(?:`, `)\z`},
	inContext + search:    {"(?s:.)(", ")"},
	inContext + match:     {`\A(?s:.)(`, ")"},
	inContext + fullmatch: {`\A(?s:.)(`, `)\z`},
}

// program is compiled when it is first needed.
type program struct {
	once sync.Once
	re   *regexp.Regexp
	err  error
}

// compilePattern translates and compiles source.
func compilePattern(source string, isBytes bool, flags int) (*Pattern, error) {
	tr, err := translate(source, isBytes, flags, false)
	if err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(tr.expr, syntax.Perl)
	if err != nil {
		return nil, compileError(source, err)
	}
	p := &Pattern{
		source:  source,
		isBytes: isBytes,
		flags:   tr.flags,
		names:   tr.names,
		closed:  tr.closed,
		dollar:  tr.dollar && !tr.end,
		wide:    tr.wide,
		traits:  traitsOf(tree),
		index:   new(starlark.Dict),
	}
	if !isBytes && p.flags&flagA == 0 {
		p.flags |= flagU
	}
	for i, name := range p.names {
		if name != "" {
			_ = p.index.SetKey(starlark.String(name), starlark.MakeInt(i)) // strings hash
		}
	}
	p.index.Freeze()
	if _, err := p.program(0, search); err != nil {
		return nil, err
	}
	return p, nil
}

func compileError(source string, err error) error {
	return fmt.Errorf("re: %s (in %q)", strings.TrimPrefix(err.Error(), "error parsing regexp: "), source)
}

// program returns the pattern for subjects of a kind: 0 ASCII, 1 any.
func (p *Pattern) program(kind int, m mode) (*regexp.Regexp, error) {
	prog := &p.programs[kind][m]
	prog.once.Do(func() {
		tr, err := translate(p.source, p.isBytes, p.flags, kind == 1)
		if err != nil {
			prog.err = err
			return
		}
		w := wrappers[m]
		if prog.re, err = regexp.Compile(w[0] + tr.expr + w[1]); err != nil {
			prog.err = compileError(p.source, err)
		}
	})
	return prog.re, prog.err
}

// subject is a string being searched. Its methods take and return offsets into
// full; text is what the RE2 program sees.
type subject struct {
	p      *Pattern
	value  starlark.Value
	full   string
	text   string // full[:endpos], each byte above 0x7f as a rune if latin
	latin  bool
	kind   int // of program
	pos    int
	endpos int
	// A pair of corresponding offsets, from which others are counted.
	atFull, atText int
}

func (p *Pattern) subject(v starlark.Value, pos, endpos optInt) (*subject, error) {
	s, isBytes, ok := text(v)
	switch {
	case !ok:
		return nil, fmt.Errorf("expected string or bytes-like object, got %s", v.Type())
	case p.isBytes && !isBytes:
		return nil, fmt.Errorf("cannot use a bytes pattern on a string-like object")
	case !p.isBytes && isBytes:
		return nil, fmt.Errorf("cannot use a string pattern on a bytes-like object")
	}
	sub := &subject{p: p, value: v, full: s, endpos: len(s)}
	if isBytes {
		sub.value = Bytes(s) // whichever bytes it was
	}
	if endpos.set {
		sub.endpos = min(max(endpos.n, 0), len(s))
	}
	sub.pos = min(max(pos.n, 0), len(s))
	sub.text = s[:sub.endpos]
	switch {
	case isBytes && !p.traits.onlyASCII && !isASCII(sub.text):
		sub.text, sub.latin = latin1ToUTF8(sub.text), true
	case p.wide && !isASCII(sub.text):
		sub.kind = 1
	}
	return sub, nil
}

// toText maps an offset into full to one into text.
func (s *subject) toText(i int) int {
	if !s.latin {
		return i
	}
	for ; s.atFull < i; s.atFull++ {
		s.atText += width(s.full[s.atFull])
	}
	for ; s.atFull > i; s.atFull-- {
		s.atText -= width(s.full[s.atFull-1])
	}
	return s.atText
}

// width is the length of a Latin-1 character in UTF-8.
func width(c byte) int { return 1 + int(c>>7) }

// toFull maps offsets into text to offsets into full, in place.
func (s *subject) toFull(loc []int) []int {
	if !s.latin {
		return loc
	}
	for k, i := range loc {
		if i < 0 {
			continue
		}
		for ; s.atText < i; s.atFull++ {
			s.atText += width(s.full[s.atFull])
		}
		for ; s.atText > i; s.atFull-- {
			s.atText -= width(s.full[s.atFull-1])
		}
		loc[k] = s.atFull
	}
	return loc
}

// find returns the offsets of the first match from pos on and of its groups.
func (s *subject) find(pos int, m mode) ([]int, error) {
	if pos > s.endpos {
		return nil, nil
	}
	at := s.toText(pos)
	loc, err := s.run(s.text, at, m)
	if err != nil {
		return nil, err
	}
	if s.beforeNewline() && m != fullmatch && at < len(s.text) {
		other, err := s.run(s.text[:len(s.text)-1], at, m)
		if err != nil {
			return nil, err
		}
		if loc == nil || other != nil && other[0] < loc[0] {
			loc = other
		}
	}
	return s.toFull(loc), nil
}

// beforeNewline reports whether a $ could match before the last character.
func (s *subject) beforeNewline() bool { return s.p.dollar && strings.HasSuffix(s.text, "\n") }

// run applies the program of a mode from offset at of text.
func (s *subject) run(text string, at int, m mode) ([]int, error) {
	skip := at
	if at > 0 && s.p.traits.looksBack {
		_, w := utf8.DecodeLastRuneInString(text[:at])
		skip, m = at-w, m+inContext
	}
	re, err := s.p.program(s.kind, m)
	if err != nil {
		return nil, err
	}
	loc := re.FindStringSubmatchIndex(text[skip:])
	if loc == nil {
		return nil, nil
	}
	if m >= inContext {
		loc = loc[2:]
	}
	for i := range loc {
		if loc[i] >= 0 {
			loc[i] += skip
		}
	}
	return loc, nil
}

// each calls yield for up to n matches (n < 0: all), as Python's finditer finds
// them, until it returns false.
func (s *subject) each(n int, yield func(loc []int) bool) error {
	if s.pos == 0 && !s.p.traits.empty && !s.beforeNewline() {
		re, err := s.p.program(s.kind, search)
		if err != nil {
			return err
		}
		for _, loc := range re.FindAllStringSubmatchIndex(s.text, n) {
			if !yield(s.toFull(loc)) {
				return nil
			}
		}
		return nil
	}
	for pos := s.pos; pos <= s.endpos && n != 0; n-- {
		loc, err := s.find(pos, search)
		if err != nil || loc == nil || !yield(loc) {
			return err
		}
		pos = loc[1]
		if loc[0] != loc[1] {
			continue
		}
		w := 1
		if !s.p.isBytes && pos < s.endpos {
			_, w = utf8.DecodeRuneInString(s.full[pos:s.endpos])
		}
		pos += w
	}
	return nil
}

// slice returns full[i:j] as the subject's type.
func (s *subject) slice(i, j int) starlark.Value { return sameKind(s.full[i:j], s.p.isBytes) }

// group returns the text of a group, or dflt if it took no part.
func (s *subject) group(loc []int, g int, dflt starlark.Value) starlark.Value {
	if loc[2*g] < 0 {
		return dflt
	}
	return s.slice(loc[2*g], loc[2*g+1])
}

// groupNumber resolves a group number or name.
func (p *Pattern) groupNumber(v starlark.Value) (int, error) {
	switch v := v.(type) {
	case starlark.Int:
		if n, ok := v.Int64(); ok && 0 <= n && n < int64(len(p.names)) {
			return int(n), nil
		}
	case starlark.String:
		if n, ok := p.named(string(v)); ok {
			return n, nil
		}
	}
	return 0, fmt.Errorf("no such group: %s", v)
}

func (p *Pattern) named(name string) (int, bool) {
	for i, s := range p.names {
		if s == name && name != "" {
			return i, true
		}
	}
	return 0, false
}

var (
	_ starlark.HasAttrs = (*Pattern)(nil)
	_ starlark.HasAttrs = (*Match)(nil)
	_ starlark.Mapping  = (*Match)(nil)
)

func (p *Pattern) String() string {
	var names []string
	flags := p.flags
	if !p.isBytes {
		flags &^= flagU
	}
	for _, f := range flagNames {
		if flags&f.bit != 0 {
			names = append(names, "re."+f.name)
		}
	}
	s := sameKind(p.source, p.isBytes).String()
	if len(names) > 0 {
		s += ", " + strings.Join(names, "|")
	}
	return "re.compile(" + s + ")"
}

func (*Pattern) Type() string            { return "re.Pattern" }
func (*Pattern) Freeze()                 {}
func (*Pattern) Truth() starlark.Bool    { return true }
func (p *Pattern) Hash() (uint32, error) { return starlark.String(p.source).Hash() }

// Attr implements starlark.HasAttrs.
func (p *Pattern) Attr(name string) (starlark.Value, error) {
	switch name {
	case "flags":
		return starlark.MakeInt(p.flags), nil
	case "groupindex":
		return p.index, nil
	case "groups":
		return starlark.MakeInt(len(p.names) - 1), nil
	case "pattern":
		return sameKind(p.source, p.isBytes), nil
	}
	return patternMethods.attr(p, name)
}

// AttrNames implements starlark.HasAttrs.
func (*Pattern) AttrNames() []string {
	return append(patternMethods.names(), "flags", "groupindex", "groups", "pattern")
}

// Match is the result of a successful search.
type Match struct {
	subject *subject
	loc     []int
}

func (m *Match) String() string {
	return fmt.Sprintf("<re.Match object; span=(%d, %d), match=%s>", m.loc[0], m.loc[1], m.subject.group(m.loc, 0, nil))
}

func (*Match) Type() string          { return "re.Match" }
func (*Match) Freeze()               {}
func (*Match) Truth() starlark.Bool  { return true }
func (*Match) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: re.Match") }

// Get implements m[group].
func (m *Match) Get(k starlark.Value) (starlark.Value, bool, error) {
	g, err := m.subject.p.groupNumber(k)
	if err != nil {
		return nil, false, err
	}
	return m.subject.group(m.loc, g, starlark.None), true, nil
}

// Attr implements starlark.HasAttrs.
func (m *Match) Attr(name string) (starlark.Value, error) {
	switch name {
	case "endpos":
		return starlark.MakeInt(m.subject.endpos), nil
	case "lastgroup":
		if g := m.last(); g > 0 && m.subject.p.names[g] != "" {
			return starlark.String(m.subject.p.names[g]), nil
		}
		return starlark.None, nil
	case "lastindex":
		if g := m.last(); g > 0 {
			return starlark.MakeInt(g), nil
		}
		return starlark.None, nil
	case "pos":
		return starlark.MakeInt(m.subject.pos), nil
	case "re":
		return m.subject.p, nil
	case "string":
		return m.subject.value, nil
	}
	return matchMethods.attr(m, name)
}

// AttrNames implements starlark.HasAttrs.
func (*Match) AttrNames() []string {
	return append(matchMethods.names(), "endpos", "lastgroup", "lastindex", "pos", "re", "string")
}

// last returns the group that was closed last: the one that ends last, and of
// several the outermost.
func (m *Match) last() int {
	last := 0
	for _, g := range m.subject.p.closed {
		if m.loc[2*g] >= 0 && (last == 0 || m.loc[2*g+1] >= m.loc[2*last+1]) {
			last = g
		}
	}
	return last
}

type matchFunc = func(m *Match, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

var matchMethods = methodsOf(map[string]matchFunc{
	"end":       matchSpan(func(i, j int) starlark.Value { return starlark.MakeInt(j) }),
	"expand":    matchExpand,
	"group":     matchGroup,
	"groupdict": matchGroupdict,
	"groups":    matchGroups,
	"span":      matchSpan(func(i, j int) starlark.Value { return starlark.Tuple{starlark.MakeInt(i), starlark.MakeInt(j)} }),
	"start":     matchSpan(func(i, j int) starlark.Value { return starlark.MakeInt(i) }),
})

func matchGroup(m *Match, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, fmt.Errorf("%s: unexpected keyword arguments", fn)
	}
	if len(args) == 0 {
		return m.subject.group(m.loc, 0, nil), nil
	}
	groups := make(starlark.Tuple, len(args))
	for i, arg := range args {
		v, _, err := m.Get(arg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn, err)
		}
		groups[i] = v
	}
	if len(groups) == 1 {
		return groups[0], nil
	}
	return groups, nil
}

func matchGroups(m *Match, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var dflt starlark.Value = starlark.None
	if err := starlark.UnpackArgs(fn, args, kwargs, "default?", &dflt); err != nil {
		return nil, err
	}
	groups := make(starlark.Tuple, 0, len(m.subject.p.names)-1)
	for g := 1; g < len(m.subject.p.names); g++ {
		groups = append(groups, m.subject.group(m.loc, g, dflt))
	}
	return groups, nil
}

func matchGroupdict(m *Match, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var dflt starlark.Value = starlark.None
	if err := starlark.UnpackArgs(fn, args, kwargs, "default?", &dflt); err != nil {
		return nil, err
	}
	d := new(starlark.Dict)
	for g, name := range m.subject.p.names {
		if name != "" {
			_ = d.SetKey(starlark.String(name), m.subject.group(m.loc, g, dflt)) // strings hash
		}
	}
	return d, nil
}

func matchSpan(part func(i, j int) starlark.Value) matchFunc {
	return func(m *Match, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var which starlark.Value = starlark.MakeInt(0)
		if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 0, &which); err != nil {
			return nil, err
		}
		g, err := m.subject.p.groupNumber(which)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn, err)
		}
		return part(m.loc[2*g], m.loc[2*g+1]), nil
	}
}

func matchExpand(m *Match, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var template textArg
	if err := starlark.UnpackArgs(fn, args, kwargs, "template", &template); err != nil {
		return nil, err
	}
	if template.isBytes != m.subject.p.isBytes {
		return nil, fmt.Errorf("%s: template and pattern must both be str or both bytes", fn)
	}
	t, err := m.subject.p.template(template.s)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	t.expand(&out, m.subject, m.loc)
	return sameKind(out.String(), m.subject.p.isBytes), nil
}

// patternFunc is an operation of a pattern; re.op(pattern, ...) calls it too.
type patternFunc func(thread *starlark.Thread, p *Pattern, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

// patternFuncs are both the methods of patterns and the functions of re.
var patternFuncs = map[string]patternFunc{
	"findall":   patternFindall,
	"finditer":  patternFinditer,
	"fullmatch": patternFind(fullmatch),
	"match":     patternFind(match),
	"search":    patternFind(search),
	"split":     patternSplit,
	"sub":       patternSub(false),
	"subn":      patternSub(true),
}

var patternMethods = func() methods {
	m := make(methods, len(patternFuncs))
	for name, impl := range patternFuncs {
		m[name] = starlark.NewBuiltin(name, func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return impl(thread, b.Receiver().(*Pattern), name, args, kwargs)
		})
	}
	return m
}()

// subjectArgs unpacks string, pos and endpos.
func (p *Pattern) subjectArgs(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (*subject, error) {
	var s starlark.Value
	var pos, endpos optInt
	if len(args) == 1 && len(kwargs) == 0 {
		s = args[0]
	} else if err := starlark.UnpackArgs(fn, args, kwargs, "string", &s, "pos?", &pos, "endpos?", &endpos); err != nil {
		return nil, err
	}
	sub, err := p.subject(s, pos, endpos)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fn, err)
	}
	return sub, nil
}

func patternFind(m mode) patternFunc {
	return func(_ *starlark.Thread, p *Pattern, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		s, err := p.subjectArgs(fn, args, kwargs)
		if err != nil {
			return nil, err
		}
		loc, err := s.find(s.pos, m)
		if err != nil {
			return nil, err
		}
		if loc == nil {
			return starlark.None, nil
		}
		return &Match{subject: s, loc: loc}, nil
	}
}

func patternFindall(_ *starlark.Thread, p *Pattern, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	s, err := p.subjectArgs(fn, args, kwargs)
	if err != nil {
		return nil, err
	}
	empty := sameKind("", p.isBytes)
	var found []starlark.Value
	err = s.each(-1, func(loc []int) bool {
		switch groups := len(p.names) - 1; groups {
		case 0, 1:
			found = append(found, s.group(loc, groups, empty))
		default:
			all := make(starlark.Tuple, groups)
			for g := range all {
				all[g] = s.group(loc, g+1, empty)
			}
			found = append(found, all)
		}
		return true
	})
	return starlark.NewList(found), err
}

func patternFinditer(_ *starlark.Thread, p *Pattern, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	s, err := p.subjectArgs(fn, args, kwargs)
	if err != nil {
		return nil, err
	}
	var found []starlark.Value
	err = s.each(-1, func(loc []int) bool {
		found = append(found, &Match{subject: s, loc: loc})
		return true
	})
	return starlark.NewList(found), err
}

func patternSplit(_ *starlark.Thread, p *Pattern, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value
	limit := 0
	if err := starlark.UnpackArgs(fn, args, kwargs, "string", &v, "maxsplit?", &limit); err != nil {
		return nil, err
	}
	s, err := p.subject(v, optInt{}, optInt{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fn, err)
	}
	var parts []starlark.Value
	last := 0
	err = s.each(countOf(limit), func(loc []int) bool {
		parts = append(parts, s.slice(last, loc[0]))
		for g := 1; g < len(p.names); g++ {
			parts = append(parts, s.group(loc, g, starlark.None))
		}
		last = loc[1]
		return true
	})
	return starlark.NewList(append(parts, s.slice(last, len(s.full)))), err
}

// countOf turns Python's count, where 0 is all and less is none, into each's n.
func countOf(n int) int {
	if n == 0 {
		return -1
	}
	return max(n, 0)
}

func patternSub(withCount bool) patternFunc {
	return func(thread *starlark.Thread, p *Pattern, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var repl, v starlark.Value
		count := 0
		if err := starlark.UnpackArgs(fn, args, kwargs, "repl", &repl, "string", &v, "count?", &count); err != nil {
			return nil, err
		}
		s, err := p.subject(v, optInt{}, optInt{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn, err)
		}
		write, err := s.replacer(thread, fn, repl)
		if err != nil {
			return nil, err
		}
		var out strings.Builder
		last, n := 0, 0
		var writeErr error
		err = s.each(countOf(count), func(loc []int) bool {
			out.WriteString(s.full[last:loc[0]])
			last, n = loc[1], n+1
			writeErr = write(&out, loc)
			return writeErr == nil
		})
		if writeErr != nil {
			err = writeErr
		}
		if err != nil {
			return nil, err
		}
		result := s.value
		if n > 0 {
			out.WriteString(s.full[last:])
			result = sameKind(out.String(), p.isBytes)
		}
		if withCount {
			return starlark.Tuple{result, starlark.MakeInt(n)}, nil
		}
		return result, nil
	}
}

// replacer returns what writes the replacement of a match.
func (s *subject) replacer(thread *starlark.Thread, fn string, repl starlark.Value) (func(*strings.Builder, []int) error, error) {
	if f, ok := repl.(starlark.Callable); ok {
		return func(out *strings.Builder, loc []int) error {
			v, err := starlark.Call(thread, f, starlark.Tuple{&Match{subject: s, loc: loc}}, nil)
			if err != nil || v == starlark.None {
				return err
			}
			with, isBytes, ok := text(v)
			if !ok || isBytes != s.p.isBytes {
				return fmt.Errorf("%s: the replacement function must return %s, not %s", fn, kindName(s.p.isBytes), v.Type())
			}
			out.WriteString(with)
			return nil
		}, nil
	}
	source, isBytes, ok := text(repl)
	if !ok || isBytes != s.p.isBytes {
		return nil, fmt.Errorf("%s: the replacement must be %s or a function, not %s", fn, kindName(s.p.isBytes), repl.Type())
	}
	t, err := s.p.template(source)
	if err != nil {
		return nil, err
	}
	return func(out *strings.Builder, loc []int) error {
		t.expand(out, s, loc)
		return nil
	}, nil
}

func kindName(isBytes bool) string {
	if isBytes {
		return "bytes"
	}
	return "a string"
}

// flagNames lists the flags in the order in which Python prints them.
var flagNames = []struct {
	name, short string
	bit         int
}{
	{"IGNORECASE", "I", flagI},
	{"MULTILINE", "M", flagM},
	{"DOTALL", "S", flagS},
	{"UNICODE", "U", flagU},
	{"VERBOSE", "X", flagX},
	{"ASCII", "A", flagA},
}

// reCache holds compiled patterns, as many as Python's re does.
type reCache struct {
	mu sync.RWMutex
	m  map[reKey]*Pattern
}

const reCacheSize = 512

type reKey struct {
	source  string
	isBytes bool
	flags   int
}

func (c *reCache) compile(v starlark.Value, flags int) (*Pattern, error) {
	if p, ok := v.(*Pattern); ok {
		if flags != 0 {
			return nil, fmt.Errorf("re: cannot process flags argument with a compiled pattern")
		}
		return p, nil
	}
	source, isBytes, ok := text(v)
	if !ok {
		return nil, fmt.Errorf("re: the pattern must be a string, bytes or compiled pattern, not %s", v.Type())
	}
	key := reKey{source, isBytes, flags}
	c.mu.RLock()
	p := c.m[key]
	c.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p, err := compilePattern(source, isBytes, flags)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) >= reCacheSize {
		c.m = make(map[reKey]*Pattern)
	}
	c.m[key] = p
	return p, nil
}

// flagsAt says which positional argument of a function of re may be flags.
var flagsAt = map[string]int{
	"findall": 2, "finditer": 2, "fullmatch": 2, "match": 2, "search": 2,
	"split": 3, "sub": 4, "subn": 4,
}

func newRe() *starlarkstruct.Module {
	cache := new(reCache)
	members := starlark.StringDict{
		"NOFLAG": starlark.MakeInt(0),
		"compile": starlark.NewBuiltin("re.compile", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var pattern starlark.Value
			flags := 0
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "pattern", &pattern, "flags?", &flags); err != nil {
				return nil, err
			}
			p, err := cache.compile(pattern, flags)
			if err != nil {
				return nil, err
			}
			return p, nil
		}),
		"escape": starlark.NewBuiltin("re.escape", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var pattern textArg
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "pattern", &pattern); err != nil {
				return nil, err
			}
			return sameKind(escapePattern(pattern.s), pattern.isBytes), nil
		}),
	}
	for _, f := range flagNames {
		members[f.name] = starlark.MakeInt(f.bit)
		members[f.short] = starlark.MakeInt(f.bit)
	}
	for name, impl := range patternFuncs {
		members[name] = reFunc(cache, name, impl)
	}
	return &starlarkstruct.Module{Name: "re", Members: members}
}

// reFunc makes re.name(pattern, ..., flags) of a pattern's method.
func reFunc(cache *reCache, name string, impl patternFunc) *starlark.Builtin {
	return starlark.NewBuiltin("re."+name, func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var pattern starlark.Value
		if len(args) > 0 {
			pattern, args = args[0], args[1:]
		}
		flags := 0
		if at := flagsAt[name] - 1; len(args) > at {
			if err := starlark.AsInt(args[at], &flags); err != nil {
				return nil, fmt.Errorf("%s: flags: %w", b.Name(), err)
			}
			args = append(args[:at:at], args[at+1:]...)
		}
		for i := 0; i < len(kwargs); i++ {
			switch kwargs[i][0].(starlark.String) {
			case "flags":
				if err := starlark.AsInt(kwargs[i][1], &flags); err != nil {
					return nil, fmt.Errorf("%s: flags: %w", b.Name(), err)
				}
			case "pattern":
				pattern = kwargs[i][1]
			case "pos", "endpos":
				return nil, fmt.Errorf("%s: only methods of compiled patterns take pos and endpos", b.Name())
			default:
				continue
			}
			kwargs = append(kwargs[:i:i], kwargs[i+1:]...)
			i--
		}
		if pattern == nil {
			return nil, fmt.Errorf("%s: missing argument for pattern", b.Name())
		}
		p, err := cache.compile(pattern, flags)
		if err != nil {
			return nil, err
		}
		return impl(thread, p, b.Name(), args, kwargs)
	})
}

// escapePattern puts a backslash before what Python's re.escape does.
func escapePattern(s string) string {
	const special = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f"
	if !strings.ContainsAny(s, special) {
		return s
	}
	var out strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) >= 0 {
			out.WriteByte('\\')
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

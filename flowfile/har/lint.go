package har

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// Importers is a set of programs that read HARs.
type Importers uint8

// The importers that Rules know.
const (
	Chrome Importers = 1 << iota
	Firefox
	Safari
	Validator // har-validator, and what is built upon it
	K6        // har-to-k6
	Insomnia

	AllImporters Importers = 1<<iota - 1
)

// importerNames are the names in the order of the bits.
var importerNames = []string{"chrome", "firefox", "safari", "har-validator", "k6", "insomnia"}

// ImporterNames returns what ParseImporters knows.
func ImporterNames() []string { return slices.Clone(importerNames) }

// ParseImporters reads names with commas between them, as of Names.
func ParseImporters(list string) (Importers, error) {
	var set Importers
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(importerNames, strings.ToLower(strings.TrimSpace(name)))
		if i < 0 {
			return 0, fmt.Errorf("%q is none of %s", name, strings.Join(importerNames, ", "))
		}
		set |= 1 << i
	}
	return set, nil
}

// Names returns the names of the set.
func (s Importers) Names() []string {
	names := []string{}
	for i, n := range importerNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

func (s Importers) String() string { return strings.Join(s.Names(), ", ") }

// A Rule is something that importers ask of a HAR beyond being one.
type Rule struct {
	ID       string
	Rejects  Importers // read nothing of the file if it is broken
	Misreads Importers // read on, and show or send something else
	Text     string    // what is asked for, and what happens without
	Fix      string    // what to do about it
	// OnRequest is of rules that no HAR of such traffic could obey, or whose fix costs other
	// importers something: they count only for importers that are asked for by name.
	OnRequest bool

	at    string // the members it looks at, as paths with spaces between them; see walker
	check func(v, in *value) string
}

// Importers returns all who care.
func (r *Rule) Importers() Importers { return r.Rejects | r.Misreads }

// Finding is a place where a HAR breaks a rule.
type Finding struct {
	Rule   *Rule
	Entry  int    // 1 is the first; 0: it is not in an entry
	Offset int64  // of the entry, or of the place if it is known
	Path   string // log.entries[0].request.url; "" is the file
	What   string // is wrong there
	More   int    // further ones at the same member of the entry's lists
	// Rejects and Misreads are those of the rule that were asked for.
	Rejects, Misreads Importers

	at string
}

// Effect says who does what.
func Effect(rejects, misreads Importers) string {
	var parts []string
	if rejects != 0 {
		parts = append(parts, "rejected by "+rejects.String())
	}
	if misreads &^= rejects; misreads != 0 {
		parts = append(parts, "misread by "+misreads.String())
	}
	return strings.Join(parts, "; ")
}

// LintOptions are the options of Lint.
type LintOptions struct {
	For   Importers              // that are asked for by name; 0: all, without the rules OnRequest
	Found func(f *Finding) error // is told of each finding
	Spool *flowfile.Spool        // for strings of more than 1 MiB; nil: one of its own
}

// Linted is what Lint counted.
type Linted struct {
	Entries  int
	Findings int
	// Rejects and Misreads are those for which there are findings.
	Rejects, Misreads Importers
}

// ErrNotHAR is returned by Lint for what is not even a bad HAR.
var ErrNotHAR = errors.New("it is no HAR: an object is wanted, with log in it")

// Lint looks for what importers reject or misread. Memory is bounded by one entry, and by
// what is in the log besides entries.
func Lint(r io.Reader, o LintOptions) (Linted, error) {
	if o.Spool == nil {
		o.Spool = &flowfile.Spool{}
	}
	l := &linter{o: o, rules: pick(o.For)}
	l.p = &parser{r: io.TeeReader(r, &l.strict), buf: make([]byte, 128<<10), spool: o.Spool}
	err := l.file()
	for isSyntax(err) {
		if err = l.broken(err); err == nil {
			err = l.resume()
		}
	}
	if err == io.ErrUnexpectedEOF {
		err = l.broken(err)
	}
	return l.done, err
}

// pick returns the rules that matter to a set of importers.
func pick(set Importers) []*Rule {
	var out []*Rule
	for i := range rules {
		r := &rules[i]
		if set == 0 && !r.OnRequest || set&r.Importers() != 0 {
			out = append(out, r)
		}
	}
	return out
}

// linter reads with the tolerant parser, so that it finds all that is wrong.
type linter struct {
	p      *parser
	o      LintOptions
	strict strictJSON
	rules  []*Rule
	done   Linted
	log    value // what the log says besides entries
	inside bool  // it stands where it should
	said   bool  // that the file is no JSON

	at       int64 // of the entry in hand
	found    []*Finding
	messages int
}

// rule returns the rule of that id, nil if nobody asks for it.
func (l *linter) rule(id string) *Rule {
	i := slices.IndexFunc(l.rules, func(r *Rule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return l.rules[i]
}

// tell hands out a finding.
func (l *linter) tell(f *Finding) error {
	if f.Rule == nil {
		return nil
	}
	set := l.o.For
	if set == 0 {
		set = AllImporters
	}
	f.Rejects, f.Misreads = f.Rule.Rejects&set, f.Rule.Misreads&set
	l.done.Findings++
	l.done.Rejects |= f.Rejects
	l.done.Misreads |= f.Misreads
	if l.o.Found == nil {
		return nil
	}
	return l.o.Found(f)
}

// file reads the whole input.
func (l *linter) file() error {
	p := l.p
	c, ok := (&Reader{p: p}).begin()
	switch {
	case !ok && p.err != io.EOF:
		return p.err
	case !ok, c != '{':
		return ErrNotHAR
	}
	if l.strict.bom {
		if err := l.tell(&Finding{Rule: l.rule("bom"), What: "the file begins with a byte order mark"}); err != nil {
			return err
		}
	}
	p.pos++
	if err := l.p.members(func(key string) error { return l.member(key, true) }); err != nil {
		return err
	}
	l.log.kind = object
	if !l.inside {
		if !slices.ContainsFunc(l.log.items, func(m member) bool { return m.key == "log" || m.key == "entries" || m.key == "creator" }) {
			return ErrNotHAR
		}
		what := describe(l.log.get("log")) + ", not an object"
		if l.log.get("log").is(absent) {
			what = "is missing: what belongs into it stands alone"
		}
		if err := l.tell(&Finding{Rule: l.rule("log"), Path: "log", What: what}); err != nil {
			return err
		}
	}
	if err := l.logRules(); err != nil {
		return err
	}
	for p.pos = p.end; p.fill(); p.pos = p.end { // JSON.parse minds what is behind
	}
	if p.err != io.EOF {
		return p.err
	}
	l.strict.end()
	return l.json()
}

// json tells, once, where JSON.parse gave up, if that was before here.
func (l *linter) json() error {
	s := &l.strict
	if s.msg == "" || l.said || s.off > l.p.offset() {
		return nil
	}
	l.said = true
	f := &Finding{Rule: l.rule("json"), Offset: s.off, What: s.msg}
	if l.at > 0 && s.off >= l.at {
		f.Entry = l.done.Entries
	}
	return l.tell(f)
}

// broken tells of JSON that the tolerant parser cannot read either.
func (l *linter) broken(err error) error {
	switch {
	case isSyntax(err) && l.strict.msg == "": // JSON it is, but too large, or nested too deeply
		return errors.New("it cannot be checked from entry " + strconv.Itoa(l.done.Entries) + " on: " + err.Error())
	case l.strict.msg == "":
		l.strict.off, l.strict.msg = l.strict.n, "the file ends within the JSON"
	}
	l.p.pos = max(l.p.pos, min(l.p.end, int(l.strict.off-l.p.base)))
	if err := l.json(); err != nil {
		return err
	}
	return l.flush()
}

// resume goes on at the next entry.
func (l *linter) resume() error {
	if err := l.search(); err != nil {
		return err
	}
	if err := l.entries(); err != nil {
		return err
	}
	for _, root := range []bool{false, true} {
		if err := l.p.comma('}'); err != nil {
			return err
		}
		if err := l.p.members(func(key string) error { return l.member(key, root) }); err != nil {
			return err
		}
	}
	return nil
}

// search looks for an object that has a request, and checks it.
func (l *linter) search() error {
	p := l.p
	p.back()
	for {
		c, ok := p.peek()
		switch {
		case !ok && p.err != io.EOF:
			return p.err
		case !ok:
			return io.ErrUnexpectedEOF
		case c != '{':
			p.pos++
			continue
		}
		l.at, p.used = p.offset(), 0
		v, err := p.value(0)
		switch {
		case err == nil && v.get("request").is(object):
			l.done.Entries++
			return l.check(&v)
		case isSyntax(err) && p.offset() == l.at:
			p.pos++
		case err != nil && !isSyntax(err):
			return err
		}
	}
}

func (l *linter) member(key string, root bool) error {
	c, ok := l.p.space()
	switch {
	case !ok:
		return l.p.torn()
	case root && key == "log" && c == '{':
		l.p.pos++
		l.inside, l.log = true, value{}
		return l.p.members(func(key string) error { return l.member(key, false) })
	case key == "entries" && c == '[':
		l.p.pos++
		l.keep(key, value{kind: array})
		return l.entries()
	}
	v, err := l.p.value(0)
	if err == nil && !(root && l.inside) {
		l.keep(key, v)
	}
	return err
}

// keep remembers a member of the log.
func (l *linter) keep(key string, v value) {
	if len(l.log.items) < 10_000 {
		l.log.items = append(l.log.items, member{key, v})
	}
}

// logRules looks at what is in the log besides its entries.
func (l *linter) logRules() error {
	l.at = 0
	root := value{kind: object, items: []member{{"log", l.log}}}
	for _, r := range l.rules {
		for at := range strings.FieldsSeq(r.at) {
			if strings.HasPrefix(at, "log") {
				w := walker{l: l, r: r, at: at}
				w.each(&root, at)
			}
		}
	}
	return l.flush()
}

// entries reads the entries behind the bracket.
func (l *linter) entries() error {
	p := l.p
	for {
		c, ok := p.space()
		switch {
		case !ok:
			return p.torn()
		case c == ']':
			p.pos++
			l.at = 0
			return nil
		case c == ',':
			p.pos++
			continue
		}
		l.at, l.messages = p.offset(), 0
		l.done.Entries++
		p.used, p.message = 0, l.message
		v, err := p.value(0)
		p.message = nil
		if err == nil {
			err = l.check(&v)
		} else if isSyntax(err) {
			if err = l.broken(err); err == nil {
				err = l.search()
			}
		}
		if err != nil {
			return err
		}
	}
}

// check looks at one entry.
func (l *linter) check(v *value) error {
	for _, r := range l.rules {
		for at := range strings.FieldsSeq(r.at) {
			w := walker{l: l, r: r, at: at}
			switch {
			case at == ".":
				w.visit(v, none, "", false)
			case !strings.HasPrefix(at, "log") && at != messagesKey+"[]":
				w.each(v, at)
			}
		}
	}
	if err := l.flush(); err != nil {
		return err
	}
	return l.json()
}

// message checks a WebSocket message, of which none is kept.
func (l *linter) message(v *value) (bool, error) {
	if v == nil {
		return true, nil
	}
	for _, r := range l.rules {
		if r.at == messagesKey+"[]" {
			w := walker{l: l, r: r, at: r.at, index: []int{l.messages}}
			w.visit(v, none, "", false)
		}
	}
	l.messages++
	return true, nil
}

// flush hands out the findings of the entry in hand.
func (l *linter) flush() error {
	for _, f := range l.found {
		if err := l.tell(f); err != nil {
			return err
		}
	}
	l.found = nil
	return nil
}

func (l *linter) path() string { return "log.entries[" + strconv.Itoa(l.done.Entries-1) + "]" }

// walker goes along a path: "request.headers[].name" is the name of every header. A member
// of what is no object, and an element of what is no list, it does not look at: that is
// another rule's business.
type walker struct {
	l     *linter
	r     *Rule
	at    string
	index []int // in the lists on the way
}

func (w *walker) each(v *value, path string) {
	if !v.is(object) {
		return
	}
	step, rest, more := strings.Cut(path, ".")
	key, list := strings.CutSuffix(step, "[]")
	m := v.get(key)
	switch {
	case !list:
		w.visit(m, v, rest, more)
	case m.is(array):
		for i := range m.items {
			w.index = append(w.index, i)
			w.visit(&m.items[i].value, m, rest, more)
			w.index = w.index[:len(w.index)-1]
		}
	}
}

// visit checks m, which is in in, if the path ends here.
func (w *walker) visit(m, in *value, rest string, more bool) {
	if more {
		w.each(m, rest)
		return
	}
	what := w.r.check(m, in)
	if what == "" {
		return
	}
	l := w.l
	for i := len(l.found) - 1; i >= 0 && l.found[i].Rule == w.r; i-- {
		if l.found[i].at == w.at {
			l.found[i].More++
			return
		}
	}
	f := &Finding{Rule: w.r, Path: w.path(), What: what, Offset: l.at, at: w.at}
	if m.kind == text && m.off > 0 {
		f.Offset = int64(m.off)
	}
	if !strings.HasPrefix(w.at, "log") {
		f.Entry = l.done.Entries
	}
	l.found = append(l.found, f)
}

// path returns where the walker is.
func (w *walker) path() string {
	path := w.at
	for _, i := range w.index {
		path = strings.Replace(path, "[]", "["+strconv.Itoa(i)+"]", 1)
	}
	switch {
	case strings.HasPrefix(path, "log"):
		return path
	case path == ".":
		return w.l.path()
	}
	return w.l.path() + "." + path
}

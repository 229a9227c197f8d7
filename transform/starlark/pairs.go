package starlark

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/transform/starlark/lib"
)

var headerOptions = lib.Options{FoldCase: true, FoldJoin: ", ", TypeName: "Headers"}

// headerPairs shows headers or trailers as a MultiDict.
type headerPairs struct {
	m        *messageValue
	trailers bool
}

var _ lib.HeaderSetter = (*headerPairs)(nil)

// headers returns what is shown; of a message whose call is over, what it held last.
func (p *headerPairs) headers() *flowfile.Headers {
	over := p.m.c.check() != nil
	switch {
	case over && p.trailers:
		return &p.m.kept.trailers
	case over:
		return &p.m.kept.headers
	case !p.trailers:
		return p.m.msg.Headers()
	case p.m.msg.Trailers() == nil: // set to None meanwhile
		return new(flowfile.Headers)
	}
	return p.m.msg.Trailers()
}

func (p *headerPairs) Len() int { return p.headers().Len() }

func (p *headerPairs) At(i int) (name, value string) {
	f := &p.headers().Fields()[i]
	return f.Name, f.Value
}

func (p *headerPairs) Set(pairs [][2]string) error {
	if err := p.m.c.check(); err != nil {
		return err
	}
	p.headers().Replace(toFields(pairs))
	return nil
}

func (p *headerPairs) SetValue(name, value string) error {
	if err := p.m.c.check(); err != nil {
		return err
	}
	p.headers().Set(name, value)
	return nil
}

func toFields(pairs [][2]string) []flowfile.Field {
	fields := make([]flowfile.Field, len(pairs))
	for i, kv := range pairs {
		fields[i] = flowfile.Field{Name: kv[0], Value: kv[1]}
	}
	return fields
}

// fieldsOf converts what a script assigns to headers.
func fieldsOf(v starlark.Value) ([]flowfile.Field, error) {
	pairs, err := pairsOf(v)
	return toFields(pairs), err
}

// pairsOf converts a MultiDict, a dict or a list of pairs.
func pairsOf(v starlark.Value) ([][2]string, error) {
	switch v := v.(type) {
	case *lib.MultiDict:
		return v.List(), nil
	case starlark.IterableMapping:
		items := v.Items()
		pairs := make([][2]string, len(items))
		for i, kv := range items {
			if err := setPair(&pairs[i], kv); err != nil {
				return nil, err
			}
		}
		return pairs, nil
	case starlark.Iterable:
		var pairs [][2]string
		for x := range starlark.Elements(v) {
			kv, ok := x.(starlark.Indexable)
			if !ok || kv.Len() != 2 || x.Type() == "string" || x.Type() == "bytes" {
				return nil, fmt.Errorf("%s is no pair of name and value", x)
			}
			pairs = append(pairs, [2]string{})
			if err := setPair(&pairs[len(pairs)-1], kv); err != nil {
				return nil, err
			}
		}
		return pairs, nil
	}
	return nil, fmt.Errorf("want a dict or a list of pairs, not %s", v.Type())
}

func setPair(p *[2]string, kv starlark.Indexable) error {
	for i, what := range [2]string{"a name", "a value"} {
		if err := setString(kv.Index(i), what, func(s string) { p[i] = s }); err != nil {
			return err
		}
	}
	return nil
}

// queryPairs shows the query of a request as a MultiDict; changes rewrite the path.
type queryPairs struct {
	m     *messageValue
	path  string // that was parsed
	pairs [][2]string
}

func (p *queryPairs) Len() int {
	path := p.m.kept.path
	if p.m.c.check() == nil {
		path = p.m.req.Path()
		if firstLineFormat(p.m.req) == "authority" {
			path = ""
		}
	}
	if path != p.path {
		p.path, p.pairs = path, parseForm(splitPath(path).query)
	}
	return len(p.pairs)
}

func (p *queryPairs) At(i int) (name, value string) { return p.pairs[i][0], p.pairs[i][1] }

func (p *queryPairs) Set(pairs [][2]string) error {
	if err := p.m.c.check(); err != nil {
		return err
	}
	path := splitPath(p.m.req.Path())
	path.query = formatForm(pairs)
	p.m.req.SetPath(path.String())
	return nil
}

// parseForm parses name=value&name=value, percent-encoded.
func parseForm(s string) [][2]string {
	var pairs [][2]string
	for part := range strings.SplitSeq(s, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(strings.ReplaceAll(part, "+", " "), "=")
		pairs = append(pairs, [2]string{lib.UnquoteURL(k), lib.UnquoteURL(v)})
	}
	return pairs
}

func formatForm(pairs [][2]string) string {
	var b strings.Builder
	for i, kv := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(lib.QuotePlus(kv[0]))
		b.WriteByte('=')
		b.WriteString(lib.QuotePlus(kv[1]))
	}
	return b.String()
}

// formPairs shows an urlencoded body as a MultiDict; changes rewrite the body.
type formPairs struct {
	m     *messageValue
	pairs [][2]string // as of the last Len, which comes before every walk
}

func newFormPairs(m *messageValue) *formPairs {
	p := &formPairs{m: m}
	p.Len()
	return p
}

const formType = "application/x-www-form-urlencoded"

// text returns the body, "" if there is none to be had.
func (p *formPairs) text() string {
	v, err := p.m.text(true)
	if err != nil {
		return ""
	}
	s, _ := starlark.AsString(v)
	return s
}

func (p *formPairs) Len() int {
	if p.m.c.check() == nil {
		p.pairs = nil
		if strings.Contains(strings.ToLower(p.m.msg.Headers().Get("content-type")), formType) {
			p.pairs = parseForm(p.text())
		}
	}
	return len(p.pairs)
}

func (p *formPairs) At(i int) (name, value string) { return p.pairs[i][0], p.pairs[i][1] }

// Set writes a name without a value as the body had them: with or without a "=".
func (p *formPairs) Set(pairs [][2]string) error {
	if err := p.m.c.check(); err != nil {
		return err
	}
	before := p.text()
	p.m.msg.Headers().Set("content-type", formType)
	form := formatForm(pairs)
	bare := func(part string) bool { return !strings.Contains(part, "=") }
	if before != "" && slices.ContainsFunc(strings.Split(before, "&"), bare) {
		form = strings.TrimSuffix(strings.ReplaceAll(form, "=&", "&"), "=")
	}
	return coding.SetDecoded(p.m.msg, []byte(form))
}

// cookiePairs shows the Cookie headers of a request as a MultiDict.
type cookiePairs struct {
	m     *messageValue
	pairs [][2]string // as of the last Len
}

func (p *cookiePairs) Len() int {
	p.pairs = nil
	for _, v := range (&headerPairs{m: p.m}).headers().Values("Cookie") {
		p.pairs = append(p.pairs, parseCookies(v)...)
	}
	return len(p.pairs)
}

func (p *cookiePairs) At(i int) (name, value string) { return p.pairs[i][0], p.pairs[i][1] }

func (p *cookiePairs) Set(pairs [][2]string) error {
	if err := p.m.c.check(); err != nil {
		return err
	}
	all := make([]string, len(pairs))
	for i, kv := range pairs {
		all[i] = kv[0] + "=" + quoteCookie(kv[1])
	}
	p.m.msg.Headers().Set("cookie", strings.Join(all, "; "))
	return nil
}

// parseCookies parses a Cookie header; a value in quotes may hold a ";".
func parseCookies(s string) [][2]string {
	var pairs [][2]string
	for s != "" {
		var name, value string
		if i := strings.IndexAny(s, ";="); i >= 0 && s[i] == '=' {
			name, s = s[:i], s[i+1:]
			value, s = cookieValue(s)
		} else {
			name, s, _ = strings.Cut(s, ";")
		}
		if name = strings.TrimLeft(name, " \t"); name != "" || value != "" {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	return pairs
}

// cookieValue returns a value and what comes behind its ";".
func cookieValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		return value, rest
	}
	var b strings.Builder
	i := 1
	for ; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	_, rest, _ = strings.Cut(s[min(i+1, len(s)):], ";")
	return b.String(), rest
}

func quoteCookie(s string) string {
	special := func(r rune) bool { return r < 0x21 || r > 0x7e || strings.ContainsRune(`",;\`, r) }
	if !strings.ContainsFunc(s, special) {
		return s
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s) + `"`
}

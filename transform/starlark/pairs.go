package starlark

import (
	"fmt"
	"net/url"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

var headerOptions = lib.Options{FoldCase: true, FoldJoin: ", ", TypeName: "Headers"}

func newHeaders(h *flowfile.Headers) *lib.MultiDict {
	return lib.NewMultiDict(&headerPairs{h}, headerOptions)
}

// headerPairs shows headers as a MultiDict.
type headerPairs struct{ h *flowfile.Headers }

var _ lib.HeaderSetter = (*headerPairs)(nil)

func (p *headerPairs) Len() int { return p.h.Len() }

func (p *headerPairs) At(i int) (name, value string) {
	f := p.h.Fields()[i]
	return f.Name, f.Value
}

func (p *headerPairs) Set(pairs [][2]string) error {
	p.h.Replace(toFields(pairs))
	return nil
}

func (p *headerPairs) SetValue(name, value string) error {
	p.h.Set(name, value)
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
	var items []starlark.Value
	switch v := v.(type) {
	case *lib.MultiDict:
		return v.List(), nil
	case starlark.IterableMapping:
		for _, t := range v.Items() {
			items = append(items, t)
		}
	case starlark.Iterable:
		it := v.Iterate()
		defer it.Done()
		var x starlark.Value
		for it.Next(&x) {
			items = append(items, x)
		}
	default:
		return nil, fmt.Errorf("a %s is no list of pairs", v.Type())
	}
	var pairs [][2]string
	for _, x := range items {
		seq, ok := x.(starlark.Indexable)
		if !ok || seq.Len() != 2 {
			return nil, fmt.Errorf("%s is no pair of name and value", x)
		}
		var kv [2]string
		for i := range kv {
			if err := setString(seq.Index(i), "name and value", func(s string) { kv[i] = s }); err != nil {
				return nil, err
			}
		}
		pairs = append(pairs, kv)
	}
	return pairs, nil
}

// queryPairs shows the query of a request as a MultiDict; changes rewrite the path.
type queryPairs struct{ r *flowfile.Request }

func (p *queryPairs) pairs() [][2]string {
	_, query, ok := strings.Cut(p.r.Path(), "?")
	if !ok {
		return nil
	}
	query, _, _ = strings.Cut(query, "#")
	var pairs [][2]string
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		pairs = append(pairs, [2]string{unquote(k), unquote(v)})
	}
	return pairs
}

func unquote(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return strings.ReplaceAll(s, "+", " ")
}

func (p *queryPairs) Len() int { return len(p.pairs()) }

func (p *queryPairs) At(i int) (name, value string) {
	kv := p.pairs()[i]
	return kv[0], kv[1]
}

func (p *queryPairs) Set(pairs [][2]string) error {
	path, _, _ := strings.Cut(p.r.Path(), "?")
	var b strings.Builder
	b.WriteString(path)
	for i, kv := range pairs {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(url.QueryEscape(kv[0]))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(kv[1]))
	}
	p.r.SetPath(b.String())
	return nil
}

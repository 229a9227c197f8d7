package lib

import (
	"fmt"
	"net/url"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// urlFuncs are functions of Python's urllib.parse.
var urlFuncs = map[string]builtinFunc{
	"parse_qs":         urlParseQS,
	"parse_qsl":        urlParseQSL,
	"quote":            urlQuote("/", false),
	"quote_plus":       urlQuote("", true),
	"unquote":          urlUnquote(false),
	"unquote_plus":     urlUnquote(true),
	"unquote_to_bytes": urlUnquoteToBytes,
	"urlencode":        urlEncode,
	"urljoin":          urlJoin,
	"urlparse":         urlParse,
}

func urlQuote(safe string, plus bool) builtinFunc {
	return func(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s textArg
		safe := safe
		if err := starlark.UnpackArgs(fn, args, kwargs, "string", &s, "safe?", &safe); err != nil {
			return nil, err
		}
		return starlark.String(quoteURL(s.s, safe, plus)), nil
	}
}

// quoteURL writes all bytes but letters, digits, _.-~ and the safe ones as %XX.
func quoteURL(s, safe string, plus bool) string {
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case isAlpha(c), isDigit(c), strings.IndexByte("_.-~", c) >= 0, c < 0x80 && strings.IndexByte(safe, c) >= 0:
			out = append(out, c)
		case c == ' ' && plus:
			out = append(out, '+')
		default:
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

func urlUnquote(plus bool) builtinFunc {
	return func(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s textArg
		if err := starlark.UnpackArgs(fn, args, kwargs, "string", &s); err != nil {
			return nil, err
		}
		return starlark.String(unquoteText(s.s, plus)), nil
	}
}

func urlUnquoteToBytes(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s textArg
	if err := starlark.UnpackArgs(fn, args, kwargs, "string", &s); err != nil {
		return nil, err
	}
	return Bytes(unquoteURL(s.s)), nil
}

// unquoteText decodes the bytes as UTF-8, with U+FFFD for what is not, as Python.
func unquoteText(s string, plus bool) string {
	if plus {
		s = strings.ReplaceAll(s, "+", " ")
	}
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	s, _ = decodeUTF8("", unquoteURL(s), replace) // replace has no errors
	return s
}

func unquoteURL(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, ok := hex4("00"+s[i+1:i+3], 0); ok {
				out = append(out, byte(hi))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// urlParse returns a struct with the parts that Python's urlparse has, but for
// params, which stay in the path.
func urlParse(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s string
	if err := starlark.UnpackArgs(fn, args, kwargs, "url", &s); err != nil {
		return nil, err
	}
	parts := starlark.StringDict{"url": starlark.String(s)}
	rest := s
	scheme := ""
	if i := strings.IndexByte(rest, ':'); i > 0 && isScheme(rest[:i]) {
		scheme, rest = strings.ToLower(rest[:i]), rest[i+1:]
	}
	netloc := ""
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		end := strings.IndexAny(after, "/?#")
		if end < 0 {
			end = len(after)
		}
		netloc, rest = after[:end], after[end:]
	}
	if err := addAuthority(parts, netloc); err != nil {
		return nil, fmt.Errorf("%s: %w", fn, err)
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	for name, value := range map[string]string{
		"scheme": scheme, "netloc": netloc, "path": path, "query": query, "fragment": fragment,
	} {
		parts[name] = starlark.String(value)
	}
	return starlarkstruct.FromStringDict(starlark.String("url"), parts), nil
}

func isScheme(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlpha(c) && (i == 0 || !isDigit(c) && strings.IndexByte("+-.", c) < 0) {
			return false
		}
	}
	return true
}

// addAuthority splits user:password@host:port; what is absent is None.
func addAuthority(parts starlark.StringDict, netloc string) error {
	for _, name := range []string{"username", "password", "hostname", "port"} {
		parts[name] = starlark.None
	}
	host := netloc
	if i := strings.LastIndexByte(netloc, '@'); i >= 0 {
		user, password, found := strings.Cut(netloc[:i], ":")
		parts["username"] = starlark.String(user)
		if found {
			parts["password"] = starlark.String(password)
		}
		host = netloc[i+1:]
	}
	port := ""
	if inside, ok := strings.CutPrefix(host, "["); ok {
		var after string
		if host, after, ok = strings.Cut(inside, "]"); !ok {
			return fmt.Errorf("missing ] in host of %q", netloc)
		}
		port = strings.TrimPrefix(after, ":")
	} else {
		host, port, _ = strings.Cut(host, ":")
	}
	if host != "" {
		parts["hostname"] = starlark.String(strings.ToLower(host))
	}
	if port == "" {
		return nil
	}
	n := 0
	for i := range len(port) {
		if !isDigit(port[i]) || n > 65535 {
			return fmt.Errorf("port %q is not a number from 0 to 65535", port)
		}
		n = n*10 + int(port[i]-'0')
	}
	if n > 65535 {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	parts["port"] = starlark.MakeInt(n)
	return nil
}

func urlJoin(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var base, ref string
	if err := starlark.UnpackArgs(fn, args, kwargs, "base", &base, "url", &ref); err != nil {
		return nil, err
	}
	b, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fn, err)
	}
	joined, err := b.Parse(ref)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fn, err)
	}
	return starlark.String(joined.String()), nil
}

func parseQuery(fn string, args starlark.Tuple, kwargs []starlark.Tuple) ([][2]string, error) {
	var s textArg
	keepBlank := false
	if err := starlark.UnpackArgs(fn, args, kwargs, "qs", &s, "keep_blank_values?", &keepBlank); err != nil {
		return nil, err
	}
	var pairs [][2]string
	for part := range strings.SplitSeq(s.s, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part == "" || value == "" && !keepBlank {
			continue
		}
		pairs = append(pairs, [2]string{unquoteText(name, true), unquoteText(value, true)})
	}
	return pairs, nil
}

func urlParseQSL(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	pairs, err := parseQuery(fn, args, kwargs)
	if err != nil {
		return nil, err
	}
	list := make([]starlark.Value, len(pairs))
	for i, p := range pairs {
		list[i] = pairTuple(p)
	}
	return starlark.NewList(list), nil
}

func urlParseQS(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	pairs, err := parseQuery(fn, args, kwargs)
	if err != nil {
		return nil, err
	}
	d := new(starlark.Dict)
	for _, p := range pairs {
		name := starlark.String(p[0])
		v, found, _ := d.Get(name) // strings hash
		list, _ := v.(*starlark.List)
		if !found {
			list = new(starlark.List)
			_ = d.SetKey(name, list)
		}
		_ = list.Append(starlark.String(p[1])) // not frozen
	}
	return d, nil
}

func urlEncode(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var query starlark.Value
	doseq, safe := false, ""
	if err := starlark.UnpackArgs(fn, args, kwargs, "query", &query, "doseq?", &doseq, "safe?", &safe); err != nil {
		return nil, err
	}
	var items []starlark.Tuple
	if d, ok := query.(*MultiDict); ok {
		for _, p := range d.list() {
			items = append(items, pairTuple(p))
		}
	} else {
		var err error
		if items, err = pairsOf(query); err != nil {
			return nil, fmt.Errorf("%s: %w", fn, err)
		}
	}
	var parts []string
	add := func(k, v starlark.Value) {
		parts = append(parts, quoteURL(plainText(k), safe, true)+"="+quoteURL(plainText(v), safe, true))
	}
	for _, item := range items {
		list, isList := item[1].(starlark.Sequence)
		if _, _, isText := text(item[1]); doseq && isList && !isText {
			for v := range starlark.Elements(list) {
				add(item[0], v)
			}
			continue
		}
		add(item[0], item[1])
	}
	return starlark.String(strings.Join(parts, "&")), nil
}

// plainText is the contents of str and bytes, and str(v) of the rest.
func plainText(v starlark.Value) string {
	if s, _, ok := text(v); ok {
		return s
	}
	return v.String()
}

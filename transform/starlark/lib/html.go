package lib

import (
	"html"
	"strings"

	"go.starlark.net/starlark"
)

var (
	htmlText  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	htmlQuote = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")
)

var htmlFuncs = map[string]builtinFunc{
	"escape": func(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s string
		quote := true
		if err := starlark.UnpackArgs(fn, args, kwargs, "s", &s, "quote?", &quote); err != nil {
			return nil, err
		}
		if quote {
			return starlark.String(htmlQuote.Replace(s)), nil
		}
		return starlark.String(htmlText.Replace(s)), nil
	},
	"unescape": func(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s string
		if err := starlark.UnpackArgs(fn, args, kwargs, "s", &s); err != nil {
			return nil, err
		}
		return starlark.String(html.UnescapeString(s)), nil
	},
}

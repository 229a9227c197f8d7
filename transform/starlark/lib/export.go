package lib

import "go.starlark.net/starlark"

// DecodeJSON is json.loads of bytes, for values that have a json method.
func DecodeJSON(b Bytes) (starlark.Value, error) { return decodeJSON(string(b), true, true) }

// List returns a copy of all pairs.
func (d *MultiDict) List() [][2]string { return d.list() }

// UnquoteURL replaces %XX by the byte XX, and leaves what is no such escape.
func UnquoteURL(s string) string { return unquoteURL(s) }

// QuoteURL writes all bytes but letters, digits, _.-~ and the safe ones as %XX.
func QuoteURL(s, safe string) string { return quoteURL(s, safe, false) }

// QuotePlus is QuoteURL with "+" for a space, as in queries and forms.
func QuotePlus(s string) string { return quoteURL(s, "", true) }

package lib

import "go.starlark.net/starlark"

// DecodeJSON is json.loads of bytes, for values that have a json method.
func DecodeJSON(b Bytes) (starlark.Value, error) { return decodeJSON(string(b), true, true) }

// List returns a copy of all pairs.
func (d *MultiDict) List() [][2]string { return d.list() }

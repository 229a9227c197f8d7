package main

import (
	"encoding/json"
	"io"
)

// writeJSON writes v as one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // URLs have ampersands
	return e.Encode(v)
}

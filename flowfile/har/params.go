package har

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"flowkit/flowfile/coding"
)

// params writes the fields of a form, if it is one that is kept in memory.
func (w *Writer) params(contentType string, c content) {
	if c.kept == nil {
		return
	}
	kind, attributes, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
	case kind == "application/x-www-form-urlencoded":
		text := string(c.kept)
		if c.charset != "" {
			if text, err = coding.DecodeText(c.kept, c.charset); err != nil {
				return
			}
		}
		w.j.Key("params")
		w.pairs(strings.TrimRight(text, "\r\n"), true)
	case kind == "multipart/form-data" && attributes["boundary"] != "":
		if parts, ok := multipartForm(c.kept, attributes["boundary"]); ok {
			w.j.Key("params")
			w.parts(parts)
		}
	}
}

// part is a field of a multipart form.
type part struct{ name, fileName, contentType, value string }

func multipartForm(b []byte, boundary string) ([]part, bool) {
	var parts []part
	r := multipart.NewReader(bytes.NewReader(b), boundary)
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return parts, true
		}
		if err != nil || p.FormName() == "" || len(parts) >= 1000 {
			return nil, false
		}
		value, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		parts = append(parts, part{p.FormName(), p.FileName(), p.Header.Get("Content-Type"), string(value)})
	}
}

func (w *Writer) parts(parts []part) {
	w.j.Array()
	for _, p := range parts {
		w.j.Object()
		w.text("name", p.name)
		// The bytes of files are in the text.
		if p.fileName == "" {
			w.text("value", p.value)
		} else {
			w.text("fileName", p.fileName)
		}
		w.optional("contentType", p.contentType)
		w.j.EndObject()
	}
	w.j.EndArray()
}

// multipartBoundary returns the boundary of a form, and false if the type is none.
func multipartBoundary(contentType string) (string, bool) {
	kind, attributes, err := mime.ParseMediaType(contentType)
	return attributes["boundary"], err == nil && kind == "multipart/form-data"
}

package har

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

// params writes the fields of a form, if it is one that is kept in memory.
func (w *Writer) params(contentType string, h *flowfile.Headers, c content) {
	if c.kept == nil {
		return
	}
	kind, attributes, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil || !isForm(contentType):
	case kind == formType:
		text := string(c.kept)
		if c.charset != "" {
			if text, err = coding.DecodeText(c.kept, c.charset); err != nil {
				return
			}
		}
		// har-to-k6 decodes them once more, and does not take other percent signs.
		if text = strings.TrimRight(text, "\r\n"); strings.Contains(unescape(text), "%") {
			return
		}
		w.j.Key("params")
		w.pairs(text)
	case kind == multipartType && attributes["boundary"] != "" && slices.ContainsFunc(h.Fields(), func(f flowfile.Field) bool { return isTypeName(f.Name) }):
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
		w.text("value", p.value)
		w.optional("fileName", p.fileName)
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

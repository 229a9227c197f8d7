package har

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"
)

// formBody makes the body of the fields of a form; size is how long it was.
func formBody(fields *value, contentType string, size int64) (string, bool) {
	if boundary, ok := multipartBoundary(contentType); ok {
		return multipartBody(fields, boundary)
	}
	var raw, escaped strings.Builder
	for i := range fields.items {
		f := &fields.items[i]
		if i > 0 {
			raw.WriteByte('&')
			escaped.WriteByte('&')
		}
		name, v := clean(f.get("name").str()), clean(f.get("value").str())
		raw.WriteString(name)
		escaped.WriteString(url.QueryEscape(name))
		if f.get("value").some() {
			raw.WriteString("=" + v)
			escaped.WriteString("=" + url.QueryEscape(v))
		}
	}
	// Exporters differ in whether they decode the fields.
	if int64(raw.Len()) == size {
		return raw.String(), true
	}
	return escaped.String(), true
}

// multipartBody is formBody for multipart/form-data: false if the bytes of a file are
// missing.
func multipartBody(fields *value, boundary string) (string, bool) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if w.SetBoundary(boundary) != nil {
		return "", false
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "%0D", "\n", "%0A")
	for i := range fields.items {
		f := &fields.items[i]
		file := f.get("fileName")
		if !f.get("value").some() {
			return "", false
		}
		h := textproto.MIMEHeader{}
		d := `form-data; name="` + quote.Replace(clean(f.get("name").str())) + `"`
		if file.some() {
			d += `; filename="` + quote.Replace(clean(file.str())) + `"`
		}
		h.Set("Content-Disposition", d)
		if ct := f.get("contentType").str(); ct != "" {
			h.Set("Content-Type", clean(ct))
		}
		p, err := w.CreatePart(h)
		if err != nil {
			return "", false
		}
		_, _ = io.WriteString(p, clean(f.get("value").str()))
	}
	if w.Close() != nil {
		return "", false
	}
	return b.String(), true
}

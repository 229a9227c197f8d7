package coding

import (
	"errors"
	"strings"
	"testing"

	"flowkit/flowfile"
)

// message builds a message of "name: value" lines and a body.
func message(body flowfile.Body, lines ...string) *flowfile.Message {
	var fields []flowfile.Field
	for _, l := range lines {
		n, v, _ := strings.Cut(l, ": ")
		fields = append(fields, flowfile.Field{Name: n, Value: v})
	}
	m := flowfile.NewMessage(flowfile.MessageHead{Headers: fields, Body: body})
	return &m
}

func lines(m *flowfile.Message) string {
	var out []string
	for _, f := range m.Headers().Fields() {
		out = append(out, f.Name+": "+f.Value)
	}
	return strings.Join(out, "\n")
}

func TestSetDecoded(t *testing.T) {
	check := func(content, want string, in ...string) {
		t.Helper()
		m := message(flowfile.StringBody("old"), in...)
		if err := SetDecoded(m, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := lines(m); got != want {
			t.Errorf("%q: headers %q, want %q", in, got, want)
		}
		if b, err := DecodedBody(m, -1); err != nil || string(b) != content {
			t.Errorf("%q: %q, %v", in, b, err)
		}
	}
	check("new", "content-length: 3")
	check("", "content-length: 0")
	check("new", "Content-Length: 3\nX: y", "Content-Length: 99", "X: y")
	check("new", "Content-Length: 3", "Content-Length: 99", "content-length: 98")
	check("new", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")
	check("new", "content-length: 3", "Content-Encoding: exotic")
	check("hello", "Content-Encoding: gzip\nContent-Length: 30", "Content-Encoding: gzip", "Content-Length: 0")
	check("hello", "Content-Encoding: identity\ncontent-length: 5", "Content-Encoding: identity")
	m := message(flowfile.StringBody("old"), "Content-Length: 3")
	if err := SetDecoded(m, nil); err != nil || m.Body().State() != flowfile.BodyAbsent || lines(m) != "Content-Length: 3" {
		t.Error("nil content:", m.Body().State(), lines(m))
	}
}

func TestDecodedBody(t *testing.T) {
	if b, err := DecodedBody(message(flowfile.Body{}), -1); b != nil || err != nil {
		t.Error("absent:", b, err)
	}
	if b, err := DecodedBody(message(flowfile.StringBody("")), -1); b == nil || len(b) != 0 || err != nil {
		t.Error("empty:", b, err)
	}
	wire, _ := Encode([]byte("hello"), "gzip, br")
	var s flowfile.Spool
	c, err := s.Add(wire)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []flowfile.Body{flowfile.BytesBody(wire), flowfile.ContentBody(c)} {
		m := message(body, "content-encoding: gzip", "Content-Encoding: br")
		if b, err := DecodedBody(m, 5); err != nil || string(b) != "hello" {
			t.Errorf("%q, %v", b, err)
		}
		if _, err := DecodedBody(m, 4); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
	}
}

func TestCharset(t *testing.T) {
	check := func(ct, content, want string) {
		t.Helper()
		if got := Charset(ct, []byte(content)); got != want {
			t.Errorf("%q, %q: %q, want %q", ct, content, got, want)
		}
	}
	check("", "", "latin-1")
	check("text/plain", "x", "latin-1")
	check("text/plain; charset=UTF-8", "x", "utf-8")
	check(`text/plain; Charset="Shift_JIS"`, "x", "shift_jis")
	check("text/plain; charset=latin1", "\xef\xbb\xbfx", "utf-8")
	check("text/plain", "\xff\xfex\x00", "utf-16le")
	check("text/plain", "\xff\xfe\x00\x00", "utf-32le")
	check("application/JSON", "{}", "utf-8")
	check("text/html", "<p>", "utf-8")
	check("text/html", `<html><META charset="iso-8859-2">`, "iso-8859-2")
	check("text/html", `<meta name=x><meta http-equiv="Content-Type" content="text/html; charset=gb2312">`, "gb18030")
	check("text/html", "<\xe9><meta \xe9 charset=koi8-r>", "koi8-r")
	check("text/html", "<metacharset=x", "utf-8")
	check("application/xml", `<?xml version="1.0" encoding="ISO-8859-1"?>`, "ISO-8859-1")
	check("application/xml", `<?xml version="1.0"?>`, "utf-8")
	check("image/svg+xml", ` <?xml encoding="x"?>`, "utf-8")
	check("text/javascript", "x", "utf-8")
	check("text/css", `@charset "koi8-r";`, "koi8-r")
	check("text/css", ` @charset "koi8-r";`, "utf-8")
	check("text/plain; charset=GBK", "x", "gb18030")
}

func TestText(t *testing.T) {
	check := func(ct, content, want string, wantErr error) {
		t.Helper()
		got, err := Text(message(flowfile.StringBody(content), "Content-Type: "+ct), -1)
		if got != want || !errors.Is(err, wantErr) {
			t.Errorf("%s, %q: %q, %v, want %q, %v", ct, content, got, err, want, wantErr)
		}
	}
	check("text/plain", "caf\xe9", "café", nil)
	check("text/plain", "\x80", "\u0080", nil)
	check("text/plain; charset=windows-1252", "\x80", "€", nil)
	check("text/plain; charset=utf-8", "café", "café", nil)
	check("text/plain; charset=utf-8", "caf\xe9", "caf\xe9", ErrCharset)
	check("text/plain; charset=ascii", "caf\xe9", "caf\xe9", ErrCharset)
	check("text/plain; charset=nope", "x", "x", ErrCharset)
	check("text/plain; charset=shift_jis", "\x93\xfa\x96\x7b", "日本", nil)
	check("text/plain; charset=gb2312", "\xc4\xe3", "你", nil)
	check("text/plain; charset=big5", "\xff\xff", "\xff\xff", ErrCharset)
	check("text/plain", "\xef\xbb\xbfx", "x", nil)
	check("text/plain", "\xff\xfex\x00", "x", nil)
	check("text/plain", "\xff\xfe\x00\x00x\x00\x00\x00", "x", nil)
}

func TestSetText(t *testing.T) {
	check := func(ct, text, wire, wantType string) {
		t.Helper()
		m := message(flowfile.StringBody("old"))
		if ct != "" {
			m.Headers().Set("Content-Type", ct)
		}
		if err := SetText(m, text); err != nil {
			t.Fatal(err)
		}
		b, _ := m.Body().Bytes(-1)
		if string(b) != wire || m.Headers().Get("content-type") != wantType {
			t.Errorf("%s, %q: %q %q, want %q %q", ct, text, b, m.Headers().Get("content-type"), wire, wantType)
		}
		if got, err := Text(m, -1); err != nil || got != text {
			t.Errorf("%s, %q: reads back as %q, %v", ct, text, got, err)
		}
	}
	check("", "café", "caf\xe9", "")
	check("", "日", "日", "text/plain; charset=utf-8")
	check("Text/X; a=b; charset=latin1; c=d", "日", "日", "text/x; a=b; charset=utf-8; c=d")
	check("text/plain; charset=shift_jis", "日本", "\x93\xfa\x96\x7b", "text/plain; charset=shift_jis")
	check("text/plain; charset=us-ascii", "é", "é", "text/plain; charset=utf-8")
	check("text/plain; charset=nope", "x", "x", "text/plain; charset=utf-8")
	check("application/json", `"é"`, `"é"`, "application/json")
}

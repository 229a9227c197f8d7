package coding

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"

	"flowkit/flowfile"
)

// ErrCharset is returned for text whose charset is unknown or that does not obey it.
var ErrCharset = errors.New("content is not text of its charset")

// charsetHead is how much of a document is searched for a declaration.
const charsetHead = 64 << 10

var boms = []struct{ bom, name string }{
	{"\xff\xfe\x00\x00", "utf-32le"},
	{"\x00\x00\xfe\xff", "utf-32be"},
	{"\xff\xfe", "utf-16le"},
	{"\xfe\xff", "utf-16be"},
	{"\xef\xbb\xbf", "utf-8"},
}

// Charset returns the name of the charset of content by mitmproxy's rules: a byte order
// mark, the charset parameter of the content type, what the type implies or the document
// declares (JSON, HTML, XML, JavaScript, CSS), else "latin-1". The first 64 KiB of the
// content are enough.
func Charset(contentType string, content []byte) string {
	name := charset(strings.ToLower(contentType), content)
	switch strings.ToLower(name) {
	case "gb2312", "gbk":
		// Its superset; pages declare the one and use the other.
		return "gb18030"
	}
	return name
}

func charset(ct string, content []byte) string {
	for _, b := range boms {
		if bytes.HasPrefix(content, []byte(b.bom)) {
			return b.name
		}
	}
	if name := param(ct, "charset"); name != "" {
		return name
	}
	if len(content) > charsetHead {
		content = content[:charsetHead]
	}
	declared := func(string) string { return "" }
	switch {
	case strings.Contains(ct, "json"):
	case strings.Contains(ct, "html"):
		declared = metaCharset
	case strings.Contains(ct, "xml"):
		declared = xmlEncoding
	case strings.Contains(ct, "javascript"), strings.Contains(ct, "ecmascript"):
	case strings.Contains(ct, "text/css"):
		declared = cssCharset
	default:
		return "latin-1"
	}
	if name := declared(string(content)); name != "" {
		return name
	}
	return "utf-8"
}

// param returns a parameter of a content type, without quotes.
func param(ct, name string) string {
	_, params, _ := strings.Cut(ct, ";")
	for p := range strings.SplitSeq(params, ";") {
		k, v, ok := strings.Cut(p, "=")
		if ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	return ""
}

// metaCharset finds <meta … charset=x, also within a content attribute.
func metaCharset(s string) string {
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			return ""
		}
		s = s[i+1:]
		if len(s) < 5 || !strings.EqualFold(s[:4], "meta") {
			continue
		}
		tag, _, _ := strings.Cut(s[4:], ">")
		i = lastIndexFold(tag, "charset=")
		if i < 1 {
			continue
		}
		v := strings.TrimLeft(tag[i+8:], `'"`)
		if end := strings.IndexAny(v, "'\"; \t\r\n/"); end >= 0 {
			v = v[:end]
		}
		if v != "" {
			return v
		}
	}
}

// xmlEncoding finds the encoding of an XML declaration.
func xmlEncoding(s string) string {
	if len(s) < 5 || !strings.EqualFold(s[:5], "<?xml") {
		return ""
	}
	end := strings.IndexAny(s[5:], "?>")
	if end < 0 {
		return ""
	}
	decl := s[5 : 5+end]
	i := lastIndexFold(decl, "encoding=")
	if i < 1 {
		return ""
	}
	v := decl[i+9:]
	if v == "" || v[0] != '\'' && v[0] != '"' {
		return ""
	}
	v = v[1:]
	if end := strings.IndexAny(v, `'"`); end >= 0 {
		v = v[:end]
	}
	return v
}

// cssCharset finds @charset, which must be the very first thing of a style sheet.
func cssCharset(s string) string {
	const rule = `@charset "`
	if len(s) < len(rule) || !strings.EqualFold(s[:len(rule)], rule) {
		return ""
	}
	name, _, ok := strings.Cut(s[len(rule):], `";`)
	if !ok {
		return ""
	}
	return name
}

// lastIndexFold is strings.LastIndex without the case of ASCII letters.
func lastIndexFold(s, sub string) int {
	for i := len(s) - len(sub); i >= 0; i-- {
		if flowfile.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}

// ascii are the names of the charset that has no bytes above 0x7f.
func ascii(name string) bool {
	return strings.EqualFold(name, "ascii") || strings.EqualFold(name, "us-ascii")
}

// lookup returns the charset of a name: nil for UTF-8.
func lookup(name string) (encoding.Encoding, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	switch strings.ReplaceAll(name, "_", "-") {
	case "utf-8", "utf8", "utf-8-sig", "u8":
		return nil, nil
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1", "8859":
		return charmap.ISO8859_1, nil // WHATWG would have windows-1252
	case "ascii", "us-ascii":
		return charmap.ISO8859_1, nil // what is above 0x7f is refused elsewhere
	case "utf-32", "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), nil
	case "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM), nil
	case "utf-16", "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case "gb18030":
		return simplifiedchinese.GB18030, nil
	}
	if e, err := htmlindex.Get(name); err == nil {
		if n, err := htmlindex.Name(e); err != nil || n != "replacement" {
			return e, nil
		}
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%w: unknown charset %q", ErrCharset, name)
}

// DecodeText returns content, which is of the named charset, in UTF-8 and without a byte
// order mark.
func DecodeText(content []byte, charset string) (string, error) {
	e, err := lookup(charset)
	if err != nil {
		return "", err
	}
	if e == nil {
		content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
		if !utf8.Valid(content) {
			return "", fmt.Errorf("%w: not UTF-8", ErrCharset)
		}
		return string(content), nil
	}
	if ascii(charset) && bytes.ContainsFunc(content, func(r rune) bool { return r > 0x7f }) {
		return "", fmt.Errorf("%w: not %s", ErrCharset, charset)
	}
	out, err := e.NewDecoder().Bytes(content)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrCharset, err)
	}
	if i := bytes.Index(out, []byte("\uFFFD")); i >= 0 {
		return "", fmt.Errorf("%w: not %s", ErrCharset, charset)
	}
	return string(out), nil
}

// NewTextReader returns r, whose bytes are of the named charset, in UTF-8. What does not
// obey the charset becomes U+FFFD, except under UTF-8, which is passed on as it is.
func NewTextReader(r io.Reader, charset string) (io.Reader, error) {
	e, err := lookup(charset)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return r, nil
	}
	return transform.NewReader(r, e.NewDecoder()), nil
}

// Text returns the content of m as text, its codings undone as by DecodedBody and its
// charset as by Charset; "" if the body is absent. With an error that is ErrCharset it
// returns the content as it is.
func Text(m *flowfile.Message, limit int64) (string, error) {
	content, err := DecodedBody(m, limit)
	if err != nil || content == nil {
		return "", err
	}
	text, err := DecodeText(content, Charset(contentType(m), content))
	if err != nil {
		return string(content), err
	}
	return text, nil
}

// SetText puts text in place of the content of m, in the charset its type says. What that
// charset cannot say is written in UTF-8, and the Content-Type says so. Then SetDecoded.
func SetText(m *flowfile.Message, text string) error {
	content, err := encodeText(text, Charset(contentType(m), nil))
	if err != nil {
		setHeader(m.Headers(), "content-type", withCharset(contentType(m)))
		content = []byte(text)
	}
	if content == nil {
		content = []byte{}
	}
	return SetDecoded(m, content)
}

func encodeText(text, charset string) ([]byte, error) {
	e, err := lookup(charset)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return []byte(text), nil
	}
	above := func(r rune) bool { return r > 0x7f }
	if !utf8.ValidString(text) || ascii(charset) && strings.ContainsFunc(text, above) {
		return nil, ErrCharset
	}
	return e.NewEncoder().Bytes([]byte(text))
}

// withCharset returns the content type ct with the charset UTF-8.
func withCharset(ct string) string {
	main, params, _ := strings.Cut(ct, ";")
	typ, sub, ok := strings.Cut(main, "/")
	if !ok {
		typ, sub, params = "text", "plain", ""
	}
	out := strings.ToLower(typ) + "/" + strings.ToLower(strings.TrimSpace(sub))
	done := false
	for p := range strings.SplitSeq(params, ";") {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			continue
		}
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		if strings.EqualFold(k, "charset") {
			if done {
				continue
			}
			v, done = "utf-8", true
		}
		out += "; " + k + "=" + v
	}
	if !done {
		out += "; charset=utf-8"
	}
	return out
}

package har

import (
	"fmt"
	"io"
	"math"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"flowkit/flowfile"
)

// The checks of rules: each says what is wrong with a value, "" if nothing is. in is what
// the value is in.

func never(_, _ *value) string { return "" }

func missing(v, _ *value) string {
	if v.is(absent) {
		return "is missing"
	}
	return ""
}

func isNull(v, _ *value) string {
	if v.is(null) {
		return "is null"
	}
	return ""
}

func absentOrNull(v, _ *value) string {
	if v.some() {
		return ""
	}
	return describe(v)
}

func some(v, _ *value) string {
	if isTrue(v) {
		return describe(v)
	}
	return ""
}

func isEmpty(v, _ *value) string {
	if v.is(text) && v.s == "" && v.long == nil {
		return "is empty"
	}
	return ""
}

func emptyOrNone(v, in *value) string { return absentOrNull(v, in) + isEmpty(v, in) }

var kindNames = [...]string{"nothing", "null", "true or false", "a number", "a text", "a list", "an object"}

// wants is a check for a kind.
func wants(k kind) func(v, in *value) string {
	return func(v, _ *value) string {
		switch {
		case v.is(k):
			return ""
		case v.is(absent):
			return "is missing"
		}
		return describe(v) + ", not " + kindNames[k]
	}
}

// present is check for what is there.
func present(check func(v, in *value) string) func(v, in *value) string {
	return func(v, in *value) string {
		if v.is(absent) {
			return ""
		}
		return check(v, in)
	}
}

// truthy is check for what JavaScript takes for true.
func truthy(check func(v, in *value) string) func(v, in *value) string {
	return func(v, in *value) string {
		if !isTrue(v) {
			return ""
		}
		return check(v, in)
	}
}

func isTrue(v *value) bool {
	switch v.kind {
	case absent, null:
		return false
	case boolean:
		return v.true()
	case number:
		f, _ := v.float()
		return f != 0
	case text:
		return v.s != "" || v.long != nil
	}
	return true
}

// describe says what a value is.
func describe(v *value) string {
	switch v.kind {
	case absent:
		return "is missing"
	case text:
		s := []rune(beginning(v))
		if len(s) > 40 {
			s = append(s[:40], '…')
		}
		return "is " + strconv.Quote(string(s))
	case array:
		return "is a list"
	case object:
		return "is an object"
	}
	if v.is(null) {
		return "is null"
	}
	return "is " + v.s
}

// beginning returns what a text begins with.
func beginning(v *value) string {
	if v.long == nil {
		return clean(v.s)
	}
	r, err := flowfile.ContentBody(v.long).Open()
	if err != nil {
		return ""
	}
	defer r.Close()
	b := make([]byte, 1000)
	n, _ := io.ReadFull(r, b)
	return strings.ToValidUTF8(string(b[:n]), "")
}

func notText(v, in *value) string {
	if v.is(null) || v.is(text) {
		return ""
	}
	return present(wants(text))(v, in)
}

func falsyText(v, in *value) string {
	if isTrue(v) {
		return ""
	}
	return notText(v, in)
}

// isNumeric tells whether Number of JavaScript makes a number of v.
func isNumeric(v *value) bool {
	switch v.kind {
	case null, boolean, number:
		return true
	case text:
		s := strings.TrimSpace(v.s)
		if s == "Infinity" || s == "-Infinity" {
			return true
		}
		_, err := strconv.ParseFloat(s, 64)
		_, hex := strconv.ParseUint(s, 0, 64)
		return s == "" && v.long == nil || hex == nil || err == nil && strings.Trim(s, "0123456789.eE+-") == ""
	case array:
		return len(v.items) == 0 || len(v.items) == 1 && isNumeric(&v.items[0].value)
	}
	return false
}

func noNumber(v, _ *value) string {
	if isNumeric(v) {
		return ""
	}
	if v.is(absent) {
		return "is missing"
	}
	return describe(v) + ", not a number"
}

// quoted is for what only becomes a number.
func quoted(v, _ *value) string {
	if v.is(number) || !isNumeric(v) {
		return ""
	}
	return describe(v) + ", not a number"
}

func fraction(v, _ *value) string {
	if f, ok := v.float(); ok && v.is(number) && f != math.Trunc(f) {
		return describe(v) + ", not a whole number"
	}
	return ""
}

func negative(v, _ *value) string {
	if f, ok := v.float(); ok && v.is(number) && f < 0 && f != -1 {
		return describe(v)
	}
	return ""
}

func sslAlone(v, _ *value) string {
	ssl, _ := v.get("ssl").float()
	connect, _ := v.get("connect").float()
	if ssl > 0 && connect > 0 && connect < ssl {
		return "ssl " + describe(v.get("ssl")) + ", which is more than connect"
	}
	return ""
}

// jsDates are forms of dates that browsers know besides RFC 3339.
var jsDates = append([]string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02T15:04Z07:00",
	"2006-01-02", "2006-01", "2006",
	"2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04",
	"1/2/2006", "1/2/2006 15:04:05", "1/2/2006 3:04:05 PM", "2006/1/2", "2006/1/2 15:04:05",
	"Jan 2, 2006", "Jan 2, 2006 15:04:05", "Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM", "2 Jan 2006", "2 Jan 2006 15:04:05 MST",
	time.RFC850, "Mon Jan 2 2006 15:04:05 GMTZ0700", "Mon Jan 2 15:04:05 MST 2006",
}, dates...)

// isDate tells whether new Date of JavaScript makes a date of v.
func isDate(v *value) bool {
	if !v.is(text) {
		return isNumeric(v) && !v.is(array)
	}
	s, _, _ := strings.Cut(strings.TrimSpace(v.s), " (")
	for _, layout := range jsDates {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

func noDate(v, _ *value) string {
	switch {
	case isDate(v):
		return ""
	case v.is(absent):
		return "is missing"
	}
	return describe(v) + ", not a date"
}

var (
	// schemaDate is what har-schema asks of startedDateTime, schemaExpires of expires.
	schemaDate    = regexp.MustCompile(`^\d{4}-[01]\d-[0-3]\dT([0-2]\d:[0-5]\d:[0-5]\d|23:59:60)(\.\d+)?(Z|[+-]\d\d:?\d\d)$`)
	schemaExpires = regexp.MustCompile(`(?i)^\d{4}-[01]\d-[0-3]\d[t\s]([0-2]\d:[0-5]\d:[0-5]\d|23:59:60)(\.\d+)?(z|[+-]\d\d(:?\d\d)?)$`)
)

func noISODate(v, _ *value) string {
	if v.is(absent) || !isDate(v) || v.is(text) && schemaDate.MatchString(v.s) {
		return ""
	}
	return describe(v)
}

func noCookieDate(v, _ *value) string {
	if !v.some() || isTrue(v) && !isDate(v) || v.is(text) && schemaExpires.MatchString(v.s) {
		return ""
	}
	return describe(v)
}

// cached checks what is said of the cache.
func cached(v, _ *value) string {
	if !v.some() {
		return ""
	}
	n, ok := v.get("hitCount").float()
	switch e := v.get("expires"); {
	case !v.is(object):
		return describe(v) + ", not an object"
	case !v.get("lastAccess").is(text) || !loosePattern.MatchString(v.get("lastAccess").s):
		return "its lastAccess " + describe(v.get("lastAccess"))
	case !v.get("eTag").is(text):
		return "its eTag " + describe(v.get("eTag"))
	case !v.get("hitCount").is(number) || !ok || n != math.Trunc(n):
		return "its hitCount " + describe(v.get("hitCount"))
	case !e.is(absent) && (!e.is(text) || !loosePattern.MatchString(e.s)):
		return "its expires " + describe(e)
	}
	return ""
}

func firstPage(pages, _ *value) string {
	switch {
	case !pages.is(array) || len(pages.items) == 0:
		return "has no page"
	case !pages.items[0].get("startedDateTime").is(text):
		return "has a first page whose startedDateTime " + describe(pages.items[0].get("startedDateTime"))
	}
	return ""
}

func samePages(pages, _ *value) string {
	seen := map[string]bool{}
	for i := range pages.items {
		id := pages.items[i].get("id")
		if !id.is(text) {
			continue
		}
		if seen[id.s] {
			return "has two pages with the id " + strconv.Quote(id.s)
		}
		seen[id.s] = true
	}
	return ""
}

var scheme = regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]*:`)

func noURL(v, _ *value) string {
	switch {
	case !v.some() || v.is(text) && beginning(v) == "":
		return describe(v)
	case v.is(text) && !scheme.MatchString(beginning(v)) && !strings.HasPrefix(v.s, "${"):
		return describe(v)
	}
	return ""
}

func noSlashes(v, in *value) string {
	if !v.is(text) || noURL(v, in) != "" {
		return ""
	}
	if _, rest, ok := strings.Cut(beginning(v), ":"); ok && !strings.HasPrefix(rest, "//") {
		return describe(v)
	}
	return ""
}

func noHostURL(v, in *value) string {
	if !v.is(text) || noURL(v, in) != "" || noSlashes(v, in) != "" || hasHost(beginning(v)) {
		return ""
	}
	return describe(v)
}

func spacedURL(v, in *value) string {
	if v.is(text) && noURL(v, in) == "" && strings.ContainsFunc(v.s, unicode.IsSpace) {
		return describe(v)
	}
	return ""
}

func noIP(v, _ *value) string {
	if _, err := netip.ParseAddr(v.s); v.is(absent) || v.is(text) && err == nil {
		return ""
	}
	return describe(v) + ", not an IP address"
}

func noPort(v, _ *value) string {
	if n, err := strconv.ParseUint(v.s, 10, 16); !v.is(text) || err == nil && n > 0 {
		return ""
	}
	return describe(v)
}

func noFlag(v, in *value) string {
	if !v.some() || v.is(text) && v.s == "" {
		return ""
	}
	return wants(boolean)(v, in)
}

func pseudo(v, _ *value) string {
	if strings.HasPrefix(v.s, ":") && v.is(text) {
		return describe(v)
	}
	return ""
}

// header returns the first header of a request of that name, in lower case, and how many
// there are.
func header(request *value, name string) (v *value, n int) {
	v = none
	headers := request.get("headers")
	for i := range headers.items {
		h := &headers.items[i]
		if !strings.EqualFold(h.get("name").str(), name) {
			continue
		}
		if n++; n == 1 {
			v = h.get("value")
		}
	}
	return v, n
}

func twoTypes(q, _ *value) string {
	if _, n := header(q, "Content-Type"); n > 1 {
		return "has " + strconv.Itoa(n) + " of them"
	}
	return ""
}

func cookiesTwice(q, _ *value) string {
	if _, n := header(q, "Cookie"); n > 0 && len(q.get("cookies").items) > 0 {
		return "has both"
	}
	return ""
}

func getBody(q, _ *value) string {
	if strings.EqualFold(q.get("method").str(), "GET") && len(q.get("postData").items) > 0 {
		return "has both"
	}
	return ""
}

// plainType returns a media type as har-to-k6 reads it.
func plainType(v *value) string {
	t, _, _ := strings.Cut(v.str(), ";")
	return t
}

func otherType(q, _ *value) string {
	h, n := header(q, "Content-Type")
	mime := q.get("postData").get("mimeType")
	if n == 0 || !mime.is(text) || plainType(h) == plainType(mime) {
		return ""
	}
	return "mimeType " + describe(mime) + ", the header " + describe(h)
}

// isForm tells whether a media type is one of those whose params har-to-k6 takes.
func isForm(mime string) bool {
	t, _, _ := strings.Cut(mime, ";")
	return t == formType || t == multipartType
}

func paramsOfWhat(post, _ *value) string {
	mime := post.get("mimeType")
	if len(post.get("params").items) == 0 || !mime.is(text) || isForm(mime.s) {
		return ""
	}
	return "has params, and mimeType " + describe(mime)
}

// someParam says what is wrong with the first parameter of a form of that type for which
// check finds something.
func someParam(post *value, mime string, check func(p *value) string) string {
	params := post.get("params")
	if !params.is(array) || plainType(post.get("mimeType")) != mime {
		return ""
	}
	for i := range params.items {
		if what := check(&params.items[i].value); params.items[i].is(object) && what != "" {
			return fmt.Sprintf("params[%d] %s", i, what)
		}
	}
	return ""
}

const (
	multipartType = "multipart/form-data"
	formType      = "application/x-www-form-urlencoded"
)

func multipartTexts(post, _ *value) string {
	return someParam(post, multipartType, func(p *value) string {
		for _, k := range []string{"name", "value", "fileName", "contentType", "comment"} {
			if what := truthy(notText)(p.get(k), p); what != "" {
				return k + " " + what
			}
		}
		return ""
	})
}

func noValue(p *value) string {
	if what := absentOrNull(p.get("value"), p); what != "" {
		return "value " + what
	}
	return ""
}

func multipartValues(post, _ *value) string { return someParam(post, multipartType, noValue) }
func formValues(post, _ *value) string      { return someParam(post, formType, noValue) }

func noBoundary(q, _ *value) string {
	post := q.get("postData")
	if len(post.get("params").items) == 0 || plainType(post.get("mimeType")) != multipartType {
		return ""
	}
	headers := q.get("headers")
	for i := range headers.items {
		h := &headers.items[i]
		if isTypeName(h.get("name").s) && strings.Contains(h.get("value").s, multipartType) {
			return ""
		}
	}
	return "has multipart params, and no such header"
}

// isTypeName tells whether har-to-k6 knows a name as that of the Content-Type header.
func isTypeName(name string) bool { return name == "Content-Type" || name == "content-type" }

func formPercents(post, _ *value) string {
	return someParam(post, formType, func(p *value) string {
		for _, k := range []string{"name", "value"} {
			if v := p.get(k); v.is(text) {
				if s, err := url.PathUnescape(v.s); err != nil || !utf8.ValidString(s) && utf8.ValidString(v.s) {
					return k + " " + describe(v)
				}
			}
		}
		return ""
	})
}

func falsyList(v, _ *value) string {
	if v.is(absent) || isTrue(v) {
		return ""
	}
	return describe(v) + ", not a list"
}

func noBase64(v, _ *value) string {
	if v.is(text) && v.s != "base64" && isBase64(v.s) {
		return describe(v)
	}
	return ""
}

func noMessage(v, _ *value) string {
	if !v.is(object) {
		return describe(v) + ", not an object"
	}
	for _, k := range []string{"time", "opcode", "data"} {
		if v.get(k).is(absent) {
			return "its " + k + " is missing"
		}
	}
	switch t := v.get("type"); t.str() {
	case "send", "receive", "error":
		return ""
	default:
		return "its type " + describe(t)
	}
}

// badMessage checks what Chrome throws at.
func badMessage(v, _ *value) string {
	if v.is(null) {
		return "is null"
	}
	for _, k := range []string{"time", "opcode"} {
		if n := v.get(k); !n.is(absent) && !isNumeric(n) {
			return "its " + k + " " + describe(n) + ", not a number"
		}
	}
	return ""
}

func noSocket(entry, _ *value) string {
	t := entry.get("_resourceType")
	if m := entry.get(messagesKey); !m.is(array) || len(m.items) == 0 || t.str() == "websocket" {
		return ""
	}
	return "_resourceType " + describe(t)
}

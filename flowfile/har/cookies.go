package har

import (
	"strings"
	"time"

	"flowkit/flowfile"
)

// requestCookies writes what the Cookie headers say.
func (w *Writer) requestCookies(h *flowfile.Headers) {
	w.j.Array()
	for _, line := range h.Values("Cookie") {
		for p := range strings.SplitSeq(line, ";") {
			if p = strings.TrimSpace(p); p == "" {
				continue
			}
			name, value, _ := strings.Cut(p, "=")
			if name = strings.TrimSpace(name); name != "" { // k6 rejects files with those
				w.pair(name, strings.TrimSpace(value))
			}
		}
	}
	w.j.EndArray()
}

// responseCookies writes what the Set-Cookie headers say.
func (w *Writer) responseCookies(h *flowfile.Headers) {
	w.j.Array()
	for _, line := range h.Values("Set-Cookie") {
		w.setCookie(line)
	}
	w.j.EndArray()
}

func (w *Writer) setCookie(line string) {
	first, attributes, _ := strings.Cut(line, ";")
	name, value, _ := strings.Cut(first, "=")
	w.j.Object()
	defer w.j.EndObject()
	w.text("name", strings.TrimSpace(name))
	w.text("value", strings.TrimSpace(value))
	// Of several the last counts (RFC 6265 §5.3).
	said := map[string]string{}
	for a := range strings.SplitSeq(attributes, ";") {
		k, v, _ := strings.Cut(a, "=")
		said[strings.ToLower(strings.TrimSpace(k))] = strings.TrimSpace(v)
	}
	w.optional("path", said["path"])
	w.optional("domain", said["domain"])
	if at, ok := cookieDate(said["expires"]); ok {
		w.text("expires", at)
	}
	for _, flag := range []string{"httpOnly", "secure"} {
		_, ok := said[strings.ToLower(flag)]
		w.j.Key(flag)
		w.j.Bool(ok)
	}
	w.optional("sameSite", said["samesite"])
}

// dates are how cookies say when they expire.
var dates = []string{
	"Mon, 02 Jan 2006 15:04:05 MST",
	"Mon, 02-Jan-2006 15:04:05 MST",
	"Mon, 2 Jan 2006 15:04:05 MST",
	"Monday, 02-Jan-06 15:04:05 MST",
	"Mon, 02-Jan-06 15:04:05 MST",
	"Mon Jan _2 15:04:05 2006",
	"Mon Jan 02 2006 15:04:05 MST",
	time.RFC1123Z,
	time.RFC3339,
}

// cookieDate returns a date as ISO 8601, and false if it is none that every reader takes.
func cookieDate(s string) (string, bool) {
	for _, layout := range dates {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		t = t.UTC()
		if t.Year() < 1601 || t.Year() > 9999 {
			return "", false
		}
		return t.Format("2006-01-02T15:04:05.000Z"), true
	}
	return "", false
}

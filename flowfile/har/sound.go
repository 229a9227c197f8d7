package har

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// These functions return members of a HAR as all readers take them: what is of the wrong
// type is made of the right one or, if that cannot be, left out.

func soundAny(v *value) (value, bool) { return *v, true }

func soundText(v *value) (value, bool) {
	switch v.kind {
	case text:
		return *v, true
	case number, boolean:
		return value{kind: text, s: v.s}, true
	}
	return value{}, false
}

// soundEncoding spells base64 as all readers know it.
func soundEncoding(v *value) (value, bool) {
	if isBase64(v.str()) {
		return value{kind: text, s: "base64"}, true
	}
	return soundText(v)
}

// soundInt takes whole numbers.
func soundInt(v *value) (value, bool) {
	f, ok := v.float()
	if !ok || f != float64(int64(f)) {
		return value{}, false
	}
	if v.is(number) && !strings.ContainsAny(v.s, ".eE") {
		return *v, true
	}
	return value{kind: number, s: strconv.FormatInt(int64(f), 10)}, true
}

func soundNumber(v *value) (value, bool) {
	f, ok := v.float()
	if !ok {
		return value{}, false
	}
	if v.is(number) {
		return *v, true
	}
	return value{kind: number, s: strconv.FormatFloat(f, 'f', -1, 64)}, true
}

func soundTime(v *value) (value, bool) {
	n, ok := soundNumber(v)
	return n, ok && !strings.HasPrefix(n.s, "-")
}

// soundDate takes times with a zone.
func soundDate(v *value) (value, bool) {
	if !v.is(text) {
		return value{}, false
	}
	t, err := time.Parse(time.RFC3339, v.s)
	if err != nil || !datePattern.MatchString(v.s) || t.Year() < 1 {
		return value{}, false
	}
	return *v, true
}

var datePattern = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

// loosePattern is that of har-schema for times in the cache.
var loosePattern = regexp.MustCompile(`^\d{4}-?\d\d-?\d\dT?\d\d:?\d\d:?\d\d(\.\d+)?(Z|([+-])\d\d:?\d\d)?`)

// soundURI takes what is a URI (RFC 3986), and escapes what must not be in one.
func soundURI(v *value) (value, bool) {
	if !v.is(text) {
		return value{}, false
	}
	if validURI(v.s) {
		return *v, hasHost(v.s)
	}
	scheme, rest, ok := strings.Cut(v.s, ":")
	if !ok {
		return value{}, false
	}
	end := 0
	if strings.HasPrefix(rest, "//") {
		if end = strings.IndexAny(rest[2:], "/?#"); end < 0 {
			return value{}, false
		}
		end += 2
	}
	before, fragment, hasFragment := strings.Cut(rest[end:], "#")
	s := scheme + ":" + rest[:end] + escape(before, pathBytes+"?")
	if hasFragment {
		s += "#" + escape(fragment, pathBytes+"?")
	}
	return value{kind: text, s: s}, validURI(s) && hasHost(s)
}

func validURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !validScheme(scheme) {
		return false
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	authority := ""
	if strings.HasPrefix(rest, "//") {
		end := strings.IndexAny(rest[2:], "/?")
		if end < 0 {
			end = len(rest) - 2
		}
		authority, rest = rest[2:2+end], rest[2+end:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		if escape(authority[:i], hostBytes+":") != authority[:i] {
			return false
		}
		authority = authority[i+1:]
	}
	sound := escapeAuthority(authority) == authority && escape(rest, pathBytes+"?") == rest && escape(fragment, pathBytes+"?") == fragment
	return sound && rest+authority != ""
}

// soundMembers takes an object apart, and keeps of the members in how those that are sound.
func soundMembers(v *value, how map[string]func(*value) (value, bool)) value {
	out := value{kind: object}
	for i := range v.items {
		m := &v.items[i]
		if v.get(m.key) != &m.value {
			continue
		}
		f := how[m.key]
		if f == nil {
			out.items = append(out.items, *m)
			continue
		}
		if s, ok := f(&m.value); ok {
			out.items = append(out.items, member{m.key, s})
		}
	}
	return out
}

// with returns v, an object, with the members that it must have.
func (v value) with(key string, s *value) value {
	if v.get(key).kind == absent {
		v.items = append(v.items, member{key, *s})
	}
	return v
}

var emptyText = &value{kind: text}

type sounds = map[string]func(*value) (value, bool)

var (
	pairSounds   = sounds{"name": soundText, "value": soundText, "comment": soundText}
	cookieSounds = sounds{
		"name": soundText, "value": soundText, "path": soundText, "domain": soundText, "comment": soundText,
		"sameSite": soundText, "expires": soundExpires, "httpOnly": soundBool, "secure": soundBool,
	}
	paramSounds = sounds{
		"name": soundText, "value": soundText, "fileName": soundText, "contentType": soundText, "comment": soundText,
	}
	timingSounds = sounds{
		"blocked": soundNumber, "dns": soundNumber, "connect": soundNumber, "ssl": soundNumber,
		"send": soundNumber, "wait": soundNumber, "receive": soundNumber, "comment": soundText,
	}
	postSounds    = sounds{"mimeType": soundText, "text": soundText, "comment": soundText, "params": soundParams, "encoding": soundEncoding}
	programSounds = sounds{"name": soundText, "version": soundText, "comment": soundText}
	onLoadSounds  = sounds{"onContentLoad": soundNumber, "onLoad": soundNumber, "comment": soundText}
	cacheSounds   = sounds{"beforeRequest": soundCached, "afterRequest": soundCached, "comment": soundText}
)

func soundBool(v *value) (value, bool) { return *v, v.is(boolean) }

// soundExpires takes dates, and null, which is a session's; others are converted.
func soundExpires(v *value) (value, bool) {
	if v.is(null) {
		return *v, true
	}
	if d, ok := soundDate(v); ok {
		return d, true
	}
	at, ok := cookieDate(v.str())
	return value{kind: text, s: at}, ok
}

// soundList takes an array of objects.
func soundList(v *value, how sounds, must ...string) (value, bool) {
	if !v.is(array) {
		return value{}, false
	}
	out := value{kind: array}
	for i := range v.items {
		if !v.items[i].is(object) {
			continue
		}
		o := soundMembers(&v.items[i].value, how)
		for _, k := range must {
			o = o.with(k, emptyText)
		}
		out.items = append(out.items, member{value: o})
	}
	return out, true
}

func soundPairs(v *value) (value, bool)   { return soundList(v, pairSounds, "name", "value") }
func soundCookies(v *value) (value, bool) { return soundList(v, cookieSounds, "name", "value") }
func soundParams(v *value) (value, bool)  { return soundList(v, paramSounds, "name") }

// soundHeaders takes headers if each has a name and a value.
func soundHeaders(v *value) (value, bool) {
	for i := range v.items {
		m := &v.items[i]
		if !m.is(object) || !m.get("name").is(text) || !m.get("value").is(text) {
			return value{}, false
		}
	}
	return soundPairs(v)
}

func soundPostData(v *value) (value, bool) {
	if !v.is(object) {
		return value{}, false
	}
	return soundMembers(v, postSounds).with("mimeType", emptyText), true
}

func soundTimings(v *value) (value, bool) {
	if !v.is(object) {
		return value{}, false
	}
	out := soundMembers(v, timingSounds)
	for _, k := range []string{"send", "wait", "receive"} {
		out = out.with(k, &value{kind: number, s: "0"})
	}
	return out, true
}

func soundCache(v *value) (value, bool) {
	if !v.is(object) {
		return value{}, false
	}
	return soundMembers(v, cacheSounds), true
}

// soundCached takes null and what says all that it must.
func soundCached(v *value) (value, bool) {
	if v.is(null) {
		return *v, true
	}
	if _, ok := soundInt(v.get("hitCount")); !ok || !loosePattern.MatchString(v.get("lastAccess").s) || !v.get("eTag").is(text) {
		return value{}, false
	}
	return soundMembers(v, sounds{"expires": func(v *value) (value, bool) {
		return *v, v.is(text) && loosePattern.MatchString(v.s)
	}, "comment": soundText, "hitCount": soundInt}), true
}

// soundProgram takes a creator or a browser, also one that is only a name.
func soundProgram(v *value) (value, bool) {
	switch v.kind {
	case text:
		return value{kind: object, items: []member{{"name", *v}}}.with("version", emptyText), true
	case object:
		return soundMembers(v, programSounds).with("name", emptyText).with("version", emptyText), true
	}
	return value{}, false
}

func soundPage(p *page) value {
	out := soundMembers(p.value, sounds{
		"id":              func(*value) (value, bool) { return value{kind: text, s: p.id}, true },
		"title":           soundText,
		"startedDateTime": soundDate,
		"comment":         soundText,
		"pageTimings": func(v *value) (value, bool) {
			return soundMembers(v, onLoadSounds), v.is(object)
		},
	})
	return out.with("startedDateTime", &value{kind: text, s: stamp(p.start)}).
		with("id", &value{kind: text, s: p.id}).with("title", emptyText).with("pageTimings", &value{kind: object})
}

package har

import (
	"strings"
	"time"

	"flowkit/flowfile"
)

// times are when the phases of an entry began, 0 if unknown.
type times struct {
	start         flowfile.Time
	connect       flowfile.Time // the connection was begun …
	connected     flowfile.Time // … was there …
	secured       flowfile.Time // … and safe
	sent          flowfile.Time
	answered, end flowfile.Time
	hasConnect    bool
}

// phases computes when the phases of an entry were.
func phases(v *value) times {
	t := times{start: readTime(v.get("startedDateTime"))}
	if t.start == 0 {
		return t
	}
	p := v.get("timings")
	if !p.is(object) {
		if d, ok := readMillis(v.get("time")); ok {
			t.end = t.start + d
		}
		return t
	}
	spent := func(key string) flowfile.Time {
		d, _ := readMillis(p.get(key))
		return d
	}
	t.connect = t.start + spent("blocked") + spent("dns")
	if d, ok := readMillis(p.get("connect")); ok {
		t.hasConnect = true
		t.connected = t.connect + d
		if s, ok := readMillis(p.get("ssl")); ok && s > 0 && s <= d {
			t.secured, t.connected = t.connected, t.connected-s
		}
	}
	t.sent = max(t.connect, t.connected, t.secured) + spent("send")
	t.answered = t.sent + spent("wait")
	t.end = t.answered + spent("receive")
	return t
}

// readMillis returns a duration that is given in milliseconds, and false if it is unknown.
func readMillis(v *value) (flowfile.Time, bool) {
	f, ok := v.float()
	if !ok || f < 0 || f > 1e12 {
		return 0, false
	}
	return flowfile.Time(f*1e6 + 0.5), true
}

// layouts are how exporters write times; what says no zone is UTC.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05Z0700",
	"2006-01-02 15:04:05 Z07:00",
	"2006-01-02 15:04:05 Z0700",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
	time.RFC1123,
	time.RFC1123Z,
	"Mon Jan 02 2006 15:04:05 GMT-0700",
}

// readTime returns a time, 0 if it is none.
func readTime(v *value) flowfile.Time {
	if v.is(number) { // milliseconds, as of Date.now(), or seconds
		f, ok := v.float()
		switch {
		case !ok || f <= 0:
			return 0
		case f > 1e11:
			f /= 1e3
		}
		return flowfile.TimeFromSeconds(f)
	}
	s, _, _ := strings.Cut(strings.TrimSpace(v.str()), " (")
	for _, layout := range layouts {
		t, err := time.Parse(layout, s)
		if err == nil && t.Year() >= 1678 && t.Year() <= 2261 {
			return flowfile.TimeOf(t)
		}
	}
	return 0
}

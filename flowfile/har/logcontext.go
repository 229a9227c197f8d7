package har

import (
	"fmt"

	"flowkit/flowfile"
)

const (
	// maxKept is what is kept of an entry beside the flow: more would not fit a native file.
	maxKept = 4 << 20
)

// logContext is what a log says besides its entries. Flows may be filtered and sorted
// afterwards, so each carries what it needs of it: creator, browser and its page. What no
// entry refers to goes with the next entry, or with the last.
type logContext struct {
	creator, browser *value
	pages            map[string]*value
	due              []member // goes with the next entry
}

func (l *logContext) add(key string, v value) {
	switch {
	case key == "version":
	case key == "creator":
		l.creator = &v
	case key == "browser":
		l.browser = &v
	case key == "pages" && v.kind == array:
		if l.pages == nil {
			l.pages = map[string]*value{}
		}
		for i := range v.items {
			p := &v.items[i].value
			if id := p.get("id"); p.is(object) && id.is(text) {
				l.pages[id.s] = p
			}
		}
		if len(v.items) > 0 {
			l.due = append(l.due, member{key, v})
		}
	case v.some():
		l.due = append(l.due, member{key, v})
	}
}

// loses tells whether there is something that no entry carries.
func (l *logContext) loses() bool { return len(l.due) > 0 }

// head returns the log for an entry with that page, and what of it was due.
func (l *logContext) head(pageref string) (members []member, due bool) {
	if l.creator != nil {
		members = append(members, member{"creator", *l.creator})
	}
	if l.browser != nil {
		members = append(members, member{"browser", *l.browser})
	}
	pages := false
	for _, m := range l.due {
		pages = pages || m.key == "pages"
	}
	if p := l.pages[pageref]; p != nil && !pages {
		members = append(members, member{"pages", value{kind: array, items: []member{{value: *p}}}})
	}
	return append(members, l.due...), len(l.due) > 0
}

// entry is an entry on its way.
type entry struct {
	off     int64
	index   int
	flow    *flowfile.Flow
	value   value
	pageref string
	extra   flowfile.Extra
}

// keep gives the flow of e its origin: a HAR of one entry, with holes for the bodies.
func (r *Reader) keep(e *entry) error {
	members, due := r.log.head(e.pageref)
	r.log.due = nil
	h := build(members, &e.value)
	if h.err != nil {
		return h.err
	}
	lost := ""
	if h.large() && due {
		lost = "the fields of the log"
		members, _ = r.log.head(e.pageref)
		h = build(members, &e.value)
	}
	if h.large() {
		lost = "the fields that flowkit does not know"
	} else {
		e.flow.SetOrigin(flowfile.KeptOrigin(Format, &flowfile.Kept{
			Format: Format, Version: 1, Head: string(h.buf), Holes: h.holes, Extra: e.extra,
		}))
	}
	if lost == "" {
		return nil
	}
	d := &flowfile.Damage{File: r.o.Name, Offset: e.off, Length: -1, Err: fmt.Errorf("entry %d: %s are left out: they take more than %d MiB", e.index, lost, maxKept>>20)}
	if !r.yield(nil, d) {
		return errStop
	}
	return nil
}

// large tells whether it is more than can be kept.
func (h *head) large() bool { return h.over || len(h.buf) > maxKept }

func build(log []member, entry *value) *head {
	h := &head{}
	h.raw(`{"log":{`)
	for i := range log {
		h.key(log[i].key)
		h.value(&log[i].value)
		h.raw(",")
	}
	h.raw(`"entries":[`)
	h.value(entry)
	h.raw(`]}}`)
	return h
}

package har

import (
	"errors"

	"flowkit/flowfile"
)

// keptLog writes creator and browser of the first flow's HAR.
func (w *Writer) keptLog(k *keptHAR) {
	if v, ok := soundProgram(k.log.get("creator")); ok {
		w.j.Key("creator")
		w.emit(nil, &v)
	} else {
		w.creator()
	}
	if v, ok := soundProgram(k.log.get("browser")); ok {
		w.j.Key("browser")
		w.emit(nil, &v)
	}
}

// sayPages tells once that pages are lost: they stand before the entries already, because
// the first flow came from elsewhere.
func (w *Writer) sayPages(k *keptHAR) {
	if !w.pages.fixed || w.pagesLost || len(k.log.get("pages").items) == 0 {
		return
	}
	w.pagesLost = true
	if w.o.OnDamage != nil {
		w.o.OnDamage(&flowfile.Damage{Offset: -1, Length: -1, Err: errors.New("the pages of a HAR are left out, because the output begins with flows from elsewhere; write it first to keep them")})
	}
}

// keepLog remembers what the log of k says besides, until the end: the first counts.
func (w *Writer) keepLog(k *keptHAR) {
	for _, m := range k.log.items {
		switch m.key {
		case "version", "creator", "browser", "pages", "entries":
			continue
		}
		known := false
		for i := range w.others {
			known = known || w.others[i].key == m.key
		}
		if known || len(w.others) > 1000 {
			continue
		}
		if m.key == "comment" && !m.is(text) {
			continue
		}
		w.others = append(w.others, m)
	}
}

// endLog writes what stands behind the entries.
func (w *Writer) endLog() {
	if !w.pages.fixed {
		w.writePages()
	}
	for i := range w.others {
		w.j.Key(w.others[i].key)
		w.emit(nil, &w.others[i].value)
	}
}

package har

import (
	"strconv"

	"flowkit/flowfile"
)

// pageID is the id of the page of flows that come from elsewhere. Firefox and Safari want
// a page.
const pageID = "page_1"

// pages are the pages of a HAR that is being written. With flows of a HAR they come in
// pieces, so they are written behind the entries.
type pages struct {
	fixed  bool // written already: no more can be added
	list   []page
	ids    map[string]int           // places in list
	wanted map[string]flowfile.Time // referred to and not seen so far
	order  []string                 // of wanted
	mine   string                   // id of the page of flows from elsewhere, "" if there is none
}

type page struct {
	id, json string // json is that of the source, "" for one of flowkit's own
	value    *value
	start    flowfile.Time
}

// own returns the id of the page for flows that come from elsewhere.
func (p *pages) own(start flowfile.Time) string {
	if p.mine == "" {
		p.mine = p.add(page{id: pageID, start: start})
	}
	return p.mine
}

// add adds a page and returns its id, which is another one if there is a different page
// of that id.
func (p *pages) add(n page) string {
	if n.id == "" {
		n.id = pageID
	}
	id := n.id
	for i := 2; ; i++ {
		at, ok := p.ids[id]
		if !ok {
			break
		}
		if p.list[at].json == n.json {
			return id
		}
		id = n.id + "-" + strconv.Itoa(i)
	}
	n.id = id
	if p.ids == nil {
		p.ids = map[string]int{}
	}
	p.ids[id] = len(p.list)
	p.list = append(p.list, n)
	return id
}

// ref returns what an entry of a HAR with these pages says in place of pageref.
func (p *pages) ref(list *value, pageref string, start flowfile.Time) string {
	found := ""
	for i := range list.items {
		v := &list.items[i].value
		id := v.get("id").str()
		if !v.is(object) || p.fixed {
			continue
		}
		h := &head{}
		h.value(v)
		now := p.add(page{id: id, json: string(h.buf), value: v, start: start})
		if id == pageref {
			found = now
		}
	}
	switch {
	case p.fixed:
		return p.own(start)
	case found != "" || pageref == "":
		return found
	}
	if _, ok := p.ids[pageref]; !ok {
		if p.wanted == nil {
			p.wanted = map[string]flowfile.Time{}
		}
		if _, ok := p.wanted[pageref]; !ok {
			p.wanted[pageref] = start
			p.order = append(p.order, pageref)
		}
	}
	return pageref
}

// writePages writes all pages.
func (w *Writer) writePages() {
	p := &w.pages
	for _, id := range p.order {
		if _, ok := p.ids[id]; !ok {
			p.add(page{id: id, start: p.wanted[id]})
		}
	}
	if len(p.list) == 0 {
		p.own(0)
	}
	w.j.Key("pages")
	w.j.Array()
	for i := range p.list {
		w.page(&p.list[i])
	}
	w.j.EndArray()
}

func (w *Writer) page(p *page) {
	if p.value != nil {
		v := soundPage(p)
		w.emit(nil, &v)
		return
	}
	w.j.Object()
	w.text("startedDateTime", stamp(p.start))
	w.text("id", p.id)
	w.text("title", "flowkit")
	w.j.Key("pageTimings")
	w.j.Object()
	w.int("onContentLoad", -1)
	w.int("onLoad", -1)
	w.j.EndObject()
	w.j.EndObject()
}

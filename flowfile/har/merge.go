package har

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"flowkit/flowfile"
)

// rule says how a known member of an object comes out again.
type rule struct {
	key string
	// dirty tells that the model says something else: the member is written from the model.
	dirty bool
	// sound returns the member as readers take it, and false if there is no such.
	sound func(*value) (value, bool)
	// must be there.
	must bool
	// otherwise is what is written if it must be there and is not; "": from the model.
	otherwise string
}

// merger writes a flow that came from a HAR: what is not changed as it was, what is
// changed from the model, what readers do not take as they do.
type merger struct {
	f     *flowfile.Flow
	draft func() *value // the entry from the model
}

// object merges an object with that of the draft along path.
func (m *merger) object(was *value, rules []rule, path ...string) value {
	out := value{kind: object}
	add := func(key string, v *value) {
		if v.kind != absent {
			out.items = append(out.items, member{key, *v})
		}
	}
	fresh := func(r *rule) {
		if r.otherwise != "" && !r.dirty {
			v, _ := parseBytes([]byte(r.otherwise))
			add(r.key, v)
			return
		}
		add(r.key, m.draft().at(path...).get(r.key))
	}
	for i := range was.items {
		w := &was.items[i]
		if was.get(w.key) != &w.value {
			continue // there is a later one, which counts
		}
		r := find(rules, w.key)
		switch {
		case r == nil:
			add(w.key, &w.value)
		case r.dirty:
			fresh(r)
		default:
			if v, ok := r.sound(&w.value); ok {
				add(w.key, &v)
			} else if r.must {
				fresh(r)
			}
		}
	}
	for i := range rules {
		r := &rules[i]
		if (r.must || r.dirty) && was.get(r.key).kind == absent {
			fresh(r)
		}
	}
	return out
}

// mendRequest adds what readers want of a request and what would be lost: the text of a
// form, and a URL that is none as it was.
func (m *merger) mendRequest(was *value, out value, c *changes) value {
	u := was.get("url")
	if !c.url && u.is(text) && was.get("_url").kind == absent && out.get("url").s != u.s {
		out.items = append(out.items, member{"_url", *u})
	}
	p := out.get("postData")
	if c.requestBody || !p.is(object) {
		return out
	}
	switch params := len(p.get("params").items); {
	case p.get("text").kind != absent:
	case params == 0 && c.mend:
		p.items = append(p.items, member{"text", *emptyText})
	case params > 0:
		if b, err := m.f.Request().Body().Bytes(maxString); err == nil && len(b) > 0 && utf8.Valid(b) {
			p.items = append(p.items, member{"text", value{kind: text, hole: flowfile.BodyRequest + 1}})
		}
	}
	if !c.mend {
		return out
	}
	params := p.get("params")
	for i := range params.items {
		if o := &params.items[i].value; o.is(object) && noValue(o) != "" {
			*o = o.with("value", emptyText)
		}
	}
	if paramsOfWhat(p, none)+formPercents(p, none)+noBoundary(&out, none) != "" && p.get("text").kind != absent {
		p.items = slices.DeleteFunc(p.items, func(m member) bool { return m.key == "params" })
	}
	return out
}

func find(rules []rule, key string) *rule {
	for i := range rules {
		if rules[i].key == key {
			return &rules[i]
		}
	}
	return nil
}

// keptEntry writes an entry that came from a HAR.
func (w *Writer) keptEntry(f *flowfile.Flow, k *keptHAR, t timings) {
	fill := &filler{f: f, k: k}
	var drafted *value
	m := &merger{f: f}
	c := changesOf(f, k)
	c.mend = w.o.Mend
	m.draft = func() *value {
		if drafted == nil {
			skip := map[*flowfile.Message]bool{}
			if q := f.Request(); q != nil && !c.requestBody {
				skip[&q.Message] = true
			}
			if a := f.Response(); a != nil && !c.responseBody && k.entry.at("response", "content", "size").is(number) {
				skip[&a.Message] = true
			}
			drafted, fill.held = w.drafted(f, t, skip)
		}
		return drafted
	}
	ref := w.pages.ref(k.log.get("pages"), k.entry.get("pageref").str(), f.Start())
	v := m.object(k.entry, c.entryRules(ref, m, k))
	w.sayPages(k)
	w.keepLog(k)
	w.emit(fill, &v)
}

// changes are what the model says otherwise than the HAR did.
type changes struct {
	all, request, response    flowfile.Parts
	newRequest, newResponse   bool
	requestBody, responseBody bool // or what their text is made by
	cookies, setCookies       bool
	url, start, times         bool
	hasResponse               bool
	mend                      bool // what importers do not take, beyond what all readers do
}

func changesOf(f *flowfile.Flow, k *keptHAR) changes {
	c := changes{all: k.changed, request: k.changed.OfRequest(), response: k.changed.OfResponse()}
	var q, a *flowfile.Message
	if f.Request() != nil {
		q = &f.Request().Message
	}
	if f.Response() != nil {
		a = &f.Response().Message
	}
	c.newRequest = c.flow(flowfile.PartRequest) || q == nil
	c.newResponse = c.flow(flowfile.PartResponse)
	c.hasResponse = a != nil
	asked := headersSince(q, k.entry.get("request"), c.request)
	got := headersSince(a, k.entry.get("response"), c.response)
	c.requestBody = c.newRequest || c.q(flowfile.PartBody) || asked.changed("Content-Type", "Content-Encoding")
	c.responseBody = c.newResponse || c.a(flowfile.PartBody) || got.changed("Content-Type", "Content-Encoding")
	c.cookies, c.setCookies = asked.changed("Cookie"), got.changed("Set-Cookie")
	c.url = asked.changed("Host") || c.q(flowfile.PartScheme|flowfile.PartHost|flowfile.PartPort|
		flowfile.PartAuthority|flowfile.PartPath|flowfile.PartMethod)
	c.start = c.newRequest || c.q(flowfile.PartStart)
	const when = flowfile.PartStart | flowfile.PartEnd
	c.times = c.newRequest || c.newResponse || c.q(when) || c.a(when)
	return c
}

// twoHeaders are the headers of a message and those that the HAR had; nil if they are the
// same.
type twoHeaders struct{ was, is *flowfile.Headers }

func headersSince(m *flowfile.Message, was *value, parts flowfile.Parts) *twoHeaders {
	if m == nil || !parts.Has(flowfile.PartHeaders) {
		return nil
	}
	h := flowfile.NewHeaders(readHeaders(was.get("headers"), func(flowfile.Field) {}))
	return &twoHeaders{&h, m.Headers()}
}

// changed tells whether one of these headers is another.
func (h *twoHeaders) changed(names ...string) bool {
	for _, name := range names {
		if h != nil && !slices.Equal(h.was.Values(name), h.is.Values(name)) {
			return true
		}
	}
	return false
}

func (c *changes) flow(p flowfile.Parts) bool { return c.all&p != 0 }
func (c *changes) q(p flowfile.Parts) bool    { return c.request&p != 0 }
func (c *changes) a(p flowfile.Parts) bool    { return c.response&p != 0 }

// named is sound, and mends a list of a request by leaving out what has no name, and
// pseudo-headers.
func (c *changes) named(sound func(*value) (value, bool)) func(*value) (value, bool) {
	return func(v *value) (value, bool) {
		out, ok := sound(v)
		if c.mend {
			out.items = slices.DeleteFunc(out.items, func(m member) bool {
				name := m.get("name").s
				return name == "" || name[0] == ':'
			})
		}
		return out, ok
	}
}

// timings is soundTimings, and mends those that are negative, or have ssl beside connect,
// not within.
func (c *changes) timings(v *value) (value, bool) {
	out, ok := soundTimings(v)
	if !c.mend {
		return out, ok
	}
	for i := range out.items {
		t := &out.items[i]
		if _, phase := timingSounds[t.key]; phase && negative(&t.value, none) != "" {
			t.value = value{kind: number, s: "0"}
		}
	}
	if sslAlone(&out, none) != "" {
		ssl, _ := out.get("ssl").float()
		connect, _ := out.get("connect").float()
		*out.get("connect") = value{kind: number, s: strconv.FormatFloat(ssl+connect, 'f', -1, 64)}
	}
	return out, ok
}

func (c *changes) entryRules(pageref string, m *merger, k *keptHAR) []rule {
	server := c.flow(flowfile.PartServer | flowfile.PartClient)
	socket := k.entry.get(messagesKey).some() && m.f.Messages().Len() > 0
	return []rule{
		{key: "pageref", sound: func(*value) (value, bool) {
			return value{kind: text, s: pageref}, pageref != ""
		}},
		{key: "startedDateTime", dirty: c.start, sound: soundDate, must: true},
		{key: "time", dirty: c.times, sound: soundTime, must: true},
		{key: "request", dirty: c.newRequest, must: true, sound: func(v *value) (value, bool) {
			if !v.is(object) {
				return value{}, false
			}
			return m.mendRequest(v, m.object(v, c.requestRules(v), "request"), c), true
		}},
		{key: "response", dirty: c.newResponse, must: true, sound: func(v *value) (value, bool) {
			if !v.is(object) {
				return value{}, false
			}
			return m.object(v, c.responseRules(m, v), "response"), true
		}},
		{key: "cache", sound: soundCache, must: true, otherwise: "{}"},
		{key: "timings", dirty: c.times, sound: c.timings, must: true},
		{key: "serverIPAddress", dirty: server, sound: func(v *value) (value, bool) {
			if ip := readIP(v.str()); ip != "" {
				if ip != v.s {
					return value{kind: text, s: ip}, true
				}
				return *v, true
			}
			return value{}, false
		}},
		{key: "connection", dirty: server, sound: soundText},
		{key: "_connectionId", dirty: server, sound: soundAny},
		{key: "_tls", dirty: server, sound: soundAny},
		{key: "comment", dirty: c.flow(flowfile.PartComment), sound: soundText},
		{key: "_id", dirty: c.flow(flowfile.PartID), sound: soundAny},
		{key: "_marked", dirty: c.flow(flowfile.PartMarked), sound: soundAny},
		{key: "_resourceType", dirty: c.flow(flowfile.PartMessages) && k.entry.get("_resourceType").kind == absent, must: socket && c.mend, sound: func(v *value) (value, bool) {
			return *v, !socket || !c.mend || v.str() == "websocket"
		}},
		{key: "_initiator", sound: func(v *value) (value, bool) { return *v, !v.is(null) }},
		{key: messagesKey, dirty: c.flow(flowfile.PartMessages), sound: soundAny},
		{key: "_webSocketClose", dirty: c.flow(flowfile.PartWebSocket), sound: soundAny},
	}
}

func (c *changes) requestRules(was *value) []rule {
	head := c.q(flowfile.PartMethod|flowfile.PartPath|flowfile.PartVersion|flowfile.PartHeaders) || c.url
	head = head && was.get("headersSize").int() >= 0 // else it was not known before
	return []rule{
		{key: "method", dirty: c.q(flowfile.PartMethod), sound: soundText, must: true},
		{key: "url", dirty: c.url, sound: soundURI, must: true},
		{key: "_url", dirty: c.url, sound: soundText},
		{key: "httpVersion", dirty: c.q(flowfile.PartVersion), sound: soundText, must: true},
		{key: "cookies", dirty: c.cookies, sound: c.named(soundCookies), must: true},
		{key: "headers", dirty: c.q(flowfile.PartHeaders), sound: c.named(soundHeaders), must: true},
		{key: "queryString", dirty: c.q(flowfile.PartPath), sound: soundPairs, must: true},
		{key: "postData", dirty: c.requestBody, sound: soundPostData},
		{key: "_content", dirty: c.requestBody, sound: soundAny},
		{key: "_requestBodyStatus", dirty: c.requestBody, sound: soundAny},
		{key: "_trailers", dirty: c.q(flowfile.PartTrailers), sound: soundAny},
		{key: "headersSize", dirty: head, sound: soundInt, must: true, otherwise: "-1"},
		{key: "bodySize", dirty: c.requestBody, sound: soundInt, must: true, otherwise: "-1"},
		{key: "comment", sound: soundText},
	}
}

func (c *changes) responseRules(m *merger, was *value) []rule {
	head := c.a(flowfile.PartStatus|flowfile.PartReason|flowfile.PartVersion|flowfile.PartHeaders) && was.get("headersSize").int() >= 0
	statusText := `""`
	if !c.hasResponse {
		statusText = ""
	}
	return []rule{
		{key: "status", dirty: c.a(flowfile.PartStatus), sound: soundInt, must: true},
		{key: "statusText", dirty: c.a(flowfile.PartReason), sound: soundText, must: true, otherwise: statusText},
		{key: "httpVersion", dirty: c.a(flowfile.PartVersion), sound: soundText, must: true, otherwise: `""`},
		{key: "cookies", dirty: c.setCookies, sound: soundCookies, must: true},
		{key: "headers", dirty: c.a(flowfile.PartHeaders), sound: soundHeaders, must: true},
		{key: "content", must: true, sound: func(v *value) (value, bool) {
			if !v.is(object) {
				return value{}, false
			}
			return m.object(v, c.contentRules(), "response", "content"), true
		}},
		{key: "_trailers", dirty: c.a(flowfile.PartTrailers), sound: soundAny},
		{key: "redirectURL", dirty: c.a(flowfile.PartHeaders), sound: soundText, must: true},
		{key: "headersSize", dirty: head, sound: soundInt, must: true, otherwise: "-1"},
		{key: "bodySize", dirty: c.responseBody, sound: soundInt, must: true, otherwise: "-1"},
		{key: "_transferSize", dirty: (head || c.responseBody) && was.get("_transferSize").kind != absent, sound: func(v *value) (value, bool) {
			return *v, noNumber(v, none) == ""
		}},
		{key: "_error", dirty: c.flow(flowfile.PartError), sound: soundAny},
		{key: "comment", sound: soundText},
	}
}

func (c *changes) contentRules() []rule {
	return []rule{
		{key: "size", dirty: c.responseBody, sound: soundInt, must: true},
		{key: "compression", dirty: c.responseBody, sound: soundInt},
		{key: "mimeType", dirty: c.responseBody, sound: soundText, must: true},
		{key: "text", dirty: c.responseBody, sound: soundText},
		{key: "encoding", dirty: c.responseBody, sound: soundEncoding},
		{key: "comment", dirty: c.responseBody, sound: soundText},
		{key: "_flowkit", dirty: c.responseBody, sound: soundAny},
	}
}

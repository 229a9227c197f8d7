package mitm

import (
	"slices"
	"strconv"
)

// maxKeys is how many keys a dictionary may have: the longest that mitmproxy wrote has about
// thirty, and metadata what a script puts there.
const maxKeys = 1 << 16

// dict is a dictionary of an old record. Keys are text, whatever they were; values stay
// the bytes that they were until a step changes or opens them. All methods may be called
// on nil, which has no keys.
type dict struct {
	of      *old
	entries []entry
}

type entry struct {
	key string
	elem
}

// elem is a value: its tag and its payload or, once it was opened, its dictionary. The
// zero elem is none.
type elem struct {
	tag     byte
	s       int // where the payload is in the record, 0 for one that was made
	payload string
	in      *dict
}

// Elements that steps make.
func textElement(s string) elem  { return elem{tag: ';', payload: s} }
func bytesElement(s string) elem { return elem{tag: ',', payload: s} }

var (
	falseElement = elem{tag: '!', payload: "false"}
	trueElement  = elem{tag: '!', payload: "true"}
)

// listElement returns a list of elements that were not opened.
func listElement(of ...elem) elem {
	var b []byte
	for _, e := range of {
		b = strconv.AppendInt(b, int64(len(e.payload)), 10)
		b = append(b, ':')
		b = append(append(b, e.payload...), e.tag)
	}
	return elem{tag: ']', payload: string(b)}
}

// dictElement returns an empty dictionary and the elem that it is.
func (o *old) dictElement() (*dict, elem) {
	d := &dict{of: o}
	return d, elem{tag: '}', in: d}
}

// item and bytes are what the functions for records in place take.
func (e *elem) item() item    { return item{e.tag, 0, len(e.payload)} }
func (e *elem) bytes() []byte { return unalias(e.payload) }
func (e *elem) text() string  { return text(e.bytes(), e.item()) }
func (e *elem) null() bool    { return e.tag == 0 || e.tag == '~' }
func (e *elem) isTrue() bool  { return boolean(e.bytes(), e.item()) }

// parse reads the payload of a dictionary that is at the byte at of the record.
func (d *dict) parse(payload string, at int) {
	b := unalias(payload)
	for i := 0; i < len(b); {
		k, v, after, ok := pair(b, i, len(b))
		switch {
		case !ok:
			d.of.fail(badElement(at + i))
			return
		case len(d.entries) == maxKeys:
			d.of.fail(&syntaxError{at + i, "too many keys"})
			return
		}
		d.entries = append(d.entries, entry{alias(b[k.s:k.e]), elem{tag: v.tag, s: at + v.s, payload: alias(b[v.s:v.e])}})
		i = after
	}
}

// fail remembers the first error.
func (o *old) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// find returns the value of a key, nil if there is none. The last one of many counts.
func (d *dict) find(key string) *elem {
	if d == nil {
		return nil
	}
	for i := len(d.entries) - 1; i >= 0; i-- {
		if d.entries[i].key == key {
			return &d.entries[i].elem
		}
	}
	return nil
}

// get returns the value of a key, the zero elem if there is none.
func (d *dict) get(key string) elem {
	if e := d.find(key); e != nil {
		return *e
	}
	return elem{}
}

// set gives a key a value; the zero elem is null.
func (d *dict) set(key string, e elem) {
	if d == nil {
		return
	}
	if e.tag == 0 {
		e.tag = '~'
	}
	if old := d.find(key); old != nil {
		*old = e
		return
	}
	d.entries = append(d.entries, entry{key, e})
}

// setNew is set for a key that is not there.
func (d *dict) setNew(key string, e elem) {
	if d.find(key) == nil {
		d.set(key, e)
	}
}

// take removes a key and returns its value.
func (d *dict) take(key string) elem {
	e := d.get(key)
	if d != nil {
		d.entries = slices.DeleteFunc(d.entries, func(x entry) bool { return x.key == key })
	}
	return e
}

// drop removes keys.
func (d *dict) drop(keys ...string) {
	for _, k := range keys {
		d.take(k)
	}
}

// rename gives the value of a key to another, if it is there.
func (d *dict) rename(from, to string) {
	if d.find(from) != nil {
		e := d.take(from)
		d.set(to, e)
	}
}

// open returns the dictionary that a key has as value, nil if there is none.
func (d *dict) open(key string) *dict {
	e := d.find(key)
	if e == nil || e.tag != '}' {
		return nil
	}
	if e.in == nil {
		e.in = &dict{of: d.of}
		e.in.parse(e.payload, e.s)
	}
	return e.in
}

// encode returns the record as it has become. What is large is left out, to be attached.
func (o *old) encode() []byte {
	o.bodies = [2]elem{o.request().take("content"), o.response().take("content")}
	switch {
	case o.messages.tag != 0: // of a WebSocket that was folded
	case o.isHTTP():
		o.messages = o.open("websocket").take("messages")
	default:
		o.messages = o.take("messages")
	}
	e := encoders.Get().(*encoder)
	defer e.put()
	e.reset(minVersion)
	e.oldDict(&o.dict)
	return slices.Clone(e.bytes())
}

func (e *encoder) oldDict(d *dict) {
	mark := e.begin('}')
	for _, x := range slices.Backward(d.entries) {
		if x.in != nil {
			e.oldDict(x.in)
		} else {
			e.element(x.payload, x.tag)
		}
		e.key(x.key)
	}
	e.end(mark)
}

// merge gives d the keys of another, in place of its own of that name or beside them.
func (d *dict) merge(from *dict, replace bool) {
	if d == nil || from == nil {
		return
	}
	at := make(map[string]int, len(d.entries))
	for i, e := range d.entries {
		at[e.key] = i
	}
	for _, e := range from.entries {
		i, ok := at[e.key]
		switch {
		case !ok:
			at[e.key] = len(d.entries)
			d.entries = append(d.entries, e)
		case replace:
			d.entries[i].elem = e.elem
		}
	}
}

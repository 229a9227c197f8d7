package python_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flowkit/flowfile/coding"
)

// node is a tnetstring: its type byte and either its payload as it stands in the file, or
// what is in it. Numbers stay text, so that 1.0 and 1 differ.
type node struct {
	kind   byte
	text   string
	list   []*node
	fields []field // in the order of the file
}

type field struct {
	key   string
	value *node
}

// parseDump cuts a dump into its records.
func parseDump(data []byte) ([]*node, error) {
	var all []*node
	for len(data) > 0 {
		n, rest, err := parseNode(data)
		if err != nil {
			return all, fmt.Errorf("record %d: %w", len(all), err)
		}
		all, data = append(all, n), rest
	}
	return all, nil
}

func parseNode(b []byte) (*node, []byte, error) {
	size, rest, ok := bytes.Cut(b, []byte(":"))
	n, err := strconv.Atoi(string(size))
	if !ok || err != nil || n < 0 || n >= len(rest) {
		return nil, nil, fmt.Errorf("no tnetstring: %.30q", b)
	}
	body, v := rest[:n], &node{kind: rest[n]}
	rest = rest[n+1:]
	switch v.kind {
	case ']', '}':
		for len(body) > 0 {
			var item *node
			if item, body, err = parseNode(body); err != nil {
				return nil, nil, err
			}
			v.list = append(v.list, item)
		}
		if v.kind == '}' {
			for i := 0; i+1 < len(v.list); i += 2 {
				v.fields = append(v.fields, field{v.list[i].text, v.list[i+1]})
			}
			v.list = nil
		}
	default:
		v.text = string(body)
	}
	return v, rest, nil
}

// at returns what is at a path of keys, nil if nothing is.
func (n *node) at(path ...string) *node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		i := slices.IndexFunc(n.fields, func(f field) bool { return f.key == key })
		if i < 0 {
			return nil
		}
		n = n.fields[i].value
	}
	return n
}

func (n *node) id() string {
	if id := n.at("id"); id != nil {
		return id.text
	}
	return "(no id)"
}

// sort puts the keys of a node and of all below it into order.
func (n *node) sort() {
	if n == nil {
		return
	}
	slices.SortStableFunc(n.fields, func(a, b field) int { return strings.Compare(a.key, b.key) })
	for _, f := range n.fields {
		f.value.sort()
	}
	for _, item := range n.list {
		item.sort()
	}
}

func (n *node) String() string {
	switch {
	case n == nil:
		return "nothing"
	case n.kind == ']':
		var items []string
		for _, item := range n.list {
			items = append(items, item.String())
		}
		return "[" + strings.Join(items, ", ") + "]"
	case n.kind == '}':
		var items []string
		for _, f := range n.fields {
			items = append(items, f.key+": "+f.value.String())
		}
		return "{" + strings.Join(items, ", ") + "}"
	case n.kind == '~':
		return "None"
	}
	return fmt.Sprintf("%q%c", n.text, n.kind)
}

func (n *node) equal(o *node) bool {
	return n != nil && o != nil && n.kind == o.kind && n.text == o.text &&
		slices.EqualFunc(n.list, o.list, (*node).equal) &&
		slices.EqualFunc(n.fields, o.fields, func(a, b field) bool { return a.key == b.key && a.value.equal(b.value) })
}

// diff calls report with every place in which two nodes differ.
func (n *node) diff(o *node, path string, report func(string)) {
	switch {
	case n.equal(o):
	case n == nil || o == nil || n.kind != o.kind || n.kind != ']' && n.kind != '}':
		report(fmt.Sprintf("%s: want %.300s, got %.300s", path, n, o))
	case n.kind == ']' && len(n.list) == len(o.list):
		for i := range n.list {
			n.list[i].diff(o.list[i], fmt.Sprintf("%s[%d]", path, i), report)
		}
	case n.kind == ']':
		report(fmt.Sprintf("%s: want %d of %.300s, got %d of %.300s", path, len(n.list), n, len(o.list), o))
	default:
		before := 0
		count := func(s string) { before++; report(s) }
		for _, f := range n.fields {
			f.value.diff(o.at(f.key), path+"."+f.key, count)
		}
		for _, f := range o.fields {
			if n.at(f.key) == nil {
				count(fmt.Sprintf("%s.%s: want nothing, got %.300s", path, f.key, f.value))
			}
		}
		if before == 0 {
			report(path + ": the order of the keys differs")
		}
	}
}

// normalise takes out of two states of a flow what is known to differ without being an
// error: the order of keys in metadata and backup, which mitmproxy reverses each time it
// saves a flow, and bytes that a compressor made, which depend on its settings and clock:
// these are compared by what they decode to.
func normalise(want, got *node) {
	for _, n := range []*node{want, got} {
		n.at("metadata").sort()
		n.at("backup").sort()
	}
	for _, part := range []string{"request", "response"} {
		w, g := want.at(part), got.at(part)
		wc, gc := w.at("content"), g.at("content")
		if wc == nil || gc == nil || wc.equal(gc) {
			continue
		}
		wd, werr := decoded(w)
		gd, gerr := decoded(g)
		if werr == nil && gerr == nil && bytes.Equal(wd, gd) {
			*wc, *gc = node{kind: ',', text: string(wd)}, node{kind: ',', text: string(wd)}
			if l := header(w, "content-length"); l != nil {
				l.text = "of the compressor"
			}
			if l := header(g, "content-length"); l != nil {
				l.text = "of the compressor"
			}
		}
	}
}

func decoded(message *node) ([]byte, error) {
	enc := header(message, "content-encoding")
	if enc == nil {
		return nil, fmt.Errorf("no coding")
	}
	return coding.Decode([]byte(message.at("content").text), enc.text, 1<<24)
}

// header returns the value of the first header of a name.
func header(message *node, name string) *node {
	fields := message.at("headers")
	if fields == nil {
		return nil
	}
	for _, f := range fields.list {
		if len(f.list) == 2 && strings.EqualFold(f.list[0].text, name) {
			return f.list[1]
		}
	}
	return nil
}

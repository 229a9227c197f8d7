package mitm

import (
	"errors"
	"fmt"
	"strings"

	"flowkit/flowfile"
)

// Versions that are read without migration and written.
const (
	minVersion = 17
	maxVersion = 21
)

// ladder is the way of an old record up to version 17, one step for each version that there
// was. What a step finds missing it leaves missing: records are met that were written
// between two releases, or by other programs.
var ladder = [...]struct {
	from string // the version of the records that the step is for
	step func(*old)
}{
	{"0.11", nil},
	{"0.12", nil},
	{"0.13", firstLineAndStatus},
	{"0.14", nil},
	{"0.15", contentAndReason},
	{"0.16", nil},
	{"0.17", serverPeer},
	{"0.18", noSticky},
	{"0.19", nil},
	{"1.0", nil},
	{"2.0", plainAddresses},
	{"3.0", nil},
	{"4", connectionIDs},
	{"5", sslToTLS},
	{"6", nil}, // tls_extensions, which nobody has a use for
	{"7", nil}, // trailers, which were null
	{"8", replayOfFlow},
	{"9", connections},
	{"10", alpn},
	{"11", webSocketOfFlow},
	{"12", marker},
	{"13", nil}, // comments; there were none
	{"14", nil}, // injected messages; there were none: see messageList
	{"15", created},
	{"16", noMode},
}

// Rungs of the ladder that are not found by counting.
const (
	rung011    = 0
	rung1      = 9
	rung4      = 12
	rungFold   = rung4 + 11 - 4 // before WebSockets belonged to a flow
	rungTop    = rung4 + minVersion - 4
	oldest     = 11 // of 0.x
	lastOfZero = 19
)

var errNoVersion = errors.New("no format version")

// versionOf returns the format version and, if it is below 17, its rung of the ladder. It
// is a number since mitmproxy 3; before it was the list of mitmproxy's own version, of
// which 0 to 3 is returned.
func versionOf(b []byte, it item) (version, rung int, err error) {
	switch it.tag {
	case '#':
		v, ok := integer(b, it)
		switch {
		case !ok || v < 0 || v > 1<<20:
			return 0, 0, &syntaxError{it.s, "broken format version"}
		case v >= minVersion:
			return int(v), rungTop, nil
		case v < 4:
			return 0, 0, tooOld(fmt.Sprint(v))
		}
		return int(v), rung4 + int(v) - 4, nil
	case ']':
		var parts []int64
		for i := it.s; i < it.e; {
			v, after, ok := next(b, i, it.e)
			if !ok || len(parts) == 8 {
				return 0, 0, &syntaxError{it.s, "broken format version"}
			}
			parts, i = append(parts, number(b, v)), after
		}
		switch {
		case len(parts) < 2:
		case parts[0] == 0 && parts[1] >= oldest && parts[1] <= lastOfZero:
			return 0, rung011 + int(parts[1]) - oldest, nil
		case parts[0] >= 1 && parts[0] <= 3:
			return int(parts[0]), rung1 + int(parts[0]) - 1, nil
		}
		return 0, 0, tooOld(strings.Trim(strings.ReplaceAll(fmt.Sprint(parts), " ", "."), "[]"))
	}
	return 0, 0, errNoVersion
}

func tooOld(version string) error {
	return fmt.Errorf("format version %s is not known; the oldest that is read is 0.11", version)
}

// old is a record below version 17 on its way up the ladder.
type old struct {
	dict   // of the top level
	record *Record
	rung   int
	err    error // the first of a step
	// What is large stays where it is: bodies in record, messages in that of the WebSocket.
	bodies   [2]elem
	messages elem
}

// newOld returns the record r, whose dictionary is it, with nothing done.
func newOld(r *Record, it item, rung int) (*old, error) {
	o := &old{record: r, rung: rung}
	o.of = o
	o.parse(alias(r.bytes()[it.s:it.e]), it.s)
	o.drop("backup") // is a record of its own
	return o, o.err
}

// climb takes the record up to a rung.
func (o *old) climb(rung int) error {
	for ; o.rung < rung && o.err == nil; o.rung++ {
		if step := ladder[o.rung].step; step != nil {
			step(o)
		}
	}
	return o.err
}

// old returns the flow of a record below version 17. The record is made one of version 17,
// in memory and without what is large, and that is read.
func (p *parser) old(x *node, it item, rung int, backup item) (f *flowfile.Flow, err error) {
	o, err := newOld(&x.record, it, rung)
	if err != nil {
		return nil, err
	}
	if o.isWebSocket() {
		handshake := p.held.take(o.handshakeID())
		if handshake != nil {
			defer func() {
				if err != nil {
					p.held.putBack(handshake)
				}
			}()
		}
		if o, err = o.fold(handshake); err != nil {
			return nil, err
		}
	}
	if err := o.climb(rungTop); err != nil {
		return nil, err
	}
	b := o.encode()
	if o.err != nil {
		return nil, o.err
	}
	var t top
	if err := t.parse(b, item{'}', prefix(b), len(b) - 1}); err != nil {
		return nil, elsewhere(err)
	}
	if f, err = p.flow(x, b, &t, o); err != nil {
		return nil, elsewhere(err)
	}
	r := &x.record
	r.places, r.twice = [2]places{}, false // they are about b
	if backup.tag == '}' {
		r.backup = span{backup.s, backup.e - backup.s}
	}
	return f, nil
}

// elsewhere takes the place from a syntax error: it is none in the record.
func elsewhere(err error) error {
	var broken *syntaxError
	if errors.As(err, &broken) && broken.at >= 0 {
		return &syntaxError{-1, broken.what}
	}
	return err
}

// attach gives the flow what stayed in the records.
func (o *old) attach(x *node, h *flowfile.Head) error {
	r := &x.record
	if m := o.messages; m.tag != 0 {
		at := item{m.tag, m.s, m.s + len(m.payload)}
		l, err := parseMessages(r.bytes(), at, h.Kind == flowfile.HTTP)
		if err != nil {
			return err
		}
		l.short = h.Kind == flowfile.HTTP && r.version < 15
		r.messages, r.websocket = span{at.s, at.e - at.s}, h.Kind == flowfile.HTTP
		h.Messages = l
	}
	if o.record != r {
		r.handshake = o.record
	}
	if h.Request != nil {
		h.Request.InitBody(x.bodyIn(o.record, o.bodies[0], flowfile.BodyRequest))
	}
	if h.Response != nil {
		h.Response.InitBody(x.bodyIn(o.record, o.bodies[1], flowfile.BodyResponse))
	}
	return nil
}

func (x *node) bodyIn(r *Record, e elem, part int) flowfile.Body {
	return x.body(r, item{e.tag, e.s, e.s + len(e.payload)}, part)
}

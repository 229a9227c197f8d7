// Package har writes HTTP archives (HAR 1.2) that browsers, har-validator, k6 and Insomnia
// accept.
//
//	Writer   a flowfile.Sink; only HTTP flows have a place in a HAR
//
// What the format has no field for is kept under names that begin with an underscore:
//
//	_id _marked                         of the flow
//	_url                                the URL as it was, if it is no valid URI
//	_trailers _tls _connectionId        what their names say
//	_content                            {text, size, encoding} of a binary request body
//	_error                              of a response that is missing or incomplete
//	_resourceType _webSocketMessages _webSocketClose
//	_flowkit                            {truncated, total}, {absent}, {undecoded}, {unreadable}
//	                                    of a body that is not there as it should be
//
// Sizes of heads are those of HTTP/1 text, for HTTP/2 and 3 too.
//
// # Rationale
//
// The URL is the one the user meant (Request.PrettyURL), because viewers group by it;
// where the request went is serverIPAddress and connection. Pseudo-headers stay out of
// headers, because importers send them. content.text of a type without charset is UTF-8
// where it is valid, not Latin-1: what viewers show is then what browsers showed.
package har

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/jsonw"
)

// Options of a Writer.
type Options struct {
	Pretty  bool
	Version string // of the program, as creator; "flowkit 1.2" or "1.2"
	// OnDamage is told of bodies that could not be read; nil: Write returns them as an
	// error, after it wrote the batch.
	OnDamage func(*flowfile.Damage)
}

// Writer writes one HAR. Nothing is kept in memory but the flow in hand, and of its
// bodies 1 MiB.
type Writer struct {
	j       *jsonw.Writer
	o       Options
	begun   bool
	closed  bool
	skipped map[flowfile.Kind]int
	conns   recent
	damage  error // of the batch in hand
}

var _ flowfile.Sink = (*Writer)(nil)

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer, o Options) *Writer {
	return &Writer{j: jsonw.New(w, o.Pretty), o: o, skipped: map[flowfile.Kind]int{}}
}

// Skipped returns how many flows were left out because they are not HTTP.
func (w *Writer) Skipped() map[flowfile.Kind]int { return w.skipped }

// Write writes the HTTP flows of b.
func (w *Writer) Write(b *flowfile.Batch) error {
	if w.closed {
		return errors.New("write to a closed HAR")
	}
	w.damage = nil
	for _, f := range b.Flows {
		if f.Dropped() {
			continue
		}
		if f.Kind() != flowfile.HTTP {
			w.skipped[f.Kind()]++
			continue
		}
		w.begin(f.Start())
		w.entry(f)
	}
	return errors.Join(w.j.Err(), w.damage)
}

// Flush hands all that was written to the underlying writer.
func (w *Writer) Flush() error { return w.j.Flush() }

// Close completes the JSON, which is a valid HAR then whatever went before.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.begin(0)
	w.closed = true
	w.j.EndArray()
	w.j.EndObject()
	w.j.EndObject()
	w.j.Line()
	return w.j.Flush()
}

// pageID is the id of the one page. Firefox and Safari want a page.
const pageID = "page_1"

// begin writes what is before the entries, once.
func (w *Writer) begin(start flowfile.Time) {
	if w.begun {
		return
	}
	w.begun = true
	j := w.j
	j.Object()
	j.Key("log")
	j.Object()
	w.text("version", "1.2")
	j.Key("creator")
	j.Object()
	w.text("name", "flowkit")
	w.text("version", strings.TrimPrefix(w.o.Version, "flowkit "))
	j.EndObject()
	j.Key("pages")
	j.Array()
	j.Object()
	w.text("startedDateTime", stamp(start))
	w.text("id", pageID)
	w.text("title", "flowkit")
	j.Key("pageTimings")
	j.Object()
	w.int("onContentLoad", -1)
	w.int("onLoad", -1)
	j.EndObject()
	j.EndObject()
	j.EndArray()
	j.Key("entries")
	j.Array()
}

// stamp is t as readers want it: with zone and milliseconds.
func stamp(t flowfile.Time) string {
	// The zero time.Time is a year that no reader takes.
	if t == 0 {
		return "1970-01-01T00:00:00.000Z"
	}
	return t.Time().Format("2006-01-02T15:04:05.000Z07:00")
}

// text writes a member that is a string; what is not UTF-8 is taken for Latin-1.
func (w *Writer) text(key, s string) {
	w.j.Key(key)
	w.j.String(latin1(s))
}

// optional writes a member if it is not empty.
func (w *Writer) optional(key, s string) {
	if s != "" {
		w.text(key, s)
	}
}

func (w *Writer) int(key string, n int64) {
	w.j.Key(key)
	w.j.Int(n)
}

// lost tells of a body of f that could not be read.
func (w *Writer) lost(f *flowfile.Flow, what string, err error) {
	err = fmt.Errorf("flow %s: %s: %w", f.ID(), what, err)
	if w.o.OnDamage != nil {
		w.o.OnDamage(&flowfile.Damage{Offset: -1, Length: -1, Err: err})
		return
	}
	w.damage = errors.Join(w.damage, err)
}

// recentMax bounds the connections that are remembered.
const recentMax = 100_000

// recent is a set of the strings that were last put into it.
type recent struct {
	known map[string]struct{}
	ring  []string
	next  int
}

// add puts s into the set and tells whether it is new.
func (r *recent) add(s string) bool {
	if _, ok := r.known[s]; ok {
		return false
	}
	if r.known == nil {
		r.known = map[string]struct{}{}
	}
	s = strings.Clone(s)
	if len(r.ring) < recentMax {
		r.ring = append(r.ring, s)
	} else {
		delete(r.known, r.ring[r.next])
		r.ring[r.next] = s
		r.next = (r.next + 1) % recentMax
	}
	r.known[s] = struct{}{}
	return true
}

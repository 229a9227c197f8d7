// Package har reads and writes HTTP archives (HAR 1.0 to 1.3). It reads them as exporters
// write them, and writes 1.2 that browsers, har-validator, k6 and Insomnia accept.
//
//	Reader   a flowfile.Source: entry by entry, of files of any size
//	Writer   a flowfile.Sink; only HTTP flows have a place in a HAR
//	Lint     what importers would reject or misread of any HAR, by Rules
//
// # Reading
//
// A Reader takes byte order marks, JSONP calls, a log without its root, several HARs one
// behind the other, members in any order, commas too many, NaN, and members that are null,
// missing or of the wrong type. What it cannot read of the JSON costs one entry: it is told
// as flowfile.Damage with the entry's number and place, and the next object with a request
// goes on. An entry may take 64 MiB, not counting strings of more than 1 MiB, which go to
// the spool, and WebSocket messages.
//
// A flow that came from a HAR keeps its entry, without bodies and messages, as a HAR of one
// entry in flowfile.Kept, with the creator, the browser and its page. So a Writer gives
// back what the model has no place for, also by way of native files and JSON lines: unknown
// members, sizes, the timings to the digit. Members of which the model was changed are
// written from the model; members that some reader does not take (null, of the wrong type,
// a date that is none) are corrected or left out. Pages that no entry refers to, the log's
// comment and its unknown members go with the first entry behind them, or with the last.
// Of an entry that takes more than 4 MiB nothing is kept, which is told as damage without
// lost flows.
//
// HARs have bodies decoded, flows have them as they were on the wire. So text is put into
// its charset, and content that a Content-Encoding header belongs to under that coding
// again, when somebody asks for it: the bytes are not those of the wire, and say the same.
// Content that is under its coding still, as some exporters leave it, stays as it is. The
// text of a HAR's WebSocket messages and of requests is UTF-8.
//
// Where there is no "_id", the id of a flow is made from the entry and its number, so it
// is the same every time. A response with status 0, null or less and without headers and
// text makes a flow with an error.
//
// # Writing
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
// Headers and cookies of requests that have no name are left out, and so are params that k6
// would decode once more; where there is no host that URLs may have stands unknown.invalid,
// and the URL as it was in _url: k6 takes nothing of a file otherwise.
//
// Sizes of heads are those of HTTP/1 text, for HTTP/2 and 3 too.
//
// # Rationale
//
// The URL is the one the user meant (Request.PrettyURL), because viewers group by it;
// where the request went is serverIPAddress and connection. Pseudo-headers stay out of
// headers, because importers send them. content.text of a type without charset is UTF-8
// where it is valid, not Latin-1: what viewers show is then what browsers showed.
//
// Pages stand before the entries, where people look for them, but behind them if the
// first flow came from a HAR: those of later flows are not known before. Of flows that
// came from several HARs, the creator and the browser of the first are written.
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
	// Mend gives up, of flows that came from a HAR, what is kept because it is right, but that
	// some importer rejects or misreads: pseudo-headers, nameless cookies, params of what is no
	// form, ssl beside connect. See Rules.
	Mend bool
	// OnDamage is told of bodies that could not be read; nil: Write returns them as an
	// error, after it wrote the batch.
	OnDamage func(*flowfile.Damage)
}

// Writer writes one HAR. Nothing is kept in memory but the flow in hand, and of its
// bodies 1 MiB.
type Writer struct {
	j         *jsonw.Writer
	o         Options
	begun     bool
	closed    bool
	skipped   map[flowfile.Kind]int
	conns     recent
	damage    error // of the batch in hand
	pages     pages
	draft     *draft   // nil: it is written for good
	others    []member // of the log, written at its end
	scratch   []byte
	pagesLost bool

	memo     *flowfile.Flow // the last flow that kept was asked for
	memoKept *keptHAR
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
		w.begin(f)
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
	w.begin(nil)
	w.closed = true
	w.j.EndArray()
	w.endLog()
	w.j.EndObject()
	w.j.EndObject()
	w.j.Line()
	return w.j.Flush()
}

// begin writes what is before the entries, once.
func (w *Writer) begin(first *flowfile.Flow) {
	if w.begun {
		return
	}
	w.begun = true
	j := w.j
	j.Object()
	j.Key("log")
	j.Object()
	w.text("version", "1.2")
	if first != nil {
		if k := w.kept(first); k != nil {
			w.keptLog(k)
			j.Key("entries")
			j.Array()
			return
		}
	}
	w.creator()
	var start flowfile.Time
	if first != nil {
		start = first.Start()
	}
	w.pages.fixed = true
	w.pages.own(start)
	w.writePages()
	j.Key("entries")
	j.Array()
}

func (w *Writer) creator() {
	w.j.Key("creator")
	w.j.Object()
	w.text("name", "flowkit")
	w.text("version", strings.TrimPrefix(w.o.Version, "flowkit "))
	w.j.EndObject()
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

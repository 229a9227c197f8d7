package mitm

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"flowkit/flowfile"
)

// encoder builds a record from its end to its beginning: so every length is known when
// it is written, and keys come out in mitmproxy's order when they are put in its order of
// creation. Bodies and long stretches of an original record are not copied, they are
// pieces.
type encoder struct {
	buf     []byte
	pos     int   // buf[pos:] is written
	apart   int64 // bytes in pieces
	pieces  []piece
	version int
	holes   bool // bodies are to stay pieces however short they are
	lost    Lost
	err     error
	spool   *flowfile.Spool
	scratch []byte
	fields  []field // of the dictionaries that are being spliced
	// converting says that what the model does not hold is taken from the record too.
	converting bool
	nullALPN   bool // the connection to come had no handshake to agree in
}

// piece is a part of the record that lies elsewhere.
type piece struct {
	behind   int // bytes of buf that come behind it
	n        int64
	part     int    // BodyRequest, BodyResponse or -1
	data     []byte // the bytes, or
	body     flowfile.Body
	messages *messageStream
	gaps     *gapStream
}

// notBody is the part of a piece that is no body.
const notBody = -1

// Lost counts what a dump of the version written cannot hold.
type Lost struct {
	Flows  int64 // flows that were not written: UDP in version 17, HTTP without a request
	Fields int64 // fields that were left out
	Extra  int64 // unknown fields of other formats that were left out
	// Updated are flows of records below version 17 that were changed and so written in 17.
	// Nothing was lost of them.
	Updated int64
}

// longPiece is from what size a stretch of an original record is not copied.
const longPiece = 1 << 10

func (e *encoder) reset(version int) {
	e.pos, e.apart, e.version, e.err, e.holes, e.converting = len(e.buf), 0, version, nil, false, false
	clear(e.pieces)
	e.pieces = e.pieces[:0]
}

// size returns the bytes written so far, with the pieces.
func (e *encoder) size() int64 { return int64(len(e.buf)-e.pos) + e.apart }

// bytes returns what was written, without the pieces.
func (e *encoder) bytes() []byte { return e.buf[e.pos:] }

// room makes room for n bytes.
func (e *encoder) room(n int) {
	if n <= e.pos {
		return
	}
	used := len(e.buf) - e.pos
	buf := make([]byte, max(4<<10, 2*len(e.buf), 2*(used+n)))
	copy(buf[len(buf)-used:], e.buf[e.pos:])
	e.buf, e.pos = buf, len(buf)-used
}

func (e *encoder) raw(s string) {
	e.room(len(s))
	e.pos -= len(s)
	copy(e.buf[e.pos:], s)
}

func (e *encoder) byte(c byte) {
	e.room(1)
	e.pos--
	e.buf[e.pos] = c
}

// piece puts p before what is written.
func (e *encoder) piece(p piece) {
	p.behind = len(e.buf) - e.pos
	e.pieces = append(e.pieces, p)
	e.apart += p.n
}

// begin starts an element at its end and returns a mark for end.
func (e *encoder) begin(tag byte) int64 {
	e.byte(tag)
	return e.size()
}

// end writes the length of the element that was begun at mark.
func (e *encoder) end(mark int64) { e.length(e.size() - mark) }

func (e *encoder) length(n int64) {
	e.room(21)
	e.pos--
	e.buf[e.pos] = ':'
	for {
		e.pos--
		e.buf[e.pos] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return
		}
	}
}

// element writes payload and tag.
func (e *encoder) element(payload string, tag byte) {
	e.room(len(payload) + 22)
	e.pos--
	e.buf[e.pos] = tag
	e.pos -= len(payload)
	copy(e.buf[e.pos:], payload)
	e.length(int64(len(payload)))
}

func (e *encoder) key(k string) { e.element(k, ';') }

func (e *encoder) null()            { e.raw("0:~") }
func (e *encoder) bytesOf(s string) { e.element(s, ',') }

// text writes s, which Python must be able to decode: bytes that are not UTF-8 become
// \xNN.
func (e *encoder) text(s string) {
	if !utf8.ValidString(s) {
		s = escape(s)
		e.lost.Fields++
	}
	e.element(s, ';')
}

// textOrNull writes null for "".
func (e *encoder) textOrNull(s string) {
	if s == "" {
		e.null()
		return
	}
	e.text(s)
}

func (e *encoder) bytesOrNull(s string) {
	if s == "" {
		e.null()
		return
	}
	e.bytesOf(s)
}

func (e *encoder) integer(n int64) {
	e.scratch = strconv.AppendInt(e.scratch[:0], n, 10)
	e.element(alias(e.scratch), '#')
}

func (e *encoder) boolean(b bool) {
	if b {
		e.raw("4:true!")
		return
	}
	e.raw("5:false!")
}

func (e *encoder) float(f float64) {
	e.scratch = appendFloat(e.scratch[:0], f)
	e.element(alias(e.scratch), '^')
}

// time writes a time, null if it is unknown.
func (e *encoder) time(t flowfile.Time) {
	if t == 0 {
		e.null()
		return
	}
	e.float(t.Seconds())
}

// timeOrZero is for what mitmproxy takes no null.
func (e *encoder) timeOrZero(t flowfile.Time) { e.float(t.Seconds()) }

// appendFloat appends Python's repr of f.
func appendFloat(b []byte, f float64) []byte {
	switch a := max(f, -f); {
	case f != f:
		return append(b, "nan"...)
	case a > 1.7976931348623157e308:
		if f < 0 {
			b = append(b, '-')
		}
		return append(b, "inf"...)
	case a != 0 && a < 1e-4 || a >= 1e16:
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	n := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	for _, c := range b[n:] {
		if c == '.' {
			return b
		}
	}
	return append(b, ".0"...)
}

// escape writes bytes that are not UTF-8 as \xNN.
func escape(s string) string {
	var b []byte
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = fmt.Appendf(b, `\x%02x`, s[i])
		} else {
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return string(b)
}

// quote shortens and quotes s for an error.
func quote(s string) string {
	if len(s) > 32 {
		s = s[:32] + "…"
	}
	return strconv.Quote(s)
}

// body writes a body as piece; an absent one is null.
func (e *encoder) body(b flowfile.Body, part int) {
	if b.State() == flowfile.BodyAbsent {
		e.null()
		return
	}
	if b.State() == flowfile.BodyTruncated {
		e.lost.Fields++
	}
	b, n, err := e.sized(b)
	if err != nil {
		e.fail(err)
		return
	}
	mark := e.begin(',')
	switch {
	case n == 0:
	case b.Content() == nil && n <= longPiece && !e.holes:
		p, _ := b.Bytes(-1)
		e.raw(alias(p))
	default:
		e.piece(piece{n: n, part: part, body: b})
	}
	e.end(mark)
}

// sized returns b with its size; a body of unknown size goes to the spool.
func (e *encoder) sized(b flowfile.Body) (flowfile.Body, int64, error) {
	if n := b.Size(); n >= 0 {
		return b, n, nil
	}
	r, err := b.Open()
	if err != nil {
		return b, 0, fmt.Errorf("open body: %w", err)
	}
	defer r.Close()
	if e.spool == nil {
		e.spool = new(flowfile.Spool)
	}
	c, err := e.spool.AddReader(r)
	if err != nil {
		return b, 0, fmt.Errorf("read body: %w", err)
	}
	return flowfile.ContentBody(c), c.Size(), nil
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// value writes a metadata value.
func (e *encoder) value(v any, depth int) {
	if depth > maxDepth {
		e.lost.Fields++
		e.null()
		return
	}
	switch v := v.(type) {
	case nil:
		e.null()
	case bool:
		e.boolean(v)
	case int64:
		e.integer(v)
	case float64:
		e.float(v)
	case flowfile.BigInt:
		e.element(string(v), '#')
	case string:
		e.text(v)
	case flowfile.Bytes:
		if e.version < 19 { // mitmproxy refuses metadata that is not JSON
			e.lost.Fields++
			e.element(escape(string(v)), ';')
			return
		}
		e.bytesOf(string(v))
	case flowfile.List:
		mark := e.begin(']')
		for i := len(v) - 1; i >= 0; i-- {
			e.value(v[i], depth+1)
		}
		e.end(mark)
	case flowfile.Map:
		e.dictionary(v, depth)
	default:
		e.lost.Fields++
		e.null()
	}
}

func (e *encoder) dictionary(m flowfile.Map, depth int) {
	mark := e.begin('}')
	for i := range m {
		e.value(m[i].Value, depth+1)
		e.text(m[i].Key)
	}
	e.end(mark)
}

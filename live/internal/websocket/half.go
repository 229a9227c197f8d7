package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"

	"flowkit/flowfile"
)

const (
	bufferSize = 4 << 10
	chunkSize  = 32 << 10 // what is read and sent at a time of large frames
	keepBuffer = 64 << 10 // buffers up to this size are used again
)

// errClosed: the side sent a Close, and it was passed on.
var errClosed = errors.New("websocket: closed")

// mode is what happens to the message that is just read.
type mode uint8

const (
	stream   mode = iota // its bytes pass as they come
	hold                 // it waits for the handler
	reencode             // it is too long to wait and passes, but compressed anew
	discard              // the conversation is over: it goes nowhere
)

// A half reads what one side says and passes it on to the other.
//
// The functions from run to handle deal with whole messages, those from chunk on with frames.
type half struct {
	r          *Relay
	fromClient bool
	in         *bufio.Reader
	out        *sender // to the other side
	back       *sender // to the side itself
	ext        *extensions
	compression

	// The frame that is being read.
	head header
	left int64 // bytes of its payload to come

	// The message that is being read.
	msg        Message
	mode       mode
	show       bool
	compressed bool
	payload    []byte
	owned      bool   // payload is memory of its own, not scratch
	scratch    []byte // for payloads whose length is not known before
	gather     bool   // the frames of a held message are kept as they came: in held
	held       []byte
	begun      bool // the first frame of a message that is encoded anew went out

	inflater inflater
	source   source

	// Once a compressed message was dropped or changed, the other side's window is no longer what this side takes it for. From
	// then on (apart) compressed messages are compressed anew, by a deflater that refers to nothing from before. When a window's
	// worth of bytes has gone by unchanged (same), the windows are equal again.
	deflater deflater
	apart    bool
	same     int64
}

func newHalf(r *Relay, fromClient bool) *half {
	d := &half{r: r, fromClient: fromClient, ext: &r.ext, compression: r.ext.server}
	side := r.Server
	d.out, d.back = r.toClient, r.toServer
	if fromClient {
		side, d.compression = r.Client, r.ext.client
		d.out, d.back = r.toServer, r.toClient
	}
	in := io.Reader(side.Conn)
	if side.Reader != nil {
		in = side.Reader
	}
	d.in = bufio.NewReaderSize(in, bufferSize) // in itself if it is large enough
	d.inflater.takeover, d.deflater.bits = d.takeover, d.bits
	return d
}

// run passes messages on until the side has no more to say.
func (d *half) run() error {
	for {
		if err := d.message(); err != nil {
			return err
		}
	}
}

// message reads one message, shows it and passes it on.
func (d *half) message() error {
	if err := d.next(true); err != nil {
		return err
	}
	read := d.copy
	if d.compressed && d.show {
		read = d.inflate
	}
	err := read()
	if err == nil {
		return d.finish()
	}
	if d.show {
		d.msg.Incomplete = true
		d.handle()
	}
	return err
}

// begin prepares for the message whose first frame is d.head.
func (d *half) begin() {
	d.msg = Message{FromClient: d.fromClient, Opcode: int(d.head.opcode), Encoded: d.ext.opaque}
	d.compressed = d.ext.deflate && d.head.rsv&rsv1 != 0
	d.show = d.r.Handle != nil
	switch {
	case d.out.stopped():
		d.mode, d.show = discard, false
	case d.show && d.r.Hold && !d.ext.opaque:
		d.mode = hold
		d.gather = !d.compressed || !d.apart
	default:
		d.mode = stream
	}
	d.held, d.begun = d.held[:0], false
	d.payload, d.owned = d.scratch[:0], d.head.fin && !d.compressed
	if d.show && d.owned {
		d.payload = make([]byte, 0, min(d.left, d.r.limit(), keepBuffer))
	}
}

// copy reads a message that is not compressed, or that nobody wants to see.
func (d *half) copy() error {
	for {
		b, err := d.chunk()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !d.show {
			continue
		}
		if err := d.content(b); err != nil {
			return err
		}
	}
}

// inflate reads a compressed message.
func (d *half) inflate() error {
	d.source = source{d: d}
	err := d.inflater.message(contentWriter{d}, &d.source)
	if d.source.err != nil {
		return d.source.err
	}
	if _, ours := err.(*sideError); err == nil || ours {
		return err
	}
	return d.violation("a compressed message that cannot be decompressed: " + err.Error())
}

// contentWriter hands to content what is decompressed.
type contentWriter struct{ d *half }

func (w contentWriter) Write(p []byte) (int, error) {
	if err := w.d.content(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// content takes the next bytes of the message, unmasked and decompressed.
func (d *half) content(p []byte) error {
	d.msg.Size += int64(len(p))
	room := min(d.r.limit()-int64(len(d.payload)), int64(len(p)))
	d.keep(p[:room])
	p = p[room:]
	if len(p) > 0 && d.mode == hold {
		if err := d.release(); err != nil {
			return err
		}
	}
	if d.mode == reencode {
		return d.recompress(p)
	}
	return nil
}

// keep appends p to the payload.
func (d *half) keep(p []byte) {
	if d.owned {
		d.payload = d.reserve(d.payload, len(p), d.left)
	}
	d.payload = append(d.payload, p...)
}

// reserve makes room in b for n bytes and left more, which the frame announced; that is believed as far as four times what came.
func (d *half) reserve(b []byte, n int, left int64) []byte {
	n += len(b)
	if n <= cap(b) {
		return b
	}
	total := max(int64(n), min(int64(n)+min(left, d.r.limit()), int64(4*n), d.r.limit()))
	return append(make([]byte, 0, total), b...)
}

// release lets a message that is too long to be held go: what came of it now, the rest as it comes.
func (d *half) release() error {
	if !d.gather {
		d.mode = reencode
		return d.recompress(d.payload)
	}
	d.mode = stream
	held := d.held
	d.held = nil
	return d.send(held, d.left > 0, d.left > 0 || !d.head.fin)
}

// recompress sends more of a long compressed message, when enough has come together.
func (d *half) recompress(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), chunkSize)
		d.deflater.write(p[:n])
		p = p[n:]
		if b := d.deflater.out.Bytes(); len(b) >= chunkSize {
			if err := d.frame(b, rsv1, false); err != nil {
				return err
			}
			d.deflater.out.Reset()
		}
	}
	return nil
}

// frame sends a frame of ours, part of the message.
func (d *half) frame(b []byte, rsv byte, fin bool) error {
	h := d.out.header(opContinuation)
	if !d.begun {
		h.opcode, h.rsv = byte(d.msg.Opcode), rsv
		d.begun = true
	}
	h.fin = fin
	return d.send(appendFrame(nil, h, b), false, !fin)
}

// encode sends p as the message, compressed if the message was.
func (d *half) encode(p []byte) error {
	if !d.compressed {
		return d.frame(p, 0, true)
	}
	if !d.takeover {
		d.deflater.reset()
	}
	d.deflater.write(p)
	return d.flush()
}

// flush sends the end of a message that goes through the deflater.
func (d *half) flush() error {
	err := d.frame(d.deflater.flush(), rsv1, true)
	d.deflater.sent()
	return err
}

// part notes that the other side will not see the message as it came.
func (d *half) part() {
	if !d.compressed || !d.takeover {
		return
	}
	if !d.apart {
		d.deflater.reset()
	}
	d.apart, d.same = true, 0
}

// repeated notes that n bytes went through the deflater unchanged.
func (d *half) repeated(n int64) {
	d.same += n
	d.apart = d.same < window
}

// finish shows the message that was read and, if it was held, does with it what the handler wants.
func (d *half) finish() error {
	if d.mode == reencode {
		if err := d.flush(); err != nil {
			return err
		}
		d.repeated(d.msg.Size)
	}
	if !d.show {
		return nil
	}
	if d.mode != hold {
		d.handle()
		return nil
	}
	d.out.turn.Lock()
	defer d.out.turn.Unlock()
	d.msg.Held = true
	p := d.handle()
	switch {
	case d.msg.Drop:
		d.part()
		return nil
	case !same(p, d.msg.Payload):
		d.part()
		return d.encode(d.msg.Payload)
	case !d.gather:
		d.repeated(int64(len(p)))
		return d.encode(p)
	}
	err := d.send(d.held, false, false)
	if cap(d.held) > keepBuffer {
		d.held = nil
	}
	return err
}

// same tells whether a and b hold the same bytes; it looks at them only if they are not the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || bytes.Equal(a, b))
}

// handle shows the message and returns the payload that was shown.
func (d *half) handle() []byte {
	p := d.payload
	if !d.owned {
		d.scratch = p
		if cap(p) <= keepBuffer {
			p = append(make([]byte, 0, len(p)), p...)
		} else {
			d.scratch = nil
		}
	}
	d.payload = nil
	d.msg.Payload = p
	d.msg.Time = flowfile.TimeOf(time.Now())
	d.r.handling.Lock()
	defer d.r.handling.Unlock()
	d.r.Handle(&d.msg)
	return p
}

// chunk returns the next bytes of the message, unmasked, valid until the next call; io.EOF at its end. Before that it passes
// them on as they came, and what control frames stand between.
func (d *half) chunk() ([]byte, error) {
	for d.left == 0 {
		if d.head.fin {
			return nil, io.EOF
		}
		if err := d.next(false); err != nil {
			return nil, err
		}
	}
	b, err := d.read()
	if err != nil {
		return nil, err
	}
	pos := int64(d.head.length) - d.left
	d.left -= int64(len(b))
	if err := d.pass(b); err != nil {
		return nil, err
	}
	if d.head.masked && d.show {
		mask(b, d.head.key, pos)
	}
	return b, nil
}

// read returns the next bytes of the frame in the buffer of in, which grows once to take large frames in fewer pieces.
func (d *half) read() ([]byte, error) {
	if d.left > int64(d.in.Size()) && d.in.Size() < chunkSize {
		d.in = bufio.NewReaderSize(d.in, chunkSize)
	}
	if _, err := d.peek(1); err != nil {
		return nil, d.cut(err)
	}
	b, _ := d.in.Peek(int(min(int64(d.in.Buffered()), d.left)))
	_, _ = d.in.Discard(len(b))
	return b, nil
}

// next reads the header of the next frame of a message, the first or another, and passes on what control frames come before.
func (d *half) next(first bool) error {
	for {
		b, err := d.peek(2)
		if err == nil {
			b, err = d.peek(headerSize(b[1]))
		}
		if err != nil {
			if first && len(b) == 0 {
				return err
			}
			return d.cut(err)
		}
		h := parseHeader(b)
		if problem := h.check(d.fromClient, !first, d.ext); problem != "" {
			return d.violation(problem)
		}
		if h.opcode >= opClose {
			if err := d.control(h, len(b)); err != nil {
				return err
			}
			continue
		}
		d.head, d.left = h, int64(h.length)
		if first {
			d.begin()
		}
		_, _ = d.in.Discard(len(b))
		return d.pass(b)
	}
}

// control passes on the control frame that in is at.
func (d *half) control(h header, size int) error {
	size += int(h.length)
	b, err := d.peek(size)
	if err != nil {
		return d.cut(err)
	}
	_, _ = d.in.Discard(size)
	last := h.opcode == opClose
	if err := d.out.control(b, last); err != nil {
		return d.sendFailed(err)
	}
	if !last {
		return nil
	}
	p := b[size-int(h.length):]
	if h.masked {
		mask(p, h.key, 0)
	}
	code, reason, problem := parseClose(p)
	var bad error
	if problem != "" {
		bad = d.violation(problem)
	}
	d.r.closed(Close{code, reason, d.fromClient}, bad) // before the other side answers with one of its own
	if err := d.flushOut(); err != nil {
		return err
	}
	return errClosed
}

// pass passes on b, bytes of a frame as they came; d.left is what of the frame comes behind them.
func (d *half) pass(b []byte) error {
	if d.mode == hold && d.gather {
		if int64(len(d.held)+len(b)) <= d.r.limit()+maxHeader {
			d.held = append(d.reserve(d.held, len(b), d.left), b...)
			return nil
		}
		// The end of the frame that was held is not known to be that of b.
		held := d.held
		d.mode, d.held = stream, nil
		if err := d.send(held, true, true); err != nil {
			return err
		}
	}
	if d.mode != stream {
		return nil
	}
	return d.send(b, d.left > 0, d.left > 0 || !d.head.fin)
}

// peek returns the next n bytes without taking them. Before it waits for them it sends what was passed on.
func (d *half) peek(n int) ([]byte, error) {
	if d.in.Buffered() < n {
		if err := d.flushOut(); err != nil {
			return nil, err
		}
	}
	b, err := d.in.Peek(n)
	if err != nil && err != io.EOF {
		err = &sideError{d.fromClient, err}
	}
	return b, err
}

// cut is err where more should have come.
func (d *half) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &sideError{d.fromClient, errCut}
	}
	if _, ok := err.(*sideError); !ok && err != nil {
		return &sideError{d.fromClient, err}
	}
	return err
}

func (d *half) send(b []byte, partial, open bool) error {
	return d.sendFailed(d.out.write(b, partial, open))
}

func (d *half) flushOut() error { return d.sendFailed(d.out.flush()) }

func (d *half) sendFailed(err error) error {
	if err == nil {
		return nil
	}
	return &sideError{!d.fromClient, err}
}

func (d *half) violation(msg string) error { return &ProtocolError{d.fromClient, msg} }

// source is the compressed payload of a message with tail behind it.
type source struct {
	d    *half
	b    []byte
	some bool  // there was payload, at least behind the last final block
	tail bool  // b is what is left of the tail
	err  error // the error that ended the message early
}

func (s *source) fill() error {
	for len(s.b) == 0 {
		if s.tail {
			return io.EOF
		}
		b, err := s.d.chunk()
		switch {
		case err == io.EOF:
			s.tail = true
			b = []byte(tail)
			if !s.some {
				// An empty message has one byte (RFC 7692 §7.2.3.6), but some send none.
				b = b[len(tail)-finalBlock:]
			}
		case err != nil:
			s.err = err
			return err
		}
		s.b, s.some = b, true
	}
	return nil
}

func (s *source) ReadByte() (byte, error) {
	if len(s.b) == 0 {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c, nil
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}

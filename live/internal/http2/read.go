package http2

import (
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"flowkit/flowfile"
)

// maxHeadFrames is how many frames a head may come in.
const maxHeadFrames = 1024

// reader is what only the goroutine that reads frames touches.
type reader struct {
	dec       *hpack.Decoder
	fields    []flowfile.Field // of the head being decoded
	sensitive []string
	size      uint32
	block     []byte // fragments of a head that comes in several frames
	answers   bool   // frames were appended that nobody has flushed
	calm      bucket
}

// bucket counts what a peer does that is of no use to anybody.
type bucket struct {
	level float64
	at    time.Time
}

// take reports whether one more is too many: over 1000 at once or 200 a second.
func (b *bucket) take() bool {
	const burst, rate = 1000, 200
	now := time.Now()
	b.level = max(0, b.level-rate*now.Sub(b.at).Seconds()) + 1
	b.at = now
	return b.level > burst
}

func fatal(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

func (c *Conn) nuisance(what string) error {
	if c.calm.take() {
		return fatal(EnhanceCalm, "too many %s", what)
	}
	return nil
}

// emit is called by the decoder for each field.
func (c *Conn) emit(f hpack.HeaderField) {
	c.size += f.Size()
	if c.size > c.o.MaxHead {
		c.dec.SetEmitEnabled(false)
		return
	}
	c.fields = append(c.fields, flowfile.Field{Name: f.Name, Value: f.Value})
	if f.Sensitive {
		c.sensitive = append(c.sensitive, f.Name)
	}
}

func (c *Conn) readPreface() error {
	var b [len(Preface)]byte
	if _, err := io.ReadFull(c.br, b[:]); err != nil {
		return err
	}
	if string(b[:]) != Preface {
		return fatal(ProtocolError, "not the preface of HTTP/2")
	}
	return nil
}

// read reads frames until the connection ends, and returns why: an *Error or an error of the transport.
func (c *Conn) read(handle func(*Stream)) error {
	for first := true; ; first = false {
		if c.answers && c.br.Buffered() < frameHead {
			if err := c.answer(); err != nil {
				return err
			}
		}
		fh, err := c.fr.ReadFrameHeader()
		if err != nil {
			return c.frameError(fh, err)
		}
		c.frames.Add(1)
		if first && (fh.Type != http2.FrameSettings || fh.Flags.Has(http2.FlagSettingsAck)) {
			return fatal(ProtocolError, "%v before SETTINGS", fh.Type)
		}
		if fh.Type == http2.FrameData {
			if err := c.readData(fh); err != nil {
				return err
			}
			continue
		}
		f, err := c.fr.ReadFrameForHeader(fh)
		if err != nil {
			if err = c.frameError(fh, err); err != nil {
				return err
			}
			continue
		}
		if err := c.frame(f, handle); err != nil {
			return err
		}
	}
}

// answer has the frames flushed that were appended by the goroutine that reads.
func (c *Conn) answer() error {
	c.answers = false
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wbuf) > sendBuffer+maxPending {
		return fatal(EnhanceCalm, "answers are not read")
	}
	c.flushSoon()
	return nil
}

// frameError turns an error of the Framer into one that ends the connection, or deals with one that ends a stream.
func (c *Conn) frameError(fh http2.FrameHeader, err error) error {
	switch e := err.(type) {
	case http2.StreamError:
		if fh.Type == http2.FrameHeaders { // the decoder has missed it
			return fatal(ProtocolError, "bad HEADERS frame")
		}
		return c.streamError(e.StreamID, e.Code, "bad "+fh.Type.String()+" frame")
	case http2.ConnectionError:
		msg := "bad " + fh.Type.String() + " frame"
		if d := c.fr.ErrorDetail(); d != nil {
			msg = d.Error()
		}
		return &Error{Code: Code(e), Msg: msg}
	}
	if err == http2.ErrFrameTooLarge {
		return fatal(http2.ErrCodeFrameSize, "%v frame of %d bytes", fh.Type, fh.Length)
	}
	if err == io.ErrUnexpectedEOF && (fh.Type == http2.FrameHeaders || fh.Type == http2.FramePushPromise) && fh.Length < 6 {
		return fatal(http2.ErrCodeFrameSize, "short %v frame", fh.Type)
	}
	return err
}

// streamError resets a stream for what its peer did.
func (c *Conn) streamError(id uint32, code Code, msg string) error {
	c.mu.Lock()
	e := &Error{Code: code, Stream: id, Msg: msg}
	if s := c.streams[id]; s != nil {
		c.reset(s, e)
	} else {
		c.rst(id, code)
	}
	c.creditConn()
	c.mu.Unlock()
	c.answers = true
	return c.nuisance("errors")
}

func (c *Conn) frame(f http2.Frame, handle func(*Stream)) error {
	switch f := f.(type) {
	case *http2.HeadersFrame:
		return c.readHead(f, handle)
	case *http2.SettingsFrame:
		return c.readSettings(f)
	case *http2.WindowUpdateFrame:
		return c.readWindow(f)
	case *http2.RSTStreamFrame:
		return c.readReset(f)
	case *http2.PingFrame:
		return c.readPing(f)
	case *http2.GoAwayFrame:
		return c.readGoAway(f)
	case *http2.PushPromiseFrame:
		return fatal(ProtocolError, "PUSH_PROMISE")
	}
	return nil // PRIORITY and what is not known
}

// idle reports whether a stream of that number was never opened. mu is held.
func (c *Conn) idle(id uint32) bool {
	if c.client {
		return id%2 == 0 || id >= c.nextID
	}
	return id%2 == 0 || id > c.lastID
}

// stray says what to do about a frame of a stream that takes no more of its kind: nil to ignore it. mu is held.
func (c *Conn) stray(fh http2.FrameHeader) error {
	switch {
	case c.idle(fh.StreamID) && (c.client || fh.StreamID <= c.limitID):
		return fatal(ProtocolError, "%v frame of idle stream %d", fh.Type, fh.StreamID)
	case c.idle(fh.StreamID), slices.Contains(c.resets, fh.StreamID):
		return nil
	}
	return fatal(StreamClosed, "%v frame of closed stream %d", fh.Type, fh.StreamID)
}

func (c *Conn) readData(fh http2.FrameHeader) error {
	if fh.StreamID == 0 {
		return fatal(ProtocolError, "DATA frame of stream 0")
	}
	n, pad := int(fh.Length), 0
	if fh.Flags.Has(http2.FlagDataPadded) {
		if n == 0 {
			return fatal(http2.ErrCodeFrameSize, "short DATA frame")
		}
		b, err := c.br.ReadByte()
		if err != nil {
			return err
		}
		pad = int(b)
		if n -= 1 + pad; n < 0 {
			return fatal(ProtocolError, "padding exceeds the frame")
		}
	}
	end := fh.Flags.Has(http2.FlagDataEndStream)
	if n == 0 && !end {
		if err := c.nuisance("empty DATA frames"); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.recv -= int64(fh.Length)
	over := c.recv < 0
	s := c.streams[fh.StreamID]
	if s != nil && s.recvEnd {
		c.mu.Unlock()
		if err := c.streamError(s.id, StreamClosed, "DATA after the end"); err != nil {
			return err
		}
		return c.discard(n+pad, int(fh.Length))
	}
	var err error
	if s == nil && !over {
		err = c.stray(fh)
	}
	c.mu.Unlock()
	switch {
	case over:
		return fatal(http2.ErrCodeFlowControl, "more than the window allows")
	case err != nil:
		return err
	case s == nil:
		return c.discard(n+pad, int(fh.Length))
	case !s.gotHead:
		if err := c.streamError(s.id, ProtocolError, "DATA before the head"); err != nil {
			return err
		}
		return c.discard(n+pad, int(fh.Length))
	}
	s.mu.Lock()
	s.recv -= int64(fh.Length)
	over = s.recv < 0
	s.mu.Unlock()
	bad, code := "", ProtocolError
	if over {
		bad, code = "more than the window allows", http2.ErrCodeFlowControl
	} else if s.remain >= 0 {
		if s.remain -= int64(n); s.remain < 0 || end && s.remain > 0 {
			bad = "body is not of the length that content-length says"
		}
	}
	if bad != "" {
		if err := c.streamError(s.id, code, bad); err != nil {
			return err
		}
		return c.discard(n+pad, int(fh.Length))
	}
	left, err := c.fill(s, n)
	if err != nil {
		return err
	}
	if fh.Length > uint32(n) || left > 0 { // padding, and what nobody wants
		if err := c.discard(left+pad, int(fh.Length)-n+left); err != nil {
			return err
		}
		if extra := int64(fh.Length) - int64(n); extra > 0 {
			s.mu.Lock()
			inc := s.give(extra)
			s.mu.Unlock()
			if inc > 0 {
				c.mu.Lock()
				c.fr.WriteWindowUpdate(s.id, uint32(inc))
				c.mu.Unlock()
				c.answers = true
			}
		}
	}
	if end {
		c.endBody(s, nil)
	}
	return nil
}

// fill reads n bytes of a frame into the stream's buffer, and returns how many it left because nobody wants them.
func (c *Conn) fill(s *Stream, n int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n > 0 {
		room := s.buf.reserve(n)
		if room == nil {
			break
		}
		var m int
		var err error
		if c.br.Buffered() > 0 { // does not wait
			m, err = c.br.Read(room)
		} else {
			s.mu.Unlock()
			m, err = c.br.Read(room)
			s.mu.Lock()
		}
		ok := s.buf.commit(m)
		n -= m
		if !ok {
			c.credit.Add(int64(m))
		}
		s.readers.Signal()
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// discard reads n bytes of a frame that nobody wants, and gives credit for so many as the frame took of the window.
func (c *Conn) discard(n, credit int) error {
	if _, err := c.br.Discard(n); err != nil {
		return err
	}
	if c.credit.Add(int64(credit)) >= int64(c.o.ConnWindow)/2 {
		c.mu.Lock()
		c.creditConn()
		c.mu.Unlock()
		c.answers = true
	}
	return nil
}

// endBody says that END_STREAM came.
func (c *Conn) endBody(s *Stream, trailers []flowfile.Field) {
	c.endRecv(s)
	s.mu.Lock()
	if s.rerr == nil {
		s.trailers = trailers
		s.ended = true
	}
	s.readers.Signal()
	s.mu.Unlock()
}

// endRecv comes before those who read the stream know: they may close it, and that is no early end then.
func (c *Conn) endRecv(s *Stream) {
	c.mu.Lock()
	if !s.recvEnd {
		c.received(s)
	}
	c.mu.Unlock()
}

// decode reads the rest of a head and decodes it into a new slice.
func (c *Conn) decode(f *http2.HeadersFrame) (Head, error) {
	h := Head{End: f.StreamEnded()}
	frag := f.HeaderBlockFragment()
	if !f.HeadersEnded() {
		c.block = append(c.block[:0], frag...)
		for n := 1; ; n++ {
			next, err := c.fr.ReadFrame()
			if err != nil {
				return h, c.frameError(http2.FrameHeader{Type: http2.FrameContinuation}, err)
			}
			more := next.(*http2.ContinuationFrame) // by the Framer
			if len(c.block)+len(more.HeaderBlockFragment()) > 2*int(c.o.MaxHead) || n > maxHeadFrames {
				return h, fatal(EnhanceCalm, "head too large")
			}
			c.block = append(c.block, more.HeaderBlockFragment()...)
			if more.HeadersEnded() {
				break
			}
		}
		frag = c.block
	}
	c.fields, c.sensitive, c.size = c.fields[:0], nil, 0
	c.dec.SetEmitEnabled(true)
	_, err := c.dec.Write(frag)
	if err == nil {
		err = c.dec.Close()
	}
	if err != nil {
		return h, fatal(http2.ErrCodeCompression, "%v", err)
	}
	h.Fields = slices.Clone(c.fields)
	h.Sensitive = c.sensitive
	clear(c.fields)
	if cap(c.block) > 64<<10 {
		c.block = nil
	}
	if cap(c.fields) > 1024 {
		c.fields = nil
	}
	return h, nil
}

func (c *Conn) readHead(f *http2.HeadersFrame, handle func(*Stream)) error {
	id, fh := f.StreamID, f.FrameHeader
	h, err := c.decode(f)
	if err != nil {
		return err
	}
	large := c.size > c.o.MaxHead
	c.mu.Lock()
	s := c.streams[id]
	if s == nil && !c.client && id%2 == 1 && id > c.lastID {
		refused := c.accept(id, h, large, handle)
		c.mu.Unlock()
		if refused == nil {
			return nil
		}
		if c.o.OnRefused != nil {
			c.o.OnRefused(refused)
		}
		return c.nuisance("requests that are refused")
	}
	closed := s != nil && s.recvEnd
	if s == nil {
		err = c.stray(fh)
	}
	c.mu.Unlock()
	switch {
	case err != nil:
		return err
	case s == nil:
		return c.nuisance("frames of streams that were reset")
	case closed:
		return c.streamError(id, StreamClosed, "HEADERS after the end")
	case large:
		return c.streamError(id, EnhanceCalm, "head too large")
	case s.gotHead:
		return c.readTrailers(s, h)
	}
	return c.readResponse(s, h)
}

// accept takes a request, or says why it is refused. mu is held.
func (c *Conn) accept(id uint32, h Head, large bool, handle func(*Stream)) *Error {
	if id > c.limitID {
		return nil // after GOAWAY
	}
	c.lastID = id
	refuse := func(code Code, msg string) *Error {
		c.answers = true
		if code == NoError { // RFC 6585 §5
			c.encode(id, []flowfile.Field{{Name: ":status", Value: "431"}, {Name: "content-length", Value: "0"}}, nil, true)
		}
		if code != NoError || !h.End {
			c.rst(id, code)
		}
		return &Error{Code: code, Stream: id, Msg: msg}
	}
	var fa facts
	if large {
		return refuse(NoError, "head too large")
	}
	if msg := check(requestHead, h.Fields, true, &fa); msg != "" {
		return refuse(ProtocolError, msg)
	}
	if h.End && fa.length > 0 {
		return refuse(ProtocolError, "no body, but content-length is not 0")
	}
	// A stream that was reset is gone from the table, but its handler may be at work still.
	if uint32(len(c.streams)) >= c.o.MaxStreams || c.busy >= 2*c.o.MaxStreams {
		return refuse(RefusedStream, "too many streams")
	}
	s := newStream(c)
	s.id, s.gotHead = id, true
	s.headRequest, s.connect = fa.method == "HEAD", fa.connect()
	if !s.connect {
		s.remain = fa.length
	}
	s.window = c.peer.window
	s.heads = append(s.heads, h)
	s.ended, s.recvEnd = h.End, h.End
	c.streams[id] = s
	c.busy++
	handle(s)
	return nil
}

func (c *Conn) readTrailers(s *Stream, h Head) error {
	var fa facts
	msg := check(trailerHead, h.Fields, true, &fa)
	switch {
	case !h.End:
		msg = "trailers that are not the end"
	case msg == "" && s.remain > 0:
		msg = "body is not of the length that content-length says"
	}
	if msg != "" {
		return c.streamError(s.id, ProtocolError, msg)
	}
	if h.Fields == nil {
		h.Fields = []flowfile.Field{}
	}
	c.endBody(s, h.Fields)
	return nil
}

// readResponse takes an informational or final head of a response.
func (c *Conn) readResponse(s *Stream, h Head) error {
	var fa facts
	msg := check(responseHead, h.Fields, true, &fa)
	final := fa.status >= 200
	if msg == "" && !final && h.End {
		msg = "informational head with the end"
	}
	if msg == "" && final {
		s.gotHead = true
		switch {
		case s.headRequest || fa.status == 304 || fa.status == 204:
			s.remain = 0
		case s.connect && fa.status < 300:
			s.remain = -1
		default:
			if s.remain = fa.length; h.End && s.remain > 0 {
				msg = "no body, but content-length is not 0"
			}
		}
	}
	if msg != "" {
		return c.streamError(s.id, ProtocolError, msg)
	}
	if h.End {
		c.endRecv(s)
	}
	s.mu.Lock()
	s.headSize += int(c.size)
	tooMuch := s.headSize > 2*int(c.o.MaxHead)
	if s.rerr == nil && !tooMuch {
		s.heads = append(s.heads, h)
		s.ended = h.End
	}
	s.readers.Signal()
	s.mu.Unlock()
	if tooMuch {
		return c.streamError(s.id, EnhanceCalm, "too many informational heads")
	}
	return nil
}

func (c *Conn) readSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.peer.known {
		c.peer.known = true
		c.peer.streams = maxWindow // unless it says otherwise now
	}
	for i := range f.NumSettings() {
		set := f.Setting(i)
		if err := set.Valid(); err != nil {
			code := ProtocolError
			if ce, ok := err.(http2.ConnectionError); ok {
				code = Code(ce)
			}
			return fatal(code, "bad setting %v", set)
		}
		switch set.ID {
		case http2.SettingHeaderTableSize:
			c.enc.SetMaxDynamicTableSizeLimit(min(set.Val, 4096))
			c.enc.SetMaxDynamicTableSize(min(set.Val, 4096))
		case http2.SettingEnablePush:
			if c.client && set.Val != 0 {
				return fatal(ProtocolError, "bad setting %v", set)
			}
		case http2.SettingMaxConcurrentStreams:
			c.peer.streams = set.Val
		case http2.SettingInitialWindowSize:
			delta := int64(set.Val) - c.peer.window
			c.peer.window = int64(set.Val)
			for _, s := range c.streams {
				if s.window += delta; s.window > maxWindow {
					return fatal(http2.ErrCodeFlowControl, "window too large")
				}
				s.writers.Broadcast()
			}
		case http2.SettingMaxFrameSize:
			c.peer.frame = int(min(set.Val, minFrame)) // larger frames would only hold up others
		case http2.SettingEnableConnectProtocol:
			c.peer.connectExt = set.Val == 1
		}
	}
	c.slots.Broadcast()
	c.fr.WriteSettingsAck()
	c.answers = true
	return nil
}

func (c *Conn) readWindow(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		if c.window += int64(f.Increment); c.window > maxWindow {
			return fatal(http2.ErrCodeFlowControl, "window too large")
		}
		c.conn.Broadcast()
		return nil
	}
	s := c.streams[f.StreamID]
	if s == nil {
		if c.idle(f.StreamID) && f.StreamID <= c.limitID {
			return fatal(ProtocolError, "WINDOW_UPDATE frame of idle stream %d", f.StreamID)
		}
		return nil
	}
	if s.window += int64(f.Increment); s.window > maxWindow {
		c.reset(s, &Error{Code: http2.ErrCodeFlowControl, Msg: "window too large"})
		c.answers = true
		return c.nuisance("errors")
	}
	s.writers.Broadcast()
	return nil
}

func (c *Conn) readReset(f *http2.RSTStreamFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[f.StreamID]
	if s == nil {
		if c.idle(f.StreamID) && f.StreamID <= c.limitID {
			return fatal(ProtocolError, "RST_STREAM frame of idle stream %d", f.StreamID)
		}
		return nil
	}
	c.cut(s, &Error{Code: f.ErrCode, Remote: true, Retry: c.client && f.ErrCode == RefusedStream}, false)
	c.conn.Broadcast()
	c.remove(s)
	if !c.client {
		return c.nuisance("resets")
	}
	return nil
}

func (c *Conn) readPing(f *http2.PingFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.IsAck() {
		c.fr.WritePing(true, f.Data)
		c.answers = true
		if len(c.wbuf) > sendBuffer+maxPending {
			return fatal(EnhanceCalm, "answers are not read")
		}
		return nil
	}
	if ch := c.pings[f.Data]; ch != nil {
		delete(c.pings, f.Data)
		close(ch)
	}
	return nil
}

func (c *Conn) readGoAway(f *http2.GoAwayFrame) error {
	msg := f.DebugData()
	e := &Error{Code: f.ErrCode, Remote: true, Msg: string(msg[:min(len(msg), 200)])}
	last := f.LastStreamID
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = e
	c.slots.Broadcast()
	if c.client {
		for id, s := range c.streams {
			if id > last {
				se := *e
				se.Retry = true
				c.cut(s, &se, false)
				c.remove(s)
			}
		}
		c.conn.Broadcast()
	}
	c.endIfIdle()
	return nil
}

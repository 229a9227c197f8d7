package http2

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"flowkit/flowfile"
)

const readBuffer = 16 << 10 // a TLS record

// Conn is a connection, of a server or a client. Its methods are safe for concurrent use.
type Conn struct {
	nc     net.Conn
	br     *bufio.Reader
	o      Options
	client bool
	done   chan struct{} // closed when the connection has ended and its streams know

	credit atomic.Int64 // bytes of bodies that were read and not yet given back to the connection's window
	frames atomic.Uint32

	reader // what only the goroutine that reads frames touches

	mu      sync.Mutex // guards what follows; taken before a Stream's mu
	streams map[uint32]*Stream
	own     uint32   // streams opened here that are in streams
	busy    uint32   // server: requests that are being handled, of streams that are still there or not
	resets  []uint32 // the last streams that were reset here; a peer that does not know yet may send more
	resetAt int      // the next place in resets
	nextID  uint32   // client: of the next stream
	lastID  uint32   // server: the highest that was taken
	slots   sync.Cond
	recv    int64  // what the peer may still send on the connection
	err     *Error // why the connection has ended
	away    *Error // the peer wants no new streams
	leaving bool   // Shutdown: no new streams
	limitID uint32 // server: streams above are not looked at; set by the last GOAWAY
	pings   map[[8]byte]chan struct{}
	pingNo  uint64
	sender
	peer peerSettings
}

// peerSettings are what the peer said in SETTINGS.
type peerSettings struct {
	known      bool
	streams    uint32 // that we may have open
	window     int64  // of a new stream
	frame      int
	connectExt bool
}

func newConn(nc net.Conn, o Options, client bool) *Conn {
	o.defaults()
	c := &Conn{nc: nc, br: o.Reader, o: o, client: client, done: make(chan struct{})}
	if c.br == nil {
		c.br = bufio.NewReaderSize(nc, readBuffer)
	}
	c.o.Reader = nil
	c.streams = make(map[uint32]*Stream)
	c.slots.L = &c.mu
	c.room.L = &c.mu
	c.conn.L = &c.mu
	c.recv = initialWindow
	c.nextID = 1
	c.limitID = maxWindow
	c.peer = peerSettings{streams: 100, window: initialWindow, frame: minFrame}
	c.window = initialWindow
	c.last.off = -1
	c.fr = http2.NewFramer(frameWriter{&c.sender}, c.br)
	c.fr.SetMaxReadFrameSize(minFrame)
	c.enc = hpack.NewEncoder(&c.hbuf)
	c.dec = hpack.NewDecoder(4096, c.emit)
	return c
}

// Server makes a connection of which the client is the peer. It sends nothing and reads nothing before Serve. It owns nc.
func Server(nc net.Conn, o Options) *Conn { return newConn(nc, o, false) }

// Client makes a connection of which the server is the peer, and starts the goroutine that reads it. It owns nc. The
// caller need not wait for the server's SETTINGS: streams may be opened at once.
func Client(nc net.Conn, o Options) *Conn {
	c := newConn(nc, o, true)
	c.start()
	go func() { c.end(c.read(nil)) }()
	return c
}

// Serve reads the connection until it ends, and calls handle in a goroutine of its own for each request. When handle
// returns the stream is closed. Serve returns when the connection has ended and every handle has returned; nil if it
// ended as it should: by the client between requests, after Shutdown, or by Close.
func (c *Conn) Serve(handle func(*Stream)) error {
	c.start()
	var handlers sync.WaitGroup
	err := c.readPreface()
	if err == nil {
		err = c.read(func(s *Stream) {
			handlers.Go(func() {
				defer c.handled(s)
				handle(s)
			})
		})
	}
	e := c.end(err)
	handlers.Wait()
	if e.Code == NoError && (e.Err == nil || e.Err == ErrClosed || e.Err == io.EOF) {
		return nil
	}
	return e
}

func (c *Conn) handled(s *Stream) {
	s.Close()
	c.mu.Lock()
	c.busy--
	c.mu.Unlock()
}

// start sends the preface.
func (c *Conn) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	settings := []http2.Setting{
		{ID: http2.SettingInitialWindowSize, Val: uint32(c.o.StreamWindow)},
		{ID: http2.SettingMaxHeaderListSize, Val: c.o.MaxHead},
	}
	if c.client {
		c.wbuf = append(c.buffer(), Preface...)
		settings = append(settings, http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	} else {
		settings = append(settings, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: c.o.MaxStreams})
		if c.o.ExtendedConnect {
			settings = append(settings, http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})
		}
	}
	c.fr.WriteSettings(settings...)
	if more := c.o.ConnWindow - initialWindow; more > 0 {
		c.fr.WriteWindowUpdate(0, uint32(more))
		c.recv += int64(more)
	}
	c.flushSoon()
	if d := c.o.KeepAlive; d > 0 {
		c.keepAlive(d)
	}
}

// keepAlive looks after d whether a frame came; if not it pings, and then gives up.
func (c *Conn) keepAlive(d time.Duration) {
	seen, pinged := c.frames.Load(), false
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		now := c.frames.Load()
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case c.err != nil:
			return
		case now != seen:
			seen, pinged = now, false
		case pinged:
			c.fail(&Error{Code: NoError, Msg: "no answer to a ping", Err: context.DeadlineExceeded})
			return
		default:
			pinged = true
			c.fr.WritePing(false, [8]byte{})
			c.flushSoon()
		}
		t.Reset(d)
	})
}

// Open sends the head of a request. It waits while the server allows no more streams. What it sends may stay in a buffer
// until Flush, or until ReadHead or Read of the connection wait; with h.End it leaves at once.
// Close must be called on the stream.
func (c *Conn) Open(ctx context.Context, h Head) (*Stream, error) {
	var f facts
	fields, err := prepare(requestHead, h.Fields, &f)
	if err != nil {
		return nil, err
	}
	s := newStream(c)
	s.headRequest, s.connect = f.method == "HEAD", f.connect()
	c.mu.Lock()
	defer c.mu.Unlock()
	var stop func() bool
	for {
		if e := c.unavailable(); e != nil {
			return nil, e
		}
		if c.own >= c.peer.streams {
			c.flush()
			if c.own < c.peer.streams || c.unavailable() != nil {
				continue
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if stop == nil && ctx.Done() != nil {
				stop = context.AfterFunc(ctx, func() {
					c.mu.Lock()
					defer c.mu.Unlock()
					c.slots.Broadcast()
				})
				defer stop()
			}
			c.slots.Wait()
			continue
		}
		if !c.waitRoom() {
			break
		}
	}
	s.id = c.nextID
	c.nextID += 2
	c.own++
	s.window = c.peer.window
	c.streams[s.id] = s
	s.sentHead = true
	c.writeHead(s, fields, h.Sensitive, h.End)
	if h.End {
		c.sent(s)
		c.flush()
	}
	return s, nil
}

// unavailable says why no stream can be opened.
func (c *Conn) unavailable() *Error {
	switch {
	case c.err != nil:
		e := *c.err
		e.Retry = true
		return &e
	case c.away != nil:
		e := *c.away
		e.Retry = true
		return &e
	case c.leaving:
		return &Error{Retry: true, Err: ErrClosed}
	case c.nextID > maxWindow:
		return &Error{Retry: true, Msg: "no stream numbers left"}
	}
	return nil
}

// Available reports whether Open would succeed without waiting.
func (c *Conn) Available() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unavailable() == nil && c.own < c.peer.streams
}

// Usable reports whether Open would succeed, perhaps after it waited for another stream to end.
func (c *Conn) Usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unavailable() == nil
}

// Streams returns how many streams are open.
func (c *Conn) Streams() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.streams)
}

// ConnectProtocol reports whether the server takes extended CONNECT (RFC 8441 §3). It waits for the server's SETTINGS.
func (c *Conn) ConnectProtocol(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.slots.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.peer.known && c.err == nil && ctx.Err() == nil {
		c.slots.Wait()
	}
	return c.peer.connectExt
}

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the connection has ended; nil while it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Ping sends a PING and waits for the answer.
func (c *Conn) Ping(ctx context.Context) error {
	ch := make(chan struct{})
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	data := c.ping(ch)
	c.mu.Unlock()
	select {
	case <-ch:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.pings, data)
		c.mu.Unlock()
		return ctx.Err()
	}
}

func (c *Conn) ping(ch chan struct{}) (data [8]byte) {
	c.pingNo++
	for i := range data {
		data[i] = byte(c.pingNo >> (8 * i))
	}
	if c.pings == nil {
		c.pings = make(map[[8]byte]chan struct{})
	}
	c.pings[data] = ch
	c.fr.WritePing(false, data)
	c.flushSoon()
	return data
}

// Shutdown ends the connection gracefully (RFC 9113 §6.8): no new streams, and when the last of those there are has ended
// the connection is closed. It waits for that; when ctx is done first it returns its error, and Close is up to the caller.
func (c *Conn) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	if c.err == nil && !c.leaving {
		c.leaving = true
		c.slots.Broadcast()
		if c.client {
			c.fr.WriteGoAway(0, NoError, nil)
			c.flushSoon()
			c.endIfIdle()
		} else {
			// Requests under way are still taken: those sent before the client answers the PING.
			c.fr.WriteGoAway(maxWindow, NoError, nil)
			ch := make(chan struct{})
			c.ping(ch)
			go c.secondGoAway(ch)
		}
	}
	c.mu.Unlock()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Conn) secondGoAway(answered <-chan struct{}) {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-answered:
	case <-t.C:
	case <-c.done:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.limitID = c.lastID
	c.fr.WriteGoAway(c.lastID, NoError, nil)
	c.flushSoon()
	c.endIfIdle()
}

// endIfIdle ends the connection if it has no streams and gets no more.
func (c *Conn) endIfIdle() {
	if len(c.streams) > 0 || c.err != nil {
		return
	}
	if c.client && (c.leaving || c.away != nil) || !c.client && c.leaving && c.limitID < maxWindow {
		c.fail(&Error{Err: ErrClosed})
	}
}

// Close ends the connection and its streams at once. It returns before the last bytes have left.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(&Error{Err: ErrClosed})
	return nil
}

// fail ends the connection, once. mu is held.
func (c *Conn) fail(e *Error) {
	if c.err != nil {
		return
	}
	c.err = e
	if e.Err == nil && !e.Remote || e.Err == ErrClosed {
		c.fr.WriteGoAway(c.lastID, e.Code, []byte(e.Msg))
	}
	for _, s := range c.streams {
		se := *e
		c.cut(s, &se, e.Err == ErrClosed)
	}
	clear(c.streams)
	c.own = 0
	c.slots.Broadcast()
	c.room.Broadcast()
	c.conn.Broadcast()
	close(c.done)
	go c.linger()
}

// linger sends what is left, a GOAWAY that says why among it, and closes the connection.
func (c *Conn) linger() {
	const patience = time.Second
	c.nc.SetWriteDeadline(time.Now().Add(patience))
	c.mu.Lock()
	for c.flushing {
		c.room.Wait()
	}
	c.flush()
	lost := c.err.Err != nil && c.err.Err != ErrClosed
	c.mu.Unlock()
	// Bytes that nobody reads would make the system reset the connection, and the peer would not see what was sent last.
	if w, ok := c.nc.(interface{ CloseWrite() error }); ok && !lost && w.CloseWrite() == nil {
		c.nc.SetReadDeadline(time.Now().Add(patience))
		io.CopyN(io.Discard, c.nc, 1<<20)
	}
	c.nc.Close()
}

// end ends the connection for what reading it returned.
func (c *Conn) end(err error) *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := err.(*Error); ok {
		c.fail(e)
	} else if c.away != nil {
		e := *c.away
		e.Err = err
		c.fail(&e)
	} else {
		c.fail(&Error{Err: err})
	}
	return c.err
}

// cut ends a stream for the peer or the connection. What was read of its body stays there unless drop. mu is held.
func (c *Conn) cut(s *Stream, e *Error, drop bool) {
	e.Stream = s.id
	if s.err == nil {
		s.err = e
	}
	s.sendEnd, s.recvEnd = true, true
	s.writers.Broadcast()
	c.conn.Broadcast()
	s.mu.Lock()
	if !s.ended && s.rerr == nil {
		s.rerr = e
	}
	if drop && !s.ended {
		c.credit.Add(int64(s.buf.drop()))
	}
	s.readers.Broadcast()
	fs := s.onDone
	s.onDone = nil
	s.gone = true
	if s.doneCh != nil {
		close(s.doneCh)
	}
	s.mu.Unlock()
	for _, f := range fs {
		go f()
	}
}

// remove takes a stream from the table. mu is held.
func (c *Conn) remove(s *Stream) {
	if c.streams[s.id] != s {
		return
	}
	delete(c.streams, s.id)
	if c.client {
		c.own--
		c.slots.Signal()
	}
	c.endIfIdle()
}

// sent and received say that END_STREAM went out or came in. mu is held.
func (c *Conn) sent(s *Stream) {
	s.sendEnd = true
	if s.recvEnd {
		c.remove(s)
	}
}

func (c *Conn) received(s *Stream) {
	s.recvEnd = true
	if s.sendEnd {
		c.remove(s)
	}
}

// reset sends RST_STREAM if the stream has not ended. mu is held.
func (c *Conn) reset(s *Stream, e *Error) {
	if c.streams[s.id] != s {
		return
	}
	c.rst(s.id, e.Code)
	c.cut(s, e, true)
	c.remove(s)
}

func (c *Conn) rst(id uint32, code Code) {
	if c.resets == nil {
		c.resets = make([]uint32, 256)
	}
	c.resets[c.resetAt] = id
	c.resetAt = (c.resetAt + 1) % len(c.resets)
	c.fr.WriteRSTStream(id, code)
}

// prepare checks a head that is to be sent. Names are made lower case (a copy).
func prepare(kind headKind, fields []flowfile.Field, f *facts) ([]flowfile.Field, error) {
	msg := check(kind, fields, false, f)
	if msg != "" {
		fields = lower(fields)
		msg = check(kind, fields, false, f)
	}
	if msg != "" {
		return nil, errors.New("http2: head cannot be sent: " + msg)
	}
	return fields, nil
}

func lower(fields []flowfile.Field) []flowfile.Field {
	out := make([]flowfile.Field, len(fields))
	for i, f := range fields {
		out[i] = flowfile.Field{Name: string(bytes.ToLower([]byte(f.Name))), Value: f.Value}
	}
	return out
}

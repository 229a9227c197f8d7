package live

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
	"flowkit/live/internal/http2"
	"flowkit/replay"
)

// clientSide is the client's half of an exchange, of either version of HTTP. Heads and bodies are written in order; what
// is written may wait until flush, finish, or a read of the same side.
type clientSide interface {
	// next returns bytes of the request's body, valid until the next call; io.EOF ends it.
	next() ([]byte, error)
	ready() bool   // next would not wait
	arrived() bool // all of the body can be had without waiting
	trailers() []flowfile.Field
	// unread wakes next, which fails from then on.
	unread()
	// head begins a response, or tells an interim one. Its framing is that of the other side; end: nothing follows.
	head(h *http1.ResponseHead, end bool) error
	write(p []byte) error
	flush() error
	finish(trailers []flowfile.Field) error
}

// serverSide is the server's half.
type serverSide interface {
	head(r *flowfile.Request, f http1.Framing) error
	write(p []byte) error
	flush() error
	finish(trailers []flowfile.Field) error
	readHead() (*http1.ResponseHead, error)
	next() ([]byte, error)
	ready() bool
	trailers() []flowfile.Field
	cancel()         // wakes whoever waits for the server
	done(whole bool) // the exchange is over; whole: the connection may be used again
}

// exchange is one request and what becomes of it.
type exchange struct {
	c    *clientConn
	in   clientSide
	key  serverKey // where the request goes unless a handler sends it elsewhere
	flow *flowfile.Flow
	req  *flowfile.Request
	resp *flowfile.Response // the server's; a handler may have put another into the flow

	framing http1.Framing // of the request's body, as it came
	expect  bool          // the client waits for 100
	pseudo  []string      // names of the pseudo-header fields, in the client's order
	upgrade string
	// sensitive are names of fields that HTTP/2 must not put into its tables.
	sensitive []string

	// What goes to the server: first held, then, if more is set, what comes from the client.
	held flowfile.Body
	more bool
	send func(p []byte, end bool) ([]byte, error) // a handler's chunk function; nil: none

	vanished atomic.Bool // the client closed its connection meanwhile

	mu       sync.Mutex // of what follows: request and response go by at the same time
	up       serverSide // whom the request goes to
	open     OpenFlow
	tapes    [2]tape
	asked    bool         // the request event was fired
	answered bool         // the head of the response went to the client
	reusable bool         // the client's connection may have another request
	switched func() error // what the connection is used for after a 101
}

// tape is what is kept of one body.
type tape struct {
	buf   []byte
	total int64 // bytes that went by
	kept  int64 // of them recorded
	whole bool
}

const (
	// holdBody is how much of a body is kept in memory; beyond, it is recorded while it goes by.
	holdBody = 1 << 20
	// openAfter is when a body that still goes on is recorded while it does, however short.
	openAfter = time.Second
)

// run takes the exchange from the request's head to its record. It reports whether the client's connection is fit for
// another one.
func (x *exchange) run() {
	f := x.flow
	err := x.talk()
	if err == nil && x.switched != nil {
		err = x.switched()
	}
	if err != nil {
		x.reusable = false
		x.failed(err)
	}
	if f.Error() != nil {
		x.fire(&replay.Event{Hook: replay.Error})
	}
	x.record(err)
}

// talk is the exchange itself. An error is what kept it from its end.
func (x *exchange) talk() error {
	if err := x.takeRequest(); err != nil {
		return err
	}
	if replay.IsKilled(x.flow) {
		return errKilled
	}
	if x.flow.Response() != nil {
		return x.answer(nil)
	}
	return x.forward()
}

func (x *exchange) fire(e *replay.Event) {
	e.Flow = x.flow
	x.c.p.fire(x.c.ctx, e)
}

// errors of exchanges that end early.
var (
	errKilled     error = killedError{}
	errClientGone       = errors.New("client disconnected")
	errStopped          = errors.New("the proxy was stopped")
)

// whyGone tells why the client's connection ended under the exchange.
func (x *exchange) whyGone() error {
	switch {
	case replay.IsKilled(x.flow):
		return errKilled
	case x.c.ctx.Err() != nil && x.c.p.draining.Load():
		return errStopped
	}
	return errClientGone
}

// killedError is a flow that a handler has killed.
type killedError struct{}

func (killedError) Error() string { return replay.Killed }

// takeRequest announces the request and reads as much of its body as must be known before a server is asked.
func (x *exchange) takeRequest() error {
	p := x.c.p
	var chunk *replay.Stream
	if p.wants(replay.RequestHeaders) {
		chunk = &replay.Stream{}
		x.fire(&replay.Event{Hook: replay.RequestHeaders, Stream: chunk})
		if replay.IsKilled(x.flow) {
			return nil
		}
		if x.flow.Response() != nil && chunk.Chunk == nil && !p.wants(replay.Request) {
			return x.skipRequest()
		}
	}
	body := x.framing.Kind != http1.None
	x.more = body
	hold := p.wants(replay.Request) && (chunk == nil || !chunk.On && chunk.Chunk == nil) && !x.tooLong(x.framing)
	switch {
	case !body:
		x.setRequestBody(flowfile.BytesBody(nil))
	case hold:
		if x.expect {
			x.expect = false
			if err := x.interim(&http1.ResponseHead{Version: "HTTP/1.1", Status: 100, Reason: "Continue"}); err != nil {
				return err
			}
		}
		b, whole, err := x.hold(x.in.next, flowfile.BodyRequest)
		if err != nil {
			return clientError(err)
		}
		x.held, x.more = b, !whole
		if whole {
			x.setRequestBody(b)
			break
		}
		record := func(b []byte) error {
			x.tape(flowfile.BodyRequest, b)
			return nil
		}
		if err := writeBody(b, record); err != nil {
			return err
		}
	case chunk != nil && chunk.Chunk != nil:
		x.send = func(b []byte, end bool) ([]byte, error) { return chunk.Chunk(x.c.ctx, b, end) }
	case x.in.arrived() && !x.expect:
		// Small and here: it can be sent again if the server's connection turns out to be dead.
		var b []byte
		for {
			piece, err := x.in.next()
			b = append(b, piece...)
			if err == io.EOF {
				break
			}
			if err != nil {
				return clientError(err)
			}
		}
		x.held, x.more = flowfile.BytesBody(b), false
		x.tape(flowfile.BodyRequest, b)
		x.tapes[flowfile.BodyRequest].whole = true
		x.req.SetEnd(now())
		x.setTrailers()
	}
	if !x.more {
		x.askHandlers()
	}
	return nil
}

// skipRequest reads over a body that nobody will have.
func (x *exchange) skipRequest() error {
	if x.framing.Kind == http1.None {
		x.setRequestBody(flowfile.BytesBody(nil))
		return nil
	}
	if x.expect {
		x.expect, x.reusable = false, false // the client was not told to send it
		return nil
	}
	for {
		b, err := x.in.next()
		x.tape(flowfile.BodyRequest, b)
		if err == io.EOF {
			x.tapes[flowfile.BodyRequest].whole = true
			x.req.SetEnd(now())
			return nil
		}
		if err != nil {
			return clientError(err)
		}
	}
}

func (x *exchange) setRequestBody(b flowfile.Body) {
	x.req.InitBody(b)
	x.req.SetEnd(now())
	x.setTrailers()
	x.tapes[flowfile.BodyRequest].whole = true
}

func (x *exchange) setTrailers() {
	if t := x.in.trailers(); len(t) > 0 {
		h := flowfile.NewHeaders(t)
		x.req.SetTrailers(&h)
	}
}

// askHandlers fires the request event, once.
func (x *exchange) askHandlers() {
	x.mu.Lock()
	first := !x.asked
	x.asked = true
	x.mu.Unlock()
	if !first || !x.c.p.wants(replay.Request) {
		return
	}
	x.fire(&replay.Event{Hook: replay.Request})
	if r := x.flow.Request(); r != nil {
		x.req = r
		if b := r.Body(); !x.more && b.State() != flowfile.BodyAbsent { // one that is streamed is not in the flow
			x.held = b
		}
	}
}

// tooLong tells whether a body is not to be held for handlers.
func (x *exchange) tooLong(f http1.Framing) bool {
	limit := x.c.p.o.Stream
	return limit > 0 && f.Kind == http1.Length && f.Length > limit
}

// hold reads a body for handlers: in memory, and beyond holdBody in the spool. It stops, not whole, behind the limit of
// Options.Stream.
func (x *exchange) hold(next func() ([]byte, error), part int) (b flowfile.Body, whole bool, err error) {
	var mem []byte
	var w *flowfile.SpoolWriter
	limit := x.c.p.o.Stream
	for n := int64(0); ; {
		piece, err := next()
		n += int64(len(piece))
		if w == nil && len(mem)+len(piece) > holdBody {
			// A spool of its own: its file goes when the flow does.
			w = x.c.p.newSpool().NewWriter()
			if _, err := w.Write(mem); err != nil {
				return b, false, err
			}
			mem = nil
		}
		if w == nil {
			mem = append(mem, piece...)
		} else if _, err := w.Write(piece); err != nil {
			return b, false, err
		}
		whole = err == io.EOF
		if err != nil && !whole {
			x.tape(part, mem)
			return b, false, err
		}
		if whole || limit > 0 && n > limit {
			break
		}
	}
	if w != nil {
		return flowfile.ContentBody(w.Content()), whole, nil
	}
	return flowfile.BytesBody(mem), whole, nil
}

// uploadGrace is how long the goroutine that sends a body may need to see its end when the answer is there already.
const uploadGrace = 100 * time.Millisecond

// maxTries is how many connections a request may need.
const maxTries = 4

// newSpool returns a spool for what handlers hold of one flow, and what does not fit in memory.
func (p *Proxy) newSpool() *flowfile.Spool {
	return &flowfile.Spool{Dir: p.o.TempDir, Memory: holdBody}
}

// forward asks a server and passes its answer on.
func (x *exchange) forward() error {
	key, err := x.route()
	if err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		s, err := x.c.servers.get(key, x.alpn())
		if err != nil {
			var d *dialError
			if errors.As(err, &d) {
				x.flow.SetServer(d.info)
			}
			if x.c.ctx.Err() != nil {
				return x.whyGone()
			}
			return err
		}
		again, err := x.ask(s)
		if !again || tries >= maxTries {
			return err
		}
	}
}

func (x *exchange) alpn() []string {
	if x.c.client().ALPN == "h2" && !x.c.p.o.NoHTTP2 {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// route tells which server gets the request. Handlers may have changed its place.
func (x *exchange) route() (serverKey, error) {
	r := x.flow.Request()
	if r == nil {
		return serverKey{}, errors.New("a script took the request away")
	}
	key := serverKey{host: r.Host(), port: r.Port(), tls: r.Scheme() == "https"}
	switch {
	case key.host == x.key.host && key.port == x.key.port && key.tls == x.key.tls:
		key.sni = x.key.sni
	case key.host == "" || key.port == 0:
		return key, fmt.Errorf("the request names no server")
	}
	key.plain = x.c.mode.Kind == Upstream && !key.tls
	return key, nil
}

// ask makes the exchange with one server. Again: the connection was an old one that had died, and nothing is lost by trying another.
func (x *exchange) ask(s *serverConn) (again bool, err error) {
	old := s.used
	s.used = true
	x.flow.SetServer(s.info)
	up, err := s.side(x)
	if err != nil {
		return http2.Retryable(err), err
	}
	x.mu.Lock()
	x.up = up
	x.mu.Unlock()
	uploaded, err := x.upload(up)
	watched := func() {}
	if _, ok := x.in.(*http1Client); ok && uploaded == nil {
		watched = x.c.watch(func() {
			x.vanished.Store(true)
			up.cancel()
		})
	}
	var h *http1.ResponseHead
	if err == nil {
		h, err = x.responseHead(up)
	}
	if err != nil {
		watched()
		vanished := x.vanished.Load() // before unread, which ends a stream
		up.done(false)
		if uploaded != nil {
			var c *sideError
			select {
			case uerr := <-uploaded:
				if errors.As(uerr, &c) {
					return false, uerr // the client's fault, not the server's
				}
			default:
				x.in.unread()
				<-uploaded
			}
		}
		if x.c.ctx.Err() != nil || vanished {
			return false, x.whyGone()
		}
		return uploaded == nil && (old && isGone(err) && idempotent(x.flow.Request().Method()) || http2.Retryable(err)), serverError(err)
	}
	err = x.download(up, h)
	watched()
	if err != nil {
		up.cancel()
		if x.c.ctx.Err() != nil || x.vanished.Load() {
			err = x.whyGone()
		}
	}
	if uploaded != nil {
		whole := false
		timer := time.NewTimer(uploadGrace)
		select {
		case uerr := <-uploaded:
			whole = uerr == nil
		case <-timer.C:
			if x.switched == nil {
				// The server has answered without having read all.
				x.in.unread()
				up.cancel()
				<-uploaded
			}
		}
		timer.Stop()
		if !whole {
			x.reusable = false
			up.done(false)
			return false, err
		}
	}
	if x.switched == nil {
		up.done(err == nil)
	}
	return false, err
}

// idempotent tells whether a request may be sent again of which it is not known what became (RFC 9110 §9.2.2).
func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// isGone tells whether a server closed a connection before it answered.
func isGone(err error) bool {
	return errors.Is(err, io.EOF) || isReset(err)
}

// upload sends the request. If its body is still to come, it goes on in another goroutine, which tells its end.
func (x *exchange) upload(up serverSide) (<-chan error, error) {
	f := x.framing
	if !x.more {
		f = x.heldFraming()
	} else if x.send != nil && f.Kind == http1.Length {
		f = http1.Framing{Kind: http1.Chunked} // its length is not known any more
	}
	if err := up.head(x.flow.Request(), f); err != nil {
		return nil, err
	}
	err := writeBody(x.held, up.write)
	if err == nil && !x.more {
		err = up.finish(trailersOf(&x.req.Message))
	}
	if err != nil && isReset(err) && f.Kind != http1.None {
		// A server that wants no more may have answered.
		done := make(chan error, 1)
		done <- err
		return done, nil
	}
	if err != nil || !x.more {
		return nil, err
	}
	if x.expect {
		if err := up.flush(); err != nil {
			return nil, err
		}
	}
	done := make(chan error, 1)
	go func() {
		err := x.uploadRest(up)
		if err != nil {
			var c *sideError
			if errors.As(err, &c) {
				up.cancel() // nobody will have the response
			}
		}
		done <- err
	}()
	return done, nil
}

// sideError is an error of the client's side.
type sideError struct{ err error }

func (e *sideError) Error() string { return e.err.Error() }
func (e *sideError) Unwrap() error { return e.err }

func clientError(err error) error {
	var bad *http1.Error
	if errors.As(err, &bad) {
		return &sideError{err}
	}
	return &sideError{fmt.Errorf("%w: %w", errClientGone, err)}
}

func serverError(err error) error {
	var bad *http1.Error
	switch {
	case errors.As(err, &bad):
		return fmt.Errorf("the server's answer is refused: %s", bad.Msg)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("the server did not answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server closed the connection without a full answer")
	}
	return fmt.Errorf("server: %w", err)
}

func (x *exchange) uploadRest(up serverSide) error {
	for {
		if !x.in.ready() {
			if err := up.flush(); err != nil {
				return err
			}
		}
		b, err := x.in.next()
		last := err == io.EOF
		if err != nil && !last {
			return clientError(err)
		}
		if x.send != nil {
			if b, err = x.chunked(x.send, b, last); err != nil {
				return &sideError{err}
			}
		}
		x.tape(flowfile.BodyRequest, b)
		if len(b) > 0 {
			if err := up.write(b); err != nil {
				return err
			}
		}
		if last {
			x.mu.Lock()
			x.tapes[flowfile.BodyRequest].whole = true
			x.req.SetEnd(now())
			x.setTrailers()
			x.mu.Unlock()
			return up.finish(x.in.trailers())
		}
	}
}

// chunked puts bytes through a handler's function; the end is a call of its own.
func (x *exchange) chunked(f func([]byte, bool) ([]byte, error), b []byte, last bool) (out []byte, err error) {
	if len(b) > 0 {
		if out, err = f(b, false); err != nil {
			return nil, err
		}
	}
	if last {
		end, err := f(nil, true)
		if err != nil {
			return nil, err
		}
		out = append(out[:len(out):len(out)], end...)
	}
	return out, nil
}

// heldFraming is how a body goes on that is known whole: as it came, unless a handler changed it.
func (x *exchange) heldFraming() http1.Framing {
	n := x.held.Size()
	switch {
	case x.framing.Kind == http1.None && n <= 0:
		return x.framing
	case x.framing.Kind == http1.Chunked && len(trailersOf(&x.req.Message)) > 0:
		return x.framing
	case x.framing.Kind == http1.Chunked && x.req.Headers().Get("Transfer-Encoding") != "":
		return x.framing
	}
	return http1.Framing{Kind: http1.Length, Length: max(n, 0)}
}

func trailersOf(m *flowfile.Message) []flowfile.Field {
	if t := m.Trailers(); t != nil {
		return t.Fields()
	}
	return nil
}

// writeBody writes a body that is known whole.
func writeBody(b flowfile.Body, write func([]byte) error) error {
	if b.Content() == nil {
		data, err := b.Bytes(-1)
		if err != nil || len(data) == 0 {
			return err
		}
		return write(data)
	}
	r, err := b.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := r.Read(*buf)
		if n > 0 {
			if err := write((*buf)[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// responseHead returns the final head, and passes interim ones on.
func (x *exchange) responseHead(up serverSide) (*http1.ResponseHead, error) {
	for {
		h, err := up.readHead()
		if err != nil {
			return nil, err
		}
		if h.Status >= 200 || h.Status == 101 {
			return h, nil
		}
		if err := x.interim(h); err != nil {
			return nil, err
		}
	}
}

func (x *exchange) interim(h *http1.ResponseHead) error {
	if err := x.in.head(h, false); err != nil {
		return clientError(err)
	}
	if err := x.in.flush(); err != nil {
		return clientError(err)
	}
	return nil
}

// download passes the response on.
func (x *exchange) download(up serverSide, h *http1.ResponseHead) error {
	p := x.c.p
	x.askHandlers() // of a body that was not held
	resp := flowfile.NewResponse(flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{Version: h.Version, Headers: h.Fields, Start: now()},
		Status:      h.Status, Reason: h.Reason,
	})
	x.resp = resp
	x.mu.Lock()
	x.flow.SetResponse(resp)
	x.mu.Unlock()
	if h.Status == 101 {
		return x.upgraded(up, h)
	}
	var chunk *replay.Stream
	if p.wants(replay.ResponseHeaders) {
		chunk = &replay.Stream{}
		x.fire(&replay.Event{Hook: replay.ResponseHeaders, Stream: chunk})
		if replay.IsKilled(x.flow) {
			return errKilled
		}
	}
	if h.Body.Kind == http1.None {
		resp.InitBody(flowfile.BytesBody(nil))
		resp.SetEnd(now())
		x.tapes[flowfile.BodyResponse].whole = true
		x.fire(&replay.Event{Hook: replay.Response})
		return x.answer(h)
	}
	streamed := chunk != nil && (chunk.On || chunk.Chunk != nil)
	if p.wants(replay.Response) && !streamed && !x.tooLong(h.Body) && !isEventStream(h.Fields) {
		return x.downloadHeld(up, h, resp)
	}
	var through func([]byte, bool) ([]byte, error)
	if chunk != nil && chunk.Chunk != nil {
		through = func(b []byte, end bool) ([]byte, error) { return chunk.Chunk(x.c.ctx, b, end) }
	}
	return x.stream(up, h, flowfile.Body{}, through)
}

// isEventStream: such a response has no end that one could wait for.
func isEventStream(fields []flowfile.Field) bool {
	v, _ := http1.Get(fields, "Content-Type")
	return len(v) >= 17 && flowfile.EqualFold(v[:17], "text/event-stream")
}

// downloadHeld waits for all of the body, so that handlers see and may change it.
func (x *exchange) downloadHeld(up serverSide, h *http1.ResponseHead, resp *flowfile.Response) error {
	b, whole, err := x.hold(up.next, flowfile.BodyResponse)
	if err != nil {
		x.tapes[flowfile.BodyResponse].whole = false
		return serverError(err)
	}
	if !whole {
		return x.stream(up, h, b, nil)
	}
	resp.InitBody(b)
	resp.SetEnd(now())
	if t := up.trailers(); len(t) > 0 {
		th := flowfile.NewHeaders(t)
		resp.SetTrailers(&th)
	}
	x.tapes[flowfile.BodyResponse].whole = true
	x.fire(&replay.Event{Hook: replay.Response})
	if replay.IsKilled(x.flow) {
		return errKilled
	}
	return x.answer(h)
}

// answer sends the flow's response, which is known whole. h is its head as the server sent it, nil if a handler made it.
func (x *exchange) answer(h *http1.ResponseHead) error {
	resp := x.flow.Response()
	if resp == nil {
		return errors.New("a script took the response away")
	}
	if h == nil {
		// Handlers see their own answer, too.
		if resp.Start() == 0 {
			resp.SetStart(now())
		}
		x.fire(&replay.Event{Hook: replay.ResponseHeaders, Stream: &replay.Stream{}})
		x.fire(&replay.Event{Hook: replay.Response})
		if resp = x.flow.Response(); resp == nil || replay.IsKilled(x.flow) {
			return errKilled
		}
		if resp.End() == 0 {
			resp.SetEnd(now())
		}
		x.tapes[flowfile.BodyResponse].whole = true
	}
	body := resp.Body()
	out, err := x.outHead(resp, h, body.Size())
	if err != nil {
		return err
	}
	empty := out.Body.Kind == http1.None
	x.answered = true
	if err := x.in.head(out, empty); err != nil {
		return clientError(err)
	}
	if empty {
		x.closeAfter(out)
		return nil
	}
	if err := writeBody(body, x.in.write); err != nil {
		return clientError(err)
	}
	if err := x.in.finish(trailersOf(&resp.Message)); err != nil {
		return clientError(err)
	}
	x.closeAfter(out)
	return nil
}

// outHead is the head of a response as it goes to the client. size is that of its body, -1 if it is not known; the
// framing follows it where a handler changed the body.
func (x *exchange) outHead(resp *flowfile.Response, h *http1.ResponseHead, size int64) (*http1.ResponseHead, error) {
	if h != nil && resp == x.resp && resp.Changed() == 0 {
		return h, nil
	}
	version := resp.Version()
	if h != nil {
		version = h.Version
	}
	out := &http1.ResponseHead{Version: version, Status: resp.Status(), Reason: resp.Reason(), Fields: resp.Headers().Fields()}
	if out.Version != "HTTP/1.0" {
		out.Version = "HTTP/1.1" // of HTTP/2, too: its side of the exchange does not look
	}
	method := x.req.Method()
	if err := out.Frame(method); err != nil {
		return nil, fmt.Errorf("the script's response cannot be sent: %w", err)
	}
	if size >= 0 && (out.Body.Kind == http1.Length && out.Body.Length != size || out.Body.Kind == http1.UntilClose) {
		hs := flowfile.NewHeaders(append([]flowfile.Field(nil), out.Fields...))
		hs.Set("Content-Length", fmt.Sprint(size))
		out.Fields = hs.Fields()
		if err := out.Frame(method); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// closeAfter notes whether the response ends the client's connection.
func (x *exchange) closeAfter(h *http1.ResponseHead) {
	if h.Close || h.Body.Kind == http1.UntilClose {
		x.reusable = false
	}
}

// stream passes a body on as it comes, behind what was held of it.
func (x *exchange) stream(up serverSide, h *http1.ResponseHead, held flowfile.Body, through func([]byte, bool) ([]byte, error)) error {
	resp := x.flow.Response()
	out, err := x.outHead(resp, h, -1)
	if err != nil {
		return err
	}
	if through != nil && out.Body.Kind == http1.Length {
		// The length is not known any more.
		hs := flowfile.NewHeaders(append([]flowfile.Field(nil), out.Fields...))
		hs.Del("Content-Length")
		out = &http1.ResponseHead{Version: out.Version, Status: out.Status, Reason: out.Reason, Fields: hs.Fields()}
		out.Body, out.Close = http1.Framing{Kind: http1.UntilClose}, h.Close
		if out.Version == "HTTP/1.1" {
			out.Body.Kind = http1.Chunked
		}
	}
	x.answered = true
	if err := x.in.head(out, false); err != nil {
		return clientError(err)
	}
	t := &x.tapes[flowfile.BodyResponse]
	if n := out.Body.Length; out.Body.Kind == http1.Length && n <= holdBody && x.c.p.keepsBodies() {
		t.buf = make([]byte, 0, n)
	}
	pass := func(b []byte) error {
		x.tape(flowfile.BodyResponse, b)
		if err := x.in.write(b); err != nil {
			return clientError(err)
		}
		return nil
	}
	if err := writeBody(held, pass); err != nil {
		return err
	}
	for {
		if !up.ready() {
			if err := x.in.flush(); err != nil {
				return clientError(err)
			}
		}
		b, err := up.next()
		last := err == io.EOF
		if err != nil && !last {
			return serverError(err)
		}
		if through != nil {
			if b, err = x.chunked(through, b, last); err != nil {
				return err
			}
		}
		if len(b) > 0 {
			if err := pass(b); err != nil {
				return err
			}
		}
		if last {
			break
		}
	}
	trailers := up.trailers()
	x.mu.Lock()
	t.whole = true
	resp.SetEnd(now())
	if len(trailers) > 0 {
		th := flowfile.NewHeaders(trailers)
		resp.SetTrailers(&th)
	}
	x.mu.Unlock()
	if err := x.in.finish(trailers); err != nil {
		return clientError(err)
	}
	x.closeAfter(out)
	if x.c.p.wants(replay.Response) {
		x.fire(&replay.Event{Hook: replay.Response})
	}
	return nil
}

// keepsBodies tells whether anybody wants the bodies that go by.
func (p *Proxy) keepsBodies() bool { return p.o.Recorder != nil }

// tape keeps bytes of a body that go by.
func (x *exchange) tape(part int, b []byte) {
	if !x.c.p.keepsBodies() || len(b) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	t := &x.tapes[part]
	t.total += int64(len(b))
	if limit := x.c.p.o.MaxBody; limit > 0 {
		b = b[:max(min(int64(len(b)), limit-t.kept), 0)]
	}
	t.kept += int64(len(b))
	if x.open == nil && (len(t.buf)+len(b) > holdBody || time.Since(x.req.Start().Time()) > openAfter) {
		x.openRecord()
	}
	if x.open != nil {
		x.open.Part(part, b)
		return
	}
	t.buf = append(t.buf, b...)
}

// openRecord begins to record the flow while it goes on.
func (x *exchange) openRecord() {
	x.open = x.c.p.openRecord(x.flow)
	if x.open == nil {
		x.open = noRecord{}
	}
	for part := range x.tapes {
		if t := &x.tapes[part]; len(t.buf) > 0 {
			x.open.Part(part, t.buf)
			t.buf = nil
		}
	}
}

// noRecord is a flow that is not recorded.
type noRecord struct{}

func (noRecord) Part(int, []byte)        {}
func (noRecord) Message(*flowfile.Msg)   {}
func (noRecord) End(*flowfile.Flow, End) {}

// failed puts an error into the flow, and tells the client if that is still possible.
func (x *exchange) failed(err error) {
	f := x.flow
	if f.Error() == nil {
		f.SetError(&flowfile.Error{Msg: err.Error(), Time: now()})
	}
	var c *sideError
	var bad *http1.Error
	isBad := errors.As(err, &bad)
	if x.answered || errors.As(err, &c) && !isBad || errors.Is(err, errKilled) || errors.Is(err, errClientGone) || errors.Is(err, errStopped) {
		return
	}
	h, body := errorPage(err, x.req)
	if isBad && bad.Status < 500 {
		h, body = page(bad.Status, "flowkit refused the request", bad.Msg)
	}
	if h.Frame(x.req.Method()) != nil || x.in.head(h, h.Body.Kind == http1.None) != nil {
		return
	}
	if h.Body.Kind != http1.None && x.in.write(body) != nil {
		return
	}
	_ = x.in.finish(nil)
}

// trim cuts a body that was held for handlers to what is recorded of it.
func (p *Proxy) trim(m *flowfile.Message) {
	b, limit := m.Body(), p.o.MaxBody
	if limit <= 0 || b.State() != flowfile.BodyPresent || b.Size() <= limit {
		return
	}
	r, err := b.Open()
	if err != nil {
		return // the recorder will say so
	}
	defer r.Close()
	first := make([]byte, limit)
	if _, err := io.ReadFull(r, first); err != nil {
		return
	}
	m.InitBody(flowfile.BytesBody(first).Truncate(b.Size()))
}

// record hands the flow to the recorder.
func (x *exchange) record(err error) {
	f := x.flow
	var e End
	x.mu.Lock()
	defer x.mu.Unlock()
	messages := [2]*flowfile.Message{&x.req.Message}
	if r := f.Response(); r != nil {
		messages[1] = &r.Message
	}
	for part, m := range messages {
		t := &x.tapes[part]
		if m == nil {
			continue
		}
		cut := !t.whole || t.kept < t.total
		if cut {
			e.Cut[part] = -1
			if t.whole {
				e.Cut[part] = t.total
			}
		}
		if m.Body().State() == flowfile.BodyAbsent && (t.buf != nil || t.whole) {
			b := flowfile.BytesBody(t.buf)
			if cut {
				b = b.Truncate(e.Cut[part])
			}
			m.InitBody(b)
		} else if x.open == nil {
			x.c.p.trim(m)
		}
	}
	open := x.open
	if _, no := open.(noRecord); no {
		f.Drop()
		open = nil
	}
	e.Incomplete = err != nil && x.c.ctx.Err() != nil && x.c.p.draining.Load()
	size := x.tapes[flowfile.BodyResponse].total
	if size == 0 && messages[1] != nil {
		size = max(messages[1].Body().Size(), 0)
	}
	x.c.p.record(f, open, e, size)
}

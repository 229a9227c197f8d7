package live

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
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
	// next is that of clientSide. It may put the bytes into room, which saves a copy; nil: wherever it likes.
	next(room []byte) ([]byte, error)
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

	killed   atomic.Bool                // from outside an event: see Proxy.Kill
	vanished atomic.Bool                // the client closed its connection meanwhile
	up       atomic.Pointer[serverSide] // whom the request goes to

	asking sync.Once // the request event

	turn     sync.Mutex // of the flow: a handler has it, or the goroutine of an upload touches it; locked behind mu
	mu       sync.Mutex // of what follows: request and response go by at the same time
	open     OpenFlow
	tapes    [2]tape
	answered bool         // the head of the response went to the client
	told     bool         // the response event was fired
	reusable bool         // the client's connection may have another request
	switched func() error // what the connection is used for after a 101
}

// run takes the exchange from the request's head to its record.
func (x *exchange) run() {
	f := x.flow
	if p := x.c.p; p.o.Handler != nil {
		p.conversations.Store(f.ID(), x)
		defer p.conversations.Delete(f.ID())
	}
	err := x.talk()
	if err == nil && x.switched != nil {
		err = x.switched()
	}
	if err != nil {
		x.reusable = false
		x.failed(err)
	}
	if f.Error() != nil && !x.told { // a flow has one or the other
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
	x.turn.Lock()
	defer x.turn.Unlock()
	e.Flow = x.flow
	x.c.p.fire(x.c.ctx, e)
}

// tell fires the response event.
func (x *exchange) tell() {
	x.told = true
	x.fire(&replay.Event{Hook: replay.Response})
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
	case replay.IsKilled(x.flow), x.killed.Load():
		return errKilled
	case x.c.ctx.Err() != nil && x.c.p.draining.Load():
		return errStopped
	}
	return errClientGone
}

// kill ends the exchange, whatever it waits for.
func (x *exchange) kill() {
	x.killed.Store(true)
	h2, ok := x.in.(*http2Client)
	if !ok {
		x.c.cut()
		return
	}
	h2.s.Reset(http2.Cancel)
	if up := x.up.Load(); up != nil {
		(*up).cancel()
	}
}

// killedError is a flow that a handler has killed.
type killedError struct{}

func (killedError) Error() string { return replay.Killed }

// maxTries is how many connections a request may need.
const maxTries = 4

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
	old := s.used.Swap(true)
	x.flow.SetServer(s.info)
	up, err := s.side(x)
	if err != nil {
		return http2.Retryable(err), err
	}
	x.up.Store(&up)
	uploaded, err := x.upload(up)
	if c := (*sideError)(nil); errors.As(err, &c) {
		up.done(false)
		return false, err
	}
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
		vanished := x.vanished.Load() || x.killed.Load() // before unread, which ends a stream
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
		if x.c.ctx.Err() != nil || x.vanished.Load() || x.killed.Load() {
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

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
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

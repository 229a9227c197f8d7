package live

import (
	"errors"
	"io"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
	"flowkit/replay"
)

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

// askHandlers fires the request event, once: when the request's body has gone by, or before the events of a response that
// was faster. It returns when the event is over, whoever fired it.
func (x *exchange) askHandlers() { x.asking.Do(x.askThem) }

func (x *exchange) askThem() {
	if !x.c.p.wants(replay.Request) {
		return
	}
	x.fire(&replay.Event{Hook: replay.Request})
	if r := x.flow.Request(); r != nil {
		x.mu.Lock()
		x.req = r
		x.mu.Unlock()
		if b := r.Body(); !x.more && b.State() != flowfile.BodyAbsent { // one that is streamed is not in the flow
			x.held = b
		}
	}
}

// uploadGrace is how long the goroutine that sends a body may need to see its end when the answer is there already.
const uploadGrace = 100 * time.Millisecond

// upload sends the request. If its body is still to come, it goes on in another goroutine, which tells its end.
func (x *exchange) upload(up serverSide) (<-chan error, error) {
	f := x.framing
	if !x.more {
		f = x.heldFraming()
	} else if x.send != nil && f.Kind == http1.Length {
		f = http1.Framing{Kind: http1.Chunked} // its length is not known any more
	}
	if err := up.head(x.flow.Request(), f); err != nil {
		return nil, requestError(err)
	}
	err := writeBody(x.held, up.write)
	if err == nil && !x.more {
		err = requestError(up.finish(trailersOf(&x.req.Message)))
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
		done <- err // first, so that the cause is known to whom cancel wakes
		if errors.Is(err, errClientGone) {
			x.vanished.Store(true)
		}
		var c *sideError
		if errors.As(err, &c) {
			up.cancel() // nobody will have the response
		}
	}()
	return done, nil
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
			x.turn.Lock()
			x.tapes[flowfile.BodyRequest].whole = true
			x.req.SetEnd(now())
			x.setTrailers()
			x.turn.Unlock()
			x.mu.Unlock()
			x.askHandlers()
			if replay.IsKilled(x.flow) {
				return &sideError{errKilled}
			}
			return requestError(up.finish(trailersOf(&x.req.Message)))
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

// requestError tells a request that cannot be sent from what is wrong with the server.
func requestError(err error) error {
	var bad *http1.Error
	if errors.As(err, &bad) {
		return &sideError{err}
	}
	return err
}

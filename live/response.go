package live

import (
	"errors"
	"fmt"
	"io"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
	"flowkit/replay"
)

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
		x.setResponseBody(resp, flowfile.BytesBody(nil), nil)
		x.tell()
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

// setResponseBody sets a body that is known whole.
func (x *exchange) setResponseBody(resp *flowfile.Response, b flowfile.Body, trailers []flowfile.Field) {
	x.mu.Lock()
	resp.InitBody(b)
	x.mu.Unlock()
	x.endResponse(resp, trailers)
}

// endResponse notes that all of a response is here. The request may still be going by, and the flow be looked at.
func (x *exchange) endResponse(resp *flowfile.Response, trailers []flowfile.Field) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tapes[flowfile.BodyResponse].whole = true
	resp.SetEnd(now())
	if len(trailers) > 0 {
		h := flowfile.NewHeaders(trailers)
		resp.SetTrailers(&h)
	}
}

// isEventStream: such a response has no end that one could wait for.
func isEventStream(fields []flowfile.Field) bool {
	v, _ := http1.Get(fields, "Content-Type")
	return len(v) >= 17 && flowfile.EqualFold(v[:17], "text/event-stream")
}

// downloadHeld waits for all of the body, so that handlers see and may change it.
func (x *exchange) downloadHeld(up serverSide, h *http1.ResponseHead, resp *flowfile.Response) error {
	b, whole, err := x.hold(func() ([]byte, error) { return up.next(nil) }, flowfile.BodyResponse)
	if err != nil {
		x.tapes[flowfile.BodyResponse].whole = false
		return serverError(err)
	}
	if !whole {
		return x.stream(up, h, b, nil)
	}
	x.setResponseBody(resp, b, up.trailers())
	x.tell()
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
		x.tell()
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
	if n := out.Body.Length; out.Body.Kind == http1.Length && n <= holdBody && x.c.p.keepsBodies() {
		x.mu.Lock()
		x.tapes[flowfile.BodyResponse].buf = make([]byte, 0, n)
		x.mu.Unlock()
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
	var room room
	defer room.done()
	for {
		if !up.ready() {
			if err := x.in.flush(); err != nil {
				return clientError(err)
			}
		}
		var into []byte
		if through == nil { // what it returns may lie in what it was given
			into = room.of(x)
		}
		b, err := up.next(into)
		room.passed += int64(len(b))
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
	x.endResponse(resp, trailers)
	if x.c.p.wants(replay.Response) {
		x.tell()
		if replay.IsKilled(x.flow) {
			return errKilled
		}
		trailers = trailersOf(&resp.Message)
	}
	if err := x.in.finish(trailers); err != nil {
		return clientError(err)
	}
	x.closeAfter(out)
	return nil
}

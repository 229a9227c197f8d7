package enginetest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// notLive are cases about what only a pipeline has.
var notLive = []string{"lifecycle of a stopped run", "ordered"}

// RunLive runs the suite on an engine whose flows come event by event, as a proxy has them.
func RunLive(t *testing.T, e script.Engine, d Dialect) {
	for _, c := range cases {
		if slices.Contains(notLive, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			s := &suite{T: t, engine: e, dialect: d, scripts: c.scripts, live: true}
			c.run(s)
			if t.Failed() {
				t.Log("why: " + c.explanation)
			}
		})
	}
}

// driveAll hands the events of flows to a live session: of one flow after the other, or of as
// many at once as there are workers.
func (s *suite) driveAll(ctx context.Context, l script.Live, flows []*flowfile.Flow) ([]*flowfile.Flow, error) {
	if err := l.StartLive(ctx, noProxy{}); err != nil {
		return nil, err
	}
	errs := make([]error, len(flows))
	turns := make(chan struct{}, max(1, s.workers))
	var wg sync.WaitGroup
	var over atomic.Bool
	for i, f := range flows {
		turns <- struct{}{}
		if over.Load() {
			break
		}
		wg.Go(func() {
			if errs[i] = Drive(ctx, l, f, s.classic); errs[i] != nil {
				over.Store(true)
			}
			<-turns
		})
	}
	wg.Wait()
	err := l.Done(ctx)
	for _, e := range errs {
		if e != nil {
			return nil, e
		}
	}
	var out []*flowfile.Flow
	for _, f := range flows {
		if !f.Dropped() {
			out = append(out, f)
		}
	}
	return out, err
}

// noProxy is a proxy for scripts that want nothing of it.
type noProxy struct{}

func (noProxy) Inject(string, bool, int, []byte) error { return nil }
func (noProxy) Kill(string)                            {}
func (noProxy) Shutdown()                              {}

// Drive takes a recorded flow apart and hands it to a live session as it once came: heads
// before bodies, requests before responses, one message after the other.
func Drive(ctx context.Context, l script.Live, f *flowfile.Flow, classic bool) error {
	d := driver{ctx: ctx, live: l, flow: f, classic: classic}
	d.failed = f.Error()
	f.SetError(nil)
	switch f.Kind() {
	case flowfile.HTTP:
		d.http()
	case flowfile.TCP:
		d.stream(replay.TCPStart, replay.TCPMessage, replay.TCPEnd, replay.TCPError)
	case flowfile.UDP:
		d.stream(replay.UDPStart, replay.UDPMessage, replay.UDPEnd, replay.UDPError)
	case flowfile.DNS:
		d.dns()
	}
	l.End(f)
	return d.err
}

type driver struct {
	ctx     context.Context
	live    script.Live
	flow    *flowfile.Flow
	classic bool
	failed  *flowfile.Error // what the flow will end with
	log     *flowfile.MessageLog
	err     error
}

func (d *driver) fire(h replay.Hook, more ...func(*replay.Event)) {
	if d.err != nil || !d.live.Hooks().Has(h) {
		return
	}
	e := &replay.Event{Hook: h, Flow: d.flow, Messages: d.log, Live: true}
	for _, f := range more {
		f(e)
	}
	d.err = d.live.Handle(d.ctx, e)
}

func streamed(e *replay.Event) { e.Stream = &replay.Stream{} }

// part fires the events of a request or a response: the head, then all of it.
func (d *driver) part(m *flowfile.Message, heads, whole replay.Hook) {
	body := m.Body()
	m.InitBody(flowfile.Body{})
	d.fire(heads, streamed)
	if m.Body().State() == flowfile.BodyAbsent { // no script has set one
		m.InitBody(body)
	}
	d.fire(whole)
}

func (d *driver) http() {
	f := d.flow
	response, ws := f.Response(), f.WebSocket()
	f.SetResponse(nil)
	if ws != nil {
		f.SetWebSocket(nil)
	}
	if f.Request() != nil {
		d.part(&f.Request().Message, replay.RequestHeaders, replay.Request)
	}
	switch made := f.Response(); {
	case made != nil: // the script's answer
		d.fire(replay.ResponseHeaders, streamed)
		d.fire(replay.Response)
	case response != nil:
		f.SetResponse(response)
		d.part(&response.Message, replay.ResponseHeaders, replay.Response)
	}
	d.fail()
	if d.classic && f.Error() != nil {
		d.fire(replay.Error)
	}
	if ws == nil {
		if !d.classic && f.Error() != nil {
			d.fire(replay.Error)
		}
		return
	}
	f.SetWebSocket(ws)
	d.messages(replay.WebSocketStart, replay.WebSocketMessage)
	if d.classic && f.Error() != nil {
		d.fire(replay.WebSocketError)
	}
	d.fire(replay.WebSocketEnd)
}

// fail gives the flow the error that it will end with, unless a script has made one.
func (d *driver) fail() {
	if d.failed != nil && d.flow.Error() == nil {
		d.flow.SetError(d.failed)
	}
}

func (d *driver) messages(start, message replay.Hook) {
	coming := d.flow.Messages().Source()
	d.log = &flowfile.MessageLog{}
	d.flow.Messages().Replace(d.log)
	d.fire(start)
	if coming == nil {
		return
	}
	for m, err := range coming.All() {
		if err != nil {
			d.err = err
			return
		}
		d.log.Append(m)
		d.fire(message)
	}
}

func (d *driver) stream(start, message, end, failed replay.Hook) {
	d.messages(start, message)
	d.fail()
	if d.flow.Error() != nil {
		d.fire(failed)
		if !d.classic {
			return
		}
	}
	d.fire(end)
}

func (d *driver) dns() {
	f := d.flow
	response := f.DNSResponse()
	f.SetDNSResponse(nil)
	if f.DNSRequest() != nil {
		d.fire(replay.DNSRequest)
	}
	if response != nil && f.DNSResponse() == nil {
		f.SetDNSResponse(response)
	}
	if f.DNSResponse() != nil {
		d.fire(replay.DNSResponse)
	}
	d.fail()
	if f.Error() != nil {
		d.fire(replay.DNSError)
	}
}

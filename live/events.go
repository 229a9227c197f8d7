package live

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"regexp"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
)

// Ender is implemented by handlers that keep something of each flow until it has no more events.
type Ender interface{ End(f *flowfile.Flow) }

// wants tells whether the handler wants events of a hook. Scripts are replaced at any time, so it is asked each time.
func (p *Proxy) wants(h replay.Hook) bool { return p.o.Handler != nil && p.o.Handler.Hooks().Has(h) }

// fire hands an event to the handler, if it wants it.
func (p *Proxy) fire(ctx context.Context, e *replay.Event) {
	if !p.wants(e.Hook) {
		return
	}
	e.Live = true
	// What a script raised was reported, and the traffic goes on as it is.
	_ = p.o.Handler.Handle(ctx, e)
}

// record hands a flow that has ended to all who want it; open is not nil if it is being recorded already. size is that of
// the response's body, or of the messages.
func (p *Proxy) record(f *flowfile.Flow, open OpenFlow, e End, size int64) {
	p.counts.flows.Add(1)
	if f.Error() != nil {
		p.counts.errors.Add(1)
	}
	if ender, ok := p.o.Handler.(Ender); ok {
		ender.End(f)
	}
	if p.o.Observe != nil {
		p.o.Observe(f, size)
	}
	if open == nil && e.Incomplete {
		open = p.openRecord(f) // a whole flow could not say that it is none
		if open == nil {
			return
		}
	}
	switch {
	case open != nil:
		open.End(f, e)
	case p.o.Recorder != nil && !f.Dropped() && (p.o.Keep == nil || p.o.Keep(f)):
		p.o.Recorder.Flow(f)
	}
}

// openRecord begins to record a flow that goes on; nil: it is not recorded.
func (p *Proxy) openRecord(f *flowfile.Flow) OpenFlow {
	if p.o.Recorder == nil || f.Dropped() || p.o.Keep != nil && !p.o.Keep(f) {
		return nil
	}
	return p.o.Recorder.Open(f)
}

// ticks fires the tick event once a second, as mitmproxy did up to 3.
func (p *Proxy) ticks(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			p.fire(ctx, &replay.Event{Hook: replay.Tick})
		}
	}
}

func now() flowfile.Time { return flowfile.Time(time.Now().UnixNano()) }

// newID returns a random UUID (RFC 9562 §5.4).
func newID() string {
	var b [16]byte
	for i := 0; i < 16; i += 8 {
		n := rand.Uint64() // seeded by the system
		for j := range 8 {
			b[i+j] = byte(n >> (8 * j))
		}
	}
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	var s [36]byte
	hex.Encode(s[:], b[:4])
	s[8] = '-'
	hex.Encode(s[9:], b[4:6])
	s[13] = '-'
	hex.Encode(s[14:], b[6:8])
	s[18] = '-'
	hex.Encode(s[19:], b[8:10])
	s[23] = '-'
	hex.Encode(s[24:], b[10:])
	return string(s[:])
}

func matches(res []*regexp.Regexp, s string) bool {
	for _, re := range res {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

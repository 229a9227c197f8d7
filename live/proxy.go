package live

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"flowkit/flowfile"
	"flowkit/live/ca"
	"flowkit/replay"
)

// Recorder is told of flows as they happen. Its methods are called by many goroutines.
type Recorder interface {
	// Flow takes a flow that has ended. Nobody changes f, or bytes reached from it, afterwards.
	Flow(f *flowfile.Flow)
	// Open takes the head of a flow that goes on. What is needed of f is copied before Open returns.
	Open(f *flowfile.Flow) OpenFlow
}

// OpenFlow is a flow that is being recorded while it happens.
type OpenFlow interface {
	// Part takes the next bytes of a body (flowfile.BodyRequest, flowfile.BodyResponse) and copies them.
	Part(part int, data []byte)
	// Message takes the next message; its payload does not change afterwards.
	Message(m *flowfile.Msg)
	// End takes what became known since Open; f is not changed afterwards.
	End(f *flowfile.Flow, e End)
}

// End is what a flow itself does not say when it ends.
type End struct {
	// Cut are the lengths on the wire of the request's and the response's body where the parts are not all of it: 0 whole,
	// -1 unknown.
	Cut        [2]int64
	Incomplete bool // the recording ended before the flow
}

// Options say how a Proxy works. The zero value is a regular proxy on 127.0.0.1:8080 that takes no TLS apart (CA is nil)
// and records nothing.
type Options struct {
	Modes    []Mode // none: Regular
	Listen   string // where modes listen that do not say themselves; "": the loopback
	Recorder Recorder
	Handler  replay.Handler // sees every event; safe for concurrent use; nil: none
	// Keep tells whether a flow is recorded; nil: every flow. It is asked when the flow ends, or when it is opened because
	// its body or its messages do not fit in memory.
	Keep func(f *flowfile.Flow) bool
	// Observe is told of every flow that has ended, recorded or not, with the size of its response's body or messages; nil:
	// nobody is. It must not keep or change f.
	Observe func(f *flowfile.Flow, size int64)
	Log     *slog.Logger // nil: slog.Default

	CA *ca.CA // signs certificates; nil: TLS passes through untouched
	// Auth checks the user of an explicit proxy; nil: everybody may.
	Auth func(user, password string) bool
	// Public allows clients from public addresses without Auth.
	Public bool

	Insecure   bool                                                              // servers' certificates are not checked
	Roots      *x509.CertPool                                                    // nil: the system's
	ClientCert func(host string) *tls.Certificate                                // to servers that ask for one; nil: none
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error) // nil: net.Dialer
	Ignore     []*regexp.Regexp                                                  // "host:port" of TLS that passes through untouched
	Allow      []*regexp.Regexp                                                  // if there are any: all other TLS passes through
	RawTCP     []*regexp.Regexp                                                  // "host:port" that is never taken for HTTP
	Upstream   Credentials                                                       // for the proxy of the mode Upstream
	KeepHost   bool                                                              // Reverse: the Host field stays as the client sent it
	NoHTTP2    bool                                                              // neither side is offered HTTP/2

	// Stream is how long a body may be that is held for handlers; a longer one goes on as it comes. 0: no limit (it is
	// held in a file).
	Stream int64
	// MaxBody is how much of a body is recorded; the rest is counted. 0: all of it.
	MaxBody int64
	TempDir string // for bodies that handlers want and that do not fit in memory
	// Timeouts; zero values are DefaultTimeouts'.
	Timeouts Timeouts
}

// Credentials are a user and a password.
type Credentials struct{ User, Password string }

// Timeouts are how long the proxy waits.
type Timeouts struct {
	Head time.Duration // for the rest of a head, once its first byte is there
	Idle time.Duration // for the next request or byte
	Dial time.Duration // for a connection to a server, TLS included
}

// DefaultTimeouts are those of mitmproxy, but for Head.
var DefaultTimeouts = Timeouts{Head: time.Minute, Idle: 10 * time.Minute, Dial: 30 * time.Second}

// Proxy is a running capture proxy.
type Proxy struct {
	o   Options
	log *slog.Logger
	ctx context.Context // ends when connections are to be cut
	cut context.CancelFunc

	listeners []*listener
	conns     sync.WaitGroup
	mu        sync.Mutex
	open      map[*clientConn]struct{}
	draining  atomic.Bool
	stop      chan struct{} // closed by Stop
	stopped   sync.Once
	counts    counts
	// conversations are flows that go on, by id: *talk and *conversation, which take messages, and *exchange
	conversations sync.Map
}

type counts struct{ conns, active, flows, errors atomic.Int64 }

// Stats are totals of a Proxy.
type Stats struct {
	Conns, Active int64 // client connections so far, and now
	Flows, Errors int64 // flows that ended; those of them with an error
}

type listener struct {
	net.Listener
	mode Mode
}

// Listen opens the listeners of all modes, or none if one fails.
func Listen(o Options) (*Proxy, error) {
	if len(o.Modes) == 0 {
		o.Modes = []Mode{{}}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	def := DefaultTimeouts
	if o.Timeouts.Head == 0 {
		o.Timeouts.Head = def.Head
	}
	if o.Timeouts.Idle == 0 {
		o.Timeouts.Idle = def.Idle
	}
	if o.Timeouts.Dial == 0 {
		o.Timeouts.Dial = def.Dial
	}
	if o.Dial == nil {
		d := &net.Dialer{}
		o.Dial = d.DialContext
	}
	p := &Proxy{o: o, log: o.Log, open: make(map[*clientConn]struct{}), stop: make(chan struct{})}
	p.ctx, p.cut = context.WithCancel(context.Background())
	for _, m := range o.Modes {
		if err := p.listen(m); err != nil {
			p.closeListeners()
			return nil, err
		}
	}
	return p, nil
}

func (p *Proxy) listen(m Mode) error {
	if m.Kind == Transparent && !transparentWorks {
		return errors.New("the transparent mode needs Linux")
	}
	addr, err := m.Addr(p.o.Listen)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("mode %s: %w", m, err)
	}
	p.listeners = append(p.listeners, &listener{ln, m})
	return nil
}

// Addr is where a mode listens.
type Addr struct {
	Mode Mode
	Addr net.Addr
}

// Addrs returns where the proxy listens.
func (p *Proxy) Addrs() []Addr {
	var as []Addr
	for _, l := range p.listeners {
		as = append(as, Addr{l.mode, l.Listener.Addr()})
	}
	return as
}

// Stats returns totals.
func (p *Proxy) Stats() Stats {
	c := &p.counts
	return Stats{Conns: c.conns.Load(), Active: c.active.Load(), Flows: c.flows.Load(), Errors: c.errors.Load()}
}

// Serve accepts connections until ctx ends. Then it stops accepting, lets exchanges that are under way end for at most
// grace, cuts the rest, whose flows are recorded as incomplete, and returns when no connection is left.
func (p *Proxy) Serve(ctx context.Context, grace time.Duration) error {
	errs := make(chan error, len(p.listeners))
	ticking, noTicks := context.WithCancel(p.ctx)
	defer noTicks()
	go p.ticks(ticking)
	for _, l := range p.listeners {
		go func() { errs <- p.accept(l) }()
	}
	var err error
	running := len(p.listeners)
	select {
	case <-ctx.Done():
	case <-p.stop:
	case err = <-errs:
		running--
	}
	p.drain()
	for range running {
		<-errs
	}
	gone := make(chan struct{})
	go func() {
		p.conns.Wait()
		close(gone)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
		p.cutAll()
		<-gone
	}
	p.cut()
	return err
}

// Stop ends Serve as the end of its context does.
func (p *Proxy) Stop() { p.stopped.Do(func() { close(p.stop) }) }

// accept serves the connections of one listener until it is closed.
func (p *Proxy) accept(l *listener) error {
	for delay := time.Duration(0); ; {
		conn, err := l.Accept()
		if err == nil {
			delay = 0
			p.start(conn, l.mode)
			continue
		}
		if p.draining.Load() || errors.Is(err, net.ErrClosed) {
			return nil
		}
		// Out of descriptors, mostly: they come back when connections end.
		p.log.Error("accepting a connection", "error", err)
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		time.Sleep(delay)
	}
}

func (p *Proxy) start(conn net.Conn, m Mode) {
	c := newClientConn(p, conn, m)
	p.mu.Lock()
	if p.draining.Load() {
		p.mu.Unlock()
		conn.Close()
		return
	}
	p.open[c] = struct{}{}
	p.conns.Add(1)
	p.mu.Unlock()
	p.counts.conns.Add(1)
	p.counts.active.Add(1)
	go func() {
		defer func() {
			p.mu.Lock()
			delete(p.open, c)
			p.mu.Unlock()
			p.counts.active.Add(-1)
			p.conns.Done()
		}()
		c.serve()
	}()
}

// drain stops accepting, and ends connections that wait for a request.
func (p *Proxy) drain() {
	p.mu.Lock()
	p.draining.Store(true)
	for c := range p.open {
		c.drain()
	}
	p.mu.Unlock()
	p.closeListeners()
}

func (p *Proxy) cutAll() {
	p.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.cut()
	}
}

func (p *Proxy) closeListeners() {
	for _, l := range p.listeners {
		l.Close()
	}
}

package python

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// Frames of live traffic; see PROTOCOL.md.
const (
	frameEvent = 8 + iota
	frameChunk
	frameEnd
	frameGiveUp
)

const (
	frameAnswer = 72 + iota
	frameHeld
	frameEnded
	frameGivenUp
	frameWish
)

// inFrame is the size up to which a body goes along with its event.
const inFrame = 64 << 10

// giveUpGrace is how long a process may take to say that it gave an event up.
const giveUpGrace = 5 * time.Second

var _ script.Live = (*Session)(nil)

// live is what a session has of flows that are under way.
type live struct {
	worker  *worker
	proxy   script.Proxy
	timeout time.Duration

	mu     sync.Mutex
	last   int64 // number of a flow or an event
	flows  map[*flowfile.Flow]*liveFlow
	keys   map[int64]*liveFlow // those that ended, too, until the process has let go of them
	events map[int64]*awaited
	told   bool // that the process has ended
}

// liveFlow is what the process has of a flow. Its events come one after the other.
type liveFlow struct {
	key      int64
	known    [3]string // request, response and cold as they were sent
	body     [2]bodyPlace
	client   *flowfile.Conn
	server   *flowfile.Conn
	conns    bool // were sent
	messages int

	mu     sync.Mutex
	bodies [2]flowfile.Body // for who fetches them
}

// bodyPlace is where the bytes of a body lie that was sent.
type bodyPlace struct {
	data *byte
	n    int64
	sent bool
}

// awaited is an event that the process has.
type awaited struct {
	answer  chan answer   // of capacity 1
	held    chan struct{} // closed when the flow is intercepted
	givenUp chan struct{} // closed when the process says so
}

// answer is what came back of an event.
type answer struct {
	t   tuple
	raw []byte
}

// StartLive runs load, configure and running of all scripts, for traffic as it happens.
func (s *Session) StartLive(ctx context.Context, p script.Proxy) error {
	switch {
	case s.engine.RealMitmproxy:
		return errors.New("--real-mitmproxy: mitmproxy's own package cannot be used with live traffic")
	case len(s.workers) > 1:
		return errors.New("live traffic has one process of scripts, not several")
	}
	w := s.workers[0]
	s.live.Store(&live{
		worker: w, proxy: p, timeout: s.specs[0].Limits.WithDefaults().Timeout, last: 1,
		flows: make(map[*flowfile.Flow]*liveFlow), keys: make(map[int64]*liveFlow), events: make(map[int64]*awaited),
	})
	if s.order == "" {
		s.order = "live"
	} else {
		s.order = "live modern" // scripts are not given the order of their era by the process
	}
	return s.Start(ctx)
}

// Hooks returns the events that a script wants.
func (s *Session) Hooks() replay.Hooks {
	want := s.want
	if want&^flowHooks == 0 {
		return want
	}
	if want&replay.Of(replay.ClientConnected) != 0 {
		want |= replay.Of(replay.ClientDisconnected) // their objects are kept until then
	}
	if want&replay.Of(replay.ServerConnect, replay.ServerConnected) != 0 {
		want |= replay.Of(replay.ServerDisconnected, replay.ServerConnectError)
	}
	return want
}

// flowHooks are those of flows.
const flowHooks = 1<<replay.ClientConnected - 1

// Crashed is closed when the process has ended.
func (s *Session) Crashed() <-chan struct{} { return s.workers[0].ended }

// Handle hands an event to the process and takes over what the scripts changed.
func (s *Session) Handle(ctx context.Context, e *replay.Event) error {
	l := s.live.Load()
	if l == nil || e.Flow != nil && e.Flow.Dropped() {
		return nil
	}
	m := buffers.get()
	number, wait := l.await()
	defer l.forget(number)
	var lf *liveFlow
	if e.Flow != nil {
		lf = l.flow(e.Flow)
	}
	m.tuple(5)
	m.integer(number)
	m.text(e.Hook.String())
	if err := l.event(&m, lf, e); err != nil {
		buffers.put(m.buf)
		l.lose(lf)
		return s.failed(e.Flow, e.Hook, err)
	}
	a, err := l.ask(ctx, frameEvent, m, wait)
	if err != nil {
		l.lose(lf)
		return l.unanswered(ctx, e, number, wait, err)
	}
	return l.apply(s, lf, e, a)
}

// End lets go of a flow.
func (s *Session) End(f *flowfile.Flow) {
	l := s.live.Load()
	if l == nil {
		return
	}
	l.mu.Lock()
	lf := l.flows[f]
	delete(l.flows, f)
	l.mu.Unlock()
	if lf == nil {
		return
	}
	m := buffers.get()
	m.integer(lf.key)
	l.worker.send(frameEnd, m)
}

// await returns the number of a new event.
func (l *live) await() (int64, *awaited) {
	a := &awaited{answer: make(chan answer, 1), held: make(chan struct{}), givenUp: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.events[l.last] = a
	return l.last, a
}

func (l *live) forget(number int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.events, number)
}

func (l *live) waiting(number int64) *awaited {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events[number]
}

// flow returns what the process has of f.
func (l *live) flow(f *flowfile.Flow) *liveFlow {
	l.mu.Lock()
	defer l.mu.Unlock()
	lf := l.flows[f]
	if lf == nil {
		l.last++
		lf = &liveFlow{key: l.last}
		l.flows[f] = lf
		l.keys[lf.key] = lf
	}
	return lf
}

// lose notes that nobody knows what the process has of a flow: all is sent again.
func (l *live) lose(lf *liveFlow) {
	if lf != nil {
		lf.known, lf.body, lf.conns = [3]string{}, [2]bodyPlace{}, false
	}
}

// Errors of ask.
var (
	errSlow  = errors.New("no answer")
	errEnded = errors.New("the process has ended")
)

// ask sends a frame and waits for the answer.
func (l *live) ask(ctx context.Context, kind byte, m marshal, a *awaited) (answer, error) {
	w := l.worker
	limit := time.NewTimer(l.timeout + noticeGrace + time.Second)
	defer limit.Stop()
	m.close(kind)
	select {
	case w.frames <- m.buf:
	case <-w.ended:
		return answer{}, errEnded
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case <-limit.C:
		return answer{}, errSlow
	}
	held := a.held
	for {
		select {
		case r := <-a.answer:
			return r, nil
		case <-held:
			limit.Stop()
			held = nil
		case <-w.ended:
			return answer{}, errEnded
		case <-ctx.Done():
			return answer{}, ctx.Err()
		case <-limit.C:
			return answer{}, errSlow
		}
	}
}

// unanswered says why an event goes on as if there were no scripts.
func (l *live) unanswered(ctx context.Context, e *replay.Event, number int64, a *awaited, err error) error {
	s := l.worker.session
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errEnded):
		l.crashed()
		return nil
	}
	where := e.Hook.String()
	if e.Flow != nil {
		where += " of flow " + e.Flow.ID()
	}
	s.log("error", names(s.specs), fmt.Sprintf("%s: no answer of the scripts after %v (--script-timeout); it goes on unchanged", where, l.timeout))
	m := buffers.get()
	m.integer(number)
	m.close(frameGiveUp)
	go func(m marshal) {
		limit := time.NewTimer(giveUpGrace)
		defer limit.Stop()
		select {
		case l.worker.frames <- m.buf:
		case <-l.worker.ended:
			return
		case <-limit.C:
		}
		select {
		case <-a.givenUp:
		case <-l.worker.ended:
		case <-limit.C:
			l.worker.kill("the process of the scripts did not answer any more")
		}
	}(m)
	return nil
}

// crashed says once that the process has ended.
func (l *live) crashed() {
	l.mu.Lock()
	told := l.told
	l.told = true
	l.mu.Unlock()
	if told {
		return
	}
	w := l.worker
	w.mu.Lock()
	err := w.failure
	w.mu.Unlock()
	if err != nil {
		w.session.log("error", names(w.session.specs), err.Error()+"; traffic goes on without its scripts")
	}
}

// event writes what is new with an event.
func (l *live) event(m *marshal, lf *liveFlow, e *replay.Event) error {
	if lf == nil {
		m.integer(0)
		m.none()
		return m.conns(e)
	}
	m.integer(lf.key)
	if err := l.head(m, lf, e); err != nil {
		return fmt.Errorf("flow %s: %w", e.Flow.ID(), err)
	}
	m.none()
	if len(m.buf) > maxFrame {
		return fmt.Errorf("flow %s: an event of %d bytes is too much", e.Flow.ID(), len(m.buf))
	}
	return nil
}

// head writes what is new of a flow.
func (l *live) head(m *marshal, lf *liveFlow, e *replay.Event) error {
	f := e.Flow
	m.tuple(12)
	m.integer(int64(f.Kind()))
	m.text(f.ID())
	m.time(f.Created())
	switch f.Kind() {
	case flowfile.HTTP:
		m.unlessKnown(&lf.known[0], func() { m.request(f.Request(), "") })
		m.unlessKnown(&lf.known[1], func() { m.response(f.Response(), "") })
	case flowfile.DNS:
		m.unlessKnown(&lf.known[0], func() { m.dnsBlob(f.DNSRequest()) })
		m.unlessKnown(&lf.known[1], func() { m.dnsBlob(f.DNSResponse()) })
	default:
		m.none()
		m.none()
	}
	var err error
	m.unlessKnown(&lf.known[2], func() { err = m.cold(f) })
	if err != nil {
		return err
	}
	m.integer(int64(version(f)))
	for _, side := range []struct {
		last **flowfile.Conn
		now  *flowfile.Conn
	}{{&lf.client, f.Client()}, {&lf.server, f.Server()}} {
		if err := m.connUnless(lf.conns && *side.last == side.now, side.now); err != nil {
			return err
		}
		*side.last = side.now
	}
	lf.conns = true
	if err := l.news(m, lf, e); err != nil {
		return err
	}
	m.tuple(2)
	for part := range 2 {
		if err := lf.sendBody(m, part, bodyOf(f, part)); err != nil {
			return err
		}
	}
	return nil
}

// news writes the messages that the process does not have.
func (l *live) news(m *marshal, lf *liveFlow, e *replay.Event) error {
	log := e.Messages
	if log == nil {
		m.integer(int64(lf.messages))
		m.list(0)
		return nil
	}
	from := min(lf.messages, log.Len())
	m.integer(int64(from))
	m.list(log.Len() - from)
	limit := l.worker.session.specs[0].Limits.WithDefaults().Body
	for i := from; i < log.Len(); i++ {
		msg := log.At(i)
		data, err := msg.Body.Bytes(limit)
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		m.tuple(6)
		m.integer(int64(msg.Opcode))
		m.boolean(msg.FromClient)
		m.bytes(alias(data))
		m.time(msg.Time)
		m.boolean(msg.Dropped)
		m.boolean(msg.Injected)
	}
	lf.messages = log.Len()
	return nil
}

// sendBody writes a body: True if the process has it, None if it is to be fetched.
func (lf *liveFlow) sendBody(m *marshal, part int, b flowfile.Body) error {
	p := bodyPlace{n: b.Size(), sent: true}
	if b.State() == flowfile.BodyAbsent {
		p.n = -2
	}
	var data []byte
	if b.Content() == nil && p.n > 0 {
		var err error
		if data, err = b.Bytes(-1); err != nil {
			return err
		}
		p.data = unsafe.SliceData(data)
	} else if p.n > 0 && p.n <= inFrame {
		var err error
		if data, err = b.Bytes(inFrame); err != nil {
			return err
		}
	}
	if p == lf.body[part] {
		m.boolean(true)
		return nil
	}
	lf.body[part] = p
	lf.mu.Lock()
	lf.bodies[part] = b
	lf.mu.Unlock()
	if p.n > 0 && p.n <= inFrame {
		m.bytes(alias(data))
	} else {
		m.none()
	}
	return nil
}

// unlessKnown writes a value, or True if it was written last time.
func (m *marshal) unlessKnown(known *string, write func()) {
	start := len(m.buf)
	write()
	if now := m.buf[start:]; string(now) != *known {
		*known = string(now)
		return
	}
	m.buf = m.buf[:start]
	m.boolean(true)
}

func (m *marshal) connUnless(known bool, c *flowfile.Conn) error {
	switch {
	case known:
		m.boolean(true)
	case c == nil:
		m.none()
	default:
		return m.conn(c)
	}
	return nil
}

// conns writes what an event of connections is about.
func (m *marshal) conns(e *replay.Event) error {
	m.tuple(3)
	if e.Conns == nil {
		m.none()
		m.none()
		if e.Log == nil {
			m.none()
			return nil
		}
		m.tuple(2)
		m.text(e.Log.Level)
		m.text(e.Log.Text)
		return nil
	}
	c := e.Conns
	if err := errors.Join(m.connUnless(false, c.Client), m.connUnless(false, c.Server)); err != nil {
		return err
	}
	switch {
	case c.Hello != nil:
		m.hello(c.Hello)
	case c.Next != nil:
		m.tuple(3)
		m.text(c.Next.Protocol)
		m.bytes(alias(c.Next.FromClient))
		m.bytes(alias(c.Next.FromServer))
	case c.Auth != nil:
		m.tuple(2)
		m.text(c.Auth.User)
		m.text(c.Auth.Password)
	default:
		m.none()
	}
	return nil
}

func (m *marshal) hello(h *replay.ClientHello) {
	m.tuple(4)
	m.bytes(h.Raw)
	m.textOrNone(h.SNI)
	m.tuple(len(h.ALPN))
	for _, p := range h.ALPN {
		m.bytes(p)
	}
	m.tuple(len(h.Ciphers))
	for _, n := range h.Ciphers {
		m.integer(int64(n))
	}
}

package python

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// Kinds of frames; see PROTOCOL.md.
const (
	frameHello = 1 + iota
	frameStart
	frameBatch
	frameFile
	frameReply
	frameDone
	frameBye
)

const (
	frameReady = 65 + iota
	frameResult
	frameLog
	frameError
	frameFetch
	frameFatal
	frameCode
)

const (
	// maxFrame bounds a frame of either side: its length has 32 bits.
	maxFrame = 1<<31 - 1
	// inFlight is how many batches a worker has at once.
	inFlight = 4
	// grace is how long a process may take to end, and a hook to notice that its time is up.
	grace       = 5 * time.Second
	noticeGrace = 2 * time.Second
)

// worker is one process.
type worker struct {
	session           *Session
	cmd               *exec.Cmd
	toChild           *os.File
	arena             *arena
	frames            chan []byte   // to the child
	ready             chan *ready   // answers to HELLO, START and DONE
	ended             chan struct{} // the child's frames have ended
	exited            chan error    // what Wait returned
	files             files
	request, response atomic.Bool // messages of that side are sent along with every flow
	temp              string      // a file that the child was told to unlink
	format            int         // of dumps, the newest that a real mitmproxy reads

	mu      sync.Mutex
	pending []*pending // batches on their way, in their order
	phase   replay.Hook
	failure error // what ended the child
	starts  error // what OnError made of an error of HELLO, START or DONE
	hung    string
}

// headSize is the length of what comes before a payload.
const headSize = 5

// buffers are those of frames that were written, to be used again.
var buffers bufferPool

type bufferPool struct{ pool sync.Pool }

// get returns an empty frame.
func (b *bufferPool) get() marshal {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return marshal{buf: (*p)[:headSize]}
	}
	return marshal{buf: make([]byte, headSize, 4096)}
}

func (b *bufferPool) put(buf []byte) {
	if cap(buf) <= 4<<20 {
		b.pool.Put(&buf)
	}
}

// pending is a batch that the child has.
type pending struct {
	seq   int64
	file  string           // that bodies are referred to in
	flows []*flowfile.Flow // that were sent
	rest  *flowfile.Batch  // all of the batch
	at    int              // flows that are done
	err   error
	done  chan struct{}
}

// ready is what the child says of its scripts.
type ready struct {
	hooks    [][]string
	eras     []string
	parallel []string
	asserted []bool
	options  map[string][]script.Option
	python   string
	failed   bool
	format   int    // of dumps, the newest that a real mitmproxy reads
	missing  string // why there is no real mitmproxy
}

// listens tells whether a script has one of the hooks.
func (r *ready) listens(hooks ...string) bool {
	for _, all := range r.hooks {
		for _, h := range hooks {
			if slices.Contains(all, h) {
				return true
			}
		}
	}
	return false
}

func newWorker(s *Session) (*worker, error) {
	a, err := newArena(s.engine.TempDir)
	if err != nil {
		return nil, err
	}
	a.clear()
	fromParent, toChild, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	fromChild, toParent, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	widen(toChild)
	widen(toParent)
	w := &worker{
		session: s, toChild: toChild, arena: a, frames: make(chan []byte, inFlight), ready: make(chan *ready, 1),
		ended: make(chan struct{}), exited: make(chan error, 1),
	}
	w.cmd = exec.Command(s.python, s.shim+"/"+s.engine.starter())
	w.cmd.Stdin = os.Stdin
	w.cmd.Stdout = s.specs[0].Output
	w.cmd.Stderr = os.Stderr
	w.cmd.ExtraFiles = []*os.File{fromParent, toParent, a.file}
	if s.engine.Workers > 1 {
		// The order of sets of text depends on it, and must be the same in all.
		w.cmd.Env = append(os.Environ(), "PYTHONHASHSEED=0")
	}
	w.cmd.SysProcAttr = withParent()
	started := make(chan error)
	go w.live(started)
	err = <-started
	fromParent.Close()
	toParent.Close()
	if err != nil {
		toChild.Close()
		fromChild.Close()
		a.close()
		return nil, err
	}
	go w.write()
	go w.read(fromChild)
	go w.watch(s.specs[0].Limits.WithDefaults().Timeout)
	return w, nil
}

// write writes the frames to the child. It ends when the child does.
func (w *worker) write() {
	defer w.toChild.Close()
	for f := range w.frames {
		_, err := w.toChild.Write(f)
		buffers.put(f)
		if err != nil {
			// Its end is seen by read, which tells all that wait.
			for range w.frames {
			}
			return
		}
		if len(f) == headSize && f[headSize-1] == frameBye {
			return
		}
	}
}

// send hands a frame, made by buffers.get, to the writer; it is false if the child has ended.
func (w *worker) send(kind byte, m marshal) bool {
	m.close(kind)
	select {
	case w.frames <- m.buf:
		return true
	case <-w.ended:
		return false
	}
}

// close fills in what stands before the payload of a frame.
func (m *marshal) close(kind byte) {
	binary.LittleEndian.PutUint32(m.buf, uint32(len(m.buf)-headSize))
	m.buf[headSize-1] = kind
}

// read takes the frames of the child until it ends.
func (w *worker) read(from *os.File) {
	defer close(w.ended)
	defer from.Close()
	r := bufio.NewReaderSize(from, 64<<10)
	err := w.frameLoop(r)
	w.mu.Lock()
	w.failure = w.crash(err)
	waiting := w.pending
	w.pending = nil
	w.mu.Unlock()
	for _, p := range waiting {
		p.err = w.failure
		close(p.done)
	}
}

func (w *worker) frameLoop(r io.Reader) (err error) {
	defer recoverFault(&err)
	debug.SetPanicOnFault(true)
	for {
		var head [5]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		n := int64(binary.LittleEndian.Uint32(head[:]))
		if n > maxFrame {
			return fmt.Errorf("a frame of %d bytes", n)
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(r, payload); err != nil {
			return err
		}
		if err := w.frame(head[4], payload); err != nil {
			return err
		}
	}
}

// frame handles one frame of the child.
func (w *worker) frame(kind byte, payload []byte) error {
	u := unmarshal{b: payload}
	v, err := u.value(0)
	if err != nil {
		return err
	}
	if kind == frameReady {
		r, err := readyOf(v)
		if err != nil {
			return err
		}
		w.ready <- r
		return nil
	}
	if kind >= frameAnswer {
		l := w.session.live.Load()
		if l == nil {
			return fmt.Errorf("unknown frame %d", kind)
		}
		return l.frame(kind, v, payload[u.pos:])
	}
	if kind == frameFatal {
		text, _ := v.(string)
		return errors.New(text)
	}
	t, ok := v.(tuple)
	if !ok {
		return fmt.Errorf("frame %d: %w", kind, errMarshal)
	}
	f := fieldsOf{t: t}
	switch kind {
	case frameResult:
		err = w.result(&f, payload[u.pos:])
	case frameLog:
		level, name, text := f.text(), f.text(), f.text()
		if err = f.err; err == nil {
			w.session.log(level, name, text)
		}
	case frameError:
		err = w.raised(&f)
	case frameFetch:
		err = w.fetch(&f)
	case frameCode:
		err = w.code(&f, payload[u.pos:])
	default:
		err = fmt.Errorf("unknown frame %d", kind)
	}
	return err
}

// hello waits until the scripts are loaded.
func (w *worker) hello() (*ready, error) {
	w.phase = replay.Load
	m, err := w.session.hello()
	if err != nil {
		return nil, err
	}
	r, err := w.ask(frameHello, m)
	if r != nil {
		if w.format = r.format; r.missing != "" {
			return nil, &NoMitmproxyError{Python: w.session.python, Reason: r.missing}
		}
	}
	return r, err
}

// start runs load, configure and running.
func (w *worker) start(order string) (*ready, error) {
	w.phase = replay.Configure
	m := buffers.get()
	m.text(order)
	r, err := w.ask(frameStart, m)
	// A side that no script has a hook for is sent when a script has touched it once.
	if r != nil {
		w.request.Store(r.listens("requestheaders", "request", "update"))
		w.response.Store(r.listens("responseheaders", "response", "update"))
	}
	w.phase = replay.Running
	return r, err
}

// done runs done.
func (w *worker) done() error {
	w.mu.Lock()
	crashed := w.failure != nil
	w.mu.Unlock()
	if crashed {
		return nil // was said
	}
	w.phase = replay.Done
	m := buffers.get()
	m.none()
	_, err := w.ask(frameDone, m)
	return err
}

// ask sends a frame and waits for READY.
func (w *worker) ask(kind byte, m marshal) (*ready, error) {
	w.starts = nil
	if !w.send(kind, m) {
		return nil, w.failure
	}
	select {
	case r := <-w.ready:
		if w.starts == nil && r.failed {
			return r, &script.Error{Script: names(w.session.specs), Msg: "the script could not be started"}
		}
		return r, w.starts
	case <-w.ended:
		return nil, w.failure
	}
}

// submit encodes b and sends it; what it returns waits for the result.
func (w *worker) submit(ctx context.Context, b *flowfile.Batch) func() error {
	p := &pending{seq: w.session.seq.Add(1), rest: b, done: make(chan struct{})}
	for _, f := range b.Flows {
		if !f.Dropped() && w.session.wants(f.Kind()) {
			p.flows = append(p.flows, f)
		}
	}
	if len(p.flows) == 0 {
		return func() error { return nil }
	}
	encode := w.encode
	if w.session.engine.RealMitmproxy {
		encode = w.encodeReal
	}
	m, err := encode(p)
	if err != nil {
		return func() error { return err }
	}
	w.mu.Lock()
	err = w.failure
	if err == nil {
		w.pending = append(w.pending, p)
	}
	w.mu.Unlock()
	if err != nil {
		return func() error { return err }
	}
	w.send(frameBatch, m) // if the child has ended, p is done
	return func() error {
		select {
		case <-p.done:
			return p.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// encode returns the frame of a batch.
func (w *worker) encode(p *pending) (marshal, error) {
	m := buffers.get()
	number, file, err := w.files.of(w, p.flows)
	if err != nil {
		return m, err
	}
	p.file = file
	sent := sides{w.request.Load(), w.response.Load()}
	m.tuple(3)
	m.integer(p.seq)
	m.integer(int64(number))
	m.list(len(p.flows))
	for _, f := range p.flows {
		if err := m.record(f, file, sent); err != nil {
			return m, fmt.Errorf("flow %s: %w", f.ID(), err)
		}
	}
	if len(m.buf) > maxFrame {
		return m, fmt.Errorf("heads of %d bytes in one batch are too much", len(m.buf))
	}
	return m, nil
}

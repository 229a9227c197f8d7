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
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
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
	session *Session
	cmd     *exec.Cmd
	toChild *os.File
	arena   *arena
	frames  chan []byte   // to the child
	ready   chan *ready   // answers to HELLO, START and DONE
	ended   chan struct{} // the child's frames have ended
	exited  chan error    // what Wait returned
	files   files
	temp    string // a file that the child was told to unlink

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
	w.cmd = exec.Command(s.python, s.shim+"/_flowkit_start.py")
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

// live starts the process and waits for its end in one thread, at whose end the system
// would end the process (see withParent).
func (w *worker) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := w.cmd.Start()
	started <- err
	if err == nil {
		w.exited <- w.cmd.Wait()
	}
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
	binary.LittleEndian.PutUint32(m.buf, uint32(len(m.buf)-headSize))
	m.buf[headSize-1] = kind
	select {
	case w.frames <- m.buf:
		return true
	case <-w.ended:
		return false
	}
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

// first returns the batch that the child works on, nil if there is none.
func (w *worker) first() *pending {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending) == 0 {
		return nil
	}
	return w.pending[0]
}

// raised handles an exception of a script.
func (w *worker) raised(f *fieldsOf) error {
	e := &script.Error{Script: f.text(), Line: int(f.int()), Msg: f.text(), Trace: f.text()}
	hook, index := f.text(), int(f.int())
	if f.err != nil {
		return f.err
	}
	h, ok := replay.ParseHook(hook)
	if !ok {
		h = w.phase
	}
	p := w.first()
	if index < 0 || p == nil || index >= len(p.flows) {
		if w.phase == replay.Load && hook == "" { // while it was loaded
			w.starts = e
			return nil
		}
		if err := w.session.failed(nil, h, e); err != nil && w.starts == nil {
			w.starts = err
		}
		return nil
	}
	if err := w.session.failed(p.flows[index], h, e); err != nil && p.err == nil {
		p.err = err
	}
	return nil
}

// result takes over what the scripts changed in some flows of a batch.
func (w *worker) result(f *fieldsOf, raw []byte) error {
	seq, from, to, diffs, stop := f.int(), int(f.int()), int(f.int()), f.list(), f.value()
	p := w.first()
	if f.err != nil || p == nil || p.seq != seq || from != p.at || to < from || to > len(p.flows) {
		return fmt.Errorf("result: %w", errMarshal)
	}
	for _, d := range diffs {
		a := apply{worker: w, raw: raw}
		t, ok := d.(tuple)
		if !ok {
			return fmt.Errorf("result: %w", errMarshal)
		}
		if err := a.diff(p.flows, t); err != nil {
			// It is the script's: a value of a form that nobody foresaw.
			w.unfit(p, t, err)
		}
	}
	p.at = to
	if stop != nil {
		w.stop(p, stop)
	} else if to < len(p.flows) {
		return nil
	}
	w.mu.Lock()
	w.pending = w.pending[1:]
	w.mu.Unlock()
	close(p.done)
	return nil
}

// unfit reports a change that could not be made.
func (w *worker) unfit(p *pending, t tuple, err error) {
	var flow *flowfile.Flow
	d := fieldsOf{t: t}
	if i := int(d.int()); d.err == nil && i >= 0 && i < len(p.flows) {
		flow = p.flows[i]
	}
	e := &script.Error{Script: names(w.session.specs), Msg: "a change cannot be stored: " + err.Error()}
	if err := w.session.failed(flow, w.phase, e); err != nil && p.err == nil {
		p.err = err
	}
}

// stop ends the run behind the flow that is done last.
func (w *worker) stop(p *pending, stop any) {
	last := 0 // flows of the batch up to the last that was done
	if p.at > 0 {
		for i, f := range p.rest.Flows {
			if f == p.flows[p.at-1] {
				last = i + 1
			}
		}
	}
	for _, f := range p.rest.Flows[last:] {
		f.Drop() // no script has seen them
	}
	t, _ := stop.(tuple)
	f := fieldsOf{t: t}
	if kind, code, name, hook := f.text(), f.text(), f.text(), f.text(); kind == "exit" && p.at > 0 {
		h, _ := replay.ParseHook(hook)
		if err := w.session.failed(p.flows[p.at-1], h, &script.ExitError{Script: name, Code: code}); err != nil {
			p.err = err
		}
	}
	if p.err == nil {
		p.err = replay.ErrStop
	}
}

// hello waits until the scripts are loaded.
func (w *worker) hello() (*ready, error) {
	w.phase = replay.Load
	m, err := w.session.hello()
	if err != nil {
		return nil, err
	}
	return w.ask(frameHello, m)
}

// start runs load, configure and running.
func (w *worker) start(order string) (*ready, error) {
	w.phase = replay.Configure
	m := buffers.get()
	m.text(order)
	r, err := w.ask(frameStart, m)
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
	m, err := w.encode(p)
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
	m.tuple(3)
	m.integer(p.seq)
	m.integer(int64(number))
	m.list(len(p.flows))
	for _, f := range p.flows {
		if err := m.record(f, file); err != nil {
			return m, fmt.Errorf("flow %s: %w", f.ID(), err)
		}
	}
	if len(m.buf) > maxFrame {
		return m, fmt.Errorf("heads of %d bytes in one batch are too much", len(m.buf))
	}
	return m, nil
}

// watch ends a hook that takes longer than the limit, and a process that does not notice.
func (w *worker) watch(limit time.Duration) {
	tick := time.NewTicker(min(max(limit/8, 10*time.Millisecond), time.Second))
	defer tick.Stop()
	seen, since, told := uint64(0), time.Now(), false
	for {
		select {
		case <-w.ended:
			return
		case now := <-tick.C:
			at := w.arena.load(wordProgress)
			switch {
			case at != seen || at&1 == 0:
				seen, since, told = at, now, false
			case !told && now.Sub(since) >= limit:
				told = true
				w.arena.store(wordTimeout, at)
				w.interrupt()
			case told && now.Sub(since) >= limit+noticeGrace:
				w.mu.Lock()
				w.hung = fmt.Sprintf("a hook took more than %v (--script-timeout) and could not be interrupted", limit)
				w.mu.Unlock()
				_ = w.cmd.Process.Kill() // it may have ended by itself
			}
		}
	}
}

// crash describes the end of the child's frames.
func (w *worker) crash(err error) error {
	e := &script.CrashError{}
	e.Flow = w.inHand()
	if errors.Is(err, replay.ErrInputChanged) {
		_ = w.cmd.Process.Kill()
		return err
	}
	if !errors.Is(err, io.EOF) {
		e.Msg = "Python: " + err.Error()
		_ = w.cmd.Process.Kill()
		return e
	}
	select {
	case err = <-w.exited:
		w.exited <- err
	case <-time.After(grace):
		_ = w.cmd.Process.Kill()
		err = errors.New("closed its pipe")
	}
	switch {
	case w.hung != "":
		e.Msg = names(w.session.specs) + ": " + w.hung
	case err == nil:
		e.Msg = names(w.session.specs) + ": Python ended (os._exit?)"
	default:
		e.Msg = names(w.session.specs) + ": Python ended: " + err.Error()
		if strings.Contains(err.Error(), "bus error") {
			e.Msg += " (was an input cut short while it was read?)"
		}
	}
	return e
}

// inHand returns the id of the flow that the child worked on, "" if there was none.
func (w *worker) inHand() (id string) {
	var err error
	defer recoverFault(&err) // it may lie in a file that was cut short
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if len(w.pending) > 0 {
		if i := int(w.arena.load(wordIndex)); i < len(w.pending[0].flows) {
			id = strings.Clone(w.pending[0].flows[i].ID())
		}
	}
	return id
}

// recoverFault makes an error of a fault in a mapped input that was cut short.
func recoverFault(err *error) {
	if r := recover(); r != nil {
		if _, ok := r.(interface{ Addr() uintptr }); !ok {
			panic(r)
		}
		*err = replay.ErrInputChanged
	}
}

// close ends the process.
func (w *worker) close() error {
	w.send(frameBye, buffers.get())
	select {
	case err := <-w.exited:
		w.exited <- err
	case <-time.After(grace):
		_ = w.cmd.Process.Kill()
		<-w.exited
	}
	<-w.ended
	if w.temp != "" {
		_ = os.Remove(w.temp) // the child does, unless it was ended
	}
	w.arena.close()
	return nil
}

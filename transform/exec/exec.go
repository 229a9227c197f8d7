// Package exec lets any program change flows: it gets them as JSON lines on its standard
// input and gives lines back on its standard output. LINES.md is the reference for who
// writes programs.
//
//	Source    runs a program between a source and who reads on
//	Bodies    what a line has of bodies
//	view      a flow as the program sees it              view.go, text.go, files.go
//	merge     what came back, put into the flow          merge.go, same.go
//	store     the flows that are out                     store.go, spill.go
//
// It is a stream, never question and answer: one goroutine feeds the program, whoever
// calls Next reads from it, so a program may hold lines back as long as it likes, give
// back more or fewer of them, and in any order.
//
// A line that comes back is put into the flow that went out: what the line says as it was
// said is not touched, so that the flow keeps its origin and a dump its bytes. To find the
// flow, all that are out are kept: the last in memory, the others in a temporary file.
package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/jsonl"
	"flowkit/replay"
)

// Options change how a program is run. The zero value is right for most.
type Options struct {
	Bodies Bodies
	// MaxBody is the largest body, and the most bytes of messages of a flow, that a line
	// has; what is larger stays out of the line and as it is. 0 is DefaultMaxBody. Files
	// have no limit.
	MaxBody int64
	Stderr  io.Writer // gets what the program says; nil: nobody
	TempDir string    // for flows that stay out; "" is os.TempDir

	recent int // flows that are out and in memory; 0 is recentFlows
}

// DefaultMaxBody keeps a line at a size that programs can take.
const DefaultMaxBody = 8 << 20

// Error is a program that failed.
type Error struct {
	Command string
	Stderr  string // the end of what it said there
	Err     error  // *os/exec.ExitError, or why it could not be started
}

func (e *Error) Error() string { return fmt.Sprintf("exec %s: %v", shorten(e.Command), e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// shorten makes a command fit into a message.
func shorten(command string) string {
	const most = 60
	command = strings.Join(strings.Fields(command), " ")
	if r := []rune(command); len(r) > most {
		return string(r[:most]) + "…"
	}
	return command
}

// Stream is the flows that come back from a program. Close may be called while another
// goroutine is in Next.
type Stream struct {
	command string
	o       Options
	in      flowfile.Source
	cmd     *osexec.Cmd
	stdin   io.WriteCloser
	stdout  io.ReadCloser
	stderr  *tail
	out     *lines
	view    *viewer
	store   *store
	merger  *merger
	ctx     context.Context
	undo    func() bool // of what waits for the context

	wait   func() error // for the program's end
	held   error        // comes behind the flows in hand
	final  error        // is returned from now on
	exited atomic.Bool
	closed atomic.Bool

	sending sync.Mutex // held while a batch is written to the program

	mu     sync.Mutex
	notes  []error // damage of the input
	failed error   // of the input, or of feeding the program
}

var (
	_ flowfile.Source   = (*Stream)(nil)
	_ flowfile.Progress = (*Stream)(nil)
)

// Source starts command with sh, writes the flows of in to it and returns what comes
// back. From now on in belongs to the stream, which closes it when the program takes no
// more. A program that cannot be started is an error of Next. Cancelling ctx kills the
// program and what it started.
//
// Next returns a *flowfile.Damage for each line that is no flow (after some, one for all
// others), an *Error if the program failed, and errors of in as they are.
func Source(ctx context.Context, in flowfile.Source, command string, o Options) *Stream {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.recent == 0 {
		o.recent = recentFlows
	}
	s := &Stream{
		command: command, o: o, in: in, ctx: ctx, stderr: &tail{to: o.Stderr}, undo: func() bool { return true },
		store: newStore(o.TempDir, o.recent), view: &viewer{bodies: o.Bodies, max: o.MaxBody},
	}
	s.merger = &merger{view: s.view, spool: &flowfile.Spool{Dir: o.TempDir}}
	if err := s.start(); err != nil {
		s.final = err
		s.wait = func() error { return nil }
		_ = in.Close() // what comes first is the error to tell
		return s
	}
	s.undo = context.AfterFunc(ctx, s.Kill)
	go s.feed()
	return s
}

func (s *Stream) start() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if err := s.o.Bodies.MakeDir(); err != nil {
		return err
	}
	cmd := osexec.Command("sh", "-c", s.command)
	cmd.Stderr = s.stderr
	// Something that goes on in the background may have stderr for good.
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	var err error
	if s.stdin, err = cmd.StdinPipe(); err == nil {
		s.stdout, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return &Error{Command: s.command, Err: err}
	}
	s.cmd = cmd
	s.out = newLines(s.stdout, "output of "+shorten(s.command))
	s.wait = sync.OnceValue(s.ended)
	return nil
}

// ended waits for the program, whose output was read to its end or is of no interest.
func (s *Stream) ended() error {
	err := s.cmd.Wait()
	s.exited.Store(true)
	if err == nil || errors.Is(err, osexec.ErrWaitDelay) {
		return nil
	}
	return &Error{Command: s.command, Stderr: s.stderr.String(), Err: err}
}

// Close ends the program, if it still runs, and frees the flows that are out. An input
// that is being waited for is closed when it has come.
func (s *Stream) Close() error {
	if s.cmd == nil {
		return nil
	}
	s.undo()
	s.closed.Store(true)
	s.Kill()
	s.stdout.Close()
	s.stdin.Close()
	_ = s.wait() // it was killed
	s.sending.Lock()
	defer s.sending.Unlock()
	s.store.close()
	return nil
}

// Kill ends the program and what it started at once, but not what it left behind after its
// own end. It is for who is about to end, and may be called at any time.
func (s *Stream) Kill() {
	if s.cmd != nil && !s.exited.Load() {
		killGroup(s.cmd)
	}
}

// Progress returns how far the input was read; see flowfile.Progress.
func (s *Stream) Progress() (done, total int64) {
	if p, ok := s.in.(flowfile.Progress); ok {
		return p.Progress()
	}
	return 0, 0
}

// Next returns the next flows that came back; see flowfile.Source.
func (s *Stream) Next() (b *flowfile.Batch, err error) {
	defer guard(&err)()
	switch {
	case s.final != nil:
		return nil, s.final
	case s.closed.Load():
		return nil, os.ErrClosed
	}
	if err := s.note(); err != nil {
		return nil, err
	}
	if err := s.held; err != nil {
		s.held = nil
		return nil, s.end(err)
	}
	b = &flowfile.Batch{}
	size := 0
	for len(b.Flows) < flowfile.BatchFlows && size < flowfile.BatchBytes {
		f, n, err := s.flow()
		switch {
		case err == nil:
			b.Flows = append(b.Flows, f)
			size += n
		case len(b.Flows) == 0:
			return nil, s.end(err)
		default:
			s.held = err
			return b, nil
		}
		if s.out.empty() {
			break // more would have to be waited for
		}
	}
	return b, nil
}

// end returns what stands for an error of reading: damage as it is, at the end of the
// output what became of the program and of its input.
func (s *Stream) end(err error) error {
	if errors.As(err, new(*flowfile.Damage)) {
		return err
	}
	if err == io.EOF {
		err = s.wait()
	}
	s.undo()
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		err = s.ctx.Err()
	case failed != nil:
		err = failed
	case err == nil:
		err = io.EOF
	}
	// Damage that was met by then comes before the end.
	if note := s.note(); note != nil {
		s.held = err
		return note
	}
	s.final = err
	return err
}

// note returns damage of the input that was not yet told.
func (s *Stream) note() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.notes) == 0 {
		return nil
	}
	err := s.notes[0]
	s.notes = s.notes[1:]
	return err
}

// flow returns the flow of the next line, and the size of the line.
func (s *Stream) flow() (*flowfile.Flow, int, error) {
	for {
		line, err := s.out.next()
		if err != nil {
			return nil, 0, err
		}
		f, err := s.back(line)
		if err == nil {
			return f, len(line), nil
		}
		if err := s.out.damage(err); err != nil {
			return nil, 0, err
		}
	}
}

// back returns the flow of a line that came back.
func (s *Stream) back(line []byte) (*flowfile.Flow, error) {
	sum := s.store.sum(line)
	if id, ok := lineID(line); ok {
		if e, err := s.store.unchanged(id, sum); e != nil || err != nil {
			return s.unchanged(e, err)
		}
	}
	ms, apart := membersOf(line)
	if apart {
		if e, err := s.store.find(str(ms, "id"), sum); err != nil {
			return nil, err
		} else if e != nil && str(ms, "type") == e.flow.Kind().String() {
			return s.edited(e, line, ms)
		}
	}
	r, err := jsonl.ParseLine(line)
	if err != nil {
		return nil, err
	}
	e, err := s.store.find(r.ID(), sum)
	switch {
	case err != nil:
		return nil, err
	case e == nil || e.flow.Kind() != r.Kind():
		return s.merger.fresh(r)
	}
	return s.merger.merge(e, s.view.of(e.flow, e.number), r, nil)
}

// edited returns the flow of a line, taken apart to ms, that is not as it went out.
func (s *Stream) edited(e *entry, line []byte, ms []member) (*flowfile.Flow, error) {
	sent := s.view.of(e.flow, e.number)
	var buf bytes.Buffer
	w := jsonl.NewWriter(&buf, jsonl.Options{})
	if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{sent}}); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	var r *flowfile.Flow
	var changed edits
	var err error
	if then, ok := membersOf(buf.Bytes()); ok {
		r, changed, err = readEdits(ms, then)
	} else { // unknown fields may be called anything
		r, err = jsonl.ParseLine(line)
	}
	if err != nil {
		return nil, err
	}
	return s.merger.merge(e, sent, r, changed)
}

// unchanged returns the flow of a line that came back as it went out.
func (s *Stream) unchanged(e *entry, err error) (*flowfile.Flow, error) {
	switch {
	case err != nil:
		return nil, err
	case s.o.Bodies.Mode == Files: // the files may have changed
		sent := s.view.of(e.flow, e.number)
		return s.merger.merge(e, sent, sent, nil)
	}
	return e.flow.Copy(), nil
}

// guard returns what must run when its caller returns: where a mapped input was cut short
// by somebody, touching it is a fault.
func guard(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		x := recover()
		if x == nil {
			return
		}
		if fault, ok := x.(interface{ Addr() uintptr }); !ok || fault.Addr() == 0 {
			panic(x)
		}
		*err = replay.ErrInputChanged
	}
}

// tail passes on what is written to it, and keeps the end.
type tail struct {
	to  io.Writer
	mu  sync.Mutex
	end []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p[max(0, len(p)-tailSize):]...)
	t.end = t.end[max(0, len(t.end)-tailSize):]
	if t.to != nil {
		_, _ = t.to.Write(p) // the program's errors are not its fault
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}

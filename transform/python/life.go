package python

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"flowkit/replay"
	"flowkit/transform/script"
)

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

// Kill ends the processes at once. It is for who is about to end, and may be called at any
// time.
func (s *Session) Kill() {
	for _, w := range s.workers {
		_ = w.cmd.Process.Kill() // it may have ended
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

package main

import (
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
)

// interrupts is the handling of Ctrl-C.
type interrupts struct {
	stop chan struct{} // closed by the first, if the input is no pipe
	hit  atomic.Bool
	end  func()

	mu    sync.Mutex
	kills []func()
	quit  bool // the program is about to end
}

// killer is what runs processes that would go on when flowkit ends at once.
type killer interface{ Kill() }

// kill has processes ended before the second Ctrl-C ends the program.
func (in *interrupts) kill(k killer) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.quit {
		k.Kill()
		return
	}
	in.kills = append(in.kills, k.Kill)
}

// killAll ends them.
func (in *interrupts) killAll() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.quit = true
	for _, kill := range in.kills {
		kill()
	}
}

// onInterrupt ends a source that is a file at the first Ctrl-C, so that the output is
// completed. A pipe is read to its end, since Ctrl-C reached the whole pipeline. The
// second Ctrl-C ends the program, and those of scripts and of --exec.
func onInterrupt(s *cli.Streams, pipe bool, out *output.Output) *interrupts {
	in := &interrupts{stop: make(chan struct{})}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	quit := make(chan struct{})
	in.end = func() {
		signal.Stop(signals)
		close(quit)
	}
	go func() {
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			case <-signals:
			}
			if n > 0 {
				if t := out.Temp(); t != "" {
					os.Remove(t)
				}
				in.killAll()
				os.Exit(cli.Stopped)
			}
			in.hit.Store(true)
			if pipe {
				s.Say("reading to the end of the input (again to quit at once)")
				continue
			}
			close(in.stop)
			s.Say("stopping: the output is being completed (again to quit at once)")
		}
	}()
	return in
}

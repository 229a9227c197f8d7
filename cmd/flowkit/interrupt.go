package main

import (
	"os"
	"os/signal"
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
}

// onInterrupt ends a source that is a file at the first Ctrl-C, so that the output is
// completed. A pipe is read to its end, since Ctrl-C reached the whole pipeline. The
// second Ctrl-C ends the program.
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

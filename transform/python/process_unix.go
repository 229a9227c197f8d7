//go:build unix

package python

import "syscall"

// interrupt sends the signal that ends a hook.
func (w *worker) interrupt() {
	_ = w.cmd.Process.Signal(syscall.SIGINT) // it may have ended
}

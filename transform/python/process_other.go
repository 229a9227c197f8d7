//go:build !unix

package python

import "syscall"

func (w *worker) interrupt() {}

func withParent() *syscall.SysProcAttr { return nil }

//go:build !unix

package python

import (
	"os"
	"syscall"
)

func (w *worker) interrupt() {}

func withParent() *syscall.SysProcAttr { return nil }

func widen(*os.File) {}

//go:build unix && !linux

package python

import (
	"os"
	"syscall"
)

func withParent() *syscall.SysProcAttr { return nil }

func widen(*os.File) {}

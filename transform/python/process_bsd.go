//go:build unix && !linux

package python

import "syscall"

func withParent() *syscall.SysProcAttr { return nil }

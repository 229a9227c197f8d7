//go:build unix

package exec

import (
	osexec "os/exec"
	"syscall"
)

// ownGroup lets cmd and what it starts be ended together, and keeps the terminal's Ctrl-C
// from them: flowkit ends its input then, and the program comes to its own end.
func ownGroup(cmd *osexec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends cmd and what it started. That there is nothing left to end is no error.
func killGroup(cmd *osexec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

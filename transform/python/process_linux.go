package python

import "syscall"

// withParent has the system end the child when the thread that started it ends, as it does
// when flowkit is killed.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

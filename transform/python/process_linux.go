package python

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// withParent has the system end the child when the thread that started it ends, as it does
// when flowkit is killed.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// widen makes room in a pipe for a whole batch, so that who writes and who reads it change
// places less often.
func widen(f *os.File) {
	// It is slower without, and that is all.
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 1<<20) })
	}
}

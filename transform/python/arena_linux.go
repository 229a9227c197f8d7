package python

import (
	"os"

	"golang.org/x/sys/unix"
)

// sharedFile returns a file in memory.
func sharedFile(dir string) (*os.File, error) {
	fd, err := unix.MemfdCreate("flowkit-arena", unix.MFD_CLOEXEC)
	if err != nil {
		return temporary(dir)
	}
	return os.NewFile(uintptr(fd), "flowkit-arena"), nil
}

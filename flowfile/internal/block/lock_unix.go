//go:build unix && !solaris && !illumos && !aix

package block

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// nonBlock keeps the opening of a pipe without a reader from waiting.
const nonBlock = syscall.O_NONBLOCK

// lock takes the writer's lock on f. It goes when f is closed or its process ends.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	if errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) {
		return nil // a file system without locks
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

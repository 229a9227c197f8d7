//go:build unix

package mitm

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// mapFile maps the first n bytes of f, which stay mapped until the process ends.
func mapFile(f *os.File, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if n != int64(int(n)) {
		return nil, errors.New("too large to map")
	}
	var data []byte
	err := control(f, func(fd int) (err error) {
		data, err = syscall.Mmap(fd, 0, int(n), syscall.PROT_READ, syscall.MAP_SHARED)
		return err
	})
	if err != nil {
		return nil, err
	}
	// Advice only.
	_ = unix.Madvise(data, unix.MADV_SEQUENTIAL)
	return data, nil
}

// readable tells whether f has something to read, or has ended; ok is false if that
// cannot be found out.
func readable(f *os.File) (ready, ok bool) {
	err := control(f, func(fd int) error {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		ready = n > 0
		return err
	})
	return ready, err == nil
}

// control calls do with the descriptor of f, which stays in its mode.
func control(f *os.File, do func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var derr error
	if err := c.Control(func(fd uintptr) { derr = do(int(fd)) }); err != nil {
		return err
	}
	return derr
}

//go:build darwin || linux || openbsd

package mitm

import (
	"os"

	"golang.org/x/sys/unix"
)

const canWritev = true

// writev writes pieces to f and returns what was not written: the ordinary way, to which
// the rest is left, waits or has the error.
func writev(f *os.File, pieces [][]byte) [][]byte {
	c, err := f.SyscallConn()
	if err != nil {
		return pieces
	}
	_ = c.Control(func(fd uintptr) {
		for len(pieces) > 0 {
			n, err := unix.Writev(int(fd), pieces)
			if err == unix.EINTR {
				continue
			}
			if err != nil || n <= 0 {
				return
			}
			for len(pieces) > 0 && n >= len(pieces[0]) {
				n -= len(pieces[0])
				pieces = pieces[1:]
			}
			if n > 0 {
				pieces[0] = pieces[0][n:]
			}
		}
	})
	return pieces
}

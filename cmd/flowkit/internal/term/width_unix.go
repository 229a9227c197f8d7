//go:build unix

package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// Width returns how many columns the terminal f has, 0 if nobody knows.
func Width(f *os.File) int {
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(ws.Col)
}

//go:build unix

package python

import (
	"os"
	"syscall"
)

// identity returns what tells a file from all others.
func identity(info os.FileInfo) (device, inode int64, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int64(st.Dev), int64(st.Ino), true
}

//go:build !unix

package python

import "os"

// ours tells whether dir is a folder.
func ours(dir string) bool {
	fi, err := os.Lstat(dir)
	return err == nil && fi.IsDir()
}

//go:build unix && !linux

package python

import "os"

// sharedFile returns a file that only this process and its children know.
func sharedFile(dir string) (*os.File, error) { return temporary(dir) }

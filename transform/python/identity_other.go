//go:build !unix

package python

import "os"

func identity(os.FileInfo) (device, inode int64, ok bool) { return 0, 0, false }

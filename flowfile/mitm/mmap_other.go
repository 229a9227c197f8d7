//go:build !unix

package mitm

import (
	"errors"
	"os"
)

func mapFile(*os.File, int64) ([]byte, error) { return nil, errors.ErrUnsupported }

func readable(*os.File) (ready, ok bool) { return false, false }

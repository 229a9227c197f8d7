//go:build !linux

package live

import (
	"errors"
	"net"
)

const transparentWorks = false

func originalDst(net.Conn) (string, int, error) {
	return "", 0, errors.New("the transparent mode needs Linux")
}

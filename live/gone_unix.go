//go:build unix

package live

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// watchAfter is how long an exchange may take before somebody looks whether its client is still there.
const watchAfter = time.Second

// watch calls gone if the client closes its connection while nobody reads from it. It stops when stop is called, after
// which the connection may be read again. An exchange that is over sooner than watchAfter pays for a timer alone.
func (c *clientConn) watch(gone func()) (stop func()) {
	sc, ok := c.raw.(syscall.Conn)
	if !ok || c.br.Buffered() > 0 {
		return func() {}
	}
	done := make(chan struct{})
	timer := time.AfterFunc(watchAfter, func() {
		defer close(done)
		if c.vanished(sc) {
			gone()
		}
	})
	return func() {
		if timer.Stop() {
			return
		}
		c.raw.SetReadDeadline(time.Unix(1, 0))
		<-done
		c.raw.SetReadDeadline(time.Time{})
	}
}

// vanished waits until the client sends something or closes, or the read deadline passes; it takes nothing. A client of
// TLS says that it closes, in an alert (RFC 8446 §6.1).
func (c *clientConn) vanished(sc syscall.Conn) bool {
	rc, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	gone := false
	c.raw.SetReadDeadline(time.Time{})
	err = rc.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			return false
		case err != nil || n == 0:
			gone = true
		default:
			gone = c.conn != c.raw && b[0] == 0x15
		}
		return true
	})
	return err == nil && gone
}

// spoke tells whether an idle connection was closed by its server, or says what nobody asked for: no request may be sent
// on it. It takes nothing and does not wait.
func (s *serverConn) spoke() bool {
	if s.rc == nil {
		sc, ok := s.raw.(syscall.Conn)
		if !ok {
			return false
		}
		rc, err := sc.SyscallConn()
		if err != nil {
			return true
		}
		s.rc = rc
	}
	var spoke bool
	err := s.rc.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		spoke = err != unix.EAGAIN && err != unix.EINTR
		return true
	})
	return err != nil || spoke
}

package live

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

const transparentWorks = true

// originalDst returns where a connection wanted to go before netfilter redirected it.
func originalDst(conn net.Conn) (host string, port int, err error) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return "", 0, errors.New("not a TCP connection")
	}
	rc, err := tcp.SyscallConn()
	if err != nil {
		return "", 0, err
	}
	local := tcp.LocalAddr().(*net.TCPAddr).AddrPort()
	var addr netip.AddrPort
	cerr := rc.Control(func(fd uintptr) {
		if local.Addr().Unmap().Is4() {
			// A sockaddr_in, in the first 16 bytes of an IPv6Mreq, for which x/sys has a call.
			var m *unix.IPv6Mreq
			if m, err = unix.GetsockoptIPv6Mreq(int(fd), unix.SOL_IP, unix.SO_ORIGINAL_DST); err == nil {
				a := m.Multiaddr
				addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[4:8])), uint16(a[2])<<8|uint16(a[3]))
			}
			return
		}
		// A sockaddr_in6, likewise as part of an IPv6MTUInfo.
		var m *unix.IPv6MTUInfo
		if m, err = unix.GetsockoptIPv6MTUInfo(int(fd), unix.SOL_IPV6, unix.SO_ORIGINAL_DST); err == nil {
			p := m.Addr.Port // in network order
			addr = netip.AddrPortFrom(netip.AddrFrom16(m.Addr.Addr), p<<8|p>>8)
		}
	})
	if cerr != nil {
		return "", 0, cerr
	}
	if err != nil {
		return "", 0, fmt.Errorf("SO_ORIGINAL_DST: %w", err)
	}
	return addr.Addr().Unmap().String(), int(addr.Port()), nil
}

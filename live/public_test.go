package live

import (
	"net"
	"testing"
)

type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr { a, _ := net.ResolveTCPAddr("tcp", f.addr); return a }

func TestAllowed(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "10.1.2.3:1": true, "192.168.1.1:1": true, "[fd00::1]:1": true, "169.254.1.1:1": true,
		"[fe80::1]:1": true, "[::ffff:10.0.0.1]:1": true,
		"8.8.8.8:1": false, "[2001:db8::1]:1": false, "[::ffff:8.8.8.8]:1": false, "172.32.0.1:1": false, "100.64.0.1:1": false,
	} {
		if got := (&Proxy{}).allowed(from{addr: addr}); got != want {
			t.Errorf("%s: %v", addr, got)
		}
		if p := (&Proxy{o: Options{Public: true}}); !p.allowed(from{addr: addr}) {
			t.Errorf("%s: not with Public", addr)
		}
		if p := (&Proxy{o: Options{Auth: func(string, string) bool { return false }}}); !p.allowed(from{addr: addr}) {
			t.Errorf("%s: not with Auth", addr)
		}
	}
}

package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"flowkit/replay"
)

// Replies of RFC 1928 §6.
const (
	socksOK          = 0
	socksFailure     = 1
	socksUnreachable = 4
	socksNoCommand   = 7
	socksNoAddress   = 8
)

// socks5 serves a client of SOCKS5 (RFC 1928, RFC 1929).
func (c *clientConn) socks5() error {
	c.headDeadline()
	var b [2]byte
	if _, err := io.ReadFull(c.br, b[:]); err != nil {
		return err
	}
	if b[0] != 5 {
		if b[0] >= 'A' && b[0] <= 'Z' {
			_ = (&http1Client{c: c}).reply(page(400, "this is a SOCKS5 proxy", "curl: --proxy socks5h://host:port"))
		}
		return fmt.Errorf("not a SOCKS5 client: version %d", b[0])
	}
	methods := make([]byte, b[1])
	if _, err := io.ReadFull(c.br, methods); err != nil {
		return err
	}
	want := byte(0)
	ask := c.p.o.Auth != nil || c.p.wants(replay.SOCKS5Auth)
	if ask {
		want = 2
	}
	found := false
	for _, m := range methods {
		found = found || m == want
	}
	if !found {
		_, _ = c.conn.Write([]byte{5, 0xFF})
		return errors.New("the client offers no way to say who it is that is accepted")
	}
	if _, err := c.conn.Write([]byte{5, want}); err != nil {
		return err
	}
	if ask {
		if err := c.socksAuth(); err != nil {
			return err
		}
	}
	d, err := c.socksRequest()
	if err != nil {
		return err
	}
	if c.p.o.Handler == nil {
		s, err := c.servers.dial(c.plainKey(d))
		if err != nil {
			_ = c.socksReply(socksUnreachable)
			c.tcpFailed(d, err)
			return errReported
		}
		c.servers.keepForTunnel(s)
	}
	if err := c.socksReply(socksOK); err != nil {
		return err
	}
	c.raw.SetReadDeadline(time.Time{})
	return c.tunnel(d, false)
}

func (c *clientConn) socksAuth() error {
	var b [256]byte
	read := func(n int) (string, error) {
		_, err := io.ReadFull(c.br, b[:n])
		return string(b[:n]), err
	}
	head, err := read(2)
	if err != nil {
		return err
	}
	user, err := read(int(head[1]))
	if err != nil {
		return err
	}
	n, err := read(1)
	if err != nil {
		return err
	}
	password, err := read(int(n[0]))
	if err != nil {
		return err
	}
	auth := &replay.Auth{User: user, Password: password, Valid: c.p.o.Auth != nil && c.p.o.Auth(user, password)}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.SOCKS5Auth, Conns: &replay.Conns{Client: c.client(), Auth: auth}})
	if !auth.Valid {
		_, _ = c.conn.Write([]byte{1, 1})
		c.p.log.Warn("refused a client: wrong user or password", "client", c.raw.RemoteAddr())
		return errReported
	}
	_, err = c.conn.Write([]byte{1, 0})
	return err
}

// socksRequest reads where the client wants to go.
func (c *clientConn) socksRequest() (*destination, error) {
	var b [256]byte
	if _, err := io.ReadFull(c.br, b[:4]); err != nil {
		return nil, err
	}
	if b[1] != 1 {
		_ = c.socksReply(socksNoCommand)
		return nil, fmt.Errorf("SOCKS command %d: only CONNECT is known", b[1])
	}
	d := &destination{}
	n := 0
	kind := b[3]
	switch kind {
	case 1:
		n = 4
	case 4:
		n = 16
	case 3:
		if _, err := io.ReadFull(c.br, b[:1]); err != nil {
			return nil, err
		}
		n = int(b[0])
	default:
		_ = c.socksReply(socksNoAddress)
		return nil, fmt.Errorf("SOCKS address of type %d", kind)
	}
	if _, err := io.ReadFull(c.br, b[:n]); err != nil {
		return nil, err
	}
	d.host = string(b[:n])
	if kind != 3 {
		d.host = net.IP(b[:n]).String()
	}
	if _, err := io.ReadFull(c.br, b[:2]); err != nil {
		return nil, err
	}
	d.port = int(binary.BigEndian.Uint16(b[:2]))
	return d, nil
}

func (c *clientConn) socksReply(code byte) error {
	_, err := c.conn.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
	return err
}

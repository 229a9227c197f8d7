package live

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http2"
	"flowkit/replay"
)

const clientBuffer = 4 << 10

// clientConn is a connection of a client, from accept to close. But for drain and cut it belongs to one goroutine and to
// those of its HTTP/2 streams.
type clientConn struct {
	p    *Proxy
	mode Mode
	raw  net.Conn
	ctx  context.Context
	end  context.CancelFunc

	conn net.Conn      // the innermost layer: raw, or TLS within it
	br   *bufio.Reader // of conn
	info atomic.Pointer[flowfile.Conn]

	waiting  atomic.Bool // for a request: nothing is lost if the connection ends now
	draining atomic.Bool
	h2       atomic.Pointer[http2.Conn] // if the client speaks HTTP/2
	servers  servers
	noAuth   bool // the client has shown who it is, or need not
}

// destination is where a tunnel leads.
type destination struct {
	host string
	port int
	tls  bool   // the client speaks TLS, which was taken apart
	sni  string // that it asked for
}

func (d *destination) String() string { return flowfile.HostPort(d.host, d.port) }

func newClientConn(p *Proxy, raw net.Conn, m Mode) *clientConn {
	c := &clientConn{p: p, mode: m, raw: raw, conn: raw}
	c.ctx, c.end = context.WithCancel(p.ctx)
	c.br = bufio.NewReaderSize(raw, clientBuffer)
	c.servers.c = c
	c.noAuth = p.o.Auth == nil || m.Kind == Reverse || m.Kind == Transparent
	c.info.Store(&flowfile.Conn{
		ID: newID(), Transport: "tcp", Peer: addrOf(raw.RemoteAddr()), Sock: addrOf(raw.LocalAddr()),
		Start: now(), ProxyMode: m.String(), State: 3,
	})
	return c
}

// client returns what is known of the connection.
func (c *clientConn) client() *flowfile.Conn { return c.info.Load() }

// drain ends the connection if it waits for a request, and else after the exchange in hand.
func (c *clientConn) drain() {
	c.draining.Store(true)
	if h2 := c.h2.Load(); h2 != nil {
		go h2.Shutdown(c.ctx)
	} else if c.waiting.Load() {
		c.raw.SetReadDeadline(time.Unix(1, 0))
	}
}

// cut ends the connection at once, with whatever goes on over it.
func (c *clientConn) cut() {
	c.draining.Store(true)
	c.end()
	c.raw.Close()
	c.servers.cut()
}

// wait waits for the first byte of a request; false: the connection is over.
func (c *clientConn) wait() bool {
	c.waiting.Store(true)
	defer c.waiting.Store(false)
	if c.br.Buffered() > 0 {
		return true
	}
	c.raw.SetReadDeadline(time.Now().Add(c.p.o.Timeouts.Idle))
	if c.draining.Load() {
		return false // drain may have set its deadline before ours
	}
	_, err := c.br.Peek(1)
	return err == nil
}

// serve serves the connection to its end.
func (c *clientConn) serve() {
	defer c.close()
	if !c.p.allowed(c.raw) {
		c.p.log.Warn("refused a client from a public address; --proxy-auth or --public lets it in", "client", c.raw.RemoteAddr())
		return
	}
	if !c.connected() {
		return
	}
	var err error
	switch c.mode.Kind {
	case Reverse:
		err = c.reverse()
	case SOCKS5:
		err = c.socks5()
	case Transparent:
		err = c.transparent()
	default:
		err = c.explicit()
	}
	if err != nil && !isQuiet(err) {
		c.p.log.Info("client connection ended", "client", c.raw.RemoteAddr(), "error", err)
	}
}

func (c *clientConn) close() {
	c.end()
	c.servers.closeAll()
	c.raw.Close()
	if c.p.wants(replay.ClientDisconnected) {
		info := *c.client()
		info.End, info.State = now(), 0
		c.info.Store(&info)
		c.p.fire(context.WithoutCancel(c.ctx), &replay.Event{
			Hook: replay.ClientDisconnected, Live: true, Conns: &replay.Conns{Client: &info},
		})
	}
}

// connected announces the client; a handler may refuse it.
func (c *clientConn) connected() bool {
	if !c.p.wants(replay.ClientConnected) {
		return true
	}
	conns := &replay.Conns{Client: c.client()}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.ClientConnected, Live: true, Conns: conns})
	c.info.Store(conns.Client)
	return conns.Client.Error == ""
}

// explicit serves a client that knows of the proxy.
func (c *clientConn) explicit() error {
	if !c.wait() {
		return nil
	}
	c.headDeadline()
	what, err := peek(c.br)
	if err != nil {
		return err
	}
	switch what {
	case overTLS: // to the proxy itself: a "secure web proxy"
		if c.p.o.CA == nil {
			return errors.New("the client speaks TLS to the proxy, which has no certificate authority")
		}
		if err := c.acceptTLS(nil, []string{"http/1.1"}); err != nil {
			return err
		}
		return c.http1(nil)
	case overHTTP1:
		return c.http1(nil)
	case overHTTP2:
		return c.http2(nil)
	case overSOCKS5:
		return errors.New("the client speaks SOCKS5: there is --mode socks5")
	}
	// The codec answers what is no request at all.
	return c.http1(nil)
}

func (c *clientConn) reverse() error {
	d := &destination{host: c.mode.Host, port: c.mode.Port}
	return c.tunnel(d, c.mode.Scheme == "tcp" || c.mode.Scheme == "tls")
}

func (c *clientConn) transparent() error {
	host, port, err := originalDst(c.raw)
	if err != nil {
		return fmt.Errorf("where the client wanted to go: %w", err)
	}
	if sock := c.client().Sock; sock.Host == host && sock.Port == port {
		return errors.New("the client connected to the transparent proxy itself: nothing redirects it")
	}
	return c.tunnel(&destination{host: host, port: port}, false)
}

// tunnel serves what comes through a connection whose other end is d.
func (c *clientConn) tunnel(d *destination, raw bool) error {
	raw = raw || matches(c.p.o.RawTCP, d.String())
	if c.mode.Kind == Reverse && raw && c.mode.Scheme == "tls" {
		what, err := peek(c.br)
		if err == nil && what == overTLS {
			return c.tls(d, raw)
		}
		return c.tcp(d, true)
	}
	if raw {
		return c.tcp(d, false)
	}
	what, err := c.first(d)
	if err != nil {
		return err
	}
	if what == overOther && c.mode.Kind == Reverse {
		what = overHTTP1 // by the mode; its codec says what is wrong
	}
	what, ignore := c.nextLayer(d, what)
	switch {
	case ignore:
		return c.pass(d)
	case what == overTLS:
		return c.tls(d, raw)
	case what == overHTTP1:
		return c.http1(d)
	case what == overHTTP2:
		return c.http2(d)
	}
	return c.tcp(d, false)
}

// first tells what the client speaks. A client that says nothing may wait for its server to speak first.
func (c *clientConn) first(d *destination) (protocol, error) {
	if c.br.Buffered() == 0 {
		c.raw.SetReadDeadline(time.Now().Add(serverFirst))
		if _, err := c.br.Peek(1); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return unknown, err
			}
			if c.mode.Kind == Reverse {
				// An HTTP server does not speak first, and this is one.
				if !c.wait() {
					return unknown, io.EOF
				}
			} else if spoke, err := c.serverSpeaks(d); spoke || err != nil {
				return overOther, err
			}
		}
	}
	c.headDeadline()
	what, err := peek(c.br)
	c.raw.SetReadDeadline(time.Time{})
	return what, err
}

// serverFirst is how long a client in a tunnel may stay silent before the server is listened to.
const serverFirst = 150 * time.Millisecond

// serverSpeaks waits for a byte of either side, and tells whether the server was first.
func (c *clientConn) serverSpeaks(d *destination) (bool, error) {
	s, err := c.servers.get(c.key(d), nil)
	if err != nil {
		return false, err
	}
	if s.h2 != nil { // its first words are no news
		if !c.wait() {
			return false, io.EOF
		}
		return false, nil
	}
	c.raw.SetReadDeadline(time.Now().Add(c.p.o.Timeouts.Idle)) // before the server can take it back
	first, over := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(over)
		_, err := s.br.Peek(1)
		first <- err
		if err == nil {
			c.raw.SetReadDeadline(time.Unix(1, 0))
		}
	}()
	_, err = c.br.Peek(1)
	if err == nil {
		s.raw.SetReadDeadline(time.Unix(1, 0))
		<-over
		s.raw.SetReadDeadline(time.Time{})
		spoke := s.br.Buffered() > 0
		c.servers.keepForTunnel(s)
		return spoke, nil
	}
	c.servers.keepForTunnel(s)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false, err
	}
	select {
	case err := <-first:
		<-over
		return err == nil, err
	default:
		return false, err
	}
}

// nextLayer asks handlers what a connection is.
func (c *clientConn) nextLayer(d *destination, what protocol) (protocol, bool) {
	if !c.p.wants(replay.NextLayer) {
		return what, false
	}
	name := "tcp"
	switch what {
	case overTLS:
		name = "tls"
	case overHTTP1, overHTTP2:
		name = "http"
	}
	have, _ := c.br.Peek(c.br.Buffered())
	e := &replay.Event{Hook: replay.NextLayer, Live: true, Conns: &replay.Conns{
		Client: c.client(), Server: &flowfile.Conn{Address: &flowfile.Addr{Host: d.host, Port: d.port}, Transport: "tcp"},
		Next: &replay.Layer{Protocol: name, FromClient: bytes.Clone(have)},
	}}
	c.p.fire(c.ctx, e)
	if chosen := e.Conns.Next.Protocol; chosen != name {
		switch chosen {
		case "tls":
			what = overTLS
		case "http":
			what = overHTTP1
		default:
			what = overOther
		}
	}
	return what, e.Conns.Ignore
}

func (c *clientConn) headDeadline() { c.raw.SetReadDeadline(time.Now().Add(c.p.o.Timeouts.Head)) }

// setConn makes conn the innermost layer.
func (c *clientConn) setConn(conn net.Conn) {
	c.conn = conn
	c.br = bufio.NewReaderSize(conn, clientBuffer)
}

// allowed tells whether a client may use the proxy by its address: with nobody checked, those of the machine and of
// private networks may.
func (p *Proxy) allowed(conn net.Conn) bool {
	if p.o.Auth != nil || p.o.Public {
		return true
	}
	a, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return false
	}
	ip := a.Addr().Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
}

func addrOf(a net.Addr) *flowfile.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return &flowfile.Addr{Host: t.AddrPort().Addr().Unmap().String(), Port: t.Port}
	}
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return nil
	}
	n, _ := strconv.Atoi(port)
	return &flowfile.Addr{Host: host, Port: n}
}

// isQuiet tells whether an error is the usual end of a connection.
func isQuiet(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, context.Canceled) || errors.Is(err, errReported)
}

// errReported is an error that was answered and logged where it happened.
var errReported = errors.New("connection ended")

// prefixed is a connection of which some bytes were read already.
type prefixed struct {
	net.Conn
	r io.Reader
}

func (p *prefixed) Read(b []byte) (int, error) { return p.r.Read(b) }

// CloseWrite ends what we send and lets the other side finish.
func (p *prefixed) CloseWrite() error { return closeWrite(p.Conn) }

func closeWrite(c io.ReadWriteCloser) error {
	switch c := c.(type) {
	case *net.TCPConn:
		return c.CloseWrite()
	case *tls.Conn:
		return c.CloseWrite()
	case *prefixed:
		return c.CloseWrite()
	}
	return nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

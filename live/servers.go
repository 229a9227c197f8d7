package live

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
	"flowkit/live/internal/http2"
	"flowkit/replay"
)

const serverBuffer = 16 << 10

// serverKey is what a connection to a server has to agree in to be used again.
type serverKey struct {
	host string
	port int
	tls  bool
	sni  string
	// plain: within the mode Upstream, plain HTTP goes to the proxy itself and not through a tunnel.
	plain bool
}

// serverConn is a connection to a server. One that speaks HTTP/1 has one exchange at a time.
type serverConn struct {
	key  serverKey
	raw  net.Conn
	conn net.Conn
	br   *bufio.Reader
	info *flowfile.Conn
	leaf *x509.Certificate
	h2   *http2.Conn // nil: HTTP/1, or bytes
	used atomic.Bool
	rc   syscall.RawConn // of raw, for spoke
	body http1.Body
	out  http1.BodyWriter
	buf  []byte
}

// servers are the connections that belong to one client connection. It is safe for concurrent use.
type servers struct {
	c    *clientConn
	mu   sync.Mutex
	idle []*serverConn // HTTP/1
	h2   []*serverConn
	all  map[*serverConn]struct{}
	dead bool
	// early was made before it was known what is spoken in a tunnel; TLS may begin on it.
	early *serverConn
}

// maxIdle is how many connections wait for another request of the same client.
const maxIdle = 8

// key is that of TLS, or plain bytes, to d.
func (c *clientConn) key(d *destination) serverKey {
	return serverKey{host: d.host, port: d.port, tls: d.tls, sni: d.sni}
}

func (c *clientConn) plainKey(d *destination) serverKey {
	return serverKey{host: d.host, port: d.port}
}

// get returns a connection for an exchange: one that waits, or a new one.
func (ss *servers) get(key serverKey, alpn []string) (*serverConn, error) {
	ss.mu.Lock()
	if s := ss.early; s != nil && s.key == key {
		ss.early = nil
		ss.mu.Unlock()
		return s, nil
	}
	for i := 0; i < len(ss.h2); i++ {
		s := ss.h2[i]
		if !s.h2.Usable() {
			ss.h2 = append(ss.h2[:i], ss.h2[i+1:]...)
			i--
			continue
		}
		if s.key == key {
			ss.mu.Unlock()
			return s, nil
		}
	}
	var stale []*serverConn
	var found *serverConn
	for i := len(ss.idle) - 1; i >= 0 && found == nil; i-- {
		if s := ss.idle[i]; s.key == key {
			ss.idle = append(ss.idle[:i], ss.idle[i+1:]...)
			if s.used.Load() && s.spoke() {
				stale = append(stale, s)
				continue
			}
			found = s
		}
	}
	ss.mu.Unlock()
	for _, s := range stale {
		ss.close(s)
	}
	if found != nil {
		return found, nil
	}
	return ss.dialALPN(key, alpn)
}

// put keeps a connection for the next exchange.
func (ss *servers) put(s *serverConn) {
	if s.h2 != nil {
		return // shared, and known since it was made
	}
	var old *serverConn
	ss.mu.Lock()
	switch {
	case ss.dead:
		old = s
	default:
		if len(ss.idle) >= maxIdle {
			old = ss.idle[0]
			ss.idle = append(ss.idle[:0], ss.idle[1:]...)
		}
		ss.idle = append(ss.idle, s)
	}
	ss.mu.Unlock()
	if old != nil {
		ss.close(old)
	}
}

// close closes a connection and announces that.
func (ss *servers) close(s *serverConn) {
	ss.mu.Lock()
	_, open := ss.all[s]
	delete(ss.all, s)
	ss.mu.Unlock()
	if s.h2 != nil {
		s.h2.Close()
	}
	s.conn.Close()
	if open {
		ss.disconnected(s)
	}
}

// disconnected tells handlers that a connection is closed.
func (ss *servers) disconnected(s *serverConn) {
	if !ss.c.p.wants(replay.ServerDisconnected) {
		return
	}
	info := *s.info
	info.End, info.State = now(), 0
	ss.c.p.fire(context.WithoutCancel(ss.c.ctx), &replay.Event{
		Hook: replay.ServerDisconnected, Conns: &replay.Conns{Client: ss.c.client(), Server: &info},
	})
}

// cut ends what goes on over the connections. They are closed by those that have them.
func (ss *servers) cut() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.dead = true
	for s := range ss.all {
		s.raw.Close()
	}
}

func (ss *servers) closeAll() {
	ss.mu.Lock()
	ss.dead = true
	var all []*serverConn
	for s := range ss.all {
		all = append(all, s)
	}
	ss.idle, ss.h2, ss.early = nil, nil, nil
	ss.mu.Unlock()
	for _, s := range all {
		ss.close(s)
	}
}

func (ss *servers) dial(key serverKey) (*serverConn, error) { return ss.dialALPN(key, nil) }

// dialError is a server that could not be reached. Its connection is recorded with the flow.
type dialError struct {
	err  error
	info *flowfile.Conn
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// keepForTunnel keeps a connection that was made before it was known what is spoken in the tunnel.
func (ss *servers) keepForTunnel(s *serverConn) {
	ss.mu.Lock()
	ss.early = s
	ss.mu.Unlock()
}

// takeEarly returns the early connection if TLS to key may begin on it.
func (ss *servers) takeEarly(key serverKey) *serverConn {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.early
	if s == nil || !key.tls || s.key.tls || s.key.host != key.host || s.key.port != key.port {
		return nil
	}
	ss.early = nil
	return s
}

// startTLS makes TLS of a connection that has carried nothing yet.
func (ss *servers) startTLS(s *serverConn, key serverKey, alpn []string) (*serverConn, error) {
	c := ss.c
	info := *s.info
	info.SNI = key.sni
	s.key, s.info = key, &info
	s.raw.SetDeadline(time.Now().Add(c.p.o.Timeouts.Dial))
	err := ss.handshakeTLS(s, alpn)
	s.raw.SetDeadline(time.Time{})
	if err != nil {
		ss.close(s)
		return nil, &dialError{err, s.info}
	}
	s.ready()
	if s.h2 != nil {
		ss.mu.Lock()
		ss.h2 = append(ss.h2, s)
		ss.mu.Unlock()
	}
	return s, nil
}

// dialALPN makes a new connection.
func (ss *servers) dialALPN(key serverKey, alpn []string) (*serverConn, error) {
	c := ss.c
	if s := ss.takeEarly(key); s != nil {
		s, err := ss.startTLS(s, key, alpn)
		if err == nil || !ss.wantsHTTP2(err, alpn) {
			return s, err
		}
		alpn = []string{"h2"}
	}
	info := &flowfile.Conn{
		ID: newID(), Transport: "tcp", Address: &flowfile.Addr{Host: key.host, Port: key.port}, Start: now(), SNI: key.sni,
	}
	if c.mode.Kind == Upstream {
		info.Via = &flowfile.Via{Scheme: c.mode.Scheme, Addr: flowfile.Addr{Host: c.mode.Host, Port: c.mode.Port}}
	}
	if c.p.wants(replay.ServerConnect) {
		e := &replay.Event{Hook: replay.ServerConnect, Conns: &replay.Conns{Client: c.client(), Server: info}}
		c.p.fire(c.ctx, e)
		info = e.Conns.Server
		if info.Error != "" {
			return nil, &dialError{errors.New(info.Error), info}
		}
	}
	s, err := ss.connect(key, info, alpn)
	if err != nil && ss.wantsHTTP2(err, alpn) {
		s, err = ss.connect(key, info, []string{"h2"})
	}
	if err != nil {
		failed := *info
		if s != nil { // it was reached, and then failed
			failed = *s.info
		}
		failed.Error = err.Error()
		if s == nil {
			c.p.fire(c.ctx, &replay.Event{Hook: replay.ServerConnectError, Conns: &replay.Conns{Client: c.client(), Server: &failed}})
		}
		return nil, &dialError{err, &failed}
	}
	ss.mu.Lock()
	if ss.dead {
		ss.mu.Unlock()
		s.conn.Close()
		return nil, &dialError{net.ErrClosed, s.info}
	}
	if ss.all == nil {
		ss.all = make(map[*serverConn]struct{})
	}
	ss.all[s] = struct{}{}
	if s.h2 != nil {
		ss.h2 = append(ss.h2, s)
	}
	ss.mu.Unlock()
	return s, nil
}

// wantsHTTP2 tells whether a handshake failed since the server speaks HTTP/2 alone, which it was not offered.
func (ss *servers) wantsHTTP2(err error, alpn []string) bool {
	// The alert (RFC 7301 §3.2) has no exported type in crypto/tls.
	return strings.Contains(err.Error(), "remote error: tls: no application protocol") &&
		!slices.Contains(alpn, "h2") && !ss.c.p.o.NoHTTP2
}

// connect dials, goes through the upstream proxy, and makes the TLS handshake. It changes a copy of info.
func (ss *servers) connect(key serverKey, info *flowfile.Conn, alpn []string) (*serverConn, error) {
	c := ss.c
	ctx, cancel := context.WithTimeout(c.ctx, c.p.o.Timeouts.Dial)
	defer cancel()
	copied := *info
	info = &copied
	addr := info.Address.String()
	if info.Via != nil {
		addr = info.Via.Addr.String()
	}
	conn, err := c.p.o.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, explainDial(addr, err)
	}
	info.Peer, info.Sock, info.TCPSetup, info.State = addrOf(conn.RemoteAddr()), addrOf(conn.LocalAddr()), now(), 3
	s := &serverConn{key: key, raw: conn, conn: conn, info: info}
	if c.p.wants(replay.ServerConnected) {
		e := &replay.Event{Hook: replay.ServerConnected, Conns: &replay.Conns{Client: c.client(), Server: s.info}}
		c.p.fire(c.ctx, e)
		s.info = e.Conns.Server
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	if err := ss.handshakes(s, alpn); err != nil {
		conn.Close()
		ss.disconnected(s)
		return s, err
	}
	conn.SetDeadline(time.Time{})
	s.ready()
	return s, nil
}

// ready makes what reads the connection.
func (s *serverConn) ready() {
	if s.br == nil {
		s.br = bufio.NewReaderSize(s.conn, serverBuffer)
	}
	if s.info.ALPN == "h2" {
		s.h2 = http2.Client(s.conn, http2.Options{Reader: s.br, KeepAlive: time.Minute})
	}
}

// handshakes goes through the upstream proxy and into TLS.
func (ss *servers) handshakes(s *serverConn, alpn []string) error {
	c := ss.c
	if via := s.info.Via; via != nil {
		if via.Scheme == "https" {
			t, _, err := c.p.clientTLS(c, s.conn, via.Addr.Host, via.Addr.Host, []string{"http/1.1"})
			if err != nil {
				return fmt.Errorf("TLS with the upstream proxy %s: %w", via.Addr.String(), err)
			}
			s.conn = t
		}
		if !s.key.plain {
			if err := ss.connectVia(s); err != nil {
				return fmt.Errorf("upstream proxy %s: %w", via.Addr.String(), err)
			}
		}
	}
	if !s.key.tls {
		return nil
	}
	return ss.handshakeTLS(s, alpn)
}

// handshakeTLS begins TLS on a connection.
func (ss *servers) handshakeTLS(s *serverConn, alpn []string) error {
	c := ss.c
	c.p.fire(c.ctx, &replay.Event{Hook: replay.TLSStartServer, Conns: &replay.Conns{Client: c.client(), Server: s.info}})
	t, st, err := c.p.clientTLS(c, s.conn, s.info.Address.Host, s.key.sni, alpn)
	describeTLS(s.info, st, s.key.sni, alpn)
	if err != nil {
		s.info.Error = err.Error()
		c.p.fire(c.ctx, &replay.Event{Hook: replay.TLSFailedServer, Conns: &replay.Conns{Client: c.client(), Server: s.info}})
		return explainTLS(err)
	}
	s.conn, s.br = t, nil
	s.info.TLSSetup = now()
	s.leaf = st.PeerCertificates[0]
	c.p.fire(c.ctx, &replay.Event{Hook: replay.TLSEstablishedServer, Conns: &replay.Conns{Client: c.client(), Server: s.info}})
	return nil
}

// connectVia asks the upstream proxy for a tunnel.
func (ss *servers) connectVia(s *serverConn) error {
	target := s.info.Address.String()
	head := &http1.RequestHead{Method: "CONNECT", Target: target, Version: "HTTP/1.1", Fields: []flowfile.Field{{Name: "Host", Value: target}}}
	if a := ss.c.p.o.Upstream.header(); a != "" {
		head.Fields = append(head.Fields, flowfile.Field{Name: "Proxy-Authorization", Value: a})
	}
	if c := ss.c; c.p.wants(replay.HTTPConnectUpstream) {
		// A handler may add what the proxy wants to see.
		f := flowfile.New(flowfile.Head{
			ID: newID(), Created: now(), Client: c.client(), Server: s.info,
			Request: flowfile.NewRequest(flowfile.RequestHead{
				MessageHead: flowfile.MessageHead{Version: head.Version, Headers: head.Fields, Start: now(), Body: flowfile.BytesBody(nil)},
				Method:      head.Method, Host: s.info.Address.Host, Port: s.info.Address.Port, Authority: target,
			}),
		})
		c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnectUpstream, Flow: f, Conns: &replay.Conns{Client: c.client(), Server: s.info}})
		if ender, ok := c.p.o.Handler.(Ender); ok {
			ender.End(f)
		}
		head.Fields = f.Request().Headers().Fields()
		if err := head.Frame(); err != nil {
			return err
		}
	}
	if _, err := s.conn.Write(http1.AppendRequest(nil, head)); err != nil {
		return err
	}
	s.br = bufio.NewReaderSize(s.conn, serverBuffer)
	var resp http1.ResponseHead
	for {
		if err := http1.ReadResponse(s.br, "CONNECT", http1.Limits{}, &resp); err != nil {
			return err
		}
		if resp.Status >= 200 {
			break
		}
	}
	if resp.Status > 299 {
		return fmt.Errorf("it answered CONNECT with %d %s", resp.Status, resp.Reason)
	}
	if s.br.Buffered() > 0 {
		s.conn = &prefixed{s.conn, s.br}
	}
	return nil
}

func (c Credentials) header() string {
	if c == (Credentials{}) {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.User+":"+c.Password))
}

// explainDial says in words what a dial met.
func explainDial(addr string, err error) error {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("there is no host %s", dns.Name)
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the server did not answer in time")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s: %w", addr, syscall.ECONNREFUSED)
	}
	return err
}

func explainTLS(err error) error {
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		return fmt.Errorf("the server's certificate is not trusted: %w (--insecure goes on all the same)", bad.Err)
	}
	return fmt.Errorf("TLS with the server: %w", err)
}

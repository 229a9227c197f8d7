package live

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"flowkit/flowfile"
	"flowkit/live/ca"
	"flowkit/live/internal/http1"
	"flowkit/replay"
)

// http1 serves requests of HTTP/1 until the connection is over. d is where the tunnel leads, nil for an explicit proxy.
func (c *clientConn) http1(d *destination) error {
	in := &http1Client{c: c}
	for {
		if !c.wait() {
			return nil
		}
		start := now()
		c.headDeadline()
		var h http1.RequestHead
		if err := http1.ReadRequest(c.br, http1.Limits{}, &h); err != nil {
			return c.badRequest(err)
		}
		c.raw.SetReadDeadline(time.Time{})
		if d == nil && !c.noAuth {
			if !c.authorized(&h) {
				if !in.refuse(&h) {
					return nil
				}
				continue
			}
			h.Fields = without(h.Fields, "Proxy-Authorization")
		}
		if h.Method == "CONNECT" {
			if d != nil && c.mode.Kind == Reverse {
				return in.reply(page(400, "CONNECT", "a reverse proxy makes no tunnels"))
			}
			return c.connect(in, &h, start)
		}
		req, err := c.request(&h, d)
		if err != nil {
			return c.badRequest(err)
		}
		if c.p.o.CA != nil && !req.key.tls && ca.IsPageHost(req.head.Host) && req.head.Port == 80 {
			if !in.ownPage(&h) {
				return nil
			}
			continue
		}
		req.head.Start = start
		x := &exchange{
			c: c, in: in, key: req.key, req: flowfile.NewRequest(req.head), framing: h.Body, expect: h.Expect,
			upgrade: h.Upgrade, reusable: !h.Close,
		}
		x.flow = flowfile.New(flowfile.Head{ID: newID(), Created: start, Client: c.client(), Request: x.req})
		in.begin(&h)
		x.run()
		if in.open {
			c.abort()
			return nil
		}
		if !x.reusable || in.close || !in.body.Done() || c.draining.Load() || x.switched != nil {
			return c.linger()
		}
	}
}

// linger ends a connection on which the client may still be sending, so that it gets to read our answer before it
// learns that nobody listens (RFC 9112 §9.6).
func (c *clientConn) linger() error {
	_ = closeWrite(c.conn)
	c.raw.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for n := 0; n < 256<<10; {
		k, err := c.conn.Read(*buf)
		if err != nil {
			break
		}
		n += k
	}
	return nil
}

// abort ends the connection so that the client cannot take what it has for all of a body that ends with the connection.
func (c *clientConn) abort() {
	if t, ok := c.raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	c.raw.Close()
}

// target is where a request goes.
type target struct {
	head flowfile.RequestHead
	key  serverKey
}

// request makes the model's request of a head.
func (c *clientConn) request(h *http1.RequestHead, d *destination) (*target, error) {
	t := &target{head: flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Version: h.Version, Headers: h.Fields}, Method: h.Method, Path: h.Target,
	}}
	scheme, rest, absolute := strings.Cut(h.Target, "://")
	absolute = absolute && !strings.HasPrefix(h.Target, "/") && h.Target != "*"
	if d == nil && !absolute {
		return nil, &http1.Error{Status: 400, Msg: "this is a proxy, and the request names no server: GET http://host/path"}
	}
	r := &t.head
	if absolute {
		r.Scheme = strings.ToLower(scheme)
		i := strings.IndexAny(rest, "/?#")
		if i < 0 {
			i = len(rest)
		}
		r.Authority, r.Path = rest[:i], rest[i:]
		if !strings.HasPrefix(r.Path, "/") {
			r.Path = "/" + r.Path
		}
		authority := r.Authority[strings.LastIndexByte(r.Authority, '@')+1:]
		host, port, ok := flowfile.SplitAuthority(authority)
		if !ok || r.Scheme != "http" && r.Scheme != "https" {
			return nil, &http1.Error{Status: 400, Msg: "the URL of the request is no http or https URL"}
		}
		if port == 0 {
			port = flowfile.DefaultPort(r.Scheme)
		}
		r.Host, r.Port = host, port
		// RFC 9112 §3.2.2: the target decides, and Host is made to agree.
		if v, ok := http1.Get(h.Fields, "Host"); !ok || !flowfile.EqualFold(v, authority) {
			hs := flowfile.NewHeaders(append([]flowfile.Field(nil), h.Fields...))
			if ok {
				hs.Set("Host", authority)
			} else {
				hs.Replace(append([]flowfile.Field{{Name: "Host", Value: authority}}, h.Fields...))
			}
			r.Headers = hs.Fields()
		}
	}
	if d != nil {
		r.Scheme, r.Host, r.Port = "http", d.host, d.port
		if d.tls || c.mode.Kind == Reverse && c.mode.Scheme == "https" {
			r.Scheme = "https"
		}
		if c.mode.Kind == Reverse && !c.p.o.KeepHost {
			hs := flowfile.NewHeaders(append([]flowfile.Field(nil), r.Headers...))
			host := r.Host
			if r.Port != flowfile.DefaultPort(r.Scheme) {
				host = flowfile.HostPort(r.Host, r.Port)
			}
			hs.Set("Host", host)
			r.Headers = hs.Fields()
		}
	}
	t.key = serverKey{host: r.Host, port: r.Port, tls: r.Scheme == "https"}
	if d != nil {
		t.key.sni = d.sni
		if c.mode.Kind == Reverse {
			t.key.sni = "" // the client asked for the proxy's name
		}
	}
	return t, nil
}

// badRequest answers what is no request. Nothing behind it can be trusted, so the connection ends.
func (c *clientConn) badRequest(err error) error {
	var bad *http1.Error
	switch {
	case errors.As(err, &bad):
	case errors.Is(err, os.ErrDeadlineExceeded):
		bad = &http1.Error{Status: 408, Msg: "the head of the request took too long"}
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
	c.p.log.Warn("refused a request", "client", c.raw.RemoteAddr(), "status", bad.Status, "reason", bad.Msg)
	in := &http1Client{c: c}
	_ = in.reply(page(bad.Status, "flowkit refused the request", bad.Msg))
	_ = c.linger()
	return errReported
}

// authorized checks the user of an explicit proxy (RFC 7617).
func (c *clientConn) authorized(h *http1.RequestHead) bool {
	v, _ := http1.Get(h.Fields, "Proxy-Authorization")
	scheme, token, _ := strings.Cut(v, " ")
	if !flowfile.EqualFold(scheme, "basic") {
		return false
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		return false
	}
	user, password, ok := strings.Cut(string(data), ":")
	if !ok || !c.p.o.Auth(user, password) {
		c.p.log.Warn("refused a client: wrong user or password", "client", c.raw.RemoteAddr())
		return false
	}
	if h.Method == "CONNECT" {
		c.noAuth = true // what is in the tunnel is the server's
	}
	return true
}

func without(fields []flowfile.Field, name string) []flowfile.Field {
	hs := flowfile.NewHeaders(append([]flowfile.Field(nil), fields...))
	hs.Del(name)
	return hs.Fields()
}

// connect makes a tunnel (RFC 9110 §9.3.6).
func (c *clientConn) connect(in *http1Client, h *http1.RequestHead, start flowfile.Time) error {
	host, port, ok := flowfile.SplitAuthority(h.Target)
	if !ok || port == 0 {
		return c.badRequest(&http1.Error{Status: 400, Msg: "CONNECT needs host:port, not " + h.Target})
	}
	req := flowfile.NewRequest(flowfile.RequestHead{
		MessageHead: flowfile.MessageHead{Version: h.Version, Headers: h.Fields, Start: start, End: now(), Body: flowfile.BytesBody(nil)},
		Method:      "CONNECT", Host: host, Port: port, Authority: h.Target,
	})
	f := flowfile.New(flowfile.Head{ID: newID(), Created: start, Client: c.client(), Request: req})
	c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnect, Flow: f, Conns: &replay.Conns{Client: c.client()}})
	if ender, ok := c.p.o.Handler.(Ender); ok {
		defer ender.End(f)
	}
	if replay.IsKilled(f) {
		return errReported
	}
	if resp := f.Response(); resp != nil && (resp.Status() < 200 || resp.Status() > 299) {
		c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnectError, Flow: f, Conns: &replay.Conns{Client: c.client()}})
		body, err := resp.Body().Bytes(1 << 20)
		if err != nil {
			return err
		}
		return in.reply(&http1.ResponseHead{
			Version: "HTTP/1.1", Status: resp.Status(), Reason: resp.Reason(), Fields: resp.Headers().Fields(),
		}, body)
	}
	host, port = req.Host(), req.Port()
	d := &destination{host: host, port: port}
	// A server that cannot be reached is said here, unless scripts may answer in its place or the certificate
	// authority's page was asked for.
	if c.p.o.Handler == nil && !ca.IsPageHost(host) {
		s, err := c.servers.dial(c.plainKey(d))
		if err != nil {
			return c.connectFailed(in, f, err)
		}
		c.servers.keepForTunnel(s)
	}
	reply := []byte("HTTP/1.1 200 Connection established\r\n\r\n")
	if h.Version == "HTTP/1.0" {
		copy(reply, "HTTP/1.0")
	}
	if _, err := c.conn.Write(reply); err != nil {
		return err
	}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnected, Flow: f, Conns: &replay.Conns{Client: c.client()}})
	return c.tunnel(d, false)
}

func (c *clientConn) connectFailed(in *http1Client, f *flowfile.Flow, err error) error {
	f.SetError(&flowfile.Error{Msg: err.Error(), Time: now()})
	var d *dialError
	if errors.As(err, &d) {
		f.SetServer(d.info)
	}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.HTTPConnectError, Flow: f, Conns: &replay.Conns{Client: c.client()}})
	c.p.record(f, nil, End{}, 0)
	h, body := errorPage(err, f.Request())
	_ = in.reply(h, body)
	return errReported
}

func (c *clientConn) idleDeadline() { c.raw.SetReadDeadline(time.Now().Add(c.p.o.Timeouts.Idle)) }

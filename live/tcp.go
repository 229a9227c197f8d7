package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
)

// pass passes a tunnel on untouched. What is recorded is that it was there, and how much went through.
func (c *clientConn) pass(d *destination) error {
	return c.relay(d, c.plainKey(d), true)
}

// tcp passes on bytes that are no HTTP, and records them as messages. overTLS: they are within TLS on the server's side.
func (c *clientConn) tcp(d *destination, overTLS bool) error {
	key := c.plainKey(d)
	if overTLS {
		key.tls, key.sni = true, d.sni
	}
	return c.relay(d, key, false)
}

func (c *clientConn) relay(d *destination, key serverKey, untouched bool) error {
	s, err := c.servers.get(key, nil)
	if err != nil {
		c.tcpFailed(d, err)
		return errReported
	}
	f := flowfile.New(flowfile.Head{ID: newID(), Kind: flowfile.TCP, Created: now(), Client: c.client(), Server: s.info})
	defer c.servers.close(s)
	return c.converse(f, s, untouched)
}

// tcpFailed records a conversation that did not come about.
func (c *clientConn) tcpFailed(d *destination, err error) {
	c.p.log.Warn("no connection to the server", "server", d.String(), "error", err)
	f := flowfile.New(flowfile.Head{
		ID: newID(), Kind: flowfile.TCP, Created: now(), Client: c.client(), Error: &flowfile.Error{Msg: err.Error(), Time: now()},
	})
	var de *dialError
	if errors.As(err, &de) {
		f.SetServer(de.info)
	}
	c.p.fire(c.ctx, &replay.Event{Hook: replay.TCPError, Flow: f})
	c.p.record(f, nil, End{}, 0)
}

// failedFlow records a connection that ended before anything was asked.
func (c *clientConn) failedFlow(d *destination, msg string) {
	c.p.record(flowfile.New(flowfile.Head{
		ID: newID(), Kind: flowfile.TCP, Created: now(), Client: c.client(), Error: &flowfile.Error{Msg: msg, Time: now()},
		Server: &flowfile.Conn{Transport: "tcp", Address: &flowfile.Addr{Host: d.host, Port: d.port}, SNI: d.sni},
	}), nil, End{}, 0)
}

var errOver = errors.New("the conversation is over")

// conversation is a TCP flow that goes on.
type conversation struct {
	c      *clientConn
	f      *flowfile.Flow
	quiet  bool // nothing but lengths is recorded
	client io.Writer
	server io.Writer

	mu    sync.Mutex // one message at a time
	open  OpenFlow
	over  bool
	log   *flowfile.MessageLog // for handlers
	bytes [2]int64
	turns [2]sync.Mutex // of a message of a direction, from the handlers until it is written; locked before mu
	queue injector
}

// converse passes bytes both ways until both sides have ended.
func (c *clientConn) converse(f *flowfile.Flow, s *serverConn, untouched bool) error {
	p := c.p
	v := &conversation{c: c, f: f, quiet: untouched, client: c.conn, server: s.conn, queue: injector{log: p.log}}
	if !untouched {
		if p.wants(replay.TCPStart) || p.wants(replay.TCPMessage) || p.wants(replay.TCPEnd) {
			v.log = &flowfile.MessageLog{Spool: p.newSpool()}
		}
		v.fire(replay.TCPStart)
		v.open = p.openRecord(f)
	}
	p.conversations.Store(f.ID(), v)
	defer p.conversations.Delete(f.ID())
	c.raw.SetReadDeadline(time.Time{})
	s.raw.SetReadDeadline(time.Time{})
	if replay.IsKilled(f) {
		return v.end(errKilled)
	}
	stop := context.AfterFunc(c.ctx, func() {
		c.raw.Close()
		s.raw.Close()
	})
	defer stop()
	errs := make(chan error, 1)
	go func() { errs <- v.copy(s.conn, c.br, true, c.raw, s.raw) }()
	err := v.copy(c.conn, s.br, false, c.raw, s.raw)
	if err != nil {
		c.raw.Close()
		s.raw.Close()
	}
	if other := <-errs; err == nil || errors.Is(err, net.ErrClosed) {
		err = other
	}
	return v.end(err)
}

// copy passes on what one side says, and the end of it.
func (v *conversation) copy(dst io.ReadWriteCloser, src *bufio.Reader, fromClient bool, raws ...net.Conn) error {
	buf := make([]byte, 32<<10)
	for {
		// A side that is silent keeps the other from being cut, so the deadline is that of both.
		deadline := time.Now().Add(v.c.p.o.Timeouts.Idle)
		for _, r := range raws {
			r.SetReadDeadline(deadline)
		}
		n, err := src.Read(buf)
		if n > 0 {
			if werr := v.pass(dst, buf[:n], fromClient, false); werr != nil {
				for _, r := range raws {
					r.Close()
				}
				return werr
			}
		}
		if err == io.EOF {
			if err := closeWrite(dst); err != nil && !isReset(err) {
				return nil
			}
			return nil
		}
		if err != nil {
			for _, r := range raws {
				r.Close()
			}
			side := "server"
			if fromClient {
				side = "client"
			}
			return fmt.Errorf("%s: %w", side, err)
		}
	}
}

// pass shows a message to the handlers, passes it on and records it.
func (v *conversation) pass(dst io.Writer, b []byte, fromClient, injected bool) error {
	i := 0
	if fromClient {
		i = 1
	}
	if v.quiet {
		v.bytes[i] += int64(len(b))
		_, err := dst.Write(b)
		return err
	}
	if !injected { // whoever injects has it
		v.turns[i].Lock()
		defer v.turns[i].Unlock()
	}
	v.mu.Lock()
	if v.over {
		v.mu.Unlock()
		return errOver
	}
	v.bytes[i] += int64(len(b))
	m := flowfile.Msg{FromClient: fromClient, Time: now(), Injected: injected, Body: flowfile.BytesBody(append([]byte(nil), b...))}
	keep := v.show(&m)
	if keep && v.open != nil {
		v.open.Message(&m)
	}
	killed := replay.IsKilled(v.f)
	v.mu.Unlock()
	if killed {
		return errKilled
	}
	if !keep || m.Dropped {
		return nil
	}
	out, err := m.Body.Bytes(-1)
	if err != nil {
		return err
	}
	_, err = dst.Write(out)
	return err
}

// show hands a message to the handlers, who may change it; false: they took it away.
func (v *conversation) show(m *flowfile.Msg) bool {
	if v.log == nil {
		return true
	}
	n := v.log.Len()
	v.log.Append(*m)
	v.fire(replay.TCPMessage)
	if v.log.Len() <= n {
		return false
	}
	*m = v.log.At(n)
	return true
}

func (v *conversation) fire(h replay.Hook) {
	v.c.p.fire(v.c.ctx, &replay.Event{Hook: h, Flow: v.f, Messages: v.log})
}

// inject sends a message of a handler's.
func (v *conversation) inject(toClient bool, data []byte) error {
	dst, i := v.server, 1
	if toClient {
		dst, i = v.client, 0
	}
	if v.quiet {
		return errors.New("what is passed on untouched takes no messages")
	}
	return v.queue.add(&v.turns[i], func() error { return v.pass(dst, data, !toClient, true) })
}

func (v *conversation) end(err error) error {
	f := v.f
	v.mu.Lock() // an injected message may be under way
	v.over = true
	v.mu.Unlock()
	switch {
	case err != nil && replay.IsKilled(f):
		err = nil
	case err != nil && !(v.c.ctx.Err() != nil && v.c.p.draining.Load()):
		f.SetError(&flowfile.Error{Msg: err.Error(), Time: now()})
	}
	if v.quiet {
		f.SetComment(fmt.Sprintf("passed through untouched: %d bytes from the client, %d bytes from the server", v.bytes[1], v.bytes[0]))
		v.c.p.record(f, nil, End{}, v.bytes[0]+v.bytes[1])
		return nil
	}
	if f.Error() != nil {
		v.fire(replay.TCPError)
	} else {
		v.fire(replay.TCPEnd)
	}
	v.c.p.record(f, v.open, End{Incomplete: err != nil && v.c.p.draining.Load()}, v.bytes[0]+v.bytes[1])
	return nil
}

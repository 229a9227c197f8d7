package live

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
	"flowkit/live/internal/websocket"
	"flowkit/replay"
)

// upgraded passes a 101 on; the connection then speaks what it says.
func (x *exchange) upgraded(up serverSide, h *http1.ResponseHead) error {
	server, ok1 := up.(*http1Server)
	client, ok2 := x.in.(*http1Client)
	if !ok1 || !ok2 || x.upgrade == "" {
		return errors.New("the server switched protocols, and was not asked to")
	}
	resp := x.flow.Response()
	x.setResponseBody(resp, flowfile.BytesBody(nil), nil)
	webSocket := http1.HasToken(h.Fields, "Upgrade", "websocket")
	var log *flowfile.MessageLog
	if p := x.c.p; webSocket {
		x.flow.SetWebSocket(&flowfile.WebSocket{})
		if p.wants(replay.WebSocketStart) || p.wants(replay.WebSocketMessage) || p.wants(replay.WebSocketEnd) {
			log = &flowfile.MessageLog{Spool: p.newSpool()}
		}
	}
	x.fire(&replay.Event{Hook: replay.ResponseHeaders, Stream: &replay.Stream{}})
	x.tell()
	if replay.IsKilled(x.flow) {
		return errKilled
	}
	out, err := x.outHead(resp, h, 0)
	if err != nil {
		return err
	}
	x.answered = true
	if err := client.head(out, true); err != nil {
		return clientError(err)
	}
	ss := &x.c.servers
	if !webSocket {
		x.switched = func() error {
			defer ss.close(server.serverConn)
			f := flowfile.New(flowfile.Head{
				ID: newID(), Kind: flowfile.TCP, Created: now(), Client: x.c.client(), Server: server.info, Comment: "after the upgrade of flow " + x.flow.ID(),
			})
			return x.c.converse(f, server.serverConn, false)
		}
		return nil
	}
	x.switched = func() error {
		defer ss.close(server.serverConn)
		return x.websocket(server.serverConn, h.Fields, log)
	}
	return nil
}

// websocket relays a conversation (RFC 6455). log is for handlers, nil if they do not look at it.
func (x *exchange) websocket(s *serverConn, fields []flowfile.Field, log *flowfile.MessageLog) error {
	p := x.c.p
	var extensions []string
	for _, f := range fields {
		if flowfile.EqualFold(f.Name, "Sec-WebSocket-Extensions") {
			extensions = append(extensions, f.Value)
		}
	}
	x.fire(&replay.Event{Hook: replay.WebSocketStart, Messages: log})
	x.mu.Lock()
	if x.open == nil {
		x.openRecord()
	}
	open := x.open
	x.mu.Unlock()
	r := &websocket.Relay{
		Client:     websocket.Side{Conn: x.c.conn, Reader: x.c.br},
		Server:     websocket.Side{Conn: s.conn, Reader: s.br},
		Extensions: strings.Join(extensions, ", "), Hold: p.wants(replay.WebSocketMessage),
	}
	t := &talk{x: x, r: r, open: open, queue: injector{log: p.log}}
	p.conversations.Store(x.flow.ID(), t)
	defer p.conversations.Delete(x.flow.ID())
	r.Handle = func(m *websocket.Message) { t.message(m, log) }
	x.c.raw.SetDeadline(noDeadline)
	s.raw.SetDeadline(noDeadline)
	closed, err := r.Run(x.c.ctx)
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	end := &flowfile.WebSocket{CloseCode: closed.Code, CloseReason: closed.Reason, End: now()}
	end.ClosedByClient = &closed.ByClient
	x.flow.SetWebSocket(end)
	x.fire(&replay.Event{Hook: replay.WebSocketEnd, Messages: log})
	if x.c.ctx.Err() != nil && p.draining.Load() {
		return nil
	}
	return err
}

// talk is a WebSocket conversation that goes on.
type talk struct {
	x    *exchange
	r    *websocket.Relay
	open OpenFlow

	queue injector

	mu   sync.Mutex
	over bool // an injected message came too late
}

func (t *talk) message(m *websocket.Message, log *flowfile.MessageLog) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		m.Drop = true
		return
	}
	body := flowfile.BytesBody(m.Payload)
	if m.Size > int64(len(m.Payload)) || m.Incomplete {
		body = body.Truncate(m.Size)
	}
	msg := flowfile.Msg{FromClient: m.FromClient, Opcode: m.Opcode, Time: m.Time, Injected: m.Injected, Body: body}
	if log != nil {
		n := log.Len()
		log.Append(msg)
		t.x.fire(&replay.Event{Hook: replay.WebSocketMessage, Messages: log})
		if log.Len() <= n {
			m.Drop = true
			return
		}
		msg = log.At(n)
		if m.Held {
			m.Drop = msg.Dropped
			if data, err := msg.Body.Bytes(-1); err == nil {
				m.Payload = data
			}
		}
	}
	t.open.Message(&msg)
	if replay.IsKilled(t.x.flow) {
		t.x.c.end()
	}
}

// inject sends a message of a handler's.
func (t *talk) inject(toClient bool, opcode int, data []byte) error {
	if opcode != 1 && opcode != 2 {
		return fmt.Errorf("a WebSocket message is text (1) or binary (2), not %d", opcode)
	}
	return t.queue.add(t.r.Turn(toClient), func() error { return t.r.Inject(toClient, opcode, data) })
}

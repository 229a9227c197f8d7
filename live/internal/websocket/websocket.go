// Package websocket passes a WebSocket conversation (RFC 6455) from side to side and shows its messages.
//
//	Relay     passes on what client and server say, calls Handle for each message, ends with Close
//	half      one direction: frames are checked, messages put together, decompressed, passed on or encoded anew (half.go)
//	sender    writes to one side, for a half and for Inject (sender.go)
//	header    a frame's header; masking; the payload of Close (frame.go)
//	inflater  permessage-deflate, RFC 7692, what was agreed on and both ways of it (deflate.go)
//
// Frames that nobody changes pass byte by byte as they came: fragments, masking keys, compressed content, control frames. Text
// that is not UTF-8 and lengths in more bytes than needed pass too: they are evidence, and every reader takes them the same way.
//
// # Compression
//
// A compressor may refer to what it sent in earlier messages ("context takeover"), which it takes the other side to have seen.
// Every compressed message is therefore decompressed in order, be it wanted whole or not. When a handler drops or changes one,
// what follows can no longer pass as it came: from there on the relay compresses itself, what it sends refers only to what it
// sent, and the window of the receiver stays in step with it. When as many bytes as a window is long have passed unchanged, both
// windows are equal, and messages pass as they came again. Where no context is taken over, only the changed message is
// compressed anew. Injected messages go uncompressed, which is always allowed and leaves the window alone.
//
// # Rationale
//
// The frame codec is our own hundred lines. Of the libraries, only gobwas/ws has frames without a connection around them; its
// headers forget in which bytes they came, its deflate has no context takeover, and what would be left of it is parsing twelve
// bytes.
//
// The package knows no HTTP and no handshake, and no flows.
package websocket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"flowkit/flowfile"
)

// Codes of a Close that no frame carried (RFC 6455 §7.4.1).
const (
	CodeNone     = 1005 // the Close had no code
	CodeAbnormal = 1006 // there was no Close
)

const (
	codeGoingAway = 1001
	codeProtocol  = 1002
)

// DefaultLimit is Relay.Limit if that is 0.
const DefaultLimit = 16 << 20

// DefaultCloseTimeout is Relay.CloseTimeout if that is 0.
const DefaultCloseTimeout = 5 * time.Second

// afterError is how long the sides have to close, too, behind an error that the relay told them of.
const afterError = time.Second

// Errors of Inject.
var (
	ErrOver = errors.New("websocket: the conversation is over")
	ErrFull = errors.New("websocket: too much is waiting to be injected behind a message that does not end")
)

var errCut = errors.New("the connection ended within a frame or message")

// A ProtocolError is a violation of RFC 6455 or RFC 7692. It ends the conversation.
type ProtocolError struct {
	Client bool // who broke it
	Msg    string
}

func (e *ProtocolError) Error() string {
	return sideName(e.Client) + " broke the WebSocket protocol: " + e.Msg
}

// A sideError is an error of the connection to one side.
type sideError struct {
	client bool
	err    error
}

func (e *sideError) Error() string { return fmt.Sprintf("WebSocket %s: %v", sideName(e.client), e.err) }
func (e *sideError) Unwrap() error { return e.err }

func sideName(client bool) string {
	if client {
		return "client"
	}
	return "server"
}

// Side is the connection to one side. If Conn has CloseWrite() error, as TCP and TLS connections have, the end of one direction is
// passed on as such.
type Side struct {
	Conn   io.ReadWriteCloser
	Reader *bufio.Reader // reads from Conn and may hold what was read ahead; nil: Conn is read
}

// Message is a text or binary message as it is shown to Relay.Handle. It is valid only during the call; the bytes of Payload may
// be kept, but not changed.
type Message struct {
	FromClient bool
	Opcode     int           // RFC 6455 §5.2: 1 text, 2 binary
	Time       flowfile.Time // when its last byte came
	Payload    []byte        // unmasked, put together, decompressed; text need not be UTF-8
	Size       int64         // of the whole message in bytes; if Payload is shorter, it was cut at Relay.Limit
	Incomplete bool          // the conversation ended within the message; if Relay.Hold is set, nothing of it may have gone by
	Injected   bool          // it is one of Relay.Inject's
	Encoded    bool          // Payload is as on the wire: the sides agreed on an extension that is not understood

	// Held says that the message waits: Payload may be replaced by another slice, and Drop set. A message that is not held has
	// gone by already.
	Held bool
	Drop bool
}

// Close is how a conversation ended.
type Close struct {
	Code     int    // of the first Close frame, CodeNone or CodeAbnormal
	Reason   string // bytes, meant to be UTF-8
	ByClient bool   // who sent it, went away, or broke the protocol
}

// A Relay passes a conversation from side to side. It must not be copied or used again.
type Relay struct {
	Client, Server Side

	// Extensions is the value of Sec-WebSocket-Extensions in the server's 101; several fields joined by commas.
	Extensions string

	// Limit is how many bytes of a message are kept; 0: DefaultLimit. Longer messages are not held but pass while they come, and
	// are shown cut. A direction needs at most about twice as much memory.
	Limit int64

	// CloseTimeout is how long a Close may remain unanswered, or one direction go on when the other has ended; 0:
	// DefaultCloseTimeout.
	CloseTimeout time.Duration

	// Handle is called with each message, one at a time; nil: messages are not looked into. It must not call Inject.
	Handle func(*Message)

	// Hold says that a message passes only when Handle has returned. Otherwise its bytes pass at once.
	Hold bool

	once               sync.Once
	ext                extensions
	toClient, toServer *sender
	handling           sync.Mutex

	mu    sync.Mutex
	over  bool // end and err are known
	end   Close
	err   error
	timer *time.Timer // hangs up
	when  time.Time
	hung  sync.Once
}

func (r *Relay) setup() {
	r.once.Do(func() {
		r.ext = parseExtensions(r.Extensions)
		r.toClient = newSender(r.Client.Conn, false)
		r.toServer = newSender(r.Server.Conn, true)
	})
}

func (r *Relay) limit() int64 {
	if r.Limit > 0 {
		return r.Limit
	}
	return DefaultLimit
}

func (r *Relay) closeTimeout() time.Duration {
	if r.CloseTimeout > 0 {
		return r.CloseTimeout
	}
	return DefaultCloseTimeout
}

// Run passes on what the sides say until the conversation is over, closes both connections and says how it ended. When ctx ends,
// both sides are sent a Close with code 1001.
//
// The error is nil if there was a proper Close, or a side ended its connection between two messages (CodeAbnormal). Otherwise it is
// a *ProtocolError, of which both sides were told with code 1002, an error of a connection, or that of ctx.
func (r *Relay) Run(ctx context.Context) (Close, error) {
	r.setup()
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		r.closed(Close{Code: codeGoingAway}, ctx.Err())
		r.hangUpIn(min(afterError, r.closeTimeout()))
		r.toServer.close(codeGoingAway, "")
		r.toClient.close(codeGoingAway, "")
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run(newHalf(r, true))
	}()
	r.run(newHalf(r, false))
	<-done
	r.hangUp()
	if !stop() {
		<-cancelled
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
	}
	return r.end, r.err
}

// run runs d and does what its end means to the other direction.
func (r *Relay) run(d *half) {
	err := d.run()
	var broken *ProtocolError
	switch {
	case err == errClosed:
		r.hangUpIn(r.closeTimeout())
	case ended(err):
		r.closed(Close{Code: CodeAbnormal, ByClient: d.fromClient}, nil)
		if !d.out.closeWrite() {
			r.hangUp()
		}
		r.hangUpIn(r.closeTimeout())
	case errors.As(err, &broken):
		r.closed(Close{codeProtocol, broken.Msg, d.fromClient}, err)
		r.hangUpIn(min(afterError, r.closeTimeout()))
		d.out.close(codeProtocol, "the other side broke the protocol")
		d.back.close(codeProtocol, broken.Msg)
		d.back.closeWrite()
		// What the side still sends is read: else the system would reset the connection, and the Close could be lost.
		_, _ = io.Copy(io.Discard, d.in)
	default:
		byClient := d.fromClient
		if side := (*sideError)(nil); errors.As(err, &side) {
			byClient = side.client
		}
		r.closed(Close{Code: CodeAbnormal, ByClient: byClient}, err)
		r.hangUp()
	}
}

// ended tells whether err is the end of a connection between two messages, if need be without TLS having said so.
func ended(err error) bool {
	side, ok := err.(*sideError)
	return err == io.EOF || ok && side.err == io.ErrUnexpectedEOF
}

// closed notes how the conversation ended, if that is not known yet.
func (r *Relay) closed(c Close, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.over, r.end, r.err = true, c, err
	}
}

// hangUp closes both connections, so that nothing waits for them any longer.
func (r *Relay) hangUp() {
	r.hung.Do(func() {
		_ = r.Client.Conn.Close()
		_ = r.Server.Conn.Close()
		r.toClient.stop()
		r.toServer.stop()
	})
}

// hangUpIn closes the connections after t, if that is not to happen before.
func (r *Relay) hangUpIn(t time.Duration) {
	when := time.Now().Add(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil && r.when.Before(when) {
		return
	}
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer, r.when = time.AfterFunc(t, r.hangUp), when
}

// Turn is held while a message to a side is handled and sent, and for calls of Inject.
func (r *Relay) Turn(toClient bool) *sync.Mutex {
	r.setup()
	return &r.sender(toClient).turn
}

// Inject sends a text (opcode 1) or binary (2) message to a side whose Turn the caller holds: at once, which may wait for the
// side to read, or when the message that is half sent has ended. It is shown to Handle first, which may keep the payload, and
// change or drop the message. ErrOver, ErrFull or an error of the connection says that the message was not sent.
func (r *Relay) Inject(toClient bool, opcode int, payload []byte) error {
	r.setup()
	if r.sender(toClient).stopped() {
		return ErrOver
	}
	if r.Handle != nil {
		m := Message{
			FromClient: !toClient, Opcode: opcode, Time: flowfile.TimeOf(time.Now()), Payload: payload, Size: int64(len(payload)),
			Injected: true, Held: true,
		}
		r.handling.Lock()
		r.Handle(&m)
		r.handling.Unlock()
		if m.Drop {
			return nil
		}
		payload = m.Payload
	}
	return r.inject(toClient, opcode, payload)
}

// inject sends a message that is not shown to Handle, which may call it.
func (r *Relay) inject(toClient bool, opcode int, payload []byte) error {
	if opcode != opText && opcode != opBinary {
		return fmt.Errorf("websocket: inject: the opcode %d is neither text nor binary", opcode)
	}
	r.setup()
	s := r.sender(toClient)
	if err := s.inject(appendFrame(nil, s.header(byte(opcode)), payload), r.limit()+maxHeader); err != nil {
		if err == ErrOver || err == ErrFull {
			return err
		}
		return &sideError{toClient, err}
	}
	return nil
}

func (r *Relay) sender(toClient bool) *sender {
	if toClient {
		return r.toClient
	}
	return r.toServer
}

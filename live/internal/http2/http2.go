// Package http2 speaks HTTP/2 (RFC 9113) for a proxy, as a server and as a client, on the Framer and hpack of
// golang.org/x/net/http2.
//
//	Conn     a connection of either role; one goroutine reads its frames
//	Stream   one exchange, the same type on both sides: heads, body, trailers, reset
//	Head     the fields of a head in wire order, pseudo-header fields among them
//	Error    why a stream or a connection ended, and whether the request may be sent again elsewhere
//
// What a head holds leaves as it came: order, duplicates and never-indexed fields are kept. Heads that must not go on to
// HTTP/1 (RFC 9113 §8.2, §8.3) are refused in both directions, so that nobody is smuggled through.
//
// Memory is bounded: a peer sends no more than the windows of Options allow, and windows are given back as bodies are
// read. Nothing is sent by the goroutine that reads, so two such connections cannot wedge each other.
//
// The package knows no URLs, no flows and no HTTP/1.
package http2

import (
	"bufio"
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/http2"

	"flowkit/flowfile"
)

// Preface is what a client sends first (RFC 9113 §3.4).
const Preface = http2.ClientPreface

// Code says why a stream or a connection ended (RFC 9113 §7).
type Code = http2.ErrCode

// The codes a proxy uses itself.
const (
	NoError        = http2.ErrCodeNo
	ProtocolError  = http2.ErrCodeProtocol
	InternalError  = http2.ErrCodeInternal
	StreamClosed   = http2.ErrCodeStreamClosed
	RefusedStream  = http2.ErrCodeRefusedStream
	Cancel         = http2.ErrCodeCancel
	ConnectError   = http2.ErrCodeConnect
	EnhanceCalm    = http2.ErrCodeEnhanceYourCalm
	HTTP11Required = http2.ErrCodeHTTP11Required
)

// Options are the limits of a connection. The zero value is right for most.
type Options struct {
	// Reader has bytes that were read from the connection before; nil means none were.
	Reader *bufio.Reader
	// MaxStreams is how many streams the client may have open at a server; 0 means 250.
	MaxStreams uint32
	// MaxHead limits a head: the sum of name, value and 32 for each field (RFC 9113 §6.5.2); 0 means 256 KiB.
	MaxHead uint32
	// StreamWindow and ConnWindow are how many bytes of bodies wait here until they are read, of one stream and of all;
	// 0 means 1 MiB and 8 MiB. Neither is less than 65,535.
	StreamWindow, ConnWindow int32
	// KeepAlive is the time without a frame after which a PING is sent; when that has no answer for as long again, the
	// connection is closed. 0 means never.
	KeepAlive time.Duration
	// ExtendedConnect says that the server takes requests with :protocol, such as those of WebSocket (RFC 8441). Clients that
	// know it do not fall back to HTTP/1.1 when one is refused.
	ExtendedConnect bool
	// OnRefused is told of requests and trailers of a client that are refused before anyone sees a Stream of them, by the
	// goroutine that reads; nil: nobody is.
	OnRefused func(*Error)
}

const (
	defaultStreams      = 250
	defaultHead         = 256 << 10
	defaultStreamWindow = 1 << 20
	defaultConnWindow   = 8 << 20
	initialWindow       = 65535     // RFC 9113 §6.9.2
	maxWindow           = 1<<31 - 1 // RFC 9113 §6.9.1
	minFrame            = 16384     // RFC 9113 §4.2, what we let the peer send
)

func (o *Options) defaults() {
	if o.MaxStreams == 0 {
		o.MaxStreams = defaultStreams
	}
	if o.MaxHead == 0 {
		o.MaxHead = defaultHead
	}
	if o.StreamWindow == 0 {
		o.StreamWindow = defaultStreamWindow
	}
	if o.ConnWindow == 0 {
		o.ConnWindow = defaultConnWindow
	}
	o.StreamWindow = max(o.StreamWindow, initialWindow)
	o.ConnWindow = max(o.ConnWindow, initialWindow)
}

// Head is the head of a request or response.
type Head struct {
	// Fields are in wire order, pseudo-header fields first. Who is handed a head owns the slice.
	Fields []flowfile.Field
	// End: nothing follows the head, no body and no trailers.
	End bool
	// Sensitive has the names of the fields that came as never-indexed literals and leave as such (RFC 7541 §6.2.3).
	Sensitive []string
}

// Get returns the value of the first field of that name, "" if there is none. Names are lower case.
func (h *Head) Get(name string) string {
	for i := range h.Fields {
		if h.Fields[i].Name == name {
			return h.Fields[i].Value
		}
	}
	return ""
}

// Error says why a stream or a connection ended. Other errors are misuse: what cannot be sent, writes after the end.
type Error struct {
	Code   Code
	Stream uint32 // 0: the connection
	Remote bool   // the peer said so
	// Retry: the peer has not looked at the request, which may be sent again on another connection whatever its method
	// is (RFC 9113 §8.7).
	Retry bool
	Msg   string
	Err   error // of the transport, if that was the cause
}

func (e *Error) Error() string {
	who := "stream"
	if e.Stream == 0 {
		who = "connection"
	}
	by := ""
	if e.Remote {
		by = " by peer"
	}
	msg := e.Msg
	if e.Err != nil {
		if msg != "" {
			msg += ": "
		}
		msg += e.Err.Error()
	}
	if msg != "" {
		msg = ": " + msg
	}
	if e.Err != nil && e.Code == NoError {
		return "http2: " + who + " lost" + msg
	}
	return fmt.Sprintf("http2: %s ended%s with %s%s", who, by, e.Code, msg)
}

func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the request may be sent again on another connection, whatever its method is.
func Retryable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Retry
}

// ErrClosed is the cause of errors after Close.
var ErrClosed = errors.New("closed here")

package replay

import (
	"context"

	"flowkit/flowfile"
)

// Events of live traffic go one by one to a Handler that is safe for concurrent use, from
// the goroutine that has the connection; it goes on when Handle has returned. Those of one
// flow come one after the other. What the handler decided stands in the event:
//
//	Flow.Response set at requestheaders or request   that is the answer, no server is asked
//	Flow.Error set to Killed                         the connection is closed
//	Flow.Request changed at requestheaders, request  goes on so: host, port and scheme choose the server
//	Flow.Response changed                            goes on to the client so
//	Flow.Dropped                                     is not recorded; the traffic goes on
//	the last of Messages changed, Dropped, removed   goes on so, or not at all
//	Stream                                           how the body goes on
//	Conns                                            see there

// Killed is the message of the error of a flow that a handler has killed, as in mitmproxy.
const Killed = "Connection killed."

// IsKilled tells whether a handler has killed the flow.
func IsKilled(f *flowfile.Flow) bool {
	e := f.Error()
	return e != nil && e.Msg == Killed
}

// Conns is what an event of a connection is about. A handler may put changed copies in
// place of the connections. An Error that it sets in Client at ClientConnected, or in Server
// at ServerConnect, refuses the connection.
type Conns struct {
	Client *flowfile.Conn // never nil
	// Server is the connection to the server, nil where none is known. At ServerConnect a
	// handler may change its Address and Via.
	Server *flowfile.Conn

	Hello *ClientHello // at TLSClientHello
	// Ignore, at TLSClientHello and NextLayer: the connection is passed on as it is.
	Ignore bool
	// ServerFirst, at TLSClientHello: the handshake with the server comes before that with
	// the client.
	ServerFirst bool
	Next        *Layer // at NextLayer
	Auth        *Auth  // at SOCKS5Auth
}

// ClientHello is the first message of a TLS client (RFC 8446 §4.1.2).
type ClientHello struct {
	// Raw is the message behind the headers of record and handshake, "" if it is not known.
	Raw     string
	SNI     string
	ALPN    []string
	Ciphers []uint16
}

// Layer is the protocol of a connection, before it is chosen.
type Layer struct {
	// Protocol is what will be spoken: "tls", "http", "tcp", "udp" or "dns". A handler may choose
	// another of them.
	Protocol               string
	FromClient, FromServer []byte // what came so far; it must not be changed
}

// Auth is what a SOCKS client says of itself (RFC 1929).
type Auth struct {
	User, Password string
	Valid          bool // a handler lets it in
}

// Stream is how the body of a message goes on whose head is known. The event's own stays
// valid after the event.
type Stream struct {
	// On: each part of the body goes on as it comes. The flow has no body at Request or
	// Response then.
	On bool
	// Chunk, if it is set, makes of each part what goes on; On is true then. It is called
	// in order, with end and no data at the last, one call at a time. It may keep nothing
	// of data. An error ends the connection.
	Chunk func(ctx context.Context, data []byte, end bool) ([]byte, error)
}

// LogEntry is a line of the log.
type LogEntry struct {
	Level string // debug, info, alert, warn, error
	Text  string
}

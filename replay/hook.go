// Package replay drives recorded flows through the documented sequence of events, as if
// they happened now. It knows no scripts: whoever wants events is a Handler.
//
//	http:  requestheaders, request, [responseheaders, response],
//	       then websocket_start, websocket_message*, websocket_end | error
//	tcp:   tcp_start, tcp_message*, tcp_error | tcp_end          udp: likewise
//	dns:   dns_request, [dns_response], [dns_error]
//
// The order is lazy: whether there is a response is asked after the request event, so a
// response that a handler sets is announced.
//
// Live traffic has the same events, as they happen, and those of connections besides: whoever
// has the traffic makes Events and hands them to a Handler.
//
//	Hook, Hooks   names of events, sets of them
//	Event         one event: the hook, the flow, the messages so far
//	Conns, Stream what an event of live traffic has besides
//	Sequence      the order, one function
//	Handler       sees events; Events lifts handlers into a Stage
//	Stage         changes batches; Pipeline runs source, stages and sink
package replay

import "strings"

// Hook is the name of an event.
type Hook uint8

// The hooks, in the order of mitmproxy's documentation.
const (
	Load Hook = iota
	Configure
	Running
	Done
	RequestHeaders
	Request
	ResponseHeaders
	Response
	Error
	WebSocketStart
	WebSocketMessage
	WebSocketEnd
	TCPStart
	TCPMessage
	TCPEnd
	TCPError
	UDPStart
	UDPMessage
	UDPEnd
	UDPError
	DNSRequest
	DNSResponse
	DNSError
	WebSocketError // classic order only

	// Events of live traffic only; see Event.Conns.
	ClientConnected    // a client connected
	ClientDisconnected // its connection was closed
	ServerConnect      // a connection to a server is about to be made
	ServerConnected
	ServerDisconnected
	ServerConnectError  // it could not be made; Server.Error tells why
	HTTPConnect         // a client's CONNECT; the flow has the request
	HTTPConnectUpstream // our CONNECT to another proxy
	HTTPConnected       // CONNECT was answered with 2xx
	HTTPConnectError    // CONNECT failed
	TLSClientHello      // before the handshake with the client: Hello
	TLSStartClient
	TLSStartServer
	TLSEstablishedClient
	TLSEstablishedServer
	TLSFailedClient // Client.Error tells why
	TLSFailedServer // Server.Error tells why
	SOCKS5Auth      // Auth
	NextLayer       // the protocol of a connection is about to be chosen: Next
	Tick            // once a second
	AddLog          // a line of the log: Log
	numHooks
)

// liveHooks are those of live traffic only.
const liveHooks = AllHooks &^ (1<<ClientConnected - 1)

// LiveOnly tells whether h never comes of recorded flows.
func (h Hook) LiveOnly() bool { return liveHooks.Has(h) }

var hookNames = [numHooks]string{
	"load", "configure", "running", "done",
	"requestheaders", "request", "responseheaders", "response", "error",
	"websocket_start", "websocket_message", "websocket_end",
	"tcp_start", "tcp_message", "tcp_end", "tcp_error",
	"udp_start", "udp_message", "udp_end", "udp_error",
	"dns_request", "dns_response", "dns_error",
	"websocket_error",
	"client_connected", "client_disconnected",
	"server_connect", "server_connected", "server_disconnected", "server_connect_error",
	"http_connect", "http_connect_upstream", "http_connected", "http_connect_error",
	"tls_clienthello", "tls_start_client", "tls_start_server",
	"tls_established_client", "tls_established_server", "tls_failed_client", "tls_failed_server",
	"socks5_auth", "next_layer", "tick", "add_log",
}

// oldNames are names that events had in earlier versions of mitmproxy.
var oldNames = map[string]Hook{
	"start":            Load,
	"clientconnect":    ClientConnected,
	"clientdisconnect": ClientDisconnected,
	"serverconnect":    ServerConnect, // it came before the connection was made
	"serverdisconnect": ServerDisconnected,
	"log":              AddLog,
}

func (h Hook) String() string {
	if h < numHooks {
		return hookNames[h]
	}
	return "unknown"
}

// ParseHook returns the hook of a name, which may be one of earlier versions of mitmproxy:
// "start" for load, "clientconnect" for client_connected and so on.
func ParseHook(name string) (Hook, bool) {
	for i, n := range hookNames {
		if n == name {
			return Hook(i), true
		}
	}
	h, ok := oldNames[name]
	return h, ok
}

// Hooks is a set of hooks.
type Hooks uint64

// AllHooks has every hook.
const AllHooks Hooks = 1<<numHooks - 1

// Of returns the set of hs.
func Of(hs ...Hook) Hooks {
	var s Hooks
	for _, h := range hs {
		s |= 1 << h
	}
	return s
}

// Has tells whether h is in s.
func (s Hooks) Has(h Hook) bool { return s>>h&1 != 0 }

// Messages tells whether s has a hook that fires for each message.
func (s Hooks) Messages() bool { return s&Of(WebSocketMessage, TCPMessage, UDPMessage) != 0 }

func (s Hooks) String() string {
	var names []string
	for h := Hook(0); h < numHooks; h++ {
		if s.Has(h) {
			names = append(names, h.String())
		}
	}
	return strings.Join(names, " ")
}

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
//	Hook, Hooks   names of events, sets of them
//	Event         one event: the hook, the flow, the messages so far
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
	numHooks
)

var hookNames = [numHooks]string{
	"load", "configure", "running", "done",
	"requestheaders", "request", "responseheaders", "response", "error",
	"websocket_start", "websocket_message", "websocket_end",
	"tcp_start", "tcp_message", "tcp_end", "tcp_error",
	"udp_start", "udp_message", "udp_end", "udp_error",
	"dns_request", "dns_response", "dns_error",
	"websocket_error",
}

func (h Hook) String() string {
	if h < numHooks {
		return hookNames[h]
	}
	return "unknown"
}

// ParseHook returns the hook of a name; "start" is the old name of load.
func ParseHook(name string) (Hook, bool) {
	for i, n := range hookNames {
		if n == name {
			return Hook(i), true
		}
	}
	return Load, name == "start"
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

package replay

import "flowkit/flowfile"

// Event is one event. It is valid until the function it was handed to returns.
type Event struct {
	Hook Hook
	Flow *flowfile.Flow // nil at events of connections and at Tick
	// Messages are those seen so far: none at a start hook, up to and with the current
	// one (the last) at a message hook. A handler may change them. Nil at other hooks,
	// where Flow.Messages has them all.
	Messages *flowfile.MessageLog

	// Of live traffic only.
	Live   bool
	Conns  *Conns    // nil but at events of connections; see there
	Stream *Stream   // nil but at RequestHeaders and ResponseHeaders
	Log    *LogEntry // nil but at AddLog
}

// Order is how events are put in order.
type Order struct {
	// Classic is the order of mitmproxy 0.18 to 6: the error hook also fires behind a
	// response and before the WebSocket hooks, tcp_end also behind tcp_error.
	Classic bool
	// Want are the hooks that somebody listens to. Others are passed over where that
	// saves work: without a message hook no message is read.
	Want Hooks
	// Spool keeps changed messages; nil keeps them in memory.
	Spool *flowfile.Spool
}

// Sequence calls emit with the events of f in order, until emit returns an error or f is
// dropped. Conditions are asked between events, so what a handler sets is announced.
func (o Order) Sequence(f *flowfile.Flow, emit func(*Event) error) error {
	s := sequence{Order: o, emit: emit}
	s.event.Flow = f
	switch f.Kind() {
	case flowfile.HTTP:
		s.http(f)
	case flowfile.TCP:
		s.stream(f, TCPStart, TCPMessage, TCPEnd, TCPError)
	case flowfile.UDP:
		s.stream(f, UDPStart, UDPMessage, UDPEnd, UDPError)
	case flowfile.DNS:
		s.dns(f)
	}
	return s.err
}

type sequence struct {
	Order
	emit  func(*Event) error
	event Event
	err   error
}

func (s *sequence) fire(h Hook) {
	if s.err != nil || !s.Want.Has(h) || s.event.Flow.Dropped() {
		return
	}
	s.event.Hook = h
	s.err = s.emit(&s.event)
}

func (s *sequence) http(f *flowfile.Flow) {
	if f.Request() != nil {
		s.fire(RequestHeaders)
		s.fire(Request)
	}
	if f.Response() != nil {
		s.fire(ResponseHeaders)
		s.fire(Response)
	}
	if s.Classic && f.Error() != nil {
		s.fire(Error)
	}
	if f.WebSocket() != nil {
		s.messages(f, WebSocketStart, WebSocketMessage)
		if s.Classic && f.Error() != nil {
			s.fire(WebSocketError)
		}
		s.fire(WebSocketEnd)
	} else if !s.Classic && f.Error() != nil {
		s.fire(Error)
	}
}

func (s *sequence) stream(f *flowfile.Flow, start, message, end, failed Hook) {
	s.messages(f, start, message)
	if f.Error() != nil {
		s.fire(failed)
		if !s.Classic {
			return
		}
	}
	s.fire(end)
}

// messages fires the start hook with no messages, and then one event a message.
func (s *sequence) messages(f *flowfile.Flow, start, message Hook) {
	if s.err != nil || f.Dropped() || !s.Want.Has(start) && !s.Want.Has(message) {
		return
	}
	log := &flowfile.MessageLog{Spool: s.Spool}
	s.event.Messages = log
	s.fire(start)
	if s.Want.Has(message) {
		for m, err := range f.Messages().All() {
			if err != nil {
				s.err = err
			}
			if s.err != nil || f.Dropped() {
				break
			}
			log.Append(m)
			s.fire(message)
		}
		if log.Edited() && s.err == nil {
			f.Messages().Replace(log)
		}
	}
	s.event.Messages = nil
}

func (s *sequence) dns(f *flowfile.Flow) {
	if f.DNSRequest() != nil {
		s.fire(DNSRequest)
	}
	if f.DNSResponse() != nil {
		s.fire(DNSResponse)
	}
	if f.Error() != nil {
		s.fire(DNSError)
	}
}

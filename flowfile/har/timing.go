package har

import "flowkit/flowfile"

// timings are the phases of an exchange in nanoseconds; -1 is unknown, which send, wait
// and receive must not be. ssl is within connect.
type timings struct {
	connect, ssl, send, wait, receive int64
}

// timing returns the phases of f. The server's connection is counted for the first flow
// that used it.
func timing(f *flowfile.Flow, conns *recent) timings {
	t := timings{connect: -1, ssl: -1}
	q, r := f.Request(), f.Response()
	if q == nil {
		return t
	}
	var from, to flowfile.Time // of the connect phase
	if c := f.Server(); c != nil && c.Start != 0 && c.TCPSetup >= c.Start && conns.add(connKey(c)) {
		from, to = c.Start, c.TCPSetup
		if c.TLSSetup >= c.TCPSetup {
			to = c.TLSSetup
			t.ssl = int64(c.TLSSetup - c.TCPSetup)
		}
		t.connect = int64(to - from)
	}
	t.send = spent(q.Start(), q.End(), from, to)
	sent := q.End()
	if sent == 0 {
		sent = q.Start()
	}
	switch {
	case r != nil:
		t.wait = spent(sent, r.Start(), from, to)
		t.receive = spent(r.Start(), r.End(), 0, 0)
	case f.Error() != nil:
		t.wait = spent(sent, f.Error().Time, from, to)
	}
	return t
}

// connKey tells connections apart, also those without an id.
func connKey(c *flowfile.Conn) string {
	if c.ID != "" {
		return c.ID
	}
	return c.Sock.String() + " " + c.Peer.String() + " " + c.Start.RFC3339()
}

// spent is the time from a to b without what of it lies between from and to; 0 if either
// is unknown or they are in the wrong order.
func spent(a, b, from, to flowfile.Time) int64 {
	d, ok := b.Sub(a)
	if !ok || d < 0 {
		return 0
	}
	if common := min(b, to) - max(a, from); common > 0 && from != 0 {
		return int64(d) - int64(common)
	}
	return int64(d)
}

// total is the sum of the phases in milliseconds.
func (t timings) total() float64 {
	return float64(t.send+t.wait+t.receive+max(t.connect, 0)) / 1e6
}

package mitm

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"flowkit/flowfile"
)

// connEntry is a connection as a record has it. Equal bytes are one entry, so that flows
// of one connection share it. Few who read a dump want to know of connections, so an entry
// is checked when it is made and parsed when somebody asks.
type connEntry struct {
	raw     string // the payload of the dictionary
	server  bool
	version int
	form    atomic.Int32
	parsing sync.Once
	connParsed
}

// connParsed is what parse adds to an entry.
type connParsed struct {
	conn *flowfile.Conn
	connExtra
}

// parse returns what the entry says.
func (c *connEntry) parse() *connParsed {
	c.parsing.Do(func() {
		var err *syntaxError
		if c.conn, c.connExtra, err = parseConn(unalias(c.raw), c.version, c.server); err != nil {
			c.conn = nil // never: it was checked
		}
	})
	return &c.connParsed
}

// conns are the connections of a record.
type conns Record

func (r *conns) Client() *flowfile.Conn { return connOf(r.client) }
func (r *conns) Server() *flowfile.Conn { return connOf(r.server) }

func connOf(c *connEntry) *flowfile.Conn {
	if c == nil {
		return nil
	}
	return c.parse().conn
}

// What is known of the form of a connEntry.
const (
	formUnknown = iota
	formPlain
	formOther
)

// plain tells whether the model writer gives the same bytes in the entry's version.
func (c *connEntry) plain() bool {
	if form := c.form.Load(); form != formUnknown {
		return form == formPlain
	}
	form := int32(formOther)
	if c.version >= minVersion && c.version <= maxVersion {
		e := encoders.Get().(*encoder)
		defer e.put()
		e.reset(c.version)
		e.conn(c.parse().conn, c.server)
		out := e.bytes()
		if n := len(out) - 1 - len(c.raw); n > 0 && string(out[n:len(out)-1]) == c.raw {
			form = formPlain
		}
	}
	c.form.Store(form)
	return form == formPlain
}

// connCache finds the entry of bytes that were seen lately. The zero value is ready.
type connCache struct {
	recent     [2]recentConns        // of clients, of servers
	young, old map[uint64]*connEntry // by the hash of raw
	seed       maphash.Seed
	bytes      int
}

// recentConns are the last few entries, in a ring: to compare them is faster than to hash.
type recentConns struct {
	entries [8]*connEntry
	next    int
}

func (r *recentConns) find(raw string, version int) *connEntry {
	for _, e := range r.entries {
		if e != nil && e.raw == raw && e.version == version {
			return e
		}
	}
	return nil
}

func (r *recentConns) put(e *connEntry) {
	r.entries[r.next] = e
	r.next = (r.next + 1) % len(r.entries)
}

// Limits of a generation of the cache.
const (
	cacheEntries = 512
	cacheBytes   = 2 << 20
)

// get returns the entry of the dictionary it. If b is not mapped the entry gets bytes of
// its own: it may outlive the chunk.
func (c *connCache) get(b []byte, it item, version int, server, mapped bool) (*connEntry, error) {
	raw := alias(b[it.s:it.e])
	recent := &c.recent[0]
	if server {
		recent = &c.recent[1]
	}
	if e := recent.find(raw, version); e != nil {
		return e, nil
	}
	if c.young == nil {
		c.young, c.old, c.seed = make(map[uint64]*connEntry), make(map[uint64]*connEntry), maphash.MakeSeed()
	}
	hash := maphash.String(c.seed, raw)
	e := c.young[hash]
	if e == nil {
		if e = c.old[hash]; e != nil {
			c.put(hash, e)
		}
	}
	if e != nil && e.server == server && e.version == version && e.raw == raw {
		recent.put(e)
		return e, nil
	}
	if !mapped {
		raw = strings.Clone(raw)
	}
	if err := checkConn(unalias(raw), server); err != nil {
		err.at += it.s
		return nil, err
	}
	e = &connEntry{raw: raw, server: server, version: version}
	c.put(hash, e)
	recent.put(e)
	return e, nil
}

func (c *connCache) put(hash uint64, e *connEntry) {
	if len(c.young) >= cacheEntries || c.bytes+len(e.raw) > cacheBytes {
		c.young, c.old, c.bytes = c.old, c.young, 0
		clear(c.young)
	}
	c.young[hash] = e
	c.bytes += len(e.raw)
}

// checkConn returns the error that parseConn would.
func checkConn(b []byte, server bool) *syntaxError {
	for i := 0; i < len(b); {
		k, v, after, ok := pair(b, i, len(b))
		if !ok {
			return &syntaxError{i, "broken connection"}
		}
		i = after
		if v.tag != ']' || v.s == v.e {
			continue
		}
		switch string(b[k.s:k.e]) {
		case "peername", "ip_address", "sockname", "source_address", "address", "cipher_list", "alpn_offers", "certificate_list":
			ok = checkList(b, v)
		case "via", "via2":
			if server {
				_, ok = via(b, v)
			}
		}
		if !ok {
			return &syntaxError{v.s, "broken list in a connection"}
		}
	}
	return nil
}

// checkList tells whether a list consists of elements.
func checkList(b []byte, it item) bool {
	for i := it.s; i < it.e; {
		_, after, ok := next(b, i, it.e)
		if !ok {
			return false
		}
		i = after
	}
	return true
}

// connExtra is what a connection says besides the model.
type connExtra struct {
	unknown  int // keys that the package does not know
	nullALPN bool
}

// parseConn reads the payload of a client_conn or server_conn of any version. Names that
// changed their meaning are told apart by side: a client's address was its peer.
func parseConn(b []byte, version int, server bool) (*flowfile.Conn, connExtra, *syntaxError) {
	c := new(flowfile.Conn)
	var x connExtra
	var sniTrue bool
	for i := 0; i < len(b); {
		k, v, after, ok := pair(b, i, len(b))
		if !ok {
			return nil, x, &syntaxError{i, "broken connection"}
		}
		i = after
		switch string(b[k.s:k.e]) {
		case "id":
			c.ID = text(b, v)
		case "transport_protocol":
			c.Transport = text(b, v)
		case "peername", "ip_address":
			c.Peer, ok = address(b, v)
		case "sockname", "source_address":
			c.Sock, ok = address(b, v)
		case "address":
			if server {
				c.Address, ok = address(b, v)
			} else {
				c.Peer, ok = address(b, v)
			}
		case "via", "via2":
			// Up to version 18 "via" is a relic that is always null.
			if !server {
				x.unknown++
			} else if v.tag == ']' {
				c.Via, ok = via(b, v)
			}
		case "timestamp_start":
			c.Start = moment(b, v)
		case "timestamp_end":
			c.End = moment(b, v)
		case "timestamp_tls_setup":
			c.TLSSetup = moment(b, v)
		case "timestamp_tcp_setup":
			c.TCPSetup = moment(b, v)
		case "tls":
			c.TLS = boolean(b, v)
		case "tls_version":
			if c.TLSVersion = text(b, v); c.TLSVersion == "QUIC" && version < 21 {
				c.TLSVersion = "QUICv1"
			}
		case "cipher", "cipher_name":
			c.Cipher = text(b, v)
		case "cipher_list":
			c.Ciphers, ok = texts(b, v)
		case "sni":
			c.SNI = text(b, v)
			sniTrue = v.tag == '!' && boolean(b, v)
		case "alpn":
			c.ALPN, x.nullALPN = text(b, v), v.tag == '~'
		case "alpn_offers":
			c.ALPNOffers, ok = texts(b, v)
		case "certificate_list":
			c.Certificates, ok = certificates(b, v)
		case "mitmcert":
			c.MitmCert = certificate(b, v)
		case "proxy_mode":
			c.ProxyMode = text(b, v)
		case "error":
			c.Error = text(b, v)
		case "state":
			c.State = int(number(b, v))
		case "tls_established": // TLSSetup tells it
		case "tls_extensions":
			if v.e > v.s {
				x.unknown++
			}
		default:
			x.unknown++
		}
		if !ok {
			return nil, x, &syntaxError{v.s, "broken list in a connection"}
		}
	}
	if sniTrue && c.Address != nil {
		c.SNI = c.Address.Host
	}
	return c, x, nil
}

// address reads [host, port] with what Python adds for IPv6; null, an empty list and all
// else are nil. It is false if a list is broken.
func address(b []byte, it item) (*flowfile.Addr, bool) {
	if it.tag != ']' || it.s == it.e {
		return nil, true
	}
	a := new(flowfile.Addr)
	for i, n := it.s, 0; i < it.e; n++ {
		v, after, ok := next(b, i, it.e)
		if !ok {
			return nil, false
		}
		switch i = after; n {
		case 0:
			a.Host = text(b, v)
		case 1:
			a.Port = int(number(b, v))
		default:
			a.Extra = append(a.Extra, number(b, v))
		}
	}
	return a, true
}

// via reads [scheme, [host, port]].
func via(b []byte, it item) (*flowfile.Via, bool) {
	scheme, after, ok := next(b, it.s, it.e)
	if !ok {
		return nil, it.s == it.e
	}
	v := &flowfile.Via{Scheme: text(b, scheme)}
	if after == it.e {
		return v, true
	}
	at, _, ok := next(b, after, it.e)
	if !ok {
		return nil, false
	}
	a, ok := address(b, at)
	if a != nil {
		v.Addr = *a
	}
	return v, ok
}

// texts reads a list of text or bytes; nil if it is empty.
func texts(b []byte, it item) ([]string, bool) {
	if it.tag != ']' || it.s == it.e {
		return nil, true
	}
	var list []string
	for i := it.s; i < it.e; {
		v, after, ok := next(b, i, it.e)
		if !ok {
			return nil, false
		}
		list, i = append(list, text(b, v)), after
	}
	return list, true
}

// certificates reads a list of certificates; nil if it is empty.
func certificates(b []byte, it item) ([]flowfile.Body, bool) {
	if it.tag != ']' || it.s == it.e {
		return nil, true
	}
	var list []flowfile.Body
	for i := it.s; i < it.e; {
		v, after, ok := next(b, i, it.e)
		if !ok {
			return nil, false
		}
		list, i = append(list, certificate(b, v)), after
	}
	return list, true
}

func certificate(b []byte, it item) flowfile.Body {
	if it.tag != ',' && it.tag != ';' {
		return flowfile.Body{}
	}
	return flowfile.StringBody(alias(b[it.s:it.e]))
}

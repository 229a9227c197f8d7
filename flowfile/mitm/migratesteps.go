package mitm

import (
	"crypto/sha256"
	"fmt"

	"flowkit/flowfile"
)

// isHTTP tells whether the record is of an HTTP flow.
func (o *old) isHTTP() bool {
	e := o.get("type")
	return e.text() == flowfile.HTTP.String()
}

// isWebSocket tells whether the record is of a kind that there was up to version 11.
func (o *old) isWebSocket() bool {
	e := o.get("type")
	return o.rung <= rungFold && e.text() == "websocket"
}

// request and response return those of HTTP, nil for none.
func (o *old) request() *dict  { return o.message("request") }
func (o *old) response() *dict { return o.message("response") }

func (o *old) message(key string) *dict {
	if !o.isHTTP() {
		return nil
	}
	return o.open(key)
}

func (o *old) client() *dict { return o.open("client_conn") }
func (o *old) server() *dict { return o.open("server_conn") }

// firstLineAndStatus is the step to 0.14: what a request's first line looked like, the
// HTTP version as it was on the wire, the status under its full name.
func firstLineAndStatus(o *old) {
	o.request().rename("form_in", "first_line_format")
	o.response().rename("code", "status_code")
	for _, m := range []*dict{o.request(), o.response()} {
		if v := m.get("httpversion"); v.tag == ']' {
			m.drop("httpversion")
			m.setNew("http_version", bytesElement(httpVersion(&v)))
		}
	}
}

// httpVersion returns [1, 1] as "HTTP/1.1".
func httpVersion(e *elem) string {
	s, sep := "HTTP", byte('/')
	for i := 0; i < len(e.payload); {
		v, after, ok := next(e.bytes(), i, len(e.payload))
		if !ok {
			break
		}
		s += string(sep) + e.payload[v.s:v.e]
		i, sep = after, '.'
	}
	return s
}

// contentAndReason is the step to 0.16: names that were others for a while.
func contentAndReason(o *old) {
	for _, m := range []*dict{o.request(), o.response()} {
		m.rename("body", "content")
	}
	o.response().rename("msg", "reason")
	o.request().drop("form_out")
}

// serverPeer is the step to 0.18, which also made text of keys that were bytes: here they
// are text from the beginning.
func serverPeer(o *old) { o.server().rename("peer_address", "ip_address") }

// noSticky is the step to 0.19.
func noSticky(o *old) { o.request().drop("stickyauth", "stickycookie") }

// plainAddresses is the step to 3.0: [host, port] in place of a dictionary with it. It is
// what version 2.0 was to bring, but mitmproxy 2.0 itself still wrote dictionaries.
func plainAddresses(o *old) {
	for _, c := range []*dict{o.client(), o.server()} {
		for _, key := range []string{"address", "ip_address", "source_address", "sockname"} {
			if a := c.open(key); a != nil {
				c.set(key, a.get("address"))
			}
		}
	}
}

// connectionIDs is the step to 5: connections have an id. It is made of what tells one
// connection from another, so that flows of one connection have the same, whenever they
// are read.
func connectionIDs(o *old) {
	flow := o.get("id")
	for _, side := range []struct {
		conn *dict
		name string
		keys []string
	}{
		{o.client(), "client", []string{"timestamp_start", "address"}},
		{o.server(), "server", []string{"timestamp_start", "source_address", "address"}},
	} {
		key := side.name
		for _, k := range side.keys {
			e := side.conn.get(k)
			key += "\x00" + e.payload
		}
		if start := side.conn.get("timestamp_start"); start.null() {
			key += "\x00" + flow.payload
		}
		side.conn.setNew("id", textElement(uuid(key)))
	}
}

// uuid returns an id for a key, in the form of a UUID of version 8.
func uuid(key string) string {
	h := sha256.Sum256([]byte(key))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// sslToTLS is the step to 6.
func sslToTLS(o *old) {
	for _, c := range []*dict{o.client(), o.server()} {
		c.rename("ssl_established", "tls_established")
		c.rename("timestamp_ssl_setup", "timestamp_tls_setup")
	}
}

// replayOfFlow is the step to 9: the flow says which side was replayed, not the message.
func replayOfFlow(o *old) {
	request, response := o.request().take("is_replay"), o.response().take("is_replay")
	switch {
	case o.find("is_replay") != nil:
	case response.isTrue():
		o.set("is_replay", textElement("response"))
	case request.isTrue():
		o.set("is_replay", textElement("request"))
	}
	o.request().drop("first_line_format")
}

// connections is the step to 10: lists of certificates, of which there was one, and of what
// was offered, of which only what was agreed on is known; whether TLS is used, which it was
// if it was established; the proxy in between by its address alone.
func connections(o *old) {
	o.client().setList("certificate_list", o.client().take("clientcert"))
	o.server().setList("certificate_list", o.server().take("cert"))
	o.server().drop("mitmcert")
	for _, c := range []*dict{o.client(), o.server()} {
		c.setNew("tls", c.get("tls_established"))
		c.setList("alpn_offers", c.get("alpn_proto_negotiated"))
		c.setList("cipher_list", c.get("cipher_name"))
	}
	if via := o.server().open("via"); via != nil {
		o.server().setNew("via2", upstream(via))
		o.server().drop("via")
	}
}

// upstream returns a connection to a proxy as [scheme, address]. Only up to 0.18 there are
// such connections, so it is as it was then.
func upstream(via *dict) elem {
	address := via.get("address")
	if a := via.open("address"); a != nil {
		address = a.get("address")
	}
	if address.tag != ']' {
		return elem{}
	}
	scheme := "http"
	if e := via.get("ssl_established"); e.isTrue() {
		scheme = "https"
	}
	return listElement(textElement(scheme), address)
}

// setList makes a list of one element the value of a key that is not there.
func (d *dict) setList(key string, e elem) {
	if !e.null() {
		d.setNew(key, listElement(e))
	}
}

// alpn is the step to 11.
func alpn(o *old) {
	o.client().rename("alpn_proto_negotiated", "alpn")
	o.server().rename("alpn_proto_negotiated", "alpn")
}

// marker is the step to 13: a mark has a name.
func marker(o *old) {
	switch e := o.get("marked"); {
	case e.tag != '!':
	case e.isTrue():
		o.set("marked", textElement(":default:"))
	default:
		o.set("marked", textElement(""))
	}
}

// created is the step to 16: a flow was made when its request began or, if it has none,
// when its client came.
func created(o *old) {
	at := o.request().get("timestamp_start")
	if at.null() {
		at = o.client().get("timestamp_start")
	}
	if !at.null() {
		o.setNew("timestamp_created", at)
	}
}

// noMode is the step to 17. How a client came to the proxy is told by its connection from
// version 18 on.
func noMode(o *old) { o.drop("mode") }

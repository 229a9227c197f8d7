// Package live is the capture proxy: it stands between clients and servers, passes on what they say as they said it, and
// tells a Recorder and a Handler what went by.
//
//	Proxy      listens in one or more modes and serves connections
//	Mode       how clients reach it: regular, reverse, upstream, socks5, transparent
//	Recorder   is told of flows as they happen
//
// A connection is served by one goroutine, layer by layer (conn.go): SOCKS or CONNECT leads to a tunnel, TLS in it is
// taken apart (tls.go), and what comes out (sniff.go) is HTTP/1 (http1.go), HTTP/2 (http2.go), or raw bytes (tcp.go). Each
// request becomes an exchange (exchange.go; its sides are request.go and response.go, what is kept of it tape.go), which is
// the same for both versions: events, server, response, record. A server connection (servers.go) belongs to the client
// connection that caused it, so that what a server ties to a connection (NTLM, client
// certificates) stays with its client.
//
// The package knows no scripts and no files. The message codecs are below internal, the certificate authority is in ca.
package live

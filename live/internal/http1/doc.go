// Package http1 reads and writes HTTP/1.0 and HTTP/1.1 messages (RFC 9112) for a proxy that passes them on as they came:
// fields keep their order, case and duplicates, and a message has one meaning or is refused.
//
//	RequestHead, ResponseHead   start line, fields, and what they say of the body and the connection
//	Framing                     where a body ends: none, length, chunked, until close
//	Body                        reads a body out of its framing
//	BodyWriter                  writes a body into its framing
//	Error                       why a message was refused, and the status to answer with
//
// It knows no connections, no timeouts and no URLs; nor does it remove fields that are for one hop only.
//
// # What is refused
//
// A message that two recipients could cut in two ways ("request smuggling") is never passed on. Requests are read
// strictly: lines end in CRLF; no folded lines, no space before a colon, no control bytes; one Host; one Content-Length
// or one Transfer-Encoding, which is "chunked", never both; no field that some servers take for one of these
// ("Content_Length").
//
// Responses are read as browsers do where that is safe, because the head is written anew: lines may end in a bare LF,
// folded lines are joined by spaces, space before a colon is dropped, the same length may be said more than once (it is
// passed on once). Lengths that contradict each other are refused.
//
// In both directions chunks must be exact; their extensions are dropped, as bodies are framed anew.
package http1

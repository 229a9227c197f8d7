// Package text writes HTTP flows as what people paste and pipe on: commands for a shell,
// and messages as they were on the wire.
//
//	Curl         a curl command for each request
//	HTTPie       an http command for each request
//	RawRequest   the bytes of each request
//	RawResponse  the bytes of each response
//
// # Commands
//
// A command is POSIX sh: dash, bash, zsh and busybox read it alike. It is text, whatever the
// flow holds, so that it can neither control a terminal nor be damaged by one:
//
//	'…'                  what is printable, with '\\'' for a quote
//	"$(printf '…')"      an argument with other bytes, as octal numbers
//	printf '…' | curl    a body with other bytes, or of more than 64 KiB
//
// The curl commands repeat the request with the same request line and the same fields, in
// the same order and spelling, and with the same body. What curl would add by itself is
// taken away (-H 'Accept:'). Its own Host field comes first and is spelled so; a Host that
// stands elsewhere, is spelled otherwise or is there twice is written as a plain field
// behind -H 'Host:'. A path that curl would change goes by --request-target. Where the name
// in TLS is not the host that the request went to, --connect-to has the latter.
//
// What cannot be repeated is a comment in place of the command, "# flow ID: reason": NUL or a
// line break in a head, an empty method or one with spaces, a field without name or whose
// name begins with @ or holds a colon, trailers, a body that was not recorded, CONNECT. What
// is repeated but for something the flow does not tell, or that curl does not do, is a
// comment before the command, "# flow ID, note: …": HTTP/2 has pseudo-fields first in curl's
// order, and a body without length in HTTP/1 gets a Content-Length. The sizes of chunks are
// curl's.
//
// HTTPie (3.0 or later) decides the order of fields and their spelling more freely; methods
// other than words in capitals, paths that it would change and HTTP/1.0 are refused.
//
// # Raw messages
//
// Raw messages have the form of HTTP/1, one behind the other without anything in between.
// Of HTTP/2 and 3 the version is written as HTTP/1.1, a request gets the Host field of its
// :authority, and a body the length that it needs. A body under Transfer-Encoding: chunked
// is written in chunks of 64 KiB, those of the wire are not known.
//
// # Rationale
//
// $'…' would be shorter than "$(printf …)", but dash has no such thing. Here-documents would
// be easier to read than printf, but cannot hold NUL nor leave out the last newline.
package text

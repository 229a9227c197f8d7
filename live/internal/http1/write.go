package http1

import (
	"errors"
	"io"
	"net"
	"strconv"

	"flowkit/flowfile"
)

// BodyWriter writes one body into its framing. What belongs together goes out in one Write of the writer: the head (see
// Head), the size of a chunk, its data and its end. The zero value is ready for Reset, which begins the next body.
type BodyWriter struct {
	// Scratch is where small parts are put together. It is made when needed (up to 16 KiB) and kept here; a caller may
	// give some, and may take it away between bodies to save memory.
	Scratch []byte

	w    io.Writer
	tcp  *net.TCPConn // w, if it is one
	kind Kind
	left int64  // bytes to come, if kind is Length
	head []byte // to go out before the rest
	err  error

	size [18]byte // a chunk size with its CRLF
	end  [7]byte  // chunkEnd
	vec  [4][]byte
	bufs net.Buffers
}

const (
	pieceSize = 16 << 10 // as much as fits a TLS record
	writevMin = 4 << 10  // below, copying is cheaper than a second buffer
)

// chunkEnd is the end of a chunk's data, and the last chunk without trailers.
const chunkEnd = "\r\n0\r\n\r\n"

var errClosed = errors.New("write to a body that is closed")

// Reset begins a body on w, framed as f says.
func (b *BodyWriter) Reset(w io.Writer, f Framing) {
	b.w, b.kind, b.left, b.head, b.err = w, f.Kind, f.Length, nil, nil
	b.tcp, _ = w.(*net.TCPConn)
	copy(b.end[:], chunkEnd)
}

// Head gives bytes to be sent before the body, in one Write with what comes first of it. They are kept until then; see
// Flush. Call it right behind Reset.
func (b *BodyWriter) Head(head []byte) { b.head = head }

// Flush sends the head, if it is still there.
func (b *BodyWriter) Flush() error {
	if b.err != nil || len(b.head) == 0 {
		return b.err
	}
	return b.put(nil, nil, nil)
}

// Write writes p, as a chunk or some if the body is chunked. More bytes than the framing allows are an error, and none
// of p is written. Errors are final. It does not keep p.
func (b *BodyWriter) Write(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if err := b.allow(int64(len(p))); err != nil {
		return 0, err
	}
	n := 0
	for n < len(p) {
		piece := b.piece(p[n:])
		if err := b.data(piece, false); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}

// Finish is Write(p) and Close(trailers), in one Write of the writer where that is possible.
func (b *BodyWriter) Finish(p []byte, trailers []flowfile.Field) error {
	if b.err != nil {
		return b.err
	}
	if b.kind != Chunked || len(trailers) > 0 {
		if _, err := b.Write(p); err != nil {
			return err
		}
		return b.Close(trailers)
	}
	if len(p) == 0 {
		return b.Close(nil)
	}
	for {
		piece := b.piece(p)
		p = p[len(piece):]
		if err := b.data(piece, len(p) == 0); err != nil {
			return err
		}
		if len(p) == 0 {
			b.err = errClosed
			return nil
		}
	}
}

// Close ends the body, with trailers if it is chunked; otherwise they are dropped, as they cannot be sent. It is an error
// if bytes of the length are missing, or if a trailer cannot be one: the connection is of no use then. Close leaves the
// writer open.
func (b *BodyWriter) Close(trailers []flowfile.Field) error {
	if b.err != nil {
		return b.err
	}
	switch {
	case b.kind == Length && b.left > 0:
		b.err = errors.New("body ended " + strconv.FormatInt(b.left, 10) + " bytes before its length")
	case b.kind == Chunked && len(trailers) > 0:
		if b.err = checkFields(trailers, request); b.err == nil {
			b.err = checkTrailers(trailers)
		}
		if b.err == nil {
			b.err = b.put(nil, nil, append(appendFields([]byte("0\r\n"), trailers), "\r\n"...))
		}
	case b.kind == Chunked:
		b.err = b.put(nil, nil, b.end[2:])
	default:
		b.err = b.Flush()
	}
	if b.err != nil {
		return b.err
	}
	b.err = errClosed
	return nil
}

// allow counts n bytes, or refuses them.
func (b *BodyWriter) allow(n int64) error {
	switch {
	case b.kind == None:
		b.err = errors.New("body where there is none")
	case b.kind == Length && n > b.left:
		b.err = errors.New("body is longer than its length")
	case b.kind == Length:
		b.left -= n
	}
	return b.err
}

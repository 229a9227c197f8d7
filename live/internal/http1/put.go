package http1

import (
	"net"
	"strconv"
)

// piece returns as much of p as goes out at once.
func (b *BodyWriter) piece(p []byte) []byte {
	if b.tcp != nil {
		return p // writev takes any length
	}
	// One TLS record with the framing around it; the head, if there is one, may make it two.
	return p[:min(len(p), pieceSize-32)]
}

// data writes p, framed; end stands instead of the line end behind a chunk if it is not nil.
func (b *BodyWriter) data(p, end []byte) error {
	if b.kind != Chunked {
		b.err = b.put(nil, p, nil)
		return b.err
	}
	if end == nil {
		end = crlf
	}
	size := append(strconv.AppendInt(b.size[:0], int64(len(p)), 16), '\r', '\n')
	b.err = b.put(size, p, end)
	return b.err
}

// put writes the head, if it is still there, and the three behind it in one Write.
func (b *BodyWriter) put(size, p, end []byte) error {
	head := b.head
	b.head = nil
	if len(head)+len(size)+len(end) == 0 {
		if len(p) == 0 {
			return nil
		}
		_, err := b.w.Write(p)
		return err
	}
	if b.tcp != nil && len(p) >= writevMin {
		n := 0
		for _, part := range [...][]byte{head, size, p, end} {
			if len(part) > 0 {
				b.vec[n] = part
				n++
			}
		}
		b.bufs = net.Buffers(b.vec[:n])
		_, err := b.bufs.WriteTo(b.tcp)
		clear(b.vec[:])
		return err
	}
	if len(size)+len(p)+len(end) == 0 {
		_, err := b.w.Write(head)
		return err
	}
	if b.Scratch == nil {
		b.Scratch = make([]byte, 0, pieceSize+512)
	}
	out := b.Scratch[:0]
	if len(head)+len(size)+len(p)+len(end) > cap(out) && len(head) > 0 {
		// A head as long as that is rare.
		if _, err := b.w.Write(head); err != nil {
			return err
		}
		head = nil
	}
	out = append(append(append(append(out, head...), size...), p...), end...)
	_, err := b.w.Write(out)
	return err
}

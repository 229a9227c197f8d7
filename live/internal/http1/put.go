package http1

import "strconv"

// piece returns how much of p is sent next. What has to be put together by copying is cut to pieceSize.
func (b *BodyWriter) piece(p []byte) []byte {
	if b.tcp != nil || b.kind != Chunked && len(b.head) == 0 {
		return p
	}
	room := pieceSize - len(b.head) - len(b.size) - len(b.end)
	return p[:min(len(p), max(room, pieceSize/4))]
}

// data sends bytes of the body, and its end if they are the last of a chunked body.
func (b *BodyWriter) data(p []byte, last bool) error {
	if b.kind != Chunked {
		return b.put(nil, p, nil)
	}
	size := append(strconv.AppendUint(b.size[:0], uint64(len(p)), 16), "\r\n"...)
	end := b.end[:2]
	if last {
		end = b.end[:]
	}
	return b.put(size, p, end)
}

// put writes the head, if it is still there, and the parts at once.
func (b *BodyWriter) put(size, p, end []byte) error {
	total := len(b.head) + len(size) + len(p) + len(end)
	switch {
	case total == len(p):
		_, b.err = b.w.Write(p)
	case total == len(b.head):
		_, b.err = b.w.Write(b.head)
	case b.tcp != nil && total >= writevMin:
		b.vec = [4][]byte{b.head, size, p, end}
		b.bufs = b.vec[:]
		_, b.err = b.bufs.WriteTo(b.tcp)
		b.vec = [4][]byte{}
	default:
		if cap(b.Scratch) < total {
			b.Scratch = make([]byte, 0, max(total, 1<<10))
		}
		s := append(append(append(append(b.Scratch[:0], b.head...), size...), p...), end...)
		b.Scratch = s[:0]
		_, b.err = b.w.Write(s)
	}
	b.head = nil
	return b.err
}

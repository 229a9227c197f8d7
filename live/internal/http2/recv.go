package http2

import "sync"

// chunk is a piece of a body that waits to be read. Chunks come from a pool.
type chunk struct {
	next *chunk
	r, w int
	b    [16 << 10]byte
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

func newChunk() *chunk {
	k := chunks.Get().(*chunk)
	k.next, k.r, k.w = nil, 0, 0
	return k
}

// recvBuffer holds the bytes of a body that wait to be read. One goroutine fills it (reserve, commit), one takes (take),
// under a lock that is not held while reserved room is being filled.
type recvBuffer struct {
	head, tail *chunk
	n          int  // bytes waiting
	filling    bool // room in tail is reserved: tail must not be given back
	dropped    bool
}

// reserve returns room for up to n bytes behind what is there; nil after drop.
func (b *recvBuffer) reserve(n int) []byte {
	if b.dropped {
		return nil
	}
	if b.tail == nil || b.tail.w == len(b.tail.b) {
		k := newChunk()
		if b.tail == nil {
			b.head = k
		} else {
			b.tail.next = k
		}
		b.tail = k
	}
	b.filling = true
	return b.tail.b[b.tail.w:min(len(b.tail.b), b.tail.w+n)]
}

// commit says that n bytes of what was reserved are there. It reports false if nobody wants them any more.
func (b *recvBuffer) commit(n int) bool {
	b.filling = false
	if b.dropped {
		b.head, b.tail = nil, nil
		return false
	}
	b.tail.w += n
	b.n += n
	if b.n == 0 {
		b.release()
	}
	return true
}

func (b *recvBuffer) take(p []byte) int {
	n := 0
	for b.head != nil && n < len(p) {
		k := b.head
		m := copy(p[n:], k.b[k.r:k.w])
		k.r += m
		n += m
		if k.r < k.w {
			break
		}
		if k == b.tail {
			if !b.filling {
				b.release()
			}
			break
		}
		b.head = k.next
		chunks.Put(k)
	}
	b.n -= n
	return n
}

func (b *recvBuffer) release() {
	for k := b.head; k != nil; {
		next := k.next
		chunks.Put(k)
		k = next
	}
	b.head, b.tail = nil, nil
}

// drop throws away what waits and what comes, and returns how many bytes waited.
func (b *recvBuffer) drop() int {
	n := b.n
	b.n, b.dropped = 0, true
	if !b.filling { // else commit lets go of them, and the pool does without
		b.release()
	}
	return n
}

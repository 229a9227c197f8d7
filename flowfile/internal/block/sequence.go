package block

// maxSessions is how many sessions a sequences remembers.
const maxSessions = 1024

// sequences knows, of each session met, which block comes next.
type sequences map[uint64]uint64

// note takes down a header and returns how many blocks of its session are missing before
// it. A session that begins in the middle misses nothing: the file may be a part of
// another. A seam says that gaps from here on are meant, and so forgets all.
func (s *sequences) note(h *Header) uint64 {
	if *s == nil || h.Kind == kindSeam || len(*s) >= maxSessions {
		*s = sequences{}
	}
	want, known := (*s)[h.Session]
	(*s)[h.Session] = h.Seq + 1
	if !known || h.Seq < want {
		return 0
	}
	return h.Seq - want
}

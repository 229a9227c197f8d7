package block

import (
	"bytes"
	"hash/maphash"
)

// minDedupe is the shortest content worth looking for.
const minDedupe = 64

// Of a content longer than hashAll some places are hashed: that it is the same is for the comparison to find.
const (
	hashAll    = 64 << 10
	hashPlaces = 16
	hashSize   = 1 << 10
)

// contents finds contents that the open block has already: by hash, then byte by byte.
// Two contents of one hash cost a missed chance, nothing else.
type contents struct {
	seed maphash.Seed
	at   map[uint64]place
}

func (c *contents) reset() {
	if c.at == nil {
		c.seed = maphash.MakeSeed()
		c.at = make(map[uint64]place)
	}
	clear(c.at)
}

// hash returns the hash that find and note want, 0 for a content that is not looked for.
func (c *contents) hash(data []byte) uint64 {
	if len(data) < minDedupe {
		return 0
	}
	if len(data) <= hashAll {
		return maphash.Bytes(c.seed, data)
	}
	var h maphash.Hash
	h.SetSeed(c.seed)
	maphash.WriteComparable(&h, len(data))
	for i := range hashPlaces {
		off := (len(data) - hashSize) / (hashPlaces - 1) * i
		h.Write(data[off : off+hashSize])
	}
	return h.Sum64()
}

func (c *contents) find(r *rawBlock, data []byte, hash uint64) (place, bool) {
	if len(data) < minDedupe {
		return place{}, false
	}
	at, ok := c.at[hash]
	if !ok || !bytes.Equal(r.at(at), data) {
		return place{}, false
	}
	return at, true
}

func (c *contents) note(data []byte, hash uint64, at place) {
	if len(data) >= minDedupe {
		c.at[hash] = at
	}
}

// at returns the bytes at a place of the block.
func (r *rawBlock) at(p place) []byte {
	w := &r.records
	if p.seg > 0 {
		w = &r.bodies[p.seg-1].w
	}
	return w.Bytes()[p.off : p.off+p.len]
}

// sharedEntries finds the shared entries that the open block has already.
type sharedEntries struct {
	byPointer map[*Entry]place
	byRecord  map[string][]sharedEntry
}

// sharedEntry is what makes two shared entries of one record the same.
type sharedEntry struct {
	at    place
	parts []sharedPart
}

type sharedPart struct {
	n     int
	total int64
	flags uint8
	at    place
}

func (s *sharedEntries) reset() {
	if s.byPointer == nil {
		s.byPointer = make(map[*Entry]place)
		s.byRecord = make(map[string][]sharedEntry)
	}
	clear(s.byPointer)
	clear(s.byRecord)
}

// addShared stores a shared entry, unless the block has it.
func (b *builder) addShared(e *Entry) place {
	if at, ok := b.shared.byPointer[e]; ok {
		return at
	}
	for _, s := range b.shared.byRecord[string(e.Record)] {
		if b.same(s, e) {
			b.shared.byPointer[e] = s.at
			return s.at
		}
	}
	places := b.placeParts(e)
	at := b.put(e, places)
	s := sharedEntry{at: at, parts: make([]sharedPart, len(places))}
	for i, p := range e.Parts {
		s.parts[i] = sharedPart{n: p.N, total: p.Total, flags: p.Flags, at: places[i]}
	}
	b.shared.byPointer[e] = at
	b.shared.byRecord[string(e.Record)] = append(b.shared.byRecord[string(e.Record)], s)
	return at
}

// same reports whether e, whose record equals that of s, has the same parts.
func (b *builder) same(s sharedEntry, e *Entry) bool {
	if len(s.parts) != len(e.Parts) {
		return false
	}
	for i, p := range s.parts {
		q := &e.Parts[i]
		if p.n != q.N || p.total != q.Total || p.flags != q.Flags {
			return false
		}
		if q.Shared != nil {
			if at, ok := b.shared.byPointer[q.Shared]; !ok || at != p.at {
				return false
			}
			continue
		}
		if p.at.seg == 0 || !bytes.Equal(b.raw.at(p.at), q.Data) {
			return false
		}
	}
	return true
}

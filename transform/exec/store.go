package exec

import (
	"errors"
	"hash/maphash"
	"os"
	"sync"

	"flowkit/flowfile"
)

// What of the flows that are out is in memory: the last, and only as long as they are
// small. Bodies that lie in a file that was read are not counted.
const (
	recentFlows = 8192
	recentBytes = 32 << 20
)

// entry is a flow that went out. Nobody changes the flow: what comes back is a copy.
type entry struct {
	flow   *flowfile.Flow
	number int64  // of the flow, from 1
	sum    uint64 // of its line
	size   int64  // what it takes in memory, about
	back   bool   // it came back
	pinned bool   // it stays in memory until it comes back
	older  *entry // of the same id
}

// store has the flows that are out, so that a line that comes back finds its own, by its
// id. A flow that came back is known for a while, in case it comes again.
//
// What leaves the memory goes to a file if it did not come back yet. In memory there is
// then where it lies, 16 bytes; flows that a program drops are never forgotten, because
// nobody can know that.
type store struct {
	seed maphash.Seed
	dir  string
	most int // flows in memory

	mu     sync.Mutex
	recent map[uint64]*entry // by id, the last one
	queue  []*entry          // those in memory that are not pinned, in their order
	bytes  int64
	far    map[uint64]int64 // by id, the place in the file of the last one
	file   *spill           // nil: was not needed yet
	closed bool
}

func newStore(dir string, most int) *store {
	return &store{
		seed: maphash.MakeSeed(), dir: dir, most: most, recent: make(map[uint64]*entry), far: make(map[uint64]int64),
	}
}

// storeError is an error of the temporary files: the run cannot go on.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

// sum returns what tells lines apart.
func (s *store) sum(line []byte) uint64 { return maphash.Bytes(s.seed, line) }

func (s *store) key(id string) uint64 { return maphash.String(s.seed, id) }

// add remembers a flow whose line has that sum and length.
func (s *store) add(f *flowfile.Flow, number int64, sum uint64, length int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(&entry{flow: f, number: number, sum: sum, size: length + inMemory(f)})
	return s.shrink()
}

// inMemory returns about how many bytes f holds in memory.
func inMemory(f *flowfile.Flow) int64 {
	n := int64(3 << 10) // of the flow itself
	add := func(b flowfile.Body) {
		if _, ok := b.Extent(); !ok {
			n += max(b.Size(), 0)
		}
	}
	if r := f.Request(); r != nil {
		add(r.Body())
	}
	if r := f.Response(); r != nil {
		add(r.Body())
	}
	return n
}

func (s *store) put(e *entry) {
	key := s.key(idOf(e.flow, e.number))
	e.older = s.recent[key]
	s.recent[key] = e
	s.queue = append(s.queue, e)
	s.bytes += e.size
}

// shrink takes the oldest flows out of memory.
func (s *store) shrink() error {
	for len(s.queue) > s.most || s.bytes > recentBytes && len(s.queue) > 1 {
		e := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		s.bytes -= e.size
		if !e.back {
			if err := s.spill(e); err != nil {
				return &storeError{err}
			}
		}
		if !e.pinned {
			s.forget(e)
		}
	}
	return nil
}

// forget takes e out of the list of its id.
func (s *store) forget(e *entry) {
	key := s.key(idOf(e.flow, e.number))
	first := s.recent[key]
	if first == e {
		if e.older == nil {
			delete(s.recent, key)
		} else {
			s.recent[key] = e.older
		}
		return
	}
	for ; first != nil; first = first.older {
		if first.older == e {
			first.older = e.older
			return
		}
	}
}

// spill writes e to the file, unless it is too large for that.
func (s *store) spill(e *entry) error {
	if s.closed {
		return os.ErrClosed
	}
	if s.file == nil {
		var err error
		if s.file, err = newSpill(s.dir); err != nil {
			return err
		}
	}
	key := s.key(idOf(e.flow, e.number))
	prev, there := s.far[key]
	if !there {
		prev = -1
	}
	at, err := s.file.add(e, prev)
	if errors.Is(err, errStays) {
		e.pinned = true
		return nil
	}
	if err == nil {
		s.far[key] = at
	}
	return err
}

// unchanged returns the flow of that id whose line has that sum, nil if there is none.
func (s *store) unchanged(id string, sum uint64) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.key(id)
	for e := s.recent[key]; e != nil; e = e.older {
		if e.sum == sum && idOf(e.flow, e.number) == id {
			return s.cameBack(e), nil
		}
	}
	at, prev, ok, err := s.search(key, func(h *spillHeader) bool { return h.Sum == sum })
	if err != nil || !ok {
		return nil, err
	}
	return s.fetch(key, at, prev)
}

// find returns the flow of an id, nil if there is none. Of several of the same id it is
// the oldest that did not come back, unless one of them has the sum.
func (s *store) find(id string, sum uint64) (*entry, error) {
	if e, err := s.unchanged(id, sum); e != nil || err != nil {
		return e, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.key(id)
	at, prev, ok, err := s.search(key, func(h *spillHeader) bool { return h.Prev < 0 })
	if err != nil {
		return nil, err
	}
	if ok {
		return s.fetch(key, at, prev)
	}
	var found *entry
	for e := s.recent[key]; e != nil; e = e.older {
		if idOf(e.flow, e.number) == id && (found == nil || !e.back) {
			found = e
		}
	}
	return s.cameBack(found), nil
}

func (s *store) cameBack(e *entry) *entry {
	if e == nil {
		return nil
	}
	e.back = true
	if e.pinned {
		s.forget(e)
	}
	return e
}

// search looks in the file for the flow of key that is wanted. It returns its place and
// that of the one before it in the list, -1 if it is the first.
func (s *store) search(key uint64, wanted func(*spillHeader) bool) (at, before int64, ok bool, err error) {
	before = -1
	at, ok = s.far[key]
	for ok && at >= 0 {
		h, err := s.file.header(at)
		if err != nil {
			return 0, 0, false, &storeError{err}
		}
		if wanted(h) {
			return at, before, true, nil
		}
		before, at = at, h.Prev
	}
	return 0, 0, false, nil
}

// fetch reads a flow back into memory, and takes it out of the list in the file.
func (s *store) fetch(key uint64, at, before int64) (*entry, error) {
	e, prev, err := s.file.read(at)
	if err != nil {
		return nil, &storeError{err}
	}
	switch {
	case before >= 0:
		err = s.file.relink(before, prev)
	case prev >= 0:
		s.far[key] = prev
	default:
		delete(s.far, key)
	}
	if err != nil {
		return nil, &storeError{err}
	}
	e.back = true
	s.put(e)
	return e, s.shrink()
}

// close forgets all flows.
func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	clear(s.recent)
	clear(s.far)
	s.queue, s.file = nil, nil // flows that came back may still have bodies in it
}

package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// FlowID returns the id of the flow that begins with a record, "" for other records.
type FlowID func(record []byte) string

// IndexState is what CheckIndex found.
type IndexState struct {
	Blocks   int      // of data, that can be read
	Flows    int      // that begin in them
	Problems []string // what the index does not say, or says wrongly
}

// stretch is a part of a file: a block, or bytes that are none.
type stretch struct {
	off, end int64
	h        *Header // nil: no block, or one that cannot be read
	ids      []entryID
}

func (s *stretch) whole() bool { return s.h != nil && s.off+s.h.total() == s.end }
func (s *stretch) data() bool  { return s.h != nil && s.h.Kind == kindData }

// entry is what an index says of the stretch. Of a block that is cut short it tells the length
// that is left.
func (s *stretch) entry() IndexBlock {
	b := IndexBlock{Offset: s.off}
	if s.h != nil {
		b = s.h.Indexed()
		b.Offset = s.off
	}
	b.Len = s.end - s.off
	return b
}

// survey reads all headers and records of a file.
func survey(ra io.ReaderAt, size int64, id FlowID) ([]stretch, error) {
	var all []stretch
	r := NewReader(io.NewSectionReader(ra, 0, size), ReaderOptions{Seen: func(x ReaderSeen) {
		if x.Header.Kind != kindData {
			all = append(all, stretch{off: x.Offset, end: min(x.Offset+x.Header.total(), size), h: x.Header})
		}
	}})
	for {
		b, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return gaps(all, size), nil
		case errors.As(err, new(*DamageError)):
			continue
		case err != nil:
			return nil, err
		}
		s := stretch{off: b.Offset, end: min(b.Offset+b.Len(), size), h: &b.Header}
		e, err := b.Entries()
		for err == nil && e.Next() {
			if id := id(e.Record()); id != "" {
				s.ids = append(s.ids, entryID{hashID(id), e.Index()})
			}
		}
		all = append(all, s)
	}
}

// gaps puts stretches between blocks that do not meet, and ends those that run into the next.
func gaps(blocks []stretch, size int64) []stretch {
	slices.SortFunc(blocks, func(a, b stretch) int { return int(min(max(a.off-b.off, -1), 1)) })
	var all []stretch
	at := int64(0)
	for i, s := range blocks {
		if s.off > at {
			all = append(all, stretch{off: at, end: s.off})
		}
		if i+1 < len(blocks) {
			s.end = min(s.end, blocks[i+1].off)
		}
		all = append(all, s)
		at = s.end
	}
	if at < size {
		all = append(all, stretch{off: at, end: size})
	}
	return all
}

// CheckIndex tells whether the index of a file says what is in its blocks, all of them.
func CheckIndex(ra io.ReaderAt, size int64, id FlowID) (*IndexState, error) {
	all, err := survey(ra, size, id)
	if err != nil {
		return nil, err
	}
	return checkIndex(ra, all)
}

func checkIndex(ra io.ReaderAt, all []stretch) (*IndexState, error) {
	st := &IndexState{}
	x := &Index{dec: &decoder{}}
	known := make([]bool, len(all))
	look := func(i int) (*indexPart, error) {
		s := &all[i]
		if s.h == nil || s.h.Kind != kindIndex || !s.whole() {
			return nil, nil
		}
		p, err := x.readPart(ra, s.off, s.end-s.off)
		if err != nil || p == nil {
			return nil, err
		}
		st.Problems = append(st.Problems, disagree(p, all, i, known)...)
		return p, nil
	}
	// As a reader does: from the end, index by index, and what is in front of them from the
	// beginning.
	end := len(all)
	for end > 0 {
		p, err := look(end - 1)
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		for end > 0 && all[end-1].off >= p.start {
			end--
		}
	}
	for i := range all[:end] {
		if _, err := look(i); err != nil {
			return nil, err
		}
	}
	missing, first := 0, int64(0)
	for i := range all {
		if !all[i].data() {
			continue
		}
		st.Blocks++
		st.Flows += len(all[i].ids)
		if !known[i] {
			if missing++; missing == 1 {
				first = all[i].off
			}
		}
	}
	switch {
	case missing > 0:
		st.Problems = append(st.Problems, fmt.Sprintf("byte %d: %d of %d blocks are in no index, the first of them here", first, missing, st.Blocks))
	case st.Blocks > 0 && end == len(all):
		st.Problems = append(st.Problems, fmt.Sprintf("byte %d: the file does not end with an index", all[end-1].end))
	}
	return st, nil
}

// disagree compares an index, which is all[at], with the stretches that it covers.
func disagree(p *indexPart, all []stretch, at int, known []bool) (problems []string) {
	say := func(off int64, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("byte %d: ", off)+fmt.Sprintf(format, args...))
	}
	j := slices.IndexFunc(all[:at], func(s stretch) bool { return s.off >= p.start })
	if j < 0 {
		return nil
	}
	ids := make(map[indexedID]bool, len(p.ids)/idSize)
	for e := p.ids; len(e) >= idSize; e = e[idSize:] {
		ids[indexedID{binary.BigEndian.Uint64(e), binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint16(e[12:])}] = true
	}
	for n, b := range p.blocks {
		for j < at && all[j].off < b.Offset {
			if all[j].data() {
				say(all[j].off, "the index at byte %d does not know this block", all[at].off)
			}
			j++
		}
		if j == at || all[j].off != b.Offset {
			if b.Records > 0 {
				say(b.Offset, "no block is here, but the index at byte %d says so", all[at].off)
			}
			continue
		}
		s := &all[j]
		want := s.entry()
		want.IDs = b.IDs
		known[j] = true
		j++
		if b != want {
			if b.Records > 0 || s.data() {
				say(b.Offset, "%s; the index at byte %d says %s", say1(want), all[at].off, say1(b))
			}
			continue
		}
		if !b.IDs {
			known[j-1] = !s.data() || len(s.ids) == 0
			continue
		}
		for _, id := range s.ids {
			key := indexedID{id.hash, uint32(n), uint16(id.entry)}
			if !ids[key] {
				say(b.Offset, "the index at byte %d does not know the flow of entry %d", all[at].off, id.entry)
			}
			delete(ids, key)
		}
	}
	if len(ids) > 0 {
		say(all[at].off, "the index knows of %d flows that are not there", len(ids))
	}
	return problems
}

func say1(b IndexBlock) string {
	return fmt.Sprintf("a block of %d bytes, %d entries, %d flows", b.Len, b.Records, b.Flows)
}

// Rebuilt is what RebuildIndex did.
type Rebuilt struct {
	IndexState       // before
	Written    int64 // bytes that were appended; 0: there was nothing to do
	Unindexed  int   // blocks whose flows are more than an index can hold
}

// RebuildIndex appends an index of what the indexes of the file do not tell, or tell wrongly. Nothing
// that is there is touched, and the file is locked meanwhile.
func RebuildIndex(path string, id FlowID) (*Rebuilt, error) {
	f, err := os.OpenFile(path, os.O_RDWR|nonBlock, 0)
	if err != nil {
		return nil, err
	}
	b, err := rebuildIndex(f, id)
	return b, errors.Join(err, f.Close())
}

func rebuildIndex(f *os.File, id FlowID) (*Rebuilt, error) {
	if _, err := prepare(f, false); err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	all, err := survey(f, size, id)
	if err != nil {
		return nil, err
	}
	st, err := checkIndex(f, all)
	if err != nil {
		return nil, err
	}
	re := &Rebuilt{IndexState: *st}
	if len(st.Problems) == 0 {
		return re, nil
	}
	todo, err := unindexed(f, all)
	if err != nil || len(todo) == 0 {
		return re, err
	}
	out := newOutput(f, WriterOptions{NoIndex: true})
	out.file, out.start = f, size
	x, left := buildIndex(todo)
	re.Unindexed = left
	p := x.pack()
	if hasSync(p.buf[p.h.Len:]) {
		return nil, errors.New("the index would look like a block; append something to the file and try again")
	}
	if same, err := sameIndex(f, size, x); err != nil || same {
		return re, err
	}
	if !out.own(&p.h, p.buf) {
		return nil, out.failed()
	}
	re.Written = out.written()
	return re, f.Sync()
}

// sameIndex tells whether the file ends with an index of just that content: then it cannot be made better.
func sameIndex(ra io.ReaderAt, size int64, x *indexBuilder) (bool, error) {
	last := &Index{dec: &decoder{}}
	if _, err := last.fromEnd(ra, size); err != nil || len(last.parts) == 0 {
		return false, err
	}
	p := last.parts[0]
	ids := x.packIDs()
	// The new one would cover the last as well.
	return len(p.blocks) == len(x.blocks)-1 && bytes.Equal(p.ids, ids), nil
}

// unindexed returns the stretches at the end of the file that a new index is to cover: those behind
// the last index that is right about all in front of it.
func unindexed(ra io.ReaderAt, all []stretch) ([]stretch, error) {
	x := &Index{dec: &decoder{}}
	begin := slices.IndexFunc(all, func(s stretch) bool { return s.h != nil })
	if begin < 0 {
		return nil, nil
	}
	for i := range all {
		s := &all[i]
		if i < begin || s.h == nil || s.h.Kind != kindIndex || !s.whole() {
			continue
		}
		p, err := x.readPart(ra, s.off, s.end-s.off)
		if err != nil {
			return nil, err
		}
		if p == nil || p.start != all[begin].off {
			continue
		}
		known := make([]bool, len(all))
		right := len(disagree(p, all, i, known)) == 0
		for j := begin; j < i; j++ {
			right = right && (known[j] || !all[j].data())
		}
		if right {
			begin = i + 1
		}
	}
	return all[begin:], nil
}

// buildIndex makes the index of stretches. It returns how many blocks are there whose flows it leaves
// out: the first ones, of more than an index can hold.
func buildIndex(todo []stretch) (x *indexBuilder, left int) {
	n, first := 0, len(todo)
	for first > 0 && len(todo)-first < maxIndexed-1 && n+len(todo[first-1].ids) <= maxIndexedIDs {
		first--
		n += len(todo[first].ids)
	}
	skip := max(0, len(todo)-maxIndexed+1)
	x = &indexBuilder{}
	for i := range todo {
		if i < skip {
			left++
			continue
		}
		b := todo[i].entry()
		if i < first && todo[i].data() {
			x.noIDs = append(x.noIDs, len(x.blocks))
			left++
		} else {
			for _, id := range todo[i].ids {
				x.ids = append(x.ids, indexedID{id.hash, uint32(len(x.blocks)), uint16(id.entry)})
			}
		}
		b.Offset = 0
		x.blocks = append(x.blocks, b)
		x.span += b.Len
	}
	return x, left
}

// ends returns the first and the last block with entries that an index tells of: what it is measured by.
func (p *indexPart) ends() []IndexBlock {
	has := func(b IndexBlock) bool { return b.Records > 0 }
	i := slices.IndexFunc(p.blocks, has)
	if i < 0 {
		return nil
	}
	j := len(p.blocks) - 1
	for !has(p.blocks[j]) {
		j--
	}
	return []IndexBlock{p.blocks[i], p.blocks[j]}
}

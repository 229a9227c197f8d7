package native

import (
	"bytes"
	"errors"
	"io"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/wire"
)

// content is a body within one block, decompressed when it is asked for.
type content struct {
	b    *block.Block
	at   block.Range
	more []block.Range
	file string
}

var _ flowfile.BytesContent = (*content)(nil)

func (c *content) Size() int64 {
	n := int64(c.at.Len)
	for _, r := range c.more {
		n += int64(r.Len)
	}
	return n
}

func (c *content) Bytes() ([]byte, error) {
	b, err := c.b.Content(c.at)
	if err != nil {
		return nil, damage(c.file, err)
	}
	if len(c.more) == 0 {
		return b, nil
	}
	all := append(make([]byte, 0, c.Size()), b...)
	for _, r := range c.more {
		b, err := c.b.Content(r)
		if err != nil {
			return nil, damage(c.file, err)
		}
		all = append(all, b...)
	}
	c.b.Release() // not twice in memory
	return all, nil
}

// each calls f with the bytes, range by range.
func (c *content) each(f func(p []byte) error) error {
	b, err := c.b.Content(c.at)
	if err == nil {
		err = f(b)
	}
	for _, r := range c.more {
		if err == nil {
			b, err = c.b.Content(r)
		}
		if err == nil {
			err = f(b)
		}
	}
	return err
}

func (c *content) Open() (io.ReadCloser, error) {
	b, err := c.Bytes()
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// released is a content whose block forgets its decompressed bytes when the reader is
// closed: a chunk of a body that is larger than memory.
type released struct{ *content }

func (c released) Open() (io.ReadCloser, error) {
	r, err := c.content.Open()
	if err != nil {
		return nil, err
	}
	return &releasing{r, c.b}, nil
}

type releasing struct {
	io.Reader
	b *block.Block
}

func (r *releasing) Close() error {
	r.b.Release()
	return nil
}

// passed is content of a pipe that nobody asked for: only its size is known.
type passed int64

var errPassed = errors.New("it went by on a pipe: bodies were not asked for")

func (p passed) Open() (io.ReadCloser, error) { return nil, errPassed }
func (p passed) Size() int64                  { return int64(p) }

// newContent returns the content of one part of an entry, nil if no ref has it.
func newContent(b *block.Block, refs []block.Ref, part int, file string) *content {
	var c *content
	for _, ref := range refs {
		if ref.Part != part {
			continue
		}
		for _, at := range ref.Ranges {
			if c == nil {
				c = &content{b: b, at: at, file: file}
			} else {
				c.more = append(c.more, at)
			}
		}
	}
	return c
}

// stored is what an entry has of a body.
type stored struct {
	flowfile.Body
	there     bool  // the entry says something about the body
	continues bool  // the content is in part records
	total     int64 // then: its length on the wire, -1 if unknown
}

// bodyOf returns what an entry has of a body.
func bodyOf(b *block.Block, refs []block.Ref, part int, file string) stored {
	for _, ref := range refs {
		if ref.Part != part {
			continue
		}
		s := stored{there: true, continues: ref.Flags&wire.FlagContinues != 0, total: ref.Total}
		if ref.Flags&wire.FlagNotStored != 0 {
			return s
		}
		s.Body = flowfile.StringBody("")
		if c := newContent(b, refs, part, file); c != nil && c.Size() > 0 {
			s.Body = flowfile.ContentBody(c)
		}
		if ref.Flags&wire.FlagTruncated != 0 {
			s.Body = s.Body.Truncate(ref.Total)
		}
		return s
	}
	return stored{}
}

// inMemory returns the body with its bytes in memory of its own; one that cannot be read
// becomes a truncated one of no bytes.
func (s stored) inMemory() stored {
	if s.Content() == nil {
		return s
	}
	state, total := s.State(), s.Total()
	b, err := s.Bytes(-1)
	if err != nil {
		s.Body = flowfile.StringBody("").Truncate(total)
		return s
	}
	s.Body = flowfile.StringBody(string(b))
	if state == flowfile.BodyTruncated {
		s.Body = s.Body.Truncate(total)
	}
	return s
}

package native

import (
	"bytes"
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
	all := append([]byte(nil), b...)
	for _, r := range c.more {
		b, err := c.b.Content(r)
		if err != nil {
			return nil, damage(c.file, err)
		}
		all = append(all, b...)
	}
	return all, nil
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

// body returns the body that is stored with an entry; continues says that part records
// follow.
func body(b *block.Block, refs []block.Ref, part int, file string) (body flowfile.Body, continues bool) {
	for _, ref := range refs {
		if ref.Part != part {
			continue
		}
		if c := newContent(b, refs, part, file); c != nil {
			body = flowfile.ContentBody(c)
		} else {
			body = flowfile.StringBody("")
		}
		if ref.Flags&wire.FlagTruncated != 0 {
			body = body.Truncate(ref.Total)
		}
		return body, ref.Flags&wire.FlagContinues != 0
	}
	return flowfile.Body{}, false
}

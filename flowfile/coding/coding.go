// Package coding undoes and applies what HTTP lays around content: content-codings (gzip,
// deflate, br, zstd, and lists of them) and character sets.
//
//	NewReader, Decode, Encode              bytes under a content-coding
//	OpenDecoded, DecodedBody, SetDecoded   a message's content without its codings
//	Charset, DecodeText, Text, SetText     a message's content as text
//
// Everything here meets hostile bytes: memory is bounded by the limit a caller gives and
// by fixed windows, and time by the bytes that come in and go out.
package coding

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"flowkit/flowfile"
)

// ErrTooLarge is returned for content that exceeds the caller's limit.
var ErrTooLarge = flowfile.ErrTooLarge

// ErrUnknown is returned for a content-coding that flowkit does not know.
var ErrUnknown = errors.New("unknown content-coding")

// maxCodings bounds the length of a list of codings.
const maxCodings = 4

// NewReader returns r with the content-codings of encoding undone: a name or a list of
// names in the order in which they were applied ("gzip, br"), without case; "", "none"
// and "identity" do nothing. Nothing is read before the first Read. Closing it does not
// close r.
func NewReader(r io.Reader, encoding string) (io.ReadCloser, error) {
	return newReader(r, encoding, -1)
}

// newReader is NewReader where no inner coding may give more than limit bytes.
func newReader(r io.Reader, encoding string, limit int64) (io.ReadCloser, error) {
	names, err := split(encoding)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return io.NopCloser(r), nil
	}
	c := &chain{r: r}
	for i := len(names) - 1; i >= 0; i-- {
		l := &layer{name: names[i], in: c.r}
		c.layers, c.r = append(c.layers, l), l
		if i > 0 && limit >= 0 {
			c.r = &limited{r: l, left: limit, limit: limit}
		}
	}
	return c, nil
}

// split returns the canonical names of the codings in encoding.
func split(encoding string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(encoding, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		switch name {
		case "", "none", "identity":
			continue
		case "x-gzip":
			name = "gzip"
		case "gzip", "deflate", "deflateraw", "br", "zstd":
		default:
			return nil, fmt.Errorf("%w %q", ErrUnknown, name)
		}
		names = append(names, name)
	}
	if len(names) > maxCodings {
		return nil, fmt.Errorf("%w: a list of %d", ErrUnknown, len(names))
	}
	return names, nil
}

// chain is a list of layers, the outermost first; r is the innermost.
type chain struct {
	r      io.Reader
	layers []*layer
}

func (c *chain) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *chain) Close() error {
	for _, l := range c.layers {
		l.close()
	}
	return nil
}

// limited ends with ErrTooLarge behind limit bytes.
type limited struct {
	r           io.Reader
	left, limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		// A reader that ends exactly at the limit is within it.
		var one [1]byte
		n, err := io.ReadFull(l.r, one[:])
		if n > 0 {
			err = fmt.Errorf("%w: more than %d bytes decoded", ErrTooLarge, l.limit)
		}
		return 0, err
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}

// Decode returns b with the content-codings of encoding undone, at most limit bytes
// (limit < 0: none). Where nothing is to be done it returns b itself. With an error it
// returns what could be decoded up to there.
func Decode(b []byte, encoding string, limit int64) ([]byte, error) {
	names, err := split(encoding)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		if limit >= 0 && int64(len(b)) > limit {
			return b[:limit:limit], fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(b), limit)
		}
		return b, nil
	}
	r, err := newReader(bytes.NewReader(b), encoding, innerLimit(limit))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readAll(r, limit, 4*int64(len(b)))
}

// innerLimit bounds what codings inside of others may give: what is packed well once
// hardly ever grows by packing it again.
func innerLimit(limit int64) int64 {
	if limit < 0 {
		return -1
	}
	return 2*limit + 1<<20
}

// readAll reads at most limit bytes of r; hint is a guess of their number.
func readAll(r io.Reader, limit, hint int64) ([]byte, error) {
	if limit >= 0 {
		r = &limited{r: r, left: limit, limit: limit}
		hint = min(hint, limit)
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(hint, 0), 1<<20)) + bytes.MinRead)
	_, err := buf.ReadFrom(r)
	return buf.Bytes(), err
}

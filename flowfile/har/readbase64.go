package har

import (
	"bufio"
	"encoding/base64"
	"io"
	"strings"

	"flowkit/flowfile"
)

// bytes returns what a text stands for. Base64 that is none is taken for plain text, and
// false is returned for it.
func (r *Reader) bytes(t *value, encoding string) (flowfile.Body, bool) {
	coded := isBase64(encoding)
	if t.long != nil {
		if !coded {
			return flowfile.ContentBody(t.long), true
		}
		c, err := r.o.Spool.AddReader(newBase64(open(t.long)))
		if err != nil {
			return flowfile.ContentBody(t.long), false
		}
		return flowfile.ContentBody(c), true
	}
	if !coded {
		return flowfile.StringBody(clean(t.s)), surrogate(t.s) < 0
	}
	b, ok := decodeBase64(t.s)
	if !ok {
		return flowfile.StringBody(clean(t.s)), false
	}
	return flowfile.BytesBody(b), true
}

func isBase64(encoding string) bool {
	return strings.EqualFold(strings.TrimSpace(encoding), "base64")
}

// decodeBase64 takes both alphabets, white space, and no padding.
func decodeBase64(s string) ([]byte, bool) {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil {
		return b, true
	}
	b, err := io.ReadAll(newBase64(io.NopCloser(strings.NewReader(s))))
	return b, err == nil
}

// open opens c; that it cannot be opened is told by the first Read.
func open(c flowfile.Content) io.ReadCloser {
	r, err := c.Open()
	if err != nil {
		return io.NopCloser(failing{err})
	}
	return r
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// newBase64 decodes all of r and closes it.
func newBase64(r io.ReadCloser) io.Reader {
	// In between there is a buffer, so that the cleaner is never asked for less than it needs.
	return base64.NewDecoder(base64.StdEncoding, bufio.NewReader(&cleaner{r: r}))
}

// cleaner makes base64 of the standard alphabet, padded and without white space.
type cleaner struct {
	r    io.ReadCloser
	n    int
	done bool
}

func (c *cleaner) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	if len(p) < 4 {
		return 0, io.ErrShortBuffer
	}
	n, err := c.r.Read(p[:len(p)-3])
	out := p[:0]
	for _, b := range p[:n] {
		switch b {
		case ' ', '\t', '\r', '\n', '=':
			continue
		case '-':
			b = '+'
		case '_':
			b = '/'
		}
		out = append(out, b)
	}
	c.n += len(out)
	if err == io.EOF {
		c.done = true
		for ; c.n%4 != 0; c.n++ {
			out = append(out, '=')
		}
		if cerr := c.r.Close(); cerr != nil {
			return len(out), cerr
		}
	}
	return len(out), err
}

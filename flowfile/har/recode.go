package har

import (
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

// recoded is a body of which the HAR has the decoded bytes, under its content-codings
// again: not the bytes of the wire, but bytes that say the same. They are made when
// somebody asks for them.
type recoded struct {
	plain flowfile.Body
	names []string // in the order in which they are applied
	spool *flowfile.Spool
	once  sync.Once
	body  flowfile.Body
	err   error
}

var _ flowfile.BytesContent = (*recoded)(nil)

// newRecoded returns plain under the codings of Content-Encoding headers.
func newRecoded(plain flowfile.Body, headers []string, spool *flowfile.Spool) (*recoded, error) {
	c := &recoded{plain: plain, spool: spool}
	for name := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "", "none", "identity":
		case "x-gzip", "gzip", "deflate", "deflateraw", "br", "zstd":
			c.names = append(c.names, name)
		default:
			return nil, coding.ErrUnknown
		}
	}
	if len(c.names) > 4 {
		return nil, coding.ErrUnknown
	}
	return c, nil
}

func (c *recoded) load() error {
	c.once.Do(func() { c.body, c.err = c.encode() })
	return c.err
}

func (c *recoded) encode() (flowfile.Body, error) {
	if n := c.plain.Size(); n >= 0 && n <= maxString {
		b, err := c.plain.Bytes(-1)
		if err == nil {
			b, err = coding.Encode(b, strings.Join(c.names, ","))
		}
		return flowfile.BytesBody(b), err
	}
	in, err := c.plain.Open()
	if err != nil {
		return flowfile.Body{}, err
	}
	defer in.Close()
	out := c.spool.NewWriter()
	var w io.Writer = out
	layers := make([]io.Closer, len(c.names))
	for i := len(c.names) - 1; i >= 0; i-- {
		l, err := encoder(w, c.names[i])
		if err != nil {
			return flowfile.Body{}, err
		}
		w, layers[i] = l, l
	}
	if _, err := io.Copy(w, in); err != nil {
		return flowfile.Body{}, err
	}
	for _, l := range layers {
		if err := l.Close(); err != nil {
			return flowfile.Body{}, err
		}
	}
	return flowfile.ContentBody(out.Content()), nil
}

// encoder is the fastest one of a coding.
func encoder(w io.Writer, name string) (io.WriteCloser, error) {
	switch name {
	case "deflate":
		return zlib.NewWriterLevel(w, zlib.BestSpeed)
	case "deflateraw":
		return flate.NewWriter(w, flate.BestSpeed)
	case "br":
		return brotli.NewWriterLevel(w, brotli.BestSpeed), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	}
	return gzip.NewWriterLevel(w, gzip.BestSpeed)
}

// Open returns the bytes from the beginning.
func (c *recoded) Open() (io.ReadCloser, error) {
	if err := c.load(); err != nil {
		return nil, err
	}
	return c.body.Open()
}

// Size returns their number.
func (c *recoded) Size() int64 {
	if c.load() != nil {
		return -1
	}
	return c.body.Size()
}

// Bytes returns all bytes.
func (c *recoded) Bytes() ([]byte, error) {
	if err := c.load(); err != nil {
		return nil, err
	}
	return c.body.Bytes(-1)
}

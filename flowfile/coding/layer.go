package coding

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the largest window a decoder must have, and may be asked for, under the
// content-coding zstd (RFC 9659).
const zstdWindow = 8 << 20

// layer undoes one coding. It begins at the first Read, because it looks at the first
// bytes: senders confuse gzip, zlib and raw deflate.
type layer struct {
	name string
	in   io.Reader

	br    *bufio.Reader
	r     io.Reader // nil before the first Read
	free  func()    // gives back what is pooled; nil: nothing
	err   error     // for good
	begun bool
}

// Decoders are large and are made anew for every body otherwise.
var (
	bufPool  = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 8<<10) }}
	gzipPool = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zstdPool = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			panic("coding: internal error: " + err.Error())
		}
		return d
	}}
	brPool = sync.Pool{New: func() any { return new(brotli.Reader) }}
)

func (l *layer) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if !l.begun {
		l.begun = true
		if l.err = l.begin(); l.err != nil {
			return 0, l.err
		}
	}
	n, err := l.r.Read(p)
	if err != nil {
		l.err = err
	}
	return n, err
}

func (l *layer) close() {
	if l.free != nil {
		l.free()
		l.free = nil
	}
	if l.br != nil {
		l.br.Reset(nil)
		bufPool.Put(l.br)
		l.br = nil
	}
	l.r, l.err = nil, errors.New("read of a closed decoder")
}

func (l *layer) begin() error {
	l.br = bufPool.Get().(*bufio.Reader)
	l.br.Reset(l.in)
	// No content is sent as no bytes by many.
	head, err := l.br.Peek(2)
	if len(head) == 0 {
		return err
	}
	switch l.name {
	case "br":
		d := brPool.Get().(*brotli.Reader)
		if err := d.Reset(l.br); err != nil {
			return err
		}
		l.r, l.free = d, func() { _ = d.Reset(nil); brPool.Put(d) }
		return nil
	case "zstd":
		d := zstdPool.Get().(*zstd.Decoder)
		if err := d.Reset(l.br); err != nil {
			return err
		}
		l.r, l.free = d, func() { _ = d.Reset(nil); zstdPool.Put(d) }
		return nil
	}
	switch {
	case len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b && l.name != "deflateraw":
		return l.gzip()
	case l.isZlib(head):
		z, err := zlib.NewReader(l.br)
		l.r = z
		return err
	case l.name == "gzip":
		return gzip.ErrHeader
	}
	l.r = flate.NewReader(l.br)
	return nil
}

// isZlib tells whether what comes is a zlib stream rather than raw deflate, of which one
// in a thousand begins as a zlib header does.
func (l *layer) isZlib(head []byte) bool {
	if len(head) < 2 || head[0]&0x0f != 8 || head[0]>>4 > 7 || (uint(head[0])<<8|uint(head[1]))%31 != 0 || head[1]&0x20 != 0 {
		return false
	}
	b, _ := l.br.Peek(4 << 10)
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(z, 64<<10))
	var corrupt flate.CorruptInputError
	return !errors.As(err, &corrupt)
}

func (l *layer) gzip() error {
	d := gzipPool.Get().(*gzip.Reader)
	if err := d.Reset(l.br); err != nil {
		return unexpected(err)
	}
	d.Multistream(false)
	l.r, l.free = &members{d, l.br}, func() { gzipPool.Put(d) }
	return nil
}

// members reads one gzip member after the other; what follows and is none is ignored, as
// gzip(1) and browsers do.
type members struct {
	d  *gzip.Reader
	br *bufio.Reader
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.d.Read(p)
		switch {
		case err != io.EOF:
			return n, err
		case n > 0:
			return n, nil
		}
		head, err := m.br.Peek(2)
		if err != nil && err != io.EOF {
			return 0, err
		}
		if len(head) < 2 || head[0] != 0x1f || head[1] != 0x8b {
			return 0, io.EOF
		}
		if err := m.d.Reset(m.br); err != nil {
			return 0, unexpected(err)
		}
		m.d.Multistream(false)
	}
}

// unexpected makes an end within a header what it is.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

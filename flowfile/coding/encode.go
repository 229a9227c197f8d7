package coding

import (
	"bytes"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// resetWriter is what the encoders have in common.
type resetWriter interface {
	io.WriteCloser
	Reset(io.Writer)
}

// encoders by canonical name, the fastest level of each. Their output depends on their
// input alone.
var encoders = map[string]*sync.Pool{
	"gzip": {New: func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		return w
	}},
	"deflate": {New: func() any {
		w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
		return w
	}},
	"deflateraw": {New: func() any {
		w, _ := flate.NewWriter(nil, flate.BestSpeed)
		return w
	}},
	"br": {New: func() any { return brotli.NewWriterLevel(nil, brotli.BestSpeed) }},
	"zstd": {New: func() any {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
		if err != nil {
			panic("coding: internal error: " + err.Error())
		}
		return w
	}},
}

// Encode applies the content-codings of encoding to b, in their order. The same content
// always gives the same bytes. Where nothing is to be done it returns b itself.
func Encode(b []byte, encoding string) ([]byte, error) {
	names, err := split(encoding)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if b, err = encode(b, name); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func encode(b []byte, name string) ([]byte, error) {
	pool := encoders[name]
	w := pool.Get().(resetWriter)
	var buf bytes.Buffer
	w.Reset(&buf)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	pool.Put(w)
	return buf.Bytes(), nil
}

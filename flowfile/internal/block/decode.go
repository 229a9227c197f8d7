package block

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// slack is how much longer than its content the memory of a decoded segment is. Without
// it, the decoder ends every segment in its slow loop.
const slack = 16

// decoder decodes segments. It is made once by a Reader and shared by its blocks; it is
// safe for concurrent use.
type decoder struct {
	counters
	once sync.Once
	zstd *zstd.Decoder
	bufs sync.Pool // *[]byte, for compressed bytes on their way
}

var errSegmentCRC = errors.New("checksum of the segment does not match")

func (d *decoder) get() *zstd.Decoder {
	d.once.Do(func() {
		dec, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
			zstd.WithDecoderMaxMemory(maxSegment),
			zstd.WithDecoderMaxWindow(maxWindow),
			zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderLowmem(true),
			zstd.IgnoreChecksum(true)) // the CRC32C was checked
		if err != nil {
			panic("block: internal error: " + err.Error())
		}
		d.zstd = dec
	})
	return d.zstd
}

// segment decodes the segment s from its bytes in the file into fresh memory.
func (d *decoder) segment(s Segment, comp []byte) ([]byte, error) {
	if err := checkSegment(s, comp); err != nil {
		return nil, err
	}
	raw, err := d.get().DecodeAll(comp, make([]byte, 0, s.Raw+slack))
	if err != nil {
		return nil, fmt.Errorf("decompress segment: %w", err)
	}
	if len(raw) != s.Raw {
		return nil, fmt.Errorf("segment of %d bytes; the header says %d", len(raw), s.Raw)
	}
	return raw, nil
}

// checkSegment checks everything about a segment that needs no decompression.
func checkSegment(s Segment, comp []byte) error {
	if len(comp) != s.Comp {
		return fmt.Errorf("%w: the segment has %d of %d bytes", ErrCut, len(comp), s.Comp)
	}
	if castagnoli(comp) != s.CRC {
		return errSegmentCRC
	}
	if s.Flags&segSkippable != 0 {
		return errors.New("skippable frame where a zstd frame belongs")
	}
	return checkFrame(comp, s.Raw)
}

// buf returns a buffer of n bytes; done gives it back.
func (d *decoder) buf(n int) *[]byte {
	p, _ := d.bufs.Get().(*[]byte)
	if p == nil {
		p = new([]byte)
	}
	if cap(*p) < n {
		*p = make([]byte, n)
	}
	*p = (*p)[:n]
	return p
}

func (d *decoder) done(p *[]byte) { d.bufs.Put(p) }

package block

import (
	"math/bits"
	"runtime"

	"github.com/klauspost/compress/zstd"
)

// Level is how hard a Writer compresses.
type Level int

// The levels. Fastest is for live capture; Best takes eight times the time of Default for
// four percent.
const (
	LevelDefault Level = iota
	LevelFastest
	LevelBetter
	LevelBest
)

func (l Level) zstd() zstd.EncoderLevel {
	switch l {
	case LevelFastest:
		return zstd.SpeedFastest
	case LevelBetter:
		return zstd.SpeedBetterCompression
	case LevelBest:
		return zstd.SpeedBestCompression
	}
	return zstd.SpeedDefault
}

// WriterOptions are the options of a Writer. The zero value is the default.
type WriterOptions struct {
	Level       Level
	BlockSize   int    // bytes of records and contents after which a block closes; 0: 4 MiB
	SegmentSize int    // bytes of a body segment; 0: 1 MiB
	MaxEntries  int    // entries of a block; 0: 4096
	Workers     int    // compressing goroutines; 0: GOMAXPROCS, at most 8; 1: the caller's own
	NoIndex     bool   // Close writes no index block
	Session     uint64 // 0: random; the upper 8 bits are not used
}

const (
	defaultBlock   = 4 << 20
	defaultSegment = 1 << 20
	defaultEntries = 4096
	maxBlock       = 32 << 20
	minSegmentSize = 1 << 10
	maxWorkers     = 8 // of the default; each holds a block and an encoder
	maxBestWorkers = 2 // of LevelBest, whose encoder takes 40 MB
)

// withDefaults fills what is zero and clamps what is out of range.
func (o WriterOptions) withDefaults() WriterOptions {
	o.BlockSize = clamp(o.BlockSize, defaultBlock, 1, maxBlock)
	o.SegmentSize = clamp(o.SegmentSize, defaultSegment, minSegmentSize, maxSegment)
	o.MaxEntries = clamp(o.MaxEntries, defaultEntries, 1, maxEntries)
	if o.Workers <= 0 {
		o.Workers = min(runtime.GOMAXPROCS(0), maxWorkers)
		if o.Level == LevelBest {
			o.Workers = min(o.Workers, maxBestWorkers)
		}
	}
	return o
}

// window returns the zstd window: the segment size, rounded up to a power of two. A bigger
// one would cost memory and find nothing.
func (o WriterOptions) window() int {
	return max(1<<bits.Len(uint(o.SegmentSize-1)), zstd.MinWindowSize)
}

func clamp(n, zero, low, high int) int {
	if n == 0 {
		return zero
	}
	return min(max(n, low), high)
}

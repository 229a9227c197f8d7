package block

// Limits of the format. They are part of the specification: a reader refuses what exceeds
// them before it allocates anything, a writer stays inside.
const (
	maxHeader    = 64 << 10 // bytes of a block header
	maxPayload   = 64 << 20 // bytes of all segments of a block, compressed
	maxSegment   = 8 << 20  // bytes of a segment, decompressed
	maxWindow    = 8 << 20  // zstd window of a segment
	maxEntries   = 1 << 16  // entries of a block: the index counts them in 16 bits
	minEntry     = 4        // bytes of the smallest entry: two array headers, a length, an empty map
	smallContent = 256      // a frame of less content may leave out its size
)

// maxCompressed returns the most bytes that a segment of raw bytes may take. Half as much
// again is what the reframing of a segment full of sync markers costs at worst (3 bytes for
// each 8).
func maxCompressed(raw int64) int64 { return raw + raw/2 + 1024 }

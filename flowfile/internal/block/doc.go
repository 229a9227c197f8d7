// Package block turns entries into the blocks of a flow file and back. FORMAT.md is the
// specification; this is the picture:
//
//	file    = block*
//	block   = header . records segment . body segment*
//
//	          ┌──────────────────────────────┐
//	header    │ zstd skippable frame:        │  sync marker, lengths, times, checksum,
//	          │ 88 bytes + 20 a segment      │  one table entry for each segment
//	          ├──────────────────────────────┤
//	records   │ zstd frame of entries        │  [refs, record] [refs, record] …
//	          ├──────────────────────────────┤
//	bodies    │ zstd frames of chunks        │  [rec, part, off, bin] …
//	          └──────────────────────────────┘
//
// Writing:
//
//	Entry, Part     what is written: a record, and the contents that belong to it
//	Writer          collects entries to blocks, compresses and writes them in order
//	OpenAppend      a Writer behind what a file already holds
//
// Reading:
//
//	Reader          goes from block to block of a file or a stream, past damage
//	Block           one block; decodes its segments when asked, in any goroutine
//	Entries, Ref    the entries of a block, and where their contents stand
//	Index           which block holds which flow; from the file, or made anew
//	DamageError     one damaged place: what, where, how much
//	CheckIndex, RebuildIndex   whether an index is right, and a new one behind the end
//
// In the files: header, frame (bytes of one block); entry, builder, dedupe, encode, workers,
// output (writing); source, walker, search, sequence, tail (finding blocks); block, entries,
// decode (what is in them); indexwrite, indexread, index; append, lock; salvage (what
// is left in damaged blocks).
//
// The package knows nothing of HTTP: a record is a msgpack map that it never looks into,
// part numbers and flags are passed through.
package block

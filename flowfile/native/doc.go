// Package native reads and writes flowkit's own files (flowfile/FORMAT.md): it puts
// records into blocks, and flows together from the records of a session.
//
// The blocks are flowfile/internal/block, the records flowfile/internal/wire.
//
//	Writer    a flowfile.Sink
//	Recorder  writes flows while they happen, from many goroutines
//	Reader    a flowfile.Source: decodes blocks in parallel, assembles in order
//	Salvage   makes a Reader take what is left out of damaged blocks, and counts
//	Whole     checks a file; whole files can be joined byte by byte
//	OpenAppend goes on behind the last valid block of a file
//
// A flow that is complete in one record is decoded in the block that was read just now. One
// that is open is assembled: what it keeps of a block is a place in the file, or on a pipe a
// place in a spool, so that a conversation of days holds nothing in memory but its head.
package native

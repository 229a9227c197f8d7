// Package native reads and writes flowkit's own files (flowfile/FORMAT.md): it puts
// records into blocks, and flows together from the records of a session.
//
// The blocks are flowfile/internal/block, the records flowfile/internal/wire.
//
//	Writer    a flowfile.Sink
//	Reader    a flowfile.Source: decodes blocks in parallel, assembles in order
//	Copy      copies blocks as they are, verified and never compressed again
//	OpenAppend goes on behind the last valid block of a file
package native

// Package formats is the table of formats and the way in: it opens files, pipes and
// compressed input of any format, by content and never by name.
//
//	Formats   the table
//	Open      one input
//	Files     many inputs, one behind the other, as one flowfile.Source
//	Create    a sink for an output
package formats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"flowkit/flowfile"
	"flowkit/flowfile/har"
	"flowkit/flowfile/jsonl"
	"flowkit/flowfile/mitm"
	"flowkit/flowfile/native"
)

// ReadOptions are what every reader is told.
type ReadOptions struct {
	Name    string        // for errors
	Need    flowfile.Need // what will be asked of the flows
	Workers int           // decoding goroutines, where there are some; 0: one per processor
	TempDir string        // for what cannot be read again; "": the system's
	// Follow has files read on as they grow, until it is closed; nil: they are read to their end. See Files.
	Follow   <-chan struct{}
	follower *follower
	// Notice, if it is set, is told of what is read as well as can be; nothing is lost by it.
	Notice func(string)
}

// WriteOptions are what every writer is told.
type WriteOptions struct {
	Level       native.Level // native files
	Workers     int          // native files
	MitmVersion int          // mitmproxy dumps; 0: see mitm.WriterOptions
	TempDir     string
	Creator     string // name and version of the program
	Pretty      bool   // HAR
	// OnDamage is told of what could not be written whole.
	OnDamage func(*flowfile.Damage)
}

// Format is one row of the table.
type Format struct {
	Name       string
	Title      string
	Extensions []string
	// Sniff tells from the first bytes (up to SniffLen) whether they are the format's.
	Sniff func(head []byte) bool
	// Find tells whether flows of the format begin somewhere in the first SearchLen bytes, of
	// which the very first are damaged; nil: that is not looked for.
	Find func(b []byte) bool
	// Read is nil for a format that can only be written.
	Read func(r io.Reader, o ReadOptions) flowfile.Source
	// Write is nil for a format that can only be read.
	Write func(w io.Writer, o WriteOptions) flowfile.Sink
	// Binary output is kept from terminals.
	Binary bool
}

// SniffLen is how many bytes are looked at.
const SniffLen = 512

// Formats returns the table, in the order in which formats are sniffed.
func Formats() []Format {
	return []Format{
		{
			Name: "flow", Title: "flowkit's own", Extensions: []string{".flow"}, Binary: true,
			Sniff: func(h []byte) bool {
				return len(h) >= 16 && string(h[:4]) == "\x5f\x2a\x4d\x18" && string(h[8:16]) == "\x89FLOW\r\n\x1a"
			},
			Read: func(r io.Reader, o ReadOptions) flowfile.Source {
				return native.NewReader(r, native.ReaderOptions{Name: o.Name, Need: o.Need, Workers: o.Workers, TempDir: o.TempDir})
			},
			Write: func(w io.Writer, o WriteOptions) flowfile.Sink {
				return native.NewWriter(w, native.WriterOptions{
					Level: o.Level, Workers: o.Workers, Creator: o.Creator, OnDamage: o.OnDamage,
				})
			},
		},
		{
			Name: "mitm", Title: "mitmproxy dump", Extensions: []string{".mitm", ".mitmproxy", ".dump"}, Binary: true,
			Sniff: mitm.Sniff, Find: mitm.Find,
			Read: func(r io.Reader, o ReadOptions) flowfile.Source {
				return mitm.NewReader(r, mitm.ReaderOptions{Name: o.Name, Need: o.Need, Spool: spool(o.TempDir), Notice: o.Notice})
			},
			Write: func(w io.Writer, o WriteOptions) flowfile.Sink {
				return mitm.NewWriter(w, mitm.WriterOptions{Version: o.MitmVersion, Spool: spool(o.TempDir)})
			},
		},
		{
			Name: "har", Title: "HTTP archive", Extensions: []string{".har"},
			Sniff: har.Sniff,
			Read: func(r io.Reader, o ReadOptions) flowfile.Source {
				return har.NewReader(r, har.ReaderOptions{Name: o.Name, Need: o.Need, Spool: spool(o.TempDir)})
			},
			Write: func(w io.Writer, o WriteOptions) flowfile.Sink {
				return har.NewWriter(w, har.Options{Pretty: o.Pretty, Version: o.Creator, OnDamage: o.OnDamage})
			},
		},
		{
			Name: "jsonl", Title: "JSON lines", Extensions: []string{".jsonl", ".ndjson"},
			Sniff: jsonl.Sniff,
			Read: func(r io.Reader, o ReadOptions) flowfile.Source {
				return jsonl.NewReader(r, jsonl.Options{Name: o.Name, Need: o.Need, Spool: spool(o.TempDir)})
			},
			Write: func(w io.Writer, o WriteOptions) flowfile.Sink {
				return jsonl.NewWriter(w, jsonl.Options{OnDamage: o.OnDamage})
			},
		},
	}
}

func spool(dir string) *flowfile.Spool { return &flowfile.Spool{Dir: dir} }

// ByName returns the format of that name.
func ByName(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("no format %q; there are %s", name, strings.Join(names, ", "))
}

// ByExtension returns the format that files of that name are written in.
func ByExtension(path string) (Format, bool) {
	ext := strings.ToLower(filepath.Ext(path))
	for _, f := range Formats() {
		for _, e := range f.Extensions {
			if e == ext {
				return f, true
			}
		}
	}
	return Format{}, false
}

// ErrUnknown is returned for an input that is of no known format.
var ErrUnknown = errors.New("unknown format")

// errOf describes an input that nobody wants.
func errOf(name string, head []byte) error {
	what := fmt.Sprintf("it begins with %q", head[:min(len(head), 16)])
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		what = "it is a ZIP archive: unpack it first"
	case bytes.HasPrefix(head, []byte("\xd4\xc3\xb2\xa1")), bytes.HasPrefix(head, []byte("\x0a\x0d\x0d\x0a")):
		what = "it is a packet capture: flowkit reads flows, not packets"
	}
	return fmt.Errorf("%s: %w: %s; flowkit reads its own files, mitmproxy dumps, HARs and JSON lines, also compressed by gzip, zlib or zstd",
		name, ErrUnknown, what)
}

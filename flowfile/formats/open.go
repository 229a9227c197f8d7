package formats

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile"
)

// Input is an opened input.
type Input struct {
	flowfile.Source
	Format      Format
	Compression string // "", "gzip", "zlib" or "zstd"
	File        *os.File
	closers     []io.Closer
	follower    *follower // nil: the file is read to its end
}

// Open opens the file of a path and tells its format by its content. An empty file has no
// flows.
func Open(path string, o ReadOptions) (*Input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = path
	}
	in, err := OpenFile(f, o)
	if err != nil {
		f.Close()
		return nil, err
	}
	// Flows that were delivered read their bodies from the file after the source is closed;
	// it is closed by the garbage collector, with the last of them.
	if fi, err := f.Stat(); err == nil && !fi.Mode().IsRegular() {
		in.closers = append(in.closers, f)
	}
	return in, nil
}

// OpenFile is Open for a file that is open already, such as standard input. Closing the
// input leaves the file open.
func OpenFile(f *os.File, o ReadOptions) (*Input, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if fi.IsDir() {
		return nil, fmt.Errorf("%s: is a folder; name the files in it", o.Name)
	}
	in := &Input{File: f}
	if o.follower != nil && fi.Mode().IsRegular() {
		in.follower = o.follower
		in.follower.f = f
		r, head, err := peek(in.follower)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
		return in, in.detect(r, head, o)
	}
	var r io.Reader = f
	var head []byte
	at, seekErr := f.Seek(0, io.SeekCurrent)
	if fi.Mode().IsRegular() && seekErr == nil && at == 0 {
		head = make([]byte, SniffLen)
		n, err := f.ReadAt(head, 0)
		if err != nil && err != io.EOF {
			return nil, err
		}
		head = head[:n]
	} else if r, head, err = peek(f); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return in, in.detect(r, head, o)
}

// peek returns the first bytes of r and a reader that still has them. It waits for no
// more than the first piece that r gives, but for a whole native header.
func peek(r io.Reader) (io.Reader, []byte, error) {
	head := make([]byte, SniffLen)
	n, err := io.ReadAtLeast(r, head, 16)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, nil, err
	}
	head = head[:n]
	return io.MultiReader(bytes.NewReader(head), r), head, nil
}

// detect finds the format of r, which begins with head, below compression.
func (in *Input) detect(r io.Reader, head []byte, o ReadOptions) error {
	if len(head) == 0 {
		in.Source = empty{}
		in.Format = Formats()[0]
		return nil
	}
	for _, f := range Formats() {
		if !f.Sniff(head) {
			continue
		}
		if f.Read == nil {
			return fmt.Errorf("%s: %s files can only be written, not read, by this version of flowkit", o.Name, f.Title)
		}
		in.Format = f
		in.Source = f.Read(r, o)
		return nil
	}
	if in.Compression != "" {
		if in.search(r, o) {
			return nil
		}
		return errOf(o.Name+" ("+in.Compression+")", head)
	}
	packed := &counter{r: r}
	plain, name, err := decompress(packed, head)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Name, err)
	}
	if plain == nil {
		if in.search(r, o) {
			return nil
		}
		return errOf(o.Name, head)
	}
	in.Compression = name
	in.closers = append(in.closers, plain)
	pr, phead, err := peek(plain)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", o.Name, name, err)
	}
	if err := in.detect(pr, phead, o); err != nil {
		return err
	}
	in.Source = &unpacked{Source: in.Source, name: o.Name, how: name, packed: packed, size: size(in.File)}
	return nil
}

// unpacked is the source of a compressed input. That the compressed data are cut short or
// damaged costs the flows behind that place alone.
type unpacked struct {
	flowfile.Source
	name, how string
	packed    *counter
	size      int64
	ended     bool
}

func (u *unpacked) Next() (*flowfile.Batch, error) {
	if u.ended {
		return nil, io.EOF
	}
	b, err := u.Source.Next()
	if err == nil || err == io.EOF || errors.As(err, new(*flowfile.Damage)) {
		return b, err
	}
	u.ended = true
	d := &flowfile.Damage{File: u.name, Offset: -1, Length: -1, Flows: -1, Torn: errors.Is(err, io.ErrUnexpectedEOF)}
	d.Err = fmt.Errorf("the %s data cannot be unpacked further: %w", u.how, err)
	if d.Torn {
		d.Err = fmt.Errorf("the %s data are cut short", u.how)
	}
	return nil, d
}

// Progress counts what was read of the file, not what it unpacks to.
func (u *unpacked) Progress() (done, total int64) { return u.packed.n.Load(), u.size }

// counter counts what is read.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// size returns the size of a regular file, 0 of anything else.
func size(f *os.File) int64 {
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return 0
	}
	return fi.Size()
}

// decompress returns nil if head is not compressed.
func decompress(r io.Reader, head []byte) (io.ReadCloser, string, error) {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 64<<10))
		if err != nil {
			return nil, "", err
		}
		return z, "gzip", nil
	case len(head) > 1 && head[0] == 0x78 && head[1]&0x20 == 0 && (uint(head[0])<<8|uint(head[1]))%31 == 0: // .zhar
		z, err := zlib.NewReader(bufio.NewReaderSize(r, 64<<10))
		if err != nil {
			return nil, "", err
		}
		return z, "zlib", nil
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, "", err
		}
		return z.IOReadCloser(), "zstd", nil
	}
	return nil, "", nil
}

// Close closes the source and what Open opened.
func (in *Input) Close() error {
	for _, c := range in.closers {
		defer c.Close() // of an unpacker, only tells again what the source was told
	}
	return in.Source.Close()
}

// Progress returns the source's progress, if it knows one.
func (in *Input) Progress() (done, total int64) {
	if p, ok := in.Source.(flowfile.Progress); ok {
		return p.Progress()
	}
	return 0, 0
}

type empty struct{}

func (empty) Next() (*flowfile.Batch, error) { return nil, io.EOF }
func (empty) Close() error                   { return nil }

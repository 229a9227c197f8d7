package main

import (
	"io"
	"os"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/flowfile/formats"
	"flowkit/flowfile/native"
)

// join copies native files one behind the other, as cat(1) does, if all of them are whole:
// that is a valid file, with their indexes. It returns false, with nothing left behind, if
// one of them is no regular native file or has damage.
func (c *conversion) join() (done bool, err error) {
	ins := c.joinable()
	if ins == nil {
		return false, nil
	}
	defer func() {
		for _, f := range ins {
			f.Close()
		}
	}()
	if c.direct() {
		// What was written cannot be taken back: look first.
		for _, f := range ins {
			if whole, err := native.Whole(f, size64(f)); err != nil || !whole {
				return false, nil
			}
		}
	}
	out, _, err := c.open(&formats.Files{Paths: c.inputs.paths, Stdin: c.streams.In})
	if err != nil {
		return true, err
	}
	stop := onInterrupt(c.streams, false, out)
	defer stop.end()
	for _, f := range ins {
		if stop.hit.Load() {
			break
		}
		whole, err := copyWhole(out, f)
		if err != nil || !whole {
			out.Discard()
		}
		switch {
		case err != nil:
			return true, c.failed(err)
		case !whole:
			return false, nil
		}
	}
	if err := out.Commit(); err != nil {
		return true, c.failed(err)
	}
	if stop.hit.Load() {
		return true, cli.Quiet(cli.Stopped)
	}
	return true, nil
}

// copyWhole copies f to the end of out, the kernel's own way where it has one, while it is
// checked beside.
func copyWhole(out *output.Output, f *os.File) (whole bool, err error) {
	size := size64(f)
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(out.File(), io.LimitReader(f, size))
		copied <- err
	}()
	whole, err = native.Whole(f, size)
	if cerr := <-copied; cerr != nil {
		return false, cerr
	}
	return whole, err
}

// direct tells whether the output is written under its name from the first byte on.
func (c *conversion) direct() bool {
	if c.write == "" || c.write == "-" {
		return true
	}
	fi, err := os.Stat(c.write)
	return err == nil && !fi.Mode().IsRegular()
}

// joinable opens the inputs, nil if they cannot be joined as they are.
func (c *conversion) joinable() []*os.File {
	if c.format.Name != "flow" || c.append || len(c.inputs.paths) == 0 || !c.sameLevel {
		return nil
	}
	var ins []*os.File
	for _, p := range c.inputs.paths {
		f := c.openNative(p)
		if f == nil {
			for _, f := range ins {
				f.Close()
			}
			return nil // the other way says what is wrong, if anything is
		}
		ins = append(ins, f)
	}
	return ins
}

// openNative opens a regular native file, nil if it is none. What is no regular file is
// not touched: the writer of a pipe would see it open and close.
func (c *conversion) openNative(path string) *os.File {
	if fi, err := os.Stat(path); path == "-" || err != nil || !fi.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	head := make([]byte, formats.SniffLen)
	n, _ := f.ReadAt(head, 0)
	if !c.format.Sniff(head[:n]) {
		f.Close()
		return nil
	}
	return f
}

// size64 returns the size of a regular file, 0 for anything else.
func size64(f *os.File) int64 {
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return 0
	}
	return fi.Size()
}

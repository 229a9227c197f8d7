package main

import (
	"os"

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
	out, _, err := c.open(&formats.Files{Paths: c.inputs.paths, Stdin: c.streams.In})
	if err != nil {
		return true, err
	}
	if out.Temp() == "" {
		// What was written cannot be taken back: look first.
		for _, f := range ins {
			if whole, err := native.Whole(f, size64(f)); err != nil || !whole {
				out.Discard()
				return false, nil
			}
		}
	}
	for _, f := range ins {
		whole, err := native.CopyWhole(out, f, size64(f))
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
	return true, nil
}

// joinable opens the inputs, nil if they cannot be joined as they are.
func (c *conversion) joinable() []*os.File {
	if c.format.Name != "flow" || c.append || len(c.inputs.paths) == 0 || !c.sameLevel {
		return nil
	}
	var ins []*os.File
	for _, p := range c.inputs.paths {
		f, err := os.Open(p)
		ok := err == nil && p != "-" && size64(f) > 0
		if ok {
			head := make([]byte, formats.SniffLen)
			n, _ := f.ReadAt(head, 0)
			ok = c.format.Sniff(head[:n])
		}
		if !ok {
			f.Close()
			for _, f := range ins {
				f.Close()
			}
			return nil // the other way says what is wrong, if anything is
		}
		ins = append(ins, f)
	}
	return ins
}

// size64 returns the size of a regular file, 0 for anything else.
func size64(f *os.File) int64 {
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return 0
	}
	return fi.Size()
}

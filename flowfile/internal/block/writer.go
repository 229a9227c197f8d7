package block

import (
	"errors"
	"io"
	"os"
)

// Writer writes entries as blocks. Its methods must not be called concurrently.
//
// After an error of the underlying writer nothing more is written: whatever was written in
// part is cut off again if the Writer opened the file itself (OpenAppend), and every later
// call returns the error. To go on behind a partial block would hide what follows from a
// reader. Only Retry goes on, in a file that the Writer opened.
type Writer struct {
	o       WriterOptions
	b       *builder
	out     *output
	workers *workers
	file    *os.File // of OpenAppend: locked, and closed by Close
	closed  bool
}

// ErrClosed is returned by the methods of a closed Writer.
var ErrClosed = errors.New("flow file writer is closed")

// NewWriter returns a Writer that writes a new session to w, which stays the caller's to
// close. Each block is one call of w.Write.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	o = o.withDefaults()
	out := newOutput(w, o)
	b := newBuilder(o)
	return &Writer{o: o, b: b, out: out, workers: newWorkers(o, out, b.spare)}
}

// Add adds an entry to the open block, and closes the block before or after it as sizes
// demand. It copies what it keeps, shared entries excepted. An entry that is refused
// (ErrBadEntry, ErrTooLarge, or because nothing can be written any more) leaves no trace.
func (w *Writer) Add(e *Entry) error {
	if err := w.usable(); err != nil {
		return err
	}
	var n need
	if err := n.measure(e, 0); err != nil {
		return err
	}
	if w.b.full() || !w.b.fits(n) {
		w.closeBlock()
		if err := w.out.failed(); err != nil {
			return err
		}
	}
	w.b.add(e)
	return nil
}

// closeBlock hands the open block, if it has entries, to a worker.
func (w *Writer) closeBlock() {
	if w.b.raw.n == 0 {
		return
	}
	w.workers.do(w.b.raw)
	w.b.reset()
}

// Flush closes the open block and returns when everything added so far is handed to the
// underlying writer.
func (w *Writer) Flush() error {
	if err := w.usable(); err != nil {
		return err
	}
	w.closeBlock()
	w.workers.wait()
	return w.out.failed()
}

// Retry goes on behind an error: it writes the blocks that the error kept from being written.
// It returns the error that stands in the way now: the one before, if the Writer did not open
// the file itself.
func (w *Writer) Retry() error {
	if w.closed {
		return ErrClosed
	}
	w.workers.wait()
	if w.file != nil {
		w.out.retry()
	}
	return w.out.failed()
}

// CanRetry tells whether Retry is of use.
func (w *Writer) CanRetry() bool { return w.file != nil }

// Unwritten returns how many flows begin in what was added and is not written.
func (w *Writer) Unwritten() int {
	w.workers.wait()
	return w.out.unwritten() + w.b.raw.flows
}

// Written returns how many bytes were written. Unlike other methods it may be called beside
// them.
func (w *Writer) Written() int64 { return w.out.written() }

// Sync is Flush, and for a file that the Writer opened an fsync besides.
func (w *Writer) Sync() error {
	if err := w.Flush(); err != nil || w.file == nil {
		return err
	}
	return w.file.Sync()
}

// CopyBlock flushes and then appends the block as it stands in its file, after checking
// all its segments. Nothing is recompressed. Flow ids of copied blocks are not in the index.
func (w *Writer) CopyBlock(b *Block) error {
	if err := w.Flush(); err != nil {
		return err
	}
	buf, err := b.Verbatim(nil)
	if err != nil {
		return err
	}
	if hasSync(buf[offSync+1:]) { // of a writer that did not keep the rule
		return b.damage(0, errors.New("sync marker inside a segment"))
	}
	w.out.copyBlock(&b.Header, buf)
	return w.out.failed()
}

// Close flushes, writes the index block, and syncs and closes the file if the Writer
// opened it. A second Close does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	err := w.Flush()
	if err == nil {
		w.out.writeIndex()
		err = w.out.failed()
	}
	w.closed = true
	if w.file == nil {
		return err
	}
	if err == nil {
		err = w.file.Sync()
	}
	return errors.Join(err, w.file.Close())
}

func (w *Writer) usable() error {
	if w.closed {
		return ErrClosed
	}
	return w.out.failed()
}

package native

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync/atomic"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/block"
)

// ReaderOptions change how a Reader reads; the zero value reads heads.
type ReaderOptions struct {
	Name    string        // for errors
	Need    flowfile.Need // what will be asked of the flows; what is not needed is not touched
	Workers int           // decoding goroutines; 0: one per processor, 1: none but the caller's
	TempDir string        // for what cannot be read again; "": the system's
}

// Reader reads native files. It implements flowfile.Source and flowfile.Progress.
type Reader struct {
	o      ReaderOptions
	blocks *block.Reader
	pipe   bool
	size   int64
	read   atomic.Int64
	asm    assembly
	dec    *decoder // without workers
	ahead  chan *job
	quit   chan struct{}
	ready  []ready
	end    error
}

var (
	_ flowfile.Source   = (*Reader)(nil)
	_ flowfile.Progress = (*Reader)(nil)
)

// ready is a flow or an error that waits to be delivered.
type ready struct {
	flow  *flowfile.Flow
	bytes int64
	err   error
}

// job is a block on its way through a worker.
type job struct {
	block *block.Block
	out   *decoded
	err   error
	done  chan struct{}
}

// NewReader returns a reader of r. A regular file is read where it is needed, anything
// else from its beginning to its end.
func NewReader(r io.Reader, o ReaderOptions) *Reader {
	pipe := true
	var size int64
	switch f := r.(type) {
	case *os.File:
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			pipe, size = false, fi.Size()
		}
	case interface {
		io.ReaderAt
		Size() int64
	}:
		pipe, size = false, f.Size()
	}
	rd := &Reader{
		o: o, pipe: pipe, size: size,
		blocks: block.NewReader(r, block.ReaderOptions{SkipBodies: o.Need&flowfile.NeedBodies == 0}),
	}
	rd.asm = assembly{file: o.Name, pipe: pipe, tmp: o.TempDir, heads: o.Need&flowfile.NeedBodies == 0}
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if workers == 1 {
		rd.dec = rd.newDecoder()
		return rd
	}
	rd.start(workers)
	return rd
}

func (r *Reader) newDecoder() *decoder {
	return &decoder{need: r.o.Need, file: r.o.Name, pipe: r.pipe}
}

// start lets workers decode blocks ahead, a few of them at most.
func (r *Reader) start(workers int) {
	r.ahead = make(chan *job, workers+1)
	r.quit = make(chan struct{})
	work := make(chan *job)
	go func() {
		defer close(r.ahead)
		defer close(work)
		for {
			j := &job{done: make(chan struct{})}
			j.block, j.err = r.blocks.Next()
			select {
			case r.ahead <- j:
			case <-r.quit:
				return
			}
			if j.err != nil {
				close(j.done)
				var d *block.DamageError
				if !errors.As(j.err, &d) {
					return
				}
				continue
			}
			select {
			case work <- j:
			case <-r.quit:
				return
			}
		}
	}()
	for range workers {
		go func() {
			dec := r.newDecoder()
			for j := range work {
				j.out = dec.block(j.block)
				close(j.done)
			}
		}()
	}
}

// Next returns the next flows; see flowfile.Source.
func (r *Reader) Next() (*flowfile.Batch, error) {
	for len(r.ready) == 0 {
		if r.end != nil {
			return nil, r.end
		}
		r.fill()
	}
	if err := r.ready[0].err; err != nil {
		r.ready = r.ready[1:]
		return nil, err
	}
	b := &flowfile.Batch{}
	bytes := int64(0)
	for len(r.ready) > 0 && r.ready[0].err == nil && len(b.Flows) < flowfile.BatchFlows && bytes < flowfile.BatchBytes {
		b.Flows = append(b.Flows, r.ready[0].flow)
		bytes += r.ready[0].bytes
		r.ready = r.ready[1:]
	}
	return b, nil
}

// fill takes the next block.
func (r *Reader) fill() {
	b, out, err := r.block()
	emit := func(f *flowfile.Flow, n int64, err error) { r.ready = append(r.ready, ready{f, n, err}) }
	if len(r.ready) == 0 {
		r.ready = nil // the old array holds flows that were delivered
	}
	var d *block.DamageError
	switch {
	case errors.As(err, &d):
		emit(nil, 0, damage(r.o.Name, err))
		return
	case err != nil:
		r.asm.flush(emit)
		r.end = err
		return
	}
	r.read.Store(b.Offset + b.Len())
	r.asm.block(out, emit)
	if out.err != nil {
		emit(nil, 0, out.err)
	}
}

func (r *Reader) block() (*block.Block, *decoded, error) {
	if r.dec != nil {
		b, err := r.blocks.Next()
		if err != nil {
			return nil, nil, err
		}
		return b, r.dec.block(b), nil
	}
	j, ok := <-r.ahead
	if !ok {
		return nil, nil, io.EOF
	}
	<-j.done
	return j.block, j.out, j.err
}

// Progress returns the bytes read and the size of the file, 0 if it is a pipe.
func (r *Reader) Progress() (done, total int64) { return r.read.Load(), r.size }

// Stats returns what was read: a listing reads no body.
func (r *Reader) Stats() block.Stats { return r.blocks.Stats() }

// Close lets the workers go.
func (r *Reader) Close() error {
	if r.quit != nil {
		close(r.quit)
		r.quit = nil
		go func(ahead <-chan *job) {
			for range ahead { // until the reading goroutine ends
			}
		}(r.ahead)
	}
	r.end = os.ErrClosed
	return nil
}

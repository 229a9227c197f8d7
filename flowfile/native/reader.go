package native

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
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
	Salvage *Salvage      // nil: damaged blocks are passed over
}

// Reader reads native files. It implements flowfile.Source and flowfile.Progress. Close may
// be called beside Next; else it is not safe for concurrent use.
type Reader struct {
	o      ReaderOptions
	blocks *block.Reader
	pipe   bool
	size   int64
	read   atomic.Int64
	asm    assembly
	dec    *decoder // without workers
	ahead  chan *job
	under  *underway
	inHand int64         // of under, the block that was taken last
	quit   chan struct{} // closed by Close
	once   sync.Once
	ready  []ready
	held   *flowfile.Damage // of a body; what comes behind may explain it
	heldAt int64            // offset of its block
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
	size  int64
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
	blocks := block.ReaderOptions{SkipBodies: o.Need == flowfile.NeedHeads, Salvage: o.Salvage != nil}
	if o.Salvage != nil {
		blocks.Seen = o.Salvage.see
	}
	rd := &Reader{
		o: o, pipe: pipe, size: size,
		blocks: block.NewReader(r, blocks),
		quit:   make(chan struct{}),
	}
	rd.asm = assembly{file: o.Name, pipe: pipe, need: o.Need, salvage: o.Salvage, recent: new(recent), spools: spools{dir: o.TempDir}}
	workers := o.Workers
	if workers == 0 {
		workers = min(runtime.GOMAXPROCS(0), maxWorkers)
	}
	if workers == 1 {
		rd.dec = rd.newDecoder()
		return rd
	}
	rd.start(workers)
	return rd
}

// maxWorkers is how many workers are of use: then the assembly is the limit.
const maxWorkers = 16

func (r *Reader) newDecoder() *decoder {
	return &decoder{need: r.o.Need, file: r.o.Name, pipe: r.pipe, salvage: r.o.Salvage != nil}
}

// start lets workers decode blocks ahead, a few of them at most.
func (r *Reader) start(workers int) {
	r.ahead = make(chan *job, workers+1)
	r.under = newUnderway()
	work := make(chan *job)
	go func() {
		defer close(r.ahead)
		defer close(work)
		for {
			r.under.wait()
			j := &job{done: make(chan struct{})}
			j.block, j.err = r.blocks.Next()
			if j.err == nil {
				j.size = r.weight(j.block)
				r.under.add(j.size)
			}
			select {
			case r.ahead <- j:
			case <-r.quit:
				return
			}
			if j.err != nil {
				close(j.done)
				if !errors.As(j.err, new(*block.DamageError)) {
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

// weight returns about what a block takes in memory.
func (r *Reader) weight(b *block.Block) int64 {
	n := int64(b.Header.Segments[0].Raw) * 2 // and what is made of it
	kept := r.pipe && r.o.Need != flowfile.NeedHeads
	if kept {
		n += b.Len()
	}
	if kept || r.o.Need&flowfile.NeedBodies != 0 {
		n += rawSize(b)
	}
	return n
}

// underway bounds the bytes of the blocks between reading and assembly.
type underway struct {
	mu     sync.Mutex
	less   sync.Cond
	bytes  int64
	closed bool
}

const maxUnderway = 48 << 20

func newUnderway() *underway {
	u := &underway{}
	u.less.L = &u.mu
	return u
}

// wait returns when there is room for one block more, whose size is not known yet.
func (u *underway) wait() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.bytes >= maxUnderway && !u.closed {
		u.less.Wait()
	}
}

func (u *underway) add(n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes += n
}

func (u *underway) done(n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes -= n
	u.less.Signal()
}

func (u *underway) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	u.less.Broadcast()
}

// Next returns the next flows; see flowfile.Source.
func (r *Reader) Next() (*flowfile.Batch, error) {
	for len(r.ready) == 0 {
		if r.closed() {
			return nil, os.ErrClosed
		}
		if r.end != nil {
			return nil, r.end
		}
		r.fill()
	}
	if r.closed() {
		return nil, os.ErrClosed
	}
	if err := r.ready[0].err; err != nil {
		r.ready = r.ready[1:]
		if !errors.As(err, new(*flowfile.Damage)) {
			r.ready, r.end = nil, err
		}
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

func (r *Reader) closed() bool {
	select {
	case <-r.quit:
		return true
	default:
		return false
	}
}

// fill takes the next block.
func (r *Reader) fill() {
	b, out, err := r.block()
	r.ready = nil // the old array holds flows that were delivered
	emit := func(f *flowfile.Flow, n int64, err error) { r.ready = append(r.ready, ready{f, n, err}) }
	var d *block.DamageError
	isDamage := errors.As(err, &d)
	if r.held != nil {
		// A block that is cut short is one damage, not two.
		if !isDamage || d.Offset != r.heldAt || d.Kind != block.Cut && d.Kind != block.Torn {
			emit(nil, 0, r.held)
		}
		r.held = nil
	}
	switch {
	case isDamage:
		if d.Records != 0 || d.Kind == block.Cut || d.Kind == block.Torn {
			r.asm.doubt()
		}
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
	r.held, r.heldAt = out.bodies, b.Offset
}

func (r *Reader) block() (*block.Block, *decoded, error) {
	if r.dec != nil {
		b, err := r.blocks.Next()
		if err != nil {
			return nil, nil, err
		}
		return b, r.dec.block(b), nil
	}
	r.under.done(r.inHand) // it is assembled
	r.inHand = 0
	var j *job
	select {
	case j = <-r.ahead:
	case <-r.quit:
	}
	if j == nil {
		return nil, nil, os.ErrClosed
	}
	select {
	case <-j.done:
	case <-r.quit:
		return nil, nil, os.ErrClosed
	}
	r.inHand = j.size
	return j.block, j.out, j.err
}

// Progress returns the bytes read and the size of the file, 0 if it is a pipe.
func (r *Reader) Progress() (done, total int64) { return r.read.Load(), r.size }

// Stats returns what was read: a listing reads no body.
func (r *Reader) Stats() block.Stats { return r.blocks.Stats() }

// Close lets the workers go. One that waits for a pipe goes when the pipe gives something
// or is closed.
func (r *Reader) Close() error {
	r.once.Do(func() {
		close(r.quit)
		if r.under != nil {
			r.under.close()
		}
	})
	return nil
}

package block

// workers compress blocks and write them in the order they came. They are goroutines that
// live as long as their block, so a Writer that is dropped leaves nothing behind. At most
// one block more than there are workers is under way: it is the one being written.
type workers struct {
	out   *output
	slots chan struct{}  // blocks under way
	enc   chan *encoders // one for each worker
	last  chan struct{}  // closed when the newest block is written
	spare chan<- *rawBlock
	bufs  chan []byte // of blocks that were written
}

// newWorkers returns workers that give blocks they have compressed to spare.
func newWorkers(o WriterOptions, out *output, spare chan<- *rawBlock) *workers {
	w := &workers{out: out, enc: make(chan *encoders, o.Workers), spare: spare, bufs: make(chan []byte, o.Workers)}
	for range o.Workers {
		w.enc <- &encoders{o: o}
	}
	if o.Workers > 1 {
		w.slots = make(chan struct{}, o.Workers+1)
	}
	w.last = make(chan struct{})
	close(w.last)
	return w
}

// do compresses and writes a block: at once if there is one worker, else in a goroutine,
// after waiting for a free one.
func (w *workers) do(r *rawBlock) {
	if w.slots == nil {
		enc := <-w.enc
		p := enc.pack(r, w.buffer())
		w.done(r)
		w.write(p)
		w.enc <- enc
		return
	}
	w.slots <- struct{}{}
	before, written := w.last, make(chan struct{})
	w.last = written
	go func() {
		enc := <-w.enc
		p := enc.pack(r, w.buffer())
		w.done(r)
		w.enc <- enc
		<-before
		w.write(p)
		close(written)
		<-w.slots
	}()
}

// wait returns when all blocks are written.
func (w *workers) wait() { <-w.last }

// maxSpare is the longest block whose buffer is kept for the next.
const maxSpare = 2 * defaultBlock

// buffer returns memory for a block.
func (w *workers) buffer() []byte {
	select {
	case b := <-w.bufs:
		return b
	default:
		return nil
	}
}

// write writes a block, and keeps its buffer.
func (w *workers) write(p *packed) {
	if !w.out.writeData(p) || cap(p.buf) > maxSpare {
		return
	}
	select {
	case w.bufs <- p.buf[:0]:
	default:
	}
}

// done gives the buffers of a compressed block back.
func (w *workers) done(r *rawBlock) {
	select {
	case w.spare <- r:
	default:
	}
}

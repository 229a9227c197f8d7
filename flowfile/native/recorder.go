package native

import (
	"bytes"
	"sync"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/wire"
)

// RecorderOptions change how a Recorder records; the zero value is right for most.
type RecorderOptions struct {
	// FlushEvery is the longest time between the first record of a block and its way to the
	// operating system, which is what a kill can cost. 0: one second.
	FlushEvery time.Duration
	Sync       bool  // fsync at each flush, if the Writer opened the file
	Queue      int64 // bytes that wait to be written; a caller waits while they are more. 0: 64 MiB
	// OnLoss is told when recording begins to fail (Err says why) and when it goes on again
	// (Err is nil), with the totals so far. It is called on the recorder's goroutine and must
	// not call Flush or Close.
	OnLoss func(Loss)
}

// Loss is what could not be recorded.
type Loss struct {
	Flows    int64 // not recorded, or not whole
	Messages int64
	Bytes    int64 // of bodies and messages
	Err      error // why; nil: nothing is being lost, or not any more
}

// RecorderStats is what a Recorder has done so far.
type RecorderStats struct {
	Flows  int64 // taken, complete ones and open ones
	Open   int64 // of them, those that have not ended
	Bytes  int64 // written to the file
	Queued int64 // bytes that wait to be written
	Lost   Loss
}

// Recorder writes flows while they happen: whole ones, and ones that grow. It is safe for
// concurrent use. Its methods do little on the caller's goroutine: they queue what its own
// goroutine then encodes, compresses and writes.
//
// No method but Flush and Close fails, and none blocks for longer than it takes to have room
// in the queue. If the file cannot be written, traffic goes on: what is lost is counted
// (Stats, OnLoss). In a file that the Writer opened (OpenAppend) recording is tried again
// every FlushEvery, and goes on without a gap in the file; with any other writer the first
// error is final.
type Recorder struct {
	o    RecorderOptions
	rec  writing
	wake chan struct{} // there is much to write, or somebody waits for it
	due  *time.Timer   // the oldest record has waited long enough
	done chan struct{} // closed when the goroutine ends
	encs sync.Pool     // of *wire.Encoder, for callers

	mu      sync.Mutex
	room    sync.Cond
	queue   []task
	spare   []task   // the queue before, for its memory
	gen     int      // of queue: counts how often it was taken
	pending int64    // bytes in queue
	queued  int64    // bytes in queue, and of those that are being written
	armed   bool     // due runs
	flushes []flush  // that somebody waits for
	free    [][]byte // buffers for Part
	closed  bool
	err     error // of Close, when done
	stats   RecorderStats
}

type flush chan error

const (
	defaultFlush  = time.Second
	defaultQueue  = 64 << 20
	wakeBytes     = 1 << 20
	itemBytes     = 1 << 10 // about what an item takes besides bodies
	gatherMin     = 4 << 10
	gatherMax     = 256 << 10 // bytes of Parts in one record
	freeBuffers   = 16
	releaseBytes  = 256 << 10 // how often room is made in the queue
	maxConnsKnown = 256
)

// NewRecorder returns a Recorder that writes to w, which belongs to it from here on: Close
// closes it. For live capture w is best made with Level Fastest and one worker, which is then
// the recorder's own goroutine. What w.OnDamage is told of is also counted as lost.
func NewRecorder(w *Writer, o RecorderOptions) *Recorder {
	if o.FlushEvery <= 0 {
		o.FlushEvery = defaultFlush
	}
	if o.Queue <= 0 {
		o.Queue = defaultQueue
	}
	r := &Recorder{
		o: o, gen: 1, wake: make(chan struct{}, 1), done: make(chan struct{}), due: time.NewTimer(o.FlushEvery),
	}
	r.due.Stop()
	r.room.L = &r.mu
	r.rec = writing{r: r, w: w, open: make(map[*OpenFlow]struct{}), onDamage: w.o.OnDamage}
	w.o.OnDamage = r.rec.damaged
	go r.run()
	return r
}

// task is one thing to write.
type task struct {
	what   step
	part   int8  // of a part
	last   bool  // of a part: nothing of the body comes behind it
	packed bool  // of a part: squeezing it again is a waste
	weight int64 // what it counts in the queue
	flow   *flowfile.Flow
	open   *OpenFlow
	snap   *snapshot
	msg    *flowfile.Msg
	data   []byte
	end    *End
}

type step uint8

const (
	stepFlow step = iota
	stepOpen
	stepUpdate
	stepPart
	stepMessage
	stepEnd
)

// Flow records a flow that is over, with its messages. Neither the flow nor its bytes may be
// changed afterwards. A dropped flow is passed over.
func (r *Recorder) Flow(f *flowfile.Flow) {
	if f.Dropped() {
		return
	}
	r.push(task{what: stepFlow, flow: f, weight: itemBytes + bodyBytes(f) + itemBytes/8*int64(f.Messages().Len())})
}

// bodyBytes returns the bytes of bodies that are in memory.
func bodyBytes(f *flowfile.Flow) (n int64) {
	if r := f.Request(); r != nil {
		n += inMemory(r.Body())
	}
	if r := f.Response(); r != nil {
		n += inMemory(r.Body())
	}
	return n
}

func inMemory(b flowfile.Body) int64 {
	if b.Content() != nil {
		return 0
	}
	return b.Size()
}

// Open records the head of a flow that will grow, with the bodies it has. It has taken what
// it needs when it returns: the flow may be changed then. Messages that the flow has are not
// looked at: see OpenFlow.Message.
func (r *Recorder) Open(f *flowfile.Flow) *OpenFlow {
	o := &OpenFlow{r: r, id: f.ID(), base: wire.Base(f)}
	s := r.snapshot(o, f)
	s.start = f.Start()
	r.push(task{what: stepOpen, open: o, snap: s, weight: itemBytes + bodyBytes(f)})
	return o
}

// OpenFlow is a flow that is being recorded while it happens. Its methods may be called by
// several goroutines, but the Parts of one body in their order, and nothing after End.
type OpenFlow struct {
	r    *Recorder
	id   string
	base flowfile.Time

	// Under Recorder.mu:
	squeezed [2]bool // bodies, as far as heads tell
	last     [2]int  // items of Part in the queue, if it is that of gen
	gen      [2]int

	grown grown // of the recorder's goroutine
}

// End is what the end of a flow says besides the flow itself.
type End struct {
	Incomplete bool // the recording ends before the flow does
	// Truncated is, of bodies given in Parts, the length on the wire if they are not all of
	// it, -1 if that is not known; 0: they are all.
	Truncated [2]int64
}

// snapshot is what a flow was at some time.
type snapshot struct {
	record []byte // its head, open
	err    error  // it is beyond a limit of the format
	start  flowfile.Time
	known
}

// known is what is recorded of a flow besides its record.
type known struct {
	client, server *flowfile.Conn
	bodies         [2]payload
}

// snapshot takes f as it is now.
func (r *Recorder) snapshot(o *OpenFlow, f *flowfile.Flow) *snapshot {
	enc, ok := r.encs.Get().(*wire.Encoder)
	if !ok {
		enc = new(wire.Encoder)
	}
	s := &snapshot{known: knownOf(f)}
	s.record = bytes.Clone(enc.FlowAt(f, true, o.base))
	s.err = enc.Err()
	r.encs.Put(enc)
	r.mu.Lock()
	defer r.mu.Unlock()
	for part, b := range s.bodies {
		o.squeezed[part] = b.squeezed
	}
	return s
}

func knownOf(f *flowfile.Flow) known {
	k := known{client: f.Client(), server: f.Server()}
	if r := f.Request(); r != nil {
		k.bodies[wire.PartRequestBody] = payloadOf(&r.Message)
	}
	if r := f.Response(); r != nil {
		k.bodies[wire.PartResponseBody] = payloadOf(&r.Message)
	}
	return k
}

// Update records what became known of the flow since Open or the last Update, such as its
// response head, so that it is there if the recording ends before the flow does. It is never
// necessary. The flow may be changed afterwards.
func (o *OpenFlow) Update(f *flowfile.Flow) {
	o.r.push(task{what: stepUpdate, open: o, snap: o.r.snapshot(o, f), weight: itemBytes + bodyBytes(f)})
}

// Part records the next bytes of a body: that of the request is 0, that of the response 1.
// It copies data. A body is what its Parts say, and no longer what the flow says; a Part
// without bytes says that it is there.
func (o *OpenFlow) Part(part int, data []byte) {
	for {
		n := min(len(data), gatherMax)
		o.r.pushPart(o, part, data[:n])
		if data = data[n:]; len(data) == 0 {
			return
		}
	}
}

// Message records the next message. It has taken what it needs when it returns; bytes are
// not copied.
func (o *OpenFlow) Message(m *flowfile.Msg) {
	c := *m
	o.r.push(task{what: stepMessage, open: o, msg: &c, weight: itemBytes/4 + inMemory(m.Body)})
}

// End records the end of the flow: all that is not recorded yet, its messages excepted. The
// flow must not be changed afterwards. A nil flow says that nothing more became known.
func (o *OpenFlow) End(f *flowfile.Flow, e End) {
	it := task{what: stepEnd, open: o, flow: f, end: &e, weight: itemBytes}
	if f != nil {
		it.weight += bodyBytes(f)
	}
	o.r.push(it)
}

// push queues an item when there is room.
func (r *Recorder) push(it task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.wait() {
		return
	}
	if it.what == stepEnd {
		for part, i := range it.open.last {
			if it.open.gen[part] == r.gen && i < len(r.queue) && r.queue[i].open == it.open {
				r.queue[i].last = it.end.Truncated[part] == 0
			}
		}
	}
	r.add(it)
}

// pushPart queues bytes of a body, with those of the last Part if they are in the queue.
func (r *Recorder) pushPart(o *OpenFlow, part int, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.wait() {
		return
	}
	if i := o.last[part]; o.gen[part] == r.gen && i < len(r.queue) && r.queue[i].open == o {
		it := &r.queue[i]
		if len(it.data)+len(data) <= gatherMax {
			before := cap(it.data)
			it.data = append(r.grow(it.data, len(data)), data...)
			grown := int64(cap(it.data) - before)
			it.weight += grown
			r.count(grown)
			return
		}
	}
	buf := append(r.grow(nil, len(data)), data...)
	o.gen[part], o.last[part] = r.gen, len(r.queue)
	r.add(task{
		what: stepPart, open: o, part: int8(part), packed: o.squeezed[part], data: buf,
		weight: itemBytes/8 + int64(cap(buf)),
	})
}

// grow returns buf with room for n bytes: little for a body that trickles, all that a record
// may have for one that flows.
func (r *Recorder) grow(buf []byte, n int) []byte {
	n += len(buf)
	if n <= cap(buf) {
		return buf
	}
	if n < gatherMax/16 {
		return append(make([]byte, 0, max(2*n, gatherMin)), buf...)
	}
	if last := len(r.free) - 1; last >= 0 {
		b := r.free[last]
		r.free = r.free[:last]
		return append(b, buf...)
	}
	return append(make([]byte, 0, gatherMax), buf...)
}

// wait returns when there is room in the queue, false if the recorder is closed.
func (r *Recorder) wait() bool {
	for r.queued >= r.o.Queue && !r.closed {
		r.signal()
		r.room.Wait()
	}
	return !r.closed
}

func (r *Recorder) add(it task) {
	r.queue = append(r.queue, it)
	if !r.armed {
		r.armed = true
		r.due.Reset(r.o.FlushEvery)
	}
	r.count(it.weight)
}

// count notes bytes that were queued.
func (r *Recorder) count(n int64) {
	before := r.pending
	r.pending += n
	r.queued += n
	if before < wakeBytes && r.pending >= wakeBytes {
		r.signal()
	}
}

func (r *Recorder) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Stats returns what was done so far.
func (r *Recorder) Stats() RecorderStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Queued = r.queued
	s.Bytes = r.rec.w.w.Written()
	return s
}

// Flush returns when all that was recorded before is handed to the operating system, or the
// error by which it was not.
func (r *Recorder) Flush() error {
	done := make(flush, 1)
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		<-r.done
		return r.err
	}
	r.flushes = append(r.flushes, done)
	r.signal()
	r.mu.Unlock()
	return <-done
}

// Close ends flows that are open as incomplete, writes what is queued and the index, and
// closes the Writer. Its error says that the end of the recording could not be written. What
// is recorded afterwards is passed over.
func (r *Recorder) Close() error {
	r.mu.Lock()
	r.closed = true
	r.signal()
	r.room.Broadcast()
	r.mu.Unlock()
	<-r.done
	return r.err
}

// run writes what is queued until the recorder is closed.
func (r *Recorder) run() {
	defer close(r.done)
	for {
		due := false
		select {
		case <-r.wake:
		case <-r.due.C:
			due = true
		}
		items, flushes, closed := r.take(due)
		freed := int64(0)
		for i := range items {
			it := &items[i]
			r.rec.item(it)
			if freed += it.weight; freed >= releaseBytes {
				r.release(freed)
				freed = 0
			}
			r.recycle(it.data)
			*it = task{}
		}
		r.release(freed)
		r.giveBack(items)
		if closed {
			r.err = r.rec.close()
			for _, f := range flushes {
				f <- r.err
			}
			return
		}
		if due || len(flushes) > 0 {
			err := r.rec.flush()
			for _, f := range flushes {
				f <- err
			}
		}
		if r.rec.failing != nil && !r.rec.final {
			r.again()
		}
	}
}

// take takes the queue. If it is going to be flushed, the next item begins a new interval.
func (r *Recorder) take(due bool) (items []task, flushes []flush, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	items, r.queue, r.spare = r.queue, r.spare, nil
	r.gen++
	r.pending = 0
	flushes, r.flushes = r.flushes, nil
	if due || len(flushes) > 0 {
		r.due.Stop()
		r.armed = false
	}
	return items, flushes, r.closed
}

// again has the timer run, though nothing may be queued.
func (r *Recorder) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.armed {
		r.armed = true
		r.due.Reset(r.o.FlushEvery)
	}
}

// release makes room for n bytes more.
func (r *Recorder) release(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queued -= n
	r.room.Broadcast()
}

// recycle keeps the buffer of a part that was written for the next.
func (r *Recorder) recycle(buf []byte) {
	if cap(buf) != gatherMax {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.free) < freeBuffers {
		r.free = append(r.free, buf[:0])
	}
}

// giveBack keeps the memory of a queue that was written, unless it was a rare large one.
func (r *Recorder) giveBack(items []task) {
	if cap(items) > 16<<10 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spare = items[:0]
}

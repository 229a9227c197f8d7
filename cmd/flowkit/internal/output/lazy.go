package output

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// lazyDelay is how long a line may wait for others.
const lazyDelay = 100 * time.Millisecond

// Lazy is a buffered writer that writes what it holds after a moment, so that who reads a pipe or follows a file sees what
// there is. It is safe for concurrent use.
type Lazy struct {
	mu    sync.Mutex
	w     *bufio.Writer
	timer *time.Timer
	due   bool
	err   error
}

// NewLazy returns a writer to w.
func NewLazy(w io.Writer) *Lazy { return &Lazy{w: bufio.NewWriterSize(w, 64<<10)} }

// Write implements io.Writer. It returns the error of an earlier write that came late.
func (l *Lazy) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	if !l.due {
		l.due = true
		if l.timer == nil {
			l.timer = time.AfterFunc(lazyDelay, l.late)
		} else {
			l.timer.Reset(lazyDelay)
		}
	}
	return l.w.Write(p)
}

func (l *Lazy) late() { _ = l.Flush() } // Write tells

// Flush writes all.
func (l *Lazy) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = false
	if l.err == nil {
		l.err = l.w.Flush()
	}
	return l.err
}

// Package progress shows on a terminal how far a run has come.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Line is one line on a terminal, drawn again and again. It appears when a run takes
// longer than a second.
type Line struct {
	w     io.Writer
	of    func() (done, total int64)
	start time.Time
	stop  chan struct{}
	wait  sync.WaitGroup

	mu    sync.Mutex
	drawn bool
}

// Start draws the progress that of returns until Stop is called.
func Start(w io.Writer, of func() (done, total int64)) *Line {
	l := &Line{w: w, of: of, start: time.Now(), stop: make(chan struct{})}
	l.wait.Add(1)
	go l.run()
	return l
}

func (l *Line) run() {
	defer l.wait.Done()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			if time.Since(l.start) > time.Second {
				l.draw()
			}
		}
	}
}

func (l *Line) draw() {
	text := Text(l.of, time.Since(l.start))
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "\r\x1b[K%s", text)
	l.drawn = true
}

// Text returns the line.
func Text(of func() (done, total int64), elapsed time.Duration) string {
	done, total := of()
	rate := float64(done) / elapsed.Seconds()
	s := fmt.Sprintf("%s read, %s/s", Size(done), Size(int64(rate)))
	if total >= done && done > 0 && rate > 0 {
		left := time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
		s = fmt.Sprintf("%3.0f%% of %s, %s/s, %v left", 100*float64(done)/float64(total), Size(total), Size(int64(rate)), max(left, 0))
	}
	return s
}

// Clear takes the line away until it is drawn again.
func (l *Line) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.drawn = false
	}
}

// Stop ends the drawing and takes the line away.
func (l *Line) Stop() {
	close(l.stop)
	l.wait.Wait()
	l.Clear()
}

// Size returns a number of bytes for people: 1024-based, three digits.
func Size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	for _, unit := range [...]string{"kB", "MB", "GB", "TB", "PB"} {
		f /= 1024
		switch {
		case f < 9.995:
			return fmt.Sprintf("%.2f %s", f, unit)
		case f < 99.95:
			return fmt.Sprintf("%.1f %s", f, unit)
		case f < 1023.5:
			return fmt.Sprintf("%.0f %s", f, unit)
		}
	}
	return fmt.Sprintf("%.0f EB", f/1024)
}

package live_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/live"
	"flowkit/replay"
)

// A flow is a handler's while it handles an event, also if the request's body goes on meanwhile and has to be recorded.
func TestFlowIsTheHandlers(t *testing.T) {
	const size = 2 << 20
	addr := rawOrigin(t, func(_ int, w *wire) {
		w.head()
		w.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		_, _ = io.CopyN(io.Discard, w, size)
	})
	var handling atomic.Bool
	var once sync.Once
	entered, kept := make(chan struct{}), make(chan bool, 1)
	r := start(t, func(o *live.Options) {
		o.Handler = on(func(*replay.Event) {
			handling.Store(true)
			close(entered)
			time.Sleep(100 * time.Millisecond) // in which the body comes
			handling.Store(false)
		}, replay.ResponseHeaders)
		o.Keep = func(*flowfile.Flow) bool {
			once.Do(func() { kept <- handling.Load() })
			return true
		}
	})
	w := r.dial()
	w.send(ask("POST", addr, "/", fmt.Sprintf("Content-Length: %d", size)))
	<-entered
	go w.send(strings.Repeat("x", size))
	w.status(200)
	if <-kept {
		t.Error("the flow was looked at while a handler had it")
	}
	r.flow("http POST", "200")
}

package live_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/live"
	"flowkit/replay"
)

func port(addr string) int { return int(netip.MustParseAddrPort(addr).Port()) }

// heap watches how large the heap gets while a test runs.
func heap(t *testing.T, limit uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	var most atomic.Uint64
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapAlloc))
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		done.Wait()
		if n := most.Load(); n > before+limit {
			t.Errorf("the heap grew by %d MiB", (n-before)>>20)
		}
	})
}

// discard records nothing, but counts.
type discard struct {
	bytes atomic.Int64
	ended chan live.End
}

func (d *discard) Flow(*flowfile.Flow)               {}
func (d *discard) Open(*flowfile.Flow) live.OpenFlow { return d }
func (d *discard) Part(_ int, b []byte)              { d.bytes.Add(int64(len(b))) }
func (d *discard) Message(*flowfile.Msg)             {}
func (d *discard) End(_ *flowfile.Flow, e live.End)  { d.ended <- e }

// Bodies of any length pass in little memory, up and down, and are recorded as they go.
func TestBigBodies(t *testing.T) {
	size := int64(200 << 20)
	if testing.Short() {
		size = 50 << 20
	}
	piece := make([]byte, 64<<10)
	handle := func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); r.Method == "POST" && (n != size || err != nil) {
			t.Errorf("the origin got %d, %v", n, err)
		}
		if r.Method == "GET" {
			for n := int64(0); n < size; n += int64(len(piece)) {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}
	}
	for _, tt := range []struct {
		name    string
		secure  bool
		maxBody int64
		change  func(o *live.Options)
	}{
		{"HTTP1", false, 0, nil},
		{"HTTP2", true, 0, nil},
		{"max-body", false, 1000, nil},
		{"stream", false, 0, func(o *live.Options) {
			o.Stream = 1 << 20
			o.Handler = on(nothing, everything...)
		}},
		{"streamed by a handler", false, 0, func(o *live.Options) {
			o.Handler = on(func(e *replay.Event) {
				if e.Stream != nil {
					e.Stream.On = true
				}
			}, everything...)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			cert, pool := certificate(t, nil)
			var url string
			if tt.secure {
				url = "https://" + origin(t, handle, &cert, "h2")
			} else {
				url = "http://" + origin(t, handle, nil)
			}
			d := &discard{ended: make(chan live.End, 16)}
			r := start(t, func(o *live.Options) {
				o.Roots, o.Recorder, o.MaxBody = pool, d, tt.maxBody
				if tt.change != nil {
					tt.change(o)
				}
			})
			heap(t, 48<<20)
			for i, method := range []string{"GET", "POST"} {
				d.bytes.Store(0)
				var body io.Reader
				if method == "POST" {
					body = io.LimitReader(zeros{}, size)
				}
				req, err := http.NewRequest(method, url, body)
				check(t, err)
				client := r.client()
				client.Timeout = time.Minute
				resp, err := client.Do(req)
				check(t, err)
				n, err := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if want := size * int64(1-i); n != want || err != nil {
					t.Errorf("%s: got %d bytes, %v", method, n, err)
				}
				if tt.maxBody > 0 {
					// So little of it is kept that the flow is recorded when it is over.
					continue
				}
				e := <-d.ended
				if got := d.bytes.Load(); got != size || e != (live.End{}) {
					t.Errorf("%s: recorded %d bytes, %+v", method, got, e)
				}
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// What is recorded of a body ends at MaxBody, with a mark that says how long it was; what passes does not.
func TestMaxBody(t *testing.T) {
	for _, size := range []int{99, 100, 101, 3 << 20} {
		for _, handled := range []bool{false, true} {
			for _, chunked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/handled=%v/chunked=%v", size, handled, chunked), func(t *testing.T) {
					noLeaks(t)
					text := strings.Repeat("x", size)
					addr := origin(t, func(w http.ResponseWriter, r *http.Request) {
						b, err := io.ReadAll(r.Body)
						if string(b) != text || err != nil {
							t.Errorf("the origin got %d, %v", len(b), err)
						}
						if chunked {
							_ = http.NewResponseController(w).Flush()
						}
						_, _ = io.WriteString(w, text)
					}, nil)
					r := start(t, func(o *live.Options) {
						o.MaxBody = 100
						if handled {
							o.Handler = on(nothing, everything...)
						}
					})
					var body io.Reader = strings.NewReader(text)
					if chunked {
						body = io.MultiReader(body)
					}
					resp, err := r.client().Post("http://"+addr+"/", "", body)
					check(t, err)
					b, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if string(b) != text || err != nil {
						t.Errorf("the client got %d, %v", len(b), err)
					}
					k := r.flow("http POST / 200", "")
					for part := range 2 {
						got, total := k.body(part)
						if len(got) != min(size, 100) || total != int64(size) {
							t.Errorf("part %d: recorded %d of %d", part, len(got), total)
						}
					}
				})
			}
		}
	}
}

// Each event of an event stream is with the client before the next one is sent, with and without a handler, and is
// recorded soon.
func TestEventStream(t *testing.T) {
	for _, handled := range []bool{false, true} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("handled=%v/http2=%v", handled, secure), func(t *testing.T) {
				noLeaks(t)
				next := make(chan struct{})
				handle := func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
					for i := range 3 {
						fmt.Fprintf(w, "data: %d\n\n", i)
						_ = http.NewResponseController(w).Flush()
						select {
						case <-next:
						case <-r.Context().Done():
						}
					}
				}
				cert, pool := certificate(t, nil)
				url := ""
				if secure {
					url = "https://" + origin(t, handle, &cert, "h2")
				} else {
					url = "http://" + origin(t, handle, nil)
				}
				r := start(t, func(o *live.Options) {
					o.Roots = pool
					if handled {
						o.Handler = on(nothing, everything...)
					}
				})
				resp, err := r.client().Get(url + "/")
				check(t, err)
				for i := range 3 {
					b := make([]byte, len("data: 0\n\n"))
					_, err := io.ReadFull(resp.Body, b)
					if want := fmt.Sprintf("data: %d\n\n", i); string(b) != want || err != nil {
						t.Fatalf("got %q, %v", b, err)
					}
					next <- struct{}{}
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Error(err)
				}
				resp.Body.Close()
				k := r.flow("http GET / 200", "")
				if got, n := k.body(flowfile.BodyResponse); got != "data: 0\n\ndata: 1\n\ndata: 2\n\n" || n != int64(len(got)) {
					t.Errorf("recorded %q of %d", got, n)
				}
			})
		}
	}
}

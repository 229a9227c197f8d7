package main

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/progress"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
	"flowkit/live"
)

// watcher shows a person what a proxy does: a line for each flow on a terminal, or JSON.
type watcher struct {
	s     *cli.Streams
	lines bool
	quiet bool
	json  bool
	paint term.Paint
	mu    sync.Mutex
}

func newWatcher(s *cli.Streams, quiet, asJSON bool) *watcher {
	return &watcher{s: s, lines: s.ErrIsTTY && !quiet && !asJSON, quiet: quiet, json: asJSON, paint: term.PaintFor(s.ErrIsTTY)}
}

// log returns where the proxy's messages go.
func (w *watcher) log() *slog.Logger {
	level := slog.LevelWarn
	if w.quiet {
		level = slog.LevelError
	}
	if w.json {
		return slog.New(slog.NewJSONHandler(w.s.Err, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	return slog.New(&logHandler{s: w.s, level: level})
}

// flowLine is what --json says of a flow; it is stable.
type flowLine struct {
	Time   string  `json:"time"`
	Msg    string  `json:"msg"` // "flow"
	ID     string  `json:"id"`
	Kind   string  `json:"kind"`
	Client string  `json:"client,omitempty"`
	Method string  `json:"method,omitempty"`
	URL    string  `json:"url,omitempty"`
	Status int     `json:"status,omitempty"`
	Size   int64   `json:"size"`
	MS     float64 `json:"ms"`
	Error  string  `json:"error,omitempty"`
}

// flow shows a flow that has ended; size is that of its response's body.
func (w *watcher) flow(f *flowfile.Flow, size int64) {
	switch {
	case w.json:
		l := flowLine{Time: time.Now().UTC().Format(time.RFC3339Nano), Msg: "flow", ID: f.ID(), Kind: f.Kind().String(), Size: size}
		if c := f.Client(); c != nil {
			l.Client = c.Peer.String()
		}
		if r := f.Request(); r != nil {
			l.Method, l.URL = r.Method(), r.PrettyURL()
		}
		if r := f.Response(); r != nil {
			l.Status = r.Status()
		}
		if d, ok := f.End().Sub(f.Start()); ok {
			l.MS = float64(d.Microseconds()) / 1e3
		}
		if e := f.Error(); e != nil {
			l.Error = e.Msg
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		_ = json.NewEncoder(w.s.Err).Encode(l) // nobody to tell if stderr is gone
	case w.lines:
		line := time.Now().Format("15:04:05 ") + liveLine(f, size, w.paint)
		w.s.Line(line)
	}
}

// liveLine is a flow in one line.
func liveLine(f *flowfile.Flow, size int64, paint term.Paint) string {
	line := summaryWhat(f) + "  << "
	if r := f.Response(); r != nil {
		line += paint.Status(r.Status(), strconv.Itoa(r.Status())) + " " + progress.Size(size)
	}
	if d, ok := f.End().Sub(f.Start()); ok {
		line += " " + d.Round(100*time.Microsecond).String()
	}
	if e := f.Error(); e != nil {
		line += " " + paint.Error("error: "+printable(e.Msg))
	}
	return line
}

// end says what there was in all.
func (w *watcher) end(st live.Stats, rec *recording) {
	if w.quiet || w.json {
		return
	}
	text := count(int(st.Flows), "flow")
	if st.Errors > 0 {
		text += ", " + count(int(st.Errors), "error")
	}
	text += " over " + count(int(st.Conns), "connection")
	if rec != nil {
		text += "; recorded " + rec.summary()
	}
	w.s.Say("%s", text)
}

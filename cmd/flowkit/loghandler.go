package main

import (
	"context"
	"log/slog"
	"strings"

	"flowkit/cmd/flowkit/internal/cli"
)

// logHandler shows messages of scripts on stderr: "flowkit: script.star: message".
type logHandler struct {
	s      *cli.Streams
	level  slog.Level
	script string
	attrs  []slog.Attr
}

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if h.script != "" {
		b.WriteString(h.script + ": ")
	}
	if r.Level != slog.LevelInfo {
		b.WriteString(strings.ToLower(r.Level.String()) + ": ")
	}
	b.WriteString(r.Message)
	for _, a := range h.attrs {
		b.WriteString("  " + a.String())
	}
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString("  " + a.String())
		return true
	})
	h.s.Say("%s", b.String())
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	for _, a := range attrs {
		if a.Key == "script" {
			n.script = a.Value.String()
		} else {
			n.attrs = append(n.attrs, a)
		}
	}
	return &n
}

func (h *logHandler) WithGroup(string) slog.Handler { return h }

package script_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
)

// fakeEngine loads files whose text tells what to do.
type fakeEngine struct{ log *[]string }

func (e fakeEngine) Load(_ context.Context, specs []script.Spec) (script.Session, error) {
	b, err := os.ReadFile(specs[0].Path)
	text := strings.TrimSpace(string(b))
	if err != nil || text == "broken" {
		return nil, errors.Join(errors.New("it is broken"), err)
	}
	return &fakeSession{text: text, log: e.log, crash: make(chan struct{})}, nil
}

type fakeSession struct {
	script.Session
	text  string
	log   *[]string
	crash chan struct{}
}

func (s *fakeSession) note(what string) { *s.log = append(*s.log, what+" "+s.text) }

func (s *fakeSession) Hooks() replay.Hooks { return replay.AllHooks }

func (s *fakeSession) Handle(_ context.Context, e *replay.Event) error {
	s.note(e.Hook.String())
	switch {
	case s.text == "crashes":
		close(s.crash)
	case e.Stream != nil:
		e.Stream.On = true
		e.Stream.Chunk = func(context.Context, []byte, bool) ([]byte, error) { return []byte(s.text), nil }
	}
	return nil
}
func (s *fakeSession) StartLive(context.Context, script.Proxy) error { s.note("start"); return nil }
func (s *fakeSession) End(*flowfile.Flow)                            { s.note("end") }
func (s *fakeSession) Done(context.Context) error                    { s.note("done"); return nil }
func (s *fakeSession) Close() error                                  { s.note("close"); return nil }
func (s *fakeSession) Crashed() <-chan struct{}                      { return s.crash }
func (s *fakeSession) Info() []script.Info                           { return nil }
func (s *fakeSession) OnError(func(*flowfile.Flow, *replay.EventError) error) {
}

var _ script.Live = (*fakeSession)(nil)

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func TestReloader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	synctest.Test(t, func(t *testing.T) {
		var log []string
		out := &safeBuffer{}
		r, err := script.NewReloader(t.Context(), fakeEngine{&log}, []script.Spec{{Path: path, Log: slog.New(slog.NewTextHandler(out, nil))}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.StartLive(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		settle := func() {
			time.Sleep(1100 * time.Millisecond)
			synctest.Wait()
		}
		f := flowfile.New(flowfile.Head{ID: "f"})
		handle := func(h replay.Hook, s *replay.Stream) {
			t.Helper()
			if err := r.Handle(t.Context(), &replay.Event{Hook: h, Flow: f, Stream: s}); err != nil {
				t.Fatal(err)
			}
		}
		stream := &replay.Stream{}
		handle(replay.ResponseHeaders, stream)
		write("broken")
		settle()
		handle(replay.Response, nil)
		write("second")
		settle()
		handle(replay.Error, nil)
		log = append(log, "-")
		if b, _ := stream.Chunk(t.Context(), nil, true); string(b) != "one" {
			t.Errorf("the stream went to %q", b)
		}
		synctest.Wait()
		write("crashes")
		settle()
		time.Sleep(time.Minute)
		handle(replay.Request, nil) // restarted: it ran for a while
		settle()
		handle(replay.Request, nil) // not restarted
		settle()
		log = append(log, "-")
		write("the third")
		settle()
		r.End(f)
		if err := errors.Join(r.Done(t.Context()), r.Close()); err != nil {
			t.Fatal(err)
		}
		want := `start one, responseheaders one, response one, start second, done one, error second, -, close one, ` +
			`start crashes, done second, close second, request crashes, start crashes, done crashes, close crashes, request crashes, -, ` +
			`start the third, done crashes, close crashes, end the third, done the third, close the third`
		if got := strings.Join(log, ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for _, text := range []string{"it is broken", "was changed and is loaded again", "are started again", "ended soon after"} {
			if !strings.Contains(out.b.String(), text) {
				t.Errorf("%q is not said:\n%s", text, out.b.String())
			}
		}
	})
}

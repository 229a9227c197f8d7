package main

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/itchyny/timefmt-go"
	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/progress"
	"flowkit/flowfile"
	"flowkit/flowfile/native"
	"flowkit/live"
)

func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// recordFlags are the flags of commands that record.
type recordFlags struct {
	write   string
	level   string
	flush   time.Duration
	sync    bool
	trim    bool
	rotate  string
	maxBody string
	tempDir string
	quiet   bool

	maxBodyBytes int64
	rotateBytes  int64
	rotateEvery  time.Duration
}

func (o *recordFlags) addFlags(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVarP(&o.write, "write", "w", "", "record to `FILE`, which may have %Y %m %d %H %M %S of its time; - is standard output, +FILE appends")
	fl.StringVar(&o.level, "level", "fastest", "`LEVEL` of compression: fastest, default, better, best")
	fl.DurationVar(&o.flush, "flush", time.Second, "have flows in the file after `TIME`: what a kill can cost")
	fl.BoolVar(&o.sync, "sync", false, "and on the disk (fsync): what a power failure can cost")
	fl.BoolVar(&o.trim, "trim", false, "with -w +FILE: cut a torn end off the file")
	fl.StringVar(&o.rotate, "rotate", "", "begin a new file after `SIZE|TIME`: 1g, 1h")
	fl.StringVar(&o.maxBody, "max-body", "", "record the first `SIZE` of each body, and its length (k, m, g)")
	fl.StringVar(&o.tempDir, "tmpdir", "", "keep bodies that scripts wait for and that are large in `FOLDER` (default the system's)")
	fl.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but errors")
	complete(c, "level", "fastest", "default", "better", "best")
}

// std tells whether the recording goes to standard output.
func (o *recordFlags) std(s *cli.Streams) bool {
	return o.write == "-" || o.write == "" && !s.OutIsTTY
}

func (o *recordFlags) check(s *cli.Streams) error {
	path, appending := strings.CutPrefix(o.write, "+")
	var err error
	switch {
	case appending && (path == "" || path == "-"):
		return cli.Hinted(cli.Usage, "append to a file: -w +FILE", "-w %s names no file", o.write)
	case o.trim && !appending:
		return cli.Hinted(cli.Usage, "append to a file: -w +FILE", "--trim is for appending")
	case o.write == "-" && s.OutIsTTY:
		return cli.Hinted(cli.Usage, "-w FILE", "recordings are no text: not written to a terminal")
	case o.flush <= 0:
		return cli.Errorf(cli.Usage, "--flush is a time like 500ms or 2s, not %v", o.flush)
	case o.rotate != "" && o.std(s):
		return cli.Errorf(cli.Usage, "--rotate is for files, and standard output is one stream")
	}
	if ext := strings.ToLower(filepath.Ext(path)); ext != "" && ext != ".flow" && !strings.HasPrefix(path, "/dev/") {
		switch ext {
		case ".mitm", ".har", ".json", ".jsonl", ".ndjson", ".csv", ".gz", ".zst":
			return cli.Hinted(cli.Usage, "record to a .flow file and convert it: flowkit cat x.flow -w "+path, "capture writes flowkit's own format alone")
		}
	}
	if _, ok := levels[o.level]; !ok {
		return cli.Errorf(cli.Usage, "there is no level %q; there are fastest, default, better, best", o.level)
	}
	if o.maxBody != "" {
		if o.maxBodyBytes, err = parseSize(o.maxBody); err != nil || o.maxBodyBytes == 0 {
			return cli.Errorf(cli.Usage, "--max-body is a size like 500k or 64m, not %q", o.maxBody)
		}
	}
	if o.rotate != "" {
		if o.rotateEvery, err = time.ParseDuration(o.rotate); err == nil && o.rotateEvery >= time.Second {
			return nil
		}
		o.rotateEvery = 0
		if o.rotateBytes, err = parseSize(o.rotate); err != nil || o.rotateBytes < 64<<10 {
			return cli.Errorf(cli.Usage, "--rotate is a size like 500m (64k at least) or a time like 1h (1s at least), not %q", o.rotate)
		}
	}
	return nil
}

// recording is where captured flows go. It implements live.Recorder.
type recording struct {
	s   *cli.Streams
	o   *recordFlags
	std bool

	mu       sync.RWMutex // held for reading while a flow is handed to now, so that no file is closed under it
	now      *native.Recorder
	path     string
	began    time.Time
	again    time.Time          // no rotation before, since the last one failed
	closing  sync.WaitGroup     // of files
	older    []*native.Recorder // which have flows that go on
	files    int
	finished native.RecorderStats // of files that are closed
	err      error
}

// open opens the output.
func (o *recordFlags) open(s *cli.Streams) (*recording, error) {
	r := &recording{s: s, o: o, std: o.std(s)}
	if r.std {
		r.path = "standard output"
		r.now = native.NewRecorder(native.NewWriter(s.Out, o.writer()), o.recorder(r, r.path))
		return r, nil
	}
	return r, r.next(time.Now())
}

func (o *recordFlags) writer() native.WriterOptions {
	return native.WriterOptions{Level: levels[o.level], Workers: 1, Creator: "flowkit " + versionText()}
}

func (o *recordFlags) recorder(r *recording, path string) native.RecorderOptions {
	return native.RecorderOptions{FlushEvery: o.flush, Sync: o.sync, OnLoss: func(l native.Loss) { r.loss(path, l) }}
}

// next begins a file. The caller holds mu, or is alone.
func (r *recording) next(now time.Time) error {
	path, appending := strings.CutPrefix(r.o.write, "+")
	if path == "" {
		path = "capture-%Y%m%d-%H%M%S.flow"
	}
	if strings.Contains(path, "%") {
		path = timefmt.Format(now, path)
		if dir := filepath.Dir(path); dir != "." {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return cli.Errorf(cli.Usage, "%w", err)
			}
		}
	}
	if r.files > 0 || r.o.write == "" {
		path = unused(path)
	}
	if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && fi.Size() > 0 && !appending {
		return cli.Hinted(cli.Usage, "-w +"+path+" appends", "%s is there already, and is not overwritten", path)
	}
	w, err := appendTo(r.s, path, r.o.writer(), r.o.trim)
	if err != nil {
		return err
	}
	r.now, r.path, r.began = native.NewRecorder(w, r.o.recorder(r, path)), path, now
	r.files++
	return nil
}

// unused returns path, or path with a number where a file of that name is there.
func unused(path string) string {
	ext := filepath.Ext(path)
	base := strings.TrimSuffix(path, ext)
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path
		}
		path = base + "-" + strconv.Itoa(n) + ext
	}
}

func (r *recording) where() string { return r.path }

// loss tells of flows that could not be written, and of the end of that.
func (r *recording) loss(path string, l native.Loss) {
	if l.Err != nil {
		r.s.Say("NOT RECORDING: %s: %v. The traffic goes on", path, l.Err)
		return
	}
	r.s.Say("recording goes on; lost: %s, %s", count(int(l.Flows), "flow"), count(int(l.Messages), "message"))
}

// with hands a flow that begins or is whole to the file that is its.
func (r *recording) with(record func(*native.Recorder)) {
	if r.o.rotateBytes == 0 && r.o.rotateEvery == 0 {
		record(r.now)
		return
	}
	r.mu.RLock()
	now := time.Now()
	if r.due(now) || len(r.older) > 0 {
		r.mu.RUnlock()
		r.turn(now)
		r.mu.RLock()
	}
	defer r.mu.RUnlock()
	record(r.now)
}

// due tells whether a new file has to begin.
func (r *recording) due(now time.Time) bool {
	full := r.o.rotateBytes > 0 && r.now.Stats().Bytes >= r.o.rotateBytes
	old := r.o.rotateEvery > 0 && now.Sub(r.began) >= r.o.rotateEvery
	return (full || old) && !now.Before(r.again)
}

// turn begins a new file if one is due, and closes older ones that are complete.
func (r *recording) turn(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.due(now) {
		old := r.now
		if err := r.next(now); err != nil {
			// It goes on in the old file.
			r.again = now.Add(rotateAgain)
			r.s.Say("rotation: %v; again in %v", err, rotateAgain)
		} else {
			r.older = append(r.older, old)
			r.s.Say("recording to %s", r.path)
		}
	}
	kept := r.older[:0]
	for _, old := range r.older {
		if old.Stats().Open > 0 {
			kept = append(kept, old)
			continue
		}
		r.closing.Go(func() { r.finish(old) })
	}
	r.older = kept
}

// rotateAgain is how long a file that could not be made is not tried again.
const rotateAgain = 10 * time.Second

// finish closes a file that is complete.
func (r *recording) finish(old *native.Recorder) {
	err := old.Close()
	st := old.Stats()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finished.Flows += st.Flows
	r.finished.Bytes += st.Bytes
	r.finished.Lost.Flows += st.Lost.Flows
	r.finished.Lost.Messages += st.Lost.Messages
	r.finished.Lost.Bytes += st.Lost.Bytes
	r.err = errors.Join(r.err, err)
}

// Flow implements live.Recorder.
func (r *recording) Flow(f *flowfile.Flow) { r.with(func(to *native.Recorder) { to.Flow(f) }) }

// Open implements live.Recorder.
func (r *recording) Open(f *flowfile.Flow) (open live.OpenFlow) {
	r.with(func(to *native.Recorder) { open = openFlow{to.Open(f)} })
	return open
}

type openFlow struct{ *native.OpenFlow }

// End implements live.OpenFlow.
func (o openFlow) End(f *flowfile.Flow, e live.End) {
	o.OpenFlow.End(f, native.End{Incomplete: e.Incomplete, Truncated: e.Cut})
}

// close completes all files. A file that nothing was recorded to, since the command could not begin, is removed if it
// was made for it.
func (r *recording) close(unused bool) error {
	r.mu.Lock()
	all := append(r.older, r.now)
	r.mu.Unlock()
	for _, rec := range all {
		r.finish(rec)
	}
	r.closing.Wait()
	if unused && !r.std {
		if !strings.HasPrefix(r.o.write, "+") {
			return os.Remove(r.path)
		}
		return nil
	}
	l := r.finished.Lost
	if l.Flows+l.Messages+l.Bytes > 0 {
		return cli.Errorf(cli.Lost, "%s: %s, %s and %s of bodies could not be recorded", r.path,
			count(int(l.Flows), "flow"), count(int(l.Messages), "message"), count(int(l.Bytes), "byte"))
	}
	if r.err != nil {
		return cli.Errorf(cli.Lost, "%s: %w", r.path, r.err)
	}
	return nil
}

// summary says what was recorded.
func (r *recording) summary() string {
	return fmt.Sprintf("%s in %s (%s)", count(int(r.finished.Flows), "flow"), r.path, progress.Size(r.finished.Bytes))
}

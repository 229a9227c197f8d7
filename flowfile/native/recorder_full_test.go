//go:build linux

package native_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/native"
)

// filling holds the file for a process that may write no more than some bytes to it.
const filling = "FLOWKIT_TEST_FILLING"

// A disk that is full costs what comes then, which is counted; when there is space again the
// recording goes on in the same file, and nothing that was taken before is lost.
func TestRecorderGoesOn(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.flow")
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), filling+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, damage := read(t, file, native.ReaderOptions{Need: needAll})
	if len(damage) > 0 {
		t.Fatal(damage)
	}
	have := map[string]*flowfile.Flow{}
	for _, f := range got {
		have[f.ID()] = f
	}
	for round := range 3 {
		for n := range 40 {
			f := have[fmt.Sprintf("%d-%d", round, n)]
			if round == 1 {
				if f != nil {
					t.Errorf("flow %d was recorded on a full disk", n)
				}
				continue
			}
			if f == nil {
				t.Fatalf("flow %d of round %d is lost", n, round)
			}
			if d := cmp.Diff(flowtest.Tree(filled(round, n)), flowtest.Tree(f)); d != "" {
				t.Error(d)
			}
		}
	}
	f := have["open"]
	if f == nil || f.Incomplete() || f.Comment() != "late" || f.Messages().Len() != 2 {
		t.Fatalf("%+v", f)
	}
	b := f.Response().Body()
	if data, err := b.Bytes(-1); err != nil || string(data) != "before" || b.State() != flowfile.BodyTruncated || b.Total() != 17 {
		t.Errorf("%q, total %d", data, b.Total())
	}
}

// filled is a flow of about 2 kB.
func filled(round, n int) *flowfile.Flow {
	f := getOK(fmt.Sprintf("%d-%d", round, n))
	f.Response().InitBody(flowfile.BytesBody(noise()[round*100_000+n*2000:][:2000]))
	return f
}

// fill records while there is space, while there is none, and while there is again.
func fill(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	space := func(n uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: 1 << 40}); err != nil {
			panic(err)
		}
	}
	w, _, err := native.OpenAppend(path, fastest, false)
	if err != nil {
		return err
	}
	var told []native.Loss
	r := native.NewRecorder(w, native.RecorderOptions{
		FlushEvery: time.Hour, OnLoss: func(l native.Loss) { told = append(told, l) },
	})
	round := func(k int) {
		for n := range 40 {
			r.Flow(filled(k, n))
		}
	}
	f := fullFlow("open")
	f.Response().InitBody(flowfile.Body{})
	o := r.Open(f)
	o.Part(1, []byte("before"))
	o.Message(&flowfile.Msg{Body: flowfile.StringBody("before")})
	round(0)
	space(1000)
	if err := r.Flush(); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("flush on a full disk: %w", err)
	}
	o.Part(1, []byte(" and lost!!"))
	o.Message(&flowfile.Msg{Body: flowfile.StringBody("lost")})
	round(1)
	if err := r.Flush(); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("flush on a full disk: %w", err)
	}
	if s := r.Stats().Lost; s.Flows != 41 || s.Messages != 1 || s.Bytes != 40*2000+11+4 || s.Err == nil {
		return fmt.Errorf("lost %+v", s)
	}
	space(1 << 40)
	if err := r.Flush(); err != nil {
		return err
	}
	round(2)
	o.Message(&flowfile.Msg{Body: flowfile.StringBody("after")})
	f.SetComment("late")
	o.End(f, native.End{})
	if err := r.Close(); err != nil {
		return err
	}
	if s := r.Stats().Lost; s.Flows != 41 || s.Err != nil || len(told) != 2 || told[0].Err == nil || told[1].Err != nil {
		return fmt.Errorf("lost %+v, told %+v", s, told)
	}
	return nil
}

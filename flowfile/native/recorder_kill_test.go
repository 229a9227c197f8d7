package native_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/native"
)

// recording holds "file round" for a process that records until it is killed.
const recording = "FLOWKIT_TEST_RECORDING"

const (
	killFlush = 10 * time.Millisecond
	// killSlack is what the machine may take longer: the interval itself is tested with a
	// clock of its own.
	killSlack = time.Second
)

// recordForever records whole flows and growing ones, never flushes, and tells of each when
// it was handed over.
func recordForever(path string, round int) error {
	w, _, err := native.OpenAppend(path, fastest, false)
	if err != nil {
		return err
	}
	r := native.NewRecorder(w, native.RecorderOptions{FlushEvery: killFlush})
	rnd := rand.New(rand.NewPCG(uint64(round), 2))
	for n := 0; ; n++ {
		f := lively(round, n)
		if n%2 == 0 {
			r.Flow(f)
		} else {
			stream(r, f, rnd)
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
		time.Sleep(3 * time.Millisecond)
	}
}

// lively is flow n of a round, the same whoever asks.
func lively(round, n int) *flowfile.Flow {
	r := rand.New(rand.NewPCG(uint64(round), uint64(n)))
	f := getOK(fmt.Sprintf("%d-%d", round, n))
	f.Response().InitBody(flowfile.BytesBody(noise()[r.IntN(1_000_000):][:[]int{0, 300, 20_000, 200_000}[r.IntN(4)]]))
	addMessages(f, n)
	return f
}

// What was recorded longer than the interval before kill -9 is there, and right; what came
// later is right as far as it goes.
func TestRecorderKill(t *testing.T) {
	rounds := 2
	if os.Getenv("FLOWKIT_LONG") == "1" {
		rounds = 60
	}
	path := filepath.Join(t.TempDir(), "a.flow")
	safe := map[int]int{} // by round: how many flows must be there
	for round := range rounds {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", recording, path, round))
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var handed []time.Time
		var timer *time.Timer
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n, err := strconv.Atoi(lines.Text()); err != nil || n != len(handed) {
				t.Fatalf("%q", lines.Text())
			}
			if handed = append(handed, time.Now()); timer == nil {
				timer = time.AfterFunc(killSlack+killFlush+time.Duration(100+rand.IntN(200))*time.Millisecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait()
		if timer == nil || stderr.Len() > 0 {
			t.Fatalf("nothing was recorded: %s", stderr.String())
		}
		end := time.Now()
		safe[round] = 0
		for _, at := range handed {
			if end.Sub(at) > killFlush+killSlack {
				safe[round]++
			}
		}
		checkRecorded(t, path, safe)
	}
	t.Logf("flows that had to be there: %v", safe)
}

func checkRecorded(t *testing.T, path string, safe map[int]int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, damage := read(t, file, native.ReaderOptions{Need: needAll})
	if len(damage) > len(safe) {
		t.Errorf("%d places of damage: %v", len(damage), damage)
	}
	have := map[string]*flowfile.Flow{}
	for _, f := range got {
		var round, n int
		if _, err := fmt.Sscanf(f.ID(), "%d-%d", &round, &n); err != nil || have[f.ID()] != nil {
			t.Fatalf("flow %s: %v", f.ID(), err)
		}
		have[f.ID()] = f
		if d := cmp.Diff(flowtest.Tree(lively(round, n)), flowtest.Tree(f)); d != "" && (n < safe[round] || !lostSomething(f)) {
			t.Errorf("flow %s (of %d that were safe) is wrong: %s", f.ID(), safe[round], d)
		}
	}
	for round, n := range safe {
		for i := range n {
			if have[fmt.Sprintf("%d-%d", round, i)] == nil {
				t.Errorf("flow %d of %d in round %d is lost", i, n, round)
			}
		}
	}
}

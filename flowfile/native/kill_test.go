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
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/native"
)

// killed holds "file trim round" for a process that writes until it is killed.
const killed = "FLOWKIT_TEST_KILLED"

func TestMain(m *testing.M) {
	if s := os.Getenv(killed); s != "" {
		var path string
		var trim bool
		var round int
		if _, err := fmt.Sscan(s, &path, &trim, &round); err == nil {
			err = writeForever(path, trim, round)
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(3)
	}
	if s := os.Getenv(recording); s != "" {
		var path string
		var round int
		if _, err := fmt.Sscan(s, &path, &round); err == nil {
			fmt.Fprintln(os.Stderr, recordForever(path, round))
		}
		os.Exit(3)
	}
	if path := os.Getenv(filling); path != "" {
		if err := fill(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeForever appends flows and tells on standard output what was found at the end of the
// file, and then how many are flushed.
func writeForever(path string, trim bool, round int) error {
	w, tail, err := native.OpenAppend(path, native.WriterOptions{Workers: 1 + round%3, Level: native.Fastest}, trim)
	if err != nil {
		return err
	}
	if _, err := fmt.Println(tail.Torn); err != nil {
		return err
	}
	for n := 0; ; {
		b := &flowfile.Batch{}
		for range 1 + n%5 {
			b.Flows = append(b.Flows, numbered(round, n))
			n++
		}
		if err := w.Write(b); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

// noise takes long to make, and is written in one piece: most kills shall hit a write.
var noise = sync.OnceValue(func() []byte {
	b := make([]byte, 5_000_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
})

// numbered is flow n of a round, the same whoever asks.
func numbered(round, n int) *flowfile.Flow {
	r := rand.New(rand.NewPCG(uint64(round), uint64(n)))
	size := []int{0, 300, 70_000, 400_000, 900_000, 4_000_000}[r.IntN(6)]
	at := r.IntN(1_000_000)
	body := noise()[at : at+size]
	f := getOK(fmt.Sprintf("%d-%d", round, n))
	f.Response().InitBody(flowfile.BytesBody(body))
	addMessages(f, n)
	return f
}

// addMessages gives flow n of a round its messages, if it has some.
func addMessages(f *flowfile.Flow, n int) {
	if n%4 != 1 {
		return
	}
	log := &flowfile.MessageLog{}
	for i := range n % 50 {
		log.Append(flowfile.Msg{Body: flowfile.StringBody(strings.Repeat("message ", i)), Time: flowfile.Time(i + 1)})
	}
	f.Messages().Replace(log)
}

// What was flushed survives kill -9, whatever is at the end of the file, and so does what is
// appended behind it.
func TestKill(t *testing.T) {
	rounds := 12
	if os.Getenv("FLOWKIT_LONG") == "1" {
		rounds = 200
	}
	const perFile = 10
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	torn, flows := 0, 0
	var path string
	var acked map[int]int // by round
	var trim bool
	for round := range rounds {
		if round%perFile == 0 {
			path = filepath.Join(t.TempDir(), "a.flow")
			acked = map[int]int{}
			trim = !trim
		}
		tail, n := killOne(t, path, trim, round, time.Duration(r.IntN(60_000))*time.Microsecond)
		if tail > 0 {
			torn++
		}
		acked[round] = n
		flows += n
		checkKilled(t, path, acked, trim)
	}
	t.Logf("%d writers killed, %d flows acknowledged, %d torn tails met by the next", rounds, flows, torn)
}

// killOne starts a writer and kills it some time after its first flush. It returns what the
// writer found at the end and how many flows it acknowledged.
func killOne(t *testing.T, path string, trim bool, round int, after time.Duration) (torn int64, acked int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %v %d", killed, path, trim, round))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		n, err := strconv.Atoi(lines.Text())
		switch {
		case err != nil:
			t.Fatalf("%q", lines.Text())
		case i == 0:
			torn = int64(n)
			timer = time.AfterFunc(after, func() { cmd.Process.Kill() })
		default:
			acked = n
		}
	}
	cmd.Wait()
	if timer == nil || stderr.Len() > 0 {
		t.Fatalf("the writer did not write: %s", stderr.String())
	}
	return torn, acked
}

// checkKilled reads the file: every acknowledged flow is there, once, and right; others are
// right as far as they go.
func checkKilled(t *testing.T, path string, acked map[int]int, trim bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, damage := read(t, f, native.ReaderOptions{Need: needAll})
	if trim && len(damage) > 1 || len(damage) > len(acked) {
		t.Errorf("%d places of damage: %v", len(damage), damage)
	}
	have := map[string]bool{}
	for _, f := range got {
		var round, n int
		if _, err := fmt.Sscanf(f.ID(), "%d-%d", &round, &n); err != nil || have[f.ID()] {
			t.Fatalf("flow %s: %v", f.ID(), err)
		}
		have[f.ID()] = true
		if d := cmp.Diff(flowtest.Tree(numbered(round, n)), flowtest.Tree(f)); d != "" {
			if n < acked[round] {
				t.Errorf("flow %s of %d is wrong: %s", f.ID(), acked[round], d)
			} else if !lostSomething(f) {
				t.Errorf("flow %s is wrong and does not say so: %s", f.ID(), d)
			}
		}
	}
	for round, n := range acked {
		for i := range n {
			if !have[fmt.Sprintf("%d-%d", round, i)] {
				t.Errorf("flow %d of %d acknowledged in round %d is lost", i, n, round)
			}
		}
	}
}

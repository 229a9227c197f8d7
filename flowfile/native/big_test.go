//go:build linux

package native_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/flowtest"
	"flowkit/flowfile/mitm"
	"flowkit/flowfile/native"
)

// The tool stays under memoryBudget on files and bodies that are larger than any memory.
func TestBigFiles(t *testing.T) {
	if os.Getenv("FLOWKIT_LONG") != "1" {
		return // needs 10 GB of disk and some minutes
	}
	dir := t.TempDir()
	tool := filepath.Join(dir, "flowkit")
	if out, err := exec.Command("go", "build", "-o", tool, "flowkit/cmd/flowkit").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script := filepath.Join(dir, "add.star")
	if err := os.WriteFile(script, []byte("def response(flow):\n    flow.response.headers[\"newheader\"] = \"foo\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, big := range []struct {
		name  string
		write func(t *testing.T, path string)
	}{{"5 GB of flows", manyFlows}, {"a body of 3 GB", oneBody}, {"messages of 1 GB", manyMessages}, {"messages of 30 MB", largeMessages}} {
		t.Run(big.name, func(t *testing.T) {
			path := filepath.Join(dir, "big.flow")
			defer os.Remove(path)
			big.write(t, path)
			fi, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MB", fi.Size()>>20)
			for _, args := range [][]string{
				{"cat", path, "-w", "/dev/null"},
				{"cat", "--level", "fastest", path, "-w", "/dev/null"},
				{"transform", "-s", script, "-r", path, "-w", "/dev/null"},
				{"ls", "-r", path},
				{"export", "--json", "-r", path},
				{"verify", path},
				{"<", "transform", "-s", script, "-w", "/dev/null", "--tmpdir", dir},
				{"<", "ls", "--tmpdir", dir},
			} {
				measure(t, tool, path, args)
			}
		})
	}
}

const memoryBudget = 200 << 20

// measure runs the tool and logs the most anonymous and shared memory it takes.
func measure(t *testing.T, tool, path string, args []string) {
	t.Helper()
	var feed *exec.Cmd
	shown := strings.ReplaceAll(strings.Join(args, " "), filepath.Dir(path)+"/", "")
	pipe := args[0] == "<"
	if pipe {
		args = args[1:]
	}
	cmd := exec.Command(tool, args...)
	cmd.Stdout = io.Discard
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd.Stdout = null
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if pipe {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		feed = exec.Command("cat", path)
		feed.Stdout = w
		if err := feed.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		cmd.Stdin = r
		defer r.Close()
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	peak := 0
	for running := true; running; {
		select {
		case err = <-ended:
			running = false
		case <-time.After(20 * time.Millisecond):
			peak = max(peak, memory(cmd.Process.Pid))
		}
	}
	if feed != nil {
		_ = feed.Wait()
	}
	t.Logf("%-60s %4d MB  %6.1f s  %6.1f s of CPU", shown, peak>>20, time.Since(began).Seconds(),
		(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
	if err != nil {
		t.Errorf("%s: %v\n%.2000s", shown, err, stderr.String())
	}
	if peak > memoryBudget {
		t.Errorf("%s takes %d MB", shown, peak>>20)
	}
}

// memory returns the anonymous and shared memory of a process.
func memory(pid int) (bytes int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		if key == "RssAnon" || key == "RssShmem" {
			n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			bytes += n << 10
		}
	}
	return bytes
}

// create writes a file through a Writer.
func create(t *testing.T, path string, write func(w *native.Writer) error) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := native.NewWriter(f, native.WriterOptions{Level: native.Fastest})
	if err := write(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// manyFlows writes 100 sessions of flows as real captures have them, with larger bodies
// among them.
func manyFlows(t *testing.T, path string) {
	var dump bytes.Buffer
	if err := flowtest.Dump(&dump, 3000, 1); err != nil {
		t.Fatal(err)
	}
	session := path + ".session"
	create(t, session, func(w *native.Writer) error {
		for b, err := range batches(mitm.NewReader(bytes.NewReader(dump.Bytes()), mitm.ReaderOptions{})) {
			if err != nil {
				return err
			}
			for i, f := range b.Flows {
				if r := f.Response(); r != nil && i%2 == 0 {
					at := rand.IntN(4_000_000)
					r.InitBody(flowfile.BytesBody(noise()[at : at+rand.IntN(60_000)]))
				}
			}
			if err := w.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
	data, err := os.ReadFile(session)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(session); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for n := 0; n < 5<<30; n += len(data) {
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
}

// repeated is content of n bytes: noise, again and again.
type repeated int64

func (r repeated) Size() int64 { return int64(r) }

func (r repeated) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(new(again), int64(r))), nil
}

type again int

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, noise()[*a:])
	*a = (*a + again(n)) % again(len(noise()))
	return n, nil
}

func oneBody(t *testing.T, path string) {
	create(t, path, func(w *native.Writer) error {
		f := getOK("large")
		f.Response().InitBody(flowfile.ContentBody(repeated(3 << 30)))
		return w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{get("before"), f, get("behind")}})
	})
}

// manyMessages writes two conversations of 1 KB messages.
func manyMessages(t *testing.T, path string) {
	create(t, path, func(w *native.Writer) error {
		for _, id := range []string{"a", "b"} {
			log := &flowfile.MessageLog{}
			for i := range 500_000 {
				at := i * 7 % 4_000_000
				log.Append(flowfile.Msg{Time: flowfile.Time(1_790_000_000_000_000_000 + i*1_234_567), Opcode: 2, Body: flowfile.BytesBody(noise()[at : at+1000])})
			}
			f := getOK(id)
			f.Messages().Replace(log)
			if err := w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
				return err
			}
		}
		return nil
	})
}

func largeMessages(t *testing.T, path string) {
	create(t, path, func(w *native.Writer) error {
		log := &flowfile.MessageLog{}
		for range 20 {
			log.Append(flowfile.Msg{Opcode: 2, Body: flowfile.ContentBody(repeated(30 << 20))})
		}
		f := getOK("a")
		f.Messages().Replace(log)
		return w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}})
	})
}

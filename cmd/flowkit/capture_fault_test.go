package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/flowfile/native"
)

// running starts flowkit capture in the regular mode with some more arguments. What it says goes to the returned buffer.
func running(t *testing.T, out *os.File, args ...string) (*capturer, *said) {
	t.Helper()
	c := &capturer{t: t, addrs: make(map[string]string)}
	c.cmd = exec.Command("flowkit", append([]string{"capture", "--listen", "127.0.0.1:0", "--confdir", filepath.Join(t.TempDir(), "conf")}, args...)...)
	if out != nil {
		c.cmd.Stdout = out
	}
	s := &said{}
	c.heard = s
	c.start(nil, 1)
	return c, s
}

// said is what a process says on stderr.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// wait waits for a text.
func (s *said) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(s.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing says %q:\n%s", text, s)
		}
	}
}

// end ends a capture with a signal and returns its exit code.
func (c *capturer) end(sig os.Signal) int {
	c.t.Helper()
	check(c.t, c.cmd.Process.Signal(sig))
	stuck := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer stuck.Stop()
	c.ended = true
	<-c.deaf
	var exit *exec.ExitError
	if err := c.cmd.Wait(); errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		c.t.Fatal(err)
	}
	return 0
}

// through is a client that uses a capture.
func (c *capturer) through() *http.Client {
	tr := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: c.addrs["regular"]})}
	c.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// fetch gets a URL and wants its body.
func fetch(t *testing.T, client *http.Client, url, want string) {
	t.Helper()
	resp, err := client.Get(url)
	check(t, err)
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != want {
		t.Fatalf("%s: got %.200q, %v", url, b, err)
	}
}

// paths opens a file and returns how often each path is in it, and its damage.
func paths(t *testing.T, file string) (map[string]int, []error) {
	t.Helper()
	f, err := os.Open(file)
	check(t, err)
	defer f.Close()
	var damage []error
	r := native.NewReader(f, native.ReaderOptions{})
	defer r.Close()
	all := make(map[string]int)
	for f, err := range flowfile.Flows(r) {
		var d *flowfile.Damage
		switch {
		case errors.As(err, &d):
			damage = append(damage, d)
		case err != nil:
			t.Fatal(err)
		case f.Request() != nil && f.Response() != nil:
			all[f.Request().Path()]++
		}
	}
	return all, damage
}

// A capture that is killed with -9 under load leaves a file that opens, with every flow that had ended more than a flush
// interval before.
func TestCaptureKill(t *testing.T) {
	rounds := 5
	if os.Getenv("FLOWKIT_LONG") == "1" {
		rounds = 50
	}
	const flush = 50 * time.Millisecond
	const slack = 100 * time.Millisecond // of a busy machine, between the answer and the record
	big := strings.Repeat("0123456789abcdef", 8<<10)
	plain, _ := origin(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 100
		if rand.IntN(20) == 0 {
			n = len(big)
		}
		_, _ = io.WriteString(w, big[:n])
	}))
	total := 0
	for round := range rounds {
		file := filepath.Join(t.TempDir(), "x.flow")
		c, log := running(t, nil, "-w", file, "--flush", flush.String())
		kill := make(chan struct{})
		var mu sync.Mutex
		var clients sync.WaitGroup
		ended := make(map[string]time.Time)
		for worker := range 4 {
			client := c.through()
			clients.Go(func() {
				for n := 0; ; n++ {
					path := fmt.Sprintf("/%d/%d", worker, n)
					resp, err := client.Get(plain.URL + path)
					if err == nil {
						_, err = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
					if err != nil {
						select {
						case <-kill:
						default:
							t.Errorf("%s: %v", path, err)
						}
						return
					}
					mu.Lock()
					ended[path] = time.Now()
					mu.Unlock()
				}
			})
		}
		time.Sleep(flush + slack + time.Duration(50+rand.IntN(150))*time.Millisecond)
		close(kill)
		at := time.Now()
		check(t, c.cmd.Process.Kill())
		_ = c.cmd.Wait()
		c.ended = true
		clients.Wait()
		got, damage := paths(t, file)
		if len(damage) > 1 {
			t.Errorf("round %d: %v", round, damage)
		}
		safe := 0
		for path, when := range ended {
			if at.Sub(when) < flush+slack {
				continue
			}
			safe++
			if got[path] != 1 {
				t.Errorf("round %d: %s ended %v before the kill, and is there %d times\n%s", round, path, at.Sub(when), got[path], log)
			}
		}
		if safe == 0 {
			t.Errorf("round %d: nothing ended in time", round)
		}
		total += safe
	}
	t.Logf("%d rounds, %d flows that had to be there", rounds, total)
}

// noise returns bytes that do not get smaller, always the same for a path.
func noise(n int, path string) []byte {
	var seed [32]byte
	copy(seed[:], path)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b)
	return b
}

func noisy(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(noise(n, r.URL.Path)) }
}

func TestCaptureDiskFull(t *testing.T) {
	if !canMount(t) {
		absent(t, "no tmpfs can be mounted")
	}
	dir := t.TempDir()
	check(t, exec.Command("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", dir).Run())
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	plain, _ := origin(t, false, noisy(64<<10))
	c, log := running(t, nil, "-w", filepath.Join(dir, "x.flow"), "--flush", "20ms")
	client := c.through()
	for n := range 20 {
		fetch(t, client, plain.URL+"/"+strconv.Itoa(n), string(noise(64<<10, "/"+strconv.Itoa(n))))
		if n == 0 {
			time.Sleep(100 * time.Millisecond) // it is in the file
		}
	}
	log.wait(t, "NOT RECORDING")
	fetch(t, client, plain.URL+"/last", string(noise(64<<10, "/last")))
	if code := c.end(os.Interrupt); code != cli.Lost {
		t.Errorf("exit %d", code)
	}
	log.wait(t, "could not be recorded")
	if n := strings.Count(log.String(), "NOT RECORDING"); n > 3 {
		t.Errorf("said %d times", n)
	}
	if got, _ := paths(t, filepath.Join(dir, "x.flow")); got["/0"] != 1 {
		t.Errorf("the file has %v", got)
	}
}

// What keeps a capture from its beginning is said in a line, with exit 2 or 4, and leaves nothing behind.
func TestCaptureRefusals(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.flow")
	c, _ := running(t, nil, "-w", file)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer taken.Close()
	notDir := filepath.Join(dir, "file")
	check(t, os.WriteFile(notDir, nil, 0o600))
	conf := filepath.Join(dir, "conf")
	other := filepath.Join(dir, "y.flow")
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"file of another capture", "written by another process", []string{"-w", "+" + file, "--listen", "127.0.0.1:0", "--confdir", conf}},
		{"port in use", "address already in use", []string{"-w", other, "--listen", taken.Addr().String(), "--confdir", conf}},
		{"one of two ports in use", "address already in use", []string{"-w", other, "--mode", "regular@127.0.0.1:0", "--mode", "socks5@" + taken.Addr().String(), "--confdir", conf}},
		{"folder of the authority", "file/conf", []string{"-w", other, "--listen", "127.0.0.1:0", "--confdir", filepath.Join(notDir, "conf")}},
		{"folder of the authority cannot be written", "/proc/nothing", []string{"-w", other, "--listen", "127.0.0.1:0", "--confdir", "/proc/nothing"}},
		{"folder of the file", "nowhere", []string{"-w", filepath.Join(dir, "nowhere", "x.flow"), "--listen", "127.0.0.1:0", "--confdir", conf}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, said := inProcess(t, append([]string{"capture"}, tt.args...)...)
			if code != cli.Usage && code != cli.Input || !strings.Contains(said, tt.want) || strings.Count(said, "\n") > 3 {
				t.Errorf("exit %d, %s", code, said)
			}
			if _, err := os.Lstat(other); err == nil {
				t.Error("a file was left")
			}
		})
	}
	if code := c.end(os.Interrupt); code != 0 {
		t.Errorf("the other capture: exit %d", code)
	}
}

// SIGTERM and SIGHUP complete the file, with what is under way as incomplete.
func TestCaptureSignals(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			here := make(chan struct{})
			plain, _ := origin(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "ok")
				if r.URL.Path == "/slow" {
					_ = http.NewResponseController(w).Flush()
					close(here)
					<-r.Context().Done()
				}
			}))
			file := filepath.Join(t.TempDir(), "x.flow")
			c, _ := running(t, nil, "-w", file, "--flush", "10s")
			fetch(t, c.through(), plain.URL+"/fast", "ok")
			done := make(chan error, 1)
			go func() {
				resp, err := c.through().Get(plain.URL + "/slow")
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				done <- err
			}()
			<-here
			if code := c.end(sig); code != 0 {
				t.Errorf("exit %d", code)
			}
			if err := <-done; err == nil {
				t.Error("the client takes what it got for whole")
			}
			got, damage := paths(t, file)
			if len(damage) > 0 || got["/fast"] != 1 || got["/slow"] != 1 {
				t.Errorf("the file has %v, %v", got, damage)
			}
			mustRun(t, exec.Command("flowkit", "verify", "-q", file))
			out := mustRun(t, exec.Command("flowkit", "export", "--json", "-q", "-r", file, "~u /slow"))
			if !strings.Contains(out, `"text":"ok"`) || !strings.Contains(out, "incomplete") {
				t.Errorf("recorded %s", out)
			}
		})
	}
}

func TestCaptureRotation(t *testing.T) {
	plain, _ := origin(t, false, noisy(20<<10))
	for _, rotate := range []string{"64k", "1s"} {
		t.Run(rotate, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c, log := running(t, nil, "-w", filepath.Join(dir, "%Y", "x.flow"), "--rotate", rotate, "--flush", "10ms")
			var clients sync.WaitGroup
			const each = 30
			for worker := range 4 {
				client := c.through()
				clients.Go(func() {
					for n := range each {
						resp, err := client.Get(fmt.Sprintf("%s/%d/%d", plain.URL, worker, n))
						if err != nil {
							t.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
						time.Sleep(1500 * time.Millisecond / each)
					}
				})
			}
			clients.Wait()
			if code := c.end(os.Interrupt); code != 0 {
				t.Errorf("exit %d\n%s", code, log)
			}
			files, err := filepath.Glob(filepath.Join(dir, "2*", "x*.flow"))
			check(t, err)
			if len(files) < 2 {
				t.Errorf("%d files\n%s", len(files), log)
			}
			all := make(map[string]int)
			for _, f := range files {
				got, damage := paths(t, f)
				if len(damage) > 0 {
					t.Errorf("%s: %v", f, damage)
				}
				for path, n := range got {
					all[path] += n
				}
				mustRun(t, exec.Command("flowkit", "verify", "-q", f))
			}
			if len(all) != 4*each {
				t.Errorf("%d flows in %d files, want %d", len(all), len(files), 4*each)
			}
		})
	}
}

// A reader of -w - that goes away: the traffic goes on, and the capture says that it lost something.
func TestCaptureClosedPipe(t *testing.T) {
	plain, _ := origin(t, false, hello)
	r, w, err := os.Pipe()
	check(t, err)
	c, log := running(t, w, "-w", "-", "--flush", "20ms")
	w.Close()
	client := c.through()
	fetch(t, client, plain.URL+"/1", "hello HTTP/1.1")
	r.Close()
	for range 3 {
		fetch(t, client, plain.URL+"/2", "hello HTTP/1.1")
		time.Sleep(30 * time.Millisecond)
	}
	log.wait(t, "NOT RECORDING")
	fetch(t, client, plain.URL+"/3", "hello HTTP/1.1")
	if code := c.end(os.Interrupt); code != cli.Lost {
		t.Errorf("exit %d\n%s", code, log)
	}
}

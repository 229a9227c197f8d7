package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// followed runs a command that follows a file; next returns the next line of its output.
func followed(t *testing.T, dir string, args ...string) (next func() string, end func()) {
	t.Helper()
	cmd := exec.Command("flowkit", args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(out)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			lines <- in.Text()
		}
	}()
	next = func() string {
		t.Helper()
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatal("the command has ended")
			}
			return l
		case <-time.After(20 * time.Second):
			t.Fatal("nothing comes")
		}
		return ""
	}
	end = func() {
		t.Helper()
		check(t, cmd.Process.Signal(syscall.SIGINT))
		for l := range lines {
			t.Errorf("in the end %q", l)
		}
		_ = cmd.Wait()
	}
	return next, end
}

// A file is read on while it is written, and so is what comes in its place or behind it.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	flow := func(path string) string {
		return `{"type":"http","id":"` + path + `","request":{"method":"GET","scheme":"http","host":"a.example","port":80,"path":"` + path + `","http_version":"HTTP/1.1"}}` + "\n"
	}
	add := func(name, text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		check(t, err)
		_, err = f.WriteString(text)
		check(t, err)
		check(t, f.Close())
	}
	wants := func(next func() string, path string) {
		t.Helper()
		if l := next(); !strings.Contains(l, "http://a.example"+path) {
			t.Errorf("got %q, want %s", l, path)
		}
	}
	t.Run("native", func(t *testing.T) {
		native := func(name, path string) {
			t.Helper()
			cmd := exec.Command("flowkit", "cat", "-w", "+"+name)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader(flow(path))
			mustRun(t, cmd)
		}
		native("x-1.flow", "/1")
		next, end := followed(t, dir, "ls", "--follow", "-r", "x-*.flow")
		wants(next, "/1")
		native("x-1.flow", "/2")
		wants(next, "/2")
		native("x-2.flow", "/3")
		native("x-1.flow", "/late") // of a flow that had begun before the rotation
		wants(next, "/late")
		wants(next, "/3")
		native("x-2.flow", "/4")
		wants(next, "/4")
		end()
	})
	t.Run("replaced", func(t *testing.T) {
		add("x.jsonl", flow("/1")+flow("/2")[:20])
		next, end := followed(t, dir, "export", "--json", "--follow", "-r", "x.jsonl")
		wants(next, "/1")
		add("x.jsonl", flow("/2")[20:])
		wants(next, "/2")
		check(t, os.Rename(filepath.Join(dir, "x.jsonl"), filepath.Join(dir, "x.jsonl.1")))
		add("x.jsonl", flow("/3"))
		wants(next, "/3")
		end()
	})
	t.Run("none", func(t *testing.T) {
		cmd := exec.Command("flowkit", "ls", "--follow", "-r", "none-*.flow")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "none-*.flow: there is no such file") {
			t.Errorf("%v, %s", err, out)
		}
	})
}

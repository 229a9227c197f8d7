package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"flowkit": main})
}

// TestScript runs testdata/script: each file is one behaviour of the tool.
func TestScript(t *testing.T) {
	cache := t.TempDir() // where the Python package is extracted, once for all
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("FLOWKIT_UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			demo, err := filepath.Abs("../../testdata/demo")
			if err != nil {
				return err
			}
			small, err := filepath.Abs("testdata/small.jsonl")
			if err != nil {
				return err
			}
			env.Setenv("DEMO", filepath.Join(demo, "demo.mitm"))
			env.Setenv("DEMODIR", demo)
			env.Setenv("SMALL", small)
			env.Setenv("XDG_CACHE_HOME", cache)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "mount":
				return canMount(t), nil
			case "python":
				return hasPython(t), nil
			case "mitmproxy":
				return hasMitmproxy(t), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":      code,
			"flip":      flip,
			"cut":       cut,
			"interrupt": interrupt,
			"tty":       tty,
		},
	})
}

// hasPython tells whether there is a python3 to run scripts with; CI has one.
func hasPython(t *testing.T) bool {
	_, err := exec.LookPath("python3")
	if err != nil && os.Getenv("FLOWKIT_CI") != "" {
		t.Error("there is no python3")
	}
	return err == nil
}

// hasMitmproxy tells whether the system's python3 has mitmproxy, as Debian packages it; CI's
// has.
func hasMitmproxy(t *testing.T) bool {
	err := exec.Command("/usr/bin/python3", "-c", "import mitmproxy.http").Run()
	if err != nil && os.Getenv("FLOWKIT_CI") != "" {
		t.Error("there is no mitmproxy for /usr/bin/python3: ", err)
	}
	return err == nil
}

// canMount tells whether a disk of its own can be made for a test: not even root may
// everywhere.
func canMount(t *testing.T) bool {
	dir := t.TempDir()
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).Run() != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
}

// code runs a command and compares its exit code: code N COMMAND ARGS...
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARGS...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if want := number(ts, args[0]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// flip changes one bit of a file: flip FILE OFFSET; an offset below 0 is from the end.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	b := []byte(ts.ReadFile(args[0]))
	at := number(ts, args[1])
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 0x10
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// cut takes the end off a file: cut FILE SIZE; a size below 0 takes so many bytes off.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE SIZE")
	}
	b := ts.ReadFile(args[0])
	n := number(ts, args[1])
	if n < 0 {
		n += len(b)
	}
	ts.Check(os.Truncate(ts.MkAbs(args[0]), int64(n)))
}

// interrupt runs a command, sends it Ctrl-C so many times once its unfinished output is
// there, and wants exit code 130: interrupt N COMMAND ARGS... What it says goes to
// interrupt.err.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupt N COMMAND ARGS...")
	}
	cmd := commandIn(ts, args[1:])
	stderr, err := os.Create(ts.MkAbs("interrupt.err"))
	ts.Check(err)
	defer stderr.Close()
	cmd.Stderr = stderr
	ts.Check(cmd.Start())
	kill := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer kill.Stop()
	for range 6000 {
		if partial(ts) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // the signal handler is there right after the output
	for range number(ts, args[0]) {
		ts.Check(cmd.Process.Signal(os.Interrupt))
		time.Sleep(50 * time.Millisecond)
	}
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		ts.Fatalf("exit code %d, want 130", got)
	}
}

func partial(ts *testscript.TestScript) bool {
	found, err := filepath.Glob(ts.MkAbs(".*.part"))
	ts.Check(err)
	return len(found) > 0
}

// commandIn is a command in the environment of the script.
func commandIn(ts *testscript.TestScript, args []string) *exec.Cmd {
	path := args[0]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		p := filepath.Join(dir, args[0])
		if fi, err := os.Stat(p); err == nil && fi.Mode()&0o111 != 0 {
			path = p
			break
		}
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "NO_COLOR", "GOCOVERDIR", "DEMO", "DEMODIR", "SMALL"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, "TERM=xterm")
	return cmd
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// tty runs a command with some of its streams on a terminal of 100 columns: tty in,out,err
// CODE COMMAND ARGS... What it prints there goes to the file tty, what it prints elsewhere
// to tty.out and tty.err.
func tty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: tty in,out,err CODE COMMAND ARGS...")
	}
	master, slave, err := openPTY()
	ts.Check(err)
	defer master.Close()
	cmd := commandIn(ts, args[2:])
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	for stream := range strings.SplitSeq(args[0], ",") {
		switch stream {
		case "in":
			cmd.Stdin = slave
		case "out":
			cmd.Stdout = slave
		case "err":
			cmd.Stderr = slave
		}
	}
	ts.Check(cmd.Start())
	slave.Close()
	kill := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer kill.Stop()
	var screen bytes.Buffer
	io.Copy(&screen, master) // ends in EIO, when nobody has the terminal any more
	err = cmd.Wait()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		ts.Fatalf("%v", err)
	}
	text := strings.ReplaceAll(screen.String(), "\r\n", "\n")
	for name, b := range map[string]string{"tty": text, "tty.out": stdout.String(), "tty.err": stderr.String()} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(b), 0o600))
	}
	ts.Logf("[terminal]\n%s%s%s", text, stdout.String(), stderr.String())
	if got, want := cmd.ProcessState.ExitCode(), number(ts, args[1]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func openPTY() (master, slave *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100})
	}
	if err != nil {
		master.Close()
	}
	return master, slave, err
}

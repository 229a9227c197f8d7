package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"flowkit/cmd/flowkit/internal/cli"
)

// inProcess runs a command line on files and returns its exit code and stderr.
func inProcess(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var b bytes.Buffer
	code = runOn(&cli.Streams{In: null, Out: null, Err: &b}, args)
	return code, b.String()
}

// TestDamage cuts and flips small files of every format at many places. Whatever there is
// left, a command says in its exit code and on stderr what became of it, and what it wrote
// is whole.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x.flow", "x.mitm", "x.jsonl", "x.flow.gz", "x.mitm.zst"} {
		t.Run(name, func(t *testing.T) {
			data := small(t, dir, name)
			bad := filepath.Join(dir, "bad-"+name)
			out := filepath.Join(dir, "out-"+name+".flow")
			try := func(what string, b []byte) {
				if err := os.WriteFile(bad, b, 0o600); err != nil {
					t.Fatal(err)
				}
				code, said := inProcess(t, "cat", bad, "-w", out)
				if !slices.Contains([]int{cli.OK, cli.Lost, cli.Input}, code) || (code == cli.OK) != (said == "") {
					t.Fatalf("%s: cat: exit %d\n%s", what, code, said)
				}
				if code == cli.Input {
					return
				}
				if code, said := inProcess(t, "verify", out); code != cli.OK {
					t.Fatalf("%s: what cat wrote: exit %d\n%s", what, code, said)
				}
			}
			for n := 0; n < len(data); n += max(len(data)/40, 1) {
				try(fmt.Sprintf("cut at %d", n), data[:n])
				flipped := bytes.Clone(data)
				flipped[n] ^= 1 << (n % 8)
				try(fmt.Sprintf("bit of byte %d", n), flipped)
			}
		})
	}
}

// small returns testdata/small.jsonl as a file of that name.
func small(t *testing.T, dir, name string) []byte {
	path := filepath.Join(dir, name)
	plain, packed := path, ""
	if ext := filepath.Ext(name); ext == ".gz" || ext == ".zst" {
		plain, packed = path[:len(path)-len(ext)], ext
	}
	if code, said := inProcess(t, "cat", "testdata/small.jsonl", "-w", plain); code != cli.OK {
		t.Fatal(said)
	}
	switch packed {
	case ".gz":
		pack(t, plain, path, "gzip", "-c")
	case ".zst":
		pack(t, plain, path, "zstd", "-q", "-c")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pack(t *testing.T, from, to, tool string, args ...string) {
	if _, err := exec.LookPath(tool); err != nil && os.Getenv("FLOWKIT_CI") == "" {
		t.Skip(err)
	}
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.Command(tool, args...)
	cmd.Stdin = in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, out, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestStreamsAreGiven makes sure that commands print to the streams that they were handed.
func TestStreamsAreGiven(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for _, args := range [][]string{
		{"ls", "-r", "testdata/small.jsonl"},
		{"show", "1", "-r", "testdata/small.jsonl"},
		{"info", "testdata/small.jsonl"},
		{"verify", "testdata/small.jsonl"},
		{"cat", "testdata/small.jsonl"},
		{"export", "--table", "-r", "testdata/small.jsonl"},
		{"transform", "-r", "testdata/small.jsonl"},
		{"version"},
		{"help"},
		{"completion", "bash"},
	} {
		if err := out.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		code := runOn(&cli.Streams{In: os.Stdin, Out: out, Err: &said}, args)
		fi, err := out.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if code != 0 || fi.Size() == 0 || said.Len() > 0 {
			t.Errorf("%q: exit %d, %d bytes on stdout, on stderr %q", args, code, fi.Size(), said.String())
		}
	}
}

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs each "$ command" of README.md's console blocks, in a folder that has
// the demo capture and scripts, and compares what it prints with what the README says.
// A line "…" in the README stands for any lines.
func TestReadme(t *testing.T) {
	for _, tool := range []string{"jq", "zstd"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("FLOWKIT_CI") != "" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "flowkit"), ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"demo.mitm", "add_header.star", "tour.star"} {
		b, err := os.ReadFile(filepath.Join("../../testdata/demo", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		for _, c := range commands(block[1]) {
			n++
			cmd := exec.Command("sh", "-c", c.line)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "NO_COLOR=1")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("$ %s\n%v\n%s", c.line, err, out)
				continue
			}
			if !c.matches(string(out)) {
				t.Errorf("$ %s\nprints\n%s\nthe README says\n%s", c.line, out, c.output)
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d commands found in the README", n)
	}
}

type command struct{ line, output string }

func commands(block string) []command {
	var cs []command
	for _, l := range strings.SplitAfter(block, "\n") {
		if line, ok := strings.CutPrefix(l, "$ "); ok {
			cs = append(cs, command{line: strings.TrimSpace(line)})
		} else if len(cs) > 0 {
			cs[len(cs)-1].output += l
		}
	}
	return cs
}

func (c command) matches(out string) bool {
	var re bytes.Buffer
	re.WriteString("(?s)^")
	for l := range strings.SplitAfterSeq(c.output, "\n") {
		if strings.TrimSpace(l) == "…" {
			re.WriteString(".*")
		} else {
			re.WriteString(regexp.QuoteMeta(l))
		}
	}
	re.WriteString("$")
	return regexp.MustCompile(re.String()).MatchString(out)
}

package python_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pythonEnv is the environment for tests of the package itself, which lies in path.
func pythonEnv(path string) []string {
	return append(os.Environ(), "PYTHONPATH="+path, "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore", "PYTHONHASHSEED=0")
}

func shimPath(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("shim")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUnit runs the Python tests of the package in every python3 that there is.
func TestUnit(t *testing.T) {
	shim := shimPath(t)
	for version, path := range interpreters(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(path, "-m", "unittest", "discover", "-s", "testdata/unit", "-p", "test_*.py")
			cmd.Env = pythonEnv(shim)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, tail(string(out), 4000))
			}
		})
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// TestOracle compares the package with mitmproxy 8.1.1, function by function: each file of
// testdata/oracle prints a line a case, and DEVIATIONS in it says which differ and why.
func TestOracle(t *testing.T) {
	python := needDebian(t)
	files, err := filepath.Glob("testdata/oracle/[a-z]*.py")
	if err != nil || len(files) < 15 {
		t.Fatalf("only %d files: %v", len(files), err)
	}
	shim := shimPath(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".py"), func(t *testing.T) {
			t.Parallel()
			reasons := deviationsOf(t, python, file)
			theirs, ours := cases(t, python, file, ""), cases(t, python, file, shim)
			if len(theirs) == 0 || len(theirs) != len(ours) {
				t.Fatalf("mitmproxy has %d cases, flowkit %d", len(theirs), len(ours))
			}
			used, shown := make(map[string]bool), 0
			for i, want := range theirs {
				name, _, _ := strings.Cut(want, "\t")
				switch {
				case want == ours[i]:
				case reasons[name] != "":
					used[name] = true
				case shown < 20:
					shown++
					t.Errorf("mitmproxy: %s\n  flowkit: %s", want, ours[i])
				}
			}
			for name := range reasons {
				if !used[name] {
					t.Errorf("%s is no deviation any more", name)
				}
			}
		})
	}
}

// cases returns the lines that an oracle file prints.
func cases(t *testing.T, python, file, path string) []string {
	t.Helper()
	cmd := exec.Command(python, filepath.Base(file), "run")
	cmd.Dir = filepath.Dir(file)
	cmd.Env = pythonEnv(path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s with PYTHONPATH=%q: %v\n%s", file, path, err, tail(stderr.String(), 2000))
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func deviationsOf(t *testing.T, python, file string) map[string]string {
	t.Helper()
	// Not by import: some have the names of Python's own modules.
	cmd := exec.Command(python, "-c", fmt.Sprintf("import json, runpy; print(json.dumps(runpy.run_path(%q).get('DEVIATIONS', {})))", filepath.Base(file)))
	cmd.Dir = filepath.Dir(file)
	cmd.Env = pythonEnv("")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("DEVIATIONS of %s: %v", file, err)
	}
	reasons := make(map[string]string)
	if err := json.Unmarshal(out, &reasons); err != nil {
		t.Fatalf("DEVIATIONS of %s: %v", file, err)
	}
	return reasons
}

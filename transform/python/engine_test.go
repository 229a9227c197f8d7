package python_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"flowkit/transform/enginetest"
	"flowkit/transform/python"
)

// interpreters returns every python3 from 3.8 on that is found, by what it is called.
func interpreters(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	add := func(path string) {
		out, err := exec.Command(path, "-c", "import sys; print('%d.%d' % sys.version_info[:2]); sys.exit(sys.version_info < (3, 8))").Output()
		if err == nil {
			found[string(out[:len(out)-1])] = path
		}
	}
	home, _ := os.UserHomeDir()
	others, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", "3.*", "bin", "python3"))
	for _, path := range others {
		add(path)
	}
	for _, name := range []string{"python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "/usr/bin/python3"} {
		if path, err := exec.LookPath(name); err == nil {
			add(path)
		}
	}
	if len(found) == 0 {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatal("there is no python3")
		}
		t.Skip("there is no python3 to run scripts with")
	}
	return found
}

func TestEngine(t *testing.T) {
	cache := t.TempDir()
	all := interpreters(t)
	newest := ""
	for minor := range 30 {
		if path, ok := all[fmt.Sprintf("3.%d", minor)]; ok {
			newest = path
		}
	}
	for version, path := range all {
		t.Run(version, func(t *testing.T) {
			d := enginetest.Dialect{Scripts: os.DirFS("../enginetest/testdata/python"), Ext: ".py"}
			enginetest.Run(t, python.Engine{Python: path, CacheDir: cache}, d)
			if version != "3.8" && path != newest {
				return
			}
			t.Run("live", func(t *testing.T) { enginetest.RunLive(t, python.Engine{Python: path, CacheDir: cache}, d) })
		})
	}
}

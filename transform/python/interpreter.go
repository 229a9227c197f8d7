package python

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// interpreter returns the python to run: a program, not a version manager's script, which
// would take longer to start it than the whole run.
func (e Engine) interpreter(ctx context.Context) (string, error) {
	if e.Python != "" {
		path, err := exec.LookPath(e.Python)
		if err != nil {
			return "", fmt.Errorf("--python: %v", err) // not wrapped: it names the path already
		}
		return e.behind(ctx, path)
	}
	if venv := os.Getenv("VIRTUAL_ENV"); venv != "" {
		if path, err := exec.LookPath(filepath.Join(venv, "bin", "python3")); err == nil {
			return e.behind(ctx, path)
		}
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := exec.LookPath(name); err == nil {
			return e.behind(ctx, path)
		}
	}
	return "", ErrNoPython
}

// behind returns path, or the interpreter that it starts if it is a script, as those of
// pyenv and asdf are. What it was found to be is remembered as long as nothing changes that
// such scripts look at.
func (e Engine) behind(ctx context.Context, path string) (string, error) {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if !isScript(path) {
		return path, nil
	}
	memo := e.memo(path)
	if memo != "" {
		if b, err := os.ReadFile(memo); err == nil {
			if _, err := os.Stat(string(b)); err == nil {
				return string(b), nil
			}
		}
	}
	out, err := exec.CommandContext(ctx, path, "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			return "", fmt.Errorf("%s: %s", path, bytes.TrimSpace(exit.Stderr))
		}
		return "", fmt.Errorf("%s: %w", path, err)
	}
	real := strings.TrimSpace(string(out))
	if real == "" || isScript(real) {
		return path, nil
	}
	if memo != "" && os.MkdirAll(filepath.Dir(memo), 0o700) == nil {
		// Only the next start would be faster.
		_ = os.WriteFile(memo, []byte(real), 0o600)
	}
	return real, nil
}

func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [2]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && string(head[:]) == "#!"
}

// memo returns the file that remembers what is behind a script: its name depends on all that
// version managers decide by.
func (e Engine) memo(path string) string {
	cache := e.CacheDir
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		cache = filepath.Join(dir, "flowkit")
	}
	h := sha256.New()
	stamp(h, path)
	for _, name := range []string{"PYENV_VERSION", "PYENV_ROOT", "ASDF_PYTHON_VERSION", "MISE_PYTHON_VERSION", "RTX_PYTHON_VERSION"} {
		fmt.Fprintf(h, "%s=%s\n", name, os.Getenv(name))
	}
	files := []string{".python-version", ".tool-versions", "mise.toml", ".mise.toml"}
	dir, _ := os.Getwd()
	for {
		for _, f := range files {
			stamp(h, filepath.Join(dir, f))
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		break
	}
	home, _ := os.UserHomeDir()
	for _, f := range files {
		stamp(h, filepath.Join(home, f))
	}
	root := os.Getenv("PYENV_ROOT")
	if root == "" {
		root = filepath.Join(home, ".pyenv")
	}
	stamp(h, filepath.Join(root, "version"))
	return filepath.Join(cache, "python-"+hex.EncodeToString(h.Sum(nil))[:16])
}

// stamp hashes a file's name and what changes when it is written.
func stamp(h io.Writer, path string) {
	if fi, err := os.Stat(path); err == nil {
		fmt.Fprintf(h, "%s %d %d\n", path, fi.Size(), fi.ModTime().UnixNano())
	}
}

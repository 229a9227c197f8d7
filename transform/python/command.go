package python

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Command returns a command that runs Python for the user rather than for flowkit, with the
// package found before any other mitmproxy.
func (e Engine) Command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	python, err := e.interpreter(ctx)
	if err != nil {
		return nil, err
	}
	shim, err := e.importable()
	if err != nil {
		return nil, err
	}
	path := shim
	if old := os.Getenv("PYTHONPATH"); old != "" {
		path += string(os.PathListSeparator) + old
	}
	c := exec.CommandContext(ctx, python, args...)
	c.Env = append(os.Environ(), "PYTHONPATH="+path)
	return c, nil
}

// importable returns a folder with what can be imported of the package alone: a module run
// of the user's must be found, and not the starter.
func (e Engine) importable() (string, error) {
	shim, err := extract(e.CacheDir)
	if err != nil {
		return "", err
	}
	return filepath.Join(shim, "…"), nil
}

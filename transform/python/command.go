package python

import (
	"context"
	"os"
	"os/exec"
)

// Command returns a command that runs Python with the package found before any other
// mitmproxy, for what is no replay of flows.
func (e Engine) Command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	python, err := e.interpreter(ctx)
	if err != nil {
		return nil, err
	}
	path, err := extract(e.CacheDir)
	if err != nil {
		return nil, err
	}
	if theirs := os.Getenv("PYTHONPATH"); theirs != "" {
		path += string(os.PathListSeparator) + theirs
	}
	c := exec.CommandContext(ctx, python, args...)
	c.Env = append(os.Environ(), "PYTHONPATH="+path)
	return c, nil
}

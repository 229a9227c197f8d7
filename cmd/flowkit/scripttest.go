package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/transform/python"
)

func newScriptTestCmd(s *cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "test [--python PATH] [ARGUMENT]...",
		Short: "Run your tests of Python addons",
		Long: `Run the tests that you have for addons in Python, as if mitmproxy were installed: with pytest
if Python has it, else with unittest. It runs in this folder, whose modules can be imported.
mitmproxy.test.tflow and mitmproxy.test.taddons are there.

What follows is passed on to pytest or unittest. The exit code is 0 if all tests passed, else 1.`,
		Example: `  flowkit script test
  flowkit script test -x tests/test_addon.py
  flowkit script test --python venv/bin/python3 -k redirect`,
		DisableFlagParsing: true, // the flags are the runner's
		RunE: func(c *cobra.Command, args []string) error {
			return runScriptTest(c, s, args)
		},
	}
}

func runScriptTest(c *cobra.Command, s *cli.Streams, args []string) error {
	interpreter := ""
	if len(args) > 0 {
		path, joined := strings.CutPrefix(args[0], "--python=")
		switch {
		case args[0] == "-h" || args[0] == "--help":
			return c.Help()
		case joined:
			interpreter, args = path, args[1:]
		case args[0] == "--python" && len(args) == 1:
			return cli.Hinted(cli.Usage, "--python PATH", "--python names no interpreter")
		case args[0] == "--python":
			interpreter, args = args[1], args[2:]
		}
	}
	star := func(arg string) bool { return filepath.Ext(arg) == ".star" }
	if i := slices.IndexFunc(args, star); i >= 0 {
		return cli.Hinted(cli.Usage, "flowkit transform -s "+args[i]+" runs it on flows of a file",
			"%s: tests are for Python; there are none for Starlark", args[i])
	}
	runner := "pytest"
	has, err := hasModule(c.Context(), interpreter, runner)
	if err != nil {
		return err
	}
	if has {
		s.Say("running pytest")
	} else {
		runner = "unittest"
		s.Say("running unittest, for this Python has no pytest")
	}
	return runPython(c.Context(), s, interpreter, append([]string{"-m", runner}, args...)...)
}

// hasModule tells whether Python can import a module.
func hasModule(ctx context.Context, interpreter, name string) (bool, error) {
	cmd, err := python.Engine{Python: interpreter}.Command(ctx, "-c",
		"import importlib.util as u, sys; sys.exit(0 if u.find_spec(sys.argv[1]) else 7)", name)
	if err != nil {
		return false, pythonFailed(err)
	}
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &exit) && exit.ExitCode() == 7:
		return false, nil
	}
	return false, cli.Errorf(cli.Script, "%s: %w", cmd.Path, err)
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/transform/python"
)

func newScriptShimCmd(s *cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "shim DIR",
		Short: "Write the Python package for editors and type checkers",
		Long: `Write the Python package named mitmproxy that flowkit runs scripts with into a new or empty
folder, for editors, type checkers and your own test runner. It needs nothing but Python.
flowkit itself never reads it: write it anew when flowkit is updated.`,
		Example: `  flowkit script shim typings
  PYTHONPATH=typings python3 -c 'from mitmproxy import http; help(http.Request)'`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Hinted(cli.Usage, "flowkit script shim DIR", "name the folder to write the package to")
			}
			return runScriptShim(s, args[0])
		},
	}
}

func runScriptShim(s *cli.Streams, dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return cli.Hinted(cli.Usage, "name a new folder, or delete this one first", "%s is not empty", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	if err := python.Export(dir); err != nil {
		return &cli.Error{Code: cli.Lost, Err: plainPathError(err)}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	_, err = fmt.Fprintf(s.Out, `%s has the package. Tell it to
  VS Code    "python.analysis.extraPaths": [%q]
  pyright    extraPaths = [%q]
  mypy       MYPYPATH=%s
  PyCharm    mark the folder as a sources root
  Python     PYTHONPATH=%s
`, printable(dir), abs, abs, printable(abs), printable(abs))
	return err
}

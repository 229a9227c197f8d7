package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/transform/python"
)

func newScriptCmd(s *cli.Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "script",
		Short: "Check, test and try out scripts",
		Long: `Help for who writes scripts: what flowkit makes of one, tests of addons, completion in
editors, and a prompt with the flows of a file.`,
		Example: `  flowkit script check addon.py redact.star
  flowkit script test -v tests
  flowkit script shim typings
  flowkit script repl -r in.flow '~c 500'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			hint := "flowkit script --help lists the commands"
			if exists(args[0]) {
				hint = "flowkit script check " + args[0] + " loads it, flowkit transform -s " + args[0] + " runs it"
			}
			return cli.Hinted(cli.Usage, hint, "there is no command \"script %s\"", args[0])
		},
	}
	c.AddCommand(newScriptCheckCmd(s), newScriptTestCmd(s), newScriptShimCmd(s), newScriptReplCmd(s))
	return c
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// runPython runs Python in the foreground: its standard streams are flowkit's, and so is
// Ctrl-C, which flowkit leaves to it.
func runPython(ctx context.Context, s *cli.Streams, interpreter string, args ...string) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP) // they end it, and flowkit tidies up
	defer stop()
	cmd, err := python.Engine{Python: interpreter}.Command(ctx, args...)
	if err != nil {
		return pythonFailed(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	err = cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil {
		return cli.Quiet(cli.Stopped)
	}
	if errors.As(err, &exit) && exit.Exited() {
		return cli.Quiet(cli.Negative) // it has said why
	}
	if err != nil {
		return cli.Errorf(cli.Script, "%s: %w", cmd.Path, err)
	}
	return nil
}

func pythonFailed(err error) error {
	if errors.Is(err, python.ErrNoPython) {
		return cli.Hinted(cli.Script, "install python3, or name one with --python", "%w", err)
	}
	return cli.Errorf(cli.Script, "%w", plainPathError(err))
}

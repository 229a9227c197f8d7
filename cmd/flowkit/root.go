package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
)

const rootHelp = `flowkit works with recorded web traffic: mitmproxy dumps, its own compressed
files and JSON lines. Every command reads any of them, from files (-r) or standard input,
and tells the format by the content.

  flowkit transform -s add_header.star -r in.mitm -w out.flow
  flowkit export --har -r out.flow -w out.har
  flowkit ls -r out.flow '~c 500 | ~e'

Words behind the flags are a filter expression, as in mitmdump (flowkit help filter).

Exit codes: 0 done; 1 a negative answer; 2 usage; 3 done, but something was lost or
skipped; 4 input unreadable; 5 a script failed.`

func newRootCmd(s *cli.Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "flowkit",
		Short:         "A toolkit for recorded web traffic",
		Long:          rootHelp,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("flowkit {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return cli.Hinted(cli.Usage, fmt.Sprintf("%s --help lists the flags", c.CommandPath()), "%w", err)
	})
	root.AddCommand(
		newTransformCmd(s), newExportCmd(s), newLsCmd(s), newShowCmd(s), newInfoCmd(s),
		newCatCmd(s), newVerifyCmd(s), newVersionCmd(s), newFilterHelp(),
	)
	root.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		hint := "flowkit --help lists the commands"
		if near := root.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return cli.Hinted(cli.Usage, hint, "there is no command %q", args[0])
	}
	root.Args = cobra.ArbitraryArgs
	return root
}

func newVersionCmd(s *cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(s.Out, "flowkit %s\n", versionText())
			return err
		},
	}
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return cli.Errorf(cli.Usage, "%s takes no arguments, not %q", c.CommandPath(), args[0])
	}
	return nil
}

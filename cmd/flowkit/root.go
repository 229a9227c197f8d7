package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowkit/cmd/flowkit/internal/cli"
)

const rootHelp = `flowkit works with recorded web traffic: mitmproxy dumps, HARs, its own
compressed files and JSON lines. Every command reads any of them, from files (-r) or
standard input, and tells the format by the content. What -w writes follows the name of
the file.

Words behind the flags are a filter expression, as in mitmdump (flowkit help filter); for
cat, info, verify, recover and index they are files.`

const rootExamples = `  flowkit ls -r in.mitm '~c 500 | ~e'
  flowkit transform -s add_header.star -r in.mitm -w out.flow
  flowkit export --har -r out.flow -w out.har
  flowkit transform -s redact.star -r in.mitm | flowkit export --json | jq -r .url`

const exitCodes = `
Exit codes:
  0  done
  1  a negative answer: damage found by verify, nothing matched with ls -e
  2  usage: flags, filter expression
  3  done, but something was lost or skipped, said on stderr
  4  input unreadable or of no known format
  5  a script failed
  If several apply: 2, 4, 5, 3, 1. 130 is Ctrl-C: the output is complete up to there.
`

func newRootCmd(s *cli.Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "flowkit",
		Short:         "A toolkit for recorded web traffic",
		Long:          rootHelp,
		Example:       rootExamples,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(s.Out) // before cobra's completion command looks at it
	root.SetErr(s.Err)
	root.SetVersionTemplate("flowkit {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var bad *pflag.InvalidValueError
		if errors.As(err, &bad) { // pflag would quote strconv
			err = fmt.Errorf("--%s does not take %q", bad.GetFlag().Name, bad.GetValue())
		}
		return cli.Hinted(cli.Usage, c.CommandPath()+" --help lists the flags", "%w", err)
	})
	root.AddCommand(
		newCaptureCmd(s), newRunCmd(s), newTransformCmd(s), newExportCmd(s), newLsCmd(s), newShowCmd(s), newInfoCmd(s),
		newCatCmd(s), newVerifyCmd(s), newLintCmd(s), newRecoverCmd(s), newIndexCmd(s), newScriptCmd(s), newCaCmd(s), newVersionCmd(s), newFilterHelp(),
	)
	root.SetUsageTemplate(root.UsageTemplate() + "{{if not .HasParent}}" + exitCodes + "{{end}}")
	root.SetHelpCommand(newHelpCmd(root))
	root.SuggestionsMinimumDistance = 2
	strictCompletion(root)
	root.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return noCommand(root, args[0])
	}
	root.Args = cobra.ArbitraryArgs
	return root
}

func noCommand(root *cobra.Command, name string) error {
	hint := "flowkit --help lists the commands"
	if near := root.SuggestionsFor(name); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return cli.Hinted(cli.Usage, hint, "there is no command %q", name)
}

// strictCompletion adds cobra's command, which would take any word for a call for help.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args = cobra.ArbitraryArgs
			c.RunE = func(c *cobra.Command, args []string) error {
				if len(args) > 0 {
					return cli.Errorf(cli.Usage, "there is no completion for the shell %q, but for bash, zsh, fish and powershell", args[0])
				}
				return c.Help()
			}
		}
	}
}

// newHelpCmd is cobra's, but for its exit code when there is nothing to tell.
func newHelpCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return noCommand(root, args[0])
			}
			c.InitDefaultHelpFlag()
			c.InitDefaultVersionFlag()
			return c.Help()
		},
	}
}

func newVersionCmd(s *cli.Streams) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  flowkit version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return writeJSON(s.Out, map[string]string{"version": versionText(), "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(s.Out, "flowkit %s\n", versionText())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object: version, go")
	return c
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return cli.Errorf(cli.Usage, "%s takes no arguments, not %q", c.CommandPath(), args[0])
	}
	return nil
}

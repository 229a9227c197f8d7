package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/python"
	"flowkit/transform/script"
	"flowkit/transform/starlark"
)

// scriptFlags are the flags of commands that run scripts.
type scriptFlags struct {
	scripts     []string
	set         []string
	onError     string
	timeout     time.Duration
	maxBody     string
	verbosity   string
	python      string
	concurrency int
	shutdown    string
	applyStream bool
	real        bool
}

// addFlags adds those for scripts over saved flows.
func (o *scriptFlags) addFlags(c *cobra.Command) {
	o.addLiveFlags(c)
	fl := c.Flags()
	fl.IntVar(&o.concurrency, "concurrency", 1, "run async and @concurrent hooks of .py scripts for `N` flows at a time")
	fl.StringVar(&o.shutdown, "shutdown", "ignore", "what to `DO` when a .py script calls ctx.master.shutdown(): ignore it as mitmdump does with files, or stop")
	fl.BoolVar(&o.applyStream, "apply-stream", false, "feed stored bodies to what .py scripts set as .stream")
	complete(c, "shutdown", "ignore", "stop")
	fl.BoolVar(&o.real, "real-mitmproxy", false, realHelp)
}

const realHelp = "run .py scripts in the mitmproxy (8.1 or later) installed for that Python, not in flowkit's own, which is faster"

// addLiveFlags adds those for scripts over saved flows and live traffic alike.
func (o *scriptFlags) addLiveFlags(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVarP(&o.scripts, "script", "s", nil, "run the script `FILE`, .py or .star; may be repeated; \"FILE ARG...\" gives it arguments")
	fl.StringVar(&o.onError, "on-script-error", "keep", "what to `DO` when a script raises: keep the flow, drop it, or abort the run")
	fl.StringVar(&o.maxBody, "max-script-body", "64m", "raise in the script for a body larger than `SIZE` (k, m, g)")
	complete(c, "on-script-error", "keep", "drop", "abort")
	o.addLoadFlags(c)
	o.shutdown, o.concurrency = "ignore", 1
}

// addLoadFlags adds those for scripts that see no flows.
func (o *scriptFlags) addLoadFlags(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&o.set, "set", nil, "give the scripts the option `NAME=VALUE`")
	fl.DurationVar(&o.timeout, "script-timeout", script.DefaultTimeout, "end a call that takes longer than `TIME`")
	fl.StringVar(&o.verbosity, "log-level", "info", "show messages of scripts from `LEVEL` on: debug, info, warn, error")
	complete(c, "log-level", "debug", "info", "warn", "error")
	pythonFlag(c, &o.python)
}

func pythonFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "python", "", "run Python with the interpreter `PATH` (default python3 of $VIRTUAL_ENV, else of $PATH)")
}

func (o *scriptFlags) policy() (script.Policy, error) {
	p, err := script.ParsePolicy(o.onError)
	if err != nil {
		return "", cli.Errorf(cli.Usage, "--on-script-error: %w", err)
	}
	return p, nil
}

// loaded are scripts that are ready to run.
type loaded struct {
	stages   []replay.Stage
	sessions []script.Session
}

// close ends what the scripts run in.
func (l *loaded) close() error {
	var all []error
	for _, s := range l.sessions {
		all = append(all, s.Close())
	}
	return errors.Join(all...)
}

// load loads the scripts: neighbours of one language into one session.
func (o *scriptFlags) load(ctx context.Context, s *cli.Streams, in *inputs, errs *script.Errors, dataOnStdout bool) (*loaded, error) {
	l := &loaded{}
	specs, err := o.specs(s, in, dataOnStdout)
	if err != nil {
		return nil, err
	}
	for len(specs) > 0 {
		n := 1
		for n < len(specs) && isPython(specs[n].Path) == isPython(specs[0].Path) {
			n++
		}
		session, err := o.engine(specs[0].Path, in).Load(ctx, specs[:n])
		if err != nil {
			_ = l.close() // the first error is the one to tell
			return nil, loadFailed(err)
		}
		session.OnError(errs.Handle)
		if p, ok := session.(*python.Session); ok && in.workers > 1 {
			saySeparate(s, p)
		}
		l.sessions = append(l.sessions, session)
		l.stages = append(l.stages, session)
		specs = specs[n:]
	}
	return l, nil
}

// saySeparate says which scripts may give other results in several processes than in one.
func saySeparate(s *cli.Streams, p *python.Session) {
	n := p.Processes()
	for _, i := range p.Info() {
		if i.Ordered != "" {
			s.Say("-j %d: %s runs in %d processes, each with a state of its own (%s)", n, i.Name, n, i.Ordered)
		}
	}
}

func isPython(path string) bool { return strings.EqualFold(filepath.Ext(path), ".py") }

// engine returns the engine for a script.
func (o *scriptFlags) engine(path string, in *inputs) script.Engine {
	if !isPython(path) {
		return starlark.Engine{}
	}
	var options []string // that scripts may look at
	if len(in.paths) > 0 && in.paths[0] != "-" {
		options = append(options, "rfile="+in.paths[0])
	}
	for _, s := range o.scripts {
		options = append(options, "scripts="+s)
	}
	return python.Engine{
		Python: o.python, Workers: in.workers, Concurrency: o.concurrency, StopAtShutdown: o.shutdown == "stop",
		ApplyStream: o.applyStream, LogLevel: o.verbosity, TempDir: in.tempDir, Verdict: in.workers > 1, Options: options,
		RealMitmproxy: o.real,
	}
}

func loadFailed(err error) error {
	text := plainPathError(err).Error()
	var e *script.Error
	var missing *python.NoMitmproxyError
	switch {
	case errors.As(err, &missing):
		return cli.Hinted(cli.Script, "install it for that Python, name another with --python, or leave --real-mitmproxy out", "%w", err)
	case errors.Is(err, python.ErrNoPython):
		return cli.Hinted(cli.Script, "install python3, name one with --python, or write the script in Starlark (.star), which needs nothing", "%w", err)
	case errors.As(err, &e) && e.Trace != "":
		text += "\n" + e.Trace
	}
	return cli.Errorf(cli.Script, "%s", text)
}

// specs checks the flags.
func (o *scriptFlags) specs(s *cli.Streams, in *inputs, dataOnStdout bool) ([]script.Spec, error) {
	switch {
	case o.timeout <= 0:
		return nil, cli.Errorf(cli.Usage, "--script-timeout is a time like 500ms or 10s, not %v", o.timeout)
	case o.concurrency < 1:
		return nil, cli.Errorf(cli.Usage, "--concurrency is a number of flows, not %d", o.concurrency)
	case o.shutdown != "ignore" && o.shutdown != "stop":
		return nil, cli.Errorf(cli.Usage, "--shutdown is ignore or stop, not %q", o.shutdown)
	case o.real && o.concurrency > 1:
		return nil, cli.Errorf(cli.Usage, "--real-mitmproxy runs one flow after the other: leave --concurrency out")
	case o.real && o.applyStream:
		return nil, cli.Errorf(cli.Usage, "--apply-stream is for flowkit's own mitmproxy: leave --real-mitmproxy out")
	}
	set := make(map[string]string)
	for _, kv := range o.set {
		k, v, _ := strings.Cut(kv, "=")
		if k == "" {
			return nil, cli.Errorf(cli.Usage, "--set wants NAME=VALUE, not %q", kv)
		}
		set[k] = v
	}
	body, err := parseSize(o.maxBody)
	if err == nil && body == 0 {
		err = errors.New("scripts need some room")
	}
	if err != nil {
		return nil, cli.Errorf(cli.Usage, "--max-script-body: %w", err)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.verbosity)); err != nil {
		return nil, cli.Errorf(cli.Usage, "--log-level: %q is not one of debug, info, warn, error", o.verbosity)
	}
	policy, err := o.policy()
	if err != nil {
		return nil, err
	}
	var printTo io.Writer = s.Out
	if dataOnStdout {
		printTo = s.Err
	}
	var specs []script.Spec
	for _, text := range o.scripts {
		path, args, err := scriptArgs(text)
		if err != nil {
			return nil, err
		}
		specs = append(specs, script.Spec{
			Path: path, Args: args, Set: set, SetArgs: o.set, Output: printTo, Log: slog.New(&logHandler{s: s, level: level}),
			Spool:  &flowfile.Spool{Dir: in.tempDir},
			Limits: script.Limits{Timeout: o.timeout, Body: body}, Policy: policy,
		})
	}
	return specs, nil
}

// scriptArgs parts what is behind -s: a file, or a file with arguments as mitmproxy up to 2.0
// had it.
func scriptArgs(text string) (path string, args []string, err error) {
	if _, err := os.Stat(text); err == nil || !strings.ContainsAny(text, " \t") {
		return text, nil, nil
	}
	words, err := splitWords(text)
	if err != nil {
		return "", nil, cli.Errorf(cli.Usage, "-s %s: %w", text, err)
	}
	if len(words) == 0 {
		return text, nil, nil
	}
	if len(words) > 1 && !isPython(words[0]) {
		return "", nil, cli.Hinted(cli.Usage, "give it options with --set", "-s %s: only Python scripts have arguments", text)
	}
	return words[0], words[1:], nil
}

// splitWords splits as a shell does: words between blanks, quotes, backslashes.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	escaped := false
	for _, c := range text {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			inWord, escaped = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			inWord, quote = true, c
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			inWord = true
			word.WriteRune(c)
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

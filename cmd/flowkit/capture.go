package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/live"
	"flowkit/live/ca"
	"flowkit/transform/script"
)

type captureOptions struct {
	proxyFlags
	recordFlags
	scriptFlags
	json  bool
	words []string
}

const captureHelp = `Record traffic: a proxy that passes on what clients and servers say as they said it, and writes
every flow to an append-only file. What was written a second ago survives a kill -9.

Point a client at it (curl -x http://127.0.0.1:8080, or the variables http_proxy and
https_proxy), or let "flowkit run -- COMMAND" do that. To see into TLS, the client must
trust flowkit's certificate authority: "flowkit ca" and http://flowkit.ca tell how.

Modes, several at once with several --mode:

  regular            clients are told of the proxy (port 8080)
  upstream:URL       the same, and everything goes through a second proxy
  reverse:URL        clients take the proxy for the server
  socks5             SOCKS5 (port 1080)
  transparent        the system redirects connections (Linux)

Each may say where it listens: reverse:https://example.com@9000. By default only this machine
reaches the proxy; --listen 0.0.0.0 opens it, and then clients from public addresses need
--proxy-auth, or --public to go without.

Words are a filter: which flows are recorded. Without -w, and with standard output a
terminal, the file is capture-TIME.flow. A file that is there is never overwritten: -w +FILE
appends. Ctrl-C ends the recording: exchanges that are under way get a moment to end, and
the file is complete.`

func newCaptureCmd(s *cli.Streams) *cobra.Command {
	o := &captureOptions{}
	c := &cobra.Command{
		Use:   "capture [-w FILE] [--mode MODE]... [-s SCRIPT]... [filter]",
		Short: "Record traffic through a proxy",
		Long:  captureHelp,
		Example: `  flowkit capture -w x.flow
  flowkit capture --mode reverse:https://api.example.com@9000 -w api.flow '~u /v1/'
  flowkit capture -w - | flowkit transform -s redact.star | flowkit export --har >out.har
  flowkit capture --rotate 1h -w 'logs/%Y-%m-%d_%H.flow'`,
		RunE: func(c *cobra.Command, args []string) error {
			o.words = args
			return runCapture(c.Context(), s, o)
		},
	}
	o.proxyFlags.addFlags(c)
	o.recordFlags.addFlags(c)
	o.scriptFlags.addLiveFlags(c)
	c.Flags().BoolVar(&o.json, "json", false, "log to stderr as JSON, one object a line")
	return c
}

// grace is how long exchanges under way have to end.
const grace = 3 * time.Second

func runCapture(ctx context.Context, s *cli.Streams, o *captureOptions) error {
	stop, cancel := onStop(ctx, s, o.quiet)
	defer cancel()
	c, err := startCapture(stop, s, o, nil)
	if err != nil {
		return err
	}
	c.announce()
	return c.serve(stop)
}

// onStop returns a context that ends at the first signal; the second one ends the program.
func onStop(ctx context.Context, s *cli.Streams, quiet bool) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A reader of -w - that has gone is an error of writing, and no reason to end: the traffic goes on.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				if n == 0 {
					return
				}
				<-signals
			case <-signals:
			}
			if n > 0 {
				os.Exit(cli.Stopped)
			}
			if !quiet {
				s.Say("stopping: exchanges under way get %v to end (again to quit at once)", grace)
			}
			cancel()
		}
	}()
	return ctx, cancel
}

// capturing is a capture that has begun.
type capturing struct {
	s       *cli.Streams
	o       *captureOptions
	proxy   *live.Proxy
	ca      *ca.CA
	rec     *recording
	scripts *liveScripts
	errs    *script.Errors
	watch   *watcher
}

// startCapture opens listeners, scripts and the output, in an order in which a failure leaves nothing behind. addrs, if
// it is not nil, replaces where the modes listen.
func startCapture(ctx context.Context, s *cli.Streams, o *captureOptions, override func(*live.Options)) (*capturing, error) {
	flt, err := parseFilter(s, &inputs{}, o.words)
	if err != nil {
		return nil, err
	}
	if err := o.recordFlags.check(s); err != nil {
		return nil, err
	}
	opts, authority, err := o.proxyFlags.options(s)
	if err != nil {
		return nil, err
	}
	if override != nil {
		override(opts)
	}
	policy, err := o.policy()
	if err != nil {
		return nil, err
	}
	c := &capturing{s: s, o: o, ca: authority}
	c.watch = newWatcher(s, o.quiet, o.json)
	opts.Log = c.watch.log()
	c.errs = &script.Errors{Policy: policy, Report: func(text string) { s.Say("%s", text) }}
	if len(o.scripts) > 0 {
		if c.scripts, err = o.loadLive(ctx, s, c.errs, o.recordFlags.std(s)); err != nil {
			return nil, err
		}
		opts.Handler = c.scripts
		opts.Log = slog.New(&logEvents{opts.Log.Handler(), c.scripts})
	}
	opts.MaxBody, opts.Stream, opts.TempDir = o.maxBodyBytes, o.streamBytes, o.tempDir
	if flt != nil {
		opts.Keep = func(f *flowfile.Flow) bool {
			match, err := flt.Match(f)
			return match || err != nil // what cannot be judged is kept
		}
	}
	opts.Observe = c.watch.flow
	if o.write != nowhere {
		if c.rec, err = o.recordFlags.open(s); err != nil {
			return nil, errors.Join(err, c.closeScripts())
		}
		opts.Recorder = c.rec
	}
	if c.proxy, err = live.Listen(*opts); err != nil {
		return nil, errors.Join(listenError(err), c.closeRecording(true), c.closeScripts())
	}
	if c.scripts != nil {
		if err := c.scripts.start(ctx, c.proxy); err != nil {
			return nil, errors.Join(loadFailed(err), c.closeRecording(true), c.closeScripts())
		}
	}
	return c, nil
}

func listenError(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return cli.Hinted(cli.Usage, "choose another with --listen PORT; ss -ltnp shows who has it", "%w", err)
	case errors.Is(err, syscall.EACCES):
		return cli.Hinted(cli.Usage, "ports below 1024 are for root; choose another with --listen PORT", "%w", err)
	}
	return cli.Errorf(cli.Usage, "%w", err)
}

// announce tells a person what goes on and what to do.
func (c *capturing) announce() {
	if c.o.quiet {
		return
	}
	if c.rec != nil {
		c.s.Say("recording to %s", c.rec.where())
	}
	var first string
	for _, a := range c.proxy.Addrs() {
		c.s.Say("listening on %s (%s)", a.Addr, a.Mode)
		if first == "" && (a.Mode.Kind == live.Regular || a.Mode.Kind == live.Upstream) {
			first = a.Addr.String()
		}
	}
	if first == "" || !c.s.ErrIsTTY {
		return
	}
	if file, err := c.ca.CertFile(); err == nil {
		c.s.Say("try: curl -x http://%s --cacert %s https://example.com/", first, file)
	}
	c.s.Say("or:  export http_proxy=http://%s https_proxy=http://%s", first, first)
}

// serve runs the proxy until ctx ends, and completes the output.
func (c *capturing) serve(ctx context.Context) error {
	err := c.proxy.Serve(ctx, grace)
	var serr error
	if c.scripts != nil {
		// ctx has ended; done has its own time.
		serr = errors.Join(c.scripts.done(), c.closeScripts())
	}
	rerr := c.closeRecording(false)
	c.watch.end(c.proxy.Stats(), c.rec)
	if err == nil {
		err = rerr
	}
	for _, line := range c.errs.Summary() {
		c.s.Say("%s", line)
	}
	if err == nil && (c.errs.Total() > 0 || c.errs.Exited() || serr != nil) {
		if serr != nil {
			return cli.Errorf(cli.Script, "%w", serr)
		}
		if n := c.errs.Total(); n > 0 {
			c.s.Say("scripts raised %s", count(n, "error"))
		}
		return cli.Quiet(cli.Script)
	}
	return err
}

func (c *capturing) closeScripts() error {
	if c.scripts == nil {
		return nil
	}
	return c.scripts.close()
}

func (c *capturing) closeRecording(unused bool) error {
	if c.rec == nil {
		return nil
	}
	return c.rec.close(unused)
}

// nowhere is the name of an output that is none.
const nowhere = "/dev/null"

// isStd tells whether -w is standard output.
func isStd(write string) bool { return write == "-" || strings.TrimPrefix(write, "+") == "-" }

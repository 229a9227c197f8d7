package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/live"
)

const runHelp = `Run a command whose traffic is recorded: a proxy on a free port of this machine, and the
environment variables that tell programs of it and of its certificate authority (http_proxy,
https_proxy, SSL_CERT_FILE, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, GIT_SSL_CAINFO
…). The exit code is that of the command.

Programs that do not look at these variables are not seen.`

func newRunCmd(s *cli.Streams) *cobra.Command {
	o := &captureOptions{}
	c := &cobra.Command{
		Use:   "run [-w FILE] [-s SCRIPT]... -- COMMAND [ARG]...",
		Short: "Run a command and record its traffic",
		Long:  runHelp,
		Example: `  flowkit run -w x.flow -- curl -s https://example.com/
  flowkit run -w +x.flow -- npm test
  flowkit run -s mock.star -- python3 client.py`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Hinted(cli.Usage, "flowkit run -w x.flow -- curl https://example.com/", "there is no command to run")
			}
			return runRun(c.Context(), s, o, args)
		},
	}
	c.Flags().SetInterspersed(false)
	o.proxyFlags.addFlags(c)
	o.recordFlags.addFlags(c)
	o.scriptFlags.addLiveFlags(c)
	for _, name := range []string{"mode", "listen", "public", "proxy-auth"} {
		_ = c.Flags().MarkHidden(name)
	}
	return c
}

func runRun(ctx context.Context, s *cli.Streams, o *captureOptions, args []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return cli.Errorf(cli.Usage, "%w", err)
	}
	if o.write == "" {
		// Standard output is the command's.
		o.write = "capture-%Y%m%d-%H%M%S.flow"
	}
	if isStd(o.write) {
		return cli.Hinted(cli.Usage, "-w FILE", "standard output is the command's")
	}
	o.words = nil
	c, err := startCapture(ctx, s, o, func(opts *live.Options) {
		if opts.Listen == "" {
			opts.Listen = "127.0.0.1:0"
		}
	})
	if err != nil {
		return err
	}
	file, err := c.ca.CertFile()
	if err != nil {
		return errors.Join(err, c.closeRecording(true))
	}
	serve, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- c.serve(serve) }()
	cmd := exec.Command(path, args[1:]...)
	cmd.Args[0] = args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, os.Stderr
	cmd.Env = proxyEnv(os.Environ(), c.proxy.Addrs()[0].Addr.String(), file)
	// Ctrl-C reaches the command as well, and when it ends, so does the recording.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	runErr := cmd.Run()
	signal.Stop(interrupts)
	cancel()
	err = <-served
	var exit *exec.ExitError
	switch {
	case errors.As(runErr, &exit):
		code := exit.ExitCode()
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			code = 128 + int(ws.Signal())
		}
		if err != nil {
			s.Say("%v", err)
		}
		return cli.Quiet(code)
	case runErr != nil:
		return cli.Errorf(cli.Usage, "%w", runErr)
	}
	return err
}

// proxyEnv returns env with the variables by which programs learn of a proxy and of a certificate authority.
func proxyEnv(env []string, addr, caFile string) []string {
	url := "http://" + addr
	set := map[string]string{"no_proxy": "", "NO_PROXY": ""}
	for _, k := range []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "npm_config_proxy", "npm_config_https_proxy"} {
		set[k] = url
	}
	for _, k := range []string{
		"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE",
		"PIP_CERT", "CARGO_HTTP_CAINFO", "npm_config_cafile", "DENO_CERT", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
	} {
		set[k] = caFile
	}
	set["NODE_USE_ENV_PROXY"] = "1" // Node 24 and later
	var out []string
	for _, kv := range env {
		k, _, _ := strings.Cut(kv, "=")
		if _, ours := set[k]; !ours {
			out = append(out, kv)
		}
	}
	for k, v := range set {
		out = append(out, k+"="+v)
	}
	return out
}

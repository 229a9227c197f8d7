package main

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/live"
	"flowkit/live/ca"
)

// proxyFlags are the flags of commands that run a proxy.
type proxyFlags struct {
	modes        []string
	listen       string
	auth         string
	upstreamAuth string
	public       bool
	confdir      string
	insecure     bool
	clientCerts  string
	ignore       []string
	allow        []string
	rawTCP       []string
	keepHost     bool
	noHTTP2      bool
	stream       string
	streamBytes  int64
}

func (o *proxyFlags) addFlags(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&o.modes, "mode", nil, "how clients reach the proxy, `MODE[@[HOST:]PORT]`: regular (default), upstream:URL, reverse:URL, socks5, transparent; may be repeated")
	fl.StringVarP(&o.listen, "listen", "p", "", "listen on `[HOST:]PORT` (default 127.0.0.1:8080)")
	fl.StringVar(&o.auth, "proxy-auth", "", "let in only who says `USER:PASSWORD`; any for any user")
	fl.StringVar(&o.upstreamAuth, "upstream-auth", "", "`USER:PASSWORD` for the proxy of --mode upstream")
	fl.BoolVar(&o.public, "public", false, "let in clients from public addresses without --proxy-auth")
	fl.StringVar(&o.confdir, "confdir", "", "`FOLDER` of the certificate authority (default flowkit in $XDG_CONFIG_HOME or ~/.config; mitmproxy's works)")
	fl.BoolVarP(&o.insecure, "insecure", "k", false, "do not check the certificates of servers")
	fl.StringVar(&o.clientCerts, "client-certs", "", "certificate for servers that ask for one: `PATH` of a PEM file with its key, or of a folder of HOST.pem")
	fl.StringArrayVar(&o.ignore, "ignore-hosts", nil, "pass TLS through untouched if host:port matches `REGEX`")
	fl.StringArrayVar(&o.allow, "allow-hosts", nil, "pass TLS through untouched unless host:port matches `REGEX`")
	fl.StringArrayVar(&o.rawTCP, "tcp-hosts", nil, "treat all that goes to host:port matching `REGEX` as TCP")
	fl.BoolVar(&o.keepHost, "keep-host-header", false, "with reverse: leave the Host header as the client sent it")
	fl.BoolVar(&o.noHTTP2, "no-http2", false, "do not speak HTTP/2")
	fl.StringVar(&o.stream, "stream", "", "do not hold bodies larger than `SIZE` for scripts (k, m, g)")
	_ = c.MarkFlagDirname("confdir")
}

// options checks the flags and loads, or makes, the certificate authority.
func (o *proxyFlags) options(s *cli.Streams) (*live.Options, *ca.CA, error) {
	opts := &live.Options{
		Listen: o.listen, Public: o.public, Insecure: o.insecure, KeepHost: o.keepHost, NoHTTP2: o.noHTTP2,
	}
	for _, text := range o.modes {
		m, err := live.ParseMode(text)
		if err != nil {
			return nil, nil, cli.Errorf(cli.Usage, "--mode: %w", err)
		}
		opts.Modes = append(opts.Modes, m)
	}
	var err error
	if opts.Auth, err = authFunc(o.auth); err != nil {
		return nil, nil, err
	}
	if o.upstreamAuth != "" {
		user, password, ok := strings.Cut(o.upstreamAuth, ":")
		if !ok {
			return nil, nil, cli.Errorf(cli.Usage, "--upstream-auth is USER:PASSWORD")
		}
		opts.Upstream = live.Credentials{User: user, Password: password}
	}
	for _, l := range []struct {
		flag  string
		texts []string
		to    *[]*regexp.Regexp
	}{{"ignore-hosts", o.ignore, &opts.Ignore}, {"allow-hosts", o.allow, &opts.Allow}, {"tcp-hosts", o.rawTCP, &opts.RawTCP}} {
		for _, text := range l.texts {
			re, err := regexp.Compile("(?i)" + text)
			if err != nil {
				return nil, nil, cli.Errorf(cli.Usage, "--%s: %w", l.flag, err)
			}
			*l.to = append(*l.to, re)
		}
	}
	if o.stream != "" {
		if o.streamBytes, err = parseSize(o.stream); err != nil {
			return nil, nil, cli.Errorf(cli.Usage, "--stream: %w", err)
		}
	}
	if opts.ClientCert, err = clientCert(o.clientCerts); err != nil {
		return nil, nil, err
	}
	if opts.CA, err = loadCA(s, o.confdir); err != nil {
		return nil, nil, err
	}
	return opts, opts.CA, nil
}

// authFunc makes the check of --proxy-auth.
func authFunc(text string) (func(user, password string) bool, error) {
	switch text {
	case "":
		return nil, nil
	case "any":
		return func(string, string) bool { return true }, nil
	}
	wantUser, wantPassword, ok := strings.Cut(text, ":")
	if !ok {
		return nil, cli.Errorf(cli.Usage, "--proxy-auth is USER:PASSWORD or any")
	}
	return func(user, password string) bool {
		return sameSecret(user, wantUser) && sameSecret(password, wantPassword)
	}, nil
}

// clientCert makes the choice of --client-certs.
func clientCert(path string) (func(host string) *tls.Certificate, error) {
	if path == "" {
		return nil, nil
	}
	fi, err := os.Stat(path)
	if err != nil {
		return nil, cli.Errorf(cli.Usage, "--client-certs: %w", err)
	}
	if !fi.IsDir() {
		cert, err := tls.LoadX509KeyPair(path, path)
		if err != nil {
			return nil, cli.Errorf(cli.Usage, "--client-certs: %s: %w", path, err)
		}
		return func(string) *tls.Certificate { return &cert }, nil
	}
	certs := make(map[string]*tls.Certificate)
	files, err := filepath.Glob(filepath.Join(path, "*.pem"))
	if err == nil && len(files) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, cli.Errorf(cli.Usage, "--client-certs: no HOST.pem in %s", path)
	}
	for _, file := range files {
		cert, cerr := tls.LoadX509KeyPair(file, file)
		err = errors.Join(err, cerr)
		certs[strings.ToLower(strings.TrimSuffix(filepath.Base(file), ".pem"))] = &cert
	}
	if err != nil {
		return nil, cli.Errorf(cli.Usage, "--client-certs: %w", err)
	}
	return func(host string) *tls.Certificate { return certs[strings.ToLower(host)] }, nil
}

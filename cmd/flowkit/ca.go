package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/live/ca"
)

type caOptions struct {
	confdir string
	pem     bool
	der     bool
	p12     bool
	json    bool
}

// caInfo is what ca --json says; it is stable.
type caInfo struct {
	File        string     `json:"file"`
	Certificate string     `json:"certificate"`
	Subject     string     `json:"subject"`
	SHA256      string     `json:"sha256"`
	NotBefore   string     `json:"not_before"`
	NotAfter    string     `json:"not_after"`
	Created     bool       `json:"created"`
	Warnings    []string   `json:"warnings"`
	Trust       []ca.Trust `json:"trust"`
}

func newCaCmd(s *cli.Streams) *cobra.Command {
	o := &caOptions{}
	c := &cobra.Command{
		Use:   "ca",
		Short: "Print or export the certificate of the proxy, and how to trust it",
		Long: `Tell where the certificate authority of flowkit is, and how each system, browser and program
comes to trust it; without one, make it. Its key never leaves the file, which is yours alone
(0600). --pem, --der and --p12 write the certificate itself to standard output.

In a folder of mitmproxy (--confdir ~/.mitmproxy), mitmproxy's certificate is used, so that
devices which trust it go on doing so.`,
		Example: `  flowkit ca
  flowkit ca --pem >flowkit-ca-cert.pem
  flowkit ca --confdir ~/.mitmproxy`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runCa(s, o) },
	}
	f := c.Flags()
	f.StringVar(&o.confdir, "confdir", "", "folder of the CA (default flowkit in $XDG_CONFIG_HOME or ~/.config)")
	f.BoolVar(&o.pem, "pem", false, "write the certificate as PEM")
	f.BoolVar(&o.der, "der", false, "write the certificate as DER, for .cer and .crt files")
	f.BoolVar(&o.p12, "p12", false, "write the certificate as PKCS #12, with an empty password")
	f.BoolVar(&o.json, "json", false, "one JSON object: file, certificate, subject, sha256, not_before, not_after, trust …")
	_ = c.MarkFlagDirname("confdir")
	return c
}

func runCa(s *cli.Streams, o *caOptions) error {
	forms := 0
	for _, set := range []bool{o.pem, o.der, o.p12, o.json} {
		if set {
			forms++
		}
	}
	if forms > 1 {
		return cli.Errorf(cli.Usage, "--pem, --der, --p12 and --json exclude each other")
	}
	if s.OutIsTTY && (o.der || o.p12) {
		return cli.Hinted(cli.Usage, "write to a file with >, or choose --pem", "the certificate is not for terminals in this form")
	}
	a, err := loadCA(s, o.confdir)
	if err != nil {
		return err
	}
	switch {
	case o.pem:
		_, err = s.Out.Write(a.PEM())
		return err
	case o.der:
		_, err = s.Out.Write(a.DER())
		return err
	case o.p12:
		b, err := a.P12()
		if err != nil {
			return err
		}
		_, err = s.Out.Write(b)
		return err
	}
	file, err := a.CertFile()
	if err != nil {
		s.Say("%v", err) // the rest is still true, and --pem works
		file = "CERTIFICATE"
	}
	if o.json {
		return writeJSON(s.Out, infoOf(a, file))
	}
	_, err = s.Out.WriteString(caText(a, file))
	return err
}

// loadCA loads or makes the CA of a folder, of the default one if that is "", and says what
// the user should know.
func loadCA(s *cli.Streams, confdir string) (*ca.CA, error) {
	if confdir == "" {
		var err error
		if confdir, err = defaultConfdir(); err != nil {
			return nil, err
		}
	}
	confdir, err := filepath.Abs(confdir) // programs with other working directories are told of it
	if err != nil {
		return nil, err
	}
	a, err := ca.Load(confdir)
	if err != nil {
		return nil, &cli.Error{Code: cli.Input, Err: err, Hint: "--confdir names another folder"}
	}
	if a.Created() {
		s.Say("made a new CA: %s", a.File())
	}
	for _, w := range a.Warnings() {
		s.Say("%s", w)
	}
	return a, nil
}

// defaultConfdir returns the folder of flowkit's own files.
func defaultConfdir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", cli.Hinted(cli.Usage, "--confdir names a folder for the CA", "there is no folder for settings: %w", err)
	}
	return filepath.Join(dir, "flowkit"), nil
}

func infoOf(a *ca.CA, file string) *caInfo {
	cert := a.Certificate()
	return &caInfo{
		File: a.File(), Certificate: file, Subject: cert.Subject.String(), SHA256: a.Fingerprint(),
		NotBefore: cert.NotBefore.UTC().Format(time.RFC3339), NotAfter: cert.NotAfter.UTC().Format(time.RFC3339),
		Created: a.Created(), Warnings: append([]string{}, a.Warnings()...), Trust: ca.Instructions(file),
	}
}

func caText(a *ca.CA, file string) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	cert := a.Certificate()
	line("key", "%s (keep it to yourself)", a.File())
	line("certificate", "%s", file)
	line("subject", "%s", cert.Subject)
	line("valid", "%s to %s", cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly))
	line("sha256", "%s", a.Fingerprint())
	b.WriteString("\nTo trust it. Devices load it from http://flowkit.ca through the proxy.\n")
	for _, t := range ca.Instructions(file) {
		fmt.Fprintf(&b, "\n%s\n", t.System)
		for _, c := range t.Commands {
			fmt.Fprintf(&b, "  %s\n", printable(c))
		}
		for _, l := range fold(t.Note, 88) {
			fmt.Fprintf(&b, "  %s\n", l)
		}
	}
	return b.String()
}

// fold breaks a text into lines of at most width bytes, where words allow it.
func fold(text string, width int) []string {
	var lines []string
	for _, w := range strings.Fields(text) {
		if n := len(lines) - 1; n >= 0 && len(lines[n])+1+len(w) <= width {
			lines[n] += " " + w
		} else {
			lines = append(lines, w)
		}
	}
	return lines
}

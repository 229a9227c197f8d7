package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/cmd/flowkit/internal/output"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
	"flowkit/flowfile/text"
)

// textFlags are the forms of export that package text writes, and extract.
type textFlags struct {
	curl, httpie            bool
	rawRequest, rawResponse bool
	extract                 string
}

func (t *textFlags) addFlags(fl *pflag.FlagSet) {
	fl.BoolVar(&t.curl, "curl", false, "curl commands that repeat the requests byte for byte")
	fl.BoolVar(&t.httpie, "httpie", false, "HTTPie commands that repeat the requests")
	fl.BoolVar(&t.rawRequest, "raw-request", false, "the requests as on the wire")
	fl.BoolVar(&t.rawResponse, "raw-response", false, "the responses as on the wire")
	fl.StringVar(&t.extract, "extract", "", "write the decoded bodies as files into the folder `DIR`")
}

// chosen returns the flags that are set.
func (t *textFlags) chosen() []string {
	var names []string
	for _, f := range []struct {
		on   bool
		name string
	}{
		{t.curl, "curl"},
		{t.httpie, "httpie"},
		{t.rawRequest, "raw-request"},
		{t.rawResponse, "raw-response"},
		{t.extract != "", "extract"},
	} {
		if f.on {
			names = append(names, f.name)
		}
	}
	return names
}

var textForms = map[string]text.Form{
	"curl": text.Curl, "httpie": text.HTTPie, "raw-request": text.RawRequest, "raw-response": text.RawResponse,
}

// runText runs conv with a text.Writer and says what the form does not hold.
func runText(ctx context.Context, o *exportOptions, conv *conversion, name string) error {
	s := conv.streams
	form := textForms[name]
	raw := form == text.RawRequest || form == text.RawResponse
	var w *text.Writer
	conv.sink = func(out *output.Output) flowfile.Sink {
		options := text.Options{Form: form, OnDamage: conv.damage}
		if raw && s.OutIsTTY && (o.write == "" || o.write == "-") {
			t := &textTerminal{out: out}
			w = text.NewWriter(&t.held, options)
			t.w = w
			return t
		}
		w = text.NewWriter(out, options)
		return w
	}
	err := conv.run(ctx)
	if w == nil {
		return err
	}
	lost := sayCounts(s, w.Counts(), form)
	code := 0
	if err != nil {
		code = cli.Code(err, cli.Lost)
	}
	if lost && (err == nil || isQuiet(err) && code != cli.Stopped && code != cli.Pipe) {
		return cli.Quiet(cli.Worse(code, cli.Lost))
	}
	return err
}

// isQuiet tells whether all of err was said.
func isQuiet(err error) bool {
	var e *cli.Error
	return errors.As(err, &e) && e.Err == nil
}

// sayCounts says what was left out, and tells whether that is a loss.
func sayCounts(s *cli.Streams, c text.Counts, form text.Form) (lost bool) {
	sayOnlyHTTP(s, c.NotHTTP)
	switch {
	case c.Refused == 0:
	case form == text.Curl, form == text.HTTPie:
		s.Say("%s cannot be expressed as %s; comments in the output say why", count(c.Refused, "request"), map[text.Form]string{text.Curl: "curl", text.HTTPie: "HTTPie"}[form])
		lost = true
	case form == text.RawRequest:
		s.Say("left out %s without request", count(c.Refused, "flow"))
	default:
		s.Say("left out %s without response", count(c.Refused, "flow"))
	}
	if c.Later > 0 {
		s.Say("wrote %s of HTTP/2 or 3 in the form of HTTP/1.1", count(c.Later, "message"))
	}
	if c.Cut > 0 {
		what := "the bodies of %d messages were"
		if c.Cut == 1 {
			what = "the body of %d message was"
		}
		s.Say(what+" not recorded whole", c.Cut)
		lost = true
	}
	return lost
}

// sayOnlyHTTP says which flows were left out for what they are, which is no loss.
func sayOnlyHTTP(s *cli.Streams, kinds map[flowfile.Kind]int) {
	total := 0
	var parts []string
	for _, k := range []flowfile.Kind{flowfile.TCP, flowfile.UDP, flowfile.DNS} {
		if n := kinds[k]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToUpper(k.String())))
		}
	}
	if total > 0 {
		s.Say("left out %s other than HTTP: %s", count(total, "flow"), strings.Join(parts, ", "))
	}
}

// textTerminal shows raw messages that are text, and refuses others.
type textTerminal struct {
	w    *text.Writer
	held bytes.Buffer
	out  io.Writer
}

func (t *textTerminal) Write(b *flowfile.Batch) error {
	for _, f := range b.Flows {
		if f.Dropped() {
			continue
		}
		if n := messageSize(f); n > showLimit {
			return cli.Hinted(cli.Usage, "redirect it into a file, or pipe it into a pager", "a message is large, and standard output is a terminal")
		}
		if err := t.w.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
			return err
		}
		if err := t.show(); err != nil {
			return err
		}
	}
	return nil
}

// messageSize is the size of the larger body of f.
func messageSize(f *flowfile.Flow) int64 {
	var n int64
	if r := f.Request(); r != nil {
		n = r.Body().Size()
	}
	if r := f.Response(); r != nil {
		n = max(n, r.Body().Size())
	}
	return n
}

func (t *textTerminal) show() error {
	if err := t.w.Flush(); err != nil {
		return err
	}
	b := t.held.Bytes()
	if !utf8.Valid(b) || !isText(b) || bytes.IndexByte(b, 0) >= 0 {
		return cli.Hinted(cli.Usage, "redirect it into a file with -w or >", "a message is no text, and standard output is a terminal")
	}
	_, err := io.WriteString(t.out, term.SafeText(strings.ReplaceAll(string(b), "\r\n", "\n")))
	t.held.Reset()
	return err
}

func (t *textTerminal) Flush() error { return nil }
func (t *textTerminal) Close() error { return nil }

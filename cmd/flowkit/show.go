package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

type showOptions struct {
	inputs
	headers bool
	body    bool
	raw     bool
	which   string
}

// showLimit is how much of a body is shown.
const showLimit = 1 << 20

func newShowCmd(s *cli.Streams) *cobra.Command {
	o := &showOptions{}
	c := &cobra.Command{
		Use:   "show ID|N [-r FILE]...",
		Short: "Show one flow whole",
		Long: `Show one flow: its number as ls prints it, or its id or the beginning of its id. Bodies
are shown decoded; what is no text is shown in hexadecimal.`,
		Example: `  flowkit show 12 -r in.flow
  flowkit show 12 -r in.flow --body >logo.png`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Hinted(cli.Usage, "flowkit ls prints the numbers", "show takes one flow: its number or id")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.which = args[0]
			return runShow(c.Context(), s, o)
		},
	}
	o.inputs.addFlags(c)
	fl := c.Flags()
	fl.BoolVar(&o.headers, "headers", false, "heads only, no bodies")
	fl.BoolVar(&o.body, "body", false, "only the decoded body of the response (of the request, if there is no response)")
	fl.BoolVar(&o.raw, "raw", false, "with --body: the body as it was on the wire")
	return c
}

func runShow(ctx context.Context, s *cli.Streams, o *showOptions) error {
	number, err := strconv.Atoi(o.which)
	byNumber := err == nil && len(o.which) < 8
	found := false
	out := bufio.NewWriter(s.Out)
	err = look(ctx, s, &o.inputs, nil, flowfile.NeedMessages, func(n int, f *flowfile.Flow) error {
		if byNumber && n != number || !byNumber && !strings.HasPrefix(f.ID(), o.which) {
			return nil
		}
		found = true
		if err := o.show(s, out, f); err != nil {
			return err
		}
		return io.EOF
	})
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if err == nil && !found {
		return cli.Hinted(cli.Negative, "flowkit ls prints numbers, ls --ids prints ids", "there is no flow %s", o.which)
	}
	return err
}

func (o *showOptions) show(s *cli.Streams, w *bufio.Writer, f *flowfile.Flow) error {
	if o.body {
		return o.onlyBody(s, w, f)
	}
	v := &viewer{w: w, bodies: !o.headers}
	v.flow(f)
	return v.err
}

func (o *showOptions) onlyBody(s *cli.Streams, w io.Writer, f *flowfile.Flow) error {
	var m *flowfile.Message
	switch {
	case f.Response() != nil:
		m = &f.Response().Message
	case f.Request() != nil:
		m = &f.Request().Message
	default:
		return cli.Errorf(cli.Negative, "the flow has no body")
	}
	body := m.Body()
	if body.State() == flowfile.BodyAbsent {
		return cli.Errorf(cli.Negative, "the body was not recorded")
	}
	if s.OutIsTTY {
		b, err := coding.DecodedBody(m, showLimit)
		if err != nil || !utf8.Valid(b) {
			return cli.Hinted(cli.Usage, "redirect it into a file", "the body is no text, and standard output is a terminal")
		}
	}
	r, err := body.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if o.raw {
		_, err = io.Copy(w, r)
		return err
	}
	d, err := coding.NewReader(r, m.Headers().Get("Content-Encoding"))
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = io.Copy(w, d)
	return err
}

// viewer prints a flow for people.
type viewer struct {
	w      *bufio.Writer
	bodies bool
	err    error
}

func (v *viewer) line(format string, args ...any) { fmt.Fprintf(v.w, format+"\n", args...) }

func (v *viewer) flow(f *flowfile.Flow) {
	v.line("%s flow %s", f.Kind(), printable(f.ID()))
	v.field("start", f.Start().RFC3339())
	v.field("took", duration(f))
	v.conn("client", f.Client())
	v.conn("server", f.Server())
	v.field("marked", f.Marked())
	v.field("comment", f.Comment())
	v.field("replay", f.Replay())
	for _, e := range f.Metadata() {
		v.field("metadata", e.Key+" = "+fmt.Sprint(e.Value))
	}
	if e := f.Error(); e != nil {
		v.field("error", e.Msg)
	}
	if f.Incomplete() {
		v.field("state", "incomplete: the recording ended before the flow")
	}
	if r := f.Request(); r != nil {
		v.line("\n%s %s %s", printable(r.Method()), printable(r.URL()), printable(r.Version()))
		v.message(&r.Message)
	}
	if r := f.Response(); r != nil {
		v.line("\n%s %d %s", printable(r.Version()), r.Status(), printable(r.Reason()))
		v.message(&r.Message)
	}
	v.dns("question", f.DNSRequest())
	v.dns("answer", f.DNSResponse())
	v.messages(f)
	if ws := f.WebSocket(); ws != nil {
		v.line("\nwebsocket closed: %d %s", ws.CloseCode, printable(ws.CloseReason))
	}
}

func (v *viewer) field(name, value string) {
	if value != "" {
		v.line("  %-9s %s", name, printable(value))
	}
}

func (v *viewer) conn(name string, c *flowfile.Conn) {
	if c == nil {
		return
	}
	parts := []string{c.Peer.String()}
	if a := c.Address.String(); a != "" && a != parts[0] {
		parts = []string{a, "(" + c.Peer.String() + ")"}
	}
	if c.TLSVersion != "" {
		parts = append(parts, c.TLSVersion, c.Cipher)
	}
	if c.SNI != "" {
		parts = append(parts, "sni="+c.SNI)
	}
	if c.ALPN != "" {
		parts = append(parts, "alpn="+c.ALPN)
	}
	if n := len(c.Certificates); n > 0 {
		parts = append(parts, strconv.Itoa(n)+" certificates")
	}
	v.field(name, strings.Join(parts, " "))
}

func (v *viewer) message(m *flowfile.Message) {
	for _, h := range m.Headers().Fields() {
		v.line("%s: %s", printable(h.Name), printable(h.Value))
	}
	if v.bodies {
		v.body(m)
	}
	if t := m.Trailers(); t != nil {
		v.line("\n(trailers)")
		for _, h := range t.Fields() {
			v.line("%s: %s", printable(h.Name), printable(h.Value))
		}
	}
}

func (v *viewer) body(m *flowfile.Message) {
	b := m.Body()
	switch {
	case b.State() == flowfile.BodyAbsent:
		v.line("\n(content missing: it was not recorded)")
		return
	case b.Size() == 0 && b.State() == flowfile.BodyPresent:
		return
	}
	v.line("")
	data, err := coding.DecodedBody(m, showLimit)
	if err != nil {
		v.line("(%s: %v; use --body)", size(b.Size()), err)
		return
	}
	text, terr := coding.Text(m, showLimit)
	if terr == nil && isText(data) {
		v.w.WriteString(strings.TrimSuffix(pretty(m, text), "\n") + "\n")
	} else {
		v.w.WriteString(hexDump(data, 1024))
	}
	if b.State() == flowfile.BodyTruncated {
		v.line("(truncated: %s of %s were recorded)", size(b.Size()), size(b.Total()))
	}
}

// isText tells whether bytes are for reading: few of them control a terminal.
func isText(b []byte) bool {
	for _, c := range b[:min(len(b), 1024)] {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' {
			return false
		}
	}
	return true
}

// pretty lays out JSON, and makes other text safe for a terminal line by line.
func pretty(m *flowfile.Message, text string) string {
	typ, _, _ := mime.ParseMediaType(m.Headers().Get("Content-Type"))
	if strings.HasSuffix(typ, "json") {
		var b bytes.Buffer
		if json.Indent(&b, []byte(text), "", "  ") == nil {
			text = b.String()
		}
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		tabs := strings.Split(strings.TrimSuffix(l, "\r"), "\t")
		for j := range tabs {
			tabs[j] = printable(tabs[j])
		}
		lines[i] = strings.Join(tabs, "\t")
	}
	return strings.Join(lines, "\n")
}

// hexDump shows up to limit bytes.
func hexDump(b []byte, limit int) string {
	var out strings.Builder
	for off := 0; off < min(len(b), limit); off += 16 {
		row := b[off:min(off+16, len(b))]
		text := make([]byte, len(row))
		for i, c := range row {
			text[i] = '.'
			if c >= 0x20 && c < 0x7f {
				text[i] = c
			}
		}
		fmt.Fprintf(&out, "%08x  %-47s  %s\n", off, fmt.Sprintf("% x", row), text)
	}
	if len(b) > limit {
		fmt.Fprintf(&out, "(%s more)\n", size(int64(len(b)-limit)))
	}
	return out.String()
}

func (v *viewer) messages(f *flowfile.Flow) {
	if f.Messages().Len() == 0 {
		return
	}
	v.line("\n%d messages", f.Messages().Len())
	n := 0
	for m, err := range f.Messages().All() {
		if err != nil {
			v.err = err
			return
		}
		n++
		dir := "<-"
		if m.FromClient {
			dir = "->"
		}
		note := ""
		if m.Dropped {
			note = " (dropped)"
		}
		v.line("%s %s %s%s", dir, m.Time.Time().Format("15:04:05.000"), size(m.Body.Size()), note)
		if !v.bodies {
			continue
		}
		b, err := m.Body.Bytes(showLimit)
		switch {
		case err != nil:
			v.line("   (%v)", err)
		case utf8.Valid(b) && isText(b):
			for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
				v.line("   %s", printable(strings.TrimSuffix(l, "\r")))
			}
		default:
			v.w.WriteString(hexDump(b, 256))
		}
	}
}

func (v *viewer) dns(what string, m *flowfile.DNSMessage) {
	if m == nil {
		return
	}
	v.line("\n%s", what)
	for _, q := range m.Questions {
		v.line("  %s %s", dnsType(q.Type), printable(q.Name))
	}
	for _, r := range m.Answers {
		v.line("  %s %s ttl=%d %d bytes", dnsType(r.Type), printable(r.Name), r.TTL, len(r.Data))
	}
	if m.ResponseCode != 0 {
		v.line("  response code %d", m.ResponseCode)
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

// viewer prints a flow for people.
type viewer struct {
	w      *bufio.Writer
	bodies bool
	paint  term.Paint
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
		v.line("  %-9s %s", "error", v.paint.Error(printable(e.Msg)))
	}
	if f.Incomplete() {
		v.field("state", "incomplete: the recording ended before the flow")
	}
	if r := f.Request(); r != nil {
		v.line("\n%s %s %s", printable(r.Method()), printable(r.URL()), printable(r.Version()))
		v.message(&r.Message)
	}
	if r := f.Response(); r != nil {
		v.line("\n%s %s", printable(r.Version()), v.paint.Status(r.Status(), strconv.Itoa(r.Status())+" "+printable(r.Reason())))
		v.message(&r.Message)
	}
	v.question(f.DNSRequest())
	v.answer(f.DNSResponse())
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
		parts = []string{a}
		if c.Peer != nil { // it was reached
			parts = append(parts, "("+c.Peer.String()+")")
		}
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
		v.line("(%s: %s; see --body and --raw)", size(b.Size()), printable(err.Error()))
		return
	}
	text, err := coding.Text(m, showLimit)
	if err == nil && isText(data) {
		v.line("%s", strings.TrimSuffix(pretty(m, text), "\n"))
	} else {
		v.line("%s", strings.TrimSuffix(hexDump(data, 1024), "\n"))
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

// pretty lays out JSON, and makes all text safe for a terminal.
func pretty(m *flowfile.Message, text string) string {
	typ, _, _ := mime.ParseMediaType(m.Headers().Get("Content-Type"))
	if strings.HasSuffix(typ, "json") {
		var b bytes.Buffer
		if json.Indent(&b, []byte(text), "", "  ") == nil {
			text = b.String()
		}
	}
	return term.SafeText(strings.ReplaceAll(text, "\r\n", "\n"))
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
	v.line("\n%s", count(f.Messages().Len(), "message"))
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
			v.line("   (%s)", printable(err.Error()))
		case utf8.Valid(b) && isText(b):
			for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
				v.line("   %s", printable(strings.TrimSuffix(l, "\r")))
			}
		default:
			v.line("%s", strings.TrimSuffix(hexDump(b, 256), "\n"))
		}
	}
}

func (v *viewer) question(m *flowfile.DNSMessage) {
	if m == nil {
		return
	}
	v.line("\nquestion")
	for _, q := range m.Questions {
		v.line("  %s %s", dnsType(q.Type), printable(q.Name))
	}
}

func (v *viewer) answer(m *flowfile.DNSMessage) {
	if m == nil {
		return
	}
	v.line("\nanswer")
	for _, r := range m.Answers {
		v.line("  %s %s ttl=%d %s", dnsType(r.Type), printable(r.Name), r.TTL, recordData(r.Type, []byte(r.Data)))
	}
	switch {
	case m.ResponseCode != 0:
		v.line("  response code %d", m.ResponseCode)
	case len(m.Answers) == 0:
		v.line("  (none)")
	}
}

// recordData is an address, or so many bytes.
func recordData(typ int64, data []byte) string {
	if ip, ok := netip.AddrFromSlice(data); ok && (dnsType(typ) == "A" || dnsType(typ) == "AAAA") {
		return ip.String()
	}
	return count(len(data), "byte")
}

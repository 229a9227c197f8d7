package main

import (
	"strconv"
	"strings"
	"time"

	"flowkit/cmd/flowkit/internal/progress"
	"flowkit/cmd/flowkit/internal/term"
	"flowkit/flowfile"
)

// oneLine is a flow in one line for people, without its number.
func oneLine(f *flowfile.Flow, paint term.Paint) string {
	var b strings.Builder
	b.WriteString(summaryWhat(f))
	if s := summaryResult(f, paint); s != "" {
		b.WriteString("  << " + s)
	}
	return b.String()
}

// summaryWhat says what was asked, of whom.
func summaryWhat(f *flowfile.Flow) string {
	switch f.Kind() {
	case flowfile.HTTP:
		r := f.Request()
		if r == nil {
			return "(no request)"
		}
		return printable(r.Method()) + " " + printable(r.PrettyURL())
	case flowfile.DNS:
		q := f.DNSRequest()
		if q == nil || len(q.Questions) == 0 {
			return "DNS (no question)"
		}
		return "DNS " + dnsType(q.Questions[0].Type) + " " + printable(q.Questions[0].Name)
	}
	return strings.ToUpper(f.Kind().String()) + " " + printable(endpoints(f))
}

func endpoints(f *flowfile.Flow) string {
	server := ""
	if c := f.Server(); c != nil {
		if server = c.Address.String(); server == "" {
			server = c.Peer.String()
		}
	}
	client := ""
	if c := f.Client(); c != nil {
		client = c.Peer.String() + " -> "
	}
	return client + server
}

// summaryResult says what became of it.
func summaryResult(f *flowfile.Flow, paint term.Paint) string {
	var parts []string
	switch {
	case f.Kind() == flowfile.HTTP && f.Response() != nil:
		r := f.Response()
		parts = append(parts, paint.Status(r.Status(), strings.TrimSpace(strconv.Itoa(r.Status())+" "+printable(r.Reason()))))
		parts = append(parts, bodySize(r.Body()))
	case f.Kind() == flowfile.DNS && f.DNSResponse() != nil:
		parts = append(parts, count(len(f.DNSResponse().Answers), "answer"))
	}
	if f.Kind() != flowfile.DNS && (f.Kind() != flowfile.HTTP || f.WebSocket() != nil) {
		parts = append(parts, count(f.Messages().Len(), "message"))
	}
	if e := f.Error(); e != nil {
		parts = append(parts, paint.Error("error: "+printable(e.Msg)))
	}
	if f.Incomplete() {
		parts = append(parts, "(incomplete)")
	}
	return strings.Join(parts, " ")
}

// count says "1 message", "2 messages".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func bodySize(b flowfile.Body) string {
	switch b.State() {
	case flowfile.BodyAbsent:
		return "(content missing)"
	case flowfile.BodyTruncated:
		return size(b.Size()) + " (truncated)"
	}
	return size(b.Size())
}

func size(n int64) string {
	if n < 0 {
		return "?"
	}
	return progress.Size(n)
}

// contentType returns the media type of a response without its parameters.
func contentType(f *flowfile.Flow) string {
	if f.Response() == nil {
		return ""
	}
	typ, _, _ := strings.Cut(f.Response().Headers().Get("Content-Type"), ";")
	return printable(strings.TrimSpace(typ))
}

// duration returns how long the exchange took, "" if it is not known.
func duration(f *flowfile.Flow) string {
	d, ok := f.End().Sub(f.Start())
	if !ok {
		return ""
	}
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}

// printable makes captured bytes safe for one line of a terminal.
func printable(s string) string { return term.Safe(s) }

var dnsTypes = map[int64]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB", 65: "HTTPS", 255: "ANY",
}

func dnsType(n int64) string {
	if s, ok := dnsTypes[n]; ok {
		return s
	}
	return "TYPE" + strconv.FormatInt(n, 10)
}

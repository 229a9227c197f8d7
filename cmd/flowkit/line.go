package main

import (
	"strconv"
	"strings"
	"time"

	"flowkit/cmd/flowkit/internal/progress"
	"flowkit/flowfile"
)

// oneLine is a flow in one line for people, without its number.
func oneLine(f *flowfile.Flow) string {
	var b strings.Builder
	b.WriteString(summaryWhat(f))
	if s := summaryResult(f); s != "" {
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
func summaryResult(f *flowfile.Flow) string {
	var parts []string
	switch {
	case f.Kind() == flowfile.HTTP && f.Response() != nil:
		r := f.Response()
		parts = append(parts, strings.TrimSpace(strconv.Itoa(r.Status())+" "+printable(r.Reason())))
		parts = append(parts, bodySize(r.Body()))
	case f.Kind() == flowfile.DNS && f.DNSResponse() != nil:
		parts = append(parts, strconv.Itoa(len(f.DNSResponse().Answers))+" answers")
	}
	if f.Kind() != flowfile.DNS && (f.Kind() != flowfile.HTTP || f.WebSocket() != nil) {
		parts = append(parts, strconv.Itoa(f.Messages().Len())+" messages")
	}
	if e := f.Error(); e != nil {
		parts = append(parts, "error: "+printable(e.Msg))
	}
	if f.Incomplete() {
		parts = append(parts, "(incomplete)")
	}
	return strings.Join(parts, " ")
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

// printable makes captured bytes safe for a terminal: what controls it, and what is not
// UTF-8, is shown as an escape.
func printable(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return escape(s)
		}
	}
	return s
}

func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == 0xFFFD && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

var dnsTypes = map[int64]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB", 65: "HTTPS", 255: "ANY",
}

func dnsType(n int64) string {
	if s, ok := dnsTypes[n]; ok {
		return s
	}
	return "TYPE" + strconv.FormatInt(n, 10)
}

package filter

import (
	"bufio"
	"encoding/hex"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// sticky is a RuneReader that remembers what went wrong, which a regex does not tell.
type sticky struct {
	r   *bufio.Reader
	raw bool // each byte is a character
	err error
}

func (s *sticky) ReadRune() (rune, int, error) {
	c, n, err := s.next()
	if err != nil && err != io.EOF {
		s.err = err
	}
	return c, n, err
}

func (s *sticky) next() (rune, int, error) {
	if s.raw {
		c, err := s.r.ReadByte()
		return rune(c), 1, err
	}
	return s.r.ReadRune()
}

// dnsText is a DNS message as text: a line for the name of each question and the data of
// each record.
func dnsText(m *flowfile.DNSMessage) string {
	var lines []string
	for _, q := range m.Questions {
		lines = append(lines, q.Name)
	}
	for _, rs := range [][]flowfile.DNSRecord{m.Answers, m.Authorities, m.Additionals} {
		for _, r := range rs {
			lines = append(lines, recordText(r))
		}
	}
	return strings.Join(lines, "\r\n")
}

// Types of records whose data is text (RFC 1035, RFC 3596).
const (
	typeA     = 1
	typeNS    = 2
	typeCNAME = 5
	typePTR   = 12
	typeTXT   = 16
	typeAAAA  = 28
)

func recordText(r flowfile.DNSRecord) string {
	switch r.Type {
	case typeA, typeAAAA:
		if a, ok := netip.AddrFromSlice([]byte(r.Data)); ok {
			return a.String()
		}
	case typeNS, typeCNAME, typePTR:
		if labels, ok := strs(strings.TrimSuffix(r.Data, "\x00")); ok {
			return strings.Join(labels, ".")
		}
	case typeTXT:
		if parts, ok := strs(r.Data); ok {
			return strings.Join(parts, "")
		}
	}
	return "0x" + hex.EncodeToString([]byte(r.Data))
}

// strs splits what consists of strings behind their length.
func strs(s string) ([]string, bool) {
	var out []string
	for s != "" {
		n := int(s[0])
		if len(s) < 1+n {
			return nil, false
		}
		out, s = append(out, s[1:1+n]), s[1+n:]
	}
	return out, true
}

// metadataText is metadata as lines, with values as Python prints them.
func metadataText(m flowfile.Map) string {
	var b strings.Builder
	for i, e := range m {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Key)
		b.WriteString(": ")
		if s, ok := e.Value.(string); ok {
			b.WriteString(s)
		} else {
			pythonRepr(&b, e.Value)
		}
	}
	return b.String()
}

func pythonRepr(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(pythonFloat(v))
	case flowfile.BigInt:
		b.WriteString(string(v))
	case string:
		pythonQuote(b, v)
	case flowfile.Bytes:
		b.WriteByte('b')
		pythonQuote(b, string(v))
	case flowfile.List:
		b.WriteByte('[')
		for i := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			pythonRepr(b, v[i])
		}
		b.WriteByte(']')
	case flowfile.Map:
		b.WriteByte('{')
		for i := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			pythonQuote(b, v[i].Key)
			b.WriteString(": ")
			pythonRepr(b, v[i].Value)
		}
		b.WriteByte('}')
	}
}

func pythonFloat(f float64) string {
	s := strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64))
	if e, err := strconv.ParseFloat(s, 64); err == nil && e == float64(int64(e)) && e < 1e16 && e > -1e16 {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strings.TrimPrefix(s, "+")
}

func pythonQuote(b *strings.Builder, s string) {
	quote := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = `"`
	}
	b.WriteString(quote)
	b.WriteString(strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, quote, `\`+quote).Replace(s))
	b.WriteString(quote)
}

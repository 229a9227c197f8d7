package jsonl

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/internal/jsonw"
)

// Objects of one of these keys alone are no maps: what JSON cannot say.
const (
	escBytes = "base64"      // bytes
	escText  = "text_base64" // text that is not UTF-8
	escFloat = "float"       // "nan", "inf", "-inf"
	escMap   = "map"         // [[key, value], …]
)

func escape(key string) bool {
	return key == escBytes || key == escText || key == escFloat || key == escMap
}

// writeBytes writes a string of bytes: as text if it is UTF-8, else as {"base64": …}.
func writeBytes(j *jsonw.Writer, s string) {
	if utf8.ValidString(s) {
		j.String(s)
		return
	}
	writeEscape(j, escBytes, s)
}

func writeEscape(j *jsonw.Writer, key, s string) {
	j.Object()
	j.Key(key)
	j.Base64(s)
	j.EndObject()
}

// bytes reads what writeBytes wrote.
func (p *parser) bytes() string {
	switch p.peek() {
	case '{':
		s := ""
		p.object(func(key string) {
			if key != escBytes {
				p.fail("%q where base64 should be", key)
			}
			s = p.base64()
		})
		return s
	case 'n':
		p.null()
		return ""
	}
	return p.str()
}

func (p *parser) base64() string {
	return p.decoded([]byte(p.str()))
}

// decoded returns the bytes that a string in base64 stands for.
func (p *parser) decoded(s []byte) string {
	if p.err != nil {
		return ""
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Decode(b, s)
	if err != nil {
		p.failWith(err)
	}
	return view(b[:n])
}

// writeValue writes a value of metadata.
func writeValue(j *jsonw.Writer, v any) {
	switch v := v.(type) {
	case nil:
		j.Null()
	case bool:
		j.Bool(v)
	case int64:
		j.Int(v)
	case float64:
		writeFloat(j, v)
	case flowfile.BigInt:
		if s := string(v); isDigits(s) {
			j.Raw(s)
		} else {
			writeValue(j, s)
		}
	case string:
		if utf8.ValidString(v) {
			j.String(v)
		} else {
			writeEscape(j, escText, v)
		}
	case flowfile.Bytes:
		writeEscape(j, escBytes, string(v))
	case flowfile.List:
		j.Array()
		for _, e := range v {
			writeValue(j, e)
		}
		j.EndArray()
	case flowfile.Map:
		writeMap(j, v)
	default:
		writeValue(j, fmt.Sprint(v))
	}
}

// isDigits tells whether s is a whole number as JSON has them.
func isDigits(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && strings.Trim(s, "0123456789") == "" && (s == "0" || s[0] != '0')
}

func writeFloat(j *jsonw.Writer, f float64) {
	name := ""
	switch {
	case math.IsNaN(f):
		name = "nan"
	case math.IsInf(f, 1):
		name = "inf"
	case math.IsInf(f, -1):
		name = "-inf"
	default:
		j.Raw(formatFloat(f))
		return
	}
	j.Object()
	j.Key(escFloat)
	j.String(name)
	j.EndObject()
}

// formatFloat formats f so that it is not taken for a whole number.
func formatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if strings.Trim(s, "-0123456789") == "" {
		s += ".0"
	}
	return s
}

func writeMap(j *jsonw.Writer, m flowfile.Map) {
	if plainMap(m) {
		j.Object()
		for _, e := range m {
			j.Key(e.Key)
			writeValue(j, e.Value)
		}
		j.EndObject()
		return
	}
	j.Object()
	j.Key(escMap)
	j.Array()
	for _, e := range m {
		j.Array()
		writeBytes(j, e.Key)
		writeValue(j, e.Value)
		j.EndArray()
	}
	j.EndArray()
	j.EndObject()
}

// plainMap tells whether m can be an object: its keys are UTF-8 and differ, and it does
// not look like an escape.
func plainMap(m flowfile.Map) bool {
	if len(m) == 1 && escape(m[0].Key) {
		return false
	}
	seen := make(map[string]struct{}, len(m))
	for _, e := range m {
		if _, twice := seen[e.Key]; twice || !utf8.ValidString(e.Key) {
			return false
		}
		seen[e.Key] = struct{}{}
	}
	return true
}

// value reads a value of metadata.
func (p *parser) value() any {
	switch p.peek() {
	case '"':
		return p.str()
	case 't', 'f':
		return p.boolean()
	case 'n':
		p.null()
		return nil
	case '[':
		l := flowfile.List{}
		p.array(func() { l = append(l, p.value()) })
		return l
	case '{':
		m := flowfile.Map{}
		p.object(func(key string) { m = append(m, flowfile.MapEntry{Key: key, Value: p.value()}) })
		if len(m) == 1 && escape(m[0].Key) {
			return p.unescaped(m[0].Key, m[0].Value)
		}
		return m
	}
	s, whole := p.number()
	if !whole {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			p.fail("%s is out of range", s)
		}
		return f
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	return flowfile.BigInt(s)
}

// unescaped returns what an object of one of the escape keys stands for.
func (p *parser) unescaped(key string, v any) any {
	switch v := v.(type) {
	case string:
		if key == escFloat {
			f, ok := map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1)}[v]
			if ok {
				return f
			}
			break
		}
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			break
		}
		switch key {
		case escBytes:
			return flowfile.Bytes(b)
		case escText:
			return string(b)
		}
	case flowfile.List:
		if m, ok := pairs(v); ok && key == escMap {
			return m
		}
	}
	p.fail("wrong value of the escape %q", key)
	return nil
}

func pairs(l flowfile.List) (flowfile.Map, bool) {
	m := flowfile.Map{}
	for _, e := range l {
		pair, ok := e.(flowfile.List)
		if !ok || len(pair) != 2 {
			return nil, false
		}
		switch k := pair[0].(type) {
		case string:
			m = append(m, flowfile.MapEntry{Key: k, Value: pair[1]})
		case flowfile.Bytes:
			m = append(m, flowfile.MapEntry{Key: string(k), Value: pair[1]})
		default:
			return nil, false
		}
	}
	return m, true
}

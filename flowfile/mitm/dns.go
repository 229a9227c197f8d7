package mitm

import (
	"slices"

	"flowkit/flowfile"
)

// parseDNS reads a query or an answer; null is nil.
func parseDNS(b []byte, it item, r *Record) (*flowfile.DNSMessage, error) {
	if it.tag != '}' {
		return nil, nil
	}
	m := new(flowfile.DNSMessage)
	for i := it.s; i < it.e; {
		k, v, after, ok := pair(b, i, it.e)
		if !ok {
			return nil, badElement(i)
		}
		i = after
		switch string(b[k.s:k.e]) {
		case "timestamp":
			m.Time = moment(b, v)
		case "id":
			m.ID = number(b, v)
		case "query":
			m.Query = boolean(b, v)
		case "op_code":
			m.OpCode = number(b, v)
		case "authoritative_answer":
			m.AuthoritativeAnswer = boolean(b, v)
		case "truncation":
			m.Truncation = boolean(b, v)
		case "recursion_desired":
			m.RecursionDesired = boolean(b, v)
		case "recursion_available":
			m.RecursionAvailable = boolean(b, v)
		case "reserved":
			m.Reserved = number(b, v)
		case "response_code":
			m.ResponseCode = number(b, v)
		case "questions":
			rs, err := dnsRecords(b, v)
			if err != nil {
				return nil, err
			}
			for _, q := range rs {
				m.Questions = append(m.Questions, flowfile.DNSQuestion{Name: q.Name, Type: q.Type, Class: q.Class})
			}
		case "answers", "authorities", "additionals":
			rs, err := dnsRecords(b, v)
			if err != nil {
				return nil, err
			}
			switch b[k.s+1] {
			case 'n':
				m.Answers = rs
			case 'u':
				m.Authorities = rs
			default:
				m.Additionals = rs
			}
		default:
			r.inner++
		}
	}
	return m, nil
}

// dnsRecords reads a list of resource records, also of questions, which have less.
func dnsRecords(b []byte, it item) ([]flowfile.DNSRecord, error) {
	if it.tag != ']' {
		return nil, nil
	}
	var rs []flowfile.DNSRecord
	for i := it.s; i < it.e; {
		d, after, ok := next(b, i, it.e)
		if !ok || d.tag != '}' {
			return nil, badElement(i)
		}
		i = after
		var r flowfile.DNSRecord
		for j := d.s; j < d.e; {
			k, v, after, ok := pair(b, j, d.e)
			if !ok {
				return nil, badElement(j)
			}
			j = after
			switch string(b[k.s:k.e]) {
			case "name":
				r.Name = text(b, v)
			case "type":
				r.Type = number(b, v)
			case "class_":
				r.Class = number(b, v)
			case "ttl":
				r.TTL = number(b, v)
			case "data":
				r.Data = text(b, v)
			}
		}
		rs = append(rs, r)
	}
	return rs, nil
}

func (e *encoder) dns(m *flowfile.DNSMessage) {
	if m == nil {
		e.null()
		return
	}
	e.lost.Extra += int64(len(m.Extra))
	mark := e.begin('}')
	e.timeOrZero(m.Time)
	e.key("timestamp")
	e.integer(m.ID)
	e.key("id")
	e.boolean(m.Query)
	e.key("query")
	e.integer(m.OpCode)
	e.key("op_code")
	e.boolean(m.AuthoritativeAnswer)
	e.key("authoritative_answer")
	e.boolean(m.Truncation)
	e.key("truncation")
	e.boolean(m.RecursionDesired)
	e.key("recursion_desired")
	e.boolean(m.RecursionAvailable)
	e.key("recursion_available")
	e.integer(m.Reserved)
	e.key("reserved")
	e.integer(m.ResponseCode)
	e.key("response_code")
	l := e.begin(']')
	for _, q := range slices.Backward(m.Questions) {
		e.dnsRecord(flowfile.DNSRecord{Name: q.Name, Type: q.Type, Class: q.Class}, false)
	}
	e.end(l)
	e.key("questions")
	e.dnsRecords("answers", m.Answers)
	e.dnsRecords("authorities", m.Authorities)
	e.dnsRecords("additionals", m.Additionals)
	e.end(mark)
}

func (e *encoder) dnsRecords(key string, rs []flowfile.DNSRecord) {
	mark := e.begin(']')
	for _, r := range slices.Backward(rs) {
		e.dnsRecord(r, true)
	}
	e.end(mark)
	e.key(key)
}

func (e *encoder) dnsRecord(r flowfile.DNSRecord, full bool) {
	mark := e.begin('}')
	e.text(r.Name)
	e.key("name")
	e.integer(r.Type)
	e.key("type")
	e.integer(r.Class)
	e.key("class_")
	if full {
		e.integer(r.TTL)
		e.key("ttl")
		e.bytesOf(r.Data)
		e.key("data")
	}
	e.end(mark)
}

package main

import (
	"encoding/binary"
	"errors"
	"net"
	"strings"
)

// The types of DNS records that the demo asks for.
const (
	typeA    = 1
	typeTXT  = 16
	typeAAAA = 28
)

// serveDNS knows the names below shop.example, all on the loopback interface.
func serveDNS(c net.PacketConn) {
	buf := make([]byte, 512)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer, err := answerDNS(buf[:n]); err == nil {
			_, _ = c.WriteTo(answer, from)
		}
	}
}

// questionDNS is a query with a single question.
func questionDNS(id uint16, name string, qtype uint16) []byte {
	q := binary.BigEndian.AppendUint16(nil, id)
	q = append(q, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0) // recursion desired; one question
	for label := range strings.SplitSeq(name, ".") {
		q = append(append(q, byte(len(label))), label...)
	}
	q = binary.BigEndian.AppendUint16(append(q, 0), qtype)
	return binary.BigEndian.AppendUint16(q, 1) // class IN
}

// answerDNS answers a query made like those of questionDNS.
func answerDNS(query []byte) ([]byte, error) {
	if len(query) < 12 {
		return nil, errors.New("dns: short query")
	}
	var labels []string
	i := 12
	for i < len(query) && query[i] != 0 {
		next := i + 1 + int(query[i])
		if next > len(query) {
			return nil, errors.New("dns: short name")
		}
		labels = append(labels, string(query[i+1:next]))
		i = next
	}
	if i+5 > len(query) {
		return nil, errors.New("dns: short question")
	}
	qtype := binary.BigEndian.Uint16(query[i+1:])
	answer := append([]byte(nil), query[:i+5]...)
	answer[2], answer[3] = 0x85, 0x80 // a response, authoritative, recursion desired and available
	name := strings.Join(labels, ".")
	if name != "shop.example" && !strings.HasSuffix(name, ".shop.example") {
		answer[3] |= 3 // no such name
		return answer, nil
	}
	var data []byte
	switch qtype {
	case typeA:
		data = []byte{127, 0, 0, 1}
	case typeAAAA:
		data = net.IPv6loopback
	case typeTXT:
		data = append([]byte{16}, "v=tea1 kettle=on"...)
	default:
		return answer, nil
	}
	answer[7] = 1
	answer = append(answer, 0xc0, 12) // the question's name
	answer = binary.BigEndian.AppendUint16(answer, qtype)
	answer = append(answer, 0, 1, 0, 0, 0, 60) // class IN, a minute
	answer = binary.BigEndian.AppendUint16(answer, uint16(len(data)))
	return append(answer, data...), nil
}

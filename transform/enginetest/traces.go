package enginetest

import (
	"bufio"
	_ "embed"
	"fmt"
	"strings"

	"flowkit/flowfile"
)

//go:embed testdata/traces.txt
var traces string

// Trace is the events that one flow must give rise to.
type Trace struct {
	Shape   string // kind and parts: "http qr"
	Modern  string // names of hooks with the number of messages: "tcp_start(0) tcp_end"
	Classic string
}

// Traces returns the vectors of testdata/traces.txt, which says how they are written. They
// hold for engines and for replay.Order alike.
func Traces() []Trace {
	var all []Trace
	lines := bufio.NewScanner(strings.NewReader(traces))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		order, events, _ := strings.Cut(line, ":")
		events = strings.TrimSpace(events)
		switch {
		case order == "classic":
			all[len(all)-1].Classic = events
		default:
			all = append(all, Trace{Shape: order, Modern: events, Classic: events})
		}
	}
	return all
}

// Flow returns a flow of the shape.
func (tr Trace) Flow() *flowfile.Flow {
	name, letters, _ := strings.Cut(tr.Shape, " ")
	kind, ok := flowfile.ParseKind(name)
	if !ok {
		panic("enginetest: internal error: traces.txt has the kind " + name)
	}
	h := flowfile.Head{ID: "f", Kind: kind, Created: start}
	log := &flowfile.MessageLog{}
	whole := httpFlow("f", "/", "body")
	for i, c := range letters {
		switch {
		case c == 'q' && kind == flowfile.DNS:
			h.DNSRequest = &flowfile.DNSMessage{ID: 1, Query: true, Time: start}
		case c == 'r' && kind == flowfile.DNS:
			h.DNSResponse = &flowfile.DNSMessage{ID: 1, Time: start + 1}
		case c == 'q':
			h.Request = whole.Request()
		case c == 'r':
			h.Response = whole.Response()
		case c == 'e':
			h.Error = &flowfile.Error{Msg: "connection reset", Time: start + 9}
		case c == 'w':
			h.WebSocket = &flowfile.WebSocket{CloseCode: 1000}
		case c == 'm':
			log.Append(flowfile.Msg{Opcode: 1, Time: start + flowfile.Time(i), Body: flowfile.StringBody(fmt.Sprint("m", i))})
		}
	}
	h.Messages = log
	return flowfile.New(h)
}

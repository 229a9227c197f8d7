package python

import (
	"bytes"
	"fmt"

	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// NoMitmproxyError tells that Engine.RealMitmproxy cannot be had.
type NoMitmproxyError struct {
	Python string // the interpreter
	Reason string // what Python says
}

func (e *NoMitmproxyError) Error() string {
	return fmt.Sprintf("--real-mitmproxy: %s cannot import mitmproxy: %s", e.Python, e.Reason)
}

// starter returns the name of the program that the process runs.
func (e Engine) starter() string {
	if e.RealMitmproxy {
		return "_flowkit_real.py"
	}
	return "_flowkit_start.py"
}

// encodeReal returns the frame of a batch for a real mitmproxy: each flow as it stands in a
// dump, in no newer version than that mitmproxy reads.
func (w *worker) encodeReal(p *pending) (marshal, error) {
	m := buffers.get()
	m.tuple(3)
	m.integer(p.seq)
	m.integer(-1)
	m.list(len(p.flows))
	var buf bytes.Buffer
	for _, f := range p.flows {
		buf.Reset()
		if err := writeRecord(&buf, f, w.format); err != nil {
			return m, err
		}
		m.bytes(alias(buf.Bytes()))
		if len(m.buf) > maxFrame {
			return m, fmt.Errorf("flows of %d bytes in one batch are too much for --real-mitmproxy", len(m.buf))
		}
	}
	return m, nil
}

// oldestReal is the oldest version that mitmproxy is given. It reads older ones too, but not
// all, and of an old WebSocket it makes two flows.
const oldestReal = 17

// writeRecord writes f as a record of its own version, or of the newest that is allowed.
func writeRecord(buf *bytes.Buffer, f *flowfile.Flow, newest int) error {
	o := mitm.WriterOptions{}
	if v := version(f); v > newest || v < oldestReal {
		o.Version = newest
	}
	d := mitm.NewWriter(buf, o)
	if err := d.Write(&flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil {
		return err
	}
	return d.Flush()
}

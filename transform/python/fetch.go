package python

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"flowkit/flowfile"
)

// inArena is the size up to which a body goes to the arena, with those of the whole batch;
// a larger one goes to a file of its own when it is asked for.
const inArena = 1 << 20

// fetch answers what a script touched and the batch did not bring.
func (w *worker) fetch(f *fieldsOf) error {
	what, seq, index, part := f.text(), f.int(), int(f.int()), int(f.int())
	if l := w.session.live.Load(); l != nil && f.err == nil {
		return l.fetch(what, int64(index), part)
	}
	p := w.first()
	if f.err != nil || p == nil || p.seq != seq || index < 0 || index >= len(p.flows) {
		return fmt.Errorf("fetch: %w", errMarshal)
	}
	m := buffers.get()
	var err error
	switch what {
	case "bodies":
		w.bodies(&m, p.flows)
	case "body":
		w.body(&m, bodyOf(p.flows[index], part))
	case "heads":
		w.heads(&m, p, part)
	case "conns":
		err = conns(&m, p.flows)
	case "messages":
		err = w.messages(&m, p.flows[index])
	default:
		err = fmt.Errorf("fetch of %q", what)
	}
	if err != nil {
		return err
	}
	w.send(frameReply, m)
	return nil
}

// heads writes what was not sent of the requests (part 3, their place in a record) or the
// responses (4), and has them sent along from now on.
func (w *worker) heads(m *marshal, p *pending, part int) {
	m.list(len(p.flows))
	for _, f := range p.flows {
		switch {
		case f.Kind() != flowfile.HTTP:
			m.none()
		case part == 3:
			m.request(f.Request(), p.file)
		default:
			m.response(f.Response(), p.file)
		}
	}
	if part == 3 {
		w.request.Store(true)
	} else {
		w.response.Store(true)
	}
}

// bodyOf returns the body of the request (part 0) or the response.
func bodyOf(f *flowfile.Flow, part int) flowfile.Body {
	if part == 0 && f.Request() != nil {
		return f.Request().Body()
	}
	if part == 1 && f.Response() != nil {
		return f.Response().Body()
	}
	return flowfile.Body{}
}

// bodies puts what is small of a batch into the arena.
func (w *worker) bodies(m *marshal, flows []*flowfile.Flow) {
	w.arena.clear()
	m.list(len(flows))
	for _, f := range flows {
		m.tuple(2)
		for part := range 2 {
			m.integer(int64(w.toArena(bodyOf(f, part))))
		}
	}
}

func (w *worker) toArena(b flowfile.Body) int {
	if n := b.Size(); n <= 0 || n > inArena {
		return -1
	}
	data, err := b.Bytes(inArena)
	if err != nil {
		return -1 // it is asked for again, and then the error is told
	}
	return w.arena.put(data)
}

// body puts one body into a file that the child unlinks.
func (w *worker) body(m *marshal, b flowfile.Body) {
	path, n, err := w.spill(func(f *os.File) error {
		r, err := b.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(f, r)
		return err
	})
	m.tuple(3)
	if err != nil {
		m.none()
		m.integer(0)
		m.text(err.Error())
		return
	}
	m.text(path)
	m.integer(n)
	m.none()
}

// spill makes a file for the child.
func (w *worker) spill(fill func(*os.File) error) (path string, n int64, err error) {
	f, err := os.CreateTemp(w.session.engine.TempDir, "flowkit-body-*")
	if err != nil {
		return "", 0, err
	}
	w.temp = f.Name()
	if path, err = filepath.Abs(w.temp); err == nil {
		err = fill(f)
	}
	if err == nil {
		n, err = f.Seek(0, io.SeekCurrent)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(w.temp)
	}
	return path, n, err
}

// conns writes the connections of a batch, each once.
func conns(m *marshal, flows []*flowfile.Flow) error {
	var blobs marshal
	numbers := make(map[*flowfile.Conn]int)
	number := func(c *flowfile.Conn) (int, error) {
		if c == nil {
			return -1, nil
		}
		n, ok := numbers[c]
		if ok {
			return n, nil
		}
		numbers[c] = len(numbers)
		return len(numbers) - 1, blobs.conn(c)
	}
	var pairs marshal
	pairs.list(len(flows))
	for _, f := range flows {
		pairs.tuple(2)
		for _, c := range []*flowfile.Conn{f.Client(), f.Server()} {
			n, err := number(c)
			if err != nil {
				return fmt.Errorf("connection of flow %s: %w", f.ID(), err)
			}
			pairs.integer(int64(n))
		}
	}
	m.tuple(2)
	m.list(len(numbers))
	m.buf = append(append(m.buf, blobs.buf...), pairs.buf...)
	return nil
}

// messages writes the messages of a flow: their contents in the frame, or in a file if they
// are large.
func (w *worker) messages(m *marshal, f *flowfile.Flow) error {
	total := int64(0)
	for msg, err := range f.Messages().All() {
		if err != nil {
			return fmt.Errorf("messages of flow %s: %w", f.ID(), err)
		}
		if total += max(0, msg.Body.Size()); msg.Body.Size() < 0 {
			total += inArena
		}
	}
	m.tuple(3)
	at, n, err := m.list(0), 0, error(nil)
	if total <= inArena {
		n, err = writeMessages(m, f, func(b flowfile.Body) error {
			data, err := b.Bytes(inArena)
			m.bytes(alias(data))
			return err
		})
		m.fix(at, n)
		m.none()
		m.integer(0)
		return err
	}
	path, size, err := w.spill(func(file *os.File) error {
		off := int64(0)
		n, err = writeMessages(m, f, func(b flowfile.Body) error {
			r, err := b.Open()
			if err != nil {
				return err
			}
			defer r.Close()
			k, err := io.Copy(file, r)
			m.tuple(2)
			m.integer(off)
			m.integer(k)
			off += k
			return err
		})
		return err
	})
	m.fix(at, n)
	m.text(path)
	m.integer(size)
	return err
}

func writeMessages(m *marshal, f *flowfile.Flow, content func(flowfile.Body) error) (int, error) {
	n := 0
	for msg, err := range f.Messages().All() {
		if err != nil {
			return n, fmt.Errorf("messages of flow %s: %w", f.ID(), err)
		}
		n++
		m.tuple(6)
		m.integer(int64(msg.Opcode))
		m.boolean(msg.FromClient)
		if err := content(msg.Body); err != nil {
			return n, fmt.Errorf("messages of flow %s: %w", f.ID(), err)
		}
		m.time(msg.Time)
		m.boolean(msg.Dropped)
		m.boolean(msg.Injected)
	}
	return n, nil
}

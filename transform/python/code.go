package python

import (
	"errors"
	"fmt"

	"flowkit/flowfile/coding"
)

// code applies or undoes a content-coding for a Python that has no package for it.
func (w *worker) code(f *fieldsOf, content []byte) error {
	what, name := f.text(), f.text()
	if f.err != nil {
		return f.err
	}
	limit := w.session.specs[0].Limits.WithDefaults().Body
	var out []byte
	var err error
	switch what {
	case "decode":
		out, err = coding.Decode(content, name, limit)
		if errors.Is(err, coding.ErrTooLarge) {
			err = fmt.Errorf("%w (--max-script-body)", err)
		}
	case "encode":
		out, err = coding.Encode(content, name)
	default:
		err = fmt.Errorf("code: %w", errMarshal)
	}
	m := buffers.get()
	m.tuple(2)
	if err != nil {
		m.none()
		m.text(err.Error())
	} else {
		m.bytes(alias(out))
		m.none()
	}
	w.send(frameReply, m)
	return nil
}

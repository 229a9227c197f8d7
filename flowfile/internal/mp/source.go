package mp

import "io"

// source is the segment as the msgpack decoder reads it. Being an io.ByteScanner, it is
// used as it is: the decoder puts no buffer in between, so pos is always the next token.
type source struct {
	b   []byte
	pos int
}

func (s *source) ReadByte() (byte, error) {
	if s.pos >= len(s.b) {
		return 0, io.ErrUnexpectedEOF
	}
	c := s.b[s.pos]
	s.pos++
	return c, nil
}

func (s *source) UnreadByte() error {
	s.pos--
	return nil
}

func (s *source) Read(p []byte) (int, error) {
	if s.pos >= len(s.b) {
		return 0, io.EOF
	}
	n := copy(p, s.b[s.pos:])
	s.pos += n
	return n, nil
}

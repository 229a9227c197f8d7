package websocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// FuzzRelay: whatever a side says, what is only watched passes as it came, and what is changed reaches the other side as messages
// that a stricter reader takes for what the handler made of them.
func FuzzRelay(f *testing.F) {
	z := zipper{takeover: true}
	seeds := [][]byte{
		{},
		frame(false, fin, 1, "hello"),
		slices.Concat(frame(false, more, 1, "he"), frame(false, fin, 9, "p"), frame(false, fin, 0, "llo")),
		slices.Concat(frame(false, fin|compressed, 1, z.zip("hello hello")), frame(false, fin|compressed, 1, z.zip("hello again")), frame(false, fin|compressed, 2, z.zip("hello hello"))),
		slices.Concat(frame(false, fin|compressed, 1, "\xf2\x48\xcd\xc9\xc9\x07\x00"), frame(false, fin, 8, "\x03\xe8bye")),
		frame(false, fin, 2, strings.Repeat("long", 100)),
		{0x81, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0},
	}
	for _, s := range seeds {
		for options := range byte(16) {
			f.Add(s, options)
			if len(s) > 0 {
				masked := slices.Clone(s)
				masked[1] |= 0x80
				f.Add(slices.Insert(masked, 2, 1, 2, 3, 4), options|16)
			}
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, options byte) {
		if len(said) > 1<<12 {
			return
		}
		synctest.Test(t, func(t *testing.T) { fuzzRelay(t, said, options) })
	})
}

func fuzzRelay(t *testing.T, said []byte, options byte) {
	ext := []string{"", takeover, noTakeover, "x-mystery"}[options&3]
	held, meddle, fromClient := options&4 != 0, options&8 != 0, options&16 != 0
	r := &Relay{Extensions: ext, Hold: held, Limit: 100}
	var want []string
	n, cut := 0, false
	r.Handle = func(m *Message) {
		if int64(len(m.Payload)) > 100 || m.Size < int64(len(m.Payload)) || m.Held && (m.Incomplete || !held) || m.FromClient != fromClient {
			t.Errorf("%+v", m)
		}
		if m.Incomplete {
			cut = true
			return
		}
		n++
		if m.Held && meddle {
			switch n % 3 {
			case 0:
				m.Drop = true
				return
			case 1:
				m.Payload = append([]byte("changed "), m.Payload...)
			}
		}
		want = append(want, fmt.Sprintf("%d:%s", m.Opcode, m.Payload))
	}
	heard, err := quick(r, fromClient, said)
	if !held || r.ext.opaque { // all that passes are bytes as they came, and at the end perhaps a Close of ours
		if i := firstDifference(heard, said); i < len(heard) && (err == nil || heard[i]&0x0f != 8 && i > 0 && heard[i-1] != 0x88) {
			t.Errorf("said % x\nheard % x", said, heard)
		}
	}
	if r.ext.opaque {
		return
	}
	c := r.ext.server
	if fromClient {
		c = r.ext.client
	}
	p := peer{masked: fromClient, deflate: r.ext.deflate, takeover: c.takeover}
	bad := p.hear(heard)
	if bad != nil && err == nil && !cut { // a Close may come within a message
		t.Errorf("said % x\nheard % x: %v", said, heard, bad)
	}
	for i, w := range want {
		// Long messages are shown cut.
		if i >= len(p.messages) || p.messages[i] != w && (len(w) < 100 || !strings.HasPrefix(p.messages[i], w)) {
			t.Errorf("said % x\nheard %q, want %q; %v, %v", said, p.messages, want, err, bad)
			break
		}
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// quick lets one side talk to one that says nothing, without goroutines of the test.
func quick(r *Relay, fromClient bool, said []byte) ([]byte, error) {
	talks, silent := &script{said: bytes.NewReader(said)}, &script{wait: make(chan struct{})}
	silent.other = talks
	r.Client.Conn, r.Server.Conn = silent, talks
	if fromClient {
		r.Client.Conn, r.Server.Conn = talks, silent
	}
	_, err := r.Run(context.Background())
	return silent.heard.Bytes(), err
}

// A script is a connection that says what it has to and then ends; the silent one ends when it hears an end.
type script struct {
	said  *bytes.Reader
	heard bytes.Buffer
	wait  chan struct{}
	done  bool
	other *script
}

func (s *script) Read(p []byte) (int, error) {
	if s.said != nil {
		return s.said.Read(p)
	}
	<-s.wait
	return 0, errors.New("silent")
}

func (s *script) Write(p []byte) (int, error) { return s.heard.Write(p) }

func (s *script) CloseWrite() error { return s.Close() }

func (s *script) Close() error {
	if s.wait != nil && !s.done {
		s.done = true
		close(s.wait)
	}
	return nil
}

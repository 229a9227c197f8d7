package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

// TestFraming: what each side may send passes byte by byte and is shown whole; what it may not send is refused.
func TestFraming(t *testing.T) {
	long := strings.Repeat("0123456789", 7000)
	type f struct {
		flags, op byte
		payload   string
	}
	tests := []struct {
		name   string
		frames []f
		raw    string // behind frames, from the server only
		want   []string
		broken string
		code   int
	}{
		{name: "empty text", frames: []f{{fin, 1, ""}}, want: []string{"1:"}},
		{name: "text", frames: []f{{fin, 1, "hello"}}, want: []string{"1:hello"}},
		{name: "binary", frames: []f{{fin, 2, "\x00\xff"}}, want: []string{"2:\x00\xff"}},
		{name: "not UTF-8", frames: []f{{fin, 1, "\xce\xba\xed\xa0\x80"}}, want: []string{"1:\xce\xba\xed\xa0\x80"}},
		{name: "125 bytes", frames: []f{{fin, 1, long[:125]}}, want: []string{"1:" + long[:125]}},
		{name: "126 bytes", frames: []f{{fin, 1, long[:126]}}, want: []string{"1:" + long[:126]}},
		{name: "65535 bytes", frames: []f{{fin, 1, long[:65535]}}, want: []string{"1:" + long[:65535]}},
		{name: "65536 bytes", frames: []f{{fin, 1, long[:65536]}}, want: []string{"1:" + long[:65536]}},
		{name: "three messages", frames: []f{{fin, 1, "a"}, {fin, 2, "b"}, {fin, 1, "c"}}, want: []string{"1:a", "2:b", "1:c"}},
		{name: "16 bit length of 3", raw: "\x81\x7e\x00\x03abc", want: []string{"1:abc"}},
		{name: "64 bit length of 3", raw: "\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x03abc", want: []string{"1:abc"}},
		{name: "length with the highest bit", raw: "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x03abc", broken: "highest bit"},
		{name: "huge length that does not come", raw: "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xffabc", broken: "ended within"},

		{name: "fragments", frames: []f{{more, 1, "he"}, {more, 0, "l"}, {fin, 0, "lo"}}, want: []string{"1:hello"}},
		{name: "empty fragments", frames: []f{{more, 1, ""}, {more, 0, ""}, {fin, 0, ""}}, want: []string{"1:"}},
		{name: "large fragments", frames: []f{{more, 2, long}, {more, 0, long}, {fin, 0, long}}, want: []string{"2:" + long + long + long}},
		{name: "ping between", frames: []f{{fin, 9, "p"}, {fin, 1, "a"}, {fin, 10, ""}}, want: []string{"1:a"}},
		{name: "ping within", frames: []f{{more, 1, "he"}, {fin, 9, "p"}, {fin, 10, "q"}, {fin, 0, "llo"}}, want: []string{"1:hello"}},
		{name: "ping of 125", frames: []f{{fin, 9, long[:125]}}},
		{name: "ping of 126", frames: []f{{fin, 9, long[:126]}}, broken: "a control frame of 126 bytes"},
		{name: "close of 126", frames: []f{{fin, 8, "\x03\xe8" + long[:124]}}, broken: "a control frame of 126 bytes"},
		{name: "fragmented ping", frames: []f{{more, 9, "p"}}, broken: "a fragmented control frame"},
		{name: "fragmented close", frames: []f{{more, 8, ""}}, broken: "a fragmented control frame"},
		{name: "continuation of nothing", frames: []f{{fin, 0, "a"}}, broken: "without a message to continue"},
		{name: "continuation behind the end", frames: []f{{more, 1, "a"}, {fin, 0, "b"}, {fin, 0, "c"}}, want: []string{"1:ab"}, broken: "without a message to continue"},
		{name: "text within text", frames: []f{{more, 1, "a"}, {fin, 1, "b"}}, broken: "a new message within a fragmented one"},
		{name: "binary within text", frames: []f{{more, 1, "a"}, {more, 2, "b"}}, broken: "a new message within a fragmented one"},

		{name: "opcode 3", frames: []f{{fin, 3, ""}}, broken: "reserved opcode 3"},
		{name: "opcode 7", frames: []f{{fin, 7, ""}}, broken: "reserved opcode 7"},
		{name: "opcode 11", frames: []f{{fin, 11, ""}}, broken: "reserved opcode 11"},
		{name: "opcode 15", frames: []f{{fin, 15, ""}}, broken: "reserved opcode 15"},
		{name: "opcode 4 within text", frames: []f{{more, 1, "a"}, {fin, 4, ""}}, broken: "reserved opcode 4"},
		{name: "reserved bit 1", frames: []f{{fin | 0x40, 1, "a"}}, broken: "no compression was agreed on"},
		{name: "reserved bit 2", frames: []f{{fin | 0x20, 1, "a"}}, broken: "a reserved bit"},
		{name: "reserved bit 3", frames: []f{{fin | 0x10, 1, "a"}}, broken: "a reserved bit"},
		{name: "reserved bit of ping", frames: []f{{fin | 0x40, 9, "a"}}, broken: "control frame with a reserved bit"},
		{name: "reserved bit of close", frames: []f{{fin | 0x10, 8, ""}}, broken: "control frame with a reserved bit"},

		{name: "cut in the first byte", raw: "\x81", broken: "ended within"},
		{name: "cut in the length", raw: "\x81\x7e\x01", broken: "ended within"},
		{name: "cut in the payload", raw: "\x81\x05hel", broken: "ended within"},
		{name: "cut between fragments", frames: []f{{more, 1, "hel"}}, broken: "ended within"},
		{name: "cut ping", raw: "\x89\x05hel", broken: "ended within"},

		{name: "close", frames: []f{{fin, 1, "a"}, {fin, 8, ""}}, want: []string{"1:a"}, code: CodeNone},
		{name: "close 1000", frames: []f{{fin, 8, "\x03\xe8bye"}}, code: 1000},
		{name: "close within", frames: []f{{more, 1, "a"}, {fin, 8, "\x03\xe9"}}, code: 1001},
		{name: "close with 123 bytes", frames: []f{{fin, 8, "\x03\xe8" + long[:123]}}, code: 1000},
		{name: "close not UTF-8", frames: []f{{fin, 8, "\x03\xe8\xff"}}, code: 1000},
		{name: "close of one byte", frames: []f{{fin, 8, "\x03"}}, code: CodeNone, broken: "a Close frame of one byte"},
		{name: "something behind close", frames: []f{{fin, 8, "\x03\xe8"}, {fin, 1, "late"}}, code: 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, fromClient bool) {
				if fromClient && tt.raw != "" {
					return // raw frames are not masked, as those of a client are
				}
				var said []byte
				for _, f := range tt.frames {
					said = append(said, frame(fromClient, f.flags, f.op, f.payload)...)
				}
				said = append(said, tt.raw...)
				for _, held := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						res, heard := one(&Relay{Handle: watch, Hold: held}, fromClient, said)
						var got []string
						for _, m := range res.messages {
							if m.FromClient != fromClient || m.Held == m.Incomplete && held || m.Time == 0 {
								t.Errorf("message %+v", m)
							}
							if !m.Incomplete {
								got = append(got, string(rune('0'+m.Opcode))+":"+string(m.Payload))
							}
						}
						if strings.Join(got, "|") != strings.Join(tt.want, "|") {
							t.Errorf("shown: %.200q, want %.200q", got, tt.want)
						}
						if tt.broken == "" && res.err != nil || tt.broken != "" && (res.err == nil || !strings.Contains(res.err.Error(), tt.broken)) {
							t.Errorf("error %v, want %q", res.err, tt.broken)
						}
						if tt.code != 0 && (res.close.Code != tt.code || res.close.ByClient != fromClient) {
							t.Errorf("close %+v, want %d", res.close, tt.code)
						}
						p := peer{masked: fromClient}
						bad := p.hear(heard)
						if tt.broken == "" && !held && tt.name != "something behind close" && !bytes.Equal(heard, said) {
							t.Errorf("heard %.100q, want %.100q", heard, said)
						}
						if bad != nil && (tt.broken == "" || held) && tt.name != "close within" {
							t.Errorf("held %v: heard %.100q: %v", held, heard, bad)
						}
						if strings.Join(p.messages, "|") != strings.Join(tt.want, "|") {
							t.Errorf("heard %.200q, want %.200q", p.messages, tt.want)
						}
					})
				}
			})
		})
	}
}

func TestMasking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		res := converse(&Relay{Handle: watch}, frame(false, fin, 1, "plain"), nil)
		check(t, res, &ProtocolError{true, "a frame that is not masked"})
	})
	synctest.Test(t, func(t *testing.T) {
		res := converse(&Relay{Handle: watch}, nil, frame(true, fin, 1, "masked"))
		check(t, res, &ProtocolError{false, "a masked frame"})
	})
}

// check tells whether the conversation ended with the error, which both sides were told of.
func check(t *testing.T, res result, want *ProtocolError) {
	t.Helper()
	var got *ProtocolError
	if !errors.As(res.err, &got) || *got != *want {
		t.Errorf("error %v, want %v", res.err, want)
	}
	if res.close != (Close{1002, want.Msg, want.Client}) {
		t.Errorf("close %+v", res.close)
	}
	c, s := peer{}, peer{masked: true}
	if err := errors.Join(c.hear(res.toClient), s.hear(res.toServer)); err != nil {
		t.Error(err)
	}
	blame, other := "8:\x03\xea"+want.Msg, "8:\x03\xeathe other side broke the protocol"
	if !want.Client {
		blame, other = other, blame
	}
	if len(c.controls) != 1 || c.controls[0] != blame || len(s.controls) != 1 || s.controls[0] != other {
		t.Errorf("told the client %q, the server %q", c.controls, s.controls)
	}
}

func TestCloseCodes(t *testing.T) {
	for code := range 6000 {
		ok := code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
		got, reason, problem := parseClose([]byte{byte(code >> 8), byte(code), 'x'})
		if got != code || reason != "x" || (problem == "") != ok {
			t.Errorf("%d: %d %q %q", code, got, reason, problem)
		}
	}
	// A bad code is passed on: the other side may judge.
	bothWays(t, func(t *testing.T, fromClient bool) {
		synctest.Test(t, func(t *testing.T) {
			said := frame(fromClient, fin, 8, "\x03\xec?")
			res, heard := one(&Relay{}, fromClient, said)
			if !bytes.Equal(heard, said) || res.close != (Close{1004, "?", fromClient}) || res.err == nil {
				t.Errorf("%+v", res)
			}
		})
	})
}

// TestOneByteAtATime: where reads end does not matter.
func TestOneByteAtATime(t *testing.T) {
	var said []byte
	for _, s := range []string{"", "a", strings.Repeat("long", 100), strings.Repeat("longer", 3000)} {
		said = append(said, frame(true, fin, 1, s)...)
		said = append(said, frame(true, more, 2, s)...)
		said = append(said, frame(true, fin, 9, "ping")...)
		said = append(said, frame(true, fin, 0, s)...)
	}
	synctest.Test(t, func(t *testing.T) {
		c, clientConn := memPipe()
		r := &Relay{Handle: watch}
		r.Client.Reader = bufio.NewReader(iotest.OneByteReader(clientConn))
		_ = c
		// converse sets Conn; Reader reads the same bytes one at a time.
		_, _ = c.Write(said)
		_ = c.CloseWrite()
		res := converse(r, []byte{}, nil)
		if !bytes.Equal(res.toServer, said) || len(res.messages) != 8 || res.err != nil {
			t.Errorf("%d bytes of %d, %d messages, %v", len(res.toServer), len(said), len(res.messages), res.err)
		}
	})
}

func TestHeader(t *testing.T) {
	for _, n := range []uint64{0, 1, 125, 126, 127, 65535, 65536, 1 << 40, 1<<63 - 1} {
		for _, masked := range []bool{false, true} {
			h := header{fin: n%2 == 0, rsv: rsv1, opcode: 2, masked: masked, length: n}
			if masked {
				h.key = [4]byte{1, 2, 3, 4}
			}
			b := appendHeader(nil, h)
			if len(b) > maxHeader || headerSize(b[1]) != len(b) || parseHeader(b) != h {
				t.Errorf("%+v: % x: %+v", h, b, parseHeader(b))
			}
		}
	}
}

func TestMask(t *testing.T) {
	key := [4]byte{1, 2, 4, 8}
	for n := range 100 {
		for pos := range int64(5) {
			b := make([]byte, n)
			mask(b, key, pos)
			for i := range b {
				if b[i] != key[(pos+int64(i))%4] {
					t.Fatalf("%d bytes at %d: % x", n, pos, b)
				}
			}
		}
	}
}

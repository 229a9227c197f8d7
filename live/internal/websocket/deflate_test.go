package websocket

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestParseExtensions(t *testing.T) {
	agreed := func(client, server compression) extensions {
		return extensions{deflate: true, client: client, server: server}
	}
	full, none, opaque := compression{true, 15}, compression{false, 15}, extensions{opaque: true}
	tests := []struct {
		in   string
		want extensions
	}{
		{"", extensions{}},
		{" , ", extensions{}},
		{"permessage-deflate", agreed(full, full)},
		{" Permessage-Deflate ;\tserver_no_context_takeover", agreed(full, none)},
		{"permessage-deflate; client_no_context_takeover;server_no_context_takeover", agreed(none, none)},
		{"permessage-deflate; server_max_window_bits=10; client_max_window_bits=\"8\"", agreed(compression{true, 8}, compression{true, 10})},
		{"permessage-deflate; server_max_window_bits = 15, ", agreed(full, full)},
		{"permessage-deflate; server_max_window_bits=9; server_no_context_takeover", agreed(full, compression{false, 9})},
		{"permessage-deflate; server_max_window_bits=16", opaque},
		{"permessage-deflate; server_max_window_bits=7", opaque},
		{"permessage-deflate; server_max_window_bits=08", opaque},
		{"permessage-deflate; client_max_window_bits", opaque}, // a value is needed in the answer
		{"permessage-deflate; client_no_context_takeover=1", opaque},
		{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", opaque},
		{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", opaque},
		{"permessage-deflate; mystery", opaque},
		{"permessage-deflate; ", opaque},
		{"permessage-deflate=1", opaque},
		{"permessage-deflate, permessage-deflate", opaque},
		{"permessage-deflate, x-other", opaque},
		{"x-webkit-deflate-frame", opaque},
		{`x-other; a="b, permessage-deflate"`, opaque},
		{"\"", opaque},
		{"\"\\", opaque},
	}
	for _, tt := range tests {
		if got := parseExtensions(tt.in); got != tt.want {
			t.Errorf("%q: %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

const (
	takeover   = "permessage-deflate"
	noTakeover = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
)

// text returns n messages that have much in common.
func text(n int) []string {
	rnd := rand.New(rand.NewPCG(1, 2))
	s := make([]string, n)
	for i := range s {
		var b strings.Builder
		for range rnd.IntN(200) {
			fmt.Fprintf(&b, "{%q:%d}", "key", rnd.IntN(1000))
		}
		s[i] = b.String()
	}
	return s
}

// TestDeflate: compressed messages pass as they came and are shown decompressed.
func TestDeflate(t *testing.T) {
	big := strings.Repeat("x", 3*window) + string(random(window)) + strings.Repeat("y", 100)
	messages := append(text(60), "", big, "", "a", big, "b")
	for _, ext := range []string{takeover, noTakeover} {
		for _, held := range []bool{false, true} {
			bothWays(t, func(t *testing.T, fromClient bool) {
				z := zipper{takeover: ext == takeover}
				var said []byte
				for i, m := range messages {
					if i%7 == 3 { // some go uncompressed
						said = append(said, frame(fromClient, fin, 2, m)...)
						continue
					}
					s := z.zip(m)
					// Fragments, a ping, and a last one that is empty.
					third := len(s) / 3
					said = append(said, frame(fromClient, more|compressed, 2, s[:third])...)
					said = append(said, frame(fromClient, more, 0, s[third:2*third])...)
					said = append(said, frame(fromClient, fin, 9, "")...)
					said = append(said, frame(fromClient, more, 0, s[2*third:])...)
					said = append(said, frame(fromClient, fin, 0, "")...)
				}
				synctest.Test(t, func(t *testing.T) {
					res, heard := one(&Relay{Handle: watch, Hold: held, Extensions: ext}, fromClient, said)
					if res.err != nil || len(res.messages) != len(messages) {
						t.Fatalf("%d messages of %d, %v", len(res.messages), len(messages), res.err)
					}
					for i, m := range res.messages {
						if string(m.Payload) != messages[i] || m.Size != int64(len(messages[i])) {
							t.Errorf("message %d: %d bytes of %d", i, len(m.Payload), len(messages[i]))
						}
					}
					if !held && !bytes.Equal(heard, said) {
						t.Error("not passed as it came")
					}
					p := peer{masked: fromClient, deflate: true, takeover: ext == takeover}
					if err := p.hear(heard); err != nil || len(p.messages) != len(messages) || len(p.controls) != 57 {
						t.Errorf("heard %d messages, %d pings: %v", len(p.messages), len(p.controls), err)
					}
				})
			})
		}
	}
}

// TestDeflateBlocks: every way of RFC 7692 §7.2.3 to end a message.
func TestDeflateBlocks(t *testing.T) {
	var final bytes.Buffer
	w, _ := flate.NewWriter(&final, 9)
	_, _ = w.Write([]byte("HelloHello"))
	_ = w.Close()
	tests := []struct{ name, zipped, want string }{
		{"7.2.3.1 one block", "\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello"},
		{"7.2.3.3 not compressed", "\x00\x05\x00\xfa\xffHello\x00", "Hello"},
		{"7.2.3.4 final block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"},
		{"7.2.3.5 two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"},
		{"7.2.3.6 empty", "\x00", ""},
		{"empty without a byte", "", ""},
		{"final block without the byte behind it", final.String(), "HelloHello"},
		{"two final blocks", final.String() + final.String() + "\x00", "HelloHelloHelloHello"},
	}
	for _, tt := range tests {
		for _, ext := range []string{takeover, noTakeover} {
			synctest.Test(t, func(t *testing.T) {
				said := frame(true, fin|compressed, 1, tt.zipped)
				said = append(said, said...)
				res, _ := one(&Relay{Handle: watch, Extensions: ext}, true, said)
				if res.err != nil || len(res.messages) != 2 || string(res.messages[0].Payload) != tt.want || string(res.messages[1].Payload) != tt.want {
					t.Errorf("%s: %+v", tt.name, res)
				}
			})
		}
	}
	// 7.2.3.2: the second message refers to the first.
	said := append(frame(true, fin|compressed, 1, "\xf2\x48\xcd\xc9\xc9\x07\x00"), frame(true, fin|compressed, 1, "\xf2\x00\x11\x00\x00")...)
	synctest.Test(t, func(t *testing.T) {
		if res, _ := one(&Relay{Handle: watch, Extensions: takeover}, true, said); res.err != nil || string(res.messages[1].Payload) != "Hello" {
			t.Errorf("%+v", res)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		res, _ := one(&Relay{Handle: watch, Extensions: noTakeover}, true, said)
		if res.err == nil || !strings.Contains(res.err.Error(), "cannot be decompressed") || !res.messages[1].Incomplete {
			t.Errorf("%+v", res)
		}
	})
}

func TestDeflateBroken(t *testing.T) {
	for _, zipped := range []string{"\xff", "\x06", "\xf2\x48\xcd", "\x00\x05\x00\xfa\xffHel", "\xf2\x00\x11\x00\x00", "\x04\x00"} {
		bothWays(t, func(t *testing.T, fromClient bool) {
			for _, held := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					res, heard := one(&Relay{Handle: watch, Extensions: takeover, Hold: held}, fromClient, frame(fromClient, fin|compressed, 1, zipped))
					if pe, ok := res.err.(*ProtocolError); !ok || pe.Client != fromClient || !strings.Contains(pe.Msg, "cannot be decompressed") {
						t.Errorf("%q: %v", zipped, res.err)
					}
					if held && bytes.Contains(heard, frame(fromClient, fin|compressed, 1, zipped)) {
						t.Errorf("%q passed", zipped)
					}
				})
			}
		})
	}
	// Bits of RFC 7692 where they must not be.
	for _, said := range [][]byte{
		slices.Concat(frame(true, more|compressed, 1, ""), frame(true, fin|compressed, 0, "")),
		slices.Concat(frame(true, more, 1, ""), frame(true, fin|compressed, 0, "")),
		frame(true, fin|compressed, 9, ""),
		frame(true, fin|compressed|0x20, 1, ""),
	} {
		synctest.Test(t, func(t *testing.T) {
			if res, _ := one(&Relay{Handle: watch, Extensions: takeover}, true, said); res.err == nil {
				t.Errorf("% x passed", said)
			}
		})
	}
}

// TestOpaque: what was agreed on and is not understood passes.
func TestOpaque(t *testing.T) {
	said := slices.Concat(frame(true, fin|0x70, 1, "a"), frame(true, more|0x20, 3, "b"), frame(true, fin|0x10, 0, "c"), frame(true, fin|0x10, 12, "d"))
	for _, held := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			res, heard := one(&Relay{Handle: func(m *Message) { m.Drop = true }, Hold: held, Extensions: "x-mystery"}, true, said)
			if res.err != nil || !bytes.Equal(heard, said) || len(res.messages) != 2 || !res.messages[0].Encoded || res.messages[1].Held {
				t.Errorf("%+v", res)
			}
		})
	}
}

func random(n int) []byte {
	rnd := rand.NewChaCha8([32]byte{})
	b := make([]byte, n)
	_, _ = rnd.Read(b)
	return b
}

// TestInStep: whatever is dropped, changed and injected, the other side understands what it gets, and what is left alone passes as
// it came as soon as it can.
func TestInStep(t *testing.T) {
	for _, ext := range []string{
		takeover, noTakeover,
		"permessage-deflate; client_max_window_bits=8; server_max_window_bits=8",
		"permessage-deflate; client_max_window_bits=11; server_max_window_bits=12; server_no_context_takeover",
	} {
		bothWays(t, func(t *testing.T, fromClient bool) {
			for seed := range uint64(3) {
				synctest.Test(t, func(t *testing.T) { inStep(t, ext, fromClient, seed) })
			}
		})
	}
}

func inStep(t *testing.T, ext string, fromClient bool, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	agreed := parseExtensions(ext)
	c := agreed.server
	if fromClient {
		c = agreed.client
	}
	z := zipper{takeover: c.takeover}
	const limit = 20000
	messages := text(300)
	var said []byte
	for i, m := range messages {
		if i%50 == 20 {
			m = strings.Repeat(m+"!", 1+limit/(len(m)+1)) // too long to be held
			messages[i] = m
		}
		if i%9 == 8 {
			said = append(said, frame(fromClient, fin, 1, m)...)
			continue
		}
		s := z.zip(m)
		said = append(said, frame(fromClient, more|compressed, 1, s[:len(s)/2])...)
		said = append(said, frame(fromClient, fin, 0, s[len(s)/2:])...)
	}
	var want []string
	n := -1
	r := &Relay{Hold: true, Extensions: ext, Limit: limit}
	r.Handle = func(m *Message) {
		n++
		if m.Size != int64(len(messages[n])) || !strings.HasPrefix(messages[n], string(m.Payload)) {
			t.Fatalf("message %d: shown %d bytes of %d", n, len(m.Payload), len(messages[n]))
		}
		if m.Held != (len(messages[n]) <= limit) {
			t.Errorf("message %d of %d bytes: held %v", n, len(messages[n]), m.Held)
		}
		if n < 150 { // behind that all is left alone
			switch rnd.IntN(6) {
			case 0:
				m.Drop = true
				if m.Held {
					return
				}
			case 1:
				p := fmt.Sprintf("changed %d %s", n, m.Payload[len(m.Payload)/2:])
				m.Payload = []byte(p)
				if m.Held {
					want = append(want, "1:"+p)
					return
				}
			case 2:
				if !m.Held {
					break // it went by, what is injected comes behind it
				}
				if err := r.inject(!fromClient, 2, []byte("injected")); err != nil {
					t.Error(err)
				}
				want = append(want, "2:injected")
			case 3:
				m.Payload = slices.Clone(m.Payload)
			}
		}
		want = append(want, "1:"+messages[n])
	}
	res, heard := one(r, fromClient, said)
	if res.err != nil || n != len(messages)-1 {
		t.Fatalf("%d of %d messages: %v", n+1, len(messages), res.err)
	}
	p := peer{masked: fromClient, deflate: true, takeover: c.takeover}
	if err := p.hear(heard); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.messages, want) {
		for i := range min(len(want), len(p.messages)) {
			if p.messages[i] != want[i] {
				t.Fatalf("message %d: heard %.80q, want %.80q", i, p.messages[i], want[i])
			}
		}
		t.Fatalf("heard %d messages, want %d", len(p.messages), len(want))
	}
	// The last hundred and more have passed a window.
	last := said[len(said)-10000:]
	if !bytes.HasSuffix(heard, last) {
		t.Error("messages that are left alone are still compressed anew")
	}
}

// TestWindow: our compressor refers back no further than was agreed on.
func TestWindow(t *testing.T) {
	data := bytes.Repeat(random(20000), 3)
	data = append(data, bytes.Repeat(random(5000), 5)...)
	data = append(data, bytes.Repeat(random(100), 500)...)
	data = append(data, strings.Join(text(300), "")...)
	for bits := 8; bits <= 15; bits++ {
		z := deflater{bits: bits}
		z.reset()
		var all []byte
		for part := range slices.Chunk(data, 7000) {
			z.write(part)
			all = append(append(all, z.flush()...), 0, 0, 0xff, 0xff)
			z.sent()
		}
		got, err := io.ReadAll(flate.NewReader(bytes.NewReader(append(all, 1, 0, 0, 0xff, 0xff))))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bits: %v", bits, err)
		}
		far := farthest(all)
		if far > 1<<bits || far <= 1<<bits/2 {
			t.Errorf("%d bits: refers back by %d", bits, far)
		}
		t.Logf("%d bits: %d bytes to %d, by at most %d", bits, len(data), len(all), far)
	}
}

// farthest returns how far back a DEFLATE stream (RFC 1951) refers at most.
func farthest(b []byte) (far int) {
	pos := 0
	bit := func() int {
		v := int(b[pos/8]>>(pos%8)) & 1
		pos++
		return v
	}
	bits := func(n int) (v int) {
		for i := range n {
			v |= bit() << i
		}
		return v
	}
	type key struct{ n, code int }
	codes := func(lengths []int) map[key]int {
		m, code := map[key]int{}, 0
		for n := 1; n <= 15; n++ {
			for sym, l := range lengths {
				if l == n {
					m[key{n, code}] = sym
					code++
				}
			}
			code <<= 1
		}
		return m
	}
	symbol := func(m map[key]int) int {
		for k := (key{}); ; {
			k.n, k.code = k.n+1, k.code<<1|bit()
			if s, ok := m[k]; ok {
				return s
			}
			if k.n > 15 {
				panic("no such code")
			}
		}
	}
	for len(b)*8-pos >= 3 {
		bit()
		var lit, dist map[key]int
		switch bits(2) {
		case 0:
			pos = (pos + 7) / 8 * 8
			n := bits(16)
			pos += 16 + 8*n
			continue
		case 1:
			l := make([]int, 288)
			for i := range l {
				l[i] = 8
				if i >= 144 && i < 256 {
					l[i] = 9
				} else if i >= 256 && i < 280 {
					l[i] = 7
				}
			}
			lit, dist = codes(l), codes(slices.Repeat([]int{5}, 30))
		case 2:
			nl, nd, nc := bits(5)+257, bits(5)+1, bits(4)+4
			cl := make([]int, 19)
			for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:nc] {
				cl[i] = bits(3)
			}
			m := codes(cl)
			var l []int
			for len(l) < nl+nd {
				switch s := symbol(m); s {
				case 16:
					l = append(l, slices.Repeat(l[len(l)-1:], bits(2)+3)...)
				case 17:
					l = append(l, make([]int, bits(3)+3)...)
				case 18:
					l = append(l, make([]int, bits(7)+11)...)
				default:
					l = append(l, s)
				}
			}
			lit, dist = codes(l[:nl]), codes(l[nl:])
		}
		for {
			s := symbol(lit)
			if s == 256 {
				break
			}
			if s < 256 {
				continue
			}
			if s >= 265 && s < 285 {
				bits((s - 261) / 4)
			}
			d := symbol(dist)
			from := d + 1
			if d >= 4 {
				extra := (d - 2) / 2
				from = (2+d%2)<<extra + bits(extra) + 1
			}
			far = max(far, from)
		}
	}
	return far
}

// TestBomb: a message that unfolds to much more than may be kept is shown cut, and what follows it whole.
func TestBomb(t *testing.T) {
	const size = 64 << 20
	z := zipper{takeover: true}
	bomb := z.zip(strings.Repeat("0", size))
	said := append(frame(false, fin|compressed, 2, bomb), frame(false, fin|compressed, 1, z.zip("000000000000after"))...)
	for _, held := range []bool{false, true} {
		res, heard := one(&Relay{Handle: watch, Extensions: takeover, Limit: 1 << 16, Hold: held}, false, said)
		m := res.messages
		if res.err != nil || len(m) != 2 || len(m[0].Payload) != 1<<16 || m[0].Size != size || m[0].Held || string(m[1].Payload) != "000000000000after" {
			t.Errorf("%v", res.err)
		}
		if !bytes.Equal(heard, said) {
			t.Error("not passed as it came")
		}
	}
}

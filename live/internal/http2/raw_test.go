package http2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawPeer speaks in frames.
type rawPeer struct {
	t    testing.TB
	nc   net.Conn
	fr   *http2.Framer
	enc  *hpack.Encoder
	hbuf bytes.Buffer
	dec  *hpack.Decoder
}

func newRaw(t testing.TB, nc net.Conn) *rawPeer {
	p := &rawPeer{t: t, nc: nc, fr: http2.NewFramer(nc, nc)}
	p.fr.AllowIllegalWrites = true
	p.enc = hpack.NewEncoder(&p.hbuf)
	p.dec = hpack.NewDecoder(4096, nil)
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { nc.Close() })
	return p
}

// block encodes name, value pairs; a name that begins with "!" is never indexed.
func (p *rawPeer) block(nv ...string) []byte {
	p.hbuf.Reset()
	for i := 0; i < len(nv); i += 2 {
		name, secret := strings.CutPrefix(nv[i], "!")
		p.enc.WriteField(hpack.HeaderField{Name: name, Value: nv[i+1], Sensitive: secret})
	}
	return p.hbuf.Bytes()
}

func (p *rawPeer) headers(id uint32, end bool, nv ...string) {
	p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.block(nv...), EndHeaders: true, EndStream: end})
}

// next returns the next frame that is not SETTINGS, WINDOW_UPDATE or PING, as text; the error of reading if there is none.
func (p *rawPeer) next() string {
	for {
		f, err := p.fr.ReadFrame()
		if err != nil {
			if err == io.EOF {
				return "EOF"
			}
			return "error: " + err.Error()
		}
		end := ""
		switch f := f.(type) {
		case *http2.HeadersFrame:
			fs, err := p.dec.DecodeFull(f.HeaderBlockFragment())
			if err != nil {
				return "bad block: " + err.Error()
			}
			if f.StreamEnded() {
				end = " end"
			}
			return fmt.Sprintf("HEADERS %d%s %s", f.StreamID, end, text(fs))
		case *http2.DataFrame:
			if f.StreamEnded() {
				end = " end"
			}
			return fmt.Sprintf("DATA %d%s %q", f.StreamID, end, f.Data())
		case *http2.RSTStreamFrame:
			return fmt.Sprintf("RST_STREAM %d %v", f.StreamID, f.ErrCode)
		case *http2.GoAwayFrame:
			return fmt.Sprintf("GOAWAY %d %v", f.LastStreamID, f.ErrCode)
		}
	}
}

func text(fs []hpack.HeaderField) string {
	var parts []string
	for _, f := range fs {
		bang := ""
		if f.Sensitive {
			bang = "!"
		}
		parts = append(parts, bang+f.Name+"="+f.Value)
	}
	return strings.Join(parts, " ")
}

// rawClient is a peer that has said what a client says first, to a server of ours.
func rawClient(t testing.TB, o Options, handle func(*Stream)) *rawPeer {
	a, b := tcpPair(t)
	srv := Server(b, o)
	served := make(chan struct{})
	go func() {
		defer close(served)
		srv.Serve(handle)
	}()
	t.Cleanup(func() { srv.Close(); <-served })
	p := newRaw(t, a)
	io.WriteString(a, Preface)
	p.fr.WriteSettings()
	return p
}

// rawServer is a peer to a client of ours.
func rawServer(t testing.TB, o Options) (*rawPeer, *Conn) {
	a, b := tcpPair(t)
	c := Client(a, o)
	t.Cleanup(func() { c.Close() })
	p := newRaw(t, b)
	if _, err := io.ReadFull(b, make([]byte, len(Preface))); err != nil {
		t.Fatal(err)
	}
	p.fr.WriteSettings()
	return p, c
}

// relay is what a proxy does.
func relay(up *Conn) func(*Stream) {
	return func(s *Stream) {
		h, err := s.ReadHead()
		if err != nil {
			return
		}
		u, err := up.Open(context.Background(), h)
		if err != nil {
			s.Reset(code(err))
			return
		}
		defer u.Close()
		s.OnDone(func() { u.Reset(Cancel) })
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			if !h.End {
				relayBody(u, s)
			}
		}()
		for {
			h, err := u.ReadHead()
			if err == nil {
				err = s.WriteHead(h)
			}
			if err != nil {
				s.Reset(code(err))
				break
			}
			if h.Fields[0].Value[0] != '1' {
				if !h.End {
					relayBody(s, u)
				}
				break
			}
			s.Flush()
		}
		<-sent
	}
}

func relayBody(dst, src *Stream) {
	buf := make([]byte, 16<<10)
	for {
		if !src.Ready() {
			dst.Flush()
		}
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				src.Reset(code(err))
				return
			}
		}
		if err == io.EOF {
			dst.CloseWrite(src.Trailers())
			return
		}
		if err != nil {
			dst.Reset(code(err))
			return
		}
	}
}

func code(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return InternalError
}

// TestOrder: fields and pseudo-header fields arrive behind the proxy in the order, number and form they were sent.
func TestOrder(t *testing.T) {
	origin, up := rawServer(t, Options{})
	client := rawClient(t, Options{}, relay(up))
	expect := func(p *rawPeer, want string) {
		t.Helper()
		if got := p.next(); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	}
	for i := range 3 { // the dynamic tables fill
		id := uint32(2*i + 1)
		client.headers(id, false, ":path", "/x?y", ":method", "PUT", ":authority", "example.com", ":scheme", "https",
			"user-agent", "raw", "cookie", "a=1", "!authorization", "secret", "cookie", "b=2", "x-b", "", "x-a", "1", "x-b", "\xff\xfe")
		expect(origin, fmt.Sprintf("HEADERS %d :path=/x?y :method=PUT :authority=example.com :scheme=https "+
			"user-agent=raw cookie=a=1 !authorization=secret cookie=b=2 x-b= x-a=1 x-b=\xff\xfe", id))
		client.fr.WriteData(id, false, []byte("one"))
		expect(origin, fmt.Sprintf("DATA %d \"one\"", id))
		client.headers(id, true, "x-sum", "2", "a-sum", "1", "x-sum", "3")
		expect(origin, fmt.Sprintf("HEADERS %d end x-sum=2 a-sum=1 x-sum=3", id))

		origin.headers(id, false, ":status", "103", "link", "</a>")
		expect(client, fmt.Sprintf("HEADERS %d :status=103 link=</a>", id))
		origin.headers(id, false, ":status", "200", "x-z", "1", "!set-cookie", "s", "x-y", "2", "x-z", "3")
		expect(client, fmt.Sprintf("HEADERS %d :status=200 x-z=1 !set-cookie=s x-y=2 x-z=3", id))
		origin.fr.WriteData(id, false, []byte("two"))
		expect(client, fmt.Sprintf("DATA %d \"two\"", id))
		origin.headers(id, true, "grpc-status", "0", "grpc-message", "ok")
		expect(client, fmt.Sprintf("HEADERS %d end grpc-status=0 grpc-message=ok", id))
	}
}

func TestConnect(t *testing.T) {
	origin, up := rawServer(t, Options{})
	client := rawClient(t, Options{}, relay(up))
	client.headers(1, false, ":method", "CONNECT", ":authority", "example.com:443")
	client.headers(3, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", "/chat", ":authority", "example.com",
		"sec-websocket-version", "13")
	got := []string{origin.next(), origin.next()}
	slices.Sort(got)
	for i, want := range []string{
		":method=CONNECT :authority=example.com:443",
		":method=CONNECT :protocol=websocket :scheme=https :path=/chat :authority=example.com sec-websocket-version=13",
	} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%d: %q", i, got)
		}
	}
	for _, id := range []uint32{1, 3} {
		origin.headers(id, false, ":status", "200")
		client.next()
		client.fr.WriteData(id, false, []byte("ping"))
		if got, want := origin.next()[7:], "\"ping\""; got != want {
			t.Errorf("got %s", got)
		}
		origin.fr.WriteData(id, false, []byte("pong"))
		client.next()
	}
}

// TestMalformed: what a client must not send, and what the server says to it.
func TestMalformed(t *testing.T) {
	base := []string{":method", "POST", ":scheme", "https", ":authority", "example.com", ":path", "/"}
	with := func(nv ...string) []string { return append(slices.Clone(base), nv...) }
	const rst = "RST_STREAM 1 PROTOCOL_ERROR"
	for _, tt := range []struct {
		name string
		nv   []string
		want string
	}{
		{"good", with("x", "1"), "HEADERS 1 :status=200 x-path=/"},
		{"te trailers", with("te", "trailers"), "HEADERS 1 :status=200 x-path=/"},
		{"host as authority", with("host", "example.com"), "HEADERS 1 :status=200 x-path=/"},
		{"uppercase name", with("X-A", "1"), rst},
		{"empty name", with("", "1"), rst},
		{"name with space", with("x a", "1"), rst},
		{"name with colon", with("x:a", "1"), rst},
		{"name with CR LF", with("x\r\ny", "1"), rst},
		{"name beyond ASCII", with("x\xe4", "1"), rst},
		{"value with CR LF", with("x", "1\r\ny: 2"), rst},
		{"value with LF", with("x", "1\ny: 2"), rst},
		{"value with CR", with("x", "1\r"), rst},
		{"value with NUL", with("x", "1\x00"), rst},
		{"value begins with blank", with("x", " 1"), rst},
		{"value ends with tab", with("x", "1\t"), rst},
		{"connection", with("connection", "close"), rst},
		{"proxy-connection", with("proxy-connection", "close"), rst},
		{"keep-alive", with("keep-alive", "1"), rst},
		{"transfer-encoding", with("transfer-encoding", "chunked"), rst},
		{"upgrade", with("upgrade", "h2c"), rst},
		{"te gzip", with("te", "gzip"), rst},
		{"unknown pseudo", with(":x", "1"), rst},
		{"pseudo of responses", with(":status", "200"), rst},
		{"pseudo twice", with(":path", "/"), rst},
		{"pseudo behind", with("x", "1", ":protocol", "x"), rst},
		{"protocol without CONNECT", with(":protocol", "x"), rst},
		{"content-length twice", with("content-length", "1", "content-length", "1"), rst},
		{"content-length list", with("content-length", "1, 1"), rst},
		{"content-length sign", with("content-length", "+1"), rst},
		{"content-length empty", with("content-length", ""), rst},
		{"content-length hex", with("content-length", "0x1"), rst},
		{"content-length huge", with("content-length", "99999999999999999999"), rst},
		{"host other", with("host", "evil.com"), rst},
		{"host twice", with("host", "example.com", "host", "example.com"), rst},
		{"no method", base[2:], rst},
		{"no scheme", slices.Concat(base[:2], base[4:]), rst},
		{"no authority", slices.Concat(base[:4], base[6:]), rst},
		{"no path", base[:6], rst},
		{"method with blank", slices.Concat([]string{":method", "GET /x HTTP/1.1"}, base[2:]), rst},
		{"method empty", slices.Concat([]string{":method", ""}, base[2:]), rst},
		{"scheme odd", slices.Concat(base[:2], []string{":scheme", "https://x/"}, base[4:]), rst},
		{"authority with path", slices.Concat(base[:4], []string{":authority", "example.com/x"}, base[6:]), rst},
		{"authority with user", slices.Concat(base[:4], []string{":authority", "u@example.com"}, base[6:]), rst},
		{"authority with blank", slices.Concat(base[:4], []string{":authority", "example.com x"}, base[6:]), rst},
		{"path empty", slices.Concat(base[:6], []string{":path", ""}), rst},
		{"path with blank", slices.Concat(base[:6], []string{":path", "/ HTTP/1.1"}), rst},
		{"path relative", slices.Concat(base[:6], []string{":path", "x"}), rst},
		{"path absolute form", slices.Concat(base[:6], []string{":path", "http://x/"}), rst},
		{"path star", slices.Concat(base[:6], []string{":path", "*"}), rst},
		{"CONNECT with path", []string{":method", "CONNECT", ":authority", "a:1", ":path", "/"}, rst},
		{"CONNECT with scheme", []string{":method", "CONNECT", ":authority", "a:1", ":scheme", "https"}, rst},
		{"CONNECT without authority", []string{":method", "CONNECT"}, rst},
		{"extended CONNECT without path", []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":authority", "a"}, rst},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused := make(chan *Error, 1)
			p := rawClient(t, Options{OnRefused: func(e *Error) { refused <- e }}, echoEarly)
			p.headers(1, false, tt.nv...)
			if got := p.next(); got != tt.want {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
			if tt.want == rst {
				if e := <-refused; e.Code != ProtocolError || e.Stream != 1 || e.Msg == "" {
					t.Error(e)
				}
			}
			p.headers(3, true, with("x", "good")...) // the connection lives
			for {
				got := p.next()
				if strings.HasPrefix(got, "HEADERS 3 ") {
					break
				}
				if !strings.Contains(got, " 1 ") {
					t.Fatal(got)
				}
			}
		})
	}
}

// echoEarly is echo that sends the head at once.
func echoEarly(s *Stream) {
	h, _ := s.ReadHead()
	answerEarly(s, h)
}

func answerEarly(s *Stream, h Head) {
	s.WriteHead(status("200", "x-path", h.Get(":path")))
	s.Flush()
	buf := make([]byte, 1000)
	for {
		n, err := s.Read(buf)
		if err != nil {
			if err == io.EOF {
				s.CloseWrite(s.Trailers())
			}
			return
		}
		s.Write(buf[:n])
		s.Flush()
	}
}

// TestServerFrames: what frames a client must not send, and what the server says to it (RFC 9113 §5, §6).
func TestServerFrames(t *testing.T) {
	base := []string{":method", "POST", ":scheme", "https", ":authority", "example.com", ":path", "/"}
	open := func(p *rawPeer, id uint32, end bool, nv ...string) {
		p.headers(id, end, append(slices.Clone(base), nv...)...)
	}
	opened := func(p *rawPeer, id uint32, nv ...string) { // and answered
		open(p, id, false, nv...)
		if got := p.next(); !strings.HasPrefix(got, "HEADERS ") {
			p.t.Fatal(got)
		}
	}
	raw := func(p *rawPeer, typ http2.FrameType, flags http2.Flags, id uint32, payload string) {
		p.fr.WriteRawFrame(typ, flags, id, []byte(payload))
	}
	for _, tt := range []struct {
		name string
		send func(p *rawPeer)
		want string
	}{
		{"SETTINGS of a stream", func(p *rawPeer) { raw(p, http2.FrameSettings, 0, 1, "") }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"SETTINGS of odd length", func(p *rawPeer) { raw(p, http2.FrameSettings, 0, 0, "12345") }, "GOAWAY 0 FRAME_SIZE_ERROR"},
		{"SETTINGS ACK with payload", func(p *rawPeer) { raw(p, http2.FrameSettings, 1, 0, "123456") }, "GOAWAY 0 FRAME_SIZE_ERROR"},
		{"SETTINGS ENABLE_PUSH 2", func(p *rawPeer) { raw(p, http2.FrameSettings, 0, 0, "\x00\x02\x00\x00\x00\x02") }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"SETTINGS INITIAL_WINDOW_SIZE", func(p *rawPeer) { raw(p, http2.FrameSettings, 0, 0, "\x00\x04\x80\x00\x00\x00") }, "GOAWAY 0 FLOW_CONTROL_ERROR"},
		{"SETTINGS MAX_FRAME_SIZE", func(p *rawPeer) { raw(p, http2.FrameSettings, 0, 0, "\x00\x05\x00\x00\x00\x01") }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"PING of 7 bytes", func(p *rawPeer) { raw(p, http2.FramePing, 0, 0, "1234567") }, "GOAWAY 0 FRAME_SIZE_ERROR"},
		{"PING of a stream", func(p *rawPeer) { raw(p, http2.FramePing, 0, 1, "12345678") }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"WINDOW_UPDATE 0", func(p *rawPeer) { raw(p, http2.FrameWindowUpdate, 0, 0, "\x00\x00\x00\x00") }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"WINDOW_UPDATE of 3 bytes", func(p *rawPeer) { raw(p, http2.FrameWindowUpdate, 0, 0, "\x00\x00\x01") }, "GOAWAY 0 FRAME_SIZE_ERROR"},
		{"WINDOW_UPDATE overflow", func(p *rawPeer) { p.fr.WriteWindowUpdate(0, maxWindow) }, "GOAWAY 0 FLOW_CONTROL_ERROR"},
		{"WINDOW_UPDATE of an idle stream", func(p *rawPeer) { p.fr.WriteWindowUpdate(1, 1) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"stream WINDOW_UPDATE 0", func(p *rawPeer) { opened(p, 1); p.fr.WriteWindowUpdate(1, 0) }, "RST_STREAM 1 PROTOCOL_ERROR"},
		{"stream WINDOW_UPDATE overflow", func(p *rawPeer) { opened(p, 1); p.fr.WriteWindowUpdate(1, maxWindow) }, "RST_STREAM 1 FLOW_CONTROL_ERROR"},
		{"RST_STREAM of an idle stream", func(p *rawPeer) { p.fr.WriteRSTStream(1, Cancel) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"RST_STREAM of stream 0", func(p *rawPeer) { p.fr.WriteRSTStream(0, Cancel) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"RST_STREAM of 3 bytes", func(p *rawPeer) { opened(p, 1); raw(p, http2.FrameRSTStream, 0, 1, "123") }, "GOAWAY 1 FRAME_SIZE_ERROR"},
		{"DATA of stream 0", func(p *rawPeer) { p.fr.WriteData(0, false, []byte("x")) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"DATA of an idle stream", func(p *rawPeer) { p.fr.WriteData(1, false, []byte("x")) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"DATA of an even stream", func(p *rawPeer) { p.fr.WriteData(2, false, []byte("x")) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"DATA after the end", func(p *rawPeer) { opened(p, 1); p.fr.WriteData(1, true, nil); p.fr.WriteData(1, false, []byte("x")) }, ""},
		{"DATA with too much padding", func(p *rawPeer) { opened(p, 1); raw(p, http2.FrameData, http2.FlagDataPadded, 1, "\x05abc") }, "GOAWAY 1 PROTOCOL_ERROR"},
		{"DATA padded and empty", func(p *rawPeer) { opened(p, 1); raw(p, http2.FrameData, http2.FlagDataPadded, 1, "") }, "GOAWAY 1 FRAME_SIZE_ERROR"},
		{"DATA padded", func(p *rawPeer) {
			opened(p, 1)
			raw(p, http2.FrameData, http2.FlagDataPadded|http2.FlagDataEndStream, 1, "\x03abc\x00\x00\x00")
		}, `DATA 1 "abc"`},
		{"frame too large", func(p *rawPeer) { opened(p, 1); p.fr.WriteData(1, false, make([]byte, 16385)) }, "GOAWAY 1 FRAME_SIZE_ERROR"},
		{"body shorter than content-length", func(p *rawPeer) { opened(p, 1, "content-length", "2"); p.fr.WriteData(1, true, nil) }, "RST_STREAM 1 PROTOCOL_ERROR"},
		{"body longer than content-length", func(p *rawPeer) { opened(p, 1, "content-length", "2"); p.fr.WriteData(1, false, []byte("abc")) }, "RST_STREAM 1 PROTOCOL_ERROR"},
		{"trailers, body shorter than content-length", func(p *rawPeer) { opened(p, 1, "content-length", "2"); p.headers(1, true, "x", "1") }, "RST_STREAM 1 PROTOCOL_ERROR"},
		{"no body but content-length", func(p *rawPeer) { open(p, 1, true, "content-length", "2") }, "RST_STREAM 1 PROTOCOL_ERROR"},
		{"trailers with pseudo", func(p *rawPeer) { opened(p, 1); p.headers(1, true, ":path", "/") }, "RST_STREAM 1 PROTOCOL_ERROR"},
		{"trailers not the end", func(p *rawPeer) { opened(p, 1); p.headers(1, false, "x", "1") }, "RST_STREAM 1 PROTOCOL_ERROR"},
		{"trailers", func(p *rawPeer) { opened(p, 1); p.headers(1, true, "x", "1") }, "HEADERS 1 end x=1"},
		{"HEADERS of stream 0", func(p *rawPeer) { open(p, 0, true) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"HEADERS of an even stream", func(p *rawPeer) { open(p, 2, true) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"HEADERS of a lower stream", func(p *rawPeer) { opened(p, 5); open(p, 3, true) }, "GOAWAY 5 STREAM_CLOSED"},
		{"HEADERS after RST_STREAM", func(p *rawPeer) { opened(p, 1); p.fr.WriteRSTStream(1, Cancel); open(p, 1, true) }, "GOAWAY 1 STREAM_CLOSED"},
		{"HEADERS with too much padding", func(p *rawPeer) {
			raw(p, http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, "\x05a")
		}, "GOAWAY 0 PROTOCOL_ERROR"},
		{"HEADERS padded and empty", func(p *rawPeer) {
			raw(p, http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, "")
		}, "GOAWAY 0 FRAME_SIZE_ERROR"},
		{"HEADERS with bad block", func(p *rawPeer) {
			raw(p, http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
		}, "GOAWAY 0 COMPRESSION_ERROR"},
		{"HEADERS with priority", func(p *rawPeer) {
			p.fr.WriteHeaders(http2.HeadersFrameParam{
				StreamID: 1, BlockFragment: p.block(base...), EndHeaders: true, Priority: http2.PriorityParam{StreamDep: 7, Weight: 3, Exclusive: true},
			})
		}, "HEADERS 1 :status=200 x-path=/"},
		{"table grows too large", func(p *rawPeer) { raw(p, http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, "\x3f\xe2\x1f") }, "GOAWAY 0 COMPRESSION_ERROR"},
		{"CONTINUATION alone", func(p *rawPeer) { p.fr.WriteContinuation(1, true, nil) }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"frame between HEADERS and CONTINUATION", func(p *rawPeer) {
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(base...)})
			p.fr.WritePing(false, [8]byte{})
		}, "GOAWAY 0 PROTOCOL_ERROR"},
		{"CONTINUATION of another stream", func(p *rawPeer) {
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(base...)})
			p.fr.WriteContinuation(3, true, nil)
		}, "GOAWAY 0 PROTOCOL_ERROR"},
		{"CONTINUATION", func(p *rawPeer) {
			block := p.block(base...)
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3]})
			p.fr.WriteContinuation(1, false, block[3:5])
			p.fr.WriteContinuation(1, true, block[5:])
		}, "HEADERS 1 :status=200 x-path=/"},
		{"PUSH_PROMISE", func(p *rawPeer) { opened(p, 1); raw(p, http2.FramePushPromise, 4, 1, "\x00\x00\x00\x02") }, "GOAWAY 1 PROTOCOL_ERROR"},
		{"GOAWAY of a stream", func(p *rawPeer) { raw(p, http2.FrameGoAway, 0, 1, "12345678") }, "GOAWAY 0 PROTOCOL_ERROR"},
		{"PRIORITY of an idle stream", func(p *rawPeer) { p.fr.WritePriority(9, http2.PriorityParam{Weight: 1}); open(p, 1, false) }, "HEADERS 1 :status=200 x-path=/"},
		{"unknown frame", func(p *rawPeer) { raw(p, 0xee, 0xff, 77, "abc"); open(p, 1, false) }, "HEADERS 1 :status=200 x-path=/"},
		{"stream window exceeded", func(p *rawPeer) {
			open(p, 1, false, "x-hold", "1")
			for range 5 {
				p.fr.WriteData(1, false, make([]byte, 16384))
			}
		}, "RST_STREAM 1 FLOW_CONTROL_ERROR"},
		{"connection window exceeded", func(p *rawPeer) {
			for id := range uint32(3) {
				open(p, 2*id+1, false, "x-hold", "1")
				for range 3 {
					p.fr.WriteData(2*id+1, false, make([]byte, 16384))
				}
			}
		}, "GOAWAY 5 FLOW_CONTROL_ERROR"},
		{"head too large", func(p *rawPeer) { open(p, 1, false, "x", strings.Repeat("x", 5000)) }, "HEADERS 1 end :status=431 content-length=0"},
		{"head far too large", func(p *rawPeer) {
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: make([]byte, 8000)})
			p.fr.WriteContinuation(1, false, make([]byte, 8000))
		}, "GOAWAY 0 ENHANCE_YOUR_CALM"},
		{"CONTINUATION flood", func(p *rawPeer) {
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			for range maxHeadFrames + 1 {
				p.fr.WriteContinuation(1, false, nil)
			}
		}, "GOAWAY 0 ENHANCE_YOUR_CALM"},
		{"empty DATA flood", func(p *rawPeer) {
			opened(p, 1)
			for range 1100 {
				p.fr.WriteData(1, false, nil)
			}
		}, "GOAWAY 1 ENHANCE_YOUR_CALM"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{MaxHead: 4096, StreamWindow: initialWindow, ConnWindow: 2 * initialWindow}
			p := rawClient(t, o, func(s *Stream) {
				h, _ := s.ReadHead()
				if h.Get("x-hold") != "" {
					<-s.Done()
					return
				}
				answerEarly(s, h)
			})
			if strings.HasPrefix(tt.name, "connection window") {
				p.nc.(*net.TCPConn).SetNoDelay(false)
			}
			tt.send(p)
			switch got := p.next(); {
			case tt.want == "":
				// Either the stream is known to be closed, or about to be: both are right.
				if !strings.HasPrefix(got, "DATA 1 end") && !strings.Contains(got, "STREAM_CLOSED") {
					t.Fatalf("got %s", got)
				}
			case got != tt.want:
				t.Fatalf("got %s, want %s", got, tt.want)
			}
			if strings.HasPrefix(tt.want, "GOAWAY") {
				if got := p.next(); got != "EOF" {
					t.Fatalf("after GOAWAY: %s", got)
				}
			}
		})
	}
}

func TestPreface(t *testing.T) {
	for _, tt := range []struct{ send, want string }{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GOAWAY 0 PROTOCOL_ERROR"},
		{Preface + "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678", "GOAWAY 0 PROTOCOL_ERROR"},
		{Preface + "\x00\x00\x00\x04\x01\x00\x00\x00\x00", "GOAWAY 0 PROTOCOL_ERROR"},
	} {
		a, b := tcpPair(t)
		srv := Server(b, Options{})
		served := make(chan error, 1)
		go func() { served <- srv.Serve(echo) }()
		p := newRaw(t, a)
		io.WriteString(a, tt.send)
		if got := p.next(); got != tt.want {
			t.Errorf("%q: got %s", tt.send, got)
		}
		if err := <-served; err == nil {
			t.Error("no error")
		}
	}
}

// TestClientFrames: what frames a server must not send, and what the client says to it and to its user.
func TestClientFrames(t *testing.T) {
	raw := func(p *rawPeer, typ http2.FrameType, flags http2.Flags, id uint32, payload string) {
		p.fr.WriteRawFrame(typ, flags, id, []byte(payload))
	}
	for _, tt := range []struct {
		name  string
		send  func(p *rawPeer)
		want  string // what the server sees; "" for nothing
		err   Code
		retry bool
	}{
		{"RST_STREAM", func(p *rawPeer) { p.fr.WriteRSTStream(1, InternalError) }, "", InternalError, false},
		{"refused", func(p *rawPeer) { p.fr.WriteRSTStream(1, RefusedStream) }, "", RefusedStream, true},
		{"GOAWAY below", func(p *rawPeer) { p.fr.WriteGoAway(0, NoError, nil) }, "", NoError, true},
		{"GOAWAY and gone", func(p *rawPeer) { p.fr.WriteGoAway(1, InternalError, []byte("oops")); p.nc.Close() }, "", InternalError, false},
		{"DATA before the head", func(p *rawPeer) { p.fr.WriteData(1, false, []byte("x")) }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"no status", func(p *rawPeer) { p.headers(1, true, "x", "1") }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"odd status", func(p *rawPeer) { p.headers(1, true, ":status", "20x") }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"status 101", func(p *rawPeer) { p.headers(1, false, ":status", "101") }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"status 100 with the end", func(p *rawPeer) { p.headers(1, true, ":status", "100") }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"request fields", func(p *rawPeer) { p.headers(1, true, ":status", "200", ":path", "/") }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"transfer-encoding", func(p *rawPeer) { p.headers(1, true, ":status", "200", "transfer-encoding", "chunked") }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"content-length and no body", func(p *rawPeer) { p.headers(1, true, ":status", "200", "content-length", "5") }, "RST_STREAM 1 PROTOCOL_ERROR", ProtocolError, false},
		{"flood of informational heads", func(p *rawPeer) {
			for range 200 {
				p.headers(1, false, ":status", "100", "x", strings.Repeat("x", 1000))
			}
		}, "RST_STREAM 1 ENHANCE_YOUR_CALM", EnhanceCalm, false},
		{"PUSH_PROMISE", func(p *rawPeer) { raw(p, http2.FramePushPromise, 4, 1, "\x00\x00\x00\x02\x88") }, "GOAWAY 0 PROTOCOL_ERROR", ProtocolError, false},
		{"HEADERS of an idle stream", func(p *rawPeer) { p.headers(3, true, ":status", "200") }, "GOAWAY 0 PROTOCOL_ERROR", ProtocolError, false},
		{"HEADERS of an even stream", func(p *rawPeer) { p.headers(2, true, ":status", "200") }, "GOAWAY 0 PROTOCOL_ERROR", ProtocolError, false},
		{"ENABLE_PUSH 1", func(p *rawPeer) { p.fr.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1}) }, "GOAWAY 0 PROTOCOL_ERROR", ProtocolError, false},
		{"head too large", func(p *rawPeer) { p.headers(1, true, ":status", "200", "x", strings.Repeat("x", 5000)) }, "RST_STREAM 1 ENHANCE_YOUR_CALM", EnhanceCalm, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, c := rawServer(t, Options{MaxHead: 4096})
			s, err := c.Open(context.Background(), post("/"))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.Flush()
			if got := p.next(); !strings.HasPrefix(got, "HEADERS 1 :method=POST") {
				t.Fatal(got)
			}
			tt.send(p)
			if tt.want != "" {
				if got := p.next(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
			<-s.Done()
			for err == nil {
				_, err = s.ReadHead()
			}
			if code(err) != tt.err || Retryable(err) != tt.retry {
				t.Errorf("%v; retry %v", err, Retryable(err))
			}
			if _, err := s.Write([]byte("x")); err == nil {
				t.Error("can still be written")
			}
		})
	}
}

// TestEarlyResponse: a whole response and RST_STREAM NO_ERROR behind it (RFC 9113 §8.1).
func TestEarlyResponse(t *testing.T) {
	p, c := rawServer(t, Options{})
	s, err := c.Open(context.Background(), post("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Flush()
	p.next()
	p.headers(1, false, ":status", "413")
	p.fr.WriteData(1, true, []byte("too large"))
	p.fr.WriteRSTStream(1, NoError)
	<-s.Done()
	if h, err := s.ReadHead(); err != nil || h.Get(":status") != "413" {
		t.Fatal(h, err)
	}
	if b, err := io.ReadAll(s); err != nil || string(b) != "too large" {
		t.Fatalf("%q, %v", b, err)
	}
}

// TestResetAfterBody: what had come of a body before RST_STREAM is there to be read.
func TestResetAfterBody(t *testing.T) {
	p, c := rawServer(t, Options{})
	s, _ := c.Open(context.Background(), get("/"))
	defer s.Close()
	p.next()
	p.headers(1, false, ":status", "200")
	p.fr.WriteData(1, false, []byte("half"))
	p.fr.WriteRSTStream(1, InternalError)
	<-s.Done()
	s.ReadHead()
	if b, err := io.ReadAll(s); string(b) != "half" || code(err) != InternalError {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestRapidReset(t *testing.T) {
	p := rawClient(t, Options{}, echoEarly)
	go func() {
		for id := uint32(1); id < 6000; id += 2 {
			p.headers(id, false, ":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/")
			p.fr.WriteRSTStream(id, Cancel)
		}
	}()
	for {
		got := p.next()
		if strings.HasSuffix(got, "ENHANCE_YOUR_CALM") {
			break
		}
		if got == "EOF" || strings.HasPrefix(got, "error") {
			t.Fatal(got)
		}
	}
}

func TestTooManyStreams(t *testing.T) {
	release := make(chan struct{})
	p := rawClient(t, Options{MaxStreams: 2}, func(s *Stream) { <-release; serve8k(s) })
	for id := uint32(1); id < 9; id += 2 {
		p.headers(id, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/")
	}
	for _, want := range []string{"RST_STREAM 5 REFUSED_STREAM", "RST_STREAM 7 REFUSED_STREAM"} {
		if got := p.next(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// Reset, but still being handled: a third and fourth may come, no fifth.
	p.fr.WriteRSTStream(1, Cancel)
	p.fr.WriteRSTStream(3, Cancel)
	for id := uint32(9); id < 15; id += 2 {
		p.headers(id, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/")
	}
	if got, want := p.next(), "RST_STREAM 13 REFUSED_STREAM"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	close(release)
}

// TestPingFlood: answers that the peer does not read pile up only so far.
func TestPingFlood(t *testing.T) {
	p := rawClient(t, Options{}, echo)
	var err error
	sent := 0
	p.nc.SetWriteDeadline(time.Now().Add(5 * time.Second))
	ping := bytes.Repeat([]byte("\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678"), 4096)
	for sent < 64<<20 && err == nil {
		var n int
		n, err = p.nc.Write(ping)
		sent += n
	}
	if err == nil {
		t.Error("it takes and takes")
	}
}

package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
)

func ExampleOrder_Sequence() {
	f := shape(flowfile.HTTP, "qr")
	order := replay.Order{Want: replay.AllHooks}
	_ = order.Sequence(f, func(e *replay.Event) error {
		fmt.Println(e.Hook)
		return nil
	})
	// Output:
	// requestheaders
	// request
	// responseheaders
	// response
}

// shape builds a flow of letters: q request, r response, e error, w WebSocket, m a message.
func shape(kind flowfile.Kind, letters string) *flowfile.Flow {
	h := flowfile.Head{ID: "f", Kind: kind}
	log := &flowfile.MessageLog{}
	for i, c := range letters {
		switch {
		case c == 'q' && kind == flowfile.DNS:
			h.DNSRequest = &flowfile.DNSMessage{}
		case c == 'r' && kind == flowfile.DNS:
			h.DNSResponse = &flowfile.DNSMessage{}
		case c == 'q':
			h.Request = flowfile.NewRequest(flowfile.RequestHead{Method: "GET", Path: "/"})
		case c == 'r':
			h.Response = flowfile.NewResponse(flowfile.ResponseHead{Status: 200})
		case c == 'e':
			h.Error = &flowfile.Error{Msg: "gone"}
		case c == 'w':
			h.WebSocket = &flowfile.WebSocket{}
		case c == 'm':
			log.Append(flowfile.Msg{Body: flowfile.StringBody(fmt.Sprint(i))})
		}
	}
	if log.Len() > 0 {
		h.Messages = log
	}
	return flowfile.New(h)
}

func trace(t *testing.T, o replay.Order, f *flowfile.Flow, do func(*replay.Event)) string {
	t.Helper()
	o.Want = replay.AllHooks
	var got []string
	err := o.Sequence(f, func(e *replay.Event) error {
		s := e.Hook.String()
		if e.Messages != nil {
			s += fmt.Sprintf("(%d)", e.Messages.Len())
		}
		got = append(got, s)
		if do != nil {
			do(e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(got, " ")
}

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		kind            flowfile.Kind
		shape           string
		modern, classic string // classic "": the same
	}{
		{flowfile.HTTP, "qr", "requestheaders request responseheaders response", ""},
		{flowfile.HTTP, "q", "requestheaders request", ""},
		{flowfile.HTTP, "qe", "requestheaders request error", ""},
		{flowfile.HTTP, "qre", "requestheaders request responseheaders response error", ""},
		{flowfile.HTTP, "e", "error", ""},
		{
			flowfile.HTTP, "qrwmm",
			"requestheaders request responseheaders response websocket_start(0) websocket_message(1) websocket_message(2) websocket_end", "",
		},
		{
			flowfile.HTTP, "qrwme",
			"requestheaders request responseheaders response websocket_start(0) websocket_message(1) websocket_end",
			"requestheaders request responseheaders response error websocket_start(0) websocket_message(1) websocket_error websocket_end",
		},
		{flowfile.TCP, "mm", "tcp_start(0) tcp_message(1) tcp_message(2) tcp_end", ""},
		{flowfile.TCP, "me", "tcp_start(0) tcp_message(1) tcp_error", "tcp_start(0) tcp_message(1) tcp_error tcp_end"},
		{flowfile.TCP, "", "tcp_start(0) tcp_end", ""},
		{flowfile.UDP, "me", "udp_start(0) udp_message(1) udp_error", "udp_start(0) udp_message(1) udp_error udp_end"},
		{flowfile.DNS, "qr", "dns_request dns_response", ""},
		{flowfile.DNS, "qe", "dns_request dns_error", ""},
	} {
		if got := trace(t, replay.Order{}, shape(c.kind, c.shape), nil); got != c.modern {
			t.Errorf("%v %s: %s, want %s", c.kind, c.shape, got, c.modern)
		}
		want := c.classic
		if want == "" {
			want = c.modern
		}
		if got := trace(t, replay.Order{Classic: true}, shape(c.kind, c.shape), nil); got != want {
			t.Errorf("classic %v %s: %s, want %s", c.kind, c.shape, got, want)
		}
	}
}

// What a handler sets is announced, what it takes away is not.
func TestOrderIsLazy(t *testing.T) {
	for _, c := range []struct {
		name, shape string
		do          func(*replay.Event)
		want        string
	}{
		{"set", "q", func(e *replay.Event) {
			if e.Hook == replay.Request {
				e.Flow.SetResponse(flowfile.NewResponse(flowfile.ResponseHead{Status: 418}))
			}
			if e.Hook == replay.Response {
				e.Flow.SetError(&flowfile.Error{Msg: "x"})
			}
		}, "requestheaders request responseheaders response error"},
		{"take away", "qr", func(e *replay.Event) {
			if e.Hook == replay.Request {
				e.Flow.SetResponse(nil)
			}
		}, "requestheaders request"},
		{"drop", "qr", func(e *replay.Event) { e.Flow.Drop() }, "requestheaders"},
	} {
		if got := trace(t, replay.Order{}, shape(flowfile.HTTP, c.shape), c.do); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMessagesCanBeChangedAndRemoved(t *testing.T) {
	f := shape(flowfile.TCP, "mmm")
	trace(t, replay.Order{}, f, func(e *replay.Event) {
		if e.Hook != replay.TCPMessage {
			return
		}
		i := e.Messages.Len() - 1
		m := e.Messages.At(i)
		switch b, _ := m.Body.Bytes(-1); string(b) {
		case "0":
			m.Body = flowfile.StringBody("changed")
			if err := e.Messages.Set(i, m); err != nil {
				t.Error(err)
			}
		case "1":
			e.Messages.Delete(i)
		}
	})
	var got []string
	for m, err := range f.Messages().All() {
		if err != nil {
			t.Fatal(err)
		}
		b, _ := m.Body.Bytes(-1)
		got = append(got, string(b))
	}
	if want := []string{"changed", "2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !f.Changed().Has(flowfile.PartMessages) {
		t.Error("the change is not marked")
	}
}

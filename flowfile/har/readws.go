package har

import (
	"math"
	"strconv"

	"flowkit/flowfile"
)

// addMessage takes a message of the entry that is being read, as parser.message.
func (r *Reader) addMessage(v *value) (whole bool, err error) {
	if v == nil {
		r.messages = &flowfile.MessageLog{}
		return false, nil
	}
	m, ok, whole := r.message(v)
	if !ok {
		return false, nil
	}
	if m.Body.Content() == nil && m.Body.Size() > 64 {
		b, err := m.Body.Bytes(-1)
		if err != nil {
			return false, err
		}
		c, err := r.o.Spool.Add(b)
		if err != nil {
			return false, err
		}
		body := flowfile.ContentBody(c)
		if m.Body.State() == flowfile.BodyTruncated {
			body = body.Truncate(m.Body.Total())
		}
		m.Body = body
	}
	r.messages.Append(m)
	return whole, nil
}

// webSocket reads a conversation, of which addMessage has the messages.
func (r *Reader) webSocket(v *value, h *flowfile.Head) {
	list, end := v.get(messagesKey), v.get("_webSocketClose")
	if !list.is(array) && !end.is(object) && v.get("_resourceType").str() != "websocket" {
		return
	}
	h.WebSocket = readClose(end)
	if list.is(array) && r.messages.Len() > 0 {
		h.Messages = r.messages
	}
	for i := range list.items {
		if x := &list.items[i]; x.get("type").str() == "error" && h.Error == nil {
			h.Error = &flowfile.Error{Msg: either(clean(x.get("data").str()), "WebSocket error"), Time: seconds(x.get("time"))}
		}
	}
}

func seconds(v *value) flowfile.Time {
	f, ok := v.float()
	if !ok || f <= 0 {
		return 0
	}
	return flowfile.TimeFromSeconds(f)
}

func readClose(end *value) *flowfile.WebSocket {
	w := &flowfile.WebSocket{CloseReason: clean(end.get("reason").str()), End: seconds(end.get("timestamp"))}
	if code := end.get("code"); code.some() {
		w.CloseCode = int(max(code.int(), 0))
	}
	if by := end.get("_closedByClient"); by.is(boolean) {
		b := by.true()
		w.ClosedByClient = &b
	}
	return w
}

// message reads one message: whether it is one, and whether a Writer gives it back as it is.
func (r *Reader) message(v *value) (m flowfile.Msg, ok, same bool) {
	if !v.is(object) {
		return m, false, false
	}
	same = true
	switch v.get("type").str() {
	case "send":
		m.FromClient = true
	case "receive":
	case "request", "outgoing", "sent":
		m.FromClient, same = true, false
	case "response", "incoming", "received":
		same = false
	default:
		return m, false, false
	}
	at := v.get("time")
	m.Time = seconds(at)
	f, _ := at.float()
	same = same && m.Time != 0 && at.is(number) && m.Time.Seconds() == f
	data, op := v.get("data"), v.get("opcode")
	m.Opcode = opText
	if op.some() {
		m.Opcode = int(op.int())
	}
	same = same && op.is(number) && m.Opcode > 0 && strconv.Itoa(m.Opcode) == op.s && data.is(text)
	if m.Opcode < 0 || m.Opcode > 15 {
		return m, false, false
	}
	encoding := ""
	if m.Opcode > opText {
		encoding = "base64"
	}
	if b := v.get("_base64"); b.is(text) {
		data, encoding = b, "base64"
	}
	var exact bool
	if m.Body, exact = r.bytes(data, encoding); !exact {
		same = false
	}
	m.Dropped, m.Injected = v.get("_dropped").true(), v.get("_injected").true()
	for _, x := range v.items {
		switch x.key {
		case "type", "time", "opcode", "data", "_base64", "_dropped", "_injected":
		default:
			same = false
		}
	}
	if x := v.get("_flowkit"); x.some() {
		m.Body = marked(m.Body, v)
		if x.get("absent").true() {
			m.Body = flowfile.Body{}
		}
	}
	return m, true, same && !math.IsNaN(f)
}

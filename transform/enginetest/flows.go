package enginetest

import (
	"flowkit/flowfile"
)

const start = flowfile.Time(1_700_000_000_500_000_000)

// httpFlow returns an exchange of host shop.example: GET path, and body in a 200. Headers
// are pairs of the response.
func httpFlow(id, path, body string, headers ...string) *flowfile.Flow {
	f := requestFlow(id, path)
	h := flowfile.ResponseHead{
		MessageHead: flowfile.MessageHead{
			Version: "HTTP/1.1", Body: flowfile.StringBody(body), Start: start + 2e9, End: start + 3e9,
		},
		Status: 200, Reason: "OK",
	}
	for i := 0; i < len(headers); i += 2 {
		h.Headers = append(h.Headers, flowfile.Field{Name: headers[i], Value: headers[i+1]})
	}
	f.SetResponse(flowfile.NewResponse(h))
	return f
}

// requestFlow returns a flow that got no response.
func requestFlow(id, path string) *flowfile.Flow {
	return flowfile.New(flowfile.Head{
		ID: id, Created: start,
		Request: flowfile.NewRequest(flowfile.RequestHead{
			MessageHead: flowfile.MessageHead{
				Version: "HTTP/1.1", Headers: []flowfile.Field{{Name: "Host", Value: "shop.example"}},
				Body: flowfile.StringBody(""), Start: start, End: start + 1e9,
			},
			Method: "GET", Scheme: "http", Host: "shop.example", Port: 80, Path: path,
		}),
	})
}

// streamFlow returns a flow of messages, the first from the client, then alternating.
func streamFlow(kind flowfile.Kind, id string, payloads ...string) *flowfile.Flow {
	h := flowfile.Head{ID: id, Kind: kind, Created: start}
	log := &flowfile.MessageLog{}
	for i, p := range payloads {
		m := flowfile.Msg{FromClient: i%2 == 0, Time: start + flowfile.Time(i), Body: flowfile.StringBody(p)}
		if kind == flowfile.HTTP {
			m.Opcode = 1
		}
		log.Append(m)
	}
	h.Messages = log
	if kind == flowfile.HTTP {
		f := httpFlow(id, "/socket", "")
		h.Request, h.Response = f.Request(), f.Response()
		h.WebSocket = &flowfile.WebSocket{CloseCode: 1000}
	}
	return flowfile.New(h)
}

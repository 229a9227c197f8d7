package filter

import (
	"bufio"
	"strconv"
	"unsafe"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

// maxBody is the largest body that is taken into memory.
const maxBody = 64 << 20

// state is one Match: what several nodes may want is made once.
type state struct {
	f   *flowfile.Flow
	err error // the first

	url, requestHead, responseHead, src, dst, meta lazy

	requestBody, responseBody content
}

type lazy struct {
	s    string
	done bool
}

// match evaluates n; after an error its result means nothing.
func (s *state) match(n *node) bool {
	switch n.op {
	case opAnd:
		for _, k := range n.kids {
			if !s.match(k) {
				return false
			}
		}
		return true
	case opOr:
		for _, k := range n.kids {
			if s.match(k) {
				return true
			}
		}
		return false
	case opNot:
		return !s.match(n.kids[0])
	}
	f := s.f
	switch n.op {
	case opAll:
		return true
	case opDNS:
		return f.Kind() == flowfile.DNS
	case opHTTP:
		return f.Kind() == flowfile.HTTP
	case opTCP:
		return f.Kind() == flowfile.TCP
	case opUDP:
		return f.Kind() == flowfile.UDP
	case opWebSocket:
		return f.Kind() == flowfile.HTTP && f.WebSocket() != nil
	case opError:
		return f.Error() != nil
	case opMarked:
		return f.Marked() != ""
	case opReplay:
		return f.Replay() != ""
	case opReplayQ:
		return f.Replay() == "request"
	case opReplayS:
		return f.Replay() == "response"
	case opRequest, opResponse:
		return s.answered(n.op == opResponse)
	case opMarker:
		return n.rx.match(f.Marked())
	case opComment:
		return n.rx.match(f.Comment())
	case opMeta:
		if !s.meta.done {
			s.meta = lazy{metadataText(f.Metadata()), true}
		}
		return n.rx.match(s.meta.s)
	case opSrc:
		if !s.src.done {
			s.src = lazy{source(f.Client()), true}
		}
		return s.src.s != "" && n.rx.match(s.src.s)
	case opDst:
		if !s.dst.done {
			s.dst = lazy{destination(f.Server()), true}
		}
		return s.dst.s != "" && n.rx.match(s.dst.s)
	case opURL:
		return s.matchURL(n.rx)
	case opBody, opBodyQ, opBodyS:
		return s.matchBodies(n)
	}
	return f.Kind() == flowfile.HTTP && s.matchHTTP(n)
}

// answered tells whether the flow is one of questions and answers, and if so, whether
// there being an answer is want.
func (s *state) answered(want bool) bool {
	switch s.f.Kind() {
	case flowfile.HTTP:
		return s.f.Response() != nil == want
	case flowfile.DNS:
		return s.f.DNSResponse() != nil == want
	}
	return false
}

func (s *state) matchURL(rx *pattern) bool {
	switch f := s.f; f.Kind() {
	case flowfile.HTTP:
		if f.Request() == nil {
			return false
		}
		if !s.url.done {
			s.url = lazy{f.Request().PrettyURL(), true}
		}
		return rx.match(s.url.s)
	case flowfile.DNS:
		q := f.DNSRequest()
		return q != nil && len(q.Questions) > 0 && rx.match(q.Questions[0].Name)
	}
	return false
}

func (s *state) matchHTTP(n *node) bool {
	q, r := s.f.Request(), s.f.Response()
	switch n.op {
	case opCode:
		return r != nil && r.Status() == n.code
	case opMethod:
		return q != nil && n.rx.match(q.Method())
	case opDomain:
		return q != nil && (n.rx.match(q.Host()) || n.rx.match(q.PrettyHost()))
	case opAsset:
		return r != nil && isAsset(&r.Message)
	case opType:
		return q != nil && matchType(&q.Message, n.rx) || r != nil && matchType(&r.Message, n.rx)
	case opTypeQ:
		return q != nil && matchType(&q.Message, n.rx)
	case opTypeS:
		return r != nil && matchType(&r.Message, n.rx)
	case opHeader, opHeaderQ, opHeaderS:
		return n.op != opHeaderS && q != nil && matchHead(&s.requestHead, &q.Message, n.rx) ||
			n.op != opHeaderQ && r != nil && matchHead(&s.responseHead, &r.Message, n.rx)
	}
	panic("filter: internal error: unknown operator")
}

func matchType(m *flowfile.Message, rx *pattern) bool {
	for _, f := range m.Headers().Fields() {
		if flowfile.EqualFold(f.Name, "Content-Type") && rx.match(f.Value) {
			return true
		}
	}
	return false
}

var assets = func() (l []literal) {
	for _, s := range []string{
		"text/javascript", "application/x-javascript", "application/javascript", "text/css",
		"image/", "font/", "application/font",
	} {
		l = append(l, newLiteral(s))
	}
	return l
}()

func isAsset(m *flowfile.Message) bool {
	for _, f := range m.Headers().Fields() {
		if !flowfile.EqualFold(f.Name, "Content-Type") {
			continue
		}
		for _, a := range assets {
			if a.in(f.Value) {
				return true
			}
		}
	}
	return false
}

func matchHead(l *lazy, m *flowfile.Message, rx *pattern) bool {
	if !l.done {
		b := make([]byte, 0, m.Headers().Size())
		for _, f := range m.Headers().Fields() {
			b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
		}
		*l = lazy{unsafe.String(unsafe.SliceData(b), len(b)), true}
	}
	return rx.match(l.s)
}

func source(c *flowfile.Conn) string {
	if c == nil {
		return ""
	}
	return hostPort(c.Peer)
}

func destination(c *flowfile.Conn) string {
	switch {
	case c == nil:
		return ""
	case c.Address != nil:
		return hostPort(c.Address)
	}
	return hostPort(c.Peer)
}

// hostPort is Addr.String without brackets, as mitmproxy has it.
func hostPort(a *flowfile.Addr) string {
	if a == nil {
		return ""
	}
	return a.Host + ":" + strconv.Itoa(a.Port)
}

// content is a body without its codings, or where it cannot be had in memory, the place
// of its bytes on the wire.
type content struct {
	b      []byte
	stream *flowfile.Body
	done   bool
}

func (s *state) matchBodies(n *node) bool {
	fromClient, fromServer := n.op != opBodyS, n.op != opBodyQ
	f := s.f
	switch f.Kind() {
	case flowfile.HTTP:
		q, r := f.Request(), f.Response()
		if fromClient && q != nil && s.matchContent(&s.requestBody, &q.Message, n.rx) ||
			fromServer && r != nil && s.matchContent(&s.responseBody, &r.Message, n.rx) {
			return true
		}
		if f.WebSocket() == nil && f.Messages().Len() == 0 {
			return false
		}
	case flowfile.DNS:
		return fromClient && f.DNSRequest() != nil && n.rx.match(dnsText(f.DNSRequest())) ||
			fromServer && f.DNSResponse() != nil && n.rx.match(dnsText(f.DNSResponse()))
	}
	ok, err := matchMessages(f.Messages(), n.rx, fromClient, fromServer)
	s.fail(err)
	return ok
}

func (s *state) fail(err error) {
	if err != nil && s.err == nil {
		s.err = err
	}
}

func (s *state) matchContent(c *content, m *flowfile.Message, rx *pattern) bool {
	if !c.done {
		var err error
		*c, err = load(m)
		s.fail(err)
	}
	switch {
	case c.stream != nil:
		ok, err := matchStream(*c.stream, rx)
		s.fail(err)
		return ok
	case len(c.b) == 0:
		return false
	}
	return rx.matchBytes(c.b)
}

func load(m *flowfile.Message) (content, error) {
	body := m.Body()
	if body.Size() == 0 {
		return content{done: true}, nil
	}
	b, err := coding.DecodedBody(m, maxBody)
	if err == nil {
		return content{b: b, done: true}, nil
	}
	// Not decodable: as it is, like mitmproxy; whether it is readable shows then.
	if n := body.Size(); n < 0 || n > maxBody {
		return content{stream: &body, done: true}, nil
	}
	b, err = body.Bytes(-1)
	return content{b: b, done: true}, err
}

func matchMessages(ms *flowfile.Messages, rx *pattern, fromClient, fromServer bool) (bool, error) {
	for m, err := range ms.All() {
		if err != nil {
			return false, err
		}
		if m.FromClient && !fromClient || !m.FromClient && !fromServer || m.Body.State() == flowfile.BodyAbsent {
			continue
		}
		if m.Body.Size() > maxBody {
			if ok, err := matchStream(m.Body, rx); ok || err != nil {
				return ok, err
			}
			continue
		}
		b, err := m.Body.Bytes(-1)
		if err != nil {
			return false, err
		}
		if rx.matchBytes(b) {
			return true, nil
		}
	}
	return false, nil
}

// matchStream searches bytes that do not fit into memory.
func matchStream(b flowfile.Body, rx *pattern) (bool, error) {
	r, err := b.Open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	in := &sticky{r: bufio.NewReaderSize(r, 64<<10), raw: rx.raw}
	ok := rx.re.MatchReader(in)
	if ok {
		return true, nil
	}
	return false, in.err
}

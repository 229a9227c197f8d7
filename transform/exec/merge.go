package exec

import (
	"unicode/utf8"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
)

// merger puts lines that came back into flows.
type merger struct {
	view  *viewer
	spool *flowfile.Spool // of bodies from files
}

// merge returns the flow of e with what r, the line that came back, has otherwise than s,
// the line that went out. Nothing but the edits is looked at.
func (m *merger) merge(e *entry, s, r *flowfile.Flow, ed edits) (*flowfile.Flow, error) {
	n := e.flow.Copy()
	mergeMarks(n, s, r, ed)
	if ed.has("request") {
		if err := m.request(n, s.Request(), r.Request()); err != nil {
			return nil, err
		}
	}
	if ed.has("response") {
		if err := m.response(n, s.Response(), r.Response()); err != nil {
			return nil, err
		}
	}
	if ed.has("websocket") && !same(s.WebSocket(), r.WebSocket()) {
		n.SetWebSocket(r.WebSocket())
	}
	if ed.has("dns_request") && !same(s.DNSRequest(), r.DNSRequest()) {
		n.SetDNSRequest(r.DNSRequest())
	}
	if ed.has("dns_response") && !same(s.DNSResponse(), r.DNSResponse()) {
		n.SetDNSResponse(r.DNSResponse())
	}
	if ed.has("messages") {
		return n, mergeMessages(n, s, r)
	}
	return n, nil
}

// mergeMarks is for what is of the flow itself.
func mergeMarks(n, s, r *flowfile.Flow, ed edits) {
	if ed.has("created") && s.Created() != r.Created() {
		n.SetCreated(r.Created())
	}
	if ed.has("client") && !same(s.Client(), r.Client()) {
		n.SetClient(withCertificates(r.Client(), n.Client(), s.Client()))
	}
	if ed.has("server") && !same(s.Server(), r.Server()) {
		n.SetServer(withCertificates(r.Server(), n.Server(), s.Server()))
	}
	if ed.has("error") && !same(s.Error(), r.Error()) {
		n.SetError(r.Error())
	}
	if ed.has("intercepted") && s.Intercepted() != r.Intercepted() {
		n.SetIntercepted(r.Intercepted())
	}
	if ed.has("replay") && s.Replay() != r.Replay() {
		n.SetReplay(r.Replay())
	}
	if ed.has("marked") && s.Marked() != r.Marked() {
		n.SetMarked(r.Marked())
	}
	if ed.has("comment") && s.Comment() != r.Comment() {
		n.SetComment(r.Comment())
	}
	if ed.has("metadata") && !same(s.Metadata(), r.Metadata()) {
		n.SetMetadata(r.Metadata())
	}
	if ed.has(extraKey) && !same(s.Extra(), r.Extra()) {
		n.SetExtra(r.Extra())
	}
}

// withCertificates returns c with the certificates of own that were not in the line.
func withCertificates(c, own, shown *flowfile.Conn) *flowfile.Conn {
	if c == nil || own == nil || c.Certificates != nil || c.MitmCert.State() != flowfile.BodyAbsent {
		return c
	}
	if shown.Certificates == nil {
		c.Certificates = own.Certificates
	}
	if shown.MitmCert.State() == flowfile.BodyAbsent {
		c.MitmCert = own.MitmCert
	}
	return c
}

func (m *merger) request(n *flowfile.Flow, s, r *flowfile.Request) error {
	switch {
	case r == nil && s == nil:
		return nil
	case r == nil:
		n.SetRequest(nil)
		return nil
	case s == nil:
		return m.newRequest(n, r)
	}
	own := n.Request()
	ref := refsOf(s.Extra(), r.Extra())
	if !same(ref.sent, ref.back) {
		whole := requestWith(r, ref.back)
		whole.InitBody(own.Body())
		n.SetRequest(whole)
		return m.body(&whole.Message, &s.Message, &r.Message, ref)
	}
	if s.Method() != r.Method() {
		own.SetMethod(r.Method())
	}
	if s.Scheme() != r.Scheme() {
		own.SetScheme(r.Scheme())
	}
	if s.Host() != r.Host() {
		own.SetHost(r.Host())
	}
	if s.Port() != r.Port() {
		own.SetPort(r.Port())
	}
	if s.Authority() != r.Authority() {
		own.SetAuthority(r.Authority())
	}
	if s.Path() != r.Path() {
		own.SetPath(r.Path())
	}
	mergeMessage(&own.Message, &s.Message, &r.Message)
	return m.body(&own.Message, &s.Message, &r.Message, ref)
}

func (m *merger) response(n *flowfile.Flow, s, r *flowfile.Response) error {
	switch {
	case r == nil && s == nil:
		return nil
	case r == nil:
		n.SetResponse(nil)
		return nil
	case s == nil:
		return m.newResponse(n, r)
	}
	own := n.Response()
	ref := refsOf(s.Extra(), r.Extra())
	if !same(ref.sent, ref.back) {
		whole := responseWith(r, ref.back)
		whole.InitBody(own.Body())
		n.SetResponse(whole)
		return m.body(&whole.Message, &s.Message, &r.Message, ref)
	}
	if s.Status() != r.Status() {
		own.SetStatus(r.Status())
	}
	if s.Reason() != r.Reason() {
		own.SetReason(r.Reason())
	}
	mergeMessage(&own.Message, &s.Message, &r.Message)
	return m.body(&own.Message, &s.Message, &r.Message, ref)
}

func mergeMessage(n, s, r *flowfile.Message) {
	if s.Version() != r.Version() {
		n.SetVersion(r.Version())
	}
	if !same(s.Headers().Fields(), r.Headers().Fields()) {
		n.Headers().Replace(r.Headers().Fields())
	}
	switch t := r.Trailers(); {
	case t == nil && s.Trailers() == nil:
	case t == nil || s.Trailers() == nil || !same(s.Trailers().Fields(), t.Fields()):
		n.SetTrailers(t)
	}
	if s.Start() != r.Start() {
		n.SetStart(r.Start())
	}
	if s.End() != r.End() {
		n.SetEnd(r.End())
	}
}

// refs are the files that the lines of a message name, and the other unknown fields.
type refs struct {
	sentFile, backFile string // "" for none
	sent, back         flowfile.Extra
}

func refsOf(sent, back flowfile.Extra) refs {
	var r refs
	var s, b string
	s, r.sent = take(sent, fileKey)
	b, r.back = take(back, fileKey)
	r.sentFile, _ = unpackStr(s)
	r.backFile, _ = unpackStr(b)
	return r
}

// body changes the body of n, whose head is merged already.
func (m *merger) body(n, s, r *flowfile.Message, ref refs) error {
	given := r.Body().State() != flowfile.BodyAbsent
	switch {
	case m.view.bodies.Mode == Files && !given && ref.backFile != "":
		body, changed, err := m.fileBody(ref.backFile, ref.backFile == ref.sentFile, n.Body())
		if err == nil && changed {
			n.SetBody(body)
		}
		return err
	case m.view.bodies.Mode == Files && !given && ref.sentFile != "":
		n.SetBody(flowfile.Body{})
		return nil
	case m.view.bodies.Mode == Text && given && coding.Of(s) != coding.Of(r):
		return setText(n, r.Body()) // the text is the same, but not its coding
	case same(s.Body(), r.Body()):
		return nil
	case m.view.bodies.Mode == Text && given:
		return setText(n, r.Body())
	}
	n.SetBody(r.Body())
	return nil
}

// setText puts decoded text, or other decoded bytes, in place of the body.
func setText(n *flowfile.Message, body flowfile.Body) error {
	b, err := body.Bytes(-1)
	if err != nil {
		return err
	}
	if utf8.Valid(b) {
		err = coding.SetText(n, string(b))
	} else {
		err = coding.SetDecoded(n, b)
	}
	if body.State() == flowfile.BodyTruncated {
		n.SetBody(n.Body().Truncate(-1))
	}
	return err
}

// fresh returns the flow of a line that is of no flow that is out.
func (m *merger) fresh(r *flowfile.Flow) (*flowfile.Flow, error) {
	if mode := m.view.bodies.Mode; mode != Text && mode != Files {
		return r, nil
	}
	n := r.Copy()
	if r := r.Request(); r != nil {
		if err := m.newRequest(n, r); err != nil {
			return nil, err
		}
	}
	if r := r.Response(); r != nil {
		if err := m.newResponse(n, r); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (m *merger) newRequest(n *flowfile.Flow, r *flowfile.Request) error {
	ref := refsOf(nil, r.Extra())
	whole := requestWith(r, ref.back)
	n.SetRequest(whole)
	return m.newBody(&whole.Message, ref)
}

func (m *merger) newResponse(n *flowfile.Flow, r *flowfile.Response) error {
	ref := refsOf(nil, r.Extra())
	whole := responseWith(r, ref.back)
	n.SetResponse(whole)
	return m.newBody(&whole.Message, ref)
}

func (m *merger) newBody(n *flowfile.Message, ref refs) error {
	empty := flowfile.NewMessage(flowfile.MessageHead{})
	back := flowfile.NewMessage(flowfile.MessageHead{Body: n.Body()})
	return m.body(n, &empty, &back, ref)
}

// mergeMessages changes the list of messages.
func mergeMessages(n, s, r *flowfile.Flow) error {
	sent, err := listOf(s.Messages())
	if err != nil {
		return err
	}
	back, err := listOf(r.Messages())
	if err != nil || same(sent, back) {
		return err
	}
	own, err := listOf(n.Messages())
	if err != nil {
		return err
	}
	log := &flowfile.MessageLog{}
	for i, m := range back {
		var packed string
		packed, m.Extra = take(m.Extra, numberKey)
		at, ok := unpackInt(packed)
		if !ok && len(back) == len(sent) && sent[i].Body.State() == flowfile.BodyAbsent {
			at, ok = i, true // the program keeps only what it knows
		}
		if ok && at < len(own) && m.Body.State() == flowfile.BodyAbsent {
			m.Body = own[at].Body
		}
		log.Append(m)
	}
	n.Messages().Replace(log)
	return nil
}

func listOf(ms *flowfile.Messages) (list []flowfile.Msg, err error) {
	for m, err := range ms.All() {
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

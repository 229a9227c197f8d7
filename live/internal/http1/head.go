package http1

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"

	"flowkit/flowfile"
)

// Limits bound what is kept in memory of one message; zero values mean the defaults.
type Limits struct {
	Head   int // bytes of a head, and of a trailer section; 0: 256 KiB
	Fields int // fields in a head, and in a trailer section; 0: 1000
}

func (l Limits) head() int {
	if l.Head > 0 {
		return l.Head
	}
	return 256 << 10
}

func (l Limits) fields() int {
	if l.Fields > 0 {
		return l.Fields
	}
	return 1000
}

// Error says why a message is refused. Nothing behind it on its connection can be trusted.
type Error struct {
	// Status is that of the answer to the client: 400, 414, 417, 431, 501 or 505 for a request, 502 for the head of a
	// response, 400 or 431 for a body of either.
	Status int
	Msg    string // one line
}

func (e *Error) Error() string { return e.Msg }

// RequestHead is a request without its body. The strings are the bytes of the wire, fields without the white space
// around their values.
type RequestHead struct {
	Method  string
	Target  string // as it came: "/path", "http://host/path", "host:port" (CONNECT) or "*" (OPTIONS)
	Version string // "HTTP/1.1" or "HTTP/1.0"
	Fields  []flowfile.Field

	// What the fields say; see Frame.
	Body    Framing
	Close   bool   // the connection ends after the response
	Expect  bool   // the client waits for a 100 before it sends the body
	Upgrade string // protocols of Upgrade, if Connection names it too
}

// ResponseHead is a response without its body, final or interim (1xx).
type ResponseHead struct {
	Version string // "HTTP/1.1" or "HTTP/1.0"
	Status  int    // 100 to 999
	Reason  string // may be empty
	Fields  []flowfile.Field

	// What the fields say; see Frame.
	Body  Framing
	Close bool // the connection ends after the body
}

// ReadRequest reads the head of the next request into h. One empty line before it is skipped (RFC 9112 §2.2).
//
// The error is a bare io.EOF if br ended before the first byte, io.ErrUnexpectedEOF if it ended within the head, an
// *Error if the request is refused, else the error of br. What h gets is its own: strings share one allocation, which
// is never used again.
func ReadRequest(br *bufio.Reader, l Limits, h *RequestHead) error {
	text, lines, err := readSection(br, l, request)
	if err != nil {
		return err
	}
	*h = RequestHead{}
	line, rest := cutLine(text)
	method, line, ok1 := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(line, " ")
	if !ok1 || !ok2 {
		return refuse(400, "the request line has no method, target and version, divided by single spaces")
	}
	h.Method, h.Target, h.Version = method, target, version
	if err := h.checkLine(); err != nil {
		return err
	}
	if h.Fields, err = parseFields(rest, lines-1, request); err != nil {
		return err
	}
	return h.frame()
}

// ReadResponse reads the head of the next response, which answers a request of that method, into h. Interim responses
// (1xx) are returned like others; there is no body behind them. Errors and ownership are those of ReadRequest; the
// status of an *Error is 502.
func ReadResponse(br *bufio.Reader, method string, l Limits, h *ResponseHead) error {
	text, lines, err := readSection(br, l, response)
	if err != nil {
		return err
	}
	*h = ResponseHead{}
	line, rest := cutLine(text)
	version, line, _ := strings.Cut(line, " ")
	status, reason, _ := strings.Cut(line, " ")
	n, err := strconv.ParseUint(status, 10, 16)
	if err != nil || len(status) != 3 {
		return refuse(502, "the status line has no status of three digits: ", quote(line))
	}
	h.Version, h.Status, h.Reason = version, int(n), reason
	if err := h.checkLine(); err != nil {
		return err
	}
	if h.Fields, err = parseFields(rest, lines-1, response); err != nil {
		return err
	}
	return h.frame(method)
}

// AppendRequest appends the head as it goes over the wire, the empty line included. It writes what h holds; see
// [RequestHead.Frame] for heads that did not come from ReadRequest.
func AppendRequest(dst []byte, h *RequestHead) []byte {
	dst = append(dst, h.Method...)
	dst = append(dst, ' ')
	dst = append(dst, h.Target...)
	dst = append(dst, ' ')
	dst = append(dst, h.Version...)
	dst = append(dst, "\r\n"...)
	return append(appendFields(dst, h.Fields), "\r\n"...)
}

// AppendResponse is AppendRequest for responses.
func AppendResponse(dst []byte, h *ResponseHead) []byte {
	dst = append(dst, h.Version...)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(h.Status), 10)
	dst = append(dst, ' ')
	dst = append(dst, h.Reason...)
	dst = append(dst, "\r\n"...)
	return append(appendFields(dst, h.Fields), "\r\n"...)
}

func appendFields(dst []byte, fields []flowfile.Field) []byte {
	for i := range fields {
		dst = append(dst, fields[i].Name...)
		dst = append(dst, ": "...)
		dst = append(dst, fields[i].Value...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// side is what is being read, which decides what is tolerated.
type side uint8

const (
	request side = iota
	response
	trailers // of either
)

// status is the status of a refusal: responses have but one.
func (s side) status(n int) int {
	if s == response {
		return 502
	}
	return n
}

func refuse(status int, msg ...string) error {
	return &Error{Status: status, Msg: strings.Join(msg, "")}
}

// quote shows bytes of the wire within an error.
func quote(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return strconv.QuoteToASCII(s)
}

// section finds the end of a head or of a trailer section in data that grows.
type section struct {
	side   side
	fields int  // limit
	begin  int  // of the first line
	line   int  // start of the line looked at
	pos    int  // bytes looked at
	lines  int  // complete lines
	blank  bool // an empty line was skipped
	folded bool // a line continues the one before
}

// find returns the length of the section with its empty line, -1 if data does not hold its end.
func (s *section) find(data []byte) (int, error) {
	for {
		i := bytes.IndexByte(data[s.pos:], '\n')
		if i < 0 {
			s.pos = len(data)
			return -1, nil
		}
		end := s.pos + i
		s.pos = end + 1
		if end > s.line && data[end-1] == '\r' {
			end--
		} else if s.side != response {
			return 0, refuse(400, "a line ends in a bare LF")
		}
		if end == s.line {
			switch {
			case s.lines > 0 || s.side == trailers:
				return s.pos, nil
			case s.side == response || s.blank:
				return 0, refuse(s.side.status(400), "an empty line stands where a start line belongs")
			}
			s.blank, s.begin, s.line = true, s.pos, s.pos
			continue
		}
		if c := data[s.line]; c == ' ' || c == '\t' {
			if s.side != response || s.lines < 2 {
				return 0, refuse(s.side.status(400), "a line begins with white space")
			}
			s.folded = true
		}
		s.lines++
		if s.lines > s.fields+1 {
			return 0, refuse(s.side.status(431), "more than ", strconv.Itoa(s.fields), " fields")
		}
		s.line = s.pos
	}
}

// hopeless refuses what cannot become a head, whose end may never come: HTTP/0.9, other protocols, a body where a
// response belongs. It is asked when the head does not come in one piece.
func (s *section) hopeless(data []byte) error {
	data = data[s.begin:]
	switch {
	case s.side == response:
		const start = "HTTP/"
		if n := min(len(data), len(start)); string(data[:n]) != start[:n] && data[0] != '\r' {
			return refuse(502, "the response does not begin with HTTP/1.0 or HTTP/1.1: ", quote(string(data)))
		}
	case s.side == request && s.lines == 0:
		if len(data) > 0 && data[0] != '\r' && !isTokenByte(data[0]) {
			return refuse(400, "the request does not begin with a method: ", quote(string(data)))
		}
	case s.side == request && s.lines == 1:
		if line, _, _ := bytes.Cut(data, []byte("\n")); !bytes.Contains(line, []byte(" HTTP/")) {
			return refuse(400, "the request line ends in no HTTP version: ", quote(string(line)))
		}
	}
	return nil
}

func (s *section) tooLong(limit int) error {
	status, what := 431, "the head"
	switch {
	case s.side == trailers:
		what = "the trailer section"
	case s.lines == 0:
		status, what = 414, "the start line"
	}
	return refuse(s.side.status(status), what, " is longer than ", strconv.Itoa(limit), " bytes")
}

// readSection reads lines up to an empty one and returns them, with their ends and without the empty line.
func readSection(br *bufio.Reader, l Limits, sd side) (text string, lines int, err error) {
	s := section{side: sd, fields: l.fields()}
	limit := l.head()
	if br.Buffered() == 0 {
		if _, err := br.Peek(1); err != nil {
			return "", 0, err
		}
	}
	data, _ := br.Peek(br.Buffered())
	spill, taken := []byte(nil), 0 // what does not fit br's buffer; how much of data has left br
	for {
		end, err := s.find(data)
		if err != nil {
			return "", 0, err
		}
		if end > limit || end < 0 && len(data) > limit {
			return "", 0, s.tooLong(limit)
		}
		if end >= 0 {
			if s.folded {
				unfold(data[s.begin:s.line])
			}
			text = string(data[s.begin:s.line])
			_, err = br.Discard(end - taken)
			return text, s.lines, err
		}
		if err := s.hopeless(data); err != nil {
			return "", 0, err
		}
		if spill == nil && len(data) < br.Size() {
			_, err = br.Peek(len(data) + 1)
			data, _ = br.Peek(br.Buffered())
		} else {
			if spill == nil {
				spill = append(make([]byte, 0, 2*len(data)), data...)
			}
			_, _ = br.Discard(len(data) - taken) // cannot fail: it is buffered
			taken = len(data)
			_, err = br.Peek(1)
			more, _ := br.Peek(br.Buffered())
			spill = append(spill, more...)
			data = spill
		}
		if err == io.EOF && s.lines == 0 && s.line == len(data) && sd != trailers {
			return "", 0, io.EOF // nothing, or nothing but an empty line
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", 0, err
		}
	}
}

// unfold joins folded lines by spaces, in place (RFC 9112 §5.2).
func unfold(text []byte) {
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\n' || text[i+1] != ' ' && text[i+1] != '\t' {
			continue
		}
		text[i] = ' '
		if i > 0 && text[i-1] == '\r' {
			text[i-1] = ' '
		}
	}
}

// cutLine splits text behind its first line, which is returned without its end.
func cutLine(text string) (line, rest string) {
	i := strings.IndexByte(text, '\n')
	if i < 0 {
		return text, ""
	}
	line, rest = text[:i], text[i+1:]
	return strings.TrimSuffix(line, "\r"), rest
}

// parseFields parses up to n field lines. It is strict on names for both sides, as no client and no server sends others.
func parseFields(text string, n int, sd side) ([]flowfile.Field, error) {
	if text == "" {
		return nil, nil
	}
	fields := make([]flowfile.Field, 0, n)
	for text != "" {
		var line string
		line, text = cutLine(text)
		i := strings.IndexByte(line, ':')
		if i < 0 {
			return nil, refuse(sd.status(400), "a field has no colon: ", quote(line))
		}
		f := flowfile.Field{Name: line[:i], Value: trim(line[i+1:])}
		if sd == response {
			f.Name = strings.TrimRight(f.Name, " \t") // RFC 9112 §5.1: a proxy must remove it
		}
		if err := checkField(&f, sd); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

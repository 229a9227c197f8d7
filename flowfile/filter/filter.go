// Package filter is the filter language: mitmproxy's, so that a filter that worked there
// means the same here.
//
// # Grammar
//
//	filter  = or { or }                     // side by side is "and", weakest of all
//	or      = and { "|" and }
//	and     = not { "&" not }
//	not     = "!" not | atom
//	atom    = "(" filter ")" | flag | "~c" number | regexop word | word
//	word    = bare | quoted
//	bare    = one or more characters except ( ) ~ ' " and white space
//	quoted  = "…" or '…', in which \x is x and \n \t \r \f are what they are in Go
//
// A word alone is ~u. Within a bare word & | ! are ordinary characters: "a|b" is one regex,
// "a | b" two words; so "~m GET|~m POST" is not what it seems. Where a word must come, a
// sign is one: "a &" is a, and the word "&".
//
//	~all         every flow              ~marked      marked by the user
//	~http        HTTP                    ~marker re   the mark
//	~tcp         TCP                     ~comment re  the comment; ^ and $ are lines
//	~udp         UDP                     ~meta re     "key: value" lines of the metadata
//	~dns         DNS                     ~src re      "address:port" of the client
//	~websocket   WebSocket               ~dst re      "host:port" of the server
//	~q           no response             ~replay      replayed
//	~s           has a response          ~replayq     replayed by the client
//	~e           ended in an error       ~replays     replayed by the server
//	~u re        URL as the user meant   ~t re        Content-Type, either side
//	             it; DNS: the name       ~tq re       of the request
//	~d re        host, or Host header    ~ts re       of the response
//	~m re        method                  ~a           response is an asset: script,
//	~c number    status code                          style, image, font
//	~h re        header lines, either    ~b re        body, messages, DNS text
//	             side; ^ and $ are lines ~bq re       from the client
//	~hq re       of the request          ~bs re       from the server
//	~hs re       of the response
//
// # Regular expressions
//
// Regexes are Go's (RE2: no lookaround, no backreferences), search anywhere and ignore
// case; (?-i) at their beginning heeds it. In bodies "." is any byte. Header lines are
// "Name: value" and end in "\r\n", so write \r?$ for their end. Bodies are searched without
// their content-codings; one that cannot be decoded, or is larger than 64 MiB without them,
// as it was on the wire. Text that is not UTF-8 is searched as it is; \x80 to \xff are bytes
// in ~b, ~h, ~t and ~m, characters elsewhere.
package filter

import (
	"flowkit/flowfile"
)

// Filter is a compiled expression. It is safe for concurrent use.
type Filter struct {
	root *node
}

// Parse compiles an expression. The error is a *SyntaxError.
func Parse(expr string) (*Filter, error) {
	p := &parser{expr: expr}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	return &Filter{root}, nil
}

// Match tells whether f matches. The error is that of a body or message that could not be
// read.
func (x *Filter) Match(f *flowfile.Flow) (bool, error) {
	s := state{f: f}
	ok := s.match(x.root)
	return ok && s.err == nil, s.err
}

// Needs tells what Match wants of a flow.
func (x *Filter) Needs() flowfile.Need { return x.root.needs() }

// String returns the expression in its canonical form, which parses to the same filter.
func (x *Filter) String() string { return string(x.root.append(nil)) }

// op is the kind of a node.
type op uint8

const (
	opAnd op = iota
	opOr
	opNot

	opAll
	opAsset
	opDNS
	opError
	opHTTP
	opMarked
	opRequest
	opResponse
	opReplay
	opReplayQ
	opReplayS
	opTCP
	opUDP
	opWebSocket

	opCode

	opBody
	opBodyQ
	opBodyS
	opComment
	opDomain
	opDst
	opHeader
	opHeaderQ
	opHeaderS
	opMarker
	opMeta
	opMethod
	opSrc
	opType
	opTypeQ
	opTypeS
	opURL
)

// operators by name; those from opBody on take a regex, under these flags of compile.
var operators = []struct {
	name  string
	op    op
	flags string
}{
	{"a", opAsset, ""},
	{"all", opAll, ""},
	{"b", opBody, "bis"},
	{"bq", opBodyQ, "bis"},
	{"bs", opBodyS, "bis"},
	{"c", opCode, ""},
	{"comment", opComment, "im"},
	{"d", opDomain, "i"},
	{"dns", opDNS, ""},
	{"dst", opDst, "i"},
	{"e", opError, ""},
	{"h", opHeader, "bim"},
	{"hq", opHeaderQ, "bim"},
	{"hs", opHeaderS, "bim"},
	{"http", opHTTP, ""},
	{"m", opMethod, "bi"},
	{"marked", opMarked, ""},
	{"marker", opMarker, "i"},
	{"meta", opMeta, "im"},
	{"q", opRequest, ""},
	{"replay", opReplay, ""},
	{"replayq", opReplayQ, ""},
	{"replays", opReplayS, ""},
	{"s", opResponse, ""},
	{"src", opSrc, "i"},
	{"t", opType, "bi"},
	{"tcp", opTCP, ""},
	{"tq", opTypeQ, "bi"},
	{"ts", opTypeS, "bi"},
	{"u", opURL, "i"},
	{"udp", opUDP, ""},
	{"websocket", opWebSocket, ""},
}

// node is a part of an expression.
type node struct {
	op   op
	kids []*node  // and, or, not
	arg  string   // regex as written, or digits
	rx   *pattern // of arg
	code int      // of arg
}

func (n *node) needs() flowfile.Need {
	switch n.op {
	case opBody, opBodyQ, opBodyS:
		return flowfile.NeedBodies | flowfile.NeedMessages
	}
	need := flowfile.NeedHeads
	for _, k := range n.kids {
		need |= k.needs()
	}
	return need
}

func (n *node) append(b []byte) []byte {
	sep := " & "
	switch n.op {
	case opNot:
		return n.kids[0].appendIn(append(b, '!'), opNot)
	case opOr:
		sep = " | "
	case opAnd:
	default:
		b = append(append(b, '~'), n.op.name()...)
		if n.op >= opCode {
			b = appendWord(append(b, ' '), n.arg)
		}
		return b
	}
	for i, k := range n.kids {
		if i > 0 {
			b = append(b, sep...)
		}
		b = k.appendIn(b, n.op)
	}
	return b
}

// appendIn appends n as a part of a node of kind outer, with the brackets it needs there.
func (n *node) appendIn(b []byte, outer op) []byte {
	if n.op == opOr && outer != opOr || n.op == opAnd && outer == opNot {
		return append(n.append(append(b, '(')), ')')
	}
	return n.append(b)
}

func (o op) name() string {
	for i := range operators {
		if operators[i].op == o {
			return operators[i].name
		}
	}
	panic("filter: internal error: operator without a name")
}

// appendWord appends s bare if it can be, else in quotes.
func appendWord(b []byte, s string) []byte {
	bare := s != ""
	for i := 0; i < len(s); i++ {
		bare = bare && isBare(s[i])
	}
	if bare {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '\f':
			b = append(b, `\f`...)
		case '"', '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

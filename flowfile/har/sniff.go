package har

import "bytes"

// Sniff tells whether head, the beginning of an input, is that of a HAR: an object with
// the member log or, of a bare log, with those of a log; maybe in a call, as of JSONP.
func Sniff(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if i := bytes.IndexByte(head, '('); i >= 0 && len(bytes.TrimFunc(head[:i], func(r rune) bool { return r < 0x80 && wordByte(byte(r)) })) == 0 {
		head = bytes.TrimLeft(head[i+1:], " \t\r\n")
	}
	if len(head) == 0 || head[0] != '{' {
		return false
	}
	p := &parser{buf: head, pos: 1, end: len(head), err: errStop}
	for {
		key, err := p.key()
		if err != nil {
			return false
		}
		c, ok := p.space()
		switch key {
		case "log":
			return !ok || c == '{' || c == 'n'
		case "entries", "pages":
			if ok && c == '[' {
				return true
			}
		case "creator", "browser":
			if ok && c == '{' {
				return true
			}
		case "type": // a flow of JSON lines
			return false
		}
		if _, err := p.value(0); err != nil {
			return false
		}
		if p.comma('}') != nil {
			return false
		}
	}
}

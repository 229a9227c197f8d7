package lib

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// charset is one of the few encodings that bytes() and decode know. What a
// message declares is the engine's business (.text).
type charset int

const (
	charsetUTF8 charset = iota
	charsetUTF8BOM
	charsetASCII
	charsetLatin1
	charsetUTF16
	charsetUTF16LE
	charsetUTF16BE
)

func lookupCharset(fn, name string) (charset, error) {
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "", "utf-8", "utf8":
		return charsetUTF8, nil
	case "utf-8-sig":
		return charsetUTF8BOM, nil
	case "ascii", "us-ascii":
		return charsetASCII, nil
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1":
		return charsetLatin1, nil
	case "utf-16", "utf16":
		return charsetUTF16, nil
	case "utf-16-le", "utf-16le":
		return charsetUTF16LE, nil
	case "utf-16-be", "utf-16be":
		return charsetUTF16BE, nil
	}
	return 0, fmt.Errorf("%s: unknown encoding %q (known: utf-8, utf-8-sig, ascii, latin-1, utf-16, utf-16-le, utf-16-be)", fn, name)
}

// onError is the errors= argument.
type onError int

const (
	strict onError = iota
	replace
	ignore
)

func lookupErrors(fn, name string) (onError, error) {
	switch name {
	case "", "strict":
		return strict, nil
	case "replace":
		return replace, nil
	case "ignore":
		return ignore, nil
	case "surrogateescape", "surrogatepass":
		return 0, fmt.Errorf("%s: errors=%q is not available, as a str here has no surrogates; keep the value as bytes, or use \"replace\" or \"latin-1\"", fn, name)
	}
	return 0, fmt.Errorf("%s: unknown error handler %q (known: strict, replace, ignore)", fn, name)
}

// decodeText returns b as UTF-8; without damage that is b's own memory.
func decodeText(fn, b, encoding, errs string) (string, error) {
	cs, err := lookupCharset(fn, encoding)
	if err != nil {
		return "", err
	}
	mode, err := lookupErrors(fn, errs)
	if err != nil {
		return "", err
	}
	switch cs {
	case charsetUTF8BOM:
		return decodeUTF8(fn, strings.TrimPrefix(b, "\ufeff"), mode)
	case charsetASCII:
		return decodeASCII(fn, b, mode)
	case charsetLatin1:
		return latin1ToUTF8(b), nil
	case charsetUTF16:
		if strings.HasPrefix(b, "\xfe\xff") {
			return decodeUTF16(fn, b[2:], binary.BigEndian, mode)
		}
		return decodeUTF16(fn, strings.TrimPrefix(b, "\xff\xfe"), binary.LittleEndian, mode)
	case charsetUTF16LE:
		return decodeUTF16(fn, b, binary.LittleEndian, mode)
	case charsetUTF16BE:
		return decodeUTF16(fn, b, binary.BigEndian, mode)
	}
	return decodeUTF8(fn, b, mode)
}

func decodeUTF8(fn, b string, mode onError) (string, error) {
	if utf8.ValidString(b) {
		return b, nil
	}
	var out strings.Builder
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRuneInString(b[i:])
		if r != utf8.RuneError || n != 1 {
			out.WriteString(b[i : i+n])
			i += n
			continue
		}
		n, reason := brokenRune(b[i:])
		switch mode {
		case strict:
			return "", fmt.Errorf("%s: 'utf-8' codec can't decode byte %#02x in position %d: %s", fn, b[i], i, reason)
		case replace:
			out.WriteRune(utf8.RuneError)
		}
		i += n
	}
	return out.String(), nil
}

// brokenRune returns the length of the ill-formed sequence that s starts with,
// the longest that could still have become a rune, and what is wrong with it.
func brokenRune(s string) (n int, reason string) {
	lo, hi, want := byte(0x80), byte(0xbf), 0
	switch c := s[0]; {
	case 0xc2 <= c && c <= 0xdf:
		want = 1
	case 0xe0 <= c && c <= 0xef:
		want = 2
		if c == 0xe0 {
			lo = 0xa0
		} else if c == 0xed {
			hi = 0x9f
		}
	case 0xf0 <= c && c <= 0xf4:
		want = 3
		if c == 0xf0 {
			lo = 0x90
		} else if c == 0xf4 {
			hi = 0x8f
		}
	default:
		return 1, "invalid start byte"
	}
	for n = 1; n <= want; n++ {
		if n == len(s) {
			return n, "unexpected end of data"
		}
		if s[n] < lo || s[n] > hi {
			break
		}
		lo, hi = 0x80, 0xbf
	}
	return n, "invalid continuation byte"
}

func decodeASCII(fn, b string, mode onError) (string, error) {
	if isASCII(b) {
		return b, nil
	}
	var out strings.Builder
	for i := range len(b) {
		switch {
		case b[i] < utf8.RuneSelf:
			out.WriteByte(b[i])
		case mode == strict:
			return "", fmt.Errorf("%s: 'ascii' codec can't decode byte %#02x in position %d: ordinal not in range(128)", fn, b[i], i)
		case mode == replace:
			out.WriteRune(utf8.RuneError)
		}
	}
	return out.String(), nil
}

func latin1ToUTF8(b string) string {
	if isASCII(b) {
		return b
	}
	out := make([]byte, 0, len(b)+len(b)/2)
	for i := range len(b) {
		out = utf8.AppendRune(out, rune(b[i]))
	}
	return string(BytesView(out))
}

func decodeUTF16(fn, b string, order binary.ByteOrder, mode onError) (string, error) {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i += 2 {
		r := utf8.RuneError
		bad := len(b)-i < 2
		if !bad {
			r = rune(order.Uint16(Bytes(b[i:]).View()))
			if utf16.IsSurrogate(r) {
				bad = len(b)-i < 4
				if !bad {
					r = utf16.DecodeRune(r, rune(order.Uint16(Bytes(b[i+2:]).View())))
					bad = r == utf8.RuneError
				}
				if !bad {
					i += 2
				}
			}
		}
		switch {
		case !bad:
			out = utf8.AppendRune(out, r)
		case mode == strict:
			return "", fmt.Errorf("%s: 'utf-16' codec can't decode bytes in position %d: truncated data or illegal surrogate", fn, i)
		case mode == replace:
			out = utf8.AppendRune(out, utf8.RuneError)
		}
	}
	return string(BytesView(out)), nil
}

// encodeText is the inverse. In UTF-8 a str that is not valid keeps its bytes.
func encodeText(fn, s, encoding, errs string) (starlark.Value, error) {
	cs, err := lookupCharset(fn, encoding)
	if err != nil {
		return nil, err
	}
	mode, err := lookupErrors(fn, errs)
	if err != nil {
		return nil, err
	}
	switch cs {
	case charsetUTF8:
		return Bytes(s), nil
	case charsetUTF8BOM:
		return Bytes("\ufeff" + s), nil
	case charsetUTF16:
		return BytesView(appendUTF16([]byte{0xff, 0xfe}, s, binary.LittleEndian)), nil
	case charsetUTF16LE:
		return BytesView(appendUTF16(nil, s, binary.LittleEndian)), nil
	case charsetUTF16BE:
		return BytesView(appendUTF16(nil, s, binary.BigEndian)), nil
	}
	limit, name := rune(0x80), "ascii"
	if cs == charsetLatin1 {
		limit, name = 0x100, "latin-1"
	}
	out := make([]byte, 0, len(s))
	for i, r := range s {
		switch {
		case r < limit:
			out = append(out, byte(r))
		case mode == strict:
			return nil, fmt.Errorf("%s: '%s' codec can't encode character %U at byte %d: ordinal not in range(%d)", fn, name, r, i, limit)
		case mode == replace:
			out = append(out, '?')
		}
	}
	return BytesView(out), nil
}

func appendUTF16(dst []byte, s string, order binary.AppendByteOrder) []byte {
	for _, r := range s {
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			dst = order.AppendUint16(order.AppendUint16(dst, uint16(hi)), uint16(lo))
		} else {
			dst = order.AppendUint16(dst, uint16(r))
		}
	}
	return dst
}

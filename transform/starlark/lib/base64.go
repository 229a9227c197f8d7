package lib

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

var base64Funcs = map[string]builtinFunc{
	"b64decode":          base64Decode,
	"b64encode":          base64Encode(base64.StdEncoding),
	"standard_b64decode": base64Decode,
	"standard_b64encode": base64Encode(base64.StdEncoding),
	"urlsafe_b64decode":  base64DecodeURL,
	"urlsafe_b64encode":  base64Encode(base64.URLEncoding),
}

func base64Encode(enc *base64.Encoding) builtinFunc {
	return func(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s textArg
		if err := starlark.UnpackArgs(fn, args, kwargs, "s", &s); err != nil {
			return nil, err
		}
		out := make([]byte, enc.EncodedLen(len(s.s)))
		enc.Encode(out, Bytes(s.s).View())
		return BytesView(out), nil
	}
}

func base64Decode(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s textArg
	validate := false
	if err := starlark.UnpackArgs(fn, args, kwargs, "s", &s, "validate?", &validate); err != nil {
		return nil, err
	}
	return decodeBase64(fn, s.s, validate)
}

func base64DecodeURL(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s textArg
	if err := starlark.UnpackArgs(fn, args, kwargs, "s", &s); err != nil {
		return nil, err
	}
	return decodeBase64(fn, strings.NewReplacer("-", "+", "_", "/").Replace(s.s), false)
}

// decodeBase64 skips characters outside the alphabet as Python does, unless
// validate is set, and stops at complete padding.
func decodeBase64(fn, s string, validate bool) (starlark.Value, error) {
	var acc uint32
	var out []byte
	n, pads := 0, 0
	for i := range len(s) {
		v := base64Value(s[i])
		switch {
		case v >= 0:
			if pads > 0 && validate {
				return nil, fmt.Errorf("%s: excess data after padding at byte %d", fn, i)
			}
			pads = 0
			acc = acc<<6 | uint32(v)
			if n++; n%4 == 0 {
				out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
			}
		case s[i] == '=' && n%4 >= 2:
			if pads++; n%4+pads == 4 {
				if validate && i+1 < len(s) {
					return nil, fmt.Errorf("%s: excess data after padding at byte %d", fn, i+1)
				}
				return BytesView(appendRest(out, acc, n%4)), nil
			}
		case validate:
			return nil, fmt.Errorf("%s: byte %#02x at %d is not in the base64 alphabet", fn, s[i], i)
		}
	}
	switch n % 4 {
	case 0:
		return BytesView(out), nil
	case 1:
		return nil, fmt.Errorf("%s: %d data characters cannot be 1 more than a multiple of 4", fn, n)
	}
	return nil, fmt.Errorf("%s: %w", fn, errPadding)
}

var errPadding = errors.New("incorrect padding")

func appendRest(out []byte, acc uint32, n int) []byte {
	if n == 2 {
		return append(out, byte(acc>>4))
	}
	return append(out, byte(acc>>10), byte(acc>>2))
}

func base64Value(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case isDigit(c):
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

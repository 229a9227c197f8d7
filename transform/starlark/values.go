package starlark

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// object is what values that show a part of a flow have in common.
type object struct{}

func (object) Freeze()              {}
func (object) Truth() starlark.Bool { return true }

func unhashable(typ string) (uint32, error) { return 0, errors.New("unhashable type: " + typ) }

func method(name string, fn func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		v, err := fn(args, kwargs)
		if err != nil {
			// UnpackArgs says the name already.
			if strings.HasPrefix(err.Error(), b.Name()+": ") {
				return nil, err
			}
			return nil, fmt.Errorf("%s: %w", b.Name(), err)
		}
		return v, nil
	})
}

// optional returns None for "".
func optional(s string) starlark.Value {
	if s == "" {
		return starlark.None
	}
	return starlark.String(s)
}

// seconds returns a time as mitmproxy does: seconds since the epoch, None if unknown.
func seconds(t flowfile.Time) starlark.Value {
	if !t.Known() {
		return starlark.None
	}
	return starlark.Float(t.Seconds())
}

func frozen(l *starlark.List) starlark.Value {
	l.Freeze()
	return l
}

func typeError(name, want string, val starlark.Value) error {
	return fmt.Errorf("%s must be %s, not %s", name, want, val.Type())
}

func errFrozen(v starlark.Value) error {
	return fmt.Errorf("the %s was made when the script was loaded and cannot change; make it in the hook", v.Type())
}

// readOnly is the error of setting an attribute that cannot be set.
func readOnly(v starlark.HasAttrs, name string) error {
	if slices.Contains(v.AttrNames(), name) {
		return fmt.Errorf("%s of a %s cannot be set", name, v.Type())
	}
	return starlark.NoSuchAttrError(fmt.Sprintf("a %s has no attribute %s", v.Type(), name))
}

// setString takes a string, or bytes as they are.
func setString(val starlark.Value, name string, set func(string)) error {
	switch val := val.(type) {
	case starlark.String:
		set(string(val))
	case lib.Bytes:
		set(string(val))
	default:
		return typeError(name, "a string", val)
	}
	return nil
}

// setText takes a string for what is text in files.
func setText(val starlark.Value, name string, set func(string)) error {
	s, ok := starlark.AsString(val)
	if !ok {
		return typeError(name, "a string", val)
	}
	set(validText(s))
	return nil
}

// validText returns s with U+FFFD for bytes that are not UTF-8, which a script can have
// from a header.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func setInt(val starlark.Value, name string, lo, hi int, set func(int)) error {
	i, ok := val.(starlark.Int)
	if !ok {
		return typeError(name, "an int", val)
	}
	n, ok := i.Int64()
	if !ok || n < int64(lo) || n > int64(hi) {
		return fmt.Errorf("%s must be from %d to %d, not %s", name, lo, hi, i)
	}
	set(int(n))
	return nil
}

func setBool(val starlark.Value, name string, set func(bool)) error {
	b, ok := val.(starlark.Bool)
	if !ok {
		return typeError(name, "a bool", val)
	}
	set(bool(b))
	return nil
}

func setTime(val starlark.Value, name string, set func(flowfile.Time)) error {
	if val == starlark.None {
		set(0)
		return nil
	}
	f, ok := starlark.AsFloat(val)
	if !ok {
		return typeError(name, "seconds (a number) or None", val)
	}
	t := flowfile.TimeFromSeconds(f)
	if !t.Known() && f != 0 {
		return fmt.Errorf("%s: %v is no time", name, f)
	}
	set(t)
	return nil
}

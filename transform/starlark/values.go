package starlark

import (
	"fmt"
	"math/big"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

func method(name string, fn func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		v, err := fn(args, kwargs)
		if err != nil {
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

func typeError(name, want string, val starlark.Value) error {
	return fmt.Errorf("%s must be %s, not %s", name, want, val.Type())
}

func readOnly(v starlark.HasAttrs, name string) error {
	for _, n := range v.AttrNames() {
		if n == name {
			return fmt.Errorf("%s of a %s cannot be set", name, v.Type())
		}
	}
	return starlark.NoSuchAttrError(fmt.Sprintf("a %s has no attribute %s", v.Type(), name))
}

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

func setInt(val starlark.Value, name string, set func(int)) error {
	n, err := starlark.AsInt32(val)
	if err != nil {
		return typeError(name, "an int", val)
	}
	set(n)
	return nil
}

func setTime(val starlark.Value, name string, set func(flowfile.Time)) error {
	if val == starlark.None {
		set(0)
		return nil
	}
	f, ok := starlark.AsFloat(val)
	if !ok {
		return typeError(name, "seconds", val)
	}
	set(flowfile.TimeFromSeconds(f))
	return nil
}

// toValue converts metadata for a script. Lists and maps are frozen copies.
func toValue(v any) starlark.Value {
	switch v := v.(type) {
	case nil:
		return starlark.None
	case bool:
		return starlark.Bool(v)
	case int64:
		return starlark.MakeInt64(v)
	case float64:
		return starlark.Float(v)
	case flowfile.BigInt:
		n, ok := new(big.Int).SetString(string(v), 10)
		if !ok {
			return starlark.String(v)
		}
		return starlark.MakeBigInt(n)
	case string:
		return starlark.String(v)
	case flowfile.Bytes:
		return lib.Bytes(v)
	case flowfile.List:
		l := make([]starlark.Value, len(v))
		for i := range v {
			l[i] = toValue(v[i])
		}
		out := starlark.NewList(l)
		out.Freeze()
		return out
	case flowfile.Map:
		d := starlark.NewDict(len(v))
		for _, e := range v {
			_ = d.SetKey(starlark.String(e.Key), toValue(e.Value)) // a string is hashable
		}
		d.Freeze()
		return d
	}
	return starlark.None
}

// fromValue converts what a script puts into metadata.
func fromValue(v starlark.Value, depth int) (any, error) {
	if depth > 30 {
		return nil, fmt.Errorf("metadata nested too deeply")
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			return n, nil
		}
		return flowfile.BigInt(v.String()), nil
	case starlark.Float:
		return float64(v), nil
	case starlark.String:
		return string(v), nil
	case lib.Bytes:
		return flowfile.Bytes(v), nil
	case starlark.IterableMapping:
		return fromMapping(v, depth+1)
	case starlark.Iterable:
		l := flowfile.List{}
		it := v.Iterate()
		defer it.Done()
		var x starlark.Value
		for it.Next(&x) {
			y, err := fromValue(x, depth+1)
			if err != nil {
				return nil, err
			}
			l = append(l, y)
		}
		return l, nil
	}
	return nil, fmt.Errorf("a %s cannot be kept in metadata", v.Type())
}

func fromMapping(d starlark.IterableMapping, depth int) (flowfile.Map, error) {
	m := flowfile.Map{}
	for _, item := range d.Items() {
		k, ok := starlark.AsString(item[0])
		if !ok {
			return nil, typeError("a key of metadata", "a string", item[0])
		}
		v, err := fromValue(item[1], depth)
		if err != nil {
			return nil, err
		}
		m = append(m, flowfile.MapEntry{Key: k, Value: v})
	}
	return m, nil
}

// metadataValue is flow.metadata: a dict that writes through.
type metadataValue struct {
	object
	flow *flowfile.Flow
}

var (
	_ starlark.HasSetKey       = (*metadataValue)(nil)
	_ starlark.IterableMapping = (*metadataValue)(nil)
	_ starlark.Sequence        = (*metadataValue)(nil)
)

func (v *metadataValue) dict() *starlark.Dict {
	d, _ := toValue(v.flow.Metadata()).(*starlark.Dict)
	return d
}

func (v *metadataValue) String() string        { return v.dict().String() }
func (v *metadataValue) Type() string          { return "metadata" }
func (v *metadataValue) Truth() starlark.Bool  { return len(v.flow.Metadata()) > 0 }
func (v *metadataValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *metadataValue) Len() int              { return len(v.flow.Metadata()) }

func (v *metadataValue) Items() []starlark.Tuple    { return v.dict().Items() }
func (v *metadataValue) Iterate() starlark.Iterator { return v.dict().Iterate() }

func (v *metadataValue) Get(k starlark.Value) (starlark.Value, bool, error) {
	s, ok := starlark.AsString(k)
	if !ok {
		return nil, false, nil
	}
	x, found := v.flow.Metadata().Get(s)
	if !found {
		return nil, false, nil
	}
	return toValue(x), true, nil
}

func (v *metadataValue) SetKey(k, val starlark.Value) error {
	s, ok := starlark.AsString(k)
	if !ok {
		return typeError("a key of metadata", "a string", k)
	}
	x, err := fromValue(val, 0)
	if err != nil {
		return err
	}
	v.flow.SetMetadata(v.flow.Metadata().With(s, x))
	return nil
}

func (v *metadataValue) AttrNames() []string {
	return []string{"get", "items", "keys", "pop", "values"}
}

func (v *metadataValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "get", "items", "keys", "values":
		return v.dict().Attr(name)
	case "pop":
		return method("pop", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var key string
			var def starlark.Value
			if err := starlark.UnpackArgs("pop", args, kwargs, "key", &key, "default?", &def); err != nil {
				return nil, err
			}
			x, found := v.flow.Metadata().Get(key)
			if !found {
				if def == nil {
					return nil, fmt.Errorf("no key %q", key)
				}
				return def, nil
			}
			v.flow.SetMetadata(v.flow.Metadata().Without(key))
			return toValue(x), nil
		}), nil
	}
	return nil, nil
}

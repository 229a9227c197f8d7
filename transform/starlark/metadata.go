package starlark

import (
	"fmt"
	"math/big"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// toValue converts metadata for a script. Lists and maps are frozen copies.
func toValue(v any) starlark.Value {
	switch v := v.(type) {
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
		return frozen(starlark.NewList(l))
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

// maxNesting bounds metadata, and ends lists that hold themselves.
const maxNesting = 30

// fromValue converts what a script puts into metadata.
func fromValue(v starlark.Value, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("metadata is nested more than %d deep", maxNesting)
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
		return validText(string(v)), nil
	case lib.Bytes:
		return flowfile.Bytes(v), nil
	case starlark.IterableMapping:
		return fromMapping(v, depth+1)
	case *starlark.List, starlark.Tuple, *starlark.Set:
		l := flowfile.List{}
		for x := range starlark.Elements(v.(starlark.Iterable)) {
			y, err := fromValue(x, depth+1)
			if err != nil {
				return nil, err
			}
			l = append(l, y)
		}
		return l, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be kept in metadata", v.Type())
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
		m = append(m, flowfile.MapEntry{Key: validText(k), Value: v})
	}
	return m, nil
}

// metadataValue is flow.metadata: a dict that writes through.
type metadataValue struct {
	object
	c    *call
	kept flowfile.Map // what it shows when the call is over
}

var (
	_ starlark.HasSetKey       = (*metadataValue)(nil)
	_ starlark.IterableMapping = (*metadataValue)(nil)
	_ starlark.Sequence        = (*metadataValue)(nil)
)

func (v *metadataValue) m() flowfile.Map {
	if v.c.over {
		return v.kept
	}
	return v.c.flow.flow.Metadata()
}

func (v *metadataValue) set(m flowfile.Map) error {
	if err := v.c.check(); err != nil {
		return err
	}
	v.c.flow.flow.SetMetadata(m)
	return nil
}

func (v *metadataValue) dict() *starlark.Dict {
	d, _ := toValue(v.m()).(*starlark.Dict)
	return d
}

func (v *metadataValue) String() string        { return v.dict().String() }
func (v *metadataValue) Type() string          { return "metadata" }
func (v *metadataValue) Truth() starlark.Bool  { return len(v.m()) > 0 }
func (v *metadataValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *metadataValue) Len() int              { return len(v.m()) }

func (v *metadataValue) Items() []starlark.Tuple    { return v.dict().Items() }
func (v *metadataValue) Iterate() starlark.Iterator { return v.dict().Iterate() }

func (v *metadataValue) Get(k starlark.Value) (starlark.Value, bool, error) {
	s, ok := starlark.AsString(k)
	if !ok {
		return nil, false, nil
	}
	x, found := v.m().Get(s)
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
	return v.set(v.m().With(validText(s), x))
}

func (v *metadataValue) AttrNames() []string {
	return []string{"clear", "get", "items", "keys", "pop", "setdefault", "update", "values"}
}

func (v *metadataValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "get", "items", "keys", "values":
		return v.dict().Attr(name)
	case "clear":
		return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if err := starlark.UnpackArgs(name, args, kwargs); err != nil {
				return nil, err
			}
			return starlark.None, v.set(nil)
		}), nil
	case "pop":
		return method(name, v.pop), nil
	case "setdefault":
		return method(name, v.setdefault), nil
	case "update":
		return method(name, v.update), nil
	}
	return nil, nil
}

func (v *metadataValue) pop(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key string
	var def starlark.Value
	if err := starlark.UnpackArgs("pop", args, kwargs, "key", &key, "default?", &def); err != nil {
		return nil, err
	}
	x, found := v.m().Get(key)
	switch {
	case found:
		return toValue(x), v.set(v.m().Without(key))
	case def == nil:
		return nil, fmt.Errorf("no key %q", key)
	}
	return def, nil
}

func (v *metadataValue) setdefault(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key string
	var def starlark.Value = starlark.None
	if err := starlark.UnpackArgs("setdefault", args, kwargs, "key", &key, "default?", &def); err != nil {
		return nil, err
	}
	if x, found := v.m().Get(key); found {
		return toValue(x), nil
	}
	return def, v.SetKey(starlark.String(key), def)
}

func (v *metadataValue) update(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var other starlark.IterableMapping
	if err := starlark.UnpackPositionalArgs("update", args, nil, 0, &other); err != nil {
		return nil, err
	}
	if other != nil {
		for _, kv := range other.Items() {
			if err := v.SetKey(kv[0], kv[1]); err != nil {
				return nil, err
			}
		}
	}
	for _, kv := range kwargs {
		if err := v.SetKey(kv[0], kv[1]); err != nil {
			return nil, err
		}
	}
	return starlark.None, nil
}

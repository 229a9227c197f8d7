package starlark

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"flowkit/transform/script"
)

// options are the values that --set gave, typed by loader.add_option. They change only
// while scripts are started, one after the other.
type options struct {
	object
	set      map[string]string         // from the command line
	values   map[string]starlark.Value // those, and the defaults of what is declared
	declared map[string]bool           // by add_option
	info     []script.Option           // of those, in their order
}

func newOptions(set map[string]string) *options {
	o := &options{set: set, values: make(map[string]starlark.Value), declared: make(map[string]bool)}
	for k, v := range set {
		o.values[k] = starlark.String(v)
	}
	return o
}

var _ starlark.HasSetField = (*options)(nil)

func (o *options) String() string        { return "<options>" }
func (o *options) Type() string          { return "options" }
func (o *options) Hash() (uint32, error) { return unhashable(o.Type()) }
func (o *options) AttrNames() []string   { return append(slices.Sorted(maps.Keys(o.values)), "get") }

func (o *options) Attr(name string) (starlark.Value, error) {
	if v, ok := o.values[name]; ok {
		return v, nil
	}
	if name != "get" {
		return nil, starlark.NoSuchAttrError(fmt.Sprintf(
			"option %s is not set; give it with --set %s=value, or ask for options.get(%q, default)", name, name, name))
	}
	return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var key string
		var def starlark.Value = starlark.None
		if err := starlark.UnpackArgs(name, args, kwargs, "name", &key, "default?", &def); err != nil {
			return nil, err
		}
		if v, ok := o.values[key]; ok {
			return v, nil
		}
		return def, nil
	}), nil
}

// SetField fails: flows are in several scripts at once.
func (o *options) SetField(name string, _ starlark.Value) error {
	return fmt.Errorf("option %s cannot be set by a script, only with --set", name)
}

// names is what configure is told: all options, as at the start of mitmproxy.
func (o *options) names() starlark.Value {
	return list(slices.Sorted(maps.Keys(o.values)), func(s string) starlark.Value { return starlark.String(s) })
}

// unknown returns an error for an option that was set and that no script declares, if all
// of them declare their options.
func (o *options) unknown(all []*program) error {
	known := make(map[string]bool)
	for _, p := range all {
		if len(p.options.declared) == 0 {
			return nil
		}
		maps.Copy(known, p.options.declared)
	}
	for _, k := range slices.Sorted(maps.Keys(o.set)) {
		if !known[k] {
			return fmt.Errorf("--set %s: there is no such option; there is %s", k, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return nil
}

// loaderValue is the argument of load.
type loaderValue struct{ *options }

func (v *loaderValue) String() string      { return "<loader>" }
func (v *loaderValue) Type() string        { return "Loader" }
func (v *loaderValue) AttrNames() []string { return []string{"add_option"} }

func (v *loaderValue) SetField(name string, _ starlark.Value) error { return readOnly(v, name) }

func (v *loaderValue) Attr(name string) (starlark.Value, error) {
	if name != "add_option" {
		return nil, nil
	}
	return method(name, v.addOption), nil
}

func (v *loaderValue) addOption(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key, help string
	var typ, def starlark.Value
	var choices starlark.Iterable
	err := starlark.UnpackArgs("add_option", args, kwargs,
		"name", &key, "typespec", &typ, "default", &def, "help?", &help, "choices??", &choices)
	if err != nil {
		return nil, err
	}
	want, err := typespec(typ)
	if err != nil {
		return nil, fmt.Errorf("option %s: %w", key, err)
	}
	if def != starlark.None && def.Type() != want && (want != "float" || def.Type() != "int") {
		return nil, fmt.Errorf("option %s: the default %s is no %s", key, def, want)
	}
	v.declared[key] = true
	v.info = append(v.info, script.Option{Name: key, Type: pythonName(want), Default: def.String(), Help: help})
	v.values[key] = def
	s, ok := v.set[key]
	if !ok {
		return starlark.None, nil
	}
	val, err := typed(s, want)
	if err == nil && choices != nil {
		err = oneOf(val, choices)
	}
	if err != nil {
		return nil, fmt.Errorf("--set %s=%s: %w", key, s, err)
	}
	v.values[key] = val
	return starlark.None, nil
}

// typespec returns the name of the type that a script declares an option with: one of the
// builtins str, int, float and bool.
func typespec(typ starlark.Value) (string, error) {
	if b, ok := typ.(*starlark.Builtin); ok {
		switch b.Name() {
		case "str":
			return "string", nil
		case "int", "float", "bool":
			return b.Name(), nil
		}
	}
	return "", fmt.Errorf("the type must be str, int, float or bool, not %s", typ)
}

// pythonName is the name that scripts have for a type.
func pythonName(typ string) string {
	if typ == "string" {
		return "str"
	}
	return typ
}

// typed converts the text of an option.
func typed(s, want string) (starlark.Value, error) {
	switch want {
	case "int":
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", s)
		}
		return starlark.MakeInt(n), nil
	case "float":
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", s)
		}
		return starlark.Float(f), nil
	case "bool":
		switch strings.ToLower(s) {
		case "true", "":
			return starlark.True, nil
		case "false":
			return starlark.False, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", s)
	}
	return starlark.String(s), nil
}

func oneOf(val starlark.Value, choices starlark.Iterable) error {
	var names []string
	for c := range starlark.Elements(choices) {
		if same, err := starlark.Equal(c, val); err == nil && same {
			return nil
		}
		names = append(names, c.String())
	}
	return errors.New("it must be one of " + strings.Join(names, ", "))
}

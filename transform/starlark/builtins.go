package starlark

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"flowkit/flowfile"
	"flowkit/transform/starlark/lib"
)

// flowBuiltins are the predeclared names that know flows.
func flowBuiltins(p *program) starlark.StringDict {
	response := &starlarkstruct.Module{Name: "Response", Members: starlark.StringDict{
		"make": method("Response.make", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return makeResponse(p, args, kwargs)
		}),
	}}
	headers := method("Headers", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		h := new(flowfile.Headers)
		if len(args) > 1 {
			return nil, fmt.Errorf("%d arguments; it takes a dict or a list of pairs", len(args))
		}
		if len(args) == 1 {
			fields, err := fieldsOf(args[0])
			if err != nil {
				return nil, err
			}
			h.Replace(fields)
		}
		for _, kv := range kwargs {
			name := strings.ReplaceAll(string(kv[0].(starlark.String)), "_", "-")
			if err := setString(kv[1], name, func(s string) { h.Set(name, s) }); err != nil {
				return nil, err
			}
		}
		return newHeaders(h), nil
	})
	failure := method("Error", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var msg string
		var at starlark.Value = starlark.None
		if err := starlark.UnpackArgs("Error", args, kwargs, "msg", &msg, "timestamp?", &at); err != nil {
			return nil, err
		}
		e := &flowfile.Error{Msg: msg}
		return &errorValue{err: e}, setTime(at, "timestamp", func(t flowfile.Time) { e.Time = t })
	})
	return starlark.StringDict{
		"Response": response,
		"Headers":  headers,
		"Error":    failure,
		"http": &starlarkstruct.Module{Name: "http", Members: starlark.StringDict{
			"Response": response, "Headers": headers,
		}},
		"state":   &lib.State{},
		"options": p.options,
		"ctx":     p.ctx,
	}
}

// contextValue is ctx, and the first argument of hooks in the style of mitmproxy 0.17.
type contextValue struct {
	object
	p *program
}

func (v *contextValue) String() string        { return "<ctx>" }
func (v *contextValue) Type() string          { return "ctx" }
func (v *contextValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *contextValue) AttrNames() []string   { return []string{"log", "options"} }

func (v *contextValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "options":
		return v.p.options, nil
	case "log":
		return &logValue{object{}, v.p}, nil
	}
	return nil, nil
}

// logValue is ctx.log: called (0.17) or with methods.
type logValue struct {
	object
	p *program
}

func (v *logValue) String() string        { return "<ctx.log>" }
func (v *logValue) Type() string          { return "log" }
func (v *logValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *logValue) Name() string          { return "log" }
func (v *logValue) AttrNames() []string   { return []string{"debug", "error", "info", "warn"} }

func (v *logValue) Attr(name string) (starlark.Value, error) {
	if !slices.Contains(v.AttrNames(), name) {
		return nil, nil
	}
	return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var msg starlark.Value
		if err := starlark.UnpackArgs(name, args, kwargs, "msg", &msg); err != nil {
			return nil, err
		}
		return starlark.None, v.write(name, msg)
	}), nil
}

// CallInternal is context.log(msg, level).
func (v *logValue) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var msg starlark.Value
	level := "info"
	if err := starlark.UnpackArgs("log", args, kwargs, "msg", &msg, "level?", &level); err != nil {
		return nil, err
	}
	return starlark.None, v.write(level, msg)
}

func (v *logValue) write(level string, msg starlark.Value) error {
	text, ok := starlark.AsString(msg)
	if !ok {
		text = msg.String()
	}
	switch level {
	case "debug":
		v.p.log.Debug(text)
	case "warn":
		v.p.log.Warn(text)
	case "error":
		v.p.log.Error(text)
	default:
		v.p.log.Info(text)
	}
	return nil
}

// options are the values that --set gave, typed by loader.add_option.
type options struct {
	object
	set      map[string]string
	values   map[string]starlark.Value
	declared bool // add_option was called: others are mistakes
	known    map[string]bool
}

func newOptions(set map[string]string) *options {
	o := &options{set: set, values: make(map[string]starlark.Value), known: make(map[string]bool)}
	for k, v := range set {
		o.values[k] = starlark.String(v)
	}
	return o
}

func (o *options) String() string        { return "<options>" }
func (o *options) Type() string          { return "options" }
func (o *options) Hash() (uint32, error) { return unhashable(o.Type()) }
func (o *options) AttrNames() []string   { return append(slices.Sorted(maps.Keys(o.values)), "get") }

func (o *options) Attr(name string) (starlark.Value, error) {
	if v, ok := o.values[name]; ok {
		o.known[name] = true
		return v, nil
	}
	if name == "get" {
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
	return nil, fmt.Errorf("option %q is not set; give it with --set %s=value, or ask for options.get(%q, default)", name, name, name)
}

func (o *options) names() starlark.Value {
	var l []starlark.Value
	for _, k := range slices.Sorted(maps.Keys(o.values)) {
		l = append(l, starlark.String(k))
	}
	return frozen(starlark.NewList(l))
}

// unknown returns an error for an option that was set though the script declares its
// options and does not have it.
func (o *options) unknown() error {
	if !o.declared {
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(o.set)) {
		if !o.known[k] {
			return fmt.Errorf("--set %s: the script has no such option; it has %s", k, strings.Join(slices.Sorted(maps.Keys(o.known)), ", "))
		}
	}
	return nil
}

// loaderValue is the argument of load.
type loaderValue struct{ *options }

func (v *loaderValue) String() string      { return "<loader>" }
func (v *loaderValue) Type() string        { return "Loader" }
func (v *loaderValue) AttrNames() []string { return []string{"add_option"} }

func (v *loaderValue) Attr(name string) (starlark.Value, error) {
	if name != "add_option" {
		return nil, nil
	}
	return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var key, help string
		var typ, def, choices starlark.Value
		err := starlark.UnpackArgs(name, args, kwargs, "name", &key, "typespec", &typ, "default", &def, "help?", &help, "choices?", &choices)
		if err != nil {
			return nil, err
		}
		v.declared, v.known[key] = true, true
		s, ok := v.set[key]
		if !ok {
			v.values[key] = def
			return starlark.None, nil
		}
		val, err := typed(s, typ)
		if err != nil {
			return nil, fmt.Errorf("--set %s=%s: %w", key, s, err)
		}
		v.values[key] = val
		return starlark.None, nil
	}), nil
}

// typed converts the text of an option; typ is str, int, float or bool.
func typed(s string, typ starlark.Value) (starlark.Value, error) {
	b, ok := typ.(*starlark.Builtin)
	if !ok {
		return starlark.String(s), nil
	}
	switch b.Name() {
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

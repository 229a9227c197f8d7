package starlark

import (
	"context"
	"log/slog"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"flowkit/transform/starlark/lib"
)

// flowBuiltins are the predeclared names that know flows.
func flowBuiltins(p *program) starlark.StringDict {
	module := func(name string, members starlark.StringDict) *starlarkstruct.Module {
		return &starlarkstruct.Module{Name: name, Members: members}
	}
	response := module("Response", starlark.StringDict{
		"make": method("Response.make", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return makeResponse(p, args, kwargs)
		}),
	})
	request := module("Request", starlark.StringDict{
		"make": method("Request.make", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return makeRequest(p, args, kwargs)
		}),
	})
	headers := method("Headers", makeHeaders)
	return starlark.StringDict{
		"Response": response,
		"Request":  request,
		"Headers":  headers,
		"Error":    method("Error", makeError),
		"http":     module("http", starlark.StringDict{"Response": response, "Request": request, "Headers": headers}),
		"state":    &lib.State{},
		"options":  p.options,
		"ctx":      p.ctx,
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
func (v *contextValue) AttrNames() []string   { return []string{"log", "options", "shutdown"} }

func (v *contextValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "options":
		return v.p.options, nil
	case "log":
		return &logValue{object{}, v.p}, nil
	case "shutdown":
		return method(name, v.p.shutdown), nil
	}
	return nil, nil
}

// logValue is ctx.log: called (mitmproxy 0.17) or with methods.
type logValue struct {
	object
	p *program
}

var _ starlark.Callable = (*logValue)(nil)

func (v *logValue) String() string        { return "<ctx.log>" }
func (v *logValue) Type() string          { return "log" }
func (v *logValue) Hash() (uint32, error) { return unhashable(v.Type()) }
func (v *logValue) Name() string          { return "log" }
func (v *logValue) AttrNames() []string {
	return []string{"alert", "debug", "error", "info", "warn", "warning"}
}

var logLevels = map[string]slog.Level{
	"alert": slog.LevelWarn, "debug": slog.LevelDebug, "error": slog.LevelError,
	"info": slog.LevelInfo, "warn": slog.LevelWarn, "warning": slog.LevelWarn,
}

func (v *logValue) Attr(name string) (starlark.Value, error) {
	if _, ok := logLevels[name]; !ok {
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
	v.p.log.Log(context.Background(), logLevels[level], text)
	return nil
}

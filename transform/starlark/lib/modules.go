// Package lib holds the modules and value types that Starlark scripts see and
// that know nothing of flows.
//
// Modules, as [Predeclared] hands them out:
//
//	re       regular expressions with Python's interface over RE2    re.go
//	json     loads and dumps, spelled as Python spells them          json.go
//	base64   b64encode, b64decode and the URL-safe forms             base64.go
//	hashlib  md5, sha1, sha256, ...                                  hashlib.go
//	url      quote, urlparse, parse_qsl, urlencode                   url.go
//	html     escape, unescape                                        html.go
//	log      debug, info, warn, error                                log.go
//	math     of go.starlark.net
//	time     parsing only, no clock                                  time.go
//
// Value types:
//
//	Bytes      what Python calls bytes                               bytes.go
//	MultiDict  headers, query, cookies: ordered, names may repeat    multidict.go
//	State      the one dict that stays writable after loading        state.go
//
// A script's b"..." literals become [Bytes] through [RewriteBytesLiterals];
// an engine must call it before it compiles a file, since the interpreter
// cannot compare its own bytes type with another one.
//
// Nothing here reads a file, a clock, a network or the environment. Once a
// script's module is frozen every value except State may be used by any number
// of threads at once, and State is locked.
package lib

import (
	"fmt"
	"maps"
	"slices"

	"go.starlark.net/lib/math"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// Predeclared returns new modules for one script or one family of scripts. The
// regular expression cache lives in the re module, so share the result between
// threads rather than calling Predeclared for each.
func Predeclared() starlark.StringDict {
	d := starlark.StringDict{
		"base64":  module("base64", base64Funcs),
		"bytes":   bytesType{},
		"hash":    acceptBytes("hash"),
		"hashlib": module("hashlib", hashFuncs()),
		"html":    module("html", htmlFuncs),
		"json":    newJSON(),
		"log":     newLog(),
		"math":    math.Module,
		"ord":     acceptBytes("ord"),
		"re":      newRe(),
		"time":    newTime(),
		"url":     module("url", urlFuncs),
	}
	d.Freeze()
	return d
}

// builtinFunc is the part of a builtin that differs: fn is its name, for errors.
type builtinFunc func(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

func module(name string, funcs map[string]builtinFunc) *starlarkstruct.Module {
	m := &starlarkstruct.Module{Name: name, Members: make(starlark.StringDict, len(funcs))}
	for fn, impl := range funcs {
		full := name + "." + fn
		m.Members[fn] = starlark.NewBuiltin(full, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return impl(full, args, kwargs)
		})
	}
	return m
}

// methods is the method table of one type, in plain sight at that type.
type methods map[string]*starlark.Builtin

// methodsOf builds the table of T from functions that take their receiver.
func methodsOf[T starlark.Value](funcs map[string]func(recv T, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) methods {
	m := make(methods, len(funcs))
	for name, impl := range funcs {
		m[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return impl(b.Receiver().(T), name, args, kwargs)
		})
	}
	return m
}

// attr finds a method and binds it; like HasAttrs it answers nil, nil for none.
func (m methods) attr(recv starlark.Value, name string) (starlark.Value, error) {
	if b, ok := m[name]; ok {
		return b.BindReceiver(recv), nil
	}
	return nil, nil
}

func (m methods) names() []string { return slices.Sorted(maps.Keys(m)) }

// acceptBytes extends a universal builtin that knows only the interpreter's own
// bytes type.
func acceptBytes(name string) *starlark.Builtin {
	universal := starlark.Universe[name]
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) == 1 {
			if b, ok := args[0].(Bytes); ok {
				args = starlark.Tuple{starlark.Bytes(b)}
			}
		}
		return starlark.Call(thread, universal, args, kwargs)
	})
}

// text returns the contents of a str or of either bytes type.
func text(v starlark.Value) (s string, isBytes, ok bool) {
	switch v := v.(type) {
	case starlark.String:
		return string(v), false, true
	case Bytes:
		return string(v), true, true
	case starlark.Bytes:
		return string(v), true, true
	}
	return "", false, false
}

// textArg unpacks a parameter that may be str or bytes.
type textArg struct {
	s       string
	isBytes bool
}

// Unpack implements starlark.Unpacker.
func (a *textArg) Unpack(v starlark.Value) error {
	s, isBytes, ok := text(v)
	if !ok {
		return fmt.Errorf("got %s, want string or bytes", v.Type())
	}
	a.s, a.isBytes = s, isBytes
	return nil
}

func sameKind(s string, isBytes bool) starlark.Value {
	if isBytes {
		return Bytes(s)
	}
	return starlark.String(s)
}

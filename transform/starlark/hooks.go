package starlark

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"flowkit/replay"
	"flowkit/transform/script"
)

// hook is a function of a script and with how many arguments it is called.
type hook struct {
	name string // as the script has it
	fn   *starlark.Function
	args int
}

// oldNames are the names that hooks had in earlier versions of mitmproxy.
var oldNames = map[string]replay.Hook{
	"start":                replay.Load,
	"websocket_handshake":  replay.WebSocketStart,
	"websockets_handshake": replay.WebSocketStart,
}

// arguments are the numbers of arguments that a hook may be called with, the preferred
// one first.
func arguments(h replay.Hook, name string) []int {
	switch {
	case name == "start":
		return []int{2, 1, 0} // start(context, argv), start(context), start()
	case h == replay.Load:
		return []int{1, 0}
	case h == replay.Configure:
		return []int{1, 2, 0} // configure(updated), configure(options, updated)
	case h == replay.Running, h == replay.Done, h == replay.Tick:
		return []int{0, 1}
	}
	return []int{1, 2} // response(flow), response(context, flow)
}

// findHooks takes the functions that are named after events. A new name wins over the old
// name of the same event.
func (p *program) findHooks(globals starlark.StringDict) error {
	p.hooks = make(map[replay.Hook]hook)
	for _, name := range globals.Keys() {
		fn, ok := globals[name].(*starlark.Function)
		if !ok {
			continue
		}
		if name == loadName {
			name = "load"
		}
		h, old := oldNames[name]
		if !old {
			if h, ok = replay.ParseHook(name); !ok || name == "log" { // a helper, more likely
				continue
			}
			old = h.String() != name
		}
		if _, taken := p.hooks[h]; taken && old {
			continue
		}
		lo, hi := parameters(fn)
		want := arguments(h, name)
		i := slices.IndexFunc(want, func(n int) bool { return lo <= n && (n <= hi || hi < 0) })
		if i < 0 && h.LiveOnly() {
			p.log.Warn(fmt.Sprintf("%s takes %d parameters: it is never called as a hook; %s", name, lo, signature(h, name)))
			continue
		}
		if i < 0 {
			return &script.Error{
				Script: p.name, Line: int(fn.Position().Line),
				Msg: fmt.Sprintf("hook %s takes %d parameters; %s", name, lo, signature(h, name)),
			}
		}
		p.hooks[h] = hook{name, fn, want[i]}
		p.want |= replay.Of(h)
	}
	if _, ok := globals["addons"]; ok {
		p.log.Warn("addons has no meaning in Starlark, which has no classes: write the hooks as functions")
	}
	if p.want == 0 {
		p.log.Warn("the script has no hook: no function is called request, response, …")
	}
	return nil
}

func signature(h replay.Hook, name string) string {
	switch {
	case name == "start":
		return "it is start(), start(context) or start(context, argv)"
	case h == replay.Load:
		return "it is load(loader) or load()"
	case h == replay.Configure:
		return "it is configure(updated)"
	case h == replay.Running, h == replay.Done, h == replay.Tick:
		return "it is " + name + "()"
	case h.LiveOnly():
		return "it is " + name + "(data)"
	}
	return "it is " + name + "(flow)"
}

// parameters returns with how few and how many positional arguments fn can be called; the
// second is -1 if there is no limit.
func parameters(fn *starlark.Function) (lo, hi int) {
	hi = fn.NumParams() - fn.NumKwonlyParams()
	if fn.HasKwargs() {
		hi--
	}
	if fn.HasVarargs() {
		hi--
	}
	for lo < hi && fn.ParamDefault(lo) == nil {
		lo++
	}
	if fn.HasVarargs() {
		hi = -1
	}
	return lo, hi
}

package starlark_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/script"
	"flowkit/transform/starlark"
)

func loadSource(src string) (script.Session, error) {
	return starlark.Engine{}.Load(context.Background(), []script.Spec{{
		Path: "dir/x.star", Source: []byte(src), Log: slog.New(slog.DiscardHandler),
	}})
}

// Errors of loading have the line, a caret and, for what is Python, a hint.
func TestLoadErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"def response(flow):\n    x = (1,\n", "x.star:3: got outdent, want primary expression\n    \n    ^\n  hint: a bracket above is not closed"},
		{"x = 1 +\n", "x.star:1: got newline, want primary expression\n    x = 1 +\n           ^"},
		{"\tx = 1\n", "x.star:1: got indent, want primary expression\n    x = 1\n    ^"},
		{"x = y\n", "x.star:1: undefined: y\n    x = y\n        ^"},
		{"def f():\n    return 1 // 0\nx = [f()]\n", "x.star:2: floored division by zero\n  x.star:3 in <toplevel>\n    x = [f()]\n          ^\n  x.star:2 in f\n    return 1 // 0\n             ^"},
		{"load('lib.star', 'x')\n", "x.star:1: cannot load lib.star: a script is one file and cannot load others\n  x.star:1 in <toplevel>\n    load('lib.star', 'x')\n    ^"},
		{"def response():\n    pass\n", "x.star:1: hook response takes 0 parameters; it is response(flow)"},
		{"def response(a, b, c):\n    pass\n", "x.star:1: hook response takes 3 parameters; it is response(flow)"},
		{"def done(a, b):\n    pass\n", "x.star:1: hook done takes 2 parameters; it is done()"},
		{"def load(a, b):\n    pass\n", "x.star:1: hook load takes 2 parameters; it is load(loader) or load()"},
		{"def start(a, b, c):\n    pass\n", "x.star:1: hook start takes 3 parameters; it is start(), start(context) or start(context, argv)"},
	} {
		checkLoadError(t, c.src, c.want)
	}
}

func checkLoadError(t *testing.T, src, want string) {
	t.Helper()
	_, err := loadSource(src)
	var se *script.Error
	if !errors.As(err, &se) {
		t.Errorf("%q: %v", src, err)
		return
	}
	got := se.Error()
	if se.Trace != "" {
		got += "\n" + se.Trace
	}
	if got != want {
		t.Errorf("%q:\n%s\nwant\n%s", src, got, want)
	}
}

func TestHints(t *testing.T) {
	for _, c := range []struct{ code, hint string }{
		{"import re", "Starlark has no import"},
		{"from mitmproxy import http", "Starlark has no import"},
		{"class Addon:\n    pass", "Starlark has no classes"},
		{"def response(flow: http.HTTPFlow):\n    pass", "Starlark has no annotations"},
		{"def response(flow) -> None:\n    pass", "Starlark has no annotations"},
		{"def response(flow: http.HTTPFlow) -> None:\n    pass", "Starlark has no annotations"},
		{"x: int = 1", "Starlark has no annotations"},
		{`x = f"a {b}"`, "Starlark has no f-strings"},
		{`x = 1 + len(f'a')`, "Starlark has no f-strings"},
		{`x = u"a"`, "leave the u out"},
		{"try:\n    pass\nexcept ValueError:\n    pass", "Starlark has no try"},
		{"with open(x) as f:\n    pass", "Starlark has no with"},
		{"async def response(flow):\n    pass", "Starlark has no async"},
		{"def f():\n    global x\n    x = 1", "keep what changes in state"},
		{"def f():\n    nonlocal x", "keep what changes in state"},
		{"x = 1 is None", "Starlark has no is"},
		{"x = 1 is not None", "Starlark has no is"},
		{"x = 2 ** 3", "Starlark has no **"},
		{"@concurrent\ndef response(flow):\n    pass", "Starlark has no decorators"},
		{"del x", "Starlark has no del"},
		{"raise ValueError('x')", "Starlark has no raise"},
		{"def f():\n    yield 1", "Starlark has no generators"},
		{"x = 1 < 2 < 3", "comparisons do not chain"},
		{"x = {1, 2}", "Starlark has no set literals"},
		{"x = {1}", "Starlark has no set literals"},
		{"x = 'a' 'b'", "write + between two strings"},
		{"print 'x'", "print is a function"},
		{"assert x", "Starlark has no assert"},
		{"x = [*range(3)]", "unpacks with * in calls alone"},
		{"if (x := 1):\n    pass", "no := inside"},
		{"if 1\n    pass", "a : at its end"},
		{"if __name__ == '__main__':\n    pass", "never run by itself"},
		{"x = isinstance(1, int)", "compare type(x)"},
		{"x = open('a')", "no files"},
		{"logging.info('x')", "log.info"},
		{"x = os.environ", "nothing of the system"},
		{"x = null", "write None"},
	} {
		_, err := loadSource(c.code + "\n")
		var se *script.Error
		if !errors.As(err, &se) || !strings.Contains(se.Trace, "\n  hint: ") || !strings.Contains(se.Trace, c.hint) || !strings.Contains(se.Trace, "^") {
			t.Errorf("%s\n%v\n%+v", c.code, err, se)
		}
	}
}

// Errors of hooks name script, line, flow and hook, and show the calls.
func TestHookErrors(t *testing.T) {
	src := `
def helper(x):
	return x["nope"]

def response(flow):
    helper(flow.request.headers)

def load(loader):
    pass
`
	session, err := loadSource(src)
	if err != nil {
		t.Fatal(err)
	}
	err = session.Run(context.Background(), &flowfile.Batch{Flows: []*flowfile.Flow{flowOf("http")}})
	const want = `response of flow id-http: x.star:3: key "nope" not in Headers`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	const trace = `  x.star:6 in response
    helper(flow.request.headers)
          ^
  x.star:3 in helper
    return x["nope"]
            ^`
	var se *script.Error
	if !errors.As(err, &se) || se.Trace != trace {
		t.Errorf("the calls are\n%s\nwant\n%s", se.Trace, trace)
	}
}

func TestRuntimeHints(t *testing.T) {
	for _, body := range []string{"n = n + 1", "l.append(1)", "d['a'] = 1", "l += [1]"} {
		session, err := loadSource("n = 1\nl = []\nd = {}\n" + hook("http", body))
		if err != nil {
			t.Fatal(err)
		}
		err = session.Run(context.Background(), &flowfile.Batch{Flows: []*flowfile.Flow{flowOf("http")}})
		var se *script.Error
		if !errors.As(err, &se) || !strings.Contains(se.Trace, "keep what changes in state") {
			t.Errorf("%s: %v %+v", body, err, se)
		}
	}
}

func TestHooks(t *testing.T) {
	for _, c := range []struct{ src, hooks string }{
		{"def response(flow): pass\ndef request(flow): pass", "request response"},
		{"def response(flow, level = 2): flow.comment = str(level)", "response"},
		{"def response(*args): args[0].comment = str(len(args) + 1)", "response"},
		{"def response(flow, **kw): flow.comment = '2'", "response"},
		{"def change(flow): flow.comment = '2'\nresponse = change", "response"},
		{"response = lambda flow: setcomment(flow)\ndef setcomment(flow): flow.comment = '2'", "response"},
		{"def start(): fail()\ndef load(loader): pass", "load"},
		{"def websocket_handshake(flow): fail()\ndef websocket_start(flow): pass", "websocket_start"},
		{"def websockets_handshake(flow): pass", "websocket_start"},
		{"def helper(): pass\nrequest = 1", ""},
		{"\ufeffdef request(flow):\r\n    flow.comment = '2'\r\n", "request"},
	} {
		session, err := loadSource(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if got := session.Info()[0].Hooks.String(); got != c.hooks {
			t.Errorf("%s: hooks %q, want %q", c.src, got, c.hooks)
		}
		f := flowOf("http")
		for _, err := range []error{session.Start(context.Background()), session.Run(context.Background(), &flowfile.Batch{Flows: []*flowfile.Flow{f}})} {
			if err != nil {
				t.Errorf("%s: %v", c.src, err)
			}
		}
		if strings.Contains(c.src, "comment") && f.Comment() != "2" {
			t.Errorf("%s: comment %s", c.src, f.Comment())
		}
	}
}

// A script that depends on the order of flows is not concurrent, wherever it does.
func TestOrdered(t *testing.T) {
	for src, want := range map[string]string{
		"def response(flow): flow.comment = 'x'":                                   "",
		"def response(flow): flow.comment = options.get('x', '')":                  "",
		"def response(flow): state.add('n')":                                       "it uses state",
		"def response(flow): print(flow)":                                          "it uses print",
		"def response(flow): log.info('x')":                                        "it uses log",
		"def response(flow): ctx.log.info('x')":                                    "it uses ctx",
		"def response(flow): helper()\ndef helper(): state.add('n')":               "it uses state",
		"s = state\ndef response(flow): s.add('n')":                                "it uses state",
		"def response(flow): [f() for f in [lambda: print(1)]]":                    "it uses print",
		"def response(flow):\n    state = {}\n    state['n'] = 1":                  "",
		"def log(x): pass\ndef response(flow): log(1)":                             "",
		"def response(flow):\n    for log in [1]: pass":                            "",
		"def response(flow): flow.state = flow.response.print":                     "",
		"def response(flow): flow.comment = '%s' % dict(state = 1)":                "",
		"def response(flow, f = state.add): f('n')":                                "it uses state",
		"def response(flow): pass\ndef done(): log.info('done')":                   "it uses log",
		"def make():\n    def inner(): return state\n    return inner\nf = make()": "it uses state",
	} {
		session, err := loadSource(src + "\n")
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := session.Info()[0].Ordered; got != want || session.(replay.Concurrent).Concurrent() != (want == "") {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, src := range map[string]string{
		"the call took more than 50ms (--script-timeout)": "def response(flow):\n    while True: pass\n",
		"functions call each other too deeply":            "def f(n): return f(n + 1) + 1\ndef response(flow): f(0)\n",
	} {
		session, err := starlark.Engine{}.Load(context.Background(), []script.Spec{{
			Path: "x.star", Source: []byte(src), Limits: script.Limits{Timeout: 50 * time.Millisecond},
		}})
		if err != nil {
			t.Fatal(err)
		}
		err = session.Run(context.Background(), &flowfile.Batch{Flows: []*flowfile.Flow{flowOf("http")}})
		var se *script.Error
		if !errors.As(err, &se) || se.Msg != name || len(se.Trace) > 10_000 {
			t.Errorf("%v, %d bytes of calls, want %s", err, len(se.Trace), name)
		}
	}
	_, err := starlark.Engine{}.Load(context.Background(), []script.Spec{{
		Path: "x.star", Source: []byte("while True: pass\n"), Limits: script.Limits{Timeout: 50 * time.Millisecond},
	}})
	if err == nil || !strings.Contains(err.Error(), "x.star:1: the call took more than 50ms") {
		t.Errorf("a script that is never loaded: %v", err)
	}
}

// Each call has the whole time, and the steps of one do not count in the next.
func TestEveryCallStartsAnew(t *testing.T) {
	src := "def response(flow):\n    for i in range(100000): pass\n"
	session, err := loadSource(src)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := session.Run(context.Background(), &flowfile.Batch{Flows: []*flowfile.Flow{flowOf("http")}}); err != nil {
			t.Fatal(err)
		}
	}
}

// A run that is stopped ends a hook, and that is no error of the script.
func TestCancel(t *testing.T) {
	session, err := loadSource("def response(flow):\n    while True: pass\n")
	if err != nil {
		t.Fatal(err)
	}
	errs := script.Errors{Report: func(text string) { t.Error(text) }}
	session.OnError(errs.Handle)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	err = session.Run(ctx, &flowfile.Batch{Flows: []*flowfile.Flow{flowOf("http")}})
	if !errors.Is(err, context.Canceled) || errs.Total() > 0 {
		t.Errorf("%v, %d errors", err, errs.Total())
	}
}

// The phases of the start come for all scripts before the next, and those that were
// loaded are done if one fails.
func TestStartOfSeveral(t *testing.T) {
	const all = `
def load(loader): print("%[1]s load")
def configure(updated): print("%[1]s configure")
def running(): %[2]s
def done(): print("%[1]s done")
`
	run := func(second string) (string, error) {
		var out bytes.Buffer
		var specs []script.Spec
		for name, running := range map[string]string{"a": `print("a running")`} {
			specs = append(specs, script.Spec{Path: name + ".star", Source: fmt.Appendf(nil, all, name, running), Output: &out})
		}
		specs = append(specs, script.Spec{Path: "b.star", Source: fmt.Appendf(nil, all, "b", second), Output: &out})
		session, err := starlark.Engine{}.Load(context.Background(), specs)
		if err != nil {
			t.Fatal(err)
		}
		err = session.Start(context.Background())
		return strings.Join(strings.Split(strings.TrimSpace(out.String()), "\n"), ", "), err
	}
	got, err := run(`print("b running")`)
	if want := "a load, b load, a configure, b configure, a running, b running"; got != want || err != nil {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
	got, err = run(`fail("no")`)
	if want := "a load, b load, a configure, b configure, a running, a done, b done"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if want := "running: b.star:4: fail: no"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestOptions(t *testing.T) {
	const declared = `
def load(loader):
    loader.add_option("n", int, 1)
    loader.add_option(name = "f", typespec = float, default = 1, help = "")
    loader.add_option("b", bool, None, choices = None)
    loader.add_option("s", str, "a", "help", ["a", "b"])
def response(flow):
    flow.comment = repr([options.n, options.f, options.b, options.s, options.get("x"), options.get("n", 9)])
`
	const free = `
def response(flow):
    flow.comment = repr([options.get("n"), options.get("x", 7), hasattr(options, "x")])
`
	for _, c := range []struct {
		src, set, want string
	}{
		{declared, "", `[1, 1, None, "a", None, 1]`},
		{declared, "n=7 f=2.5 b= s=b", `[7, 2.5, True, "b", None, 7]`},
		{declared, "b=False", `[1, 1, False, "a", None, 1]`},
		{free, "", `[None, 7, False]`},
		{free, "n=7 x=", `["7", "", True]`},
		{declared, "n=x", `load: x.star:3: add_option: --set n=x: "x" is no whole number`},
		{declared, "f=x", `load: x.star:4: add_option: --set f=x: "x" is no number`},
		{declared, "b=x", `load: x.star:5: add_option: --set b=x: "x" is neither true nor false`},
		{declared, "s=x", `load: x.star:6: add_option: --set s=x: it must be one of "a", "b"`},
		{declared, "nn=1", `configure: x.star: --set nn: there is no such option; there is b, f, n, s`},
		{`def load(loader): loader.add_option("n", int, "1")`, "", `load: x.star:1: add_option: option n: the default "1" is no int`},
		{`def load(loader): loader.add_option("n", "int", 1)`, "", `load: x.star:1: add_option: option n: the type must be str, int, float or bool, not "int"`},
		{`def load(loader): loader.add_optoin("n")`, "", `load: x.star:1: Loader has no .add_optoin field or method (did you mean .add_option?)`},
		{"def load(loader): loader.add_option('level', int, 1)\ndef running(): options.levle", "", `running: x.star:2: option levle is not set; give it with --set levle=value, or ask for options.get("levle", default) (did you mean .level?)`},
	} {
		set := make(map[string]string)
		for _, kv := range strings.Fields(c.set) {
			k, v, _ := strings.Cut(kv, "=")
			set[k] = v
		}
		session, err := starlark.Engine{}.Load(context.Background(), []script.Spec{{Path: "x.star", Source: []byte(c.src + "\n"), Set: set, Log: slog.New(slog.DiscardHandler)}})
		if err != nil {
			t.Fatal(err)
		}
		f := flowOf("http")
		if err = session.Start(context.Background()); err == nil {
			err = session.Run(context.Background(), &flowfile.Batch{Flows: []*flowfile.Flow{f}})
		}
		got := f.Comment()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("--set %s: %s, want %s", c.set, got, c.want)
		}
	}
}

// Two scripts may each declare their own options.
func TestOptionsOfTwoScripts(t *testing.T) {
	declare := func(name string) script.Spec {
		return script.Spec{
			Path: name + ".star", Set: map[string]string{"a": "1", "b": "2"},
			Source: []byte("def load(loader): loader.add_option('" + name + "', int, 0)\n"),
		}
	}
	session, err := starlark.Engine{}.Load(context.Background(), []script.Spec{declare("a"), declare("b")})
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestLoadFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.star")
	if _, err := (starlark.Engine{}).Load(context.Background(), []script.Spec{{Path: path}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(path, []byte("def request(flow):\n    flow.comment = 'x'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	session, err := starlark.Engine{}.Load(context.Background(), []script.Spec{{Path: path}})
	if err != nil {
		t.Fatal(err)
	}
	f := flowOf("http")
	if err := session.Run(context.Background(), &flowfile.Batch{Flows: []*flowfile.Flow{f}}); err != nil || f.Comment() != "x" {
		t.Errorf("%v %s", err, f.Comment())
	}
}

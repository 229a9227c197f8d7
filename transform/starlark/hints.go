package starlark

import (
	"regexp"
	"strings"

	"go.starlark.net/syntax"
)

// wordHints say what to do for a reserved word of Python, by what the parser got.
var wordHints = map[string]string{
	"import":   "Starlark has no import; re, json, base64, hashlib, url, html, math, time, log and state are there without it",
	"from":     "Starlark has no import; http, Headers, Response, re, json, … are there without it",
	"class":    "Starlark has no classes: write the hooks as functions, and keep what lasts in state",
	"try":      "Starlark has no try: test before you act, with in, get(name, default) or get_text(strict=False)",
	"except":   "Starlark has no try and no except",
	"finally":  "Starlark has no try and no finally",
	"raise":    `Starlark has no raise; fail("...") ends the hook with an error`,
	"with":     "Starlark has no with; there are no files to close either",
	"async":    "Starlark has no async: write def",
	"await":    "Starlark has no await: call the function",
	"yield":    "Starlark has no generators: return a list",
	"global":   `a global is frozen once the script is loaded; keep what changes in state: state["count"] = 1`,
	"nonlocal": `Starlark has no nonlocal; keep what changes in state: state["count"] = 1`,
	"is":       "Starlark has no is: write == and !=, also for None",
	"del":      "Starlark has no del: write d.pop(key), also for headers, and messages.pop()",
	"as":       "Starlark has no with and no import, so there is no as",
}

// nameHints say what to do for a name of Python's that is not there.
var nameHints = map[string]string{
	"isinstance":     `compare type(x) with "string", "int", "list" …`,
	"open":           "a script reads and writes no files; print goes to the output, log to stderr",
	"os":             "a script sees nothing of the system",
	"sys":            "a script sees nothing of the system",
	"subprocess":     "a script starts no programs",
	"logging":        "write log.info(...)",
	"datetime":       "see time, in which flowkit has no clock: take the flow's timestamps",
	"random":         "there is no chance in a replay, so that it can be repeated; hash(flow.id) tells flows apart",
	"urllib":         "write url.quote(...), url.urlparse(...) …",
	"mitmproxy":      "http, ctx and the hooks are there without mitmproxy",
	"flowfilter":     "give the filter on the command line",
	"Exception":      "Starlark has no exceptions",
	"sum":            "write a loop: total = 0; for x in xs: total += x",
	"map":            "write [f(x) for x in xs]",
	"filter":         "write [x for x in xs if f(x)]",
	"round":          "write math.round(x)",
	"iter":           "loop over the value itself",
	"next":           "take the first of a list: xs[0]",
	"frozenset":      "write set(...)",
	"format":         `write "...".format(...) or "..." % ...`,
	"callable":       `compare type(f) with "function"`,
	"issubclass":     "Starlark has no classes",
	"super":          "Starlark has no classes",
	"object":         "Starlark has no classes",
	"setattr":        "write x.name = value",
	"exec":           "a script cannot make code",
	"eval":           "a script cannot make code",
	"__name__":       "a script is never run by itself: the hooks are called",
	"__file__":       "a script sees nothing of the system",
	"true":           "write True",
	"false":          "write False",
	"null":           "write None",
	"HTTPResponse":   "write Response.make(...)",
	"concurrent":     "hooks run for several flows at once as it is",
	"reply":          "set flow.response",
	"collections":    "use dicts and lists",
	"typing":         "Starlark has no annotations",
	"NotImplemented": "Starlark has no classes",
}

// A shape is a piece of Python that Starlark's parser stumbles over.
type shape struct {
	msg    string         // what the parser says begins with it; "" is anything
	before *regexp.Regexp // what ends where it stopped; nil is anything
	hint   string
}

var shapes = []shape{
	{"got string literal", regexp.MustCompile(`\b(?i:f|rf|fr)("[^"]*"|'[^']*')$`), `Starlark has no f-strings: write "%s" % x or "{}".format(x)`},
	{"got string literal", regexp.MustCompile(`\bu("[^"]*"|'[^']*')$`), "strings are text as they are: leave the u out"},
	{"got string literal", regexp.MustCompile(`\bprint\s+\S*.*$`), "print is a function: print(...)"},
	{"got string literal", regexp.MustCompile(`["']\s*["'][^"']*["']$`), "write + between two strings"},
	{"got '**'", nil, "Starlark has no **; write math.pow(x, y), or x * x"},
	{"unexpected input character '@'", regexp.MustCompile(`^\s*$`), "Starlark has no decorators: the name of a function makes it a hook"},
	{"got '-', want ':'", regexp.MustCompile(`^\s*def\b.*\)\s*-?$`), "Starlark has no annotations: def request(flow):"},
	{"got ':'", regexp.MustCompile(`^\s*def\b.*$`), "Starlark has no annotations: def request(flow):"},
	{"got ':', want newline", regexp.MustCompile(`^\s*\w+\s*:?$`), "Starlark has no annotations: x = 1"},
	{"got ':', want ')'", regexp.MustCompile(`\(\s*\w+\s*:?$`), "Starlark has no := inside an expression"},
	{"got ',', want ':'", regexp.MustCompile(`\{[^{}]*$`), "Starlark has no set literals: write set([a, b])"},
	{"got '}', want ':'", regexp.MustCompile(`\{[^{}]*\}?$`), "Starlark has no set literals: write set([a])"},
	{"", regexp.MustCompile(`^\s*assert\b.*$`), `Starlark has no assert: write if not x: fail("...")`},
	{"", regexp.MustCompile(`^\s*match\b.*$`), "Starlark has no match: write if and elif"},
	{"got '*', want primary", nil, "Starlark unpacks with * in calls alone"},
	{"got else", nil, "else belongs to an if; loops have none"},
	{"got outdent, want primary", nil, "a bracket above is not closed"},
	{"got newline, want ':'", nil, "a line before this one wants a : at its end"},
	{"got '&', want primary", nil, "write and"},
	{"unexpected input character '!'", nil, "write not"},
	{"unexpected input character '?'", nil, "write x if c else y"},
}

var (
	chained = regexp.MustCompile(`^\S+ does not associate with`)
	gotWord = regexp.MustCompile(`^got (\w+),`)
	unknown = regexp.MustCompile(`^undefined: (\w+)`)
)

// pythonHint says what a Python programmer stumbled over.
func pythonHint(lines []string, pos syntax.Position, msg string) string {
	if m := unknown.FindStringSubmatch(msg); m != nil {
		return nameHints[m[1]]
	}
	if m := gotWord.FindStringSubmatch(msg); m != nil && wordHints[m[1]] != "" {
		return wordHints[m[1]]
	}
	if chained.MatchString(msg) {
		return "comparisons do not chain: write a < b and b < c"
	}
	before := ""
	if n := int(pos.Line); n >= 1 && n <= len(lines) {
		line := []rune(lines[n-1])
		before = string(line[:min(max(int(pos.Col)-1, 0), len(line))])
	}
	for _, s := range shapes {
		if strings.HasPrefix(msg, s.msg) && (s.before == nil || s.before.MatchString(before)) {
			return s.hint
		}
	}
	return ""
}

// runtimeHint says what to do about an error that a Python programmer does not expect.
func runtimeHint(msg string) string {
	switch {
	case strings.Contains(msg, "referenced before assignment"):
		return `a function cannot assign to a global; keep what changes in state: state["count"] = state.get("count", 0) + 1`
	case strings.Contains(msg, "frozen list"), strings.Contains(msg, "frozen hash table"):
		return "a global is frozen once the script is loaded; keep what changes in state"
	}
	return ""
}

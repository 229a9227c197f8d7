package starlark_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/replay"
)

// The examples of API.md run, and their flows come out without errors.
func TestExamplesOfTheReference(t *testing.T) {
	examples := regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(reference(t), -1)
	if len(examples) < 4 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, e := range examples {
		var flows []*flowfile.Flow
		for _, kind := range []string{"http", "ws", "tcp", "udp", "dns"} {
			flows = append(flows, flowOf(kind))
		}
		if _, errs := scripted(t, e[1], flows...); len(errs) > 0 {
			t.Errorf("%s\n%q", e[1], errs)
		}
	}
}

func reference(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("API.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every attribute, every module and every hook is named in API.md.
func TestTheReferenceIsComplete(t *testing.T) {
	text := reference(t)
	var names []string
	for kind, exprs := range map[string][]string{
		"http": {"flow", "flow.request", "flow.response", "flow.error", "flow.client_conn", "flow.server_conn", "flow.request.headers", "state", "http", "re", "json", "hashlib", "html"},
		"ws":   {"flow.websocket", "flow.websocket.messages", "flow.websocket.messages[0]"},
		"tcp":  {"flow"},
		"dns":  {"flow.request", "flow.request.questions[0]", "flow.request.answers[0]"},
	} {
		for _, expr := range exprs {
			printed, errs := scripted(t, hook(kind, `print("\n".join(dir(`+expr+`)))`), flowOf(kind))
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			names = append(names, strings.Fields(printed)...)
		}
	}
	for h := range replay.Hook(64) {
		if name := h.String(); name != "unknown" && !strings.HasPrefix(name, "udp") {
			names = append(names, name)
		}
	}
	flags := []string{"A", "ASCII", "DOTALL", "I", "IGNORECASE", "M", "MULTILINE", "NOFLAG", "S", "U", "UNICODE", "VERBOSE", "X"}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !slices.Contains(flags, name) && !regexp.MustCompile(`\b`+name+`\b`).MatchString(text) {
			t.Errorf("%s is not named in API.md", name)
		}
	}
}

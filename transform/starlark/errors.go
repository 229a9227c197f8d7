package starlark

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"flowkit/transform/script"
)

// loadError gives an error of parsing or resolving the source line and a caret.
func (p *program) loadError(err error) error {
	var pos syntax.Position
	msg := err.Error()
	switch e := err.(type) {
	case syntax.Error:
		pos, msg = e.Pos, e.Msg
	case resolve.ErrorList:
		pos, msg = e[0].Pos, e[0].Msg
	default:
		return &script.Error{Script: p.name, Msg: msg}
	}
	trace := caret(p.lines, pos)
	if hint := pythonHint(p.lines, pos, msg); hint != "" {
		trace += "  hint: " + hint
	}
	return &script.Error{Script: p.name, Line: int(pos.Line), Msg: msg, Trace: strings.TrimRight(trace, "\n")}
}

// error turns what the interpreter returns into a script.Error with the source lines of
// the calls. A run that was stopped is no error of the script.
func (p *program) error(ctx context.Context, err error) error {
	if cerr := ctx.Err(); cerr != nil {
		return cerr
	}
	var ee *starlark.EvalError
	if !errors.As(err, &ee) {
		return &script.Error{Script: p.name, Msg: err.Error()}
	}
	se := &script.Error{Script: p.name, Msg: strings.TrimPrefix(ee.Msg, "Starlark computation cancelled: ")}
	frames := ee.CallStack
	skipped := 0
	if n := len(frames); n > 2*shownFrames {
		skipped = n - 2*shownFrames
	}
	var b strings.Builder
	for i, fr := range frames {
		if fr.Pos.Filename() == "<builtin>" || fr.Pos.Line == 0 {
			continue
		}
		se.Line = int(fr.Pos.Line)
		if skipped > 0 && i >= shownFrames && i < shownFrames+skipped {
			if i == shownFrames {
				fmt.Fprintf(&b, "  … %d more calls\n", skipped)
			}
			continue
		}
		fmt.Fprintf(&b, "  %s:%d in %s\n", p.name, fr.Pos.Line, strings.ReplaceAll(fr.Name, loadName, "load"))
		b.WriteString(caret(p.lines, fr.Pos))
	}
	if hint := runtimeHint(se.Msg); hint != "" {
		b.WriteString("  hint: " + hint)
	}
	se.Trace = strings.TrimRight(b.String(), "\n")
	return se
}

// shownFrames is how many calls of a deep recursion are shown at either end.
const shownFrames = 10

// caret returns the source line of pos with a caret below the place.
func caret(lines []string, pos syntax.Position) string {
	n := int(pos.Line)
	if n < 1 || n > len(lines) {
		return ""
	}
	line := strings.ReplaceAll(strings.TrimRight(lines[n-1], "\r"), "\t", " ")
	trimmed := strings.TrimLeft(line, " ")
	col := max(int(pos.Col)-1-(len(line)-len(trimmed)), 0)
	return "    " + trimmed + "\n    " + strings.Repeat(" ", col) + "^\n"
}

// Package term is what flowkit knows of terminals: who is one, what may be sent to one,
// and a little colour.
package term

import (
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-isatty"
)

// Is tells whether f is a terminal.
func Is(f *os.File) bool {
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0 && isatty.IsTerminal(f.Fd())
}

// Safe makes captured bytes safe for one line of a terminal: what controls it, and what is
// not UTF-8, is shown as an escape.
func Safe(s string) string { return safe(s, "") }

// SafeText is Safe for text of several lines: line ends and tabs stay.
func SafeText(s string) string { return safe(s, "\n\t") }

func safe(s, keep string) string {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return escape(s, keep)
		}
	}
	return s
}

func escape(s, keep string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == 0xFFFD && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case strconv.IsPrint(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// Paint colours text; the zero value leaves it plain.
type Paint struct{ on bool }

// PaintFor returns the paint for a stream: colour is for terminals, and for those who have
// not asked for none (NO_COLOR, TERM=dumb).
func PaintFor(isTTY bool) Paint {
	return Paint{on: isTTY && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// The colours, as the terminal has them.
const (
	green  = "32"
	yellow = "33"
	red    = "31"
)

// Status colours s by a status code: green is good, yellow the client's fault, red the
// server's.
func (p Paint) Status(code int, s string) string {
	switch {
	case code >= 500:
		return p.in(red, s)
	case code >= 400:
		return p.in(yellow, s)
	case code >= 200 && code < 300:
		return p.in(green, s)
	}
	return s
}

// Error colours what went wrong.
func (p Paint) Error(s string) string { return p.in(red, s) }

func (p Paint) in(colour, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

package term

import "testing"

func TestSafe(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := Safe(in); got != want {
			t.Errorf("Safe(%q) = %q, want %q", in, got, want)
		}
	}
	check("plain text", "plain text")
	check("Straße 日本茶", "Straße 日本茶")
	check("\x1b[31mred\x1b]0;title\a", `\x1b[31mred\x1b]0;title\a`)
	check("a\r\nb\tc", `a\r\nb\tc`)
	check("\u009b31m", `\u009b31m`)             // CSI of one rune
	check("\x9b31m\xff", `\x9b31m\xff`)         // and of one byte, which is not UTF-8
	check("\u202egnp.exe", `\u202egnp.exe`)     // right to left
	check("\uFFFD", "\uFFFD")                   // the replacement character itself
	check("\x7f\x00", `\x7f\x00`)               // delete, nothing
	check("zero\u200bwidth", `zero\u200bwidth`) // what cannot be seen
	if got, want := SafeText("a\n\tb\r\x1b"), "a\n\tb"+`\r\x1b`; got != want {
		t.Errorf("SafeText: %q, want %q", got, want)
	}
}

func TestPaint(t *testing.T) {
	on := Paint{on: true}
	for code, want := range map[int]string{
		101: "x", 200: "\x1b[32mx\x1b[0m", 304: "x", 404: "\x1b[33mx\x1b[0m", 503: "\x1b[31mx\x1b[0m",
	} {
		if got := on.Status(code, "x"); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
		if got := (Paint{}).Status(code, "x"); got != "x" {
			t.Errorf("%d without colour: %q", code, got)
		}
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !PaintFor(true).on || PaintFor(false).on {
		t.Error("colour is for terminals")
	}
	t.Setenv("NO_COLOR", "1")
	if PaintFor(true).on {
		t.Error("NO_COLOR is not honoured")
	}
}

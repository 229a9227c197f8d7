package filter

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"flowkit/flowfile"
)

func ExampleParse() {
	x, err := Parse("~m post ~u '/login' !~c 200")
	fmt.Println(x, err)
	_, err = Parse("~url foo")
	fmt.Println(err)
	// Output:
	// ~m post & ~u /login & !~c 200 <nil>
	// invalid filter: unknown operator ~url; did you mean ~u?
	//   ~url foo
	//   ^
}

func TestMatch(t *testing.T) {
	flows := testFlows(t)
	check := func(expr, want string) {
		t.Helper()
		x, err := Parse(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			return
		}
		var got []string
		for _, f := range flows {
			ok, err := x.Match(f.f)
			if err != nil {
				t.Errorf("%s: %s: %v", expr, f.name, err)
			}
			if ok {
				got = append(got, f.name)
			}
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: %q, want %q", expr, g, want)
		}
	}
	check("~all", "get post noresp ws tcp dns")
	check("~http", "get post noresp ws")
	check("~tcp", "tcp")
	check("~udp", "")
	check("~dns", "dns")
	check("~websocket", "ws")
	check("~q", "noresp")
	check("~s", "get post ws dns")
	check("~e", "noresp")
	check("~a", "post")
	check("~marked", "get")
	check("~marker red", "get")
	check("~marker RED", "get")
	check("~marker '(?-i:RED)'", "")
	check("~marker '(?-i)RED'", "")
	check("~comment ^second", "get")
	check("~comment 'line$'", "get")
	check("~meta '^n: 7$'", "get")
	check("~replay", "post noresp")
	check("~replayq", "post")
	check("~replays", "noresp")
	check("~u foo", "post noresp dns")
	check("FOO", "post noresp dns")
	check("^http://pretty.example:8080/a", "get")
	check("~d pretty", "get")
	check("~d ^example", "get post noresp ws")
	check("~m ^get$", "get noresp ws")
	check("~c 404", "post")
	check("~c 0404", "post")
	check("~c 99999999999999999999999", "")
	check("~t json", "post")
	check("~tq css", "")
	check("~ts css", "post")
	check("~h '^x-a: b'", "get")
	check(`~h '^x-a: b\\r?$'`, "get")
	check("~hq upgrade", "ws")
	check("~hs upgrade", "")
	check("~src 127.0.0.1:50001", "get post noresp ws dns")
	check("~dst ^example.com:80$", "get post ws tcp")
	check("~b needle", "post")
	check("~b needle.*second", "post")
	check("~b foo$", "get ws tcp dns")
	check("~bq foo", "ws tcp dns")
	check("~bs bar", "ws tcp")
	check("~b 'not gzip'", "noresp")
	check("~bs foo", "get dns")
	check(`~b \xffBAR`, "tcp")
	check(`~b [\xfe\xff]ba+r$`, "tcp")
	check(`~b \xef`, "")
	check("~m GET|~m POST", "post")
	check("a&b", "")
	check("~q | ~tcp", "noresp tcp")
	check("~s & ~u foo | ~tcp", "post tcp dns")
	check("~s ~u foo | ~tcp", "post dns")
	check("!~s !~tcp", "noresp")
	check("(~q)", "noresp")
	check("!(~q | ~s)", "tcp")
	check("~http&~q", "noresp")
	check("~http&!~q", "get post ws")
	check("(~s foo)", "post dns")
	check("(!)", "")
	check("foo &", "")
	check("foo |", "post noresp dns")
	check("~u'foo'", "post noresp dns")
	check("~u \"\"", "get post noresp ws dns")
	check(`"\x=1"`, "get")
	check("~u nothing|b/fo|zzz", "post")
}

func TestSyntaxErrors(t *testing.T) {
	check := func(expr string, offset int, msg string) {
		t.Helper()
		_, err := Parse(expr)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%s: %v", expr, err)
			return
		}
		if se.Offset != offset || !strings.Contains(se.Msg, msg) {
			t.Errorf("%s: %d %q, want %d %q", expr, se.Offset, se.Msg, offset, msg)
		}
	}
	check("", 0, "~all")
	check("  ", 0, "~all")
	check("~markd", 0, "did you mean ~marked?")
	check("a ~METHOD x", 2, "did you mean ~m?")
	check("~U x", 0, "did you mean ~u?")
	check("~c200", 0, "did you mean ~c?")
	check("~ x", 0, "quotes")
	check("~zzzzz", 0, "unknown operator ~zzzzz")
	check("(a", 0, "never closed")
	check("a)", 1, ") without (")
	check("()", 1, "come before )")
	check("(a &)", 4, "come before )")
	check("~u", 2, "~u needs a regex")
	check("~u ~q", 3, "~u needs a regex")
	check("~u (a|b)", 3, "quotes")
	check("~c x", 3, "needs a number")
	check("~q(~s)", 2, "space is missing")
	check("'abc", 0, "never closed")
	check("'a\nb'", 2, `\n`)
	check("~u [abc", 3, "missing closing ]")
	check("~b '(?=x)'", 4, "lookahead")
	check("~b '(?<!x)'", 4, "lookbehind")
	check(`~u (x)\1`, 3, "quotes")
	check(`"(x)\\1"`, 0, "backreferences")
	check(`x\2`, 1, "backreferences")
	check("'(?P=n)'", 1, "backreferences")
	check("'(?x)a'", 1, "the flags are")
	check("*.js", 0, "any characters are .*")
	check("a++", 1, "possessive")
	check("a{2000}", 1, "1000")
	check(strings.Repeat("(", 9999), 200, "too deeply")
	check(strings.Repeat("! ", 9999)+"x", 400, "too deeply")
}

func TestTranslate(t *testing.T) {
	check := func(expr, text string, want bool) {
		t.Helper()
		p, _, msg := compile(expr, "i")
		if msg != "" {
			t.Errorf("%s: %s", expr, msg)
			return
		}
		if p.match(text) != want {
			t.Errorf("%s in %q: not %v", expr, text, want)
		}
	}
	check(`a\Z`, "ba", true)
	check(`a\Z`, "a\n", false)
	check(`a$`, "a\n", true)
	check(`a$`, "a\nb", false)
	check(`(?m)a$`, "a\nb", true)
	check(`[$]$`, "x$", true)
	check(`\$x`, "$x", true)
	check(`a{,2}b`, "b", true)
	check(`^a{,2}b`, "aaab", false)
	check(`\u00e9`, "É", true)
	check(`[\u00e9]`, "é", true)
	check(`(?P<n>a)`, "a", true)
	check(`\012`, "\n", true)
	check(`[]x]+`, "]", true)
	check(`[^]x]`, "]", false)
	check(`[(?=]`, "=", true)
	check(`[[:alpha:]]`, "a", false)
	check(`[[:alpha:]]`, "[]", true)
	check(`foo|bar`, "xBARx", true)
	check(`(foo|bar)+z`, "foobaz", false)
	check(`(?-i)Foo`, "foo", false)
	check(`(?-i)Foo`, "Foo", true)
	check(`12`, "x12", true)
	check(`ſ`, "S", true)
	check(``, "", true)
}

func TestCanonical(t *testing.T) {
	check := func(expr, want string) {
		t.Helper()
		x, err := Parse(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			return
		}
		if got := x.String(); got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
	check("a b", "~u a & ~u b")
	check("a b | c", "~u a & (~u b | ~u c)")
	check("(a & b) & c", "~u a & ~u b & ~u c")
	check("a | b & c", "~u a | ~u b & ~u c")
	check("!(a)", "!~u a")
	check("!(a|b)", "!~u a|b")
	check("!(a | b)", "!(~u a | ~u b)")
	check("! !a", "!!~u a")
	check("~c 007", "~c 7")
	check(`"a b"`, `~u "a b"`)
	check(`'a"\n\\.'`, `~u "a\"\n\\."`)
	check("''", `~u ""`)
	check("(~q)", "~q")
	check("!", "~u !")
	check("a &", "~u a & ~u &")
}

func TestNeeds(t *testing.T) {
	check := func(expr string, want flowfile.Need) {
		t.Helper()
		x, err := Parse(expr)
		if err != nil || x.Needs() != want {
			t.Errorf("%s: %v, %v", expr, x.Needs(), err)
		}
	}
	check("~u a ~h b", flowfile.NeedHeads)
	check("a | !~bq x", flowfile.NeedBodies|flowfile.NeedMessages)
}

// broken is a content that cannot be read.
type broken struct{}

func (broken) Size() int64                  { return 5 }
func (broken) Open() (io.ReadCloser, error) { return nil, errors.New("disk on fire") }

func TestUnreadableBody(t *testing.T) {
	f := testFlows(t)[0].f
	f.Response().SetBody(flowfile.ContentBody(broken{}))
	for _, expr := range []string{"~b x", "!~b x"} {
		x, _ := Parse(expr)
		if ok, err := x.Match(f); ok || err == nil || !strings.Contains(err.Error(), "fire") {
			t.Errorf("%s: %v, %v", expr, ok, err)
		}
	}
}

// huge is a content larger than what is taken into memory.
type huge struct{ n int64 }

func (h huge) Size() int64 { return h.n }
func (h huge) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(io.LimitReader(zeros{}, h.n-6), strings.NewReader("needle"))), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHugeBody(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	f := testFlows(t)[0].f
	f.Response().SetBody(flowfile.ContentBody(huge{maxBody + 100}))
	x, _ := Parse("~b needle")
	if ok, err := x.Match(f); !ok || err != nil {
		t.Error(ok, err)
	}
	x, _ = Parse(`~b \x00needl[\x65-\xff]$`)
	if ok, err := x.Match(f); !ok || err != nil {
		t.Error(ok, err)
	}
}

func TestConcurrent(t *testing.T) {
	x, _ := Parse("~b needle | ~u zzz | ~h foo")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			flows := testFlows(t)
			for range 50 {
				for _, f := range flows {
					if ok, err := x.Match(f.f); ok != (f.name == "post") || err != nil {
						t.Error(f.name, ok, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestAllocations(t *testing.T) {
	f := testFlows(t)[0].f
	check := func(expr string, want float64) {
		t.Helper()
		x, _ := Parse(expr)
		if n := testing.AllocsPerRun(100, func() { _, _ = x.Match(f) }); n > want {
			t.Errorf("%s: %v allocations", expr, n)
		}
	}
	check("~m post | ~c 404 | ~d nowhere", 0)
	check("~m '^po.t$' ~d 'a.c'", 0)
	check("foo | bar | baz", 3) // the URL
}

func BenchmarkMatch(b *testing.B) {
	f := testFlows(b)[0].f
	for _, expr := range []string{"~m post", "~d example.org", "~c 404", "~u /login", "~u '\\.js$'", "~u '/api/v[0-9]+/'", "~h cookie", "~b needle"} {
		b.Run(expr, func(b *testing.B) {
			x, _ := Parse(expr)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = x.Match(f)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"~u a | b", "!(~q | ~s)", `~b "a\nb" & 'c'`, "~c 200 x&y !", "(((a)))", "~h [^]$]"} {
		f.Add(s)
	}
	flow := testFlows(f)[1].f
	f.Fuzz(func(t *testing.T, expr string) {
		x, err := Parse(expr)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Offset < 0 || se.Offset > len(expr) || se.Error() == "" {
				t.Fatalf("%q: %v", expr, err)
			}
			return
		}
		s := x.String()
		y, err := Parse(s)
		if err != nil || y.String() != s {
			t.Fatalf("%q: %q: %v", expr, s, err)
		}
		a, err1 := x.Match(flow)
		b, err2 := y.Match(flow)
		if a != b || err1 != nil || err2 != nil {
			t.Fatalf("%q: %v %v %v %v", expr, a, b, err1, err2)
		}
	})
}

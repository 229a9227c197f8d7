package python_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
)

// TestAsMitmdump runs the scripts of testdata/scripts over testdata/flows/flows17.mitm,
// in mitmdump 8.1.1 and in flowkit, and compares the dumps that come out, what the scripts
// print, the exceptions, the files they write, and the exit codes.
//
// In general flowkit means to differ from mitmdump in this:
//   - a flow with a response and an error is written once, as it is in the end; mitmdump
//     writes it after response and again after error
//   - all flows come out in the order of the input; mitmdump writes those without a
//     response last, in the order of a set
//   - the exit code is 5 when a script raised; mitmdump's is 0
//   - a script that does not load ends the run before the output is opened; mitmdump ends
//     with 1 and an output that is a copy of the input, or empty
//   - tracebacks without a line of a script, of mitmdump's own addons that stumble over
//     what a script did, do not occur
//   - errors of one line of a script are reported five times, then counted
//
// and in what normalise leaves out. Everything else is in the table of deviations.
//
// A script may have comments for this test: "# flowkit: args A B" has more arguments for
// both, "# flowkit: with B.py" scripts to run behind it, "# flowkit: fails" says that it
// does not load, "# flowkit: log" that what is compared is the log.
// "# mitmdump: skip WHY" is for a script that 8.1.1 cannot run; what it prints and changes
// is in a file beside it (FLOWKIT_UPDATE=1 writes it).
func TestAsMitmdump(t *testing.T) {
	python := needDebian(t)
	flowkit := buildFlowkit(t)
	scripts, err := filepath.Glob("testdata/scripts/[a-z]*.py")
	if err != nil || len(scripts) < 60 {
		t.Fatalf("only %d scripts: %v", len(scripts), err)
	}
	for name := range deviations {
		if !slices.Contains(scripts, "testdata/scripts/"+name+".py") {
			t.Errorf("deviations of %s, which there is not", name)
		}
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".py"), func(t *testing.T) {
			t.Parallel()
			c := newComparison(t, script)
			c.flowkit, c.python, c.deviations = flowkit, python, deviations
			if c.skip != "" {
				c.expect()
			} else {
				c.compare()
			}
		})
	}
}

// needDebian returns the python3 that has mitmproxy, and skips the test without mitmdump.
func needDebian(t *testing.T) string {
	t.Helper()
	const python = "/usr/bin/python3"
	_, err := exec.LookPath("mitmdump")
	if err == nil {
		_, err = os.Stat(python)
	}
	if err != nil {
		if os.Getenv("FLOWKIT_CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no mitmdump to compare with: ", err)
	}
	return python
}

func buildFlowkit(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flowkit")
	if out, err := exec.Command("go", "build", "-o", path, "flowkit/cmd/flowkit").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// comparison is one script in both tools.
type comparison struct {
	*testing.T
	name    string
	input   string
	scripts []string
	args    []string
	fails   bool
	log     bool
	skip    string
	real    bool // with --real-mitmproxy

	deviations      map[string][]deviation
	flowkit, python string
}

var directive = regexp.MustCompile(`(?m)^# (flowkit|mitmdump): (\w+) ?(.*)$`)

func newComparison(t *testing.T, script string) *comparison {
	t.Helper()
	src, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	abs := func(path string) string {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := &comparison{
		T: t, name: strings.TrimSuffix(filepath.Base(script), ".py"),
		input: abs("testdata/flows/flows17.mitm"), scripts: []string{abs(script)},
	}
	for _, m := range directive.FindAllStringSubmatch(string(src), -1) {
		switch m[1] + " " + m[2] {
		case "flowkit args":
			c.args = strings.Fields(m[3])
		case "flowkit with":
			for _, name := range strings.Fields(m[3]) {
				c.scripts = append(c.scripts, abs(filepath.Join("testdata/scripts", name)))
			}
		case "flowkit fails":
			c.fails = true
		case "flowkit log":
			c.log = true
		case "mitmdump skip":
			c.skip = m[3]
		default:
			t.Fatalf("%s: what is %q?", script, m[0])
		}
	}
	return c
}

// result is what a run left behind.
type result struct {
	code           int
	stdout, stderr string
	files          map[string][]byte // that the script wrote
	dump           []byte            // nil if there is none
}

// run runs a command in a folder of its own, with -w at the end.
func (c *comparison) run(name string, args ...string) result {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	dir, dump := c.TempDir(), filepath.Join(c.TempDir(), "out.mitm")
	cmd := exec.CommandContext(ctx, name, append(args, "-w", dump)...)
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	cmd.Env = append(os.Environ(), "TZ=UTC", "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1", "XDG_CACHE_HOME="+os.TempDir()+"/flowkit-test-cache")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.Fatalf("%s: %v\n%s", name, err, errs.String())
	}
	r := result{code: cmd.ProcessState.ExitCode(), stdout: out.String(), stderr: errs.String(), files: make(map[string][]byte)}
	if r.dump, err = os.ReadFile(dump); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.Fatal(err)
	}
	paths, err := fs.Glob(os.DirFS(dir), "*")
	if err != nil {
		c.Fatal(err)
	}
	for _, path := range paths {
		if r.files[path], err = os.ReadFile(filepath.Join(dir, path)); err != nil {
			c.Fatal(err)
		}
	}
	return r
}

func (c *comparison) both() (want, got result) {
	args := append([]string{"-n", "--set", "confdir=" + c.TempDir(), "-r", c.input}, c.args...)
	if c.log {
		args = append(args, "--set", "flow_detail=0", "--set", "termlog_verbosity=debug")
	} else {
		args = append(args, "-q")
	}
	for _, s := range c.scripts {
		args = append(args, "-s", s)
	}
	// The two are independent; one waits while the other starts.
	var wait sync.WaitGroup
	wait.Go(func() { want = c.run("mitmdump", args...) })
	got = c.ours()
	wait.Wait()
	return want, got
}

func (c *comparison) ours() result {
	args := append([]string{"transform", "--python", c.python, "-r", c.input, "--log-level", "debug"}, c.args...)
	if c.real {
		args = append(args, "--real-mitmproxy")
	}
	for _, s := range c.scripts {
		args = append(args, "-s", s)
	}
	return c.run(c.flowkit, args...)
}

// compare finds all differences and holds them against the table.
func (c *comparison) compare() {
	want, got := c.both()
	d := &differences{names: names(c, c.input)}
	switch {
	case c.fails:
		d.failed(want, got)
	case c.log:
		d.lines("log", mitmdumpLog(want), flowkitLog(got, false))
		d.lines("errors", withoutBlank(want.stderr), flowkitLog(got, true))
	default:
		d.lines("stdout", strings.SplitAfter(want.stdout, "\n"), strings.SplitAfter(got.stdout, "\n"))
		raised := c.errors(d, want, got)
		d.code(want.code, got.code, raised)
	}
	if !c.fails {
		d.dumps("", c.records("mitmdump", want.dump), c.records("flowkit", got.dump), true)
	}
	for _, path := range slices.Sorted(maps.Keys(union(want.files, got.files))) {
		if w, g := want.files[path], got.files[path]; strings.HasSuffix(path, ".mitm") {
			d.dumps(path+" ", c.records("mitmdump's "+path, w), c.records("flowkit's "+path, g), false)
		} else if !bytes.Equal(w, g) {
			d.add("%s: want %.300q, got %.300q", path, w, g)
		}
	}
	c.judge(d)
	if c.Failed() && os.Getenv("FLOWKIT_STDERR") != "" {
		c.Logf("flowkit's stderr:\n%s\nmitmdump's stderr:\n%s", got.stderr, want.stderr)
	}
}

// judge fails for differences that are not in the table, and for entries of the table that
// are no differences.
func (c *comparison) judge(d *differences) {
	known := c.deviations[c.name]
	used := make([]bool, len(known))
	var unknown []string
	for _, text := range d.all {
		i := slices.IndexFunc(known, func(k deviation) bool { return k.match.MatchString(text) })
		if i < 0 {
			unknown = append(unknown, text)
		} else {
			used[i] = true
		}
	}
	shown := 12
	if os.Getenv("FLOWKIT_ALL") != "" {
		shown = len(unknown)
	}
	if n := len(unknown); n > 0 {
		c.Errorf("%d differences from mitmdump (%d known):\n%s", n, len(d.all)-n, strings.Join(unknown[:min(n, shown)], "\n"))
	}
	for i, k := range known {
		if !used[i] {
			c.Errorf("no deviation any more: %s (%s)", k.match, k.why)
		}
	}
}

// differences are lines, one for each.
type differences struct {
	names map[string]string // of flows, by id
	all   []string
}

func (d *differences) add(format string, args ...any) {
	d.all = append(d.all, fmt.Sprintf(format, args...))
}

// lines compares texts line by line.
func (d *differences) lines(what string, want, got []string) {
	if len(want) == len(got) {
		for i := range want {
			if want[i] != got[i] {
				d.add("%s line %d:\n  want %s\n   got %s", what, i+1, clip(want[i], got[i]), clip(got[i], want[i]))
			}
		}
		return
	}
	n := 0
	for n < min(len(want), len(got)) && want[n] == got[n] {
		n++
	}
	want, got = want[n:], got[n:]
	for len(want) > 0 && len(got) > 0 && want[len(want)-1] == got[len(got)-1] {
		want, got = want[:len(want)-1], got[:len(got)-1]
	}
	count := make(map[string]int)
	for _, s := range got {
		count[s]++
	}
	for i, s := range want {
		if count[s]--; count[s] < 0 {
			d.add("%s line %d: misses %s", what, n+i+1, clip(s, ""))
		}
	}
	clear(count)
	for _, s := range want {
		count[s]++
	}
	for i, s := range got {
		if count[s]--; count[s] < 0 {
			d.add("%s line %d: has %s", what, n+i+1, clip(s, ""))
		}
	}
	if len(d.all) == 0 {
		d.add("%s: the order differs from line %d on", what, n+1)
	}
}

// clip shows a line around where it begins to differ from another.
func clip(s, other string) string {
	const before, room = 60, 240
	i := 0
	for i < min(len(s), len(other)) && s[i] == other[i] {
		i++
	}
	from := 0
	if len(s) > room {
		from = max(0, min(i-before, len(s)-room))
	}
	text := strings.TrimSuffix(s[from:], "\n")
	if len(text) > room {
		text = text[:room] + "..."
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		text = strconv.Quote(text)
	}
	if from > 0 {
		text = fmt.Sprintf("...%s (byte %d)", text, i)
	}
	return text
}

// names returns what flows are called in messages, by id.
func names(c *comparison, path string) map[string]string {
	data, err := os.ReadFile(path)
	if err != nil {
		c.Fatal(err)
	}
	all := make(map[string]string)
	for i, r := range c.records("the input", data) {
		text := r.at("type").text
		if p := r.at("request", "path"); p != nil {
			text = p.text
		}
		all[r.id()] = fmt.Sprintf("#%d %.20s", i+1, text)
	}
	return all
}

func (c *comparison) records(what string, data []byte) []*node {
	c.Helper()
	all, err := parseDump(data)
	if err != nil {
		c.Errorf("%s: %v", what, err)
	}
	return all
}

// dumps compares two dumps record by record. With replayed, they are outputs of -w: the
// last record of an id counts, and flowkit's have to be in the order of the input.
func (d *differences) dumps(what string, want, got []*node, replayed bool) {
	last := make(map[string]*node)
	var order []string
	for _, r := range want {
		if last[r.id()] == nil {
			order = append(order, r.id())
		}
		last[r.id()] = r
	}
	if !replayed && len(want) == len(got) {
		for i := range want {
			d.record(fmt.Sprintf("%srecord %d %s", what, i, d.names[want[i].id()]), want[i], got[i])
		}
		return
	}
	seen := make(map[string]bool)
	before := ""
	for _, r := range got {
		id := r.id()
		name := what + d.name(id)
		switch {
		case seen[id]:
			d.add("%s: is there twice", name)
		case last[id] == nil:
			d.add("%s: mitmdump has not got it", name)
		default:
			d.record(name, last[id], r)
		}
		if replayed && id < before && d.names[id] != "" {
			d.add("%s: is not in the order of the input", name)
		}
		seen[id], before = true, id
	}
	for _, id := range order {
		if !seen[id] {
			d.add("%s: flowkit has not got it", what+d.name(id))
		}
	}
}

func (d *differences) name(id string) string {
	if n := d.names[id]; n != "" {
		return n
	}
	return id
}

func (d *differences) record(name string, want, got *node) {
	normalise(want, got)
	want.diff(got, name+" ", func(s string) { d.add("%s", s) })
}

// failed checks how a script that does not load ended.
func (d *differences) failed(want, got result) {
	if want.code != 1 {
		d.add("exit code: mitmdump has %d for a script that fails", want.code)
	}
	if got.code != 5 {
		d.add("exit code: flowkit has %d for a script that fails", got.code)
	}
	if got.dump != nil {
		d.add("flowkit has written an output of %d bytes", len(got.dump))
	}
	d.lines("stdout", strings.SplitAfter(want.stdout, "\n"), strings.SplitAfter(got.stdout, "\n"))
	w, g := mitmdumpErrors(want.stderr), flowkitErrors(got.stderr)
	for _, e := range w {
		if !slices.ContainsFunc(g, func(o raised) bool {
			return strings.Contains(o.text, e.text) && (e.line == "" || e.line == o.line)
		}) {
			d.add("error: want %v, got %v", e, g)
		}
	}
	if len(w) == 0 {
		d.add("mitmdump reports no error")
	}
}

// code compares exit codes.
func (d *differences) code(want, got int, raised bool) {
	if want == 0 && raised {
		want = 5
	}
	if want != got {
		d.add("exit code: want %d, got %d", want, got)
	}
}

// raised is an exception of a script.
type raised struct {
	script, line, text string // the text with the name of the type
}

func (r raised) String() string { return r.script + ":" + r.line + " " + r.text }

// shown is how often flowkit reports errors of one line.
const shown = 5

// errors compares the exceptions and returns whether there were any.
func (c *comparison) errors(d *differences, want, got result) bool {
	w := mitmdumpErrors(want.stderr)
	w = slices.DeleteFunc(w, func(e raised) bool { return e.script == "" })
	times := make(map[string]int)
	var reported []string
	for _, e := range w {
		place := e.script + ":" + e.line
		if times[place]++; times[place] <= shown {
			reported = append(reported, e.String())
		}
	}
	var ours []string
	for _, e := range flowkitErrors(got.stderr) {
		ours = append(ours, e.String())
	}
	d.lines("exceptions", reported, ours)
	for _, m := range summary.FindAllStringSubmatch(got.stderr, -1) {
		if n := fmt.Sprint(times[m[1]]); n != m[2] {
			d.add("exceptions at %s: want %s, got %s", m[1], n, m[2])
		}
		delete(times, m[1])
	}
	for place, n := range times {
		if n > shown {
			d.add("exceptions at %s: want %d, got no count", place, n)
		}
	}
	return len(ours) > 0
}

var (
	summary     = regexp.MustCompile(`(?m)^flowkit: (\S+\.py:\d+): .*: (\d+) times in all$`)
	oursRaised  = regexp.MustCompile(`^flowkit: (\S+\.py):(\d+): (.*?)(?:  \(\w+(?: of flow .*)?\))?$`)
	oursNowhere = regexp.MustCompile(`^flowkit: (\S+\.py)(): (\w+: .*)  \(\w+(?: of flow .*)?\)$`) // of no line
	frame       = regexp.MustCompile(`^  File "(.*)", line (\d+), in `)
	exception   = regexp.MustCompile(`^([\w.<>]+)((?:: .*)?)$`)
	marks       = regexp.MustCompile(`(?m)^ *[~^]+\n`) // below lines of a traceback, by some Pythons
	loadFailure = regexp.MustCompile(`^in script (.*?):(\d*) (.*)$`)
)

func flowkitErrors(stderr string) []raised {
	var all []raised
	for _, line := range strings.Split(stderr, "\n") {
		m := oursRaised.FindStringSubmatch(line)
		if m == nil {
			m = oursNowhere.FindStringSubmatch(line)
		}
		if m != nil && !summary.MatchString(line) {
			all = append(all, raised{m[1], m[2], m[3]})
		}
	}
	return all
}

// mitmdumpErrors finds the tracebacks in what mitmdump logs. The script and the line are
// those of the last frame that is in a script; without, the traceback is mitmdump's own.
func mitmdumpErrors(stderr string) []raised {
	var all []raised
	var e *raised
	for _, line := range strings.Split(stderr, "\n") {
		if m := loadFailure.FindStringSubmatch(line); m != nil {
			all, e = append(all, raised{filepath.Base(m[1]), m[2], strings.TrimSuffix(m[3], fmt.Sprintf(" (%s, line %s)", filepath.Base(m[1]), m[2]))}), nil
			continue
		}
		if strings.HasPrefix(line, "Addon error: ") {
			all = append(all, raised{})
			e, line = &all[len(all)-1], strings.TrimPrefix(line, "Addon error: ")
		}
		if e == nil {
			continue
		}
		switch m := frame.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "Traceback (most recent call last):"):
			*e = raised{}
		case m != nil && strings.Contains(m[1], "testdata/scripts/"):
			e.script, e.line = filepath.Base(m[1]), m[2]
		case e.text == "" && exception.MatchString(line):
			x := exception.FindStringSubmatch(line)
			e.text = x[1][strings.LastIndex(x[1], ".")+1:] + x[2]
		}
	}
	return all
}

// mitmdumpLog returns the messages of scripts on stdout, without mitmdump's own.
func mitmdumpLog(r result) []string {
	return slices.DeleteFunc(withoutBlank(r.stdout), func(s string) bool {
		return strings.HasPrefix(s, "Loading script ")
	})
}

func withoutBlank(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(s string) bool { return s == "" })
}

// flowkitLog returns the messages of scripts, either those of the level of errors or the
// others, without the level.
func flowkitLog(r result, errs bool) []string {
	var all []string
	for _, line := range withoutBlank(r.stderr) {
		if _, text, ok := strings.Cut(line, ".py: "); ok && strings.HasPrefix(line, "flowkit: ") {
			level, rest, ok := strings.Cut(text, ": ")
			if ok && slices.Contains([]string{"debug", "warn", "error"}, level) {
				line = rest
			} else {
				level, line = "", text
			}
			if (level == "error") != errs {
				continue
			}
		} else if errs {
			continue
		}
		all = append(all, line)
	}
	return all
}

// expect compares with what is stored, for scripts that mitmdump 8.1.1 cannot run.
func (c *comparison) expect() {
	got := c.ours()
	cmd := exec.Command(c.flowkit, "cat", "-q", "--to", "jsonl")
	cmd.Stdin = bytes.NewReader(c.changed(got.dump))
	flows, err := cmd.Output()
	if err != nil {
		c.Fatal(err)
	}
	var text bytes.Buffer
	errs := marks.ReplaceAllString(strings.ReplaceAll(got.stderr, filepath.Dir(c.scripts[0])+"/", ""), "")
	fmt.Fprintf(&text, "%s-- stderr --\n%s-- changed flows --\n%s", got.stdout, errs, flows)
	path := strings.TrimSuffix(c.scripts[0], ".py") + ".want"
	if os.Getenv("FLOWKIT_UPDATE") != "" {
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			c.Fatal(err)
		}
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		c.Fatal(err)
	}
	d := &differences{}
	d.lines("line", strings.Split(string(stored), "\n"), strings.Split(text.String(), "\n"))
	for _, s := range d.all {
		c.Error(s)
	}
}

// changed returns the records of a dump that are not in the input.
func (c *comparison) changed(dump []byte) []byte {
	input, err := os.ReadFile(c.input)
	if err != nil {
		c.Fatal(err)
	}
	var out []byte
	for r := bytes.NewReader(dump); r.Len() > 0; {
		at := len(dump) - r.Len()
		_, rest, err := parseNode(dump[at:])
		if err != nil {
			c.Fatal(err)
		}
		end := len(dump) - len(rest)
		if !bytes.Contains(input, dump[at:end]) {
			out = append(out, dump[at:end]...)
		}
		if _, err := r.Seek(int64(end), io.SeekStart); err != nil {
			c.Fatal(err)
		}
	}
	return out
}

func union(a, b map[string][]byte) map[string][]byte {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

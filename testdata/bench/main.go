// Command bench measures the budgets that concern whole commands: it makes a corpus of
// fixed seed and runs commands in pairs, A B A B …, so that a ratio holds on a machine
// whose speed drifts. Usage: bench FLOWKIT DIR [WORD]; with WORD only pairs whose title has it
// (make bench calls it).
package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flowkit/flowfile/flowtest"
)

const (
	flows = 20_000
	pairs = 5
)

func main() {
	only := ""
	if len(os.Args) == 4 {
		only = os.Args[3]
	} else if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bench FLOWKIT DIR [WORD]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// cost is what one run took.
type cost struct {
	cpu, wall time.Duration
}

func run(flowkit, dir, only string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	flowkit, err := filepath.Abs(flowkit)
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	if err := corpus(flowkit); err != nil {
		return err
	}
	for _, p := range budgets(flowkit) {
		if !strings.Contains(p.title, only) {
			continue
		}
		if err := p.measure(); err != nil {
			return err
		}
	}
	return nil
}

// corpus makes 20,000 flows as a dump of version 17 and as a native file.
func corpus(flowkit string) error {
	if _, err := os.Stat("flows.flow"); err == nil {
		return nil
	}
	if err := dump("flows21.mitm", flows); err != nil {
		return err
	}
	for name, text := range scripts {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := large("large.jsonl"); err != nil {
		return err
	}
	if err := referenceDump("reference.mitm"); err != nil {
		return err
	}
	if err := dump("one21.mitm", 1); err != nil {
		return err
	}
	if err := dump("some21.mitm", 500); err != nil {
		return err
	}
	for _, c := range [][]string{
		{flowkit, "cat", "-q", "large.jsonl", "-w", "large.flow"},
		{flowkit, "cat", "-q", "flows21.mitm", "--mitm-version", "17", "-w", "flows17.mitm"},
		{flowkit, "cat", "-q", "one21.mitm", "--mitm-version", "17", "-w", "one.mitm"},
		{flowkit, "cat", "-q", "some21.mitm", "--mitm-version", "17", "-w", "some.mitm"},
		{flowkit, "cat", "-q", "flows21.mitm", "-w", "flows.flow"},
	} {
		if _, err := once(c); err != nil {
			return err
		}
	}
	return nil
}

// dump writes n flows as a dump of version 21.
func dump(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := flowtest.Dump(w, n, 1); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// large writes 2,000 flows with bodies of 125 kB as JSON lines.
func large(path string) error {
	r := rand.New(rand.NewPCG(1, 1))
	words := make([]string, 3000)
	for i := range words {
		words[i] = fmt.Sprintf("%x", r.Uint32())
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range 2000 {
		fmt.Fprintf(w, `{"type":"http","id":"%08x-0000-4000-8000-000000000000","created":"2026-11-21T06:00:00.%09dZ",`, i, i)
		fmt.Fprintf(w, `"request":{"method":"GET","scheme":"https","host":"api.shop.example","port":443,"path":"/v1/items/%d",`, i)
		fmt.Fprint(w, `"http_version":"HTTP/1.1","headers":[["Host","api.shop.example"],["Accept","*/*"],["User-Agent","bench"]],"body":{"text":""}},`)
		fmt.Fprint(w, `"response":{"status":200,"reason":"OK","http_version":"HTTP/1.1","headers":[["Content-Type","application/json"]],"body":{"text":"`)
		for n := 0; n < 125_000; {
			word := words[r.IntN(len(words))]
			n += len(word) + 1
			fmt.Fprint(w, word, " ")
		}
		fmt.Fprintln(w, `"}}}`)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// outputs are what the commands write.
var outputs = []string{"copy.flow", "copy2.flow", "out.flow", "out2.flow", "mitm.out", "flowkit.mitm"}

// pair is two commands that do the same work, or a part and the whole.
type pair struct {
	title   string
	a, b    []string
	figures []figure
	times   int
	cold    bool // no run before those that count: one takes half a minute
	often   int  // runs of B in a turn, of which the median counts: beside one of half a minute, one of half a second is noise
}

// figure is a ratio A/B and what it should be.
type figure struct {
	what   string
	of     func(cost) time.Duration
	budget string
}

func cpu(budget string) figure {
	return figure{"CPU", func(c cost) time.Duration { return c.cpu }, budget}
}

func wall(budget string) figure {
	return figure{"wall", func(c cost) time.Duration { return c.wall }, budget}
}

func budgets(flowkit string) []pair {
	all := []pair{
		{
			title:   "plain copy of a native file, against cat",
			a:       []string{flowkit, "cat", "-q", "flows.flow", "-w", "copy.flow"},
			b:       []string{"sh", "-c", "cat flows.flow >copy2.flow"},
			figures: []figure{wall("at most 1.5")}, times: 3 * pairs,
		},
		{
			title:   "ls of 20,000 small flows, against reading the file whole",
			a:       []string{"sh", "-c", flowkit + " ls -q -r flows.flow >/dev/null"},
			b:       []string{flowkit, "verify", "-q", "flows.flow"},
			figures: []figure{cpu("none: see the next")}, times: pairs,
		},
		{
			title:   "ls of 2,000 flows with 250 MB of bodies, against reading the file whole",
			a:       []string{"sh", "-c", flowkit + " ls -q -r large.flow >/dev/null"},
			b:       []string{flowkit, "verify", "-q", "large.flow"},
			figures: []figure{cpu("under 0.1")}, times: pairs,
		},
		{
			title:   "header script in Starlark, native to native, against a plain decode and encode (--level default)",
			a:       []string{flowkit, "transform", "-q", "-s", "header.star", "-r", "flows.flow", "-w", "out.flow"},
			b:       []string{flowkit, "transform", "-q", "-r", "flows.flow", "-w", "out2.flow"},
			figures: []figure{cpu("see the Go benchmarks")}, times: pairs,
		},
	}
	if _, err := exec.LookPath("mitmdump"); err != nil {
		fmt.Println("mitmdump is not installed: its comparison is left out")
		return all
	}
	all = append(all, pair{
		title:   "header script in Starlark, dump to dump, against mitmdump",
		a:       []string{"mitmdump", "-q", "-n", "-r", "flows17.mitm", "-s", "header.py", "-w", "mitm.out"},
		b:       []string{flowkit, "transform", "-q", "-s", "header.star", "-r", "flows17.mitm", "-w", "flowkit.mitm"},
		figures: []figure{cpu("at least 50")}, times: pairs,
	})
	return append(all, pythonBudgets(flowkit)...)
}

func (p pair) measure() error {
	var as, bs []cost
	for i := range p.times + 1 {
		if i == 0 && p.cold {
			continue
		}
		a, err := once(p.a)
		if err != nil {
			return err
		}
		b, err := typical(p.b, p.often)
		if err != nil {
			return err
		}
		if i == 0 {
			continue // warm-up
		}
		as, bs = append(as, a), append(bs, b)
	}
	fmt.Printf("%s\n  A %-70s %s\n  B %-70s %s\n", p.title, text(p.a), medians(as), text(p.b), medians(bs))
	for _, f := range p.figures {
		var ratios []float64
		for i := range as {
			ratios = append(ratios, float64(f.of(as[i]))/float64(f.of(bs[i])))
		}
		slices.Sort(ratios)
		fmt.Printf("  %s A/B %.3g (%.3g to %.3g), budget: %s\n", f.what, ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1], f.budget)
	}
	return nil
}

func medians(cs []cost) string {
	return fmt.Sprintf("CPU %v wall %v", median(cs, cpu("").of), median(cs, wall("").of))
}

func text(c []string) string {
	s := strings.Join(c, " ")
	if at := strings.Index(s, "/bin/flowkit "); at >= 0 {
		// leave out the folder that the program was built in
		from := strings.LastIndexByte(s[:at], ' ') + 1
		s = s[:from] + s[at+len("/bin/"):]
	}
	return s
}

func median(cs []cost, of func(cost) time.Duration) time.Duration {
	var ds []time.Duration
	for _, c := range cs {
		ds = append(ds, of(c))
	}
	slices.Sort(ds)
	return ds[len(ds)/2].Round(time.Millisecond)
}

// typical runs a command n times, at least once, and returns the medians.
func typical(args []string, n int) (cost, error) {
	var all []cost
	for range max(n, 1) {
		c, err := once(args)
		if err != nil {
			return c, err
		}
		all = append(all, c)
	}
	return cost{wall: median(all, wall("").of), cpu: median(all, cpu("").of)}, nil
}

func once(args []string) (cost, error) {
	c := exec.Command(args[0], args[1:]...)
	c.Stderr = os.Stderr
	for _, name := range outputs {
		os.Remove(name) // to overwrite a file costs more than to make one
	}
	// What the last command wrote is on its way to the disk; this one shall not pay for it.
	_ = exec.Command("sync").Run()
	start := time.Now()
	err := c.Run()
	took := cost{wall: time.Since(start)}
	if err != nil {
		return took, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	took.cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return took, nil
}

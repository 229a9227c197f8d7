package main

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the top of the module, seen from this package.
const root = "../.."

// A rule says what the packages of one room may import. Packages of the module are named by their folder, all others by
// their import path; "dir/..." means dir and what is below it.
type rule struct {
	room string
	only []string // what the room may import of the module, besides itself; nil: anything
	not  []string // what it may not import
	// Tests read and write files and may compare with anything: not names only what the product does.
	testsToo bool
	why      string
}

// plan is the import plan: flowfile ◄ replay ◄ transform; flowfile, replay ◄ live; cmd may import all.
var plan = []rule{
	{
		room: "flowfile/...", only: []string{}, testsToo: true,
		why: "what a flow is and how it is stored knows no events, no scripts and no sockets",
	},
	{
		room: "replay/...", only: []string{"flowfile/..."}, testsToo: true,
		why: "the order of events is the same for every script and every proxy, so it knows none of them",
	},
	{
		room: "transform/...", only: []string{"flowfile/...", "replay/..."}, testsToo: true,
		why: "handlers see flows at events; where the flows come from, be it a live proxy, is not theirs to know",
	},
	{
		room: "live/...", only: []string{"flowfile/...", "replay/..."}, testsToo: true,
		why: "the proxy calls handlers; that some of them are scripts is not its to know",
	},
	{
		room: "testdata/...", not: []string{"cmd/..."}, testsToo: true,
		why: "nobody imports cmd: a program is the end of the line",
	},
	{
		room: "flowfile/internal/block/...", not: []string{"flowfile", "flowfile/internal/wire/...", "net/http"}, testsToo: true,
		why: "block turns bytes into records: framing, checksum, compression; it knows nothing of flows or HTTP",
	},
	{
		room: "flowfile/internal/wire/...", not: []string{"os"},
		why: "wire turns records into flows; it knows no files",
	},
}

// topLevel is what the repository holds at its top, besides dot-files.
var topLevel = []string{
	"cmd", "flowfile", "replay", "transform", "live", "testdata",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "BENCHMARKS.md", "SECURITY.md",
}

// within reports whether pattern, a name or "name/...", covers pkg.
func within(pkg, pattern string) bool {
	dir, below := strings.CutSuffix(pattern, "/...")
	return pkg == dir || below && strings.HasPrefix(pkg, dir+"/")
}

// violations says which rules of the plan are broken when a file of pkg imports imp, a package of the module if ours.
func violations(plan []rule, pkg, imp string, ours, test bool) []string {
	var broken []string
	covers := func(pattern string) bool { return within(imp, pattern) }
	for _, r := range plan {
		if !within(pkg, r.room) || test && !r.testsToo {
			continue
		}
		outside := ours && r.only != nil && !covers(r.room) && !slices.ContainsFunc(r.only, covers)
		if outside || slices.ContainsFunc(r.not, covers) {
			broken = append(broken, fmt.Sprintf("%s imports %s: %s", pkg, imp, r.why))
		}
	}
	return broken
}

func TestImportPlan(t *testing.T) {
	module := moduleName(t)
	files := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "bin"):
			return filepath.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files++
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imp, ours := strings.CutPrefix(imp, module+"/")
			for _, v := range violations(plan, filepath.ToSlash(dir), imp, ours, strings.HasSuffix(name, "_test.go")) {
				t.Errorf("%s: %s", name, v)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 2 {
		t.Errorf("looked at %d Go files, so at nothing", files)
	}
}

// TestImportPlanCanFail breaks each rule once, and comes close to breaking some.
func TestImportPlanCanFail(t *testing.T) {
	for _, c := range []struct {
		pkg, imp   string
		ours, test bool
		want       int
	}{
		{"flowfile", "replay", true, false, 1},
		{"flowfile/har", "transform/script", true, true, 1},
		{"flowfile/har", "flowfile/internal/wire", true, false, 0},
		{"flowfile/har", "replay", false, false, 0}, // somebody else's replay
		{"replay", "transform", true, false, 1},
		{"replay", "flowfile/filter", true, false, 0},
		{"transform/starlark", "live", true, false, 1},
		{"transform/starlark", "transform/script", true, false, 0},
		{"transform", "cmd/flowkit", true, false, 1},
		{"live", "transform", true, false, 1},
		{"live", "replay", true, false, 0},
		{"lively", "transform", true, false, 0}, // not a room of the plan; TestTopLevel has a word with it
		{"testdata/vectors", "cmd/flowkit", true, false, 1},
		{"testdata/vectors", "flowfile", true, false, 0},
		{"flowfile/internal/block", "flowfile/internal/wire", true, false, 1},
		{"flowfile/internal/block", "flowfile", true, true, 1},
		{"flowfile/internal/block", "net/http", false, false, 1},
		{"flowfile/internal/wire", "os", false, false, 1},
		{"flowfile/internal/wire", "os", false, true, 0}, // its tests may
		{"flowfile/internal/block", "os", false, false, 0},
		{"cmd/flowkit", "live", true, false, 0},
	} {
		if got := violations(plan, c.pkg, c.imp, c.ours, c.test); len(got) != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestTopLevel(t *testing.T) {
	for _, name := range strays(tracked(t)) {
		t.Errorf("%s: not one of the rooms at the top of the repository; which of them does it belong to?", name)
	}
}

func TestTopLevelCanFail(t *testing.T) {
	got := strays([]string{"cmd/flowkit/main.go", ".ci/run", "internal/x.go", "README.md", "main.go", "internal/y.go"})
	if want := []string{"internal", "main.go"}; !slices.Equal(got, want) {
		t.Errorf("strays: %q, want %q", got, want)
	}
}

// strays returns the names at the top of files that do not belong there, sorted.
func strays(files []string) []string {
	var found []string
	for _, file := range files {
		top, _, _ := strings.Cut(file, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(topLevel, top) {
			found = append(found, top)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// tracked lists the files that git has, or without git, from an unpacked archive, those that would be in it.
func tracked(t *testing.T) []string {
	if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
		cmd := exec.Command("git", "ls-files", "-z")
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git ls-files: %v", err)
		}
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != "bin" { // make's own
			names = append(names, e.Name())
		}
	}
	return names
}

func moduleName(t *testing.T) string {
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return strings.TrimSpace(strings.TrimPrefix(string(line), "module"))
}

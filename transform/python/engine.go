package python

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"flowkit/transform/script"
)

// Engine loads Python scripts. The zero value finds python3 and runs one process.
type Engine struct {
	Python string // interpreter; "": that of $VIRTUAL_ENV, else python3 of $PATH
	// Workers is how many processes run the scripts, each with a state of its own: who sets
	// it above 1 says that no script depends on the order of flows. 0: one, or one per
	// processor if all scripts say of themselves that they are stateless.
	Workers int
	// Concurrency is for how many flows async and @concurrent hooks run at a time; 0: one,
	// as mitmproxy does with saved flows.
	Concurrency    int
	StopAtShutdown bool   // ctx.master.shutdown() ends the run
	ApplyStream    bool   // feed stored bodies to what scripts set as .stream
	Verdict        bool   // look whether scripts keep nothing between flows, for Info
	LogLevel       string // below which nothing is sent: debug, info, warn, error; "": info
	CacheDir       string // where the package is extracted; "": the user's cache
	TempDir        string // for large bodies; "": the system's
	// Options are values of mitmdump's own options, as after --set, for scripts that look at
	// them: rfile, save_stream_file.
	Options []string
	// RealMitmproxy has the scripts run in the mitmproxy that is installed for the
	// interpreter, with its own addons, instead of in the package that comes with flowkit.
	RealMitmproxy bool
}

var _ script.Engine = Engine{}

// ErrNoPython is returned where there is no interpreter.
var ErrNoPython = errors.New("there is no python3 (3.8 or later) on this machine")

// Load starts the processes, which run the top levels of the scripts.
func (e Engine) Load(ctx context.Context, specs []script.Spec) (script.Session, error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("scripts in Python run on Unix only so far; those in Starlark (.star) run everywhere")
	}
	python, err := e.interpreter(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range specs {
		if s.Source != nil {
			continue
		}
		if _, err := os.Stat(s.Path); err != nil {
			return nil, err
		}
	}
	shim, err := extract(e.CacheDir)
	if err != nil {
		return nil, err
	}
	s := &Session{engine: e, specs: specs, python: python, shim: shim}
	if err := s.load(); err != nil {
		_ = s.Close() // the first error is the one to tell
		return nil, err
	}
	return s, nil
}

// workers returns how many processes are to run.
func (s *Session) workersWanted(asserted bool) int {
	switch {
	case s.engine.Workers > 1:
		return s.engine.Workers
	case s.engine.Workers == 0 && asserted:
		return runtime.GOMAXPROCS(0)
	}
	return 1
}

// hello is the first frame.
func (s *Session) hello() (marshal, error) {
	m := buffers.get()
	limits := s.specs[0].Limits.WithDefaults()
	m.buf = append(m.buf, codeDict)
	key := func(name string) { m.text(name) }
	key("scripts")
	m.tuple(len(s.specs))
	for _, spec := range s.specs {
		m.tuple(3)
		m.text(spec.Path)
		m.tuple(len(spec.Args))
		for _, a := range spec.Args {
			m.text(a)
		}
		m.bytesOrNone(string(spec.Source), spec.Source != nil)
	}
	key("set")
	set := s.specs[0].SetArgs
	if set == nil {
		for _, name := range slices.Sorted(maps.Keys(s.specs[0].Set)) {
			set = append(set, name+"="+s.specs[0].Set[name])
		}
	}
	m.list(len(set))
	for _, text := range set {
		m.text(text)
	}
	key("preset")
	m.list(len(s.engine.Options))
	for _, text := range s.engine.Options {
		m.text(text)
	}
	key("policy")
	policy := s.specs[0].Policy
	if policy == "" {
		policy = script.Keep
	}
	m.text(string(policy))
	key("concurrency")
	m.integer(int64(max(1, s.engine.Concurrency)))
	key("max_body")
	m.integer(limits.Body)
	key("shutdown")
	m.boolean(s.engine.StopAtShutdown)
	key("apply_stream")
	m.boolean(s.engine.ApplyStream)
	key("verdict")
	m.boolean(s.engine.Verdict)
	key("level")
	level := s.engine.LogLevel
	if level == "" {
		level = "info"
	}
	m.text(level)
	key("timeout")
	m.text(limits.Timeout.String())
	key("seconds")
	m.float(limits.Timeout.Seconds())
	m.buf = append(m.buf, codeEnd)
	if len(m.buf) > maxFrame {
		return m, fmt.Errorf("scripts and options of %d bytes are too much", len(m.buf))
	}
	return m, nil
}

// names joins the names of scripts.
func names(specs []script.Spec) string {
	var all []string
	for _, s := range specs {
		all = append(all, s.Name())
	}
	return strings.Join(all, ", ")
}
